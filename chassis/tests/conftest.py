"""A service of one table on real engines: what the chassis is tested with."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chassis.db import UnitOfWork
from chassis.embedded.nats_config import Reaction, RegisteredEvent
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

sys.path.insert(0, str(Path(__file__).parent / "service"))


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
    from parcels import fact_to_event  # noqa: PLC0415 - importable once this file has run

    return UnitOfWork(store.database, clock, fact_to_event, "parcels")


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot", "gateway"))
