"""Every RPC as a caller sees it: the answer, the facts told, and repeated or outdated requests."""

from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from services.auth.tests.factories import ADMIN_EMAIL, OTHER_PASSWORD, PASSWORD, Auth, Person, new_key, refusal

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from aiops.common.v1.page_pb2 import PageRequest
from chassis.ids import uuid7

SIGNED_UP = "aiops.auth.user.signed_up.v1"
INVITED = "aiops.auth.user.invited.v1"
ROLE_SET = "aiops.auth.user.role_set.v1"
DEACTIVATED = "aiops.auth.user.deactivated.v1"
PASSWORD_CHANGED = "aiops.auth.user.password_changed.v1"
REVOKED = "aiops.auth.session.revoked.v1"
TOKEN_CREATED = "aiops.auth.api_token.created.v1"
TOKEN_REVOKED = "aiops.auth.api_token.revoked.v1"


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def test_first_admin_signs_up_logs_in_and_reads_his_account(auth: Auth) -> None:
    admin = await auth.first_admin()

    me = await auth.me(admin)

    assert (me.email, me.display_name, me.version) == (ADMIN_EMAIL, "Ada", 1)
    assert (me.role, me.status) == (user_pb2.ROLE_ADMIN, user_pb2.USER_STATUS_ACTIVE)
    assert auth.events() == [(SIGNED_UP, 1)]
    assert auth.audit() == ["user.signed_up", "log_in.succeeded"]


async def test_access_token_names_person_session_and_role_for_ten_minutes(auth: Auth) -> None:
    admin = await auth.first_admin()

    claims = claims_of(admin.token)

    now = int(auth.clock.now().timestamp())
    assert jwt.get_unverified_header(admin.token)["typ"] == "at+jwt"
    assert (claims["iss"], claims["aud"], claims["kind"]) == ("aiops", "aiops", "user")
    assert (claims["sub"], claims["role"]) == (admin.user.id, "admin")
    assert claims["sid"] == str(auth.rows("sessions")[0]["id"])
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (now, now, now + 600)
    assert admin.session.access_token_expires_at.seconds == now + 600
    assert admin.session.refresh_token_expires_at.seconds == now + 30 * 86_400


async def test_expired_access_token_is_refused(auth: Auth) -> None:
    admin = await auth.first_admin()

    auth.clock.advance(timedelta(minutes=10))

    with refusal("UNAUTHENTICATED"):
        await auth.me(admin)


async def test_jwks_shows_public_halves_only(auth: Auth) -> None:
    async with httpx.AsyncClient() as http:
        response = await http.get(f"{auth.running.http_url}/.well-known/jwks.json")

    keys = response.json()["keys"]
    assert sorted(key["kid"] for key in keys) == sorted(row["kid"] for row in auth.rows("signing_keys"))
    assert {tuple(sorted(key)) for key in keys} == {("alg", "crv", "kid", "kty", "use", "x")}
    assert len(keys) == 2


async def test_refresh_trades_the_pair_and_tells_the_role_of_now(auth: Auth) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com", user_pb2.ROLE_OPS)
    await auth.set_role(admin, ops.user.id, 2, user_pb2.ROLE_HR)

    answer = await auth.refresh(ops.refresh_token)

    assert answer.user.role == user_pb2.ROLE_HR
    assert claims_of(answer.session.access_token)["role"] == "hr"
    assert claims_of(answer.session.access_token)["sid"] == claims_of(ops.token)["sid"]
    assert answer.session.refresh_token not in ("", ops.refresh_token)


async def test_log_out_ends_the_session_and_a_second_time_is_fine(auth: Auth) -> None:
    admin = await auth.first_admin()

    for _ in range(2):
        request = pb.LogOutRequest(idempotency_key=new_key(), refresh_token=admin.refresh_token)
        assert await auth.call("LogOut", request) == pb.LogOutResponse()

    with refusal("SESSION_REVOKED"):
        await auth.refresh(admin.refresh_token)
    assert auth.events() == [(SIGNED_UP, 1), (REVOKED, 2)]
    assert auth.rows("sessions")[0]["revocation_cause"] == "logged_out"


async def test_log_out_with_an_unknown_token_changes_nothing(auth: Auth) -> None:
    await auth.first_admin()
    before = auth.rows("sessions")

    await auth.call("LogOut", pb.LogOutRequest(idempotency_key=new_key(), refresh_token="never-given"))

    assert auth.rows("sessions") == before


