"""Dead letters: what can never succeed is kept and told of, and the stream moves on."""

from uuid import UUID

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from nats.aio.client import Client
from parcels import send
from reactions import SUBJECT, Consume, arrived, receive, settled
from sqlalchemy import select
from surroundings import until

from aiops.events.v1.dead_letter_pb2 import DeadLetter
from aiops.events.v1.envelope_pb2 import Envelope
from chassis.consumer import Delivery
from chassis.db import UnitOfWork
from chassis.dead_letters import dead_letters
from chassis.errors import InvalidArgument
from chassis.messaging import Messaging
from chassis.outbox import outbox
from chassis.testing.plugin import ServiceDatabase


async def test_poison_becomes_dead_letters_and_the_stream_moves_on(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client, quick: None
) -> None:
    async def handler(delivery: Delivery) -> None:
        if delivery.payload.value.startswith("poison"):
            raise ZeroDivisionError(f"cannot send to {delivery.payload.value}, ask ada@example.com")
        await receive(delivery)

    consume(handler, max_deliver=3)
    for number in range(60):
        async with uow.begin() as tx:
            await send(tx, UUID(int=number), "poison, says ada@example.com" if number % 6 == 0 else "Oslo")

    async def dead() -> bool:
        async with store.database.read() as read:
            return len(await read.fetch_all(select(dead_letters.c.id))) == 10

    await until(dead, seconds=20)
    await settled(store, operator)

    assert [number for number, _, _ in await arrived(store)] == [n for n in range(60) if n % 6]
    async with store.database.read() as read:
        letters = await read.fetch_all(select(dead_letters))
        notices = await read.fetch_all(select(outbox.c.payload).where(outbox.c.subject.startswith("aiops.dlq.")))
    assert {(row.error_class, row.attempts, row.redriven_at) for row in letters} == {("ZeroDivisionError", 3, None)}
    everything = b"".join(row.payload + row.error_message.encode() for row in letters)
    assert b"ada@example.com" not in everything
    assert StringValue.FromString(Envelope.FromString(letters[0].payload).payload).value.startswith("poison, says")
    told = [DeadLetter.FromString(Envelope.FromString(row.payload).payload) for row in notices]
    assert {notice.dead_letter_id for notice in told} == {str(row.id) for row in letters}

    async def in_dead_letter_stream() -> bool:
        return (await operator.jetstream().stream_info("DLQ_PARCELS")).state.messages == 10

    await until(in_dead_letter_stream)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"\xff\xfe nonsense of ada@example.com", b"nonsense of"),
        (b"", b""),
        (Envelope(id="0198c0de-0000-7000-8000-000000000001", type="aiops.other.v1.Thing").SerializeToString(), None),
    ],
)
async def test_what_is_no_event_of_ours_is_buried_at_once(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client, data: bytes, kept: bytes | None
) -> None:
    consume(receive)

    async def exists() -> bool:
        return bool(await operator.jetstream().streams_info())

    await operator.jetstream().publish(SUBJECT, data)

    async def dead() -> bool:
        async with store.database.read() as read:
            return bool(await read.fetch_all(select(dead_letters.c.id)))

    await until(dead)
    async with store.database.read() as read:
        (letter,) = await read.fetch_all(select(dead_letters))
    assert (letter.error_class, letter.attempts) == ("Unreadable", 1)
    assert b"ada@example.com" not in letter.payload
    assert (kept in letter.payload) if kept is not None else (letter.payload == data)
    assert await exists()


async def test_what_can_never_succeed_is_buried_without_another_try(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    attempts = []

    async def refuses(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        raise InvalidArgument("no such city", field="city")

    consume(refuses)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Atlantis")

    async def dead() -> bool:
        async with store.database.read() as read:
            return bool(await read.fetch_all(select(dead_letters.c.id)))

    await until(dead)
    await settled(store, operator)
    assert attempts == [1]


async def test_an_event_in_a_crash_loop_is_buried_unhandled(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, messaging: Messaging, operator: Client
) -> None:
    handled = []

    async def handler(delivery: Delivery) -> None:
        handled.append(delivery.attempt)

    consumer = consume(receive)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await settled(store, operator)
    await consumer.stop()
    async with uow.begin() as tx:
        await send(tx, UUID(int=2), "Oslo")
    # Six processes take the event and die: each delivery ends without an answer.
    pull = await operator.jetstream().pull_subscribe_bind(consumer="parcels-receive", stream="PARCELS")
    for _ in range(6):
        (message,) = await pull.fetch(1)
        await message.nak()
    await pull.unsubscribe()

    consume(handler, max_deliver=3)

    async def dead() -> bool:
        async with store.database.read() as read:
            return bool(await read.fetch_all(select(dead_letters.c.id)))

    await until(dead)
    async with store.database.read() as read:
        (letter,) = await read.fetch_all(select(dead_letters.c.error_class, dead_letters.c.attempts))
    assert tuple(letter) == ("CrashLoop", 7)
    assert handled == []
