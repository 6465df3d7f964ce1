"""What the schema itself holds: rights, partitions, versions of patterns and logs."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from services.logs.tests.factories import Receive, instance_of
from sqlalchemy import select, text

from chassis.db import Database, UnitOfWork
from chassis.errors import VersionConflict
from chassis.ids import uuid7
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase
from logs_service.domain import LogPattern
from logs_service.errors import LogNotFound
from logs_service.ingest.catalogue import widened, write_changes
from logs_service.patterns.miner import MinerChanges, Pattern
from logs_service.store import LogStore, PatternStore, ensure_record_partitions
from logs_service.tables import LOG_PATTERN_VERSIONS, LOG_PATTERNS


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_records SET body = 'other'",
        "DELETE FROM log_records",
        "TRUNCATE log_records",
        "UPDATE log_records_20260105 SET body = 'other'",
        "DELETE FROM log_records_20260105",
        "UPDATE log_pattern_versions SET template = 'other'",
        "DELETE FROM log_pattern_counts",
        "DELETE FROM logs",
        "DELETE FROM log_patterns",
        "DROP TABLE log_records_20260105",
        "CREATE TABLE log_records_extra (id int)",
        "ALTER TABLE logs DISABLE TRIGGER ALL",
    ],
)
async def test_a_running_service_cannot_change_what_arrived(
    receive: Receive, service_database: ServiceDatabase, statement: str
) -> None:
    await receive("a line\n")

    with psycopg.connect(service_database.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


async def test_partitions_are_made_once_for_each_day(uow: UnitOfWork, clock: FrozenClock, database: Database) -> None:
    day = datetime(2031, 2, 27, 23, 59, tzinfo=UTC)

    async with uow.begin() as tx:
        made = [await ensure_record_partitions(tx, first_day=day, days=days) for days in (3, 3, 4)]

    assert made == [3, 0, 1]
    async with database.read() as tx:
        statement = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'log_records_20310228'"
        bounds = (await tx.execute(text(statement))).scalar_one()
    midnights = (datetime(2031, 2, 28, tzinfo=UTC), datetime(2031, 3, 1, tzinfo=UTC))
    first, end = (f"{int(midnight.timestamp() * 1000):012x}" for midnight in midnights)
    assert bounds == (
        f"FOR VALUES FROM ('{first[:8]}-{first[8:]}-7000-8000-000000000000')"
        f" TO ('{end[:8]}-{end[8:]}-7000-8000-000000000000')"
    )


@pytest.mark.parametrize("days", [0, 32])
async def test_only_a_month_of_partitions_is_made(uow: UnitOfWork, days: int) -> None:
    with pytest.raises(Exception, match="days must be 1 to 31"):
        async with uow.begin() as tx:
            await ensure_record_partitions(tx, first_day=tx.now, days=days)


async def test_partitions_are_made_while_records_are_written(uow: UnitOfWork, receive: Receive) -> None:
    """An upload may take minutes; tomorrow's partition must not wait for it, nor hold others up."""
    await receive("a line\n")
    async with uow.begin() as writing:
        await writing.execute(text("INSERT INTO log_records SELECT * FROM log_records WHERE false"))

        async with uow.begin() as tx:
            await tx.execute(text("SET LOCAL lock_timeout = '500ms'"))
            made = await ensure_record_partitions(tx, first_day=datetime(2032, 1, 1, tzinfo=UTC), days=1)

    assert made == 1


async def test_a_log_is_saved_over_the_version_that_was_read(receive: Receive, uow: UnitOfWork) -> None:
    log = await receive("a line\n")

    async with uow.begin() as tx:
        store = LogStore(tx)
        changed, _ = (await store.get_for_update(log.id)).updated(notes="new", at=tx.now + timedelta(seconds=1))
        await store.save(changed, expected_version=1)
        with pytest.raises(VersionConflict) as refused:
            await store.save(changed, expected_version=1)
        assert await store.get_for_update(log.id) == changed
        with pytest.raises(LogNotFound):
            await store.get_for_update(uuid7())

    assert refused.value.metadata == {
        "expected": "1", "actual": "2", "aggregate_type": "log", "aggregate_id": str(log.id),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("order <*> shipped", "order 5 shipped", "order <*> shipped"),
        ("job <*> of mail", "job <*> of post", "job <*> of <*>"),
        ("a b c", "a b", "a <*>"),
        ("a b c", "x y", "<*>"),
    ],
)
def test_a_widened_template_covers_both(one: str, other: str, expected: str) -> None:
    assert widened(one, other) == expected
    for covered in (one, other):
        assert instance_of(expected, covered.replace("<*>", "17"))


async def test_changes_of_two_logs_to_one_pattern_are_joined(
    receive: Receive, uow: UnitOfWork, database: Database
) -> None:
    """Two miners began with the same catalogue and made different templates of one pattern."""
    log = await receive("job alpha of mail\n", service="shop")
    async with database.read() as read:
        (row,) = await read.fetch_all(select(LOG_PATTERNS))
    known = LogPattern(row.id, 1, row.template, "shop", log.id, row.created_at)

    for template in ("job <*> of mail", "job alpha of <*>"):
        changes = MinerChanges(created=(), generalised=(Pattern(known.id, template, 2),), merged=())
        async with uow.begin() as tx:
            await write_changes(PatternStore(tx, "shop"), changes, [known], service="shop", log_id=log.id, at=tx.now)

    async with database.read() as read:
        (row,) = await read.fetch_all(select(LOG_PATTERNS))
        versions = await read.fetch_all(select(LOG_PATTERN_VERSIONS).order_by(LOG_PATTERN_VERSIONS.c.version))
    assert (row.template, row.version) == ("job <*> of <*>", 3)
    assert [version.template for version in versions] == ["job alpha of mail", "job <*> of mail", "job <*> of <*>"]


async def test_merges_of_two_logs_lead_to_one_root(receive: Receive, uow: UnitOfWork, database: Database) -> None:
    """One log merges B into A while another, which knew nothing of it, merges C into B and A into B."""
    log = await receive("disk is broken\nfan has stopped\npower was lost\n", service="shop")
    async with database.read() as read:
        rows = await read.fetch_all(select(LOG_PATTERNS).order_by(LOG_PATTERNS.c.id))
    a, b, c = (LogPattern(r.id, r.version, r.template, r.service, r.first_log_id, r.created_at) for r in rows)

    for merged in (((b.id, a.id),), ((c.id, b.id), (a.id, b.id))):
        async with uow.begin() as tx:
            await write_changes(
                PatternStore(tx, "shop"), MinerChanges((), (), merged), [a, b, c],
                service="shop", log_id=log.id, at=tx.now,
            )  # fmt: skip

    async with database.read() as read:
        found = {row.id: row.merged_into for row in await read.fetch_all(select(LOG_PATTERNS))}
    assert found == {a.id: None, b.id: a.id, c.id: a.id}
