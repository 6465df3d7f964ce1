"""Auth as its callers use it, and people to use it with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from aiops.events.v1.envelope_pb2 import Envelope
from chassis.errors import DomainError
from chassis.identity import Call, Viewer, acting_as
from chassis.rpc.client import Client
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import RunningService
from chassis.testing.plugin import ServiceDatabase

if TYPE_CHECKING:
    from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "staple of another kind"
ADMIN_EMAIL = "ada@example.com"
ADDRESS = "198.51.100.7"


def new_key() -> str:
    """An idempotency key that was never used."""
    return f"test-{uuid4()}"


@contextmanager
def refusal(reason: str) -> Iterator[pytest.ExceptionInfo[DomainError]]:
    """The block is refused for this reason."""
    with pytest.raises(DomainError) as caught:
        yield caught
    assert caught.value.reason == reason, caught.value


@dataclass(frozen=True)
class Person:
    """Somebody with an account who is logged in."""

    user: user_pb2.User
    session: user_pb2.Session
    password: str

    @property
    def token(self) -> str:
        """What this person's calls carry."""
        return self.session.access_token

    @property
    def refresh_token(self) -> str:
        """What keeps this person logged in."""
        return self.session.refresh_token


@contextmanager
def for_person(person: Person) -> Iterator[None]:
    """The block acts for this person, without gRPC between."""
    expires_at = person.session.access_token_expires_at.ToDatetime(tzinfo=UTC)
    viewer = Viewer(UUID(person.user.id), "user", None, frozenset(), None, "token", expires_at)
    with acting_as(Call("gateway", viewer)):
        yield


