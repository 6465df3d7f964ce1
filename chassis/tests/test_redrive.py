"""Redrive: a letter is handled again through the inbox, so that asking twice is one effect."""

from uuid import UUID

import psycopg
from letters import ask_for_all, letters, waiting
from nats.aio.client import Client
from parcels import send
from reactions import Consume, arrived, receive, settled
from surroundings import Start, until

from chassis.consumer import Consumer, Delivery
from chassis.db import UnitOfWork
from chassis.errors import InvalidArgument, Unavailable
from chassis.metrics import Metrics
from chassis.redaction import Redactor
from chassis.redrive import Redriver
from chassis.testing.plugin import ServiceDatabase


class Mending:
    """A handler with a defect that gets fixed."""

    def __init__(self) -> None:
        self.error: Exception | None = InvalidArgument("no such city as that of ada@example.com", field="city")
        self.attempts: list[int] = []

    async def handle(self, delivery: Delivery) -> None:
        self.attempts.append(delivery.attempt)
        if delivery.payload.value.startswith("poison") and self.error is not None:
            raise self.error
        await receive(delivery)


def redriver(consumer: Consumer, uow: UnitOfWork, redactor: Redactor, metrics: Metrics) -> Redriver:
    return Redriver({"parcels-receive": consumer}, uow, redactor, metrics)


async def test_a_hundred_letters_among_a_thousand_good_events_take_effect_once_each(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    operator: Client,
    redactor: Redactor,
    metrics: Metrics,
    background: Start,
) -> None:
    mending = Mending()
    consumer = consume(mending.handle)
    for eleven in range(0, 1100, 11):
        async with uow.begin() as tx:
            for number in range(eleven, eleven + 11):
                await send(tx, UUID(int=number), "poison" if number % 11 == 10 else "Oslo")

    async def a_hundred_letters() -> bool:
        return await waiting(store) == 100

    await until(a_hundred_letters, seconds=120)
    await settled(store, operator)
    good = await arrived(store)
    assert [number for number, _, _ in good] == [n for n in range(1100) if n % 11 != 10]

    async def in_dead_letter_stream() -> bool:
        return (await operator.jetstream().stream_info("DLQ_PARCELS")).state.messages == 100

    await until(in_dead_letter_stream)

    mending.error = None
    background(redriver(consumer, uow, redactor, metrics).run())
    await ask_for_all(store)

    async def none_waits() -> bool:
        return await waiting(store) == 0

    await until(none_waits, seconds=60)
    assert [(number, version) for number, version, _ in await arrived(store)] == [(n, 1) for n in range(1100)]
    assert {row.redrives for row in await letters(store)} == {1}
    assert metrics.value("aiops_redrives_total", durable="parcels-receive", outcome="handled") == 100

    handled = len(mending.attempts)
    await ask_for_all(store)
    await until(none_waits, seconds=60)
    assert len(mending.attempts) == handled
    assert len(await arrived(store)) == 1100
    assert metrics.value("aiops_redrives_total", durable="parcels-receive", outcome="repeated") == 100


async def test_a_letter_that_fails_again_says_why_now_and_waits_for_another_wish(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    redactor: Redactor,
    metrics: Metrics,
    background: Start,
) -> None:
    mending = Mending()
    consumer = consume(mending.handle)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "poison")

    async def one_letter() -> bool:
        return await waiting(store) == 1

    await until(one_letter)
    mending.error = ZeroDivisionError("still broken, says ada@example.com")
    background(redriver(consumer, uow, redactor, metrics).run())
    await ask_for_all(store)

    async def tried() -> bool:
        (letter,) = await letters(store)
        return int(letter.redrives) == 1

    await until(tried)
    (letter,) = await letters(store)
    assert (letter.error_class, letter.redriven_at, letter.redrive_requested_at) == ("ZeroDivisionError", None, None)
    assert (letter.attempts, letter.redrive_started_at) == (2, None)
    assert "ada@example.com" not in letter.error_message
    assert letter.error_message.startswith("still broken")
    assert await arrived(store) == []


async def test_a_letter_whose_neighbour_is_away_waits_on(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    redactor: Redactor,
    metrics: Metrics,
    background: Start,
) -> None:
    mending = Mending()
    consumer = consume(mending.handle)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "poison")

    async def one_letter() -> bool:
        return await waiting(store) == 1

    await until(one_letter)
    mending.error = Unavailable(dependency="ai")
    background(redriver(consumer, uow, redactor, metrics).run())
    await ask_for_all(store)

    async def waits() -> bool:
        return metrics.value("aiops_redrives_total", durable="parcels-receive", outcome="waits") == 1

    await until(waits)
    (letter,) = await letters(store)
    assert letter.redrive_requested_at is not None
    assert (letter.redrives, letter.error_class) == (0, "InvalidArgument")


async def test_who_waits_for_a_neighbour_holds_up_no_letter_of_another_consumer(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    redactor: Redactor,
    metrics: Metrics,
    background: Start,
) -> None:
    errors: dict[str, Exception] = dict.fromkeys(("first", "second"), InvalidArgument("no such city", field="city"))

    async def handle(delivery: Delivery) -> None:
        if error := errors.get(delivery.payload.value):
            raise error
        await receive(delivery)

    consumer = consume(handle)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "first")
        await send(tx, UUID(int=2), "second")

    async def two_letters() -> bool:
        return await waiting(store) == 2

    await until(two_letters)
    with psycopg.connect(store.owner_url) as owner:
        owner.execute(
            "UPDATE dead_letters SET consumer = 'parcels-other'"
            " WHERE id = (SELECT id FROM dead_letters ORDER BY created_at DESC, id DESC LIMIT 1)"
        )
    oldest = min(await letters(store), key=lambda letter: (letter.created_at, letter.id))
    away, other = ("first", 2) if b"first" in oldest.payload else ("second", 1)
    errors.clear()
    errors[away] = Unavailable(dependency="ai")
    both = {"parcels-receive": consumer, "parcels-other": consumer}
    background(Redriver(both, uow, redactor, metrics).run())
    await ask_for_all(store)

    async def other_is_handled() -> bool:
        return [number for number, _, _ in await arrived(store)] == [other]

    await until(other_is_handled, seconds=4)
    assert metrics.value("aiops_redrives_total", durable="parcels-receive", outcome="waits") == 1
