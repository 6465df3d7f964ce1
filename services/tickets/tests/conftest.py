"""What the tests of tickets stand on: a migrated schema with its options, a running service, and whom it asks."""

from collections.abc import AsyncIterator, Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from services.tickets.tests.factories import (
    KEY,
    MOMENT,
    OPS,
    Call,
    Create,
    KnownLogs,
    KnownUsers,
    ScriptedAi,
    Store,
    decision,
    make_ticket,
)
from services.tickets.tests.histories import Erase, Opened, rows_of

from aiops.ai.v1.ai_service_pb2_grpc import add_AiServiceServicer_to_server
from aiops.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from aiops.logs.v1.logs_service_pb2_grpc import add_LogsServiceServicer_to_server
from aiops.tickets.v1 import tickets_service_pb2 as pb
from aiops.tickets.v1.ticket_pb2 import Ticket as TicketMessage
from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceStub
from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork
from chassis.history import erasure, replay
from chassis.history.recorder import Recorder
from chassis.identity import Role
from chassis.ids import uuid7
from chassis.policy import allow
from chassis.redaction import Redactor
from chassis.rpc.client import Client
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats
from tickets_service import convert, similar
from tickets_service.app import build
from tickets_service.documents import HISTORIES, TICKET_HISTORY
from tickets_service.domain import Ticket
from tickets_service.settings import TicketsSettings
from tickets_service.store import TicketStore
from tickets_service.values import Comment

if TYPE_CHECKING:
    from aiops.tickets.v1.tickets_service_pb2_grpc import TicketsServiceAsyncStub

MIGRATIONS = files("tickets_service") / "migrations"
OPTIONS = (MIGRATIONS / "0002_ticket_options.expand.sql").read_text()
_LEVELS = (MIGRATIONS / "0006_ticket_description.expand.sql").read_text().partition("UPDATE ticket_options")
LEVELS = _LEVELS[1] + _LEVELS[2].partition(";")[0]


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
def service_database(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    """The schema as an installation begins with it: emptied between tests, but for its options."""
    made = make_database("tickets", "tickets_service")
    with psycopg.connect(made.owner_url.replace("+psycopg", "")) as connection:
        connection.execute(OPTIONS.encode())
        connection.execute(LEVELS.encode())
    return made


@pytest.fixture
def database(service_database: ServiceDatabase) -> Database:
    return service_database.database


@pytest.fixture
def recorder(installation: Installation) -> Recorder:
    """Keeps histories with the keys that the running service has."""
    return Recorder(HISTORIES, (installation.folder / "redaction.key").read_bytes().strip(), "tickets")


@pytest.fixture
def uow(database: Database, clock: FrozenClock, recorder: Recorder) -> UnitOfWork:
    return UnitOfWork(database, clock, convert.fact_to_event, "tickets", recorder)


@pytest.fixture
def opened(database: Database, recorder: Recorder) -> Opened:
    """The last state of a chain, checked row by row, as a reader with all keys sees it."""

    async def opened_(ticket_id: UUID) -> dict[str, Any]:
        vault = recorder.vault
        state = replay.fold(TICKET_HISTORY, ticket_id, await rows_of(database, ticket_id))
        async with database.read() as tx:
            return state.opened(vault, await vault.load(tx, state.subjects.values()))

    return opened_


@pytest.fixture
def erase(service_database: ServiceDatabase, recorder: Recorder) -> Erase:
    """Erases somebody as `aiops person erase` does; how many tickets it changed."""

    async def erase_(subject: str) -> int:
        database = Database(service_database.owner_url, name="tickets")
        order = erasure.Erasure(recorder.vault.stored(subject), SystemClock().now())
        try:
            return await erasure.erase(erasure.operator_work(database, recorder), recorder, order)
        finally:
            await database.close()

    return erase_


@pytest.fixture
def store(uow: UnitOfWork) -> Store:
    """Stores a ticket with its words, comments and decisions."""

    async def store_(comments: Sequence[tuple[str, bool]] = (), decisions: int = 0, **changes: Any) -> Ticket:
        ticket = make_ticket(**{"id": uuid7()} | changes)
        async with uow.begin() as tx:
            ticket = await TicketStore(tx).add(ticket)
            await similar.add_words(ticket, tx)
            for body, internal in comments:
                comment = Comment(uuid7(), ticket.id, body, internal, "user", OPS.id, MOMENT)
                await TicketStore(tx).add_comment(comment)
            for version in range(decisions):
                await TicketStore(tx).add_decision(ticket.id, decision(ticket_version=version + 1))
            await similar.count_new_words(tx)
        return ticket

    return store_


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

    async def create_(title: str = "Checkout is down", *, key: str = "", **values: Any) -> TicketMessage:
        request = pb.CreateTicketRequest(idempotency_key=key or f"{KEY}-{title}", title=title, **values)
        ticket: TicketMessage = (await ask("CreateTicket", request)).ticket
        return ticket

    return create_
