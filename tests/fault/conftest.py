"""All five services on real Postgres and NATS, each behind a door, and a gateway in front of the doors."""

import asyncio
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.fault.doors import RpcDoor, TcpDoor
from tests.fault.things import Things, make_things
from tests.suite import figures

import ai_service.app
import auth_service.app
import changelog_service.app
import logs_service.app
import tickets_service.app
from ai_service.settings import AiSettings
from auth_service.settings import AuthSettings
from changelog_service.settings import ChangelogSettings
from chassis import nats_config
from chassis.identity import AccessTokens
from chassis.metrics import Metrics
from chassis.revocations import Revocations, client_for, from_auth
from chassis.service import Service
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import MigratedSchemas, NatsServers
from gateway.app import build
from gateway.settings import GatewaySettings
from gateway.testing.harness import RunningGateway, running_gateway
from logs_service.settings import LogsSettings
from tickets_service.settings import TicketsSettings

__all__ = ["figures"]

SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
BOTH = ("serve", "work")
HEALED_SECONDS = 20.0


@dataclass(frozen=True)
class House:
    """The installation as these tests see it."""

    gateway: RunningGateway
    doors: dict[str, RpcDoor]
    jwks_door: TcpDoor
    things: Things

    async def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer to the admin."""
        return await self.gateway.ask(query, variables, token=self.things.token)

    async def data(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to the admin, which is whole."""
        return await self.gateway.data(query, variables, token=self.things.token)

    async def stop(self, name: str) -> None:
        """Take a service away; with auth goes the address of its keys."""
        await self.doors[name].stop()
        if name == "auth":
            await self.jwks_door.stop()

    async def heal(self) -> None:
        """Everything works again, and the gateway has found out."""
        for door in self.doors.values():
            await door.open()
        await self.jwks_door.open()
        until = time.monotonic() + HEALED_SECONDS
        while "errors" in (answer := await self.ask(ALL_SERVICES, {"id": self.things.summary_run})):
            assert time.monotonic() < until, answer
            await asyncio.sleep(0.1)


ALL_SERVICES = """
query All($id: ID!) {
  me { id }
  logs(first: 1) { nodes { id } }
  tickets(first: 1) { nodes { id } }
  changelogs(first: 1) { nodes { id } }
  _entities(representations: [{__typename: "Run", id: $id}]) { __typename }
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_of_module(
    installation: Installation,
    migrated_schemas: MigratedSchemas,
    nats_servers: NatsServers,
    nats_registry: tuple[nats_config.RegisteredEvent, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[House]:
    folder, nats = tmp_path_factory.mktemp("auth"), nats_servers.get(nats_registry)
    key_encryption_file = folder / "encryption.key"
    key_encryption_file.write_text(secrets.token_hex(32))
    key_encryption_file.chmod(0o600)
    doors: dict[str, RpcDoor] = {}
    # Migrations run in this thread: none while services beside them hold transactions.
    credentials = {name: migrated_schemas.ensure(name, f"{name}_service") for name in SERVICES}

    def settings(name: str, **values: Any) -> dict[str, Any]:
        return installation.settings(
            name,
            database_url=migrated_schemas.app_url(credentials[name]),
            nats_url=nats.url,
            nats_monitor_url=nats.monitor_url,
            nats_user=name,
            nats_password=nats.passwords[name],
            **{f"{other}_target": door.target for other, door in doors.items()},
            **values,
        )

    async with AsyncExitStack() as running:

        async def start(name: str, service: Service) -> RunningService:
            started = await running.enter_async_context(running_service(service, installation, roles=BOTH))
            doors[name] = RpcDoor(started.target)
            running.push_async_callback(doors[name].close)
            await doors[name].open()
            return started

        of_auth = settings(
            "auth", setup_token_file=folder / "setup", key_encryption_file=key_encryption_file, bcrypt_cost=4
        )
        auth = await start("auth", auth_service.app.build(AuthSettings(**of_auth)))
        jwks_door = TcpDoor(auth.http_url.removeprefix("http://"))
        running.push_async_callback(jwks_door.stop)
        await jwks_door.open()
        jwks_url = f"http://{jwks_door.address}/.well-known/jwks.json"

        def tokens() -> AccessTokens:
            asking = client_for(doors["auth"].target, installation.identity("logs"), Metrics())
            running.push_async_callback(asking.close)
            return AccessTokens.over_http(jwks_url, Revocations(from_auth(asking, "logs"), hears=True))

        await start("ai", ai_service.app.build(AiSettings(**settings("ai")), access_tokens=tokens()))
        await start("logs", logs_service.app.build(LogsSettings(**settings("logs")), access_tokens=tokens()))
        await start(
            "tickets", tickets_service.app.build(TicketsSettings(**settings("tickets")), access_tokens=tokens())
        )
        await start(
            "changelog", changelog_service.app.build(ChangelogSettings(**settings("changelog")), access_tokens=tokens())
        )
        of_gateway = installation.settings(
            "gateway",
            operations_listen="127.0.0.1:0",
            jwks_url=jwks_url,
            nats_url=nats.url,
            nats_user="gateway",
            nats_password=nats.passwords["gateway"],
            **{f"{name}_target": door.target for name, door in doors.items()},
        )
        gateway = await running.enter_async_context(running_gateway(build(GatewaySettings(**of_gateway))))
        things = await make_things(gateway, (folder / "setup").read_text().strip())
        yield House(gateway, doors, jwks_door, things)


@pytest_asyncio.fixture(loop_scope="module")
async def house(house_of_module: House) -> AsyncIterator[House]:
    """The installation, whole again after each test."""
    await house_of_module.heal()
    yield house_of_module
    await house_of_module.heal()


@contextmanager
def fault_folder_of() -> Iterator[Path]:
    """A folder that Postgres can reach as another user too; gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="aiops-fault-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fault_folder() -> Iterator[Path]:
    """A folder for one test."""
    with fault_folder_of() as folder:
        yield folder
