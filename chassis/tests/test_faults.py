"""What a crash or absence of NATS costs: time, and nothing else."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from google.protobuf.wrappers_pb2 import StringValue
from parcels import send
from pydantic import SecretStr
from sqlalchemy import Select, func, select
from surroundings import NatsSettings, Start, until

from chassis.consumer import Consumer, Delivery, Subscription
from chassis.db import UnitOfWork
from chassis.embedded.nats import NatsServer
from chassis.embedded.process import free_port
from chassis.inbox import inbox
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.nats_config import RegisteredEvent, nats_config
from chassis.outbox import outbox
from chassis.redaction import Redactor
from chassis.relay import Relay
from chassis.testing.plugin import ServiceDatabase

pytestmark = pytest.mark.slow


@dataclass
class Broker:
    """A NATS server of the test's own, to be taken away and brought back."""

    start: Callable[[], Awaitable[NatsServer]]
    messaging: Messaging
    server: NatsServer


@pytest_asyncio.fixture
async def broker(tmp_path: Path, nats_registry: tuple[RegisteredEvent, ...]) -> AsyncIterator[Broker]:
    password, port, monitor_port = secrets.token_urlsafe(24), free_port(), free_port()
    authorization = nats_config(nats_registry, {"parcels": password})

    async def start() -> NatsServer:
        return await asyncio.to_thread(
            lambda: NatsServer.start(tmp_path, port, monitor_port, authorization=authorization, dies_with_parent=True)
        )

    server = await start()
    settings = NatsSettings(server.url, server.monitor_url, "parcels", SecretStr(password))
    messaging = Messaging(settings, "parcels", on_fatal=pytest.fail)
    await messaging.connect()
    broker = Broker(start, messaging, server)
    yield broker
    await messaging.close()
    broker.server.stop()


@pytest.fixture
def effects(broker: Broker, uow: UnitOfWork, redactor: Redactor, metrics: Metrics, background: Start) -> list[UUID]:
    """The events that took effect, while relay and consumer run."""
    taken: list[UUID] = []

    async def handler(delivery: Delivery) -> None:
        async with delivery.effect():
            taken.append(delivery.event_id)

    subscription = Subscription(
        "PARCELS", "aiops.parcels.parcel.sent.v1", "parcels-receive", StringValue, handler, ack_wait_seconds=2
    )
    consumer = Consumer(subscription, messaging=broker.messaging, unit_of_work=uow, redactor=redactor, metrics=metrics)
    background(Relay(uow, broker.messaging, metrics).run())
    background(consumer.run())
    return taken


async def count(store: ServiceDatabase, query: Select[int]) -> int:
    async with store.database.read() as tx:
        row = await tx.fetch_one(query)
    assert row is not None
    return int(row[0])


async def test_events_survive_a_server_that_is_killed_again_and_again(
    store: ServiceDatabase, uow: UnitOfWork, broker: Broker, effects: list[UUID]
) -> None:
    async def write() -> None:
        for step in range(300):
            async with uow.begin() as tx:
                await send(tx, UUID(int=step % 7), f"city {step}")
            await asyncio.sleep(0.01)

    async def all_took_effect() -> bool:
        return await count(store, select(func.count()).select_from(inbox)) == 300

    writing = asyncio.ensure_future(write())
    for _ in range(3):
        await asyncio.sleep(1.0)
        broker.server.kill()
        await asyncio.sleep(0.3)
        broker.server = await broker.start()
    await writing
    await until(all_took_effect, seconds=30)

    assert len(effects) == len(set(effects)) == 300
    waiting = select(func.count()).select_from(outbox).where(outbox.c.published_at.is_(None))
    assert await count(store, waiting) == 0


async def test_nats_away_and_back_is_consumed_again_within_five_seconds(
    uow: UnitOfWork, broker: Broker, effects: list[UUID], caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(broker.server.stop)
    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await asyncio.sleep(8)
    said_meanwhile = len(caplog.records)
    assert effects == []

    broker.server = await broker.start()

    async def took_effect() -> bool:
        return len(effects) == 1

    await until(took_effect, seconds=5)
    assert said_meanwhile < 10


async def test_a_store_that_was_wiped_is_filled_with_what_comes_next(
    store: ServiceDatabase, uow: UnitOfWork, broker: Broker, effects: list[UUID], tmp_path: Path
) -> None:
    async def took_effect() -> bool:
        return await count(store, select(func.count()).select_from(inbox)) == len(effects) > 0

    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")
    await until(took_effect)
    effects.clear()

    broker.server.kill()
    await asyncio.to_thread(shutil.rmtree, tmp_path / "jetstream")
    broker.server = await broker.start()
    async with uow.begin() as tx:
        await send(tx, UUID(int=2), "Bergen")

    async def again() -> bool:
        return len(effects) == 1

    await until(again, seconds=15)
