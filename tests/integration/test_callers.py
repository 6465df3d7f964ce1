"""Every caller against every RPC of every service: what the policy tables declare is heard, all else is refused first.

The servers are those of the five services, as their processes make them. Each handler is replaced by one that only
notes that it was reached: nothing happens, and a refusal shows that it came before.
"""

import importlib
import pkgutil
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc import StatusCode

import aiops
from chassis import process
from chassis.errors import Conflict
from chassis.identity import Role, ServiceIdentity, Viewer
from chassis.ids import uuid7
from chassis.policy import Rule
from chassis.rpc.keys import CALLER_TOKEN_KEY, VIEWER_TOKEN_KEY
from chassis.rpc.server import make_server
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation, running_service
from chassis.testing.plugin import ServiceDatabase

SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
CALLERS = (*SERVICES, "gateway")
SCOPES = ("logs:write", "changes:write", "tickets:write")
HEALTH = "grpc.health.v1.Health"
HEARD = StatusCode.FAILED_PRECONDITION


class Reached(Conflict):
    """The handler was reached."""

    reason = "REACHED"


@dataclass
class Server:
    """One service's server, as it listens."""

    name: str
    target: str = ""
    rules: dict[str, Rule] = field(default_factory=dict)
    methods: dict[str, Any] = field(default_factory=dict)
    """Handlers by path."""


@dataclass
class House:
    """Those that run."""

    servers: dict[str, Server]
    reached: list[str]
    """Paths of the handlers that were reached, one after the other."""


def viewer(kind: str, role: Role | None = None, *scopes: str, ends: timedelta = timedelta(minutes=10)) -> Viewer:
    return Viewer(
        id=uuid7(),
        kind="user" if kind == "user" else "service_account",
        role=role,
        scopes=frozenset(scopes),
        session_id=uuid7(),
        token_id=str(uuid7()),
        expires_at=datetime.now(UTC).replace(microsecond=0) + ends,
    )


VIEWERS: dict[str, Viewer | None] = {
    "nobody": None,
    **{role.value: viewer("user", role) for role in Role},
    "no role": viewer("user"),
    **{f"machine {scope}": viewer("machine", None, scope) for scope in SCOPES},
    "machine": viewer("machine"),
}


