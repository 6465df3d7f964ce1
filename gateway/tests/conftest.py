"""The gateway over the real services on real Postgres and NATS, and over scripted ones for failures on demand."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.descriptor import ServiceDescriptor

import ai_service.app
import auth_service.app
import logs_service.app
from ai_service.settings import AiSettings
from aiops.ai.v1 import ai_service_pb2
from aiops.auth.v1 import auth_service_pb2
from aiops.changelog.v1 import changelog_service_pb2
from aiops.logs.v1 import logs_service_pb2
from aiops.tickets.v1 import tickets_service_pb2
from auth_service.settings import AuthSettings
from chassis.identity import AccessTokens
from chassis.testing.harness import Installation, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats
from gateway.app import build
from gateway.settings import GatewaySettings
from gateway.testing import answers
from gateway.testing.answers import a_changelog, a_ticket, an_id
from gateway.testing.harness import RunningGateway, running_gateway
from gateway.testing.scripted import ScriptedService, running_script
from gateway.testing.stack import Script, Stack
from logs_service.settings import LogsSettings

StartScript = Callable[..., AbstractAsyncContextManager[Script]]

BOTH = ("serve", "work")


@pytest_asyncio.fixture
async def stack(
    installation: Installation,
    make_database: Callable[[str, str], ServiceDatabase],
    nats_server: TestNats,
    tmp_path: Path,
) -> AsyncIterator[Stack]:
    """auth, logs and ai, serving and working."""
    key_encryption_file = tmp_path / "auth-encryption.key"
    key_encryption_file.write_text(secrets.token_hex(32))
    key_encryption_file.chmod(0o600)

    def nats(user: str) -> dict[str, Any]:
        return {
            "nats_url": nats_server.url,
            "nats_monitor_url": nats_server.monitor_url,
            "nats_user": user,
            "nats_password": nats_server.passwords[user],
        }

    async with AsyncExitStack() as running:
        auth = await running.enter_async_context(
            running_service(
                auth_service.app.build(
                    AuthSettings(
                        **installation.settings(
                            "auth",
                            database_url=make_database("auth", "auth_service").app_url,
                            setup_token_file=tmp_path / "setup-token",
                            key_encryption_file=key_encryption_file,
                            bcrypt_cost=4,
                            **nats("auth"),
                        )
                    )
                ),
                installation,
                roles=BOTH,
            )
        )
        jwks_url = f"{auth.http_url}/.well-known/jwks.json"
        ai = await running.enter_async_context(
            running_service(
                ai_service.app.build(
                    AiSettings(
                        **installation.settings(
                            "ai", database_url=make_database("ai", "ai_service").app_url, **nats("ai")
                        )
                    ),
                    access_tokens=AccessTokens.over_http(jwks_url),
                ),
                installation,
                roles=BOTH,
            )
        )
        logs = await running.enter_async_context(
            running_service(
                logs_service.app.build(
                    LogsSettings(
                        **installation.settings(
                            "logs",
                            database_url=make_database("logs", "logs_service").app_url,
                            ai_target=ai.target,
                            **nats("logs"),
                        )
                    ),
                    access_tokens=AccessTokens.over_http(jwks_url),
                ),
                installation,
                roles=BOTH,
            )
        )
        yield Stack(installation, auth, logs, ai, nats("gateway"), tmp_path / "setup-token")


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
                service = ScriptedService(descriptor)
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
    async with start_script() as running:
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
