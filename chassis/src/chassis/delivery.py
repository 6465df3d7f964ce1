"""One event in the hands of its handler: read, kept in order with those of its aggregate, and of effect once.

Where the event comes from, a stream or a dead letter that is redriven, is the caller's part, and so is the answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from google.protobuf.message import DecodeError, Message

from aiops.events.v1.envelope_pb2 import Envelope
from chassis import inbox
from chassis.db import UnitOfWork, WriteTx
from chassis.identity import Call, acting_as
from chassis.inbox import Standing
from chassis.telemetry import span


class Unreadable(Exception):
    """What was delivered is no event of the subscription's kind."""


class CrashLoop(Exception):
    """The process ended during this event so often that the event is taken for the cause."""


class _NotTaken(Exception):
    """The effect was refused: it, or that of a newer event, was committed first."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.value)
        self.standing = standing


@dataclass(frozen=True)
class Subscription:
    """One reaction: to which events, under which durable name, and what it does."""

    stream: str
    """Stream of the producer: its name in capitals."""
    subject: str
    durable: str
    message: type[Message]
    handler: Callable[["Delivery"], Awaitable[None]]
    max_deliver: int = 6
    ack_wait_seconds: float = 15
    """How long an event that a killed process had in its hands stays away; one that lives says so more often."""
    concurrency: int = 4
    """Events handled at once in one process; those of one aggregate always one after the other."""
    in_order: bool = True
    """An event is void once a newer one of its aggregate has taken effect; False where each counts for itself."""


class Delivery:
    """One event in the hands of its handler."""

    def __init__(
        self,
        envelope: Envelope,
        payload: Any,
        *,
        attempt: int,
        durable: str,
        unit_of_work: UnitOfWork,
        in_order: bool = True,
    ) -> None:
        self.envelope = envelope
        self.payload = payload
        """The message that the subscription names."""
        self.attempt = attempt
        self.took_effect = False
        self._durable = durable
        self._unit_of_work = unit_of_work
        self._in_order = in_order

    @property
    def event_id(self) -> UUID:
        """The event's id."""
        return UUID(self.envelope.id)

    @asynccontextmanager
    async def effect(self) -> AsyncIterator[WriteTx]:
        """The one transaction of the handler: what it writes here happens once, however often the event comes."""
        if self.took_effect:
            raise RuntimeError(f"{self._durable} has one effect per event; do all writes in one block")
        async with self._unit_of_work.begin() as tx:
            standing = await inbox.take(tx.connection, self._durable, self.envelope, at=tx.now, in_order=self._in_order)
            if standing is not Standing.NEW:
                raise _NotTaken(standing)
            yield tx
        self.took_effect = True


class Reaction:
    """What one process does with the events of one subscription, wherever they come from."""

    def __init__(self, subscription: Subscription, unit_of_work: UnitOfWork) -> None:
        self.subscription = subscription
        self._unit_of_work = unit_of_work
        # A lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def read(self, data: bytes) -> tuple[Envelope, Message]:
        """The envelope and its payload.

        Raises:
            Unreadable: they are not what the subscription is about.
        """
        expected = self.subscription.message
        try:
            envelope = Envelope.FromString(data)
            UUID(envelope.id)
            UUID(envelope.aggregate_id)
            payload = expected.FromString(envelope.payload)
        except (DecodeError, ValueError) as error:
            raise Unreadable(f"no readable {expected.DESCRIPTOR.full_name}") from error
        if envelope.type != expected.DESCRIPTOR.full_name:
            raise Unreadable(f"a {envelope.type}, not a {expected.DESCRIPTOR.full_name}")
        return envelope, payload

    def in_turn(self, envelope: Envelope) -> asyncio.Lock:
        """What is held while an event is handled, so that those of one aggregate come one after the other."""
        return self._locks.setdefault(envelope.aggregate_id, asyncio.Lock())

    @contextmanager
    def traced(self, envelope: Envelope) -> Iterator[None]:
        """Work in this block is the service's own, caused by the event, on its trace."""
        call = Call(
            self._unit_of_work.service,
            method=self.subscription.durable,
            causation_id=envelope.id,
            correlation_id=envelope.correlation_id,
        )
        name = f"{self.subscription.subject} process"
        with span(name, "consumer", traceparent=envelope.traceparent), acting_as(call):
            yield

    async def run(self, envelope: Envelope, payload: Message, *, attempt: int, spared: bool = False) -> Standing:
        """Have the event take effect, and return how it stood: only a NEW one had an effect now.

        Raises:
            CrashLoop: it was delivered far too often, and is not `spared`.
            Exception: whatever the handler raises; then nothing of it is stored.
        """
        subscription = self.subscription
        standing = await self._standing(envelope)
        if standing is Standing.NEW:
            if attempt > 2 * subscription.max_deliver and not spared:
                raise CrashLoop(f"delivered {attempt} times, and no process lived to say why it failed")
            standing = await self._handle(envelope, payload, attempt)
        if standing is Standing.SUPERSEDED:
            async with self._unit_of_work.begin() as tx:
                await inbox.remember(tx.connection, subscription.durable, envelope, at=tx.now)
        return standing

    async def _handle(self, envelope: Envelope, payload: Message, attempt: int) -> Standing:
        subscription = self.subscription
        delivery = Delivery(
            envelope,
            payload,
            attempt=attempt,
            durable=subscription.durable,
            unit_of_work=self._unit_of_work,
            in_order=subscription.in_order,
        )
        try:
            await subscription.handler(delivery)
            if not delivery.took_effect:
                # A handler that found nothing to do is done with the event as well.
                async with delivery.effect():
                    pass
        except _NotTaken as refused:
            return refused.standing
        return Standing.NEW

    async def _standing(self, envelope: Envelope) -> Standing:
        async with self._unit_of_work.database.connection() as connection:
            # One statement needs no transaction around it; this runs for every event.
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            subscription = self.subscription
            return await inbox.standing(connection, subscription.durable, envelope, in_order=subscription.in_order)
