"""What leaves auth by ways round the table: histories and replayed answers, masked for whoever looks now."""

import json
from typing import Any

import pytest
from services.auth.tests.factories import Auth, Person, refusal

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from aiops.common.v1.page_pb2 import PageRequest
from aiops.history.v1 import history_service_pb2 as history_pb
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceStub

KEY = "key-0000000000000001"


async def asked(auth: Auth, person: Person, method: str, **fields: Any) -> Any:
    stub = HistoryServiceStub(auth.client.channel)
    request = getattr(history_pb, f"{method}Request")(kind="user", **fields)
    return await auth.client.call(getattr(stub, method), request, token=person.token)


@pytest.mark.parametrize(
    ("role", "sees_address"), [(user_pb2.ROLE_ADMIN, True), (user_pb2.ROLE_HR, True), (user_pb2.ROLE_OPS, False)]
)
async def test_the_history_of_an_account_shows_addresses_to_whoever_sees_addresses(
    auth: Auth, role: user_pb2.Role.ValueType, sees_address: bool,  # noqa: FBT001 - a case
) -> None:  # fmt: skip
    admin = await auth.first_admin()
    subject = await auth.joined(admin, "bob@example.com")
    viewer = await auth.joined(admin, "eve@example.com", role)

    state = json.loads((await asked(auth, viewer, "GetState", id=subject.user.id, version=2)).state_json)
    changes = (await asked(auth, viewer, "ListChanges", id=subject.user.id, page=PageRequest(first=10))).changes
    compared = await asked(auth, viewer, "CompareVersions", id=subject.user.id, from_version=1, to_version=2)

    assert (state.get("email"), state["role"], state["status"]) == (
        "bob@example.com" if sees_address else None, "ops", "active",
    )  # fmt: skip
    assert [change.event for change in changes] == ["UserInvited", "UserSignedUp"]
    assert ("bob@example.com" in str(changes)) is sees_address
    assert [operation.path for operation in compared.operations] == ["/status"]


async def test_a_person_without_role_sees_his_own_history_alone(auth: Auth) -> None:
    admin = await auth.first_admin()
    invited = await auth.invite(admin, "bob@example.com", user_pb2.ROLE_UNSPECIFIED)
    await auth.sign_up("bob@example.com", invitation_token=invited.invitation_token)
    bob = await auth.logged_in("bob@example.com")

    own = (await asked(auth, bob, "ListChanges", id=bob.user.id, page=PageRequest(first=10))).changes
    with refusal("HISTORY_NOT_FOUND"):
        await asked(auth, bob, "ListChanges", id=admin.user.id, page=PageRequest(first=10))

    assert [change.event for change in own] == ["UserInvited", "UserSignedUp"]


async def test_a_key_of_an_admin_opens_nothing_for_others(auth: Auth) -> None:
    """Idempotency keys belong to whoever used them: for another person the same key is a new request, or none."""
    admin = await auth.first_admin()
    other = await auth.joined(admin, "eve@example.com", user_pb2.ROLE_ADMIN)
    hr = await auth.joined(admin, "hal@example.com", user_pb2.ROLE_HR)
    request = pb.InviteUserRequest(idempotency_key=KEY, email="new@example.com", role=user_pb2.ROLE_OPS)
    first = await auth.call("InviteUser", request, token=admin.token)

    with refusal("FORBIDDEN"):
        await auth.call("InviteUser", request, token=hr.token)
    again = await auth.call("InviteUser", request, token=admin.token)
    by_other = await auth.call("InviteUser", request, token=other.token)

    assert again == first
    assert by_other.user == first.user
    assert by_other.invitation_token not in {"", first.invitation_token}


async def test_a_replay_asks_again_what_its_owner_may(auth: Auth) -> None:
    admin = await auth.first_admin()
    second = await auth.joined(admin, "eve@example.com", user_pb2.ROLE_ADMIN)
    bob = await auth.joined(admin, "bob@example.com")
    request = pb.SetUserRoleRequest(idempotency_key=KEY, user_id=bob.user.id, expected_version=2, role=user_pb2.ROLE_HR)
    first = await auth.call("SetUserRole", request, token=second.token)
    again = await auth.call("SetUserRole", request, token=second.token)
    await auth.set_role(admin, second.user.id, 2, user_pb2.ROLE_OPS)
    demoted = await auth.refresh(second.refresh_token)

    with refusal("FORBIDDEN") as caught:
        await auth.call("SetUserRole", request, token=demoted.session.access_token)

    assert again == first
    assert first.user.email == "bob@example.com"
    assert caught.value.metadata == {"operation": "SetUserRole"}