async def test_pages_of_users_go_by_address_without_gap_or_repeat(auth: Auth) -> None:
    admin = await auth.first_admin("M@example.com")
    for name in ("z", "B", "k"):
        await auth.invite(admin, f"{name}@example.com")

    first = await auth.call("ListUsers", pb.ListUsersRequest(page=PageRequest(first=3)), token=admin.token)
    after = PageRequest(first=3, after=first.page_info.end_cursor)
    second = await auth.call("ListUsers", pb.ListUsersRequest(page=after), token=admin.token)

    assert [user.email for user in first.users] == ["B@example.com", "k@example.com", "M@example.com"]
    assert [user.email for user in second.users] == ["z@example.com"]
    assert (first.page_info.has_next_page, second.page_info.has_next_page) == (True, False)
    assert first.cursors[-1] == first.page_info.end_cursor


@pytest.mark.parametrize("first", [0, -1, 101, 10_000])
@pytest.mark.parametrize("method", ["ListUsers", "ListApiTokens"])
async def test_page_sizes_out_of_range_are_refused(auth: Auth, method: str, first: int) -> None:
    admin = await auth.first_admin()
    request_type = pb.ListUsersRequest if method == "ListUsers" else pb.ListApiTokensRequest

    with refusal("PAGE_SIZE_OUT_OF_RANGE"):
        await auth.call(method, request_type(page=PageRequest(first=first)), token=admin.token)


@pytest.mark.parametrize("method", ["ListUsers", "ListApiTokens"])
async def test_cursor_of_another_list_is_refused(auth: Auth, method: str) -> None:
    admin = await auth.first_admin()
    request_type = pb.ListUsersRequest if method == "ListUsers" else pb.ListApiTokensRequest

    with refusal("CURSOR_INVALID"):
        await auth.call(method, request_type(page=PageRequest(first=1, after="WzFd")), token=admin.token)


async def test_batch_holds_those_that_exist(auth: Auth) -> None:
    admin = await auth.first_admin()
    ids = [admin.user.id, str(uuid7()), admin.user.id]

    answer = await auth.call("BatchGetUsers", pb.BatchGetUsersRequest(ids=ids), token=admin.token)

    assert [user.id for user in answer.users] == [admin.user.id]


@pytest.mark.parametrize("ids", [["no-uuid"], [str(uuid7()) for _ in range(1001)]])
async def test_malformed_or_too_large_batch_is_refused(auth: Auth, ids: list[str]) -> None:
    admin = await auth.first_admin()

    with refusal("INVALID_ARGUMENT") as caught:
        await auth.call("BatchGetUsers", pb.BatchGetUsersRequest(ids=ids), token=admin.token)

    assert caught.value.metadata["field"] == "ids"


async def test_role_is_given_and_taken(auth: Auth) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com")

    promoted = await auth.set_role(admin, ops.user.id, 2, user_pb2.ROLE_ADMIN)
    demoted = await auth.set_role(admin, ops.user.id, 3, user_pb2.ROLE_UNSPECIFIED)

    assert (promoted.role, promoted.version) == (user_pb2.ROLE_ADMIN, 3)
    assert (demoted.role, demoted.version) == (user_pb2.ROLE_UNSPECIFIED, 4)
    assert auth.events() == [(SIGNED_UP, 1), (INVITED, 1), (SIGNED_UP, 2), (ROLE_SET, 3), (ROLE_SET, 4)]


async def test_deactivation_ends_every_session_of_that_person_alone(auth: Auth) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com")
    again = await auth.logged_in("bob@example.com")

    closed = await auth.deactivate(admin, ops.user.id, 2)

    assert (closed.status, closed.version) == (user_pb2.USER_STATUS_DEACTIVATED, 3)
    for token in (ops.refresh_token, again.refresh_token):
        with refusal("SESSION_REVOKED"):
            await auth.refresh(token)
    await auth.refresh(admin.refresh_token)
    assert auth.events()[3:] == [(DEACTIVATED, 3), (REVOKED, 2), (REVOKED, 2)]


async def test_password_change_keeps_this_session_and_ends_the_others(auth: Auth) -> None:
    admin = await auth.first_admin()
    other = await auth.logged_in(ADMIN_EMAIL)

    answer = await auth.call("ChangePassword", change_request(), token=admin.token)

    assert answer.user.version == 2
    await auth.refresh(admin.refresh_token)
    with refusal("SESSION_REVOKED"):
        await auth.refresh(other.refresh_token)
    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in(ADMIN_EMAIL, PASSWORD)
    await auth.log_in(ADMIN_EMAIL, OTHER_PASSWORD)
    assert auth.events()[1:] == [(PASSWORD_CHANGED, 2), (REVOKED, 2)]


