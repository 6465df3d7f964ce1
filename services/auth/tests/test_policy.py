"""The whole table: every caller on behalf of everybody for every RPC."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from services.auth.tests.factories import Auth, refusal

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from aiops.auth.v1.user_pb2 import User
from auth_service.policy import RULES, make_policy
from chassis.errors import DomainError
from chassis.identity import Call, Role, Viewer
from chassis.ids import uuid7

ME = UUID("0198c0de-0000-7000-8000-000000000001")
OTHER = UUID("0198c0de-0000-7000-8000-000000000002")
METHODS = sorted(RULES)
SERVICES = ["gateway", "logs", "tickets", "changelog", "ai", "auth"]
ANYBODY = {
    "SignUp",
    "LogIn",
    "RefreshSession",
    "LogOut",
    "ExchangeApiToken",
    "GetSignInProvider",
    "BeginSignIn",
    "CompleteSignIn",
    "EndProviderSessions",
}
PERSON = {"GetMe", "ChangePassword"}


def viewer(role: Role | None = None, *, machine: bool = False) -> Viewer:
    kind: Any = "service_account" if machine else "user"
    expires_at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=10)
    scopes = frozenset({"logs:write"}) if machine else frozenset()
    return Viewer(ME, kind, role, scopes, uuid7(), "token", expires_at)


VIEWERS = {
    "nobody": None,
    "machine": viewer(machine=True),
    "person": viewer(),
    "ops": viewer(Role.OPS),
    "hr": viewer(Role.HR),
    "admin": viewer(Role.ADMIN),
}


@pytest.mark.parametrize(("method", "caller", "who"), list(product(METHODS, SERVICES, VIEWERS)))
def test_matrix_of_callers_and_viewers(method: str, caller: str, who: str) -> None:
    if method == "BatchGetUsers":
        allowed = caller != "auth" and who in {"nobody", "ops", "hr", "admin"}
    elif method == "BatchGetUsersByEmail":
        allowed = caller == "gateway" and who in {"ops", "hr", "admin"}
    elif method == "ListSigningKeys":
        allowed = caller != "auth"
    elif method == "ListRevocations":
        allowed = caller != "auth" and who == "nobody"
    elif method in ANYBODY:
        allowed = caller == "gateway"
    elif method in PERSON:
        allowed = caller == "gateway" and who not in {"nobody", "machine"}
    else:
        allowed = caller == "gateway" and who == "admin"

    assert passes(Call(caller, VIEWERS[who], method=method)) is allowed


def passes(call: Call) -> bool:
    try:
        make_policy().authorize(call)
    except DomainError:
        return False
    return True


@pytest.mark.parametrize(
    ("caller", "who", "mine", "others"),
    [
        ("gateway", "admin", "me@x", "other@x"),
        ("gateway", "hr", "me@x", "other@x"),
        ("gateway", "ops", "me@x", ""),
        ("gateway", "person", "me@x", ""),
        ("gateway", "machine", "", ""),
        ("logs", "nobody", "", ""),
        ("logs", "ops", "me@x", ""),
    ],
)
def test_addresses_are_seen_by_their_owner_and_by_who_works_with_people(
    caller: str, who: str, mine: str, others: str
) -> None:
    people = [User(id=str(ME), email="me@x", display_name="Me"), User(id=str(OTHER), email="other@x", display_name="O")]
    answer = pb.BatchGetUsersResponse(users=people)

    masked = make_policy().mask(Call(caller, VIEWERS[who], method="BatchGetUsers"), answer)

    assert isinstance(masked, pb.BatchGetUsersResponse)
    assert [user.email for user in masked.users] == [mine, others]
    assert [user.display_name for user in masked.users] == ["Me", "O"]
    assert [user.email for user in answer.users] == ["me@x", "other@x"]


def test_gateway_without_a_viewer_gets_no_people() -> None:
    answer = pb.BatchGetUsersResponse(users=[User(id=str(OTHER), email="other@x", display_name="O")])

    assert make_policy().mask(Call("gateway", None, method="BatchGetUsers"), answer) == pb.BatchGetUsersResponse()


@pytest.mark.parametrize(("who", "others"), [("admin", "other@x"), ("hr", "other@x"), ("ops", "")])
def test_addresses_are_masked_in_accounts_that_were_found_by_them(who: str, others: str) -> None:
    person = User(id=str(OTHER), email="other@x", display_name="O")
    answer = pb.BatchGetUsersByEmailResponse(users=[pb.UserWithEmail(requested_email="Other@X", user=person)])

    masked = make_policy().mask(Call("gateway", VIEWERS[who], method="BatchGetUsersByEmail"), answer)

    assert isinstance(masked, pb.BatchGetUsersByEmailResponse)
    (found,) = masked.users
    assert (found.requested_email, found.user.email, found.user.display_name) == ("Other@X", others, "O")
    assert answer.users[0].user.email == "other@x"


@pytest.mark.parametrize(
    "answer",
    [pb.SignUpResponse(user=User(email="me@x")), pb.LogInResponse(user=User(email="me@x"))],
)
def test_who_has_just_proved_who_he_is_sees_his_address(answer: Any) -> None:
    method = type(answer).__name__.removesuffix("Response")

    assert make_policy().mask(Call("gateway", None, method=method), answer) == answer


async def test_mask_and_table_stand_before_the_real_service(auth: Auth) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com")
    request = pb.BatchGetUsersRequest(ids=[admin.user.id, ops.user.id])

    answer = await auth.call("BatchGetUsers", request, token=ops.token)

    assert {user.display_name: user.email for user in answer.users} == {"Ada": "", "bob": "bob@example.com"}
    with refusal("FORBIDDEN"):
        await auth.call("ListUsers", pb.ListUsersRequest(), token=ops.token)
    with refusal("UNAUTHENTICATED"):
        await auth.call("ListUsers", pb.ListUsersRequest())
    machine = (await auth.exchange((await auth.create_api_token(admin)).token)).access_token
    with refusal("FORBIDDEN"):
        await auth.call("GetMe", pb.GetMeRequest(), token=machine)


async def test_token_of_another_service_is_refused(auth: Auth) -> None:
    logs = auth.running.client("logs")

    with refusal("FORBIDDEN"):
        await logs.call(AuthServiceStub(logs.channel).GetMe, pb.GetMeRequest())
