"""The relay: takes facts from the outbox to NATS, in order for each aggregate, and none is left behind.

One process per schema does it. It reads what has no publishing time, never "after the last id": ids are given before
commits, so a late commit would stay below the mark for ever. It stores nothing and decides nothing.
"""

import asyncio
import logging
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import nats
import nats.errors
import nats.js.errors
import psycopg
from psycopg.rows import class_row

from chassis.db import UnitOfWork
from chassis.errors import Unavailable
from chassis.leader import Leader
from chassis.messaging import Messaging
from chassis.metrics import Metrics

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
BATCH_ROWS = 256
WINDOW = 64
"""Publishes in flight at once; NATS syncs each, so more only wait."""
ACK_SECONDS = 5.0
LONGEST_OUTAGE_WAIT_SECONDS = 2.0
LONGEST_ROW_WAIT_SECONDS = 60.0
MOST_BLOCKED_AGGREGATES = 100
GAUGE_SECONDS = 5.0

_UNPUBLISHED = """
    SELECT seq, event_id, aggregate_id, subject, payload, republished FROM outbox
    WHERE published_at IS NULL AND aggregate_id <> ALL(%s) ORDER BY seq LIMIT %s
"""
_AWAY = (
    nats.errors.TimeoutError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.StaleConnectionError,
    nats.errors.NoRespondersError,
    nats.js.errors.NoStreamResponseError,
    nats.js.errors.ServiceUnavailableError,
)


@dataclass(frozen=True)
class _Row:
    seq: int
    event_id: UUID
    aggregate_id: UUID
    subject: str
    payload: bytes
    republished: int

    @property
    def message_id(self) -> str:
        """By which NATS knows a repeat. What is told again on request is none, even within the window."""
        return f"{self.event_id}:{self.republished}" if self.republished else str(self.event_id)


@dataclass
class _Batch:
    """How far the publishing of some rows has come."""

    published: list[_Row] = field(default_factory=list)
    failed: list[_Row] = field(default_factory=list)
    away: Exception | None = None


@dataclass
class _Blocked:
    """An aggregate whose next fact NATS refused."""

    failures: int
    until: float


