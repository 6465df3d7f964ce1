"""Heartbeats: every process of a service says that it lives and which migrations its code knows.

A contraction waits for the processes that do not know it, and a process does not start on a schema that was contracted
behind its back: joining and contracting hold one lock of Postgres, shared by those who join.
"""

import asyncio
import logging
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psycopg

from chassis.db import Database, application_name
from chassis.errors import Unavailable
from chassis.ids import uuid7
from chassis.migrations import all_migrations, refuse_contracted

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
LIVE_SECONDS = 30
"""A process that was not seen for longer counts as gone, as after a kill."""
KEPT_SECONDS = 3600
"""How long the row of a process that did not say goodbye is kept for people to see."""
LOCK = "aiops.instances"


class Instance:
    """This process among those of its service. It has a connection of its own: a pool under load delays no beat."""

    def __init__(self, database: Database, package: str, roles: Iterable[str]) -> None:
        self.id = uuid7()
        self._database = database
        self._package = package
        self._row = {
            "id": self.id,
            "service": database.name,
            "role": " ".join(sorted(roles)),
            "version": _version(database.name),
            "knows": [migration.key for migration in all_migrations(package)],
        }
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def join(self) -> None:
        """Be counted from now on; the schema has what this code needs (`schema_ready` was asked before).

        Raises:
            Unavailable: a contraction is under way, or was applied that this code does not know.
        """
        connection = await self._connect()
        try:
            async with connection.transaction():
                cursor = await connection.execute(
                    "SELECT pg_try_advisory_xact_lock_shared(hashtext(%s), hashtext(%s))", (LOCK, self._database.name)
                )
                if (await cursor.fetchone()) != (True,):
                    raise Unavailable(
                        f"the schema of {self._database.name} is being contracted; waiting until that is done",
                        dependency="postgres",
                    )
                await connection.execute(
                    "DELETE FROM service_instances WHERE seen_at < clock_timestamp() - make_interval(secs => %s)",
                    (KEPT_SECONDS,),
                )
                await connection.execute(
                    "INSERT INTO service_instances"
                    " (instance_id, service, role, version, schema_knows, started_at, seen_at) VALUES"
                    " (%(id)s, %(service)s, %(role)s, %(version)s, %(knows)s, clock_timestamp(), clock_timestamp())"
                    " ON CONFLICT (instance_id) DO UPDATE SET seen_at = EXCLUDED.seen_at",
                    self._row,
                )
                cursor = await connection.execute(
                    "SELECT version FROM migration_versions WHERE phase = 'contract' AND state = 'done'"
                )
                refuse_contracted(
                    self._database.name, self._package, {str(version) for (version,) in await cursor.fetchall()}
                )
        except psycopg.OperationalError as error:
            raise Unavailable(dependency="postgres") from error

    async def run(self) -> None:
        """Be seen every 5 s, for as long as the process lives."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    if not await self._beat():
                        await self.join()
            except (Unavailable, psycopg.OperationalError, TimeoutError) as error:
                logger.warning("%s could not say that it lives, and tries again: %r", self._database.name, error)
                await self._hang_up()

    async def leave(self) -> None:
        """Be counted no more; called when this process does nothing in the database any longer."""
        if self._connection is None:
            return
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                connection = await self._connect()
                await connection.execute("DELETE FROM service_instances WHERE instance_id = %s", (self.id,))
        except (Unavailable, psycopg.OperationalError, TimeoutError) as error:
            logger.warning("%s could not say goodbye and counts as alive for a while: %r", self._database.name, error)
        await self._hang_up()

    async def _beat(self) -> bool:
        connection = await self._connect()
        cursor = await connection.execute(
            "UPDATE service_instances SET seen_at = clock_timestamp() WHERE instance_id = %s"
            " AND seen_at > clock_timestamp() - make_interval(secs => %s)",
            (self.id, LIVE_SECONDS),
        )
        return cursor.rowcount == 1

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await self._database.dedicated()
            name = f"{application_name(self._database.name)}-heartbeat"
            await self._connection.execute("SELECT set_config('application_name', %s, false)", (name,))
        return self._connection

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _version(service: str) -> str:
    """The version of the service's distribution; "" where it runs from none."""
    try:
        return version(f"aiops-{service}")
    except PackageNotFoundError:
        return ""
