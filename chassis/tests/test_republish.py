"""Streams that were lost, deleted or filled: the outbox is the truth, and what is told again has no second effect."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from nats.aio.client import Client
from parcels import send
from pydantic import SecretStr
from reactions import Consume, arrived, receive, settled
from sqlalchemy import func, select
from surroundings import NatsSettings, Start, until

from chassis.db import UnitOfWork
from chassis.inbox import inbox
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.outbox import outbox
from chassis.relay import Relay
from chassis.republish import Republication
from chassis.testing.plugin import ServiceDatabase, TestNats


async def _sent(uow: UnitOfWork, numbers: range) -> None:
    for number in numbers:
        async with uow.begin() as tx:
            await send(tx, UUID(int=number), "Oslo")


async def _published(store: ServiceDatabase) -> int:
    async with store.database.read() as read:
        row = await read.fetch_one(select(func.count()).where(outbox.c.published_at.is_not(None)))
    assert row is not None
    return int(row[0])


async def _handled(store: ServiceDatabase) -> int:
    async with store.database.read() as read:
        row = await read.fetch_one(select(func.count()).select_from(inbox))
    assert row is not None
    return int(row[0])


def _republish(store: ServiceDatabase, since: Any) -> int:
    with psycopg.connect(store.owner_url) as connection:
        return sum(Republication(connection, "parcels", since).mark())


async def test_a_lost_stream_is_filled_again_and_every_inbox_completed(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client, metrics: Metrics
) -> None:
    first = consume(receive)
    await _sent(uow, range(40))
    await settled(store, operator)
    await first.stop()
    await _sent(uow, range(40, 60))
    await until(lambda: _is(_published(store), 60))
    await operator.jetstream().delete_stream("PARCELS")

    consume(receive)
    await _sent(uow, range(60, 61))
    await until(lambda: _is(_handled(store), 41))
    await asyncio.sleep(0.5)
    assert await _handled(store) == 41, "the twenty that were lost with the stream come back by nothing but the command"

    marked = await asyncio.to_thread(_republish, store, uow.clock.now() - timedelta(minutes=1))
    assert marked == 61
    await settled(store, operator)

    assert [number for number, _, _ in await arrived(store)] == list(range(61))
    assert await _handled(store) == 61
    repeated = metrics.value("aiops_consumer_messages_total", durable="parcels-receive", outcome="repeated")
    assert repeated == 41
    assert await asyncio.to_thread(_republish, store, uow.clock.now() + timedelta(minutes=1)) == 0


async def _all_handled(store: ServiceDatabase, expected: int) -> bool:
    return await _handled(store) == expected


async def _is(count: Any, expected: int) -> bool:
    return bool(await count == expected)


async def test_what_is_told_again_within_the_window_is_no_repeat_to_nats(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    consume(receive)
    await _sent(uow, range(5))
    await settled(store, operator)
    await operator.jetstream().purge_stream("PARCELS")

    await asyncio.to_thread(_republish, store, uow.clock.now() - timedelta(minutes=1))
    await settled(store, operator)

    assert (await operator.jetstream().stream_info("PARCELS")).state.messages == 5
    assert len(await arrived(store)) == 5


async def test_a_stream_that_is_deleted_while_all_run_is_made_again_by_itself(
    store: ServiceDatabase, uow: UnitOfWork, consume: Consume, operator: Client
) -> None:
    consume(receive)
    await _sent(uow, range(3))
    await settled(store, operator)

    for round_ in range(1, 4):
        await operator.jetstream().delete_stream("PARCELS")
        await _sent(uow, range(3 * round_, 3 * round_ + 3))
        await until(partial(_all_handled, store, 3 * round_ + 3), seconds=15)

    assert [number for number, _, _ in await arrived(store)] == list(range(12))


async def test_a_full_stream_loses_nothing_and_drains_once_it_is_larger(
    store: ServiceDatabase,
    uow: UnitOfWork,
    nats_server: TestNats,
    operator: Client,
    metrics: Metrics,
    background: Start,
) -> None:
    password = SecretStr(nats_server.passwords["parcels"])
    settings = NatsSettings(nats_server.url, nats_server.monitor_url, "parcels", password)
    small = Messaging(replace(settings, nats_stream_max_bytes=20_000), "parcels")
    await small.connect()
    background(Relay(uow, small, metrics).run())
    await _sent(uow, range(200))

    async def full() -> bool:
        state = (await operator.jetstream().stream_info("PARCELS")).state
        return 0 < state.messages == await _published(store) < 200

    await until(full)
    await asyncio.sleep(1.0)
    held_back = 200 - await _published(store)
    assert held_back > 100
    first = await operator.jetstream().stream_info("PARCELS")
    assert first.state.first_seq == 1, "nothing old was dropped to make room"

    # A process with the new setting makes the stream larger; the one that waits needs no word.
    larger = Messaging(replace(settings, nats_stream_max_bytes=10_000_000), "parcels")
    await larger.connect()
    await until(lambda: _is(_published(store), 200), seconds=20)

    assert (await operator.jetstream().stream_info("PARCELS")).state.messages == 200
    await larger.close()
    await small.close()
