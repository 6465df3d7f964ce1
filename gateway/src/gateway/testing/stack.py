"""An installation as tests see it: running services, gateways in front of them, and people who use them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from chassis.clock import SystemClock
from chassis.db import Database
from chassis.identity import Role, Viewer
from chassis.ids import uuid7
from chassis.testing.harness import Installation, RunningService
from gateway.app import build
from gateway.settings import GatewaySettings
from gateway.testing.harness import RunningGateway, running_gateway
from gateway.testing.scripted import ScriptedService

PASSWORD = "correct horse battery"  # noqa: S105 - made up


@dataclass(frozen=True)
class Person:
    """Somebody with an account who is logged in."""

    id: str
    email: str
    token: str
    refresh_token: str


@dataclass(frozen=True)
class Stack:
    """Real services, and gateways on demand."""

    installation: Installation
    auth: RunningService
    logs: RunningService
    tickets: RunningService
    changelog: RunningService
    ai: RunningService
    databases: dict[str, Database]
    """By the service's name."""
    nats: dict[str, Any]
    """The gateway's settings for NATS."""
    setup_token_file: Path

    @asynccontextmanager
    async def gateway(self, **values: Any) -> AsyncIterator[RunningGateway]:
        """One more gateway; `values` are settings."""
        targets = {
            "auth_target": self.auth.target,
            "logs_target": self.logs.target,
            "tickets_target": self.tickets.target,
            "changelog_target": self.changelog.target,
            "ai_target": self.ai.target,
            "jwks_url": f"{self.auth.http_url}/.well-known/jwks.json",
            "operations_listen": "127.0.0.1:0",
        }
        settings = GatewaySettings(**self.installation.settings("gateway", **{**targets, **self.nats, **values}))
        async with running_gateway(build(settings)) as running:
            yield running

    async def admin(self, gateway: RunningGateway, email: str = "ada@example.com") -> Person:
        """The first person of the installation."""
        await gateway.mutate(
            "signUp",
            "user { id }",
            email=email,
            password=PASSWORD,
            displayName="Ada",
            setupToken=self.setup_token_file.read_text().strip(),
        )
        return await self.log_in(gateway, email)

    async def join(self, gateway: RunningGateway, admin: Person, email: str, role: str = "OPS") -> Person:
        """Somebody whom the admin invited."""
        invited = await gateway.mutate("inviteUser", "invitationToken", token=admin.token, email=email, role=role)
        await gateway.mutate(
            "signUp", "user { id }", email=email, password=PASSWORD, invitationToken=invited["invitationToken"]
        )
        return await self.log_in(gateway, email)

    async def log_in(self, gateway: RunningGateway, email: str) -> Person:
        """Somebody with an account, in a new session."""
        answer = await gateway.mutate(
            "logIn", "session { accessToken refreshToken } user { id }", email=email, password=PASSWORD
        )
        session = answer["session"]
        return Person(answer["user"]["id"], email, session["accessToken"], session["refreshToken"])


@dataclass(frozen=True)
class Script:
    """A gateway in front of scripted services."""

    installation: Installation
    gateway: RunningGateway
    auth: ScriptedService
    logs: ScriptedService
    tickets: ScriptedService
    changelog: ScriptedService
    ai: ScriptedService

    def service(self, name: str) -> ScriptedService:
        """One of the five."""
        return {
            "auth": self.auth,
            "logs": self.logs,
            "tickets": self.tickets,
            "changelog": self.changelog,
            "ai": self.ai,
        }[name]

    def token(self, *, seconds: float = 600, kind: Literal["user", "service_account"] = "user") -> str:
        """The access token of an admin, or of a machine that may write logs."""
        viewer = Viewer(
            id=uuid7(),
            kind=kind,
            role=Role.ADMIN if kind == "user" else None,
            scopes=frozenset() if kind == "user" else frozenset({"logs:write"}),
            session_id=uuid7(),
            token_id=str(uuid7()),
            expires_at=SystemClock().now() + timedelta(seconds=seconds),
        )
        return self.installation.token(viewer)