@pytest_asyncio.fixture
async def house(
    request: pytest.FixtureRequest,
    installation: Installation,
    make_database: Callable[[str, str], ServiceDatabase],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> AsyncIterator[House]:
    """The service that the test names, or all five, on real Postgres; handlers only note that they were reached."""
    house = House({}, [])
    make = make_server

    def recording(name: str, **parts: Any) -> Any:
        server: Any = make(name, **parts)
        made = house.servers[name] = Server(name, rules=parts["policy"].rules)
        add = server.add_generic_rpc_handlers

        def register(service: str, handlers: dict[str, Any]) -> None:
            if service != HEALTH:
                handlers = {rpc: noting(each, f"/{service}/{rpc}", house) for rpc, each in handlers.items()}
                made.methods |= {f"/{service}/{rpc}": each for rpc, each in handlers.items()}
            add((grpc.method_handlers_generic_handler(service, handlers),))

        server.add_generic_rpc_handlers = lambda _handlers: None  # they come once more:
        server.add_registered_method_handlers = register  # with their names
        return server

    monkeypatch.setattr(process, "make_server", recording)
    encryption = tmp_path / "encryption.key"
    encryption.write_text(secrets.token_hex(32))
    encryption.chmod(0o600)
    auth = {"key_encryption_file": encryption, "setup_token_file": tmp_path / "setup-token", "bcrypt_cost": 4}
    names = [*request.node.callspec.params.values()] if hasattr(request.node, "callspec") else [*SERVICES]
    for name in names:  # migrations run in this thread: none while services beside them hold transactions
        make_database(name, f"{name}_service")
    async with AsyncExitStack() as running:
        for name in names:
            settings = getattr(importlib.import_module(f"{name}_service.settings"), f"{name.capitalize()}Settings")
            url = make_database(name, f"{name}_service").app_url
            values = installation.settings(name, database_url=url, **(auth if name == "auth" else {}))
            build = importlib.import_module(f"{name}_service.app").build
            service = build(settings(**values), access_tokens=installation.access_tokens())
            started = await running.enter_async_context(running_service(service, installation))
            house.servers[name].target = started.target
        yield house


def noting(handler: Any, path: str, house: House) -> Any:
    """A handler of the same form that goes no further."""

    async def one(_request: Any, _context: Any) -> Any:
        house.reached.append(path)
        raise Reached(path)

    async def many(request: Any, context: Any) -> AsyncIterator[None]:
        yield await one(request, context)

    codec = handler.request_deserializer, handler.response_serializer
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(many, *codec)
    kind = grpc.stream_unary_rpc_method_handler if handler.request_streaming else grpc.unary_unary_rpc_method_handler
    return kind(one, *codec)


def every_rpc() -> Iterator[MethodDescriptor]:
    for module in pkgutil.walk_packages(aiops.__path__, "aiops."):
        if module.name.endswith("_pb2"):
            found: list[ServiceDescriptor] = importlib.import_module(module.name).DESCRIPTOR.services_by_name.values()
            for service in found:
                yield from service.methods


async def call(channel: Any, path: str, handler: Any, tokens: dict[str, str]) -> StatusCode:
    """Call with these tokens and an empty request; the code of the answer."""
    metadata = tuple((key, f"Bearer {token}") for key, token in tokens.items())
    try:
        if handler.response_streaming:
            async for _ in channel.unary_stream(path)(b"", metadata=metadata, timeout=10):
                pass
        elif handler.request_streaming:
            await channel.stream_unary(path)(iter(()), metadata=metadata, timeout=10)
        else:
            await channel.unary_unary(path)(b"", metadata=metadata, timeout=10)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return StatusCode.OK


def declared(rule: Rule | None, caller: str, who: Viewer | None) -> StatusCode:
    """What the table says, read by this test itself."""
    if rule is None or caller not in rule.callers:
        return StatusCode.PERMISSION_DENIED
    if who is None:
        return HEARD if rule.anonymous or rule.background else StatusCode.UNAUTHENTICATED
    if who.kind == "user":
        admitted = rule.anonymous or rule.any_user or who.role in rule.roles
    else:
        admitted = rule.anonymous or bool(rule.scopes & who.scopes)
    return HEARD if admitted else StatusCode.PERMISSION_DENIED


async def test_every_rpc_of_the_protos_is_served_and_has_a_rule(house: House) -> None:
    served = {path for server in house.servers.values() for path in server.methods}

    assert served == {f"/{rpc.containing_service.full_name}/{rpc.name}" for rpc in every_rpc()}
    for server in house.servers.values():
        assert {path.rpartition("/")[2] for path in server.methods} <= set(server.rules), server.name


@pytest.mark.parametrize("name", SERVICES)
async def test_callers_and_viewers_pass_as_declared(house: House, installation: Installation, name: str) -> None:
    server = house.servers[name]
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
    seers = {who: replace(seen, expires_at=until) for who, seen in VIEWERS.items() if seen is not None}
    tokens = {who: installation.token(seen) for who, seen in seers.items()}
    cells, wrong = 0, []
    async with grpc.aio.insecure_channel(server.target) as channel:
        for path, handler in server.methods.items():
            rule = server.rules[path.rpartition("/")[2]]
            for caller in CALLERS:
                sent = {CALLER_TOKEN_KEY: installation.identity(caller).token(name)}
                for who, seen in VIEWERS.items():
                    house.reached.clear()
                    given = {**sent, VIEWER_TOKEN_KEY: tokens[who]} if seen else sent

                    code = await call(channel, path, handler, given)

                    cells += 1
                    if (code, house.reached) != outcome(declared(rule, caller, seen), path):
                        wrong.append((path, caller, who, code, list(house.reached)))

    assert wrong == []
    assert cells == len(server.methods) * len(CALLERS) * len(VIEWERS)


def outcome(expected: StatusCode, path: str) -> tuple[StatusCode, list[str]]:
    """The code, and which handlers were reached on the way to it."""
    return expected, [path] if expected is HEARD else []


def forged_callers(installation: Installation, audience: str) -> dict[str, dict[str, str]]:
    """Tokens of callers that are none, for a service."""
    stranger = ServiceIdentity("stranger", Ed25519PrivateKey.generate())
    pretender = ServiceIdentity("gateway", Ed25519PrivateKey.generate())
    past, future = FrozenClock(), FrozenClock()
    past.advance(datetime.now(UTC) - past.now() - timedelta(hours=1))
    future.advance(datetime.now(UTC) - future.now() + timedelta(hours=1))
    gateway = installation._keys["gateway"]
    now = int(datetime.now(UTC).timestamp())
    long = {"iss": "gateway", "aud": audience, "iat": now, "exp": now + 3600, "jti": "x"}
    elsewhere = next(other for other in SERVICES if other != audience)
    forged = {
        "stranger": stranger.token(audience),
        "pretender": pretender.token(audience),
        "expired": ServiceIdentity("gateway", gateway, past).token(audience),
        "of the future": ServiceIdentity("gateway", gateway, future).token(audience),
        "for another service": installation.identity("gateway").token(elsewhere),
        "for too long": jwt.encode(long, gateway, "EdDSA", headers={"kid": "gateway", "typ": "svc+jwt"}),
        "an access token": installation.token(viewer("user", Role.ADMIN)),
        "nonsense": "e30.e30.e30",
    }
    return {"none": {}, **{name: {CALLER_TOKEN_KEY: token} for name, token in forged.items()}}


@pytest.mark.parametrize("name", SERVICES)
async def test_nobody_is_heard_without_a_good_token(house: House, installation: Installation, name: str) -> None:
    server = house.servers[name]
    admin = {VIEWER_TOKEN_KEY: installation.token(viewer("user", Role.ADMIN))}
    gateway = {CALLER_TOKEN_KEY: installation.identity("gateway").token(name)}
    other = Installation.__new__(Installation)
    other._signing_key = Ed25519PrivateKey.generate()
    over = viewer("user", Role.ADMIN, ends=timedelta(hours=-1))
    bad_viewers = {
        "expired": installation.token(replace(over, session_id=uuid7())),
        "of another installation": other.token(viewer("user", Role.ADMIN)),
        "a service's": installation.identity("gateway").token(name),
        "nonsense": "e30.e30.e30",
    }
    attempts = [{**forged, **more} for forged in forged_callers(installation, name).values() for more in ({}, admin)]
    attempts += [{**gateway, VIEWER_TOKEN_KEY: token} for token in bad_viewers.values()]
    answers = set()
    async with grpc.aio.insecure_channel(server.target) as channel:
        for path, handler in server.methods.items():
            for tokens in attempts:
                answers.add(await call(channel, path, handler, tokens))

    assert answers == {StatusCode.UNAUTHENTICATED}
    assert house.reached == []


async def test_what_ai_may_ask_of_others_is_no_more_than_it_needs(house: House) -> None:
    """A model's words reach nothing through ai: it asks auth for names, keys and what is void, and nobody else."""
    open_to_ai = {
        (server.name, rpc)
        for server in house.servers.values()
        for rpc, rule in server.rules.items()
        if "ai" in rule.callers
    }

    assert open_to_ai <= {("auth", "BatchGetUsers"), ("auth", "ListSigningKeys"), ("auth", "ListRevocations")}
