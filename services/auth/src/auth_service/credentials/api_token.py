"""API tokens: what a machine shows, and what may happen to it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

MAXIMUM_SERVICE_ACCOUNT_NAME_CHARACTERS = 63
SCOPES = frozenset({"logs:write", "changes:write", "tickets:write"})


@dataclass(frozen=True)
class ServiceAccount:
    """A machine that pushes data."""

    id: UUID
    name: str


@dataclass(frozen=True)
class ApiToken:
    """A machine's credential; the secret itself is nowhere, only its hash in the store."""

    id: UUID
    version: int
    service_account: ServiceAccount
    scopes: frozenset[str]
    prefix: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether the token is accepted now."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def revoked(self, at: datetime) -> tuple[ApiToken, ApiTokenRevoked]:
        """The token ends now."""
        token = replace(self, version=self.version + 1, revoked_at=at)
        return token, ApiTokenRevoked(token.id, token.version, token.service_account.id)


@dataclass(frozen=True)
class CreateApiToken:
    """A credential for a machine."""

    service_account_name: str
    scopes: frozenset[str]
    expires_at: datetime | None


@dataclass(frozen=True)
class RevokeApiToken:
    """The end of a machine's credential."""

    api_token_id: UUID
    expected_version: int


@dataclass(frozen=True)
class ApiTokenCreated:
    """An admin made a machine credential."""

    api_token_id: UUID
    version: int
    service_account_id: UUID
    scopes: frozenset[str]


@dataclass(frozen=True)
class ApiTokenRevoked:
    """A machine credential was ended."""

    api_token_id: UUID
    version: int
    service_account_id: UUID


def check_scopes(scopes: frozenset[str]) -> frozenset[str]:
    """At least one scope, all of them known.

    Raises:
        InvalidArgument: otherwise.
    """
    if not scopes or not scopes <= SCOPES:
        raise InvalidArgument(f"choose at least one scope of: {', '.join(sorted(SCOPES))}", field="scopes")
    return scopes


def check_service_account_name(name: str) -> str:
    """The name of a machine without blanks around it.

    Raises:
        InvalidArgument: it is empty, too long or not printable.
    """
    name = name.strip()
    if not (0 < len(name) <= MAXIMUM_SERVICE_ACCOUNT_NAME_CHARACTERS and name.isprintable()):
        raise InvalidArgument(
            f"a service account's name has 1 to {MAXIMUM_SERVICE_ACCOUNT_NAME_CHARACTERS} printable characters",
            field="service_account_name",
        )
    return name
