"""What every token of ours must be, whoever made it: an Ed25519 JWT with our header and complete claims.

It knows formats alone; whose key it is and what the claims mean is `chassis.identity`'s.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chassis.errors import Unauthenticated

CLOCK_SKEW_SECONDS = 5
MAX_TOKEN_CHARACTERS = 4096

Proof = TypeVar("Proof")


class Memory(Generic[Proof]):
    """What good tokens proved, until they expire: a signature costs a fifth of an RPC, and a token comes many times."""

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._known: dict[str, tuple[float, Proof]] = {}

    def get(self, token: str, now: datetime) -> Proof | None:
        """What the token proved when it was checked, while it is valid."""
        expires_at, proof = self._known.get(token, (0.0, None))
        return proof if expires_at > now.timestamp() else None

    def put(self, token: str, proof: Proof, expires_at: float) -> Proof:
        """Remember it; what is full begins afresh."""
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[token] = (expires_at, proof)
        return proof

    def clear(self) -> None:
        """Forget all: the keys changed."""
        self._known.clear()


def public_key(jwk: Any) -> Ed25519PublicKey:
    """The key of a public JWK (RFC 8037).

    Raises:
        ValueError: it is no public Ed25519 key.
    """
    if not isinstance(jwk, Mapping) or (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519") or "d" in jwk:
        raise ValueError("only public Ed25519 keys (kty OKP, crv Ed25519) are trusted")
    x = str(jwk.get("x", ""))
    try:
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)))
    except (binascii.Error, ValueError) as error:
        raise ValueError("the key's x is not 32 bytes in base64url") from error


def refused(why: str) -> Unauthenticated:
    """The error for a token that does not pass; `why` never holds any of it."""
    return Unauthenticated(f"the token was refused: {why}; log in again")


def key_id(token: str, token_type: str) -> str:
    """The key id of a token whose header says nothing but what we write ourselves.

    Raises:
        Unauthenticated: it says anything else.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise refused("it is too long")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise refused("it is malformed") from error
    # An allow-list: `crit`, `jwk`, `jku`, `x5c`, `b64` and whatever comes next are all refused unread (RFC 8725, 3.10).
    if header.keys() != {"alg", "kid", "typ"} or header["alg"] != "EdDSA" or not isinstance(header["kid"], str):
        raise refused("its header is not one of ours")
    if header["typ"] != token_type:
        raise refused("it is of another type")
    return header["kid"]


def verified_claims(
    token: str, key: Ed25519PublicKey, *, issuer: str, audience: str, require: tuple[str, ...], now: datetime
) -> dict[str, Any]:
    """The claims of a token that this key signed, for this audience, and that holds now.

    Raises:
        Unauthenticated: it is not such a token.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["EdDSA"],
            audience=audience,
            issuer=issuer,
            options={
                "require": ["iss", "aud", "iat", "exp", *require],
                "strict_aud": True,
                # The times are checked below, by our clock instead of the library's.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.PyJWTError as error:
        raise refused(f"it is not valid here ({type(error).__name__})") from error
    for name in ("iat", "exp", "nbf"):
        if type(claims.get(name, 0)) is not int:
            raise refused(f"its {name} is no whole number")
    if claims["exp"] <= now.timestamp():
        raise refused("it has expired")
    if max(claims["iat"], claims.get("nbf", 0)) > now.timestamp() + CLOCK_SKEW_SECONDS:
        raise refused("it is not valid yet")
    return claims
