"""Secrets on their way to their holders, with what they are for. Each is told once."""

from dataclasses import dataclass, field
from datetime import datetime

from auth_service.credentials.api_token import ApiToken
from auth_service.credentials.opaque import Secret
from auth_service.credentials.signing import AccessToken
from auth_service.domain import User


@dataclass(frozen=True)
class IssuedSession:
    """A pair of tokens for a person; told once."""

    user: User
    access_token: AccessToken
    refresh_token: Secret = field(repr=False)
    refresh_token_expires_at: datetime


@dataclass(frozen=True)
class Invited:
    """An invited person and the secret to pass on; told once."""

    user: User
    invitation_token: Secret = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class IssuedApiToken:
    """A machine's new credential; told once."""

    api_token: ApiToken
    secret: Secret = field(repr=False)
