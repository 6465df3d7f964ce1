"""What admins do: accounts, roles and machine credentials."""

from typing import Annotated, TypeAlias

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from gateway.context import Info
from gateway.graph.auth import ApiToken, Role, User
from gateway.graph.errors import ChangeRefusal, ForbiddenError, WriteRefusal
from gateway.graph.writes import WriteInput, idempotency_key


@strawberry.input
class InviteUserInput(WriteInput):
    """Whom to invite."""

    email: str
    """E-mail address."""
    role: Role | None = None
    """Role that the person will have."""
    display_name: str | None = None
    """Name shown to others; the part before the @ when absent."""


@strawberry.type
class InviteUserSuccess:
    """The account waits for its person."""

    user: User
    """The account, in status INVITED."""
    invitation_token: str
    """One-time token to pass on; shown only here."""
    invitation_expires_at: Timestamp
    """When the invitation stops being accepted."""


InviteUserResult: TypeAlias = Annotated[
    InviteUserSuccess | WriteRefusal | ForbiddenError,
    strawberry.union("InviteUserResult", description="How `inviteUser` ends."),
]


@strawberry.input
class SetUserRoleInput(WriteInput):
    """A role for a person."""

    user_id: strawberry.ID
    """Whose role."""
    expected_version: int
    """Version of the account that was read."""
    role: Role | None = None
    """The role; null takes it away."""


@strawberry.type
class SetUserRoleSuccess:
    """The role is set."""

    user: User
    """The changed account."""


SetUserRoleResult: TypeAlias = Annotated[
    SetUserRoleSuccess | ChangeRefusal,
    strawberry.union("SetUserRoleResult", description="How `setUserRole` ends."),
]


@strawberry.input
class DeactivateUserInput(WriteInput):
    """The account to close."""

    user_id: strawberry.ID
    """Whose account."""
    expected_version: int
    """Version of the account that was read."""


@strawberry.type
class DeactivateUserSuccess:
    """The account is closed and its sessions have ended."""

    user: User
    """The closed account."""


DeactivateUserResult: TypeAlias = Annotated[
    DeactivateUserSuccess | ChangeRefusal,
    strawberry.union("DeactivateUserResult", description="How `deactivateUser` ends."),
]


@strawberry.input
class CreateApiTokenInput(WriteInput):
    """A machine's credential."""

    service_account_name: str
    """Service account, made when the name is new; 1 to 63 characters."""
    scopes: list[str]
    """What the token may do: at least one of `logs:write`, `changes:write`, `tickets:write`."""
    expires_at: Timestamp | None = None
    """When the token stops being accepted; absent for never."""


@strawberry.type
class CreateApiTokenSuccess:
    """The credential is good from now on."""

    api_token: ApiToken
    """Its description."""
    token: str
    """The secret; shown only here."""


CreateApiTokenResult: TypeAlias = Annotated[
    CreateApiTokenSuccess | WriteRefusal | ForbiddenError,
    strawberry.union("CreateApiTokenResult", description="How `createApiToken` ends."),
]


@strawberry.input
class RevokeApiTokenInput(WriteInput):
    """The credential to end."""

    api_token_id: strawberry.ID
    """Which one."""
    expected_version: int
    """Version of it that was read."""


@strawberry.type
class RevokeApiTokenSuccess:
    """The credential has ended."""

    api_token: ApiToken
    """Its description."""


RevokeApiTokenResult: TypeAlias = Annotated[
    RevokeApiTokenSuccess | ChangeRefusal,
    strawberry.union("RevokeApiTokenResult", description="How `revokeApiToken` ends."),
]


@strawberry.type
class AccountMutation:
    """What admins do with accounts and credentials."""

    @strawberry.mutation
    async def invite_user(self, info: Info, input: InviteUserInput) -> InviteUserResult:  # noqa: A002
        """Make an account for somebody. For admins."""
        auth = info.context.auth
        request = pb.InviteUserRequest(
            idempotency_key=idempotency_key(info, input),
            email=input.email,
            role=input.role.value if input.role else user_pb2.ROLE_UNSPECIFIED,
            display_name=input.display_name or "",
        )
        response = await auth.call(auth.rpc.InviteUser, request)
        return InviteUserSuccess(
            user=User.of(response.user),
            invitation_token=response.invitation_token,
            invitation_expires_at=response.invitation_expires_at,
        )

    @strawberry.mutation
    async def set_user_role(self, info: Info, input: SetUserRoleInput) -> SetUserRoleResult:  # noqa: A002
        """Give a role, or take it away. For admins."""
        auth = info.context.auth
        request = pb.SetUserRoleRequest(
            idempotency_key=idempotency_key(info, input),
            user_id=input.user_id,
            expected_version=input.expected_version,
            role=input.role.value if input.role else user_pb2.ROLE_UNSPECIFIED,
        )
        return SetUserRoleSuccess(user=User.of((await auth.call(auth.rpc.SetUserRole, request)).user))

    @strawberry.mutation
    async def deactivate_user(self, info: Info, input: DeactivateUserInput) -> DeactivateUserResult:  # noqa: A002
        """Close an account and end its sessions. For admins."""
        auth = info.context.auth
        request = pb.DeactivateUserRequest(
            idempotency_key=idempotency_key(info, input),
            user_id=input.user_id,
            expected_version=input.expected_version,
        )
        return DeactivateUserSuccess(user=User.of((await auth.call(auth.rpc.DeactivateUser, request)).user))

    @strawberry.mutation
    async def create_api_token(self, info: Info, input: CreateApiTokenInput) -> CreateApiTokenResult:  # noqa: A002
        """Make a credential for a machine. For admins."""
        auth = info.context.auth
        request = pb.CreateApiTokenRequest(
            idempotency_key=idempotency_key(info, input),
            service_account_name=input.service_account_name,
            scopes=input.scopes,
            expires_at=input.expires_at,
        )
        response = await auth.call(auth.rpc.CreateApiToken, request)
        return CreateApiTokenSuccess(api_token=ApiToken.of(response.api_token), token=response.token)

    @strawberry.mutation
    async def revoke_api_token(self, info: Info, input: RevokeApiTokenInput) -> RevokeApiTokenResult:  # noqa: A002
        """End a credential; machines that use it are refused within a minute. For admins."""
        auth = info.context.auth
        request = pb.RevokeApiTokenRequest(
            idempotency_key=idempotency_key(info, input),
            api_token_id=input.api_token_id,
            expected_version=input.expected_version,
        )
        response = await auth.call(auth.rpc.RevokeApiToken, request)
        return RevokeApiTokenSuccess(api_token=ApiToken.of(response.api_token))
