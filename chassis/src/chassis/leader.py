"""Leadership: of all processes of a service, one does a task; when it is gone, another takes over.

The lock is a session lock of Postgres on a connection of its own, and the work is given that connection: who loses the
connection loses the lock, and notices it with the next statement.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from chassis.db import Database
from chassis.errors import Unavailable

logger = logging.getLogger(__name__)

CANDIDATE_SECONDS = 1.0
"""How often a process that does not lead asks whether it may."""


class Leader:
    """A candidate for one task of one service."""

    def __init__(self, database: Database, task: str) -> None:
        self.leads = False
        self._database = database
        self._task = task

    async def run(self, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]]) -> None:
        """Do `work` whenever this process leads, for ever.

        What it raises ends leadership and, unless Postgres went away, is raised here too.
        """
        while True:
            try:
                await self._campaign(work)
            except (psycopg.OperationalError, Unavailable) as error:
                logger.warning("%s of %s lost its connection: %s", self._task, self._database.name, error)
            await asyncio.sleep(random.uniform(0.5, 1.0) * CANDIDATE_SECONDS)  # noqa: S311 - jitter, no secret

    async def _campaign(self, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]]) -> None:
        connection = await self._database.dedicated()
        try:
            while not await self._try_lock(connection):  # noqa: ASYNC110 - Postgres has no event for us
                await asyncio.sleep(CANDIDATE_SECONDS)
            logger.info("leads %s of %s", self._task, self._database.name)
            self.leads = True
            await work(connection)
        finally:
            self.leads = False
            await connection.close()

    async def _try_lock(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock(hashtext(%s), hashtext(%s))", (f"aiops.{self._task}", self._database.name)
        )
        row = await cursor.fetchone()
        return bool(row and row[0])
