"""A gateway in front of scripted services, and other people's programs that talk to it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.descriptor import ServiceDescriptor

from aiops.ai.v1 import ai_service_pb2
from aiops.auth.v1 import auth_service_pb2
from aiops.changelog.v1 import changelog_service_pb2
from aiops.logs.v1 import logs_service_pb2
from aiops.tickets.v1 import tickets_service_pb2
from chassis.clock import SystemClock
from chassis.identity import Role, Viewer
from chassis.ids import uuid7
from chassis.testing.harness import Installation
from chassis.testing.plugin import TestNats
from gateway.app import build
from gateway.settings import GatewaySettings
from gateway.testing.harness import RunningGateway, running_gateway
from gateway.testing.scripted import ScriptedService, running_script

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ANSWER_SECONDS = 60
SERVICES: dict[str, ServiceDescriptor] = {
    "auth": auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"],
    "logs": logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"],
    "tickets": tickets_service_pb2.DESCRIPTOR.services_by_name["TicketsService"],
    "changelog": changelog_service_pb2.DESCRIPTOR.services_by_name["ChangelogService"],
    "ai": ai_service_pb2.DESCRIPTOR.services_by_name["AiService"],
}

RunNode = Callable[..., Awaitable[Any]]


class Front:
    """A gateway in development, where introspection is on, and what stands behind it."""

    def __init__(self, gateway: RunningGateway, services: dict[str, ScriptedService], token: str) -> None:
        self.gateway = gateway
        self.services = services
        self.token = token
        """The access token of an admin."""
        self.url = f"{gateway.url}/graphql"


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a Node whose packages are installed."""
    command = [sys.executable, str(ROOT / "dev" / "node.py")]
    ready = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ready.returncode == 0, ready.stderr
    return ready.stdout.strip()


@pytest.fixture
def run_node(node: str) -> RunNode:
    """Runs a program of this folder with arguments and an object on standard input; what it prints, read as JSON."""

    async def run(program: str, *arguments: str, stdin: object = None) -> Any:
        process = await asyncio.create_subprocess_exec(
            node,
            str(HERE / program),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                out, err = await process.communicate(json.dumps(stdin).encode())
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    return run


@pytest_asyncio.fixture
async def front(installation: Installation, nats_server: TestNats) -> AsyncIterator[Front]:
    """A gateway in front of services that answer as the test says."""
    async with AsyncExitStack() as running:
        services = {
            name: await running.enter_async_context(running_script(ScriptedService(descriptor), name, installation))
            for name, descriptor in SERVICES.items()
        }
        values = {
            **{f"{name}_target": service.target for name, service in services.items()},
            "environment": "development",
            "operations_listen": "127.0.0.1:0",
            "nats_url": nats_server.url,
            "nats_user": "gateway",
            "nats_password": nats_server.passwords["gateway"],
        }
        settings = GatewaySettings(**installation.settings("gateway", **values))
        gateway = await running.enter_async_context(
            running_gateway(build(settings, access_tokens=installation.access_tokens()))
        )
        clock = SystemClock()
        viewer = Viewer(
            id=uuid7(),
            kind="user",
            role=Role.ADMIN,
            scopes=frozenset(),
            session_id=uuid7(),
            token_id=str(uuid7()),
            expires_at=clock.now().replace(microsecond=0).replace(year=clock.now().year + 1),
        )
        yield Front(gateway, services, installation.token(viewer, clock))
