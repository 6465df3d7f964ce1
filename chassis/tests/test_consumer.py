"""Consumers: at least one delivery, exactly one effect, and nothing skipped in silence."""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from nats.aio.client import Client
from parcels import arrivals, fact_to_event, send
from reactions import SUBJECT, Consume, arrived, receive, settled
from sqlalchemy import insert, select
from surroundings import Connect, Start, until

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.consumer import Consumer, Delivery, Subscription
from chassis.db import UnitOfWork
from chassis.errors import Unavailable
from chassis.identity import current_call
from chassis.inbox import Standing, inbox
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.outbox import outbox
from chassis.redaction import Redactor
from chassis.relay import Relay
from chassis.testing.plugin import ServiceDatabase


async def test_an_event_takes_effect_with_its_inbox_row_on_its_own_trace(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    calls = []

    async def handler(delivery: Delivery) -> None:
        calls.append((current_call(), delivery.attempt, delivery.envelope))
        await receive(delivery)

    consume(handler)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await settled(store, operator)

    assert await arrived(store) == [(1, 1, "Oslo")]
    ((call, attempt, envelope),) = calls
    assert (call.caller, call.viewer, call.causation_id, attempt) == ("parcels", None, envelope.id, 1)
    assert call.correlation_id == envelope.correlation_id
    async with store.database.read() as read:
        rows = await read.fetch_all(select(inbox.c.consumer, inbox.c.event_id))
    assert [tuple(row) for row in rows] == [("parcels-receive", UUID(envelope.id))]


async def test_the_same_event_twice_is_one_effect(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client, metrics: Metrics
) -> None:
    consume(receive)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await settled(store, operator)

    async with store.database.read() as read:
        row = await read.fetch_one(select(outbox.c.payload))
    assert row is not None
    for number in range(3):
        await operator.jetstream().publish(SUBJECT, row.payload, headers={"Nats-Msg-Id": f"again-{number}"})
    await settled(store, operator)

    assert await arrived(store) == [(1, 1, "Oslo")]
    assert metrics.value("aiops_consumer_messages_total", durable="parcels-receive", outcome="repeated") == 3


async def test_a_crash_between_commit_and_ack_is_one_effect(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    attempts = []

    async def commits_then_falls_over(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        await receive(delivery)
        raise ConnectionResetError

    consume(commits_then_falls_over)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await settled(store, operator)

    assert attempts == [1]
    assert await arrived(store) == [(1, 1, "Oslo")]
    info = await operator.jetstream().consumer_info("PARCELS", "parcels-receive")
    assert info.delivered is not None
    assert info.delivered.consumer_seq == 2


async def test_without_the_inbox_a_redelivery_would_be_a_second_effect(
    store: ServiceDatabase,
    uow: UnitOfWork,
    consume: Consume,
    operator: Client,
    monkeypatch: pytest.MonkeyPatch,
    quick: None,
) -> None:
    """The failing control of the two tests above."""
    effects = []

    async def always_new(*_: object, **__: object) -> Standing:
        return Standing.NEW

    async def fails_once(delivery: Delivery) -> None:
        async with delivery.effect():
            effects.append(delivery.attempt)
        if delivery.attempt == 1:
            raise ConnectionResetError

    monkeypatch.setattr("chassis.inbox.standing", always_new)
    monkeypatch.setattr("chassis.inbox.take", always_new)
    consume(fails_once)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await settled(store, operator)

    assert effects == [1, 2]


async def test_a_failing_handler_leaves_nothing_and_is_tried_again(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client, quick: None
) -> None:
    attempts = []

    async def fails_twice(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        async with delivery.effect() as tx:
            await tx.execute(insert(arrivals).values(parcel_id=UUID(int=9), version=delivery.attempt, city="half"))
            if delivery.attempt < 3:
                raise ConnectionResetError

    consume(fails_twice)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await settled(store, operator)

    assert attempts == [1, 2, 3]
    assert await arrived(store) == [(9, 3, "half")]


async def test_a_missing_dependency_uses_no_attempt_up(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client, quick: None
) -> None:
    attempts: list[int] = []

    async def waits_for_ai(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        if len(attempts) < 10:
            raise Unavailable(dependency="ai")
        await receive(delivery)

    consume(waits_for_ai, max_deliver=3)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await settled(store, operator)

    assert attempts == [1] * 10
    assert await arrived(store) == [(1, 1, "Oslo")]


async def test_events_of_one_aggregate_are_handled_one_after_the_other(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    running: set[str] = set()
    overlaps, order, most = [], [], [0]

    async def handler(delivery: Delivery) -> None:
        aggregate = delivery.envelope.aggregate_id
        if aggregate in running:
            overlaps.append(aggregate)
        running.add(aggregate)
        most[0] = max(most[0], len(running))
        await asyncio.sleep(0.01)
        order.append((aggregate, delivery.envelope.aggregate_version))
        running.discard(aggregate)
        await receive(delivery)

    consume(handler)
    for step in range(40):
        async with uow.begin() as tx:
            await send(tx, UUID(int=step % 4), f"city {step}")
    await until(lambda: _all_arrived(store, 40))

    assert overlaps == []
    assert most[0] > 1
    for number in range(4):
        assert [v for a, v in order if a == str(UUID(int=number))] == list(range(1, 11))


async def test_an_event_waits_for_one_of_its_aggregate_that_waited_itself(
    uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    begun: list[int] = []
    may_end = asyncio.Semaphore(0)

    async def handler(delivery: Delivery) -> None:
        begun.append(delivery.envelope.aggregate_version)
        await may_end.acquire()

    async def sent() -> None:
        async with uow.begin() as tx:
            await send(tx, UUID(int=1), "Oslo")

    async def started(count: int) -> bool:
        return len(begun) == count

    async def in_hand(count: int) -> bool:
        info = await operator.jetstream().consumer_info("PARCELS", "parcels-receive")
        return bool(info.num_ack_pending == count)

    consume(handler)
    await sent()
    await sent()
    await until(lambda: in_hand(2))
    await until(lambda: started(1))
    await asyncio.sleep(0.1)
    assert begun == [1]

    may_end.release()
    await until(lambda: in_hand(1))
    await sent()
    await until(lambda: in_hand(2))
    await until(lambda: started(2))
    await asyncio.sleep(0.1)
    assert begun == [1, 2]

    may_end.release()
    may_end.release()
    await until(lambda: in_hand(0))
    assert begun == [1, 2, 3]


async def _all_arrived(store: ServiceDatabase, count: int) -> bool:
    return len(await arrived(store)) == count


async def test_a_long_reaction_is_not_delivered_beside_itself(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    attempts = []

    async def slow(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        await asyncio.sleep(2.5)
        await receive(delivery)

    consume(slow, ack_wait_seconds=1)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await until(lambda: _all_arrived(store, 1))
    await settled(store, operator)

    assert attempts == [1]


async def test_two_effects_for_one_event_are_refused(
    store: ServiceDatabase, uow: UnitOfWork, redactor: Redactor
) -> None:
    delivery = Delivery(
        Envelope(id="0198c0de-0000-7000-8000-000000000001", aggregate_id=str(UUID(int=1)), aggregate_version=1),
        StringValue(value="Oslo"),
        attempt=1,
        durable="parcels-receive",
        unit_of_work=uow,
    )
    await receive(delivery)

    with pytest.raises(RuntimeError, match="one effect per event"):
        await receive(delivery)

    assert await arrived(store) == [(1, 1, "Oslo")]


async def test_stop_finishes_what_was_begun_and_takes_no_more(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    begun = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        begun.set()
        await asyncio.sleep(0.5)
        await receive(delivery)

    consumer = consume(slow, concurrency=1)
    for number in (1, 2):
        async with uow.begin() as tx:
            await send(tx, UUID(int=number), "Oslo")
    await begun.wait()
    await consumer.stop()
    await asyncio.sleep(1.0)

    assert await arrived(store) == [(1, 1, "Oslo")]


async def test_a_consumer_waits_for_a_stream_that_is_not_there_yet(
    store: ServiceDatabase,
    uow: UnitOfWork,
    connect: Connect,
    redactor: Redactor,
    metrics: Metrics,
    background: Start,
    operator: Client,
    clock: object,
) -> None:
    depot = UnitOfWork(store.database, uow.clock, fact_to_event, "depot")
    subscription = Subscription("PARCELS", SUBJECT, "depot-receive", StringValue, receive)
    consumer = Consumer(
        subscription, messaging=await connect("depot"), unit_of_work=depot, redactor=redactor, metrics=metrics
    )
    background(consumer.run())
    await asyncio.sleep(0.5)

    background(Relay(uow, await connect("parcels"), metrics).run())
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")

    await until(lambda: _all_arrived(store, 1))


async def test_a_consumer_that_is_cancelled_ends_also_while_nats_is_slow_to_be_written_to(
    uow: UnitOfWork, messaging: Messaging, redactor: Redactor, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, writing = Client._flush_pending, asyncio.Event()

    async def slow_flush(client: Client, *arguments: Any, **more: Any) -> None:
        # nats-py swallows a cancellation that meets it here; on a slow socket that is most of the time.
        writing.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.2)
        await flush(client, *arguments, **more)

    monkeypatch.setattr(Client, "_flush_pending", slow_flush)
    monkeypatch.setattr("chassis.consumer.FETCH_SECONDS", 0.05)
    subscription = Subscription("PARCELS", SUBJECT, "parcels-receive", StringValue, receive)
    consumer = Consumer(subscription, messaging=messaging, unit_of_work=uow, redactor=redactor, metrics=metrics)
    running = asyncio.ensure_future(consumer.run())
    await asyncio.sleep(1.5)
    writing.clear()
    await writing.wait()

    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=5)

    assert done == {running}
    assert running.cancelled()
