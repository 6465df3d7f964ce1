"""What the tests of changelog stand on: a migrated schema, a running service, and an ai to word highlights."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from services.changelog.tests.factories import Call, Changes, ScriptedAi

from aiops.ai.v1.ai_service_pb2_grpc import add_AiServiceServicer_to_server
from aiops.changelog.v1.changelog_service_pb2_grpc import ChangelogServiceStub
from changelog_service import convert
from changelog_service.app import build
from changelog_service.documents import HISTORIES
from changelog_service.settings import ChangelogSettings
from chassis.db import Database, UnitOfWork
from chassis.history.recorder import Recorder
from chassis.policy import allow
from chassis.redaction import Redactor
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats

if TYPE_CHECKING:
    from google.protobuf.message import Message


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
def service_database(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    return make_database("changelog", "changelog_service")


@pytest.fixture
def database(service_database: ServiceDatabase) -> Database:
    return service_database.database


@pytest.fixture
def uow(database: Database, clock: FrozenClock) -> UnitOfWork:
    recorder = Recorder(HISTORIES, b"r" * 32, "changelog")
    return UnitOfWork(database, clock, convert.fact_to_event, "changelog", recorder)


@pytest.fixture
def changes(uow: UnitOfWork, redactor: Redactor) -> Changes:
    return Changes(uow, redactor)


@pytest_asyncio.fixture
async def ai(serving: Callable[..., Any]) -> AsyncIterator[ScriptedAi]:
    rules = {"WordHighlights": allow("changelog", background=True)}
    async with serving("ai", ScriptedAi(), add_AiServiceServicer_to_server, rules) as ai:
        yield ai


@pytest_asyncio.fixture
async def running(
    service_database: ServiceDatabase, installation: Installation, clock: FrozenClock
) -> AsyncIterator[RunningService]:
    """The service in its `serve` role, at the moment of the frozen clock."""
    values = installation.settings("changelog", database_url=service_database.app_url)
    service = build(ChangelogSettings(**values), clock=clock, access_tokens=installation.access_tokens())
    async with running_service(service, installation) as running:
        yield running


@pytest_asyncio.fixture
async def working(
    service_database: ServiceDatabase, installation: Installation, nats_server: TestNats, ai: ScriptedAi
) -> AsyncIterator[RunningService]:
    """The service in both roles, with NATS and an ai; it gives an ai that is away up at once."""
    values = installation.settings(
        "changelog",
        database_url=service_database.app_url,
        nats_url=nats_server.url,
        nats_monitor_url=nats_server.monitor_url,
        nats_user="changelog",
        nats_password=nats_server.passwords["changelog"],
        ai_target=ai.target,
        highlight_timeout_seconds=5,
        highlight_patience_seconds=0,
    )
    service = build(ChangelogSettings(**values), access_tokens=installation.access_tokens())
    async with running_service(service, installation, roles=("serve", "work")) as running:
        yield running


@pytest.fixture
def call(running: RunningService) -> Call:
    """Calls an RPC by name, for whoever the test says."""
    return calls(running)


def calls(running: RunningService) -> Call:
    client = running.client()
    stub = ChangelogServiceStub(client.channel)

    async def call_(method: str, request: "Message") -> object:
        return await client.call(getattr(stub, method), request)

    return call_
