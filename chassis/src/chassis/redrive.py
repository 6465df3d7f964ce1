"""Redrive: handles dead letters again that an admin asked for, through the inbox like every event.

Nothing goes through NATS for it: the letter holds the event, and the worker that gave it up takes it up again.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, or_, select, update

from chassis.consumer import Consumer
from chassis.db import UnitOfWork
from chassis.dead_letters import MAX_ERROR_CHARACTERS, dead_letters
from chassis.delivery import Unreadable
from chassis.errors import DomainError, Overloaded, Unavailable
from chassis.inbox import Standing
from chassis.metrics import Metrics
from chassis.patience import is_away
from chassis.redaction import Redactor
from chassis.telemetry import current_trace_id

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
AWAY_SECONDS = 10.0
LEASE = timedelta(minutes=5)
"""After it another worker takes the letter up, as the one that had it died. The inbox keeps the effect single."""


class Redriver:
    """Handles requested letters one after the other, for as long as the process lives."""

    def __init__(
        self, consumers: Mapping[str, Consumer], unit_of_work: UnitOfWork, redactor: Redactor, metrics: Metrics
    ) -> None:
        self._consumers = consumers
        self._unit_of_work = unit_of_work
        self._redactor = redactor
        self._runs = metrics.counter("aiops_redrives_total")
        self._stopping = asyncio.Event()
        self._away_until: dict[str, float] = {}

    async def run(self) -> None:
        """Take up what is asked for until `stop`."""
        while not self._stopping.is_set():
            wait = POLL_SECONDS
            try:
                letter = await self._next()
                if letter is not None:
                    wait = 0.0
                    if not await self._redrive(letter):
                        # Only this reaction waits: what others need may well be there.
                        pause = random.uniform(0.5, 1.0) * AWAY_SECONDS  # noqa: S311 - jitter
                        self._away_until[letter.consumer] = time.monotonic() + pause
            except (Unavailable, Overloaded) as error:
                logger.debug("no letter can be looked for: %s", error.message)
            if wait:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), random.uniform(0.5, 1.0) * wait)  # noqa: S311 - jitter

    async def stop(self) -> None:
        """Take up nothing more; what was begun is finished by `run`, which then returns."""
        self._stopping.set()

    async def _next(self) -> Row[Any] | None:
        """The oldest letter that waits for a redrive, not for something away, and that nobody works on; ours then."""
        letters = dead_letters.c
        ready = [name for name in self._consumers if self._away_until.get(name, 0.0) <= time.monotonic()]
        async with self._unit_of_work.begin() as tx:
            waiting = (
                select(letters.id)
                .where(
                    letters.consumer.in_(ready),
                    letters.redriven_at.is_(None),
                    letters.redrive_requested_at.is_not(None),
                    or_(letters.redrive_started_at.is_(None), letters.redrive_started_at < tx.now - LEASE),
                )
                .order_by(letters.created_at, letters.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            taken = await tx.execute(
                update(dead_letters)
                .where(letters.id == waiting.scalar_subquery())
                .values(redrive_started_at=tx.now)
                .returning(letters.id, letters.consumer, letters.payload)
            )
            return taken.one_or_none()

    async def _redrive(self, letter: Row[Any]) -> bool:
        """Handle one letter and write down how it went; False when something was away and it waits on."""
        consumer = self._consumers[letter.consumer]
        reaction = consumer.reaction
        try:
            envelope, payload = reaction.read(letter.payload)
            async with reaction.in_turn(envelope):
                with reaction.traced(envelope):
                    try:
                        standing = await reaction.run(envelope, payload, attempt=1)
                    except Exception as error:
                        if not is_away(error):
                            await self._note(letter, error)
                            return True
                        raise
        except Unreadable as error:
            await self._note(letter, error)
        except DomainError as error:
            logger.warning("dead letter %s waits: %s", letter.id, error.message)
            await self._write(letter, redrive_started_at=None)
            self._runs.labels(letter.consumer, "waits").inc()
            return False
        else:
            await self._done(letter, standing)
            if standing is Standing.NEW and consumer.hold.held:
                await consumer.hold.release()
        return True

    async def _done(self, letter: Row[Any], standing: Standing) -> None:
        async with self._unit_of_work.begin() as tx:
            await tx.execute(
                update(dead_letters)
                .where(dead_letters.c.id == letter.id, dead_letters.c.redriven_at.is_(None))
                .values(redriven_at=tx.now, redrive_started_at=None, redrives=dead_letters.c.redrives + 1)
            )
        outcome = "handled" if standing is Standing.NEW else standing.value
        logger.info("dead letter %s of %s is redriven: %s", letter.id, letter.consumer, outcome)
        self._runs.labels(letter.consumer, outcome).inc()

    async def _note(self, letter: Row[Any], error: Exception) -> None:
        """It failed again: the letter says why now, and waits for another wish."""
        logger.error("dead letter %s failed again: %s", letter.id, type(error).__name__, exc_info=error)
        await self._write(
            letter,
            error_class=type(error).__name__,
            error_message=self._redactor.redact(str(error))[:MAX_ERROR_CHARACTERS],
            trace_id=current_trace_id(),
            attempts=dead_letters.c.attempts + 1,
            redrives=dead_letters.c.redrives + 1,
            redrive_requested_at=None,
            redrive_started_at=None,
        )
        self._runs.labels(letter.consumer, "failed").inc()

    async def _write(self, letter: Row[Any], **values: object) -> None:
        async with self._unit_of_work.begin() as tx:
            await tx.execute(update(dead_letters).where(dead_letters.c.id == letter.id).values(**values))