async def test_password_change_with_a_wrong_current_one_changes_nothing(auth: Auth) -> None:
    admin = await auth.first_admin()
    before = auth.snapshot()

    with refusal("CREDENTIALS_INVALID"):
        await auth.call("ChangePassword", change_request(current_password="wrong wrong wrong"), token=admin.token)

    assert auth.snapshot() == before


async def test_repeated_password_change_gets_its_first_answer_though_the_old_password_is_gone(auth: Auth) -> None:
    admin = await auth.first_admin()
    request = change_request()
    first = await auth.call("ChangePassword", request, token=admin.token)

    second = await auth.call("ChangePassword", request, token=admin.token)

    assert second == first
    assert auth.events()[1:] == [(PASSWORD_CHANGED, 2)]


def change_request(**fields: Any) -> pb.ChangePasswordRequest:
    values = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD, "expected_version": 1, **fields}
    return pb.ChangePasswordRequest(idempotency_key=new_key(), **values)


async def test_machine_gets_a_token_of_sixty_seconds_with_its_scopes(auth: Auth) -> None:
    admin = await auth.first_admin()
    created = await auth.create_api_token(admin, scopes=["tickets:write", "logs:write"])

    exchanged = await auth.exchange(created.token)

    claims = claims_of(exchanged.access_token)
    now = int(auth.clock.now().timestamp())
    assert created.token.startswith(created.api_token.prefix + "_")
    assert (claims["kind"], claims["scopes"]) == ("service_account", ["logs:write", "tickets:write"])
    assert (claims["sub"], claims["sid"]) == (created.api_token.service_account_id, created.api_token.id)
    assert (claims["exp"], exchanged.access_token_expires_at.seconds) == (now + 60, now + 60)
    assert "role" not in claims
    assert auth.events()[1:] == [(TOKEN_CREATED, 1)]


async def test_second_token_of_a_name_is_for_the_same_machine(auth: Auth) -> None:
    admin = await auth.first_admin()

    tokens = [(await auth.create_api_token(admin, service_account_name="vector")).api_token for _ in range(2)]
    page = await auth.call("ListApiTokens", pb.ListApiTokensRequest(page=PageRequest(first=1)), token=admin.token)

    assert tokens[0].service_account_id == tokens[1].service_account_id
    assert [token.id for token in page.api_tokens] == [tokens[1].id]
    assert page.page_info.has_next_page


async def test_revoked_api_token_is_refused_and_stays_revoked(auth: Auth) -> None:
    admin = await auth.first_admin()
    created = await auth.create_api_token(admin)

    revoked = [
        (await auth.call("RevokeApiToken", revoke_request(created.api_token.id, version), token=admin.token)).api_token
        for version in (1, 2)
    ]

    assert [token.version for token in revoked] == [2, 2]
    assert revoked[0].revoked_at.seconds == int(auth.clock.now().timestamp())
    with refusal("API_TOKEN_INVALID"):
        await auth.exchange(created.token)
    assert auth.events()[1:] == [(TOKEN_CREATED, 1), (TOKEN_REVOKED, 2)]


def revoke_request(token_id: str, version: int) -> pb.RevokeApiTokenRequest:
    return pb.RevokeApiTokenRequest(idempotency_key=new_key(), api_token_id=token_id, expected_version=version)


async def test_unknown_ids_are_named(auth: Auth) -> None:
    admin = await auth.first_admin()
    unknown = str(uuid7())
    before = auth.snapshot()

    with refusal("USER_NOT_FOUND"):
        await auth.set_role(admin, unknown, 1, user_pb2.ROLE_OPS)
    with refusal("USER_NOT_FOUND"):
        await auth.deactivate(admin, unknown, 1)
    with refusal("API_TOKEN_NOT_FOUND"):
        await auth.call("RevokeApiToken", revoke_request(unknown, 1), token=admin.token)

    assert auth.snapshot() == before