class Auth:
    """A running auth."""

    def __init__(
        self, running: RunningService, clock: FrozenClock, schema: ServiceDatabase, setup_token_file: Path
    ) -> None:
        self.running = running
        self.clock = clock
        self.database = schema.database
        self.app_url = schema.app_url
        self.setup_token_file = setup_token_file
        self.owner_url = schema.owner_url

    @cached_property
    def client(self) -> Client:
        """The gateway's way to auth."""
        return self.running.client("gateway")

    @cached_property
    def stub(self) -> "AuthServiceAsyncStub":
        """Auth's RPCs."""
        return AuthServiceStub(self.client.channel)

    async def call(self, method: str, request: Any, *, token: str | None = None) -> Any:
        """Ask auth as the gateway, for the holder of an access token or for nobody."""
        return await self.client.call(getattr(self.stub, method), request, token=token, timeout_seconds=20)

    async def sign_up(self, email: str, **fields: Any) -> user_pb2.User:
        """Make an account."""
        values = {"idempotency_key": new_key(), "email": email, "password": PASSWORD, **fields}
        response = await self.call("SignUp", pb.SignUpRequest(**values))
        assert isinstance(response, pb.SignUpResponse)
        return response.user

    async def log_in(self, email: str, password: str = PASSWORD, *, address: str = ADDRESS) -> pb.LogInResponse:
        """Start a session."""
        request = pb.LogInRequest(idempotency_key=new_key(), email=email, password=password, client_address=address)
        response = await self.call("LogIn", request)
        assert isinstance(response, pb.LogInResponse)
        return response

    async def refresh(self, refresh_token: str, *, key: str = "") -> pb.RefreshSessionResponse:
        """Trade a refresh token in."""
        request = pb.RefreshSessionRequest(idempotency_key=key or new_key(), refresh_token=refresh_token)
        response = await self.call("RefreshSession", request)
        assert isinstance(response, pb.RefreshSessionResponse)
        return response

    async def first_admin(self, email: str = ADMIN_EMAIL) -> Person:
        """The person who started the installation, logged in."""
        token = self.setup_token_file.read_text().strip()
        await self.sign_up(email, setup_token=token, display_name="Ada")
        return await self.logged_in(email)

    async def invite(
        self, admin: Person, email: str, role: user_pb2.Role.ValueType = user_pb2.ROLE_OPS
    ) -> pb.InviteUserResponse:
        """Invite somebody."""
        request = pb.InviteUserRequest(idempotency_key=new_key(), email=email, role=role)
        response = await self.call("InviteUser", request, token=admin.token)
        assert isinstance(response, pb.InviteUserResponse)
        return response

    async def joined(self, admin: Person, email: str, role: user_pb2.Role.ValueType = user_pb2.ROLE_OPS) -> Person:
        """Somebody who was invited, signed up and logged in."""
        invited = await self.invite(admin, email, role)
        await self.sign_up(email, invitation_token=invited.invitation_token)
        return await self.logged_in(email)

    async def logged_in(self, email: str, password: str = PASSWORD) -> Person:
        """Somebody with an account, in a new session."""
        answer = await self.log_in(email, password)
        return Person(answer.user, answer.session, password)

    async def set_role(self, admin: Person, user_id: str, version: int, role: user_pb2.Role.ValueType) -> user_pb2.User:
        """Give somebody a role."""
        request = pb.SetUserRoleRequest(idempotency_key=new_key(), user_id=user_id, expected_version=version, role=role)
        response = await self.call("SetUserRole", request, token=admin.token)
        assert isinstance(response, pb.SetUserRoleResponse)
        return response.user

    async def deactivate(self, admin: Person, user_id: str, version: int) -> user_pb2.User:
        """Close an account."""
        request = pb.DeactivateUserRequest(idempotency_key=new_key(), user_id=user_id, expected_version=version)
        response = await self.call("DeactivateUser", request, token=admin.token)
        assert isinstance(response, pb.DeactivateUserResponse)
        return response.user

    async def me(self, person: Person) -> user_pb2.User:
        """Somebody's own account."""
        response = await self.call("GetMe", pb.GetMeRequest(), token=person.token)
        assert isinstance(response, pb.GetMeResponse)
        return response.user

    async def create_api_token(self, admin: Person, **fields: Any) -> pb.CreateApiTokenResponse:
        """Make a machine's credential."""
        values = {"service_account_name": "fluent-bit", "scopes": ["logs:write"], **fields}
        request = pb.CreateApiTokenRequest(idempotency_key=new_key(), **values)
        response = await self.call("CreateApiToken", request, token=admin.token)
        assert isinstance(response, pb.CreateApiTokenResponse)
        return response

    async def exchange(self, token: str) -> pb.ExchangeApiTokenResponse:
        """Trade an API token for an access token."""
        response = await self.call("ExchangeApiToken", pb.ExchangeApiTokenRequest(token=token))
        assert isinstance(response, pb.ExchangeApiTokenResponse)
        return response

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, as the owner sees it."""
        with psycopg.connect(self.owner_url, row_factory=dict_row) as connection:
            return connection.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(table))).fetchall()

    def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """What a refused call must leave alone: all but the throttles and the audit of refusals."""
        tables = ("users", "passwords", "setup", "invitations", "sessions", "refresh_tokens", "service_accounts")
        more = ("api_tokens", "signing_keys", "outbox", "idempotency_keys")
        return {table: self.rows(table) for table in (*tables, *more)}

    def dump(self) -> str:
        """Every byte that the schema holds, as text."""
        with psycopg.connect(self.owner_url, row_factory=dict_row) as connection:
            names = [
                row["tablename"]
                for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'auth'").fetchall()
            ]
        rows = {name: self.rows(name) for name in names}
        return json.dumps(
            rows, default=lambda value: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        )

    def events(self) -> list[tuple[str, int]]:
        """Subject and aggregate version of every fact told so far."""
        found = [(row["seq"], row["subject"], Envelope.FromString(row["payload"])) for row in self.rows("outbox")]
        return [
            (subject, envelope.aggregate_version) for _, subject, envelope in sorted(found, key=lambda each: each[0])
        ]

    def audit(self) -> list[str]:
        """The kinds of what was audited, in order."""
        return [row["kind"] for row in self.rows("audit_trail")]
