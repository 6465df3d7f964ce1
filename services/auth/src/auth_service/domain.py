"""People and their sessions, and what may happen to them. Pure: no clock, no randomness, no I/O."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from auth_service.errors import (
    RefreshTokenReused,
    SessionRevoked,
    UserDeactivated,
    UserStateUnchanged,
)
from chassis.errors import InvalidArgument, Unauthenticated, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

MAXIMUM_EMAIL_CHARACTERS = 254
MAXIMUM_NAME_CHARACTERS = 100
ERASED_DOMAIN = "erased.invalid"
"""Of the addresses of erased accounts: reserved by RFC 2606, so nobody has one."""
ERASED_NAME = "Erased user"
REFRESH_GRACE = timedelta(seconds=10)
"""How long the token traded in last may come again without being taken for a theft."""


class Role(StrEnum):
    """What a person may do."""

    ADMIN = "admin"
    OPS = "ops"
    HR = "hr"


class UserStatus(StrEnum):
    """Whether an account can be used."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


STATUS_MOVES: Mapping[UserStatus, tuple[UserStatus, ...]] = MappingProxyType({
    UserStatus.INVITED: (UserStatus.ACTIVE, UserStatus.DEACTIVATED),
    UserStatus.ACTIVE: (UserStatus.DEACTIVATED,),
    UserStatus.DEACTIVATED: (UserStatus.ACTIVE,),
})  # fmt: skip
"""What an account may become; a closed one only comes back through the provider whose groups had closed it."""


class SignUpMode(StrEnum):
    """Who may sign up after the first account."""

    INVITE = "invite"
    OPEN = "open"
    CLOSED = "closed"


class RevocationCause(StrEnum):
    """Why a session ended before its time."""

    LOGGED_OUT = "logged_out"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 - a cause
    USER_DEACTIVATED = "user_deactivated"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a cause


@dataclass(frozen=True)
class AccountRules:
    """What the installation's settings say about accounts and sessions."""

    signup: SignUpMode
    session_lifetime: timedelta
    invitation_lifetime: timedelta