class Relay:
    """A candidate to publish one service's facts."""

    def __init__(self, unit_of_work: UnitOfWork, messaging: Messaging, metrics: Metrics) -> None:
        self._clock = unit_of_work.clock
        self._wake = unit_of_work.committed
        self._leader = Leader(unit_of_work.database, "relay")
        self._messaging = messaging
        self._metrics = metrics
        self._blocked: dict[UUID, _Blocked] = {}
        self._outages = 0
        self._gauged_at = float("-inf")

    @property
    def leads(self) -> bool:
        """Whether this process publishes for its schema."""
        return self._leader.leads

    async def run(self) -> None:
        """Publish for as long as the process lives, whenever it leads."""
        try:
            await self._leader.run(self._publish)
        finally:
            self._metrics.gauge("aiops_outbox_leader").set(0)

    async def _publish(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._metrics.gauge("aiops_outbox_leader").set(1)
        self._blocked.clear()
        while True:
            self._wake.clear()
            await self._measure(connection)
            batch = await self._publish_batch(connection)
            if batch.away is not None:
                await self._wait_out(batch.away)
            elif not batch.published:
                await self._wait_for_work()

    async def _publish_batch(self, connection: psycopg.AsyncConnection[Any]) -> _Batch:
        batch = _Batch()
        if not self._messaging.is_connected:
            batch.away = Unavailable(dependency="nats")
            return batch
        now = time.monotonic()
        waiting = [aggregate for aggregate, blocked in self._blocked.items() if blocked.until > now]
        async with connection.cursor(row_factory=class_row(_Row)) as cursor:
            rows = await (await cursor.execute(_UNPUBLISHED, (waiting, BATCH_ROWS))).fetchall()
        if not rows:
            return batch
        chains: dict[UUID, list[_Row]] = defaultdict(list)
        for row in rows:
            chains[row.aggregate_id].append(row)
        window = asyncio.Semaphore(WINDOW)
        try:
            async with asyncio.TaskGroup() as group:
                for chain in chains.values():
                    group.create_task(self._publish_chain(chain, window, batch))
        finally:
            await self._mark(connection, batch)
        return batch

    async def _publish_chain(self, chain: list[_Row], window: asyncio.Semaphore, batch: _Batch) -> None:
        """Publish one aggregate's facts one after the other; the first that fails holds the rest back."""
        for row in chain:
            async with window:
                if batch.away is not None:
                    return
                try:
                    await self._messaging.jetstream.publish(
                        row.subject, row.payload, timeout=ACK_SECONDS, headers={"Nats-Msg-Id": row.message_id}
                    )
                except _AWAY as error:
                    batch.away = error
                    return
                except (nats.errors.Error, Unavailable) as error:
                    batch.failed.append(row)
                    self._block(row, error)
                    return
                batch.published.append(row)

    async def _mark(self, connection: psycopg.AsyncConnection[Any], batch: _Batch) -> None:
        if batch.published:
            await connection.execute(
                "UPDATE outbox SET published_at = %s WHERE seq = ANY(%s)",
                (self._clock.now(), [row.seq for row in batch.published]),
            )
            for row in batch.published:
                self._blocked.pop(row.aggregate_id, None)
            if self._outages:
                logger.info("publishing again")
                self._outages = 0
            self._metrics.counter("aiops_outbox_published_total").inc(len(batch.published))
        if batch.failed:
            await connection.execute(
                "UPDATE outbox SET attempts = attempts + 1 WHERE seq = ANY(%s)", ([row.seq for row in batch.failed],)
            )
            self._metrics.counter("aiops_outbox_failures_total").inc(len(batch.failed))

    def _block(self, row: _Row, error: Exception) -> None:
        failures = self._blocked[row.aggregate_id].failures + 1 if row.aggregate_id in self._blocked else 1
        wait = _jittered(min(LONGEST_ROW_WAIT_SECONDS, 0.5 * 2**failures))
        self._blocked[row.aggregate_id] = _Blocked(failures, time.monotonic() + wait)
        logger.warning(
            "NATS refused event %s (%s) for the %d. time: %s; the other facts of its aggregate wait",
            row.event_id,
            row.subject,
            failures,
            error,
        )

    async def _wait_out(self, error: Exception) -> None:
        """NATS is away: the outbox holds everything, so wait and say it once."""
        if self._outages == 0:
            logger.warning("facts wait in the outbox: %s", error or type(error).__name__)
        self._outages += 1
        if isinstance(error, nats.js.errors.NoStreamResponseError):
            try:
                await self._messaging.ensure_streams()
            except Unavailable:
                logger.debug("the streams cannot be made yet")
        await asyncio.sleep(_jittered(min(LONGEST_OUTAGE_WAIT_SECONDS, 0.1 * 2 ** min(self._outages, 8))))

    async def _wait_for_work(self) -> None:
        if len(self._blocked) > MOST_BLOCKED_AGGREGATES:
            # So many refusals have one cause: trying each at its own time would only add to it.
            await asyncio.sleep(LONGEST_OUTAGE_WAIT_SECONDS)
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    async def _measure(self, connection: psycopg.AsyncConnection[Any]) -> None:
        if time.monotonic() - self._gauged_at < GAUGE_SECONDS:
            return
        self._gauged_at = time.monotonic()
        cursor = await connection.execute("SELECT count(*), min(created_at) FROM outbox WHERE published_at IS NULL")
        row = await cursor.fetchone()
        pending, oldest = row or (0, None)
        self._metrics.gauge("aiops_outbox_pending").set(pending)
        age = (self._clock.now() - oldest).total_seconds() if oldest else 0.0
        self._metrics.gauge("aiops_outbox_oldest_pending_seconds").set(max(0.0, age))


def _jittered(seconds: float) -> float:
    return random.uniform(0.5, 1.0) * seconds  # noqa: S311 - jitter, no secret
