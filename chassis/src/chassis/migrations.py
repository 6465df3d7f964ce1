"""Schema changes: numbered SQL files per service, each applied once, as the schema's owner, before services start.

Files are `NNNN_name.{expand,backfill,contract}.sql` in a package's `migrations` folder; the chassis' own come first.
A serving process runs no DDL: it only asks `schema_ready`. Writing SQL and choosing its phase is the service's part.
"""

import hashlib
import random
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg import sql
from sqlalchemy import text

from chassis.db import Database
from chassis.errors import Unavailable

LOCK_TIMEOUT_MILLISECONDS = 500
LOCK_TRIES = 30
MIGRATOR_WAIT_SECONDS = 60
NO_TRANSACTION = "-- aiops: no transaction"
_FILE = re.compile(r"(?P<number>[0-9]{4})_[a-z0-9_]+\.(?P<phase>expand|backfill|contract)\.sql")
EXPAND = "expand"
CONTRACT = "contract"
_PHASES = (EXPAND, "backfill", CONTRACT)


class MigrationError(Exception):
    """A schema cannot be brought to where the code needs it; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """One file: "chassis/0001" or "0001", its phase and its SQL."""

    version: str
    phase: str
    text: str

    @property
    def key(self) -> str:
        """The name by which a process says that its code knows this file."""
        return f"{self.version}.{self.phase}"

    @property
    def checksum(self) -> str:
        """What tells that an applied file was changed afterwards."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def transactional(self) -> bool:
        """Whether the file is applied as one transaction."""
        return not self.text.startswith(NO_TRANSACTION)


@dataclass(frozen=True)
class Applied:
    """One file that this run applied."""

    version: str
    phase: str
    seconds: float


def all_migrations(package: str) -> tuple[Migration, ...]:
    """Every file of a service, the chassis' first, in order."""
    return (*_discover("chassis", prefix="chassis/"), *_discover(package, prefix=""))


def migrate(owner_url: str, schema: str, package: str, *, phases: Collection[str] = (EXPAND,)) -> list[Applied]:
    """Apply what is missing of the phases; a second run applies nothing, and a killed one is taken up again.

    Without `phases` only what two versions of the code can live with: a contract phase comes when the old one is gone.

    Raises:
        MigrationError: a file changed after it was applied, or a lock could not be had.
    """
    applied: list[Applied] = []
    with _migrator(owner_url, schema) as connection:
        done = _prepare(connection, schema)
        for migration in all_migrations(package):
            checksum = done.get((migration.version, migration.phase))
            if checksum is None and migration.phase in phases:
                started = time.monotonic()
                _apply(connection, schema, migration)
                applied.append(Applied(migration.version, migration.phase, time.monotonic() - started))
            elif checksum not in {None, migration.checksum}:
                raise MigrationError(
                    f"{schema}: migration {migration.version} ({migration.phase}) was changed after it was applied; "
                    "restore the file and put the change into a new one"
                )
    return applied


async def schema_ready(database: Database, package: str) -> None:
    """Return if the schema has all that the package's code needs: every expansion, and no contraction but known ones.

    Raises:
        Unavailable: it has not, or Postgres cannot be reached.
    """
    async with database.read() as tx:
        known = await tx.fetch_one(text("SELECT to_regclass('migration_versions') IS NOT NULL AS present"))
        rows = (
            await tx.fetch_all(text("SELECT version, phase FROM migration_versions WHERE state = 'done'"))
            if known is not None and known.present
            else []
        )
    done = {(row.version, row.phase) for row in rows}
    refuse_contracted(database.name, package, {version for version, phase in done if phase == CONTRACT})
    needed = {(m.version, m.phase) for m in all_migrations(package) if m.phase == EXPAND}
    missing = needed - done
    if missing:
        version, phase = min(missing)
        raise Unavailable(
            f"the schema of {database.name} lacks migration {version} ({phase}); run `aiops migrate expand`",
            dependency="postgres",
        )


def refuse_contracted(schema: str, package: str, contracted: Collection[str]) -> None:
    """Return if the code knows all these contractions.

    Raises:
        Unavailable: it does not: this version is older than the schema.
    """
    unknown = set(contracted) - {m.version for m in all_migrations(package) if m.phase == CONTRACT}
    if unknown:
        raise Unavailable(
            f"the schema of {schema} was contracted by migration {min(unknown)}, which this version does not know: "
            "it is too old for this database; start a newer one",
            dependency="postgres",
        )


