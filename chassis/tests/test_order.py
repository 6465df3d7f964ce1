"""The order of an aggregate: of three processes and events that come back, none applies an older version last."""

import asyncio
import random
from collections import defaultdict
from itertools import pairwise
from uuid import UUID

import pytest
import pytest_asyncio
from google.protobuf.wrappers_pb2 import StringValue
from nats.aio.client import Client
from parcels import send
from reactions import SUBJECT, receive, settled
from sqlalchemy import func, select
from surroundings import Connect, Start, until

from chassis.consumer import Consumer, Delivery, Subscription
from chassis.db import UnitOfWork
from chassis.inbox import Standing, inbox
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.outbox import outbox
from chassis.redaction import Redactor
from chassis.testing.plugin import ServiceDatabase

AGGREGATES = 8
VERSIONS = 25


class Racing:
    """A handler that takes its time, fails at random, and notes what it applied, in the order of the commits."""

    def __init__(self) -> None:
        self.applied: dict[str, list[int]] = defaultdict(list)
        self._random = random.Random(7)  # noqa: S311 - the same course at each run

    async def handle(self, delivery: Delivery) -> None:
        await asyncio.sleep(self._random.uniform(0, 0.02))
        if self._random.random() < 0.25:
            raise ConnectionResetError
        async with delivery.effect():
            await asyncio.sleep(self._random.uniform(0, 0.01))
            # Still inside the transaction; of two of one aggregate the second waits for the first's commit.
            self.applied[delivery.envelope.aggregate_id].append(delivery.envelope.aggregate_version)

    @property
    def inversions(self) -> int:
        return sum(later <= earlier for versions in self.applied.values() for earlier, later in pairwise(versions))


async def published(store: ServiceDatabase) -> bool:
    async with store.database.read() as read:
        return not await read.fetch_all(select(outbox.c.seq).where(outbox.c.published_at.is_(None)).limit(1))


@pytest_asyncio.fixture
async def racing(
    store: ServiceDatabase,
    uow: UnitOfWork,
    connect: Connect,
    messaging: Messaging,
    redactor: Redactor,
    background: Start,
    quick: None,
) -> Racing:
    racing = Racing()
    for _ in range(VERSIONS):
        async with uow.begin() as tx:
            for number in range(AGGREGATES):
                await send(tx, UUID(int=number), "Oslo")
    # All wait when the consumers begin, so that versions of one aggregate are in several hands at once.
    await until(lambda: published(store), seconds=20)
    subscription = Subscription("PARCELS", SUBJECT, "parcels-receive", StringValue, racing.handle, max_deliver=50)
    for _ in range(3):
        # Each has its own connections, locks and counters, as a process has.
        consumer = Consumer(
            subscription,
            messaging=await connect("parcels"),
            unit_of_work=uow,
            redactor=redactor,
            metrics=Metrics(),
        )
        background(consumer.run())
    return racing


async def test_three_processes_apply_no_version_after_a_newer_one(
    store: ServiceDatabase, operator: Client, racing: Racing
) -> None:
    await settled(store, operator)

    assert racing.inversions == 0
    assert [max(versions) for versions in racing.applied.values()] == [VERSIONS] * AGGREGATES
    async with store.database.read() as read:
        row = await read.fetch_one(select(func.count()).select_from(inbox))
    assert row is not None
    assert row[0] == AGGREGATES * VERSIONS
    assert sum(map(len, racing.applied.values())) < AGGREGATES * VERSIONS, "nothing came late, so nothing was proven"


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def always_new(*_: object, **__: object) -> Standing:
        return Standing.NEW

    monkeypatch.setattr("chassis.inbox.standing", always_new)
    monkeypatch.setattr("chassis.inbox.take", always_new)


async def test_without_the_guard_older_versions_are_applied_last(
    unguarded: None, store: ServiceDatabase, operator: Client, racing: Racing
) -> None:
    """The failing control of the test above."""
    await settled(store, operator)

    assert racing.inversions > 0


async def test_where_each_event_counts_none_is_superseded(
    store: ServiceDatabase,
    uow: UnitOfWork,
    messaging: Messaging,
    redactor: Redactor,
    metrics: Metrics,
    background: Start,
    operator: Client,
    quick: None,
) -> None:
    failed: set[int] = set()

    async def fails_at_first(delivery: Delivery) -> None:
        version = delivery.envelope.aggregate_version
        if version == 1 and version not in failed:
            failed.add(version)
            raise ConnectionResetError
        await receive(delivery)

    subscription = Subscription(
        "PARCELS", SUBJECT, "parcels-receive", StringValue, fails_at_first, in_order=False, concurrency=1
    )
    for _ in range(2):
        async with uow.begin() as tx:
            await send(tx, UUID(int=1), "Oslo")
    consumer = Consumer(subscription, messaging=messaging, unit_of_work=uow, redactor=redactor, metrics=metrics)
    background(consumer.run())
    await settled(store, operator)

    async with store.database.read() as read:
        rows = await read.fetch_all(select(inbox.c.aggregate_version).order_by(inbox.c.aggregate_version))
    assert [row[0] for row in rows] == [1, 2]
    assert metrics.value("aiops_consumer_messages_total", durable="parcels-receive", outcome="handled") == 2
