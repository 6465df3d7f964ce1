"""Coming and going: sign-up, log-in and what keeps a session going."""

from typing import Annotated, TypeAlias

import strawberry

from aiops.auth.v1 import auth_service_pb2 as pb
from gateway.context import Info
from gateway.graph.auth import Session, User
from gateway.graph.errors import (
    AuthenticationError,
    ChangeRefusal,
    ForbiddenError,
    RateLimitedError,
    VersionConflict,
    VersionConflictError,
    WriteRefusal,
)
from gateway.graph.writes import WriteInput, idempotency_key


@strawberry.input
class SignUpInput(WriteInput):
    """The form of a new account."""

    email: str
    """E-mail address."""
    password: str
    """At least 12 characters, at most 72 bytes in UTF-8."""
    display_name: str | None = None
    """Name shown to others; the part before the @ when absent."""
    setup_token: str | None = None
    """Needed by the very first sign-up; the auth service wrote it to a file at its start."""
    invitation_token: str | None = None
    """Needed when sign-up is by invitation."""


@strawberry.type
class SignUpSuccess:
    """The account is there: `logIn` comes next."""

    user: User
    """The account."""


SignUpResult: TypeAlias = Annotated[
    SignUpSuccess | WriteRefusal | ForbiddenError | RateLimitedError,
    strawberry.union("SignUpResult", description="How `signUp` ends."),
]


@strawberry.input
class LogInInput(WriteInput):
    """A pair of credentials."""

    email: str
    """E-mail address."""
    password: str
    """Password."""


@strawberry.type
class LogInSuccess:
    """A session has begun."""

    session: Session
    """The tokens."""
    user: User
    """Whose session it is."""


LogInResult: TypeAlias = Annotated[
    LogInSuccess | WriteRefusal | AuthenticationError | ForbiddenError | RateLimitedError,
    strawberry.union("LogInResult", description="How `logIn` ends."),
]


@strawberry.input
class RefreshInput(WriteInput):
    """The refresh token to trade in."""

    refresh_token: str
    """The refresh token."""


@strawberry.type
class RefreshSuccess:
    """The session goes on."""

    session: Session
    """The next pair of tokens."""
    user: User
    """The account, with its role as it is now."""


# VersionConflictError: another request traded this very token in a moment ago.
RefreshResult: TypeAlias = Annotated[
    RefreshSuccess
    | WriteRefusal
    | AuthenticationError
    | ForbiddenError
    | VersionConflict
    | VersionConflictError
    | RateLimitedError,
    strawberry.union("RefreshResult", description="How `refresh` ends."),
]


@strawberry.input
class LogOutInput(WriteInput):
    """The session to end."""

    refresh_token: str
    """Its refresh token."""


@strawberry.type
class LogOutSuccess:
    """The session is over."""

    logged_out: bool = True
    """Always true; logging out twice is fine."""


LogOutResult: TypeAlias = Annotated[
    LogOutSuccess | WriteRefusal | AuthenticationError,
    strawberry.union("LogOutResult", description="How `logOut` ends."),
]


@strawberry.input
class ChangePasswordInput(WriteInput):
    """The caller's next password."""

    expected_version: int
    """Version of the caller's account that was read."""
    current_password: str
    """The password so far."""
    new_password: str
    """At least 12 characters, at most 72 bytes in UTF-8."""


@strawberry.type
class ChangePasswordSuccess:
    """The password is changed and the other sessions have ended."""

    user: User
    """The changed account."""


ChangePasswordResult: TypeAlias = Annotated[
    ChangePasswordSuccess | ChangeRefusal | AuthenticationError | RateLimitedError,
    strawberry.union("ChangePasswordResult", description="How `changePassword` ends."),
]


@strawberry.type
class SessionMutation:
    """What people do with their own accounts and sessions."""

    @strawberry.mutation
    async def sign_up(self, info: Info, input: SignUpInput) -> SignUpResult:  # noqa: A002 - the graph's convention
        """Make an account. The first one needs the setup token and becomes admin."""
        auth = info.context.auth
        request = pb.SignUpRequest(
            idempotency_key=idempotency_key(info, input),
            email=input.email,
            password=input.password,
            display_name=input.display_name or "",
            setup_token=input.setup_token or "",
            invitation_token=input.invitation_token or "",
        )
        return SignUpSuccess(user=User.of((await auth.call(auth.rpc.SignUp, request)).user))

    @strawberry.mutation
    async def log_in(self, info: Info, input: LogInInput) -> LogInResult:  # noqa: A002
        """Begin a session."""
        auth = info.context.auth
        request = pb.LogInRequest(
            idempotency_key=idempotency_key(info, input),
            email=input.email,
            password=input.password,
            client_address=info.context.caller.address,
        )
        response = await auth.call(auth.rpc.LogIn, request)
        return LogInSuccess(session=Session.of(response.session), user=User.of(response.user))

    @strawberry.mutation
    async def refresh(self, info: Info, input: RefreshInput) -> RefreshResult:  # noqa: A002
        """Trade the refresh token for the next pair of tokens."""
        auth = info.context.auth
        request = pb.RefreshSessionRequest(
            idempotency_key=idempotency_key(info, input), refresh_token=input.refresh_token
        )
        response = await auth.call(auth.rpc.RefreshSession, request)
        return RefreshSuccess(session=Session.of(response.session), user=User.of(response.user))

    @strawberry.mutation
    async def log_out(self, info: Info, input: LogOutInput) -> LogOutResult:  # noqa: A002
        """End the session that the refresh token belongs to."""
        auth = info.context.auth
        request = pb.LogOutRequest(idempotency_key=idempotency_key(info, input), refresh_token=input.refresh_token)
        await auth.call(auth.rpc.LogOut, request)
        return LogOutSuccess()

    @strawberry.mutation
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordResult:  # noqa: A002
        """Replace the caller's password and end his other sessions."""
        auth = info.context.auth
        request = pb.ChangePasswordRequest(
            idempotency_key=idempotency_key(info, input),
            expected_version=input.expected_version,
            current_password=input.current_password,
            new_password=input.new_password,
        )
        return ChangePasswordSuccess(user=User.of((await auth.call(auth.rpc.ChangePassword, request)).user))
