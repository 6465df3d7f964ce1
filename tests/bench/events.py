"""From the commit of a change to the commit of its effect at the consumer: 100 events a second through outbox and NATS.

Real Postgres and NATS with their durable settings. The control in the same run is one durable publish with nothing else
going on: no relay can be faster than that.
"""

import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

from pydantic import SecretStr

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.clock import SystemClock
from chassis.consumer import Consumer, Delivery, Subscription
from chassis.db import Database, UnitOfWork
from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer, remove_data
from chassis.embedded.process import free_port
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.migrations import migrate
from chassis.nats_config import Reaction, RegisteredEvent, nats_config
from chassis.redaction import Redactor
from chassis.relay import Relay

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "chassis" / "tests" / "service"))

from google.protobuf.wrappers_pb2 import StringValue
from parcels import fact_to_event, send
from surroundings import NatsSettings

EVENTS_PER_SECOND = 100
SECONDS = 10
ROUNDS = 5
ASIDE = "aiops.dlq.parcels.parcels-receive"
SUBJECT = "aiops.parcels.parcel.sent.v1"
REGISTRY = (RegisteredEvent(SUBJECT, "", "parcels", "parcel", (Reaction("parcels", "parcels-receive"),), (), ""),)


class Bench:
    """Producer, relay and consumer of one small service in one process."""

    def __init__(self, url: str, messaging: Messaging) -> None:
        self.unit_of_work = UnitOfWork(Database(url, name="bench"), SystemClock(), fact_to_event, "parcels")
        self.messaging = messaging
        self.committed: dict[UUID, float] = {}
        self.latencies: list[float] = []
        self.all_here = asyncio.Event()

    async def receive(self, delivery: Delivery) -> None:
        """The consumer's effect; what is measured ends with its commit."""
        async with delivery.effect():
            pass
        sent = self.committed.get(UUID(delivery.envelope.aggregate_id), 0.0)
        if sent:
            self.latencies.append(time.perf_counter() - sent)
            if len(self.latencies) == EVENTS_PER_SECOND * SECONDS:
                self.all_here.set()

    async def produce(self, at: float) -> None:
        """Commit one change at its moment."""
        await asyncio.sleep(at - time.perf_counter())
        parcel = uuid4()
        self.committed[parcel] = time.perf_counter()  # so that an effect cannot be there before; set again below
        async with self.unit_of_work.begin() as tx:
            await send(tx, parcel, "Oslo")
        self.committed[parcel] = time.perf_counter()

    async def round(self) -> tuple[float, float]:
        """Median and 95th percentile in milliseconds of one round."""
        self.committed.clear()
        self.latencies.clear()
        self.all_here.clear()
        start = time.perf_counter() + 0.2
        count = EVENTS_PER_SECOND * SECONDS
        await asyncio.gather(*(self.produce(start + number / EVENTS_PER_SECOND) for number in range(count)))
        async with asyncio.timeout(30):
            await self.all_here.wait()
        points = statistics.quantiles(self.latencies, n=20)
        return points[9] * 1000, points[18] * 1000

    async def floor(self) -> float:
        """Median milliseconds of a durable publish with nothing else going on."""
        taken = []
        for _ in range(100):
            started = time.perf_counter()
            await self.messaging.jetstream.publish(ASIDE, b"x" * 300, headers={"Nats-Msg-Id": str(uuid4())})
            taken.append(time.perf_counter() - started)
        return statistics.median(taken) * 1000


async def measure(url: str, nats: NatsServer, password: str) -> None:
    """Run the rounds and print."""
    settings = NatsSettings(nats.url, nats.monitor_url, "parcels", SecretStr(password))
    messaging = Messaging(settings, "parcels")
    await messaging.connect()
    await messaging.ensure_streams()
    bench = Bench(url, messaging)
    floor = await bench.floor()
    subscription = Subscription("PARCELS", SUBJECT, "parcels-receive", StringValue, bench.receive)
    relay = Relay(bench.unit_of_work, messaging, Metrics())
    consumer = Consumer(
        subscription,
        messaging=messaging,
        unit_of_work=bench.unit_of_work,
        redactor=Redactor(b"k" * 32),
        metrics=Metrics(),
    )
    tasks = [asyncio.ensure_future(relay.run()), asyncio.ensure_future(consumer.run())]
    rounds = [await bench.round() for _ in range(ROUNDS)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await messaging.close()
    p50, p95 = (statistics.median(values) for values in zip(*rounds, strict=True))
    print(f"commit -> consumer's commit at {EVENTS_PER_SECOND} events/s: median {p50:.0f} ms, p95 {p95:.0f} ms")
    print(f"one durable publish, idle: {floor:.1f} ms; p95 is {p95 / floor:.0f} times that")


def main() -> None:
    """Start the engines, measure, and clear up."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        words = [secrets.token_urlsafe(16) for _ in range(4)]
        postgres = PostgresServer.start(folder / "postgres", free_port(), password=words[0], dies_with_parent=True)
        nats = NatsServer.start(
            folder / "nats",
            free_port(),
            free_port(),
            authorization=nats_config(REGISTRY, {"parcels": words[1]}),
            dies_with_parent=True,
        )
        try:
            bootstrap(postgres.create_database("aiops"), [SchemaCredentials("parcels", words[2], words[3])])
            migrate(postgres.url("parcels_owner", words[2], "aiops"), "parcels", "parcels")
            asyncio.run(measure(postgres.url("parcels_app", words[3], "aiops"), nats, words[1]))
        finally:
            nats.stop()
            postgres.stop()
            remove_data(folder / "postgres")


if __name__ == "__main__":
    main()
