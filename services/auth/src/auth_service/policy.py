"""Who may call which RPC of auth, and who sees whose e-mail address."""

from collections.abc import Iterator

from google.protobuf.message import Message

from aiops.auth.v1.user_pb2 import User
from chassis.identity import Call, Role
from chassis.policy import Policy, Rule, allow

GATEWAY = "gateway"
_PEOPLE = (Role.ADMIN, Role.OPS, Role.HR)
_ADMIN = allow(GATEWAY, roles=(Role.ADMIN,))
_SELF = allow(GATEWAY, any_user=True)
_ANYBODY = allow(GATEWAY, anonymous=True)

RULES: dict[str, Rule] = {
    "SignUp": _ANYBODY,
    "LogIn": _ANYBODY,
    "RefreshSession": _ANYBODY,
    "LogOut": _ANYBODY,
    "ExchangeApiToken": _ANYBODY,
    "GetMe": _SELF,
    "ChangePassword": _SELF,
    "BatchGetUsers": allow(GATEWAY, "logs", "tickets", "changelog", "ai", roles=_PEOPLE, background=True),
    "BatchGetUsersByEmail": allow(GATEWAY, roles=_PEOPLE),
    "ListUsers": _ADMIN,
    "InviteUser": _ADMIN,
    "SetUserRole": _ADMIN,
    "DeactivateUser": _ADMIN,
    "CreateApiToken": _ADMIN,
    "ListApiTokens": _ADMIN,
    "RevokeApiToken": _ADMIN,
}

# The caller has just proved to be the person in the answer.
_PROVED = frozenset({"SignUp", "LogIn", "RefreshSession"})
# Admins manage accounts; people work, which is hr's, means writing to people.
_SEE_ADDRESSES = frozenset({Role.ADMIN, Role.HR})


def mask(call: Call, message: Message) -> Message:
    """The answer without the e-mail addresses that this viewer may not see.

    The gateway has no work of its own, so without a viewer it gets no people at all; other services in the background
    get names without addresses.
    """
    masked = type(message)()
    masked.CopyFrom(message)
    if call.method in _PROVED:
        return masked
    if call.viewer is None and call.caller == GATEWAY and "users" in masked.DESCRIPTOR.fields_by_name:
        masked.ClearField("users")
    for user in _users_in(masked):
        if not _may_see_address(call, user):
            user.email = ""
    return masked


def sees_addresses(call: Call) -> bool:
    """Whether the viewer sees everybody's e-mail address."""
    return call.viewer is not None and call.viewer.kind == "user" and call.viewer.role in _SEE_ADDRESSES


def make_policy() -> Policy:
    """The table and the mask of auth."""
    return Policy(RULES, mask)


def _users_in(message: Message) -> Iterator[User]:
    """Every account in an answer, however deep."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for item in value if field.is_repeated else [value]:
            if isinstance(item, User):
                yield item
            else:
                yield from _users_in(item)


def _may_see_address(call: Call, user: User) -> bool:
    return sees_addresses(call) or (
        call.viewer is not None and call.viewer.kind == "user" and str(call.viewer.id) == user.id
    )
