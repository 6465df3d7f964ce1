"""A reaction to sent parcels, and what tests ask about it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from nats.aio.client import Client
from nats.js.errors import NotFoundError
from parcels import arrivals
from sqlalchemy import insert, select
from surroundings import until

from chassis.consumer import Consumer, Delivery
from chassis.outbox import outbox
from chassis.testing.plugin import ServiceDatabase

SUBJECT = "aiops.parcels.parcel.sent.v1"
Handler = Callable[[Delivery], Awaitable[None]]
Consume = Callable[..., Consumer]


async def receive(delivery: Delivery) -> None:
    async with delivery.effect() as tx:
        envelope = delivery.envelope
        await tx.execute(
            insert(arrivals).values(
                parcel_id=UUID(envelope.aggregate_id), version=envelope.aggregate_version, city=delivery.payload.value
            )
        )


async def arrived(store: ServiceDatabase) -> list[tuple[int, int, str]]:
    async with store.database.read() as read:
        rows = await read.fetch_all(select(arrivals).order_by(arrivals.c.parcel_id, arrivals.c.version))
    return [(row.parcel_id.int, row.version, row.city) for row in rows]


async def settled(store: ServiceDatabase, operator: Client) -> None:
    """All facts are published, and the consumer has answered each."""

    async def nothing_waits() -> bool:
        async with store.database.read() as read:
            if await read.fetch_all(select(outbox.c.seq).where(outbox.c.published_at.is_(None))):
                return False
        try:
            consumer = await operator.jetstream().consumer_info("PARCELS", "parcels-receive")
            stream = await operator.jetstream().stream_info("PARCELS")
        except NotFoundError:
            return False
        return consumer.ack_floor is not None and consumer.ack_floor.stream_seq == stream.state.last_seq

    await until(nothing_waits, seconds=20)
