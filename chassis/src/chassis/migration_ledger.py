"""One migrator at a time on a schema: its connection, its locks, and the ledger of what was applied."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from psycopg import sql

from chassis.migration_files import Migration, MigrationError

LOCK_TIMEOUT_MILLISECONDS = 500
LOCK_TRIES = 30
MIGRATOR_WAIT_SECONDS = 60
MIGRATE, BACKFILL = "aiops.migrate", "aiops.backfill"
"""The two that exclude each other's like: a new version's expansion need not wait for hours of backfill."""
_PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

T = TypeVar("T")


@contextmanager
def migrator(owner_url: str, schema: str, lock: str = MIGRATE) -> Iterator[psycopg.Connection]:
    """A connection of the owner, in autocommit, that holds this lock of the schema; the ledger is there.

    Raises:
        MigrationError: another migrator did not end in time.
    """
    with psycopg.connect(_plain(owner_url), autocommit=True, application_name=f"aiops-migrate-{schema}") as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, extensions",))
        set_lock_timeout(connection, MIGRATOR_WAIT_SECONDS * 1000)
        hold(connection, lock, schema)
        set_lock_timeout(connection, LOCK_TIMEOUT_MILLISECONDS)
        patiently(schema, "the ledger", lambda: _prepare(connection, schema))
        yield connection


@contextmanager
def reader(owner_url: str, schema: str) -> Iterator[psycopg.Connection]:
    """A connection of the owner that only reads, and waits for nobody."""
    with psycopg.connect(_plain(owner_url), autocommit=True, application_name=f"aiops-migrate-{schema}") as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, extensions",))
        connection.execute("SET default_transaction_read_only = on")
        yield connection


def hold(connection: psycopg.Connection, lock: str, schema: str) -> None:
    """Take a lock of the schema until the connection ends.

    Raises:
        MigrationError: somebody else holds it for longer than the connection waits.
    """
    try:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s), hashtext(%s))", (lock, schema))
    except psycopg.errors.LockNotAvailable as error:
        raise MigrationError(f"{schema}: another migrator is at work; wait for it and run this again") from error


def release(connection: psycopg.Connection, lock: str, schema: str) -> None:
    """Give the lock back before the connection ends."""
    connection.execute("SELECT pg_advisory_unlock(hashtext(%s), hashtext(%s))", (lock, schema))


def set_lock_timeout(connection: psycopg.Connection, milliseconds: int) -> None:
    """How long any statement of the connection may wait for a lock."""
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{milliseconds}ms",))


def patiently(schema: str, what: str, work: Callable[[], T]) -> T:
    """Do the work, again and again with pauses while it does not get its locks: those who wait behind it go on.

    Raises:
        MigrationError: it did not get them in 30 tries, or Postgres refuses it.
    """
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            return work()
        except _PASSING as error:
            if attempt == LOCK_TRIES:
                raise MigrationError(
                    f"{schema}: {what} could not get its lock in {LOCK_TRIES} tries; "
                    "end the long transactions on its tables and run this again"
                ) from error
            time.sleep(random.uniform(0.05, min(2.0, 0.1 * 2**attempt)))  # noqa: S311 - jitter, no secret
        except psycopg.Error as error:
            raise MigrationError(f"{schema}: {what} failed: {error}") from error
    raise AssertionError("unreachable")


def done(connection: psycopg.Connection, schema: str, migrations: tuple[Migration, ...]) -> set[str]:
    """The keys of what is done, of this code's files and of others.

    Raises:
        MigrationError: one of these files was changed after it was applied.
    """
    rows = connection.execute("SELECT version, phase, checksum FROM migration_versions WHERE state = 'done'").fetchall()
    applied = {f"{version}.{phase}": str(checksum) for version, phase, checksum in rows}
    for migration in migrations:
        if applied.get(migration.key, migration.checksum) != migration.checksum:
            raise MigrationError(
                f"{schema}: {migration.name} was changed after it was applied; "
                "restore the file and put the change into a new one"
            )
    return set(applied)


def record(connection: psycopg.Connection, migration: Migration, state: str) -> None:
    """Note that a file is being applied, or is done."""
    connection.execute(
        "INSERT INTO migration_versions (version, phase, checksum, state, started_at, finished_at)"
        " VALUES (%(version)s, %(phase)s, %(checksum)s, %(state)s, clock_timestamp(), NULL)"
        " ON CONFLICT (version, phase) DO UPDATE SET state = EXCLUDED.state, checksum = EXCLUDED.checksum,"
        " finished_at = CASE EXCLUDED.state WHEN 'done' THEN clock_timestamp() END",
        {"version": migration.version, "phase": migration.phase, "checksum": migration.checksum, "state": state},
    )


def _prepare(connection: psycopg.Connection, schema: str) -> None:
    """Make the ledger and the app role's default rights."""
    names = {"app": sql.Identifier(f"{schema}_app"), "inside": sql.Identifier(schema)}
    ledger = (
        "CREATE TABLE IF NOT EXISTS migration_versions ("
        " version text NOT NULL, phase text NOT NULL, checksum text NOT NULL,"
        " state text NOT NULL CONSTRAINT ck_migration_versions_state CHECK (state IN ('running', 'done')),"
        " cursor text NOT NULL DEFAULT '', started_at timestamptz NOT NULL, finished_at timestamptz,"
        " rows_done bigint NOT NULL DEFAULT 0,"
        " CONSTRAINT pk_migration_versions PRIMARY KEY (version, phase))"
    )
    for statement in (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {inside} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {inside} GRANT USAGE ON SEQUENCES TO {app}",
        # A function may carry its owner's rights: nobody but this service calls it.
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {inside} GRANT EXECUTE ON FUNCTIONS TO {app}",
        ledger,
        "REVOKE INSERT, UPDATE, DELETE ON migration_versions FROM {app}",
    ):
        connection.execute(sql.SQL(statement).format(**names))
    if not _counts_rows(connection):
        # Ledgers of the first release do not count.
        connection.execute("ALTER TABLE migration_versions ADD COLUMN rows_done bigint NOT NULL DEFAULT 0")


def _counts_rows(connection: psycopg.Connection) -> bool:
    found = connection.execute(
        "SELECT FROM pg_attribute WHERE attrelid = 'migration_versions'::regclass AND attname = 'rows_done'"
    )
    return found.fetchone() is not None


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
