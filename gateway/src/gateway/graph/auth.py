"""People, roles and machine credentials: what auth owns."""

from enum import Enum

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry import federation

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from gateway.context import Info
from gateway.graph.enums import name_or_none
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Connection, connection, page_request
from gateway.graph.scalars import time_or_none


@strawberry.enum
class Role(Enum):
    """What a person may do."""

    ADMIN = user_pb2.ROLE_ADMIN
    """Everything, people and settings included."""
    OPS = user_pb2.ROLE_OPS
    """Logs, tickets and changes."""
    HR = user_pb2.ROLE_HR
    """People tickets and changelogs."""


@strawberry.enum
class UserStatus(Enum):
    """Whether an account can be used."""

    INVITED = user_pb2.USER_STATUS_INVITED
    """Invited by an admin; has not signed up yet."""
    ACTIVE = user_pb2.USER_STATUS_ACTIVE
    """Can log in."""
    DEACTIVATED = user_pb2.USER_STATUS_DEACTIVATED
    """Cannot log in."""


@federation.type(keys=["id"])
class User:
    """A person's account."""

    id: strawberry.ID
    """UUIDv7."""
    version: int
    """Rises by one with each change; give it back as `expectedVersion`."""
    email: str | None
    """E-mail address; null when the caller may not see it."""
    display_name: str
    """Name shown to others."""
    role: Role | None
    """Null until an admin gives one."""
    status: UserStatus | None
    """Whether the account can be used; null when it is in a state that the graph does not know."""
    created_at: Timestamp
    """When the account was made or invited."""
    updated_at: Timestamp
    """When the account was last changed."""

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "User | None":  # noqa: A002 - the key's name
        """The account that another subgraph names."""
        return await load_user(info, id)

    @classmethod
    def of(cls, user: user_pb2.User) -> "User":
        """The account as auth told it."""
        return cls(
            id=strawberry.ID(user.id),
            version=user.version,
            email=user.email or None,
            display_name=user.display_name,
            role=name_or_none(Role, user.role),
            status=name_or_none(UserStatus, user.status),
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


@strawberry.type
class Session:
    """A pair of tokens. Both are secrets: keep them out of logs and links."""

    access_token: str
    """Send it as `Authorization: Bearer <token>`; valid for ten minutes."""
    access_token_expires_at: Timestamp
    """When `accessToken` stops being accepted."""
    refresh_token: str
    """Good for one `refresh`. Using it twice ends the session."""
    refresh_token_expires_at: Timestamp
    """When `refreshToken` stops being accepted."""

    @classmethod
    def of(cls, session: user_pb2.Session) -> "Session":
        """The session as auth opened it."""
        return cls(
            access_token=session.access_token,
            access_token_expires_at=session.access_token_expires_at,
            refresh_token=session.refresh_token,
            refresh_token_expires_at=session.refresh_token_expires_at,
        )


@strawberry.type
class ApiToken:
    """A machine's credential. The token itself is shown once, when it is made."""

    id: strawberry.ID
    """UUIDv7."""
    version: int
    """Rises by one with each change; give it back as `expectedVersion`."""
    service_account_name: str
    """Service account that the token acts as, for example `fluent-bit`."""
    service_account_id: strawberry.ID
    """Id of that service account."""
    scopes: list[str]
    """What the token may do: `logs:write`, `changes:write`, `tickets:write`."""
    prefix: str
    """First characters of the token, to recognise it in a list."""
    created_at: Timestamp
    """When the token was made."""
    expires_at: Timestamp | None
    """When it stops being accepted; null for never."""
    revoked_at: Timestamp | None
    """When it was revoked; null while it is good."""
    last_used_at: Timestamp | None
    """When it was last used, to the minute; null when never."""

    @classmethod
    def of(cls, token: user_pb2.ApiToken) -> "ApiToken":
        """The credential as auth describes it."""
        return cls(
            id=strawberry.ID(token.id),
            version=token.version,
            service_account_name=token.service_account_name,
            service_account_id=strawberry.ID(token.service_account_id),
            scopes=list(token.scopes),
            prefix=token.prefix,
            created_at=token.created_at,
            expires_at=time_or_none(token.expires_at, present=token.HasField("expires_at")),
            revoked_at=time_or_none(token.revoked_at, present=token.HasField("revoked_at")),
            last_used_at=time_or_none(token.last_used_at, present=token.HasField("last_used_at")),
        )


async def load_user(info: Info, user_id: str) -> User | None:
    """The account with this id, batched with the operation's other accounts."""
    user = await info.context.auth.users.load(user_id)
    return User.of(user) if user is not None else None


async def load_user_by_email(info: Info, email: str) -> User | None:
    """The account with this address, regardless of case, batched with the operation's other addresses."""
    user = await info.context.auth.users_by_email.load(email.lower())
    return User.of(user) if user is not None else None


@strawberry.type
class AuthQuery:
    """Reads of people and credentials."""

    @strawberry.field
    async def me(self, info: Info) -> User | None:
        """The account of the person who asks."""
        auth = info.context.auth
        return User.of((await auth.call(auth.rpc.GetMe, pb.GetMeRequest())).user)

    @strawberry.field
    async def users(
        self, info: Info, first: int = DEFAULT_PAGE_SIZE, after: str | None = None
    ) -> Connection[User] | None:
        """All accounts by e-mail address, 1 to 100 a page. For admins."""
        auth = info.context.auth
        response = await auth.call(auth.rpc.ListUsers, pb.ListUsersRequest(page=page_request(first, after)))
        return connection(response.users, response, User.of, after)

    @strawberry.field
    async def api_tokens(
        self, info: Info, first: int = DEFAULT_PAGE_SIZE, after: str | None = None
    ) -> Connection[ApiToken] | None:
        """All API tokens, newest first, 1 to 100 a page. For admins."""
        auth = info.context.auth
        response = await auth.call(auth.rpc.ListApiTokens, pb.ListApiTokensRequest(page=page_request(first, after)))
        return connection(response.api_tokens, response, ApiToken.of, after)
