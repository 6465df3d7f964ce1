"""Who may call which RPC of auth, and who sees whose e-mail address."""

from collections.abc import Mapping

from chassis.identity import Call, Role
from chassis.masking import EVERYBODY, Case, Kind, Mask, fields, rows, seen_by, table
from chassis.policy import Policy, Rule, allow

GATEWAY = "gateway"
_PEOPLE = (Role.ADMIN, Role.OPS, Role.HR)
_ADMIN = allow(GATEWAY, roles=(Role.ADMIN,))
_SELF = allow(GATEWAY, any_user=True)
_ANYBODY = allow(GATEWAY, anonymous=True)

RULES: Mapping[str, Rule] = {
    "SignUp": _ANYBODY,
    "LogIn": _ANYBODY,
    "RefreshSession": _ANYBODY,
    "LogOut": _ANYBODY,
    "ExchangeApiToken": _ANYBODY,
    "GetSignInProvider": _ANYBODY,
    "BeginSignIn": _ANYBODY,
    "CompleteSignIn": _ANYBODY,
    "EndProviderSessions": _ANYBODY,
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
    # Public keys, for whoever checks tokens; no token goes along with the question, and one would change nothing.
    "ListSigningKeys": allow(GATEWAY, "logs", "tickets", "changelog", "ai", anonymous=True),
    "ListRevocations": allow(GATEWAY, "logs", "tickets", "changelog", "ai", background=True),
}

# Admins manage accounts; people work, which is hr's, means writing to people.
_WHO_SEES_ADDRESSES = seen_by(Kind.ADMIN, Kind.HR)
_HIMSELF = "id"
_ADMINS = seen_by(Kind.ADMIN)
# The gateway asks for nobody.
_PROCESSES = seen_by(Kind.SERVICE, Kind.NOBODY)

TABLE = table(
    fields(
        "aiops.auth.v1",
        {
            "User": {
                **rows(EVERYBODY, "id version display_name role status created_at updated_at"),
                **rows(seen_by(*_WHO_SEES_ADDRESSES.kinds, owner=_HIMSELF), "email"),
            },
            "UserWithEmail": rows(EVERYBODY, "requested_email user"),
            "Session": rows(EVERYBODY, "access_token access_token_expires_at refresh_token refresh_token_expires_at"),
            "ApiToken": rows(
                _ADMINS,
                "id version service_account_name service_account_id scopes prefix created_at expires_at revoked_at "
                "last_used_at",
            ),
            "SignUpResponse GetMeResponse ChangePasswordResponse": rows(EVERYBODY, "user"),
            "LogInResponse RefreshSessionResponse": rows(EVERYBODY, "session user"),
            "ExchangeApiTokenResponse": rows(EVERYBODY, "access_token access_token_expires_at"),
            "GetSignInProviderResponse": rows(EVERYBODY, "name"),
            "BeginSignInResponse": rows(EVERYBODY, "authorization_url browser_secret expires_at"),
            "CompleteSignInResponse": rows(EVERYBODY, "session user next_path"),
            "EndProviderSessionsResponse": rows(EVERYBODY, "ended"),
            "BatchGetUsersResponse BatchGetUsersByEmailResponse": rows(EVERYBODY, "users"),
            "ListUsersResponse": rows(_ADMINS, "users page_info cursors"),
            "InviteUserResponse": rows(_ADMINS, "user invitation_token invitation_expires_at"),
            "SetUserRoleResponse DeactivateUserResponse": rows(_ADMINS, "user"),
            "CreateApiTokenResponse": rows(_ADMINS, "api_token token"),
            "ListApiTokensResponse": rows(_ADMINS, "api_tokens page_info cursors"),
            "RevokeApiTokenResponse": rows(_ADMINS, "api_token"),
        },
    ),
    fields(
        "aiops.identity.v1",
        {
            "ListSigningKeysResponse": rows(EVERYBODY, "jwks"),
            "ListRevocationsResponse": rows(_PROCESSES, "revocations cursor"),
            "Revocation": rows(_PROCESSES, "id version"),
        },
    ),
    # The gateway has no work of its own: without a viewer it gets no people at all, where other services get names.
    objects={"aiops.auth.v1.User": (Case(seen_by(*(set(Kind) - {Kind.NOBODY}), owner=_HIMSELF), {}),)},
    proofs=frozenset({"SignUp", "LogIn", "RefreshSession", "CompleteSignIn"}),
)

HISTORY = {
    **rows(EVERYBODY, "display_name role status created_at"),
    **rows(_WHO_SEES_ADDRESSES, "email"),
}
"""Who sees which field of an account's past."""


def sees_addresses(call: Call) -> bool:
    """Whether the viewer sees everybody's e-mail address."""
    return _WHO_SEES_ADDRESSES(call)


def make_policy() -> Policy:
    """The rules and the mask of auth."""
    return Policy(RULES, Mask(TABLE))
