"""A service running inside a test, on free ports, with every caller and viewer that the test asks for."""

import json
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from opentelemetry import trace

from chassis import telemetry
from chassis.clock import Clock, SystemClock
from chassis.identity import (
    INSTALLATION,
    AccessTokens,
    Call,
    Role,
    ServiceIdentity,
    Viewer,
    acting_as,
    public_jwk,
    sign_access_token,
)
from chassis.ids import uuid7
from chassis.process import Process
from chassis.revocations import Revocation, Revocations
from chassis.rpc.client import Client
from chassis.service import Service

SERVICES = ("auth", "logs", "tickets", "changelog", "ai", "gateway")
KEY_ID = "test"


def ensure_tracing() -> None:
    """Make trace ids valid in this process, which can have one provider only."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        telemetry.configure("tests")


class _Told(Revocations):
    """What is void, said once: a test has no auth, and a server of its own nobody who asks each second."""

    def __init__(self, revoked: Sequence[Revocation]) -> None:
        async def source(_since: str) -> tuple[Sequence[Revocation], str]:
            return revoked, ""

        super().__init__(source)
        self._take(revoked)
        self._answered_at = float("inf")

    async def ask(self) -> None:
        """Hear nothing new."""


class Installation:
    """The keys and files of a whole installation, made up for a test session."""

    def __init__(self, folder: Path, services: Iterable[str] = SERVICES) -> None:
        self.folder = folder
        self._signing_key = Ed25519PrivateKey.generate()
        self._keys = {name: Ed25519PrivateKey.generate() for name in services}
        for name, key in self._keys.items():
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (folder / f"{name}.pem").write_bytes(pem)
        trust = {name: public_jwk(key.public_key(), name) for name, key in self._keys.items()}
        (folder / "trust.json").write_text(json.dumps(trust))
        (folder / "redaction.key").write_text(secrets.token_hex(32))

    def settings(self, service: str, **values: Any) -> dict[str, Any]:
        """Values for the settings class of `service`: files, free ports, no waiting; `values` are added or win."""
        return {
            "environment": "development",
            "trust_file": self.folder / "trust.json",
            "redaction_key_file": self.folder / "redaction.key",
            "key_file": self.folder / f"{service}.pem",
            "grpc_listen": "127.0.0.1:0",
            "http_listen": "127.0.0.1:0",
            "anchor_url": f"file:{self.folder / 'anchors'}",
            "startup_seconds": 10.0,
            "drain_seconds": 0.0,
            **values,
        }

    def identity(self, service: str) -> ServiceIdentity:
        """A service as itself, to call others with."""
        return ServiceIdentity(service, self._keys[service])

    def access_tokens(self, clock: Clock | None = None, revoked: Sequence[Revocation] = ()) -> AccessTokens:
        """What takes the tokens that `token` makes, by this clock, but for those that are void by what stands there."""
        keys = json.dumps({"keys": [public_jwk(self._signing_key.public_key(), KEY_ID)]})

        async def jwks() -> str:
            return keys

        return AccessTokens(jwks, _Told(revoked), clock)

    def token(self, viewer: Viewer, clock: Clock | None = None) -> str:
        """An access token that speaks for this viewer."""
        now = int((clock or SystemClock()).now().timestamp())
        claims: dict[str, Any] = {
            "iss": INSTALLATION,
            "aud": INSTALLATION,
            "sub": str(viewer.id),
            "sid": str(viewer.session_id),
            "jti": viewer.token_id,
            "kind": viewer.kind,
            "iat": now,
            "nbf": now,
            "exp": int(viewer.expires_at.timestamp()),
            "account_version": viewer.version,
        }
        if viewer.role is not None:
            claims["role"] = viewer.role.value
        if viewer.kind == "service_account":
            claims["scopes"] = sorted(viewer.scopes)
        return sign_access_token(self._signing_key, KEY_ID, claims)

    @contextmanager
    def as_viewer(
        self,
        role: str | None = None,
        *,
        kind: Literal["user", "service_account"] = "user",
        scopes: Iterable[str] = (),
        viewer_id: UUID | None = None,
        clock: Clock | None = None,
        caller: str = "gateway",
    ) -> Iterator[Viewer]:
        """Make calls within the block for a person with this role (or none), or for a machine with these scopes."""
        clock = clock or SystemClock()
        viewer = Viewer(
            id=viewer_id or uuid7(),
            kind=kind,
            role=Role(role) if role else None,
            scopes=frozenset(scopes),
            session_id=uuid7(),
            token_id=str(uuid7()),
            expires_at=clock.now().replace(microsecond=0) + timedelta(minutes=10),
        )
        with acting_as(Call(caller, viewer, self.token(viewer, clock))):
            yield viewer


class RunningService:
    """A service that answers on `target`."""

    def __init__(self, installation: Installation, name: str, process: Process) -> None:
        self.installation = installation
        self.process = process
        self.target = f"127.0.0.1:{process.grpc_port}"
        self.http_url = f"http://127.0.0.1:{process.http_port}"
        self._name = name
        self._clients: dict[str, Client] = {}

    def client(self, caller: str = "gateway") -> Client:
        """The way to this service for a caller; viewers come from `Installation.as_viewer`."""
        if caller not in self._clients:
            self._clients[caller] = Client(self.target, self._name, self.installation.identity(caller))
        return self._clients[caller]

    async def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            await client.close()


@asynccontextmanager
async def running_service(
    service: Service, installation: Installation, *, roles: Iterable[str] = ("serve",)
) -> AsyncIterator[RunningService]:
    """Run the service for the block; `work` among the roles needs a NATS in the service's settings."""
    ensure_tracing()
    process = Process(service, frozenset(roles))
    running = None
    try:
        await process.start()
        running = RunningService(installation, service.runtime.name, process)
        yield running
    finally:
        if running is not None:
            await running.close()
        await process.stop()
