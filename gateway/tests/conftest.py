"""The gateway over the real services on real Postgres and NATS, and over scripted ones for failures on demand."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio
from google.protobuf.descriptor import ServiceDescriptor

import ai_service.app
import auth_service.app
import changelog_service.app
import logs_service.app
import tickets_service.app
from ai_service.settings import AiSettings
from aiops.ai.v1 import ai_service_pb2
from aiops.auth.v1 import auth_service_pb2
from aiops.changelog.v1 import changelog_service_pb2
from aiops.history.v1 import history_service_pb2
from aiops.logs.v1 import logs_service_pb2
from aiops.tickets.v1 import tickets_service_pb2
from auth_service.settings import AuthSettings
from changelog_service.settings import ChangelogSettings
from chassis.identity import AccessTokens
from chassis.revocations import Revocations, from_auth
from chassis.service import Service
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats
from gateway.app import build
from gateway.settings import GatewaySettings
from gateway.testing import answers
from gateway.testing.answers import a_changelog, a_ticket, an_id
from gateway.testing.harness import RunningGateway, running_gateway
from gateway.testing.scripted import ScriptedService, running_script
from gateway.testing.stack import Script, Stack
from logs_service.settings import LogsSettings
from tickets_service.settings import TicketsSettings

if TYPE_CHECKING:
    from chassis.db import Database

StartScript = Callable[..., AbstractAsyncContextManager[Script]]
StartStack = Callable[..., AbstractAsyncContextManager[Stack]]

SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
BOTH = ("serve", "work")
TICKET_OPTIONS = (files("tickets_service") / "migrations" / "0002_ticket_options.expand.sql").read_text()


@pytest.fixture
def start_stack(
    installation: Installation,
    make_database: Callable[[str, str], ServiceDatabase],
    nats_server: TestNats,
    tmp_path: Path,
) -> StartStack:
    """Starts all five services, in both roles or in the one that is given."""
    key_encryption_file = tmp_path / "auth-encryption.key"
    key_encryption_file.write_text(secrets.token_hex(32))
    key_encryption_file.chmod(0o600)
    setup_token_file = tmp_path / "setup-token"

    def nats(user: str) -> dict[str, Any]:
        return {
            "nats_url": nats_server.url,
            "nats_monitor_url": nats_server.monitor_url,
            "nats_user": user,
            "nats_password": nats_server.passwords[user],
        }

    @asynccontextmanager
    async def start(*roles: str) -> AsyncIterator[Stack]:
        for name in SERVICES:  # migrations run in this thread: none while services beside them hold transactions
            make_database(name, f"{name}_service")
        async with AsyncExitStack() as running:
            databases: dict[str, Database] = {}

            async def started(service: Service) -> RunningService:
                databases[service.runtime.name] = service.runtime.database
                return await running.enter_async_context(running_service(service, installation, roles=roles or BOTH))

            def settings(name: str, **values: Any) -> dict[str, Any]:
                database = make_database(name, f"{name}_service")
                if name == "tickets":  # an installation begins with options, which the last test may have changed
                    with psycopg.connect(database.owner_url.replace("+psycopg", "")) as connection:
                        connection.execute("DELETE FROM ticket_options")
                        connection.execute(TICKET_OPTIONS.encode())
                return installation.settings(name, database_url=database.app_url, **nats(name), **values)

            auth = await started(
                auth_service.app.build(
                    AuthSettings(
                        **settings(
                            "auth",
                            setup_token_file=setup_token_file,
                            key_encryption_file=key_encryption_file,
                            bcrypt_cost=4,
                        )
                    )
                )
            )
            asking = auth.client("gateway")
            access_tokens = AccessTokens.over_http(
                f"{auth.http_url}/.well-known/jwks.json", Revocations(from_auth(asking, "gateway"))
            )
            ai = await started(ai_service.app.build(AiSettings(**settings("ai")), access_tokens=access_tokens))
            logs = await started(
                logs_service.app.build(
                    LogsSettings(**settings("logs", ai_target=ai.target)), access_tokens=access_tokens
                )
            )
            tickets = await started(
                tickets_service.app.build(
                    TicketsSettings(
                        **settings("tickets", auth_target=auth.target, logs_target=logs.target, ai_target=ai.target)
                    ),
                    access_tokens=access_tokens,
                )
            )
            changelog = await started(
                changelog_service.app.build(
                    ChangelogSettings(**settings("changelog", ai_target=ai.target)), access_tokens=access_tokens
                )
            )
            yield Stack(installation, auth, logs, tickets, changelog, ai, databases, nats("gateway"), setup_token_file)

    return start


@pytest_asyncio.fixture
async def stack(start_stack: StartStack) -> AsyncIterator[Stack]:
    """All five services, serving and working."""
    async with start_stack() as running:
        yield running


@pytest_asyncio.fixture
async def gateway(stack: Stack) -> AsyncIterator[RunningGateway]:
    """A gateway in front of the real services."""
    async with stack.gateway() as running:
        yield running


@pytest.fixture
def start_script(installation: Installation, nats_server: TestNats) -> StartScript:
    """Starts scripted services and a gateway in front of them, with the given settings."""

    @asynccontextmanager
    async def start(**values: Any) -> AsyncIterator[Script]:
        async with AsyncExitStack() as running:

            async def scripted(name: str, descriptor: ServiceDescriptor) -> ScriptedService:
                service = ScriptedService(descriptor, history_service_pb2.DESCRIPTOR.services_by_name["HistoryService"])
                return await running.enter_async_context(running_script(service, name, installation))

            auth = await scripted("auth", auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"])
            logs = await scripted("logs", logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"])
            tickets = await scripted("tickets", tickets_service_pb2.DESCRIPTOR.services_by_name["TicketsService"])
            changelog = await scripted(
                "changelog", changelog_service_pb2.DESCRIPTOR.services_by_name["ChangelogService"]
            )
            ai = await scripted("ai", ai_service_pb2.DESCRIPTOR.services_by_name["AiService"])
            defaults = {
                "environment": "production",
                "documents": "any",
                "auth_target": auth.target,
                "logs_target": logs.target,
                "tickets_target": tickets.target,
                "changelog_target": changelog.target,
                "ai_target": ai.target,
                "operations_listen": "127.0.0.1:0",
                "nats_url": nats_server.url,
                "nats_user": "gateway",
                "nats_password": nats_server.passwords["gateway"],
            }
            settings = GatewaySettings(**installation.settings("gateway", **{**defaults, **values}))
            gateway = build(settings, access_tokens=installation.access_tokens())
            front = await running.enter_async_context(running_gateway(gateway))
            yield Script(installation, front, auth, logs, tickets, changelog, ai)

    return start


@pytest_asyncio.fixture
async def script(start_script: StartScript) -> AsyncIterator[Script]:
    """A gateway in production, in front of services that answer as the test says."""
    async with start_script(max_cost=100_000) as running:
        yield running


@pytest.fixture
def full(script: Script) -> Script:
    """Services that answer everything: three tickets and one changelog."""
    for name, scripts in answers.EVERYTHING.items():
        script.service(name).answers.update(scripts)
    script.tickets.answers["ListTickets"] = tickets_service_pb2.ListTicketsResponse(
        tickets=[a_ticket(an_id(number), log_ids=[an_id(number)]) for number in (21, 22, 23)], cursors=["a", "b", "c"]
    )
    script.changelog.answers["ListChangelogs"] = changelog_service_pb2.ListChangelogsResponse(
        changelogs=[a_changelog(an_id(31))], cursors=["a"]
    )
    return script
