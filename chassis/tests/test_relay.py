"""The relay: every committed fact reaches NATS, in order for each aggregate, whatever dies meanwhile."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from nats.aio.client import Client
from parcels import Sent, send
from sqlalchemy import func, select, text, update
from surroundings import Connect, Published, Start, until

from aiops.events.v1.envelope_pb2 import Envelope
from chassis import outbox as outbox_module
from chassis.db import Database, UnitOfWork
from chassis.ids import uuid7
from chassis.metrics import Metrics
from chassis.outbox import outbox
from chassis.relay import Relay
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase


async def pending(database: Database) -> int:
    async with database.read() as read:
        row = await read.fetch_one(select(func.count()).select_from(outbox).where(outbox.c.published_at.is_(None)))
    assert row is not None
    return int(row[0])


async def in_stream(operator: Client, count: int) -> list[Envelope]:
    pull = await operator.jetstream().pull_subscribe("aiops.parcels.parcel.sent.v1", stream="PARCELS")
    envelopes: list[Envelope] = []
    while len(envelopes) < count:
        envelopes += [Envelope.FromString(m.data) for m in await pull.fetch(min(100, count - len(envelopes)))]
    info = await operator.jetstream().stream_info("PARCELS")
    assert info.state.messages == count
    return envelopes


async def all_published(database: Database, *, seconds: float = 10.0) -> None:
    async def nothing_pending() -> bool:
        return await pending(database) == 0

    await until(nothing_pending, seconds=seconds)


async def test_a_committed_fact_is_published_with_its_envelope(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, operator: Client, metrics: Metrics, background: Start
) -> None:
    relay = Relay(uow, await connect("parcels"), metrics)
    background(relay.run())

    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await all_published(store.database)

    (envelope,) = await in_stream(operator, 1)
    assert (envelope.type, envelope.producer, envelope.aggregate_type) == (
        "google.protobuf.StringValue",
        "parcels",
        "parcel",
    )
    assert (envelope.aggregate_id, envelope.aggregate_version) == (str(UUID(int=1)), 1)
    assert relay.leads


async def test_events_of_eight_concurrent_writers_all_arrive_in_order(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, operator: Client, metrics: Metrics, background: Start
) -> None:
    background(Relay(uow, await connect("parcels"), metrics).run())
    ids = [uuid7() for _ in range(10)]

    async def write(number: int) -> None:
        for step in range(25):
            async with uow.begin() as tx:
                # Two commits of different aggregates overlap, so some rows become visible late.
                await send(tx, ids[(number + step) % 10], f"city {step}")
                await asyncio.sleep(0.002 * (number % 3))

    await asyncio.gather(*(write(number) for number in range(8)))
    await all_published(store.database, seconds=30)

    envelopes = await in_stream(operator, 200)
    for id_ in ids:
        versions = [e.aggregate_version for e in envelopes if e.aggregate_id == str(id_)]
        assert versions == list(range(1, len(versions) + 1))


async def test_a_cursor_on_the_sequence_would_miss_late_commits(store: ServiceDatabase, uow: UnitOfWork) -> None:
    """The failing control of the test above: what the relay must not do."""
    seen: set[int] = set()
    last = 0

    async def read_after_last() -> None:
        nonlocal last
        async with store.database.read() as read:
            rows = await read.fetch_all(select(outbox.c.seq).where(outbox.c.seq > last).order_by(outbox.c.seq))
        seen.update(row.seq for row in rows)
        last = max([last, *seen])

    envelope = Envelope(id=str(uuid7()), aggregate_id=str(UUID(int=1)), aggregate_version=1)
    async with store.database.connection() as late, late.begin():
        await outbox_module.append(late, [("aiops.parcels.parcel.sent.v1", envelope)], created_at=uow.clock.now())
        async with uow.begin() as tx:
            await send(tx, UUID(int=2), "Oslo")
        await read_after_last()
    await read_after_last()

    assert len(seen) == 1
    assert await pending(store.database) == 2


async def test_only_one_of_two_relays_leads_and_the_other_takes_over(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, operator: Client, background: Start
) -> None:
    messaging = await connect("parcels")
    first, second = Relay(uow, messaging, Metrics()), Relay(uow, messaging, Metrics())
    running = background(first.run())

    async def first_leads() -> bool:
        return first.leads

    await until(first_leads)
    background(second.run())
    await asyncio.sleep(0.3)
    assert (first.leads, second.leads) == (True, False)

    running.cancel()
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await all_published(store.database)

    assert (first.leads, second.leads) == (False, True)
    assert len(await in_stream(operator, 1)) == 1


async def test_a_leader_killed_again_and_again_loses_nothing_and_keeps_the_order(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, operator: Client, background: Start
) -> None:
    messaging = await connect("parcels")
    ids = [uuid7() for _ in range(10)]
    kills = 0

    async def write() -> None:
        for step in range(200):
            async with uow.begin() as tx:
                await send(tx, ids[step % 10], f"city {step}")

    for _ in range(2):
        background(Relay(uow, messaging, Metrics()).run())
    writing = asyncio.ensure_future(write())
    async with uow.database.connection() as killer:
        while not writing.done() or await pending(store.database):
            killed = await killer.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'aiops-parcels/2-leader' AND usename = current_user"
                )
            )
            kills += len(killed.all())
            await killer.commit()
            await asyncio.sleep(0.4)
            if kills > 12:
                break
    await writing
    await all_published(store.database, seconds=20)

    envelopes = await in_stream(operator, 200)
    assert kills >= 2
    for id_ in ids:
        versions = [e.aggregate_version for e in envelopes if e.aggregate_id == str(id_)]
        assert versions == list(range(1, 21))


async def test_rows_published_but_not_marked_are_not_stored_twice(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, operator: Client, metrics: Metrics, background: Start
) -> None:
    background(Relay(uow, await connect("parcels"), metrics).run())
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await all_published(store.database)

    async with uow.begin() as tx:
        await tx.execute(update(outbox).values(published_at=None))
    await all_published(store.database)

    assert len(await in_stream(operator, 1)) == 1


async def test_a_refused_fact_blocks_its_own_aggregate_alone(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, operator: Client, metrics: Metrics, background: Start
) -> None:
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "x" * 1_100_000)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
        await send(tx, UUID(int=2), "Bergen")

    background(Relay(uow, await connect("parcels"), metrics).run())

    async def only_blocked_left() -> bool:
        async with store.database.read() as read:
            rows = await read.fetch_all(select(outbox.c.aggregate_id, outbox.c.attempts, outbox.c.published_at))
        return sorted((row.aggregate_id.int, row.attempts >= 2, row.published_at is None) for row in rows) == [
            (1, False, True),
            (1, True, True),
            (2, False, False),
        ]

    await until(only_blocked_left)
    (envelope,) = await in_stream(operator, 1)
    assert envelope.aggregate_id == str(UUID(int=2))


async def test_a_deleted_stream_is_made_again_and_the_facts_arrive(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, operator: Client, metrics: Metrics, background: Start
) -> None:
    background(Relay(uow, await connect("parcels"), metrics).run())
    await operator.jetstream().delete_stream("PARCELS")

    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await all_published(store.database)

    assert len(await in_stream(operator, 1)) == 1


async def test_published_rows_stay_seven_days(
    store: ServiceDatabase, uow: UnitOfWork, connect: Connect, clock: FrozenClock, metrics: Metrics, background: Start
) -> None:
    running = background(Relay(uow, await connect("parcels"), metrics).run())
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await all_published(store.database)
    running.cancel()
    async with uow.begin() as tx:
        await send(tx, UUID(int=2), "Bergen")

    clock.advance(timedelta(days=7))
    async with uow.begin() as tx:
        kept = await outbox_module.prune(tx.connection, now=tx.now)
    clock.advance(timedelta(seconds=1))
    async with uow.begin() as tx:
        pruned = await outbox_module.prune(tx.connection, now=tx.now)

    assert (kept, pruned) == (0, 1)
    assert await pending(store.database) == 1


async def test_two_facts_of_one_version_are_refused_together_with_their_change(
    store: ServiceDatabase, uow: UnitOfWork, published: Published
) -> None:
    with pytest.raises(Exception, match="uq_outbox_aggregate_version"):  # noqa: PT012 - a transaction is a block
        async with uow.begin() as tx:
            await send(tx, UUID(int=1), "Oslo")
            tx.publish(Sent(UUID(int=1), 1, "Bergen"))

    assert await published(store.database) == []


async def test_without_nats_facts_wait_in_the_outbox(
    store: ServiceDatabase,
    uow: UnitOfWork,
    connect: Connect,
    metrics: Metrics,
    background: Start,
    caplog: pytest.LogCaptureFixture,
) -> None:
    messaging = await connect("parcels")
    await messaging.close()
    relay = Relay(uow, messaging, metrics)
    background(relay.run())

    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await asyncio.sleep(1.5)

    assert await pending(store.database) == 1
    assert [r.message for r in caplog.records if r.name == "chassis.relay"] == [
        "facts wait in the outbox: nats cannot be reached; try again in a moment"
    ]
