"""Callers who are nobody, not who they say, or not allowed: refused by name on every way in, their secrets unlogged."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import jwt
import pytest
from tests.e2e.client import LOGS, ME, Census, Client, database_of, logged, person
from tests.e2e.conftest import ONE_PROCESS, RunningStack

from aiops.logs.v1.logs_service_pb2 import GetLogRequest
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from auth_service.credentials.signing import KeySealer, KeyState, Signer, SigningKey
from chassis.errors import ErrorKind, RemoteError
from chassis.identity import ServiceIdentity, sign_access_token
from chassis.rpc.client import Client as RpcClient

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)

LINE = b"2026-11-20T10:00:00Z INFO shop: order 17 paid in 5 ms\n"
UNKNOWN = "0198c0de-0000-7000-8000-000000000001"
WRONG = {
    "__typename": "AuthenticationError",
    "code": "CREDENTIALS_INVALID",
    "message": "e-mail address and password do not belong together; check both and try again",
}


def log_in(stack: RunningStack, email: str, password: str) -> dict[str, Any]:
    return Client(stack.url).mutate("logIn", "session { accessToken }", email=email, password=password)


@pytest.mark.parametrize("password", ["a wrong guess b41c07", "w" * 73], ids=["wrong", "73 bytes"])
def test_wrong_password_is_refused_alike_for_known_and_unknown_people(
    stack: RunningStack, census: Census, password: str
) -> None:
    known = json.loads((stack.folder / "admin.json").read_text())["email"]
    before = census.take()

    members = [log_in(stack, email, password) for email in (known, f"{uuid4().hex}@example.com")]

    assert members[0] == members[1] == WRONG
    assert census.take() == before
    assert logged(stack, password) == []


def test_address_with_a_nul_character_is_nobodys(stack: RunningStack) -> None:
    assert log_in(stack, "a\x00dmin@example.com", "a wrong\x00 guess") == WRONG


@pytest.mark.parametrize("password", ["p" * 73, "é" * 37, "too short"], ids=["73 bytes", "74 bytes", "short"])
def test_password_that_bcrypt_would_cut_or_is_short_is_refused_at_sign_up(
    stack: RunningStack, admin: Client, census: Census, password: str
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    invited = admin.mutate("inviteUser", "invitationToken", email=email, role="OPS")
    before = census.take()

    member = Client(stack.url).mutate(
        "signUp", "user { id }", email=email, password=password, invitationToken=invited["invitationToken"]
    )

    assert (member["__typename"], member["code"]) == ("ValidationError", "PASSWORD_UNACCEPTABLE")
    assert "at least 12 characters and at most 72 bytes in UTF-8" in member["message"]
    assert census.take() == before
    assert logged(stack, password, invited["invitationToken"]) == []


@pytest.mark.parametrize(
    ("tokens", "code", "advice"),
    [
        ({}, "SIGN_UP_CLOSED", "ask an admin"),
        ({"invitationToken": "an-invitation-nobody-made"}, "INVITATION_INVALID", "ask an admin for a new one"),
        ({"setupToken": "a-setup-token-of-somebody"}, "SETUP_TOKEN_INVALID", "ask an admin for an invitation"),
    ],
)
def test_stranger_cannot_make_an_account(
    stack: RunningStack, census: Census, tokens: dict[str, str], code: str, advice: str
) -> None:
    before = census.take()

    member = Client(stack.url).mutate(
        "signUp", "user { id }", email=f"{uuid4().hex[:9]}@example.com", password="a long enough password", **tokens
    )

    assert (member["__typename"], member["code"]) == ("ForbiddenError", code)
    assert advice in member["message"]
    assert census.take() == before
    assert logged(stack, "a long enough password", *tokens.values()) == []


@pytest.fixture(scope="module")
def signer(stack: RunningStack) -> Signer:
    """The very key that auth signs with, so that a token is wrong in nothing but its claims."""
    with database_of(stack) as connection:
        kid, sealed, created_at = connection.execute(
            "SELECT kid, sealed_private_key, created_at FROM auth.signing_keys WHERE state = 'current'"
        ).fetchall()[0]
    sealer = KeySealer.from_file(stack.folder / "keys" / "auth-encryption.key")
    return sealer.open(SigningKey(kid, {}, bytes(sealed), KeyState.CURRENT, created_at))


def token(signer: Signer, base: str, **changes: object) -> str:
    """The token of `base` with other claims; a claim changed to None is left out."""
    claims = {**jwt.decode(base, options={"verify_signature": False}), **changes}
    return sign_access_token(
        signer.key, signer.kid, {name: value for name, value in claims.items() if value is not None}
    )


def unsigned(claims: Mapping[str, object]) -> str:
    return jwt.encode(dict(claims), "", "none", headers={"kid": "x", "typ": "at+jwt"})


def tokens(stack: RunningStack, admin: Client, signer: Signer) -> dict[str, str]:
    now = int(time.time())
    head, claims, signature = admin.token.split(".")
    service = ServiceIdentity.from_file("gateway", stack.folder / "keys" / "gateway.pem")
    plain = jwt.decode(admin.token, options={"verify_signature": False})
    return {
        "expired": token(signer, admin.token, iat=now - 700, nbf=now - 700, exp=now - 1),
        "not valid yet": token(signer, admin.token, iat=now + 300, nbf=now + 300, exp=now + 900),
        "of another installation": token(signer, admin.token, iss="another"),
        "for another audience": token(signer, admin.token, aud="another"),
        "without expiry": token(signer, admin.token, exp=None),
        "without session": token(signer, admin.token, sid=None),
        "with an unknown role": token(signer, admin.token, role="root"),
        "of a service, for logs": service.token("logs"),
        "of a service, for all": jwt.encode(
            {**plain, "iss": "gateway"}, service._key, "EdDSA", headers={"kid": "gateway", "typ": "svc+jwt"}
        ),
        "of a service, said to be a person's": sign_access_token(service._key, "gateway", plain),
        "with another's signature": f"{head}.{claims}.{signature[::-1]}",
        "unsigned": unsigned(plain),
        "of a machine that nobody made": "aiops_" + "a1B2c3D4" * 5,
        "no token at all": "hunter2-is-my-token",
    }


def test_token_that_is_wrong_in_anything_is_refused_on_every_way_in(
    stack: RunningStack, admin: Client, census: Census, signer: Signer
) -> None:
    wrong = tokens(stack, admin, signer)
    before = census.take()

    for name, text in wrong.items():
        code = "API_TOKEN_INVALID" if "machine" in name else "UNAUTHENTICATED"
        client = Client(stack.url, text)
        read, pushed = client.post(ME), client.upload(LINE)

        assert (name, read.status_code, pushed.status_code) == (name, 401, 401)
        assert read.json()["errors"][0]["extensions"]["code"] == code
        assert "data" not in read.json()
        assert pushed.json()["code"] == code
        assert pushed.headers["www-authenticate"] == "Bearer"
        for said in (read.json()["errors"][0]["message"], pushed.json()["detail"]):
            assert "log in again" in said or "ask an admin for a new one" in said
            assert text not in said
    assert census.take() == before
    assert logged(stack, *wrong.values()) == []


def test_token_with_nothing_changed_is_taken(stack: RunningStack, admin: Client, signer: Signer) -> None:
    same = Client(stack.url, token(signer, admin.token))

    assert same.data("{ me { role } }") == {"me": {"role": "ADMIN"}}


def test_command_with_an_expired_token_names_the_setting_that_holds_it(
    stack: RunningStack, admin: Client, signer: Signer
) -> None:
    expired = token(signer, admin.token, exp=int(time.time()) - 1)
    stack.environment["AIOPS_TOKEN"] = expired
    try:
        refused = stack.aiops("logs", "list")
    finally:
        del stack.environment["AIOPS_TOKEN"]

    assert refused.returncode == 3
    assert "it has expired" in refused.stderr
    assert "Set AIOPS_TOKEN to a token that is good." in refused.stderr
    assert expired not in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("caller", "audience", "kind"),
    [("gateway", "auth", ErrorKind.UNAUTHENTICATED), ("ai", "logs", ErrorKind.FORBIDDEN)],
    ids=["a token for another service", "a service that has no business there"],
)
def test_service_refuses_services_too(
    stack: RunningStack, admin: Client, caller: str, audience: str, kind: ErrorKind
) -> None:
    identity = ServiceIdentity.from_file(caller, stack.folder / "keys" / f"{caller}.pem")

    async def ask() -> None:
        client = RpcClient(f"127.0.0.1:{8102 + stack.offset}", audience, identity)
        try:
            await client.call(LogsServiceStub(client.channel).GetLog, GetLogRequest(log_id=UNKNOWN), token=admin.token)
        finally:
            await client.close()

    with pytest.raises(RemoteError) as refused:
        asyncio.run(ask())

    assert refused.value.kind is kind


@pytest.fixture(scope="module")
def people(stack: RunningStack, admin: Client) -> dict[str, Client]:
    return {role or "none": person(stack, admin, role)[0] for role in (None, "HR", "OPS")}


@pytest.mark.parametrize("role", ["none", "HR"])
def test_logs_are_closed_to_people_without_the_role(
    admin: Client, census: Census, people: dict[str, Client], role: str
) -> None:
    log_id = admin.stored(LINE)
    version = admin.summarized(log_id)["version"]
    before, outsider = census.take(), people[role]
    reads: dict[str, tuple[str, dict[str, object]]] = {
        "logs": (LOGS, {"first": 1}),
        "log": ("query($id: ID!) { log(id: $id) { id } }", {"id": log_id}),
        "logRecords": ("{ logRecords { nodes { body } } }", {}),
        "_entities": (
            'query($id: ID!) { _entities(representations: [{__typename: "Log", id: $id}]) { ... on Log { name } } }',
            {"id": log_id},
        ),
    }

    for field, (document, variables) in reads.items():
        body = outsider.ask(document, variables)
        assert (field, body["data"]) == (field, {field: [None] if field == "_entities" else None})
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert body["errors"][0]["message"] == "you are not allowed to do this; ask an admin"
    members = [
        outsider.mutate("summarizeLog", "log { id }", name="x", text="a line"),
        outsider.mutate("updateLog", "log { id }", logId=log_id, expectedVersion=version, notes="mine"),
        outsider.mutate("resummarizeLog", "log { id }", logId=log_id, expectedVersion=version),
    ]
    pushed = outsider.upload(LINE)

    assert {(member["__typename"], member["code"]) for member in members} == {("ForbiddenError", "FORBIDDEN")}
    assert (pushed.status_code, pushed.json()["code"]) == (403, "FORBIDDEN")
    assert outsider.data("{ me { role } }") == {"me": {"role": None if role == "none" else role}}
    assert census.take() == before


@pytest.mark.parametrize("role", ["none", "HR", "OPS"])
def test_accounts_are_closed_to_all_but_admins(census: Census, people: dict[str, Client], role: str) -> None:
    outsider, before = people[role], census.take()
    own = outsider.data(ME)["me"]

    members = [
        outsider.mutate("inviteUser", "user { id }", email="friend@example.com", role="ADMIN"),
        outsider.mutate("setUserRole", "user { id }", userId=own["id"], expectedVersion=own["version"], role="ADMIN"),
        outsider.mutate("createApiToken", "token", serviceAccountName="mine", scopes=["logs:write"]),
    ]
    listed = outsider.ask("{ users { nodes { id } } }")

    assert {(member["__typename"], member["code"]) for member in members} == {("ForbiddenError", "FORBIDDEN")}
    assert (listed["data"], listed["errors"][0]["extensions"]["code"]) == ({"users": None}, "FORBIDDEN")
    assert census.take() == before


def test_machine_without_the_scope_pushes_nothing(stack: RunningStack, admin: Client, census: Census) -> None:
    made = admin.mutate("createApiToken", "token", serviceAccountName="ticket-bot", scopes=["tickets:write"])
    machine, before = Client(stack.url, made["token"]), census.take()

    pushed = machine.upload(LINE)
    member = machine.mutate("summarizeLog", "log { id }", name="x", text="a line")

    assert (pushed.status_code, pushed.json()["code"]) == (403, "FORBIDDEN")
    assert (member["__typename"], member["code"]) == ("ForbiddenError", "FORBIDDEN")
    assert census.take() == before
    assert logged(stack, made["token"]) == []