def _discover(package: str, *, prefix: str) -> tuple[Migration, ...]:
    found = []
    folder = files(package) / "migrations"
    for file in folder.iterdir() if folder.is_dir() else ():
        match = _FILE.fullmatch(file.name)
        if match is not None:
            found.append(Migration(prefix + match["number"], match["phase"], file.read_text(encoding="utf-8")))
        elif file.name.endswith(".sql"):
            raise MigrationError(f"{package}: {file.name} is not named NNNN_name.(expand|backfill|contract).sql")
    ordered = sorted(found, key=lambda migration: (migration.version, _PHASES.index(migration.phase)))
    keys = [(migration.version, migration.phase) for migration in ordered]
    if len(set(keys)) != len(keys):
        raise MigrationError(f"{package}: two migrations have the same number and phase")
    return tuple(ordered)


@contextmanager
def _migrator(owner_url: str, schema: str) -> Iterator[psycopg.Connection]:
    """A connection of the owner that holds the one migrator's lock of the schema."""
    with psycopg.connect(_plain(owner_url), autocommit=True, application_name=f"aiops-migrate-{schema}") as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, extensions",))
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{MIGRATOR_WAIT_SECONDS}s",))
        try:
            connection.execute("SELECT pg_advisory_lock(hashtext('aiops.migrate'), hashtext(%s))", (schema,))
        except psycopg.errors.LockNotAvailable as error:
            raise MigrationError(f"{schema}: another migrator is at work; wait for it and run this again") from error
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_TIMEOUT_MILLISECONDS}ms",))
        yield connection


def _prepare(connection: psycopg.Connection, schema: str) -> dict[tuple[str, str], str]:
    """Make the ledger and the app role's default rights; the checksums of what is done."""
    app = sql.Identifier(f"{schema}_app")
    inside = sql.Identifier(schema)
    ledger = (
        "CREATE TABLE IF NOT EXISTS migration_versions ("
        " version text NOT NULL, phase text NOT NULL, checksum text NOT NULL,"
        " state text NOT NULL CONSTRAINT ck_migration_versions_state CHECK (state IN ('running', 'done')),"
        " cursor text NOT NULL DEFAULT '', started_at timestamptz NOT NULL, finished_at timestamptz,"
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
        connection.execute(sql.SQL(statement).format(inside=inside, app=app))
    rows = connection.execute("SELECT version, phase, checksum FROM migration_versions WHERE state = 'done'").fetchall()
    return {(version, phase): checksum for version, phase, checksum in rows}


def _apply(connection: psycopg.Connection, schema: str, migration: Migration) -> None:
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            if migration.transactional:
                with connection.transaction():
                    _record(connection, migration, "running")
                    connection.execute(_trusted(migration.text))
                    _record(connection, migration, "done")
            else:
                _record(connection, migration, "running")
                for statement in _statements(migration.text):
                    connection.execute(_trusted(statement))
                _record(connection, migration, "done")
        except psycopg.errors.LockNotAvailable as error:
            if attempt == LOCK_TRIES:
                raise MigrationError(
                    f"{schema}: migration {migration.version} ({migration.phase}) could not get its lock in "
                    f"{LOCK_TRIES} tries; end the long transactions on its tables and run this again"
                ) from error
            time.sleep(random.uniform(0.05, min(2.0, 0.1 * 2**attempt)))  # noqa: S311 - jitter, no secret
        except psycopg.Error as error:
            raise MigrationError(
                f"{schema}: migration {migration.version} ({migration.phase}) failed: {error}"
            ) from error
        else:
            return


def _record(connection: psycopg.Connection, migration: Migration, state: str) -> None:
    connection.execute(
        "INSERT INTO migration_versions (version, phase, checksum, state, started_at, finished_at)"
        " VALUES (%(version)s, %(phase)s, %(checksum)s, %(state)s, clock_timestamp(), NULL)"
        " ON CONFLICT (version, phase) DO UPDATE SET state = EXCLUDED.state, checksum = EXCLUDED.checksum,"
        " finished_at = CASE EXCLUDED.state WHEN 'done' THEN clock_timestamp() END",
        {"version": migration.version, "phase": migration.phase, "checksum": migration.checksum, "state": state},
    )


def _statements(script: str) -> list[str]:
    """The statements of a file without transaction: each ends with a semicolon at the end of a line."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    return [part.strip() for part in re.split(r";[ \t]*(?:\n|$)", "\n".join(lines)) if part.strip()]


def _trusted(script: str) -> bytes:
    """SQL out of our own packages: as trustworthy as the code beside it."""
    return script.encode()


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
