"""Consumers: events from other services and our own, delivered at least once, with effect exactly once.

A delivery is acknowledged after its effect is committed, and the inbox row in the same transaction drops the repeats.
What can never succeed becomes a dead letter before the stream is told to forget it; what only lacks a dependency waits.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable
from typing import Any, TypeVar
from uuid import UUID

import nats.errors
import nats.js.errors
from google.protobuf.message import Message
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.db import UnitOfWork
from chassis.dead_letters import Undeliverable, bury
from chassis.delivery import Delivery, Reaction, Subscription, Unreadable
from chassis.errors import DomainError, ErrorKind, Unavailable
from chassis.holding import TRY_SECONDS, Hold
from chassis.inbox import Standing
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.patience import AWAY
from chassis.redaction import Redactor
from chassis.telemetry import current_trace_id

__all__ = ["Consumer", "Delivery", "Subscription"]

logger = logging.getLogger(__name__)

FETCH_SECONDS = 2.0
HEARTBEAT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
MAX_ACK_PENDING = 256

_HOPELESS = frozenset({ErrorKind.INVALID, ErrorKind.NOT_FOUND})


T = TypeVar("T")


class Consumer:
    """The loop of one subscription in one process."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        messaging: Messaging,
        unit_of_work: UnitOfWork,
        redactor: Redactor,
        metrics: Metrics,
    ) -> None:
        self.reaction = Reaction(subscription, unit_of_work)
        self.hold = Hold(subscription.durable, unit_of_work, metrics)
        self._subscription = subscription
        self._messaging = messaging
        self._unit_of_work = unit_of_work
        self._redactor = redactor
        self._metrics = metrics
        self._stopping = asyncio.Event()
        self._trying = asyncio.Lock()
        self._idle: set[asyncio.Task[Any] | None] = set()
        self._complaint = ""

    async def run(self) -> None:
        """Consume until `stop`; when NATS or the stream is away, wait for it."""
        failures = 0
        while not self._stopping.is_set():
            ill: Exception | None = None
            try:
                await self.hold.refresh()
                await self._declare()
                self._say_well()
                failures = 0
                async with asyncio.TaskGroup() as group:
                    for _ in range(self._subscription.concurrency):
                        group.create_task(self._work())
            except* (nats.errors.Error, TimeoutError, Unavailable) as errors:
                ill = errors.exceptions[0]
            if ill is not None:
                failures += 1
                self._say_ill(ill)
                await self._sleep(_jittered(min(2.0, 0.1 * 2 ** min(failures, 10))))

    async def stop(self) -> None:
        """Fetch nothing more; what was begun is finished by `run`, which then returns."""
        self._stopping.set()
        for worker in tuple(self._idle):
            if worker is not None:
                worker.cancel()

    async def _declare(self) -> None:
        """Make the durable consumer, or bring it to the present settings."""
        subscription = self._subscription
        config = ConsumerConfig(
            name=subscription.durable,
            durable_name=subscription.durable,
            filter_subject=subscription.subject,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=subscription.ack_wait_seconds,
            # The server never gives up by itself: it would skip the event and tell nobody. We count and bury.
            max_deliver=-1,
            max_ack_pending=MAX_ACK_PENDING,
        )
        await _apart(self._messaging.jetstream.add_consumer(subscription.stream, config))

    async def _work(self) -> None:
        """Fetch one event, finish it, fetch the next: a batch would wait for its last event before its first."""
        subscription = self._subscription
        pull = await _apart(
            self._messaging.jetstream.pull_subscribe_bind(consumer=subscription.durable, stream=subscription.stream)
        )
        try:
            while not self._stopping.is_set():
                if self.hold.held:
                    async with self._trying:
                        await self._try_one(pull)
                    continue
                message = await self._fetch(pull)
                if message is not None:
                    await self._handle(message)
        finally:
            with contextlib.suppress(nats.errors.Error):
                await _apart(pull.unsubscribe())

    async def _try_one(self, pull: JetStreamContext.PullSubscription) -> None:
        """See whether an event takes effect again, and go on if so; else wait before the next try."""
        await self.hold.refresh()
        if not self.hold.held:
            return  # another worker, or another process, saw one succeed
        message = await self._fetch(pull)
        outcome = "" if message is None else await self._handle(message)
        if outcome == "handled":
            await self.hold.release()
            logger.warning("%s goes on: an event took effect again", self._subscription.durable)
        elif outcome not in {"", "repeated", "superseded"}:
            await self._sleep(TRY_SECONDS)

    async def _fetch(self, pull: JetStreamContext.PullSubscription) -> Msg | None:
        if not self._messaging.is_connected:
            await self._sleep(HEARTBEAT_SECONDS)
            return None
        worker = asyncio.current_task()
        self._idle.add(worker)
        try:
            return (await _apart(pull.fetch(1, timeout=FETCH_SECONDS, heartbeat=HEARTBEAT_SECONDS)))[0]
        except nats.errors.TimeoutError:
            return None
        finally:
            self._idle.discard(worker)

    async def _handle(self, message: Msg) -> str:
        """See one delivery to its end: acknowledged, to be repeated, or buried."""
        started = time.monotonic()
        alive = asyncio.ensure_future(self._keep_alive(message))
        try:
            outcome = await self._settle(message)
        except (nats.errors.Error, TimeoutError) as error:
            # The answer did not reach NATS: it delivers again, and the inbox knows.
            logger.warning("%s could not answer NATS: %s", self._subscription.durable, error)
            outcome = "unanswered"
        finally:
            alive.cancel()
        durable = self._subscription.durable
        self._metrics.counter("aiops_consumer_messages_total").labels(durable, outcome).inc()
        self._metrics.histogram("aiops_consumer_duration_seconds").labels(durable).observe(time.monotonic() - started)
        return outcome

    async def _settle(self, message: Msg) -> str:
        attempt = message.metadata.num_delivered
        try:
            envelope, payload = self.reaction.read(message.data)
        except Unreadable as error:
            return await self._bury(message, None, attempt, error)
        lag = self._unit_of_work.clock.now() - envelope.occurred_at.ToDatetime(self._unit_of_work.clock.now().tzinfo)
        self._metrics.gauge("aiops_consumer_lag_seconds").labels(self._subscription.durable).set(lag.total_seconds())
        async with self.reaction.in_turn(envelope):
            with self.reaction.traced(envelope):
                return await self._attempt(message, envelope, payload, attempt)

    async def _attempt(self, message: Msg, envelope: Envelope, payload: Message, attempt: int) -> str:
        """Run the handler until it has succeeded, failed, or the process stops."""
        waits = 0
        while not self._stopping.is_set():
            try:
                spared = attempt > 2 * self._subscription.max_deliver and await self.hold.spares(envelope)
                standing = await self.reaction.run(envelope, payload, attempt=attempt, spared=spared)
            except DomainError as error:
                if error.kind not in AWAY:
                    return await self._refuse(message, envelope, attempt, error)
                # Overload is no poison: the event keeps its place here, and its deliveries are not used up.
                waits += 1
                self._warn(envelope, attempt, error, "waits")
                await self._sleep(_backoff(waits))
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is answered to NATS
                return await self._refuse(message, envelope, attempt, error)
            else:
                await _apart(message.ack())
                return "handled" if standing is Standing.NEW else standing.value
        await _apart(message.nak())
        return "returned"

    async def _refuse(self, message: Msg, envelope: Envelope, attempt: int, error: Exception) -> str:
        hopeless = isinstance(error, DomainError) and error.kind in _HOPELESS
        if hopeless or attempt >= self._subscription.max_deliver:
            return await self._bury(message, UUID(envelope.id), attempt, error)
        self._warn(envelope, attempt, error, "will be delivered again")
        await _apart(message.nak(delay=_backoff(attempt)))
        return "retried"

    async def _bury(self, message: Msg, event_id: UUID | None, attempt: int, error: Exception) -> str:
        """Keep the event as a dead letter, and only then let the stream forget it; a consumer that holds keeps it."""
        if self.hold.held:
            return await self._put_back(message, attempt, error)
        letter = Undeliverable(
            service=self._unit_of_work.service,
            durable=self._subscription.durable,
            stream=message.metadata.stream,
            stream_sequence=message.metadata.sequence.stream,
            subject=message.subject,
            event_id=event_id,
            data=message.data,
            message=self._subscription.message,
            attempts=attempt,
            error=error,
            trace_id=current_trace_id(),
        )
        try:
            async with self._unit_of_work.begin() as tx:
                due = await self.hold.is_due(tx)
                if not due:
                    await bury(tx, letter, self._redactor)
        except Exception:
            logger.exception("%s cannot keep a dead letter; it will be delivered again", self._subscription.durable)
            await _apart(message.nak(delay=_backoff(attempt)))
            return "retried"
        if due:
            return await self._put_back(message, attempt, error)
        logger.error(
            "%s gave event %s up after %d deliveries: %s",
            self._subscription.durable,
            event_id,
            attempt,
            type(error).__name__,
            exc_info=error,
        )
        self._metrics.counter("aiops_dead_letters_total").labels(self._subscription.durable).inc()
        await _apart(message.term())
        return "dead_lettered"

    async def _put_back(self, message: Msg, attempt: int, error: Exception) -> str:
        logger.error(
            "%s holds, so an event that failed with %s at delivery %d is kept: too many failed within minutes, and "
            "the fault may be ours",
            self._subscription.durable,
            type(error).__name__,
            attempt,
            exc_info=error,
        )
        await _apart(message.nak(delay=_backoff(1)))
        return "held"

    async def _keep_alive(self, message: Msg) -> None:
        """Tell NATS that the event is being worked on, so that it is not delivered beside us."""
        while True:
            await asyncio.sleep(self._subscription.ack_wait_seconds / 3)
            with contextlib.suppress(nats.errors.Error):
                await message.in_progress()

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not into a stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _warn(self, envelope: Envelope, attempt: int, error: Exception, then: str) -> None:
        logger.warning(
            "%s failed with %s at delivery %d of event %s, which %s",
            self._subscription.durable,
            type(error).__name__,
            attempt,
            envelope.id,
            then,
            exc_info=None if isinstance(error, DomainError) else error,
        )

    def _say_ill(self, error: Exception) -> None:
        complaint = type(error).__name__
        if complaint != self._complaint:
            self._complaint = complaint
            logger.warning("%s waits for stream %s: %s", self._subscription.durable, self._subscription.stream, error)

    def _say_well(self) -> None:
        if self._complaint:
            self._complaint = ""
            logger.info("%s consumes again", self._subscription.durable)


async def _apart(work: Awaitable[T]) -> T:
    """Await something of nats-py, which swallows a cancellation that meets it while it writes to its socket."""
    task = asyncio.ensure_future(work)
    # Whoever stopped waiting for it does not want to hear how it ended.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        await asyncio.wait({task})
        return task.result()
    finally:
        task.cancel()


def _backoff(times: int) -> float:
    return _jittered(min(LONGEST_WAIT_SECONDS, 0.5 * 2 ** min(times - 1, 10)))


def _jittered(seconds: float) -> float:
    return random.uniform(0.5, 1.0) * seconds  # noqa: S311 - jitter, no secret
