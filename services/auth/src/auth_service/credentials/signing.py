"""The keys that sign access tokens: made here, sealed before they are stored, opened to sign.

A key is published as `next` before it signs as `current`, and stays published as `retired` until the last token that it
signed has expired; so no verifier ever meets a key that it could not have known.
"""

import json
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth_service.credentials.api_token import ApiToken
from auth_service.domain import Session, User
from chassis.identity import INSTALLATION, public_jwk, sign_access_token

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
API_ACCESS_TOKEN_LIFETIME = timedelta(seconds=60)
RETIRED_KEY_PUBLISHED = ACCESS_TOKEN_LIFETIME + timedelta(minutes=5)
"""How long a retired key stays in the JWKS: the life of its last token, and time for signers to notice."""
_NONCE_BYTES = 12
_KEY_BYTES = 32


class KeyState(StrEnum):
    """Where a signing key is in its life."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True)
class SigningKey:
    """A key as it is stored; a retired one has lost its private half."""

    kid: str
    public_jwk: Mapping[str, str]
    sealed_private_key: bytes | None = field(repr=False)
    state: KeyState
    created_at: datetime
    activated_at: datetime | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True)
class AccessToken:
    """A signed token for its holder."""

    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Signer:
    """The opened current key."""

    kid: str
    key: Ed25519PrivateKey = field(repr=False)

    def for_user(self, user: User, session: Session, now: datetime) -> AccessToken:
        """An access token of ten minutes for a person."""
        role = {"role": user.role.value} if user.role else {}
        claims = {"sub": str(user.id), "sid": str(session.id), "kind": "user", "account_version": user.version, **role}
        return self._sign(claims, now, min(now + ACCESS_TOKEN_LIFETIME, session.expires_at))

    def for_machine(self, token: ApiToken, now: datetime) -> AccessToken:
        """An access token of 60 seconds for a machine."""
        claims = {"sub": str(token.service_account.id), "sid": str(token.id), "kind": "service_account"}
        expires_at = now + API_ACCESS_TOKEN_LIFETIME
        expires_at = min(expires_at, token.expires_at) if token.expires_at else expires_at
        return self._sign({**claims, "scopes": sorted(token.scopes)}, now, expires_at)

    def _sign(self, claims: Mapping[str, object], now: datetime, expires_at: datetime) -> AccessToken:
        issued, expires = int(now.timestamp()), int(expires_at.timestamp())
        frame = {"iss": INSTALLATION, "aud": INSTALLATION, "iat": issued, "nbf": issued, "exp": expires}
        text = sign_access_token(self.key, self.kid, {**frame, **claims, "jti": uuid4().hex})
        return AccessToken(text, datetime.fromtimestamp(expires, now.tzinfo))


class KeySealer:
    """Makes, seals and opens signing keys. The sealing key lives in a file, never in the database beside them."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the sealing key: 64 hexadecimal digits in a file that others cannot read.

        Raises:
            ValueError: the file holds something else, or is open to everybody.
        """
        if stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
            raise ValueError(f"{path} can be read by everybody; run: chmod 600 {path}")
        try:
            key = bytes.fromhex(path.read_text().strip())
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            raise ValueError(f"{path} must hold 64 hexadecimal digits; make it with: openssl rand -hex {_KEY_BYTES}")
        return cls(key)

    def new_key(self, state: KeyState, now: datetime) -> SigningKey:
        """A fresh key in its first state."""
        key = Ed25519PrivateKey.generate()
        kid = uuid4().hex
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, key.private_bytes_raw(), kid.encode())
        activated_at = now if state is KeyState.CURRENT else None
        return SigningKey(kid, public_jwk(key.public_key(), kid), sealed, state, now, activated_at)

    def open(self, stored: SigningKey) -> Signer:
        """The key, ready to sign.

        Raises:
            ValueError: it was sealed with another key, or altered.
        """
        sealed = stored.sealed_private_key or b""
        try:
            private = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], stored.kid.encode())
        except (InvalidTag, ValueError) as error:
            raise ValueError(
                f"AUTH_KEY_ENCRYPTION_FILE does not open signing key {stored.kid}; restore the file it was sealed with"
            ) from error
        return Signer(stored.kid, Ed25519PrivateKey.from_private_bytes(private))


def jwks(keys: Iterable[SigningKey]) -> str:
    """The public halves as a JSON Web Key Set."""
    return json.dumps({"keys": [dict(key.public_jwk) for key in keys]})
