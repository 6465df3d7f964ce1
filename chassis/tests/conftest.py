"""A service of one table on real engines: what the chassis is tested with."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.wrappers_pb2 import StringValue
from nats.aio.client import Client
from pydantic import SecretStr

from chassis.consumer import Consumer, Subscription
from chassis.db import UnitOfWork
from chassis.embedded.postgres import PostgresServer
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.nats_config import Reaction, RegisteredEvent
from chassis.redaction import Redactor
from chassis.relay import Relay
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase, TestNats

sys.path.insert(0, str(Path(__file__).parent / "service"))

from homes import Home
from parcels import fact_to_event
from reactions import SUBJECT, Consume, Handler
from surroundings import Connect, NatsSettings, Start


@pytest.fixture(scope="session")
def nats_registry() -> tuple[RegisteredEvent, ...]:
    sent = RegisteredEvent(
        subject="aiops.parcels.parcel.sent.v1",
        message="google.protobuf.StringValue",
        producer="parcels",
        aggregate="parcel",
        consumers=(Reaction("depot", "depot-receive"), Reaction("parcels", "parcels-receive")),
        live=("window",),
        example="",
    )
    opened = RegisteredEvent(
        subject="aiops.depot.depot.opened.v1",
        message="google.protobuf.StringValue",
        producer="depot",
        aggregate="depot",
        consumers=(),
        live=(),
        example="",
    )
    return sent, opened


@pytest.fixture
def store(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    return make_database("parcels", "parcels")


@pytest.fixture
def uow(store: ServiceDatabase, clock: FrozenClock) -> UnitOfWork:
    return UnitOfWork(store.database, clock, fact_to_event, "parcels")


@pytest.fixture
def home(postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A fresh schema and a package whose migrations the test writes."""
    monkeypatch.syspath_prepend(tmp_path)
    return Home.make(postgres_server, tmp_path)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(b"k" * 32)


@pytest_asyncio.fixture
async def operator(nats_server: TestNats) -> AsyncIterator[Client]:
    """A NATS user who may do everything, on a server without streams."""
    client = Client()
    await client.connect(nats_server.url, user="operator", password=nats_server.operator_password)
    for stream in await client.jetstream().streams_info():
        await client.jetstream().delete_stream(str(stream.config.name))
    yield client
    await client.close()


@pytest_asyncio.fixture
async def connect(nats_server: TestNats, operator: Client) -> AsyncIterator[Connect]:
    """Connections of services; what would end a process fails the test instead."""
    opened: list[Messaging] = []
    fatal: list[str] = []

    async def connect(
        service: str, *, streams: bool = True, on_fatal: Callable[[str], None] | None = None
    ) -> Messaging:
        settings = NatsSettings(
            nats_server.url, nats_server.monitor_url, service, SecretStr(nats_server.passwords[service])
        )
        messaging = Messaging(settings, service, streams=streams, on_fatal=on_fatal or fatal.append)
        await messaging.connect()
        opened.append(messaging)
        return messaging

    yield connect
    for messaging in opened:
        await messaging.close()
    assert fatal == []


@pytest_asyncio.fixture
async def background() -> AsyncIterator[Start]:
    """Run something beside the test, to its end at the latest; its failure fails the test."""
    tasks: list[asyncio.Future[None]] = []

    def start(work: Awaitable[None]) -> "asyncio.Future[None]":
        tasks.append(asyncio.ensure_future(work))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


@pytest_asyncio.fixture
async def messaging(connect: Connect, uow: UnitOfWork, metrics: Metrics, background: Start) -> Messaging:
    connected = await connect("parcels")
    background(Relay(uow, connected, metrics).run())
    return connected


@pytest.fixture
def consume(messaging: Messaging, uow: UnitOfWork, redactor: Redactor, metrics: Metrics, background: Start) -> Consume:
    def start(
        handler: Handler, *, max_deliver: int = 6, ack_wait_seconds: float = 60, concurrency: int = 4
    ) -> Consumer:
        subscription = Subscription(
            "PARCELS", SUBJECT, "parcels-receive", StringValue, handler, max_deliver, ack_wait_seconds, concurrency
        )
        consumer = Consumer(subscription, messaging=messaging, unit_of_work=uow, redactor=redactor, metrics=metrics)
        background(consumer.run())
        return consumer

    return start


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.consumer._backoff", lambda _times: 0.02)
