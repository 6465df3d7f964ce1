"""What the tests of tickets stand on: a migrated schema with its options, a running service, and whom it asks."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio
from grpc.aio import Server
from services.tickets.tests.factories import KEY, Call, Create, KnownLogs, KnownUsers, ScriptedAi

from aiops.ai.v1.ai_service_pb2_grpc import add_AiServiceServicer_to_server
from aiops.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from aiops.logs.v1.logs_service_pb2_grpc import add_LogsServiceServicer_to_server
from aiops.tickets.v1 import tickets_service_pb2 as pb
from aiops.tickets.v1.ticket_pb2 import Ticket
from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceStub
from chassis.db import Database, UnitOfWork
from chassis.identity import Role, Trust
from chassis.metrics import Metrics
from chassis.policy import Policy, Rule, allow
from chassis.redaction import Redactor
from chassis.rpc.client import Client
from chassis.rpc.server import make_server
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats
from tickets_service import convert
from tickets_service.app import build
from tickets_service.settings import TicketsSettings

if TYPE_CHECKING:
    from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceAsyncStub

OPTIONS = (files("tickets_service") / "migrations" / "0002_ticket_options.expand.sql").read_text()


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
def service_database(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    """The schema as an installation begins with it: emptied between tests, but for its options."""
    made = make_database("tickets", "tickets_service")
    with psycopg.connect(made.owner_url.replace("+psycopg", "")) as connection:
        connection.execute(OPTIONS.encode())
    return made


@pytest.fixture
def database(service_database: ServiceDatabase) -> Database:
    return service_database.database


@pytest.fixture
def uow(database: Database, clock: FrozenClock) -> UnitOfWork:
    return UnitOfWork(database, clock, convert.fact_to_event, "tickets")


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"))


@pytest.fixture
def serving(installation: Installation) -> Callable[..., Any]:
    """Serves a neighbour for as long as the block lasts: `async with serving("ai", ai, add, rules)`."""

    @asynccontextmanager
    async def serve(
        name: str, servicer: Any, add: Callable[[Any, Server], None], rules: dict[str, Rule]
    ) -> AsyncIterator[Any]:
        server = make_server(
            name,
            trust=Trust.from_file(installation.folder / "trust.json"),
            access_tokens=installation.access_tokens(),
            policy=Policy(rules, mask=lambda _call, message: message),
            metrics=Metrics(),
        )
        add(servicer, server)
        servicer.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        servicer.stop = lambda: server.stop(0)
        yield servicer
        await server.stop(0)

    return serve


@pytest_asyncio.fixture
async def ai(serving: Callable[..., Any]) -> AsyncIterator[ScriptedAi]:
    rules = {"TriageTicket": allow("tickets", background=True)}
    asked = ScriptedAi()  # type: ignore[abstract]  # the one RPC that tickets asks for
    async with serving("ai", asked, add_AiServiceServicer_to_server, rules) as ai:
        yield ai


@pytest_asyncio.fixture
async def users(serving: Callable[..., Any]) -> AsyncIterator[KnownUsers]:
    rules = {"BatchGetUsers": allow("tickets", roles=tuple(Role), background=True)}
    asked = KnownUsers()  # type: ignore[abstract]  # the one RPC that tickets asks for
    async with serving("auth", asked, add_AuthServiceServicer_to_server, rules) as users:
        yield users


@pytest_asyncio.fixture
async def known_logs(serving: Callable[..., Any]) -> AsyncIterator[KnownLogs]:
    rules = {"BatchGetLogs": allow("tickets", any_user=True, scopes=("tickets:write",))}
    asked = KnownLogs()  # type: ignore[abstract]  # the one RPC that tickets asks for
    async with serving("logs", asked, add_LogsServiceServicer_to_server, rules) as logs:
        yield logs


@pytest_asyncio.fixture
async def running(
    service_database: ServiceDatabase, installation: Installation, users: KnownUsers, known_logs: KnownLogs
) -> AsyncIterator[RunningService]:
    """The service in its `serve` role, with auth and logs beside it."""
    values = installation.settings(
        "tickets",
        database_url=service_database.app_url,
        auth_target=users.target,
        logs_target=known_logs.target,
    )
    service = build(TicketsSettings(**values), access_tokens=installation.access_tokens())
    async with running_service(service, installation) as running:
        yield running


@pytest_asyncio.fixture
async def working(
    service_database: ServiceDatabase, installation: Installation, nats_server: TestNats, ai: ScriptedAi
) -> AsyncIterator[RunningService]:
    """The service in both roles, with NATS and an ai; it gives an ai that is away up at once."""
    values = installation.settings(
        "tickets",
        database_url=service_database.app_url,
        nats_url=nats_server.url,
        nats_monitor_url=nats_server.monitor_url,
        nats_user="tickets",
        nats_password=nats_server.passwords["tickets"],
        ai_target=ai.target,
        triage_timeout_seconds=5,
        triage_patience_seconds=0,
    )
    service = build(TicketsSettings(**values), access_tokens=installation.access_tokens())
    async with running_service(service, installation, roles=("serve", "work")) as running:
        yield running


@pytest.fixture
def client(running: RunningService) -> Client:
    """The gateway's way to the service."""
    return running.client()


@pytest.fixture
def ask(client: Client) -> Call:
    """Calls an RPC by its name, for whoever the test speaks for."""
    stub: TicketsServiceAsyncStub = TicketsServiceStub(client.channel)

    async def ask_(method: str, request: Any) -> Any:
        return await client.call(getattr(stub, method), request)

    return ask_


@pytest.fixture
def create(ask: Call) -> Create:
    """Creates a ticket; the key is its title where the test gives none."""

    async def create_(title: str = "Checkout is down", *, key: str = "", **values: Any) -> Ticket:
        request = pb.CreateTicketRequest(idempotency_key=key or f"{KEY}-{title}", title=title, **values)
        ticket: Ticket = (await ask("CreateTicket", request)).ticket
        return ticket

    return create_
