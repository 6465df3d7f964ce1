"""What the tests of logs stand on: a migrated schema, a frozen or running service, and an ai to word evidence."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from services.logs.tests.factories import Receive, ScriptedAi

from aiops.ai.v1.ai_service_pb2_grpc import add_AiServiceServicer_to_server
from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.log_pb2 import Log as LogMessage
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from chassis.db import Database, UnitOfWork
from chassis.history.recorder import Recorder
from chassis.policy import allow
from chassis.redaction import Redactor
from chassis.rpc.client import Client
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats
from logs_service import convert, usecases
from logs_service.app import build
from logs_service.commands import ReceiveLog
from logs_service.documents import HISTORIES
from logs_service.domain import Log, LogSource
from logs_service.ingest.pipeline import Ingestor
from logs_service.settings import LogsSettings

if TYPE_CHECKING:
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
def service_database(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    return make_database("logs", "logs_service")


@pytest.fixture
def database(service_database: ServiceDatabase) -> Database:
    return service_database.database


@pytest_asyncio.fixture
async def uow(database: Database, clock: FrozenClock) -> UnitOfWork:
    recorder = Recorder(HISTORIES, b"r" * 32, "logs")
    unit_of_work = UnitOfWork(database, clock, convert.fact_to_event, "logs", recorder)
    async with unit_of_work.begin() as tx:
        await usecases.prepare_partitions(tx)
    return unit_of_work


@pytest.fixture
def ingestor(redactor: Redactor) -> Ingestor:
    return Ingestor(redactor)


@pytest.fixture
def receive(uow: UnitOfWork, ingestor: Ingestor) -> Receive:
    """Stores a log in a transaction of its own; the text comes in chunks of the wanted size."""

    async def receive_(
        text: str | bytes, *, name: str = "app.log", service: str = "", chunk_bytes: int = 1 << 20
    ) -> Log:
        content = text.encode() if isinstance(text, str) else text

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(content), chunk_bytes):
                yield content[start : start + chunk_bytes]

        async with uow.begin() as tx:
            return await usecases.receive_log(ReceiveLog(name, service, LogSource.PASTE, UTC), chunks(), tx, ingestor)

    return receive_


@pytest_asyncio.fixture
async def ai(serving: Callable[..., Any]) -> AsyncIterator[ScriptedAi]:
    rules = {"SummarizeEvidence": allow("logs", background=True)}
    async with serving("ai", ScriptedAi(), add_AiServiceServicer_to_server, rules) as ai:
        yield ai


@pytest_asyncio.fixture
async def running(service_database: ServiceDatabase, installation: Installation) -> AsyncIterator[RunningService]:
    """The service in its `serve` role."""
    values = installation.settings("logs", database_url=service_database.app_url)
    service = build(LogsSettings(**values), access_tokens=installation.access_tokens())
    async with running_service(service, installation) as running:
        yield running


@pytest_asyncio.fixture
async def working(
    service_database: ServiceDatabase, installation: Installation, nats_server: TestNats, ai: ScriptedAi
) -> AsyncIterator[RunningService]:
    """The service in both roles, with NATS and an ai; it gives an ai that is away up at once."""
    values = installation.settings(
        "logs",
        database_url=service_database.app_url,
        nats_url=nats_server.url,
        nats_monitor_url=nats_server.monitor_url,
        nats_user="logs",
        nats_password=nats_server.passwords["logs"],
        ai_target=ai.target,
        summary_timeout_seconds=5,
        summary_patience_seconds=0,
    )
    service = build(LogsSettings(**values), access_tokens=installation.access_tokens())
    async with running_service(service, installation, roles=("serve", "work")) as running:
        yield running


@pytest.fixture
def client(running: RunningService) -> Client:
    """The gateway's way to the service."""
    return running.client()


@pytest.fixture
def logs(client: Client) -> "LogsServiceAsyncStub":
    return LogsServiceStub(client.channel)


@pytest.fixture
def summarize(client: Client, logs: "LogsServiceAsyncStub") -> Callable[..., Awaitable[LogMessage]]:
    """Pastes text as a log."""

    async def summarize_(text: str, *, key: str, name: str = "app.log", service: str = "") -> LogMessage:
        request = pb.SummarizeLogRequest(idempotency_key=key, name=name, text=text, service=service)
        return (await client.call(logs.SummarizeLog, request)).log

    return summarize_
