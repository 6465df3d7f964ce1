"""The limit of a consumer: what fails as a whole is kept, and goes on by itself once it works again."""

from uuid import UUID

import pytest
from letters import letters
from nats.aio.client import Client
from parcels import send
from reactions import Consume, arrived, receive, settled
from sqlalchemy import insert, select
from surroundings import until

from chassis.consumer import Delivery
from chassis.db import UnitOfWork
from chassis.errors import InvalidArgument, Unavailable
from chassis.holding import WINDOW, Hold, consumer_holds
from chassis.metrics import Metrics
from chassis.testing.plugin import ServiceDatabase


class Broken:
    """A handler that fails at everything until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.handled = 0

    async def handle(self, delivery: Delivery) -> None:
        self.handled += 1
        if not self.mended:
            raise InvalidArgument("a column is missing", field="city")
        await receive(delivery)


async def _sent(uow: UnitOfWork, count: int) -> None:
    for number in range(count):
        async with uow.begin() as tx:
            await send(tx, UUID(int=number), "Oslo")


async def test_a_consumer_that_fails_at_everything_holds_and_heals_by_itself(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    operator: Client,
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
    quick: None,
) -> None:
    monkeypatch.setattr("chassis.consumer.TRY_SECONDS", 0.3)
    broken = Broken()
    consumer = consume(broken.handle)
    await _sent(uow, 60)

    async def holds() -> bool:
        return consumer.hold.held

    await until(holds)
    assert len(await letters(store)) == 20
    assert metrics.value("aiops_consumer_held", durable="parcels-receive") == 1
    with pytest.raises(Unavailable, match="parcels-receive holds: 20 events failed"):
        await consumer.hold.check()

    before = broken.handled

    async def tried_again() -> bool:
        return broken.handled >= before + 3

    await until(tried_again)
    assert len(await letters(store)) == 20

    broken.mended = True
    await settled(store, operator)
    assert len(await arrived(store)) == 40
    assert len(await letters(store)) == 20
    assert metrics.value("aiops_consumer_held", durable="parcels-receive") == 0
    await consumer.hold.check()


async def test_without_the_limit_everything_is_dead_lettered(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failing control of the test above."""
    monkeypatch.setattr("chassis.holding.MOST_LETTERS", 1_000_000)
    consume(Broken().handle)
    await _sent(uow, 60)

    await settled(store, operator)

    assert len(await letters(store)) == 60
    assert await arrived(store) == []


async def test_an_event_that_was_tried_often_by_a_held_consumer_is_no_crash_loop(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    operator: Client,
    monkeypatch: pytest.MonkeyPatch,
    quick: None,
) -> None:
    monkeypatch.setattr("chassis.consumer.TRY_SECONDS", 0.02)
    broken = Broken()
    consumer = consume(broken.handle, max_deliver=2)
    await _sent(uow, 21)

    async def tried_often() -> bool:
        return consumer.hold.held and broken.handled > 60

    await until(tried_often)
    broken.mended = True
    await settled(store, operator)

    assert {letter.error_class for letter in await letters(store)} == {"InvalidArgument"}
    assert len(await letters(store)) == 20
    assert len(await arrived(store)) == 1


async def test_another_process_finds_the_hold_and_goes_on_with_it(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    operator: Client,
    monkeypatch: pytest.MonkeyPatch,
    quick: None,
) -> None:
    monkeypatch.setattr("chassis.consumer.TRY_SECONDS", 0.1)
    broken = Broken()
    first = consume(broken.handle)
    await _sent(uow, 30)

    async def holds() -> bool:
        return first.hold.held

    await until(holds)
    await first.stop()
    second = consume(broken.handle)

    async def second_holds() -> bool:
        return second.hold.held

    await until(second_holds)
    assert len(await letters(store)) == 20
    broken.mended = True
    await settled(store, operator)

    assert len(await arrived(store)) == 10
    async with store.database.read() as read:
        (row,) = await read.fetch_all(select(consumer_holds))
    assert row.released_at is not None


async def test_a_process_that_did_not_see_the_hold_begin_buries_nothing_either(
    store: ServiceDatabase, uow: UnitOfWork, metrics: Metrics
) -> None:
    """The letters of the other process are older than the window by now."""
    unaware = Hold("parcels-receive", uow, metrics)
    async with uow.begin() as tx:
        await tx.execute(insert(consumer_holds).values(consumer="parcels-receive", held_at=tx.now - 2 * WINDOW))

    async with uow.begin() as tx:
        due = await unaware.is_due(tx)

    assert (due, unaware.held) == (True, True)
    async with store.database.read() as read:
        (row,) = await read.fetch_all(select(consumer_holds))
    assert row.released_at is None
