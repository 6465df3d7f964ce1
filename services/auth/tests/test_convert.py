import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from google.protobuf import json_format

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from auth_service import convert, domain
from auth_service.credentials import api_token as machine
from auth_service.domain import Role, User, UserStatus
from chassis.errors import InvalidArgument

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ID = UUID("0198c0de-0000-7000-8000-000000000001")
OTHER_ID = UUID("0198c0de-0000-7000-8000-000000000002")
FACTS: list[tuple[object, str]] = [
    (domain.UserSignedUp(ID, 1, None), "aiops.auth.user.signed_up.v1"),
    (domain.UserInvited(ID, 1, Role.HR), "aiops.auth.user.invited.v1"),
    (domain.UserRoleSet(ID, 2, None, Role.OPS), "aiops.auth.user.role_set.v1"),
    (domain.UserWasDeactivated(ID, 2), "aiops.auth.user.deactivated.v1"),
    (domain.UserPasswordChanged(ID, 2), "aiops.auth.user.password_changed.v1"),
    (domain.UserErased(ID, 2), "aiops.auth.user.erased.v1"),
    (
        domain.SessionWasRevoked(ID, 2, OTHER_ID, domain.RevocationCause.LOGGED_OUT),
        "aiops.auth.session.revoked.v1",
    ),
    (machine.ApiTokenCreated(ID, 1, OTHER_ID, frozenset({"logs:write"})), "aiops.auth.api_token.created.v1"),
    (machine.ApiTokenRevoked(ID, 2, OTHER_ID), "aiops.auth.api_token.revoked.v1"),
]


@pytest.mark.parametrize(("fact", "subject"), FACTS)
def test_fact_travels_under_its_subject_with_the_aggregate_it_is_about(fact: object, subject: str) -> None:
    event = convert.fact_to_event(fact)

    assert (event.subject, event.aggregate_id) == (subject, ID)
    assert event.aggregate_type == subject.split(".")[2]
    assert event.aggregate_version == vars(fact)["version"]


def test_every_fact_of_auth_is_registered_and_told(pytestconfig: pytest.Config) -> None:
    registry = yaml.safe_load((pytestconfig.rootpath / "proto" / "events.yaml").read_text())["events"]
    registered = {subject: spec for subject, spec in registry.items() if spec["producer"] == "auth"}

    told = {subject: convert.fact_to_event(fact).payload for fact, subject in FACTS}

    assert {subject: spec["message"] for subject, spec in registered.items()} == {
        subject: payload.DESCRIPTOR.full_name for subject, payload in told.items()
    }
    for subject, spec in registered.items():
        example = json.loads(Path(pytestconfig.rootpath / "proto" / spec["example"]).read_text())
        json_format.ParseDict(example, type(told[subject])())


def test_unknown_fact_is_a_defect() -> None:
    with pytest.raises(TypeError):
        convert.fact_to_event("something")


@pytest.mark.parametrize("role", [None, *Role])
def test_role_survives_both_ways(role: Role | None) -> None:
    user = User(ID, 7, "ada@example.com", "Ada", role, UserStatus.ACTIVE, NOW, NOW + timedelta(seconds=1))

    message = convert.user_to_proto(user)

    assert convert.role_from(message.role) is role
    assert (message.id, message.version, message.updated_at.seconds - message.created_at.seconds) == (str(ID), 7, 1)


@pytest.mark.parametrize("status", list(UserStatus))
def test_status_has_the_same_name(status: UserStatus) -> None:
    message = convert.user_to_proto(User(ID, 1, "a@b", "a", None, status, NOW, NOW))

    assert user_pb2.UserStatus.Name(message.status) == f"USER_STATUS_{status.name}"


def test_absent_moments_of_an_api_token_stay_absent() -> None:
    account = machine.ServiceAccount(OTHER_ID, "fluent-bit")
    token = machine.ApiToken(ID, 1, account, frozenset({"b", "a"}), "aiops_abc", NOW)

    message = convert.api_token_to_proto(token)

    assert list(message.scopes) == ["a", "b"]
    assert [message.HasField(name) for name in ("expires_at", "revoked_at", "last_used_at")] == [False] * 3


def test_moment_out_of_the_calendar_is_refused() -> None:
    request = pb.CreateApiTokenRequest()
    request.expires_at.seconds = 1 << 60

    with pytest.raises(InvalidArgument) as caught:
        convert.create_api_token_command(request)

    assert caught.value.metadata == {"field": "expires_at"}


def test_secrets_stay_out_of_every_repr() -> None:
    commands = [
        convert.sign_up_command(
            pb.SignUpRequest(password="p-secret", setup_token="s-secret", invitation_token="i-secret")
        ),
        convert.log_in_command(pb.LogInRequest(password="p-secret")),
        convert.secret_from("t-secret"),
    ]

    assert "secret" not in repr(commands).lower().replace("secret()", "")
