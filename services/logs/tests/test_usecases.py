from services.logs.tests.factories import Receive
from sqlalchemy import select

from chassis.db import Database
from logs_service.tables import LOG_RECORDS


async def test_a_pasted_log_is_stored_with_its_lines(receive: Receive, database: Database) -> None:
    log = await receive("2026-01-04T10:00:00Z INFO started\n2026-01-04T10:00:01Z ERROR cannot open db\n")

    async with database.read() as tx:
        rows = await tx.fetch_all(select(LOG_RECORDS).order_by(LOG_RECORDS.c.id))
    assert [(r.line_number, r.body, r.severity) for r in rows] == [(1, "started", 9), (2, "cannot open db", 17)]
    assert log.contents.record_count == 2
