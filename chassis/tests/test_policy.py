"""The policy table: every cell of who may call what, and for whom."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue

from chassis.errors import DomainError, Forbidden, Unauthenticated
from chassis.identity import Call, Role, Viewer
from chassis.policy import Policy, allow

ID = UUID("0198c0de-0000-7000-8000-000000000001")


def viewer(role: Role | None = None, *scopes: str, kind: Literal["user", "service_account"] = "user") -> Viewer:
    return Viewer(ID, kind, role, frozenset(scopes), ID, "t", datetime(2026, 1, 1, tzinfo=UTC))


VIEWERS: dict[str, Viewer | None] = {
    "admin": viewer(Role.ADMIN),
    "ops": viewer(Role.OPS),
    "hr": viewer(Role.HR),
    "no role": viewer(),
    "machine that writes logs": viewer(None, "logs:write", kind="service_account"),
    "machine that writes tickets": viewer(None, "tickets:write", kind="service_account"),
    "nobody": None,
}
RULES = {
    "Roles": allow("gateway", roles=(Role.ADMIN, Role.OPS)),
    "Scopes": allow("gateway", roles=(Role.OPS,), scopes=("logs:write",)),
    "AnyUser": allow("gateway", any_user=True),
    "Anonymous": allow("gateway", anonymous=True),
    "Background": allow("gateway", background=True),
    "Both": allow("gateway", roles=(Role.HR,), background=True),
    "Nobody": allow("gateway"),
    "OtherCaller": allow("logs", anonymous=True),
}
PASS = {
    "Roles": {"admin", "ops"},
    "Scopes": {"ops", "machine that writes logs"},
    "AnyUser": {"admin", "ops", "hr", "no role"},
    "Anonymous": set(VIEWERS),
    "Background": {"nobody"},
    "Both": {"hr", "nobody"},
    "Nobody": set(),
    "OtherCaller": set(),
    "Unknown": set(),
}


def mask(call: Call, message: Message) -> Message:
    return message if call.viewer else StringValue(value="masked")


@pytest.mark.parametrize("who", VIEWERS)
@pytest.mark.parametrize("method", PASS)
def test_every_cell_of_the_table(method: str, who: str) -> None:
    policy = Policy(RULES, mask)
    call = Call("gateway", VIEWERS[who], method=method)

    refusal: DomainError | None = None
    try:
        policy.authorize(call)
    except DomainError as error:
        refusal = error

    if who in PASS[method]:
        assert refusal is None
    elif who == "nobody" and method in {"Roles", "Scopes", "AnyUser", "Nobody"}:
        assert type(refusal) is Unauthenticated
    else:
        assert type(refusal) is Forbidden
        assert refusal.metadata == {"operation": method}


def test_a_person_gains_nothing_by_scopes_nor_a_machine_by_a_role() -> None:
    policy = Policy(RULES, mask)

    with pytest.raises(Forbidden):
        policy.authorize(Call("gateway", viewer(None, "logs:write"), method="Scopes"))
    with pytest.raises(Forbidden):
        policy.authorize(Call("gateway", viewer(Role.OPS, kind="service_account"), method="Roles"))


def test_the_mask_sees_the_call() -> None:
    policy = Policy(RULES, mask)

    assert policy.mask(Call("gateway"), StringValue(value="open")) == StringValue(value="masked")
    assert policy.mask(Call("gateway", viewer()), StringValue(value="open")) == StringValue(value="open")