@dataclass(frozen=True)
class User:
    """A person's account. Its password lives apart, so that no list of users can carry one."""

    id: UUID
    version: int
    email: str
    display_name: str
    role: Role | None
    status: UserStatus
    created_at: datetime
    updated_at: datetime

    @property
    def is_active_admin(self) -> bool:
        """Whether this person can manage the installation now."""
        return self.role is Role.ADMIN and self.status is UserStatus.ACTIVE

    def accepted(self, display_name: str, at: datetime) -> tuple[User, UserSignedUp]:
        """The invited person signs up and keeps the role of the invitation."""
        user = self._changed(at, status=UserStatus.ACTIVE, display_name=display_name or self.display_name)
        return user, UserSignedUp(user.id, user.version, user.role)

    def given(self, role: Role | None, at: datetime) -> tuple[User, UserRoleSet]:
        """The person gets another role, or loses the one there was.

        Raises:
            UserDeactivated: the account is closed.
            UserStateUnchanged: the role is that already.
        """
        if self.status is UserStatus.DEACTIVATED:
            raise UserDeactivated
        if role is self.role:
            raise UserStateUnchanged("the user has this role already", role=role or "none")
        user = self._changed(at, role=role)
        return user, UserRoleSet(user.id, user.version, self.role, role)

    def deactivated(self, at: datetime) -> tuple[User, UserWasDeactivated]:
        """The account is closed.

        Raises:
            UserStateUnchanged: it is already.
        """
        if UserStatus.DEACTIVATED not in STATUS_MOVES[self.status]:
            raise UserStateUnchanged("the user is deactivated already", status=self.status)
        user = self._changed(at, status=UserStatus.DEACTIVATED)
        return user, UserWasDeactivated(user.id, user.version)

    def reopened(self, role: Role, at: datetime) -> tuple[User, UserSignedUp]:
        """The person whom the provider's groups had shut out is one of theirs again."""
        user = self._changed(at, status=UserStatus.ACTIVE, role=role)
        return user, UserSignedUp(user.id, user.version, role)

    @property
    def is_erased(self) -> bool:
        """Whether the person behind the account was forgotten."""
        return self.email.endswith(f"@{ERASED_DOMAIN}")

    def erased(self, at: datetime) -> tuple[User, UserErased]:
        """The account closed, without anything that says whose it was; only for one that was not erased before."""
        user = self._changed(
            at,
            email=f"erased-{self.id}@{ERASED_DOMAIN}",
            display_name=ERASED_NAME,
            status=UserStatus.DEACTIVATED,
        )
        return user, UserErased(user.id, user.version)

    def with_new_password(self, at: datetime) -> tuple[User, UserPasswordChanged]:
        """The person's password is another one from now on."""
        user = self._changed(at)
        return user, UserPasswordChanged(user.id, user.version)

    def _changed(self, at: datetime, **changes: object) -> User:
        # replace() is typed for any field; the callers above name real ones.
        return replace(self, version=self.version + 1, updated_at=at, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Session:
    """All that follows from one log-in: the family of refresh tokens, and the `sid` of its access tokens."""

    id: UUID
    version: int
    user_id: UUID
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revocation_cause: RevocationCause | None = None

    def revoked(self, cause: RevocationCause, at: datetime) -> tuple[Session, SessionWasRevoked]:
        """The session ends now."""
        session = replace(self, version=self.version + 1, revoked_at=at, revocation_cause=cause)
        return session, SessionWasRevoked(session.id, session.version, session.user_id, cause)


@dataclass(frozen=True)
class RefreshToken:
    """One link of a session's chain: generation n was got for generation n-1."""

    session_id: UUID
    generation: int
    used_at: datetime | None = None

    def check_tradable(self, session: Session, newest_generation: int, now: datetime) -> None:
        """Let only the newest token of a living session through.

        Raises:
            SessionRevoked: the session is over.
            Unauthenticated: the session has expired.
            VersionConflict: another request traded this very token in a moment ago; use the pair that it got.
            RefreshTokenReused: the token was traded in before that: somebody has a copy.
        """
        if session.revoked_at is not None:
            raise SessionRevoked
        if session.expires_at <= now:
            raise Unauthenticated("this session has expired; log in again")
        if self.used_at is None:
            return
        if self.generation == newest_generation - 1 and now - self.used_at <= REFRESH_GRACE:
            raise VersionConflict(expected=self.generation, actual=newest_generation)
        raise RefreshTokenReused(self.session_id)


def email_key(email: str) -> str:
    """The form in which two spellings of one e-mail address are equal. No account has NUL in its own."""
    return unicodedata.normalize("NFKC", email.strip()).casefold().replace("\x00", "\ufffd")


def check_email(email: str) -> str:
    """The address without blanks around it.

    Raises:
        InvalidArgument: it is no e-mail address.
    """
    email = email.strip()
    local, _, domain = email.partition("@")
    printable = email.isprintable() and " " not in email
    reserved = domain.casefold() == ERASED_DOMAIN
    plausible = local and domain and printable and "@" not in domain and not reserved
    if not (plausible and len(email) <= MAXIMUM_EMAIL_CHARACTERS):
        raise InvalidArgument("write an e-mail address like name@example.com", field="email")
    return email


def check_display_name(name: str, email: str) -> str:
    """The name shown to others: as given, else the part of the address before the @.

    Raises:
        InvalidArgument: it is too long or not printable.
    """
    name = name.strip() or email.partition("@")[0]
    if len(name) > MAXIMUM_NAME_CHARACTERS or not name.isprintable():
        raise InvalidArgument(f"a name has up to {MAXIMUM_NAME_CHARACTERS} printable characters", field="display_name")
    return name


# What writes are asked for. Secrets stay out of every repr.


@dataclass(frozen=True)
class SignUp:
    """A new account."""

    email: str
    password: str = field(repr=False)
    display_name: str
    setup_token: str = field(repr=False)
    invitation_token: str = field(repr=False)


@dataclass(frozen=True)
class LogIn:
    """A pair of credentials and where they came from."""

    email: str
    password: str = field(repr=False)
    client_address: str


@dataclass(frozen=True)
class InviteUser:
    """An account for somebody else."""

    email: str
    role: Role | None
    display_name: str


@dataclass(frozen=True)
class SetUserRole:
    """Another role for somebody."""

    user_id: UUID
    expected_version: int
    role: Role | None


@dataclass(frozen=True)
class DeactivateUser:
    """The end of an account."""

    user_id: UUID
    expected_version: int


@dataclass(frozen=True)
class ChangePassword:
    """Another password for oneself; the session in which that happens goes on."""

    user_id: UUID
    session_id: UUID | None
    expected_version: int
    current_password: str = field(repr=False)
    new_password: str = field(repr=False)


# What happened: each becomes one event.


@dataclass(frozen=True)
class UserSignedUp:
    """A person made an account, took up an invitation, or came back through the provider."""

    user_id: UUID
    version: int
    role: Role | None


@dataclass(frozen=True)
class UserInvited:
    """An admin made an account for somebody."""

    user_id: UUID
    version: int
    role: Role | None


@dataclass(frozen=True)
class UserRoleSet:
    """An admin gave or took a role, or the provider's groups did."""

    user_id: UUID
    version: int
    previous_role: Role | None
    role: Role | None


@dataclass(frozen=True)
class UserWasDeactivated:
    """An account was closed."""

    user_id: UUID
    version: int


@dataclass(frozen=True)
class UserErased:
    """A person was forgotten: address and name were erased, and the account was closed."""

    user_id: UUID
    version: int


@dataclass(frozen=True)
class UserPasswordChanged:
    """A person changed his password."""

    user_id: UUID
    version: int


@dataclass(frozen=True)
class SessionWasRevoked:
    """A session ended before its time."""

    session_id: UUID
    version: int
    user_id: UUID
    cause: RevocationCause
