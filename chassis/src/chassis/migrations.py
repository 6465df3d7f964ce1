"""Schema changes: numbered files per service, each applied once, as the schema's owner, before services start.

Here is the phase that every release begins with, `expand`: additions that the running version does not mind. The rest
comes later: `migration_backfill` fills what was added, `migration_contract` takes away what nobody needs any more.
A serving process runs no DDL: it only asks `schema_ready`.
"""

import re
import time
from collections.abc import Collection

import psycopg
from psycopg import sql
from sqlalchemy import text

from chassis.db import Database
from chassis.errors import Unavailable
from chassis.migration_files import CONTRACT, EXPAND, Applied, Migration, MigrationError, all_migrations
from chassis.migration_ledger import (
    LOCK_TIMEOUT_MILLISECONDS,
    MIGRATOR_WAIT_SECONDS,
    done,
    migrator,
    patiently,
    record,
    set_lock_timeout,
)

__all__ = ["Applied", "Migration", "MigrationError", "all_migrations", "apply", "migrate", "schema_ready"]

_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)


def migrate(owner_url: str, schema: str, package: str) -> list[Applied]:
    """Apply what is missing of the expand phase; a second run applies nothing, and a killed one is taken up again.

    Raises:
        MigrationError: a file changed after it was applied, failed, or could not get its lock.
    """
    migrations = all_migrations(package)
    with migrator(owner_url, schema) as connection:
        known = done(connection, schema, migrations)
        missing = [migration for migration in migrations if migration.phase == EXPAND and migration.key not in known]
        return [apply(connection, schema, migration) for migration in missing]


def apply(connection: psycopg.Connection, schema: str, migration: Migration) -> Applied:
    """Run one file as it is and note it; the caller holds the migrator's lock.

    Raises:
        MigrationError: it failed, or could not get its lock.
    """
    started = time.monotonic()
    work = _in_a_transaction if migration.transactional else _statement_by_statement
    patiently(schema, migration.name, lambda: work(connection, schema, migration))
    return Applied(migration.version, migration.phase, time.monotonic() - started)


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
    applied = {(row.version, row.phase) for row in rows}
    refuse_contracted(database.name, package, {version for version, phase in applied if phase == CONTRACT})
    needed = {(m.version, m.phase) for m in all_migrations(package) if m.phase == EXPAND}
    missing = needed - applied
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


def _in_a_transaction(connection: psycopg.Connection, _schema: str, migration: Migration) -> None:
    with connection.transaction():
        record(connection, migration, "running")
        connection.execute(_trusted(migration.text))
        record(connection, migration, "done")


def _statement_by_statement(connection: psycopg.Connection, schema: str, migration: Migration) -> None:
    record(connection, migration, "running")
    _drop_invalid_indexes(connection, schema, migration)
    for statement in migration.statements():
        # Whatever is done CONCURRENTLY stops nobody while it waits, and would have to begin anew after each wait.
        patient = _CONCURRENTLY.search(statement) is not None
        set_lock_timeout(connection, MIGRATOR_WAIT_SECONDS * 1000 if patient else LOCK_TIMEOUT_MILLISECONDS)
        try:
            connection.execute(_trusted(statement))
        finally:
            set_lock_timeout(connection, LOCK_TIMEOUT_MILLISECONDS)
    record(connection, migration, "done")


def _drop_invalid_indexes(connection: psycopg.Connection, schema: str, migration: Migration) -> None:
    """What a concurrent build leaves behind when it is cut short: an index that every write keeps and no read uses."""
    leftovers = connection.execute(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE NOT i.indisvalid AND c.relnamespace = %s::regnamespace",
        (schema,),
    ).fetchall()
    for (name,) in leftovers:
        if re.search(rf"\b{re.escape(name)}\b", migration.text):
            connection.execute(
                sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(schema, str(name)))
            )


def _trusted(script: str) -> bytes:
    """SQL out of our own packages: as trustworthy as the code beside it."""
    return script.encode()
