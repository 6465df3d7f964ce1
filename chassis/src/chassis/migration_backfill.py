"""The backfill phase: what was added is filled for rows of before, in small transactions that give way to the traffic.

A batch and the place where the next one begins are committed together, so that a killed run goes on where it was and
no row is done twice or left out. See ADR 0037 for the form of the files.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from chassis.instances import LIVE_SECONDS
from chassis.migration_files import BACKFILL, EXPAND, Applied, Batch, Migration, MigrationError, all_migrations
from chassis.migration_ledger import BACKFILL as LOCK
from chassis.migration_ledger import done, migrator, patiently, record
from chassis.migrations import apply

ROWS = 1_000
FEWEST_ROWS = 50
BATCH_SECONDS = 0.2
"""A batch holds the locks of its rows for about this long: the next one is made smaller or larger after each."""
LAG_SECONDS = 5.0
"""Facts that wait longer than this for the relay, while processes live, mean that the database or NATS is busy."""
PROBE_SECONDS = 0.1
"""A look at the outbox takes a millisecond; one that takes this long means that the database is busy."""
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
"""Under load that does not end, one batch after each such pause: slow, and still to an end."""


@dataclass(frozen=True)
class Progress:
    """How far one backfill is."""

    version: str
    rows_done: int
    waits_for: str = ""
    """What it gives way to at the moment; "" when it is at work."""


def backfill(
    owner_url: str,
    schema: str,
    package: str,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    yields: bool = True,
) -> list[Applied]:
    """Do what is left of the backfill phase, from where an earlier run ended; a second run does nothing.

    Without `yields` it takes all it can get: for a schema that nobody uses at the time.

    Raises:
        MigrationError: the expansions are not there yet, a file changed after it was applied, or a batch failed.
    """
    applied: list[Applied] = []
    migrations = all_migrations(package)
    with migrator(owner_url, schema, LOCK) as connection:
        known = done(connection, schema, migrations)
        missing = [m.name for m in migrations if m.phase == EXPAND and m.key not in known]
        if missing:
            raise MigrationError(f"{schema}: {missing[0]} comes first; run `aiops migrate expand {schema}`")
        for migration in migrations:
            if migration.phase == BACKFILL and migration.key not in known:
                batch = migration.batch()
                applied.append(
                    apply(connection, schema, migration)
                    if batch is None
                    else _Filling(connection, schema, migration, batch, progress).run(yields=yields)
                )
    return applied


class _Filling:
    """One backfill, from where it was left to its end."""

    def __init__(
        self,
        connection: psycopg.Connection,
        schema: str,
        migration: Migration,
        batch: Batch,
        progress: Callable[[Progress], None],
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._migration = migration
        self._batch = batch
        self._progress = progress
        self._rows = ROWS

    def run(self, *, yields: bool) -> Applied:
        """Batch by batch."""
        started, before = time.monotonic(), self._rows_done()
        with self._connection.transaction():
            record(self._connection, self._migration, "running")
        finished = False
        while not finished:
            if yields:
                self._give_way()
            began = time.monotonic()
            finished = patiently(self._schema, self._migration.name, self._one_batch)
            seconds = time.monotonic() - began
            self._rows = min(ROWS, max(FEWEST_ROWS, int(self._rows * BATCH_SECONDS / max(seconds, 0.001))))
            self._progress(Progress(self._migration.version, self._rows_done()))
            if yields and not finished:
                time.sleep(min(seconds, PAUSE_SECONDS))  # at most half of the time is ours
        rows = self._rows_done() - before
        return Applied(self._migration.version, BACKFILL, time.monotonic() - started, rows)

    def _one_batch(self) -> bool:
        """Whether that was the last one."""
        with self._connection.transaction():
            row = self._connection.execute(
                "SELECT cursor FROM migration_versions WHERE version = %s AND phase = %s FOR UPDATE", self._key
            ).fetchone()
            cursor = str(row[0]) if row else ""
            following, rows = self._batch(self._connection, cursor, self._rows)
            if following == cursor and following:
                raise MigrationError(f"{self._schema}: {self._migration.name} does not get on: it stays at {cursor}")
            self._connection.execute(
                "UPDATE migration_versions SET cursor = %s, rows_done = rows_done + %s"
                " WHERE version = %s AND phase = %s",
                (following, rows, *self._key),
            )
            if not following:
                record(self._connection, self._migration, "done")
        return not following

    def _give_way(self) -> None:
        """Pause while the database is busy with more urgent things."""
        until = time.monotonic() + LONGEST_PAUSE_SECONDS
        while (busy := self._busy()) and time.monotonic() < until:
            self._progress(Progress(self._migration.version, self._rows_done(), busy))
            time.sleep(PAUSE_SECONDS)

    def _busy(self) -> str:
        began = time.monotonic()
        row = self._connection.execute(
            "SELECT extract(epoch FROM clock_timestamp() - min(created_at)) FROM outbox WHERE published_at IS NULL"
            " AND EXISTS (SELECT FROM service_instances WHERE seen_at > clock_timestamp() - make_interval(secs => %s))",
            (LIVE_SECONDS,),
        ).fetchone()
        seconds, lag = time.monotonic() - began, float(row[0] or 0) if row else 0.0
        if lag > LAG_SECONDS:
            return f"facts that have waited {lag:.0f} s to be published"
        return f"the database, which took {seconds * 1000:.0f} ms for a look" if seconds > PROBE_SECONDS else ""

    def _rows_done(self) -> int:
        row = self._connection.execute(
            "SELECT rows_done FROM migration_versions WHERE version = %s AND phase = %s", self._key
        ).fetchone()
        return int(row[0]) if row else 0

    @property
    def _key(self) -> tuple[str, str]:
        return self._migration.version, self._migration.phase
