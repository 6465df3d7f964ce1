"""Gives what is older than its history a first row: the step of a backfill phase, and safe to run again.

It works in transactions of its own beside the one that keeps the cursor: a batch that comes twice finds itself done.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import URL

from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork
from chassis.history.recorder import Recorder
from chassis.identity import Call, acting_as
from chassis.migration_files import MigrationError

if TYPE_CHECKING:
    import psycopg

    from chassis.history.document import History

LOCKED_AT_ONCE = 100
"""Rows are locked while they get their first row of history: few at a time, so that nobody waits long."""
KEY_FILE = "AIOPS_REDACTION_KEY_FILE"
_BEFORE_ALL = UUID(int=0)


def begin_histories(
    connection: "psycopg.Connection[Any]", cursor: str, rows: int, history: "History", *, service: str
) -> tuple[str, int]:
    """One batch of a `NNNN_name.backfill.py`: a `Genesis` row for each row of the table that has no history.

    Raises:
        MigrationError: there are rows, and no redaction key to seal what is personal in them.
    """
    info = connection.info
    parameters = {name: value for name, value in info.get_parameters().items() if name not in _IN_THE_URL}
    url = URL.create(
        "postgresql", info.user, info.password, info.host, info.port, info.dbname, query=parameters
    ).render_as_string(hide_password=False)
    after = UUID(cursor) if cursor else _BEFORE_ALL
    # In a thread, since whoever migrates may run inside an event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _batch(url, after, rows, history, service)).result()


_IN_THE_URL = frozenset({"user", "password", "host", "port", "dbname"})


async def _batch(url: str, after: UUID, rows: int, history: "History", service: str) -> tuple[str, int]:
    database = Database(url, name=service, pool_size=1, max_overflow=0)
    done = 0
    try:
        with acting_as(Call(service, method="aiops migrate backfill")):
            while done < rows:
                found = await _some(database, after, min(LOCKED_AT_ONCE, rows - done), history, service)
                if not found:
                    return "", done
                after, done = found[-1], done + len(found)
    finally:
        await database.close()
    return str(after), done


async def _some(database: Database, after: UUID, rows: int, history: "History", service: str) -> list[UUID]:
    locked = text(f"SELECT id FROM {history.kind}s WHERE id > :after ORDER BY id LIMIT :rows FOR UPDATE")  # noqa: S608 - a declared kind
    unit_of_work = UnitOfWork(database, SystemClock(), _told_as_event, service)
    async with unit_of_work.begin() as tx:
        ids = [row.id for row in await tx.fetch_all(locked.bindparams(after=after, rows=rows))]
        if ids:
            page = await history.iterate(tx, after, rows)
            aggregates = [aggregate for aggregate in page if history.document(aggregate).id in set(ids)]
            await Recorder([history], _redaction_key(), service).begin(tx, history, aggregates)
    return ids


def _redaction_key() -> bytes:
    named = os.environ.get(KEY_FILE)
    if not named:
        raise MigrationError(f"{KEY_FILE} is not set: what is personal in a history is sealed with this key")
    try:
        return Path(named).read_bytes().strip()
    except OSError as error:
        raise MigrationError(f"{KEY_FILE} is {named}, which cannot be read: {error.strerror}") from error


def _told_as_event(fact: object) -> Any:
    raise TypeError(f"a backfill tells nothing: {fact!r}")