@pytest.mark.parametrize(
    ("version", "reason"), [(1, "VERSION_CONFLICT"), (3, "VERSION_CONFLICT"), (0, "INVALID_ARGUMENT")]
)
async def test_changes_of_another_version_are_refused(auth: Auth, version: int, reason: str) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com")
    before = auth.snapshot()

    with refusal(reason) as role:
        await auth.set_role(admin, ops.user.id, version, user_pb2.ROLE_HR)
    with refusal(reason) as end:
        await auth.deactivate(admin, ops.user.id, version)
    with refusal(reason) as password:
        await auth.call("ChangePassword", change_request(expected_version=version), token=ops.token)

    assert auth.snapshot() == before
    whose = {"expected": str(version), "actual": "2", "aggregate_type": "user", "aggregate_id": ops.user.id}
    expected = whose if reason == "VERSION_CONFLICT" else {"field": "expected_version"}
    assert [caught.value.metadata for caught in (role, end, password)] == [expected] * 3


async def test_api_token_of_another_version_is_not_revoked(auth: Auth) -> None:
    admin = await auth.first_admin()
    created = await auth.create_api_token(admin)

    with refusal("VERSION_CONFLICT") as caught:
        await auth.call("RevokeApiToken", revoke_request(created.api_token.id, 2), token=admin.token)

    assert caught.value.metadata["aggregate_type"] == "api_token"
    assert caught.value.metadata["aggregate_id"] == created.api_token.id
    await auth.exchange(created.token)


@pytest.mark.parametrize("method", ["SignUp", "LogIn", "RefreshSession", "InviteUser", "SetUserRole", "CreateApiToken"])
async def test_same_key_gets_the_same_answer_and_another_request_under_it_is_refused(auth: Auth, method: str) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com")
    request, other = pair_of_requests(
        method, admin, ops, (await auth.invite(admin, "eve@example.com")).invitation_token
    )
    first = await auth.call(method, request, token=admin.token)
    after_first = auth.snapshot()

    second = await auth.call(method, request, token=admin.token)
    with refusal("IDEMPOTENCY_KEY_REUSED"):
        await auth.call(method, other, token=admin.token)

    assert second == first
    assert auth.snapshot() == after_first


def pair_of_requests(method: str, admin: Person, ops: Person, invitation: str) -> tuple[Any, Any]:
    """A request and another one under the same key."""
    key = new_key()
    eve = {"idempotency_key": key, "email": "eve@example.com", "invitation_token": invitation}
    role: dict[str, Any] = {"idempotency_key": key, "user_id": ops.user.id, "expected_version": 2}
    machine: dict[str, Any] = {"idempotency_key": key, "scopes": ["logs:write"]}
    pairs: dict[str, tuple[Any, Any]] = {
        "SignUp": (pb.SignUpRequest(password=PASSWORD, **eve), pb.SignUpRequest(password=OTHER_PASSWORD, **eve)),
        "LogIn": (
            pb.LogInRequest(idempotency_key=key, email=ADMIN_EMAIL, password=PASSWORD),
            pb.LogInRequest(idempotency_key=key, email="bob@example.com", password=PASSWORD),
        ),
        "RefreshSession": (
            pb.RefreshSessionRequest(idempotency_key=key, refresh_token=admin.refresh_token),
            pb.RefreshSessionRequest(idempotency_key=key, refresh_token=ops.refresh_token),
        ),
        "InviteUser": (
            pb.InviteUserRequest(idempotency_key=key, email="carl@example.com", role=user_pb2.ROLE_HR),
            pb.InviteUserRequest(idempotency_key=key, email="carl@example.com", role=user_pb2.ROLE_ADMIN),
        ),
        "SetUserRole": (
            pb.SetUserRoleRequest(role=user_pb2.ROLE_HR, **role),
            pb.SetUserRoleRequest(role=user_pb2.ROLE_ADMIN, **role),
        ),
        "CreateApiToken": (
            pb.CreateApiTokenRequest(service_account_name="a", **machine),
            pb.CreateApiTokenRequest(service_account_name="b", **machine),
        ),
    }
    return pairs[method]


@pytest.mark.parametrize("key", ["", "fifteen-letters", "x" * 256])
async def test_write_without_a_good_key_is_refused(auth: Auth, key: str) -> None:
    admin = await auth.first_admin()
    before = auth.snapshot()

    with refusal("IDEMPOTENCY_KEY_INVALID"):
        request = pb.InviteUserRequest(idempotency_key=key, email="bob@example.com")
        await auth.call("InviteUser", request, token=admin.token)

    assert auth.snapshot() == before
