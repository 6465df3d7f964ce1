"""The contract phase: what nobody needs any more is taken away, when that is certain and somebody asked for it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from chassis.db import application_name
from chassis.instances import LIVE_SECONDS, LOCK
from chassis.migration_files import BACKFILL, CONTRACT, EXPAND, Applied, MigrationError, all_migrations
from chassis.migration_ledger import BACKFILL as BACKFILL_LOCK
from chassis.migration_ledger import done, hold, migrator, reader, release
from chassis.migrations import apply


@dataclass(frozen=True)
class LiveInstance:
    """A process of the service that was seen lately."""

    id: UUID
    role: str
    version: str
    started_at: datetime
    seen_seconds_ago: float
    lacks: tuple[str, ...]
    """Contractions of this version's code that the process does not know."""

    @property
    def told(self) -> str:
        """The process for people."""
        return f"{self.id} ({self.role}, version {self.version or 'unknown'}, seen {self.seen_seconds_ago:.0f} s ago)"


@dataclass(frozen=True)
class Step:
    """One file and how far it is."""

    version: str
    phase: str
    state: str
    """"pending", "running" or "done"."""
    rows_done: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Status:
    """Where one schema stands for the code at hand."""

    schema: str
    steps: tuple[Step, ...]
    instances: tuple[LiveInstance, ...]


def contract(owner_url: str, schema: str, package: str) -> list[Applied]:
    """Take away what the contract phase names; once, and never while somebody may need it.

    Raises:
        MigrationError: an expansion or a backfill is not finished, a process lives that does not know of it, a file
            changed after it was applied, failed, or could not get its lock. Nothing was taken away by the one that
            is named.
    """
    migrations = all_migrations(package)
    with migrator(owner_url, schema) as connection:
        known = done(connection, schema, migrations)
        pending = [m for m in migrations if m.phase == CONTRACT and m.key not in known]
        if not pending:
            return []
        for migration in migrations:
            if migration.phase in {EXPAND, BACKFILL} and migration.key not in known:
                raise MigrationError(
                    f"{schema}: {migration.name} is not finished; run `aiops migrate {migration.phase} {schema}` first"
                )
        hold(connection, BACKFILL_LOCK, schema)
        # From here on nobody joins: who is not seen now is not there, and who comes later sees what was done.
        hold(connection, LOCK, schema)
        try:
            _refuse_while_needed(connection, schema, tuple(m.key for m in pending))
            return [apply(connection, schema, migration) for migration in pending]
        finally:
            release(connection, LOCK, schema)


def status(owner_url: str, schema: str, package: str) -> Status:
    """Every file with its state, and every process that lives; changes nothing."""
    migrations = all_migrations(package)
    contractions = tuple(m.key for m in migrations if m.phase == CONTRACT)
    with reader(owner_url, schema) as connection:
        rows = (
            connection.execute(
                "SELECT version, phase, state, coalesce((to_jsonb(m) ->> 'rows_done')::bigint, 0),"
                " started_at, finished_at FROM migration_versions m"
            ).fetchall()
            if _there(connection, "migration_versions")
            else []
        )
        recorded = {(row[0], row[1]): Step(*row) for row in rows}
        instances = live_instances(connection, contractions) if _there(connection, "service_instances") else ()
    here = [recorded.pop((m.version, m.phase), Step(m.version, m.phase, "pending")) for m in migrations]
    return Status(schema, (*here, *recorded.values()), instances)


def live_instances(connection: psycopg.Connection, contractions: tuple[str, ...]) -> tuple[LiveInstance, ...]:
    """The processes that were seen within 30 s by the database's clock, with what of these each does not know."""
    rows = connection.execute(
        "SELECT instance_id, role, version, started_at, extract(epoch FROM clock_timestamp() - seen_at)::float,"
        " schema_knows FROM service_instances WHERE seen_at > clock_timestamp() - make_interval(secs => %s)"
        " ORDER BY started_at, instance_id",
        (LIVE_SECONDS,),
    ).fetchall()
    return tuple(
        LiveInstance(instance, role, version, started, seen, tuple(key for key in contractions if key not in knows))
        for instance, role, version, started, seen, knows in rows
    )


def _refuse_while_needed(connection: psycopg.Connection, schema: str, contractions: tuple[str, ...]) -> None:
    instances = live_instances(connection, contractions)
    old = [instance for instance in instances if instance.lacks]
    if old:
        raise MigrationError(
            f"{schema}: {', '.join(old[0].lacks)} would take away what {len(old)} running "
            f"{'process needs' if len(old) == 1 else 'processes need'}: {'; '.join(each.told for each in old)}. "
            "Stop them, or finish the deployment; a killed process counts for 30 s. Then run this again"
        )
    silent = connection.execute(
        "SELECT count(*), string_agg(DISTINCT coalesce(nullif(application_name, ''), 'no name'), ', ')"
        " FROM pg_stat_activity WHERE datname = current_database() AND usename = %s"
        " AND NOT starts_with(application_name, %s)",
        (f"{schema}_app", application_name(schema)),
    ).fetchone()
    if silent and silent[0]:
        raise MigrationError(
            f"{schema}: {silent[0]} {'connection' if silent[0] == 1 else 'connections'} of {schema}_app "
            f"({silent[1]}) from a process that does not say what it knows; it may be of a version before heartbeats. "
            "Stop it, then run this again"
        )


def _there(connection: psycopg.Connection, table: str) -> bool:
    return connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone() == (True,)
