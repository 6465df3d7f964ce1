"""Whether a token of the provider is genuine, for us, for now. Pure but for the keys, which the caller has fetched.

OpenID Connect Core 1.0, 3.1.3.7; Back-Channel Logout 1.0, 2.6; RFC 8725.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth_service.errors import SignInRejected
from auth_service.oidc.client import ClientRules

# Asymmetric ones alone, each with its kind of key: no token is checked with what it says of itself (RFC 8725, 3.1).
ALGORITHMS: Mapping[str, tuple[type[Key], str]] = {
    "RS256": (RSAKey, "sha256"),
    "ES256": (ECKey, "sha256"),
    "EdDSA": (OKPKey, "sha512"),
    "Ed25519": (OKPKey, "sha512"),
}
LEEWAY_SECONDS = 60
MAXIMUM_AGE_SECONDS = 600
"""How long ago a token may have been made: it comes straight from the provider."""
MAXIMUM_TOKEN_CHARACTERS = 64_000
MAXIMUM_SUBJECT_CHARACTERS = 255
MAXIMUM_GROUPS = 10_000
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True)
class Proved:
    """Who the provider says has just signed in."""

    subject: str
    sid: str
    """The provider's name of its session; empty when it tells none."""
    issued_at: datetime
    email: str = field(repr=False)
    email_verified: bool
    display_name: str = field(repr=False)
    groups: tuple[str, ...]


@dataclass(frozen=True)
class LoggedOut:
    """Whose sessions the provider has ended: all of a subject's, those of one of its sessions, or where both meet."""

    jti: str
    subject: str
    sid: str
    issued_at: datetime


def header_of(token: str) -> tuple[str, str]:
    """Algorithm and key id that a token names; both are only believed after a look into our own list.

    Raises:
        SignInRejected: it is no signed token, or of an algorithm that we do not take.
    """
    if len(token) > MAXIMUM_TOKEN_CHARACTERS or token.count(".") != 2:  # noqa: PLR2004 - header.payload.signature
        raise SignInRejected("a token is not signed")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise SignInRejected("a token cannot be read") from error
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or not isinstance(kid, str):
        raise SignInRejected("a token is signed by an algorithm that is not taken; RS256, ES256 and EdDSA are")
    return algorithm, kid


def check_id_token(
    token: str, keys: Sequence[Key], rules: ClientRules, *, nonce: str, access_token: str, now: datetime
) -> Proved:
    """Who signed in.

    Raises:
        SignInRejected: the token is forged, expired, for another client, or for another sign-in.
    """
    claims = _verified(token, keys, rules, now, {"exp", "iat", "sub"})
    audience, party = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise SignInRejected("the id token has several audiences and does not say for whom it was made (azp)")
    if party is not None and party != rules.client_id:
        raise SignInRejected("the id token was made for another client (azp)")
    if not _same(_text(claims, "nonce"), nonce):
        raise SignInRejected("the id token belongs to another sign-in (nonce)")
    if "at_hash" in claims and not _same(_text(claims, "at_hash"), _half_hash(token, access_token)):
        raise SignInRejected("the id token belongs to another access token (at_hash)")
    return Proved(
        subject=_subject(claims),
        sid=_text(claims, "sid"),
        issued_at=_moment(claims["iat"]),
        email=_text(claims, "email"),
        # Some providers write the word.
        email_verified=str(claims.get(rules.verified_claim)).lower() in {"true", "1"},
        display_name=_text(claims, "name"),
        groups=_groups(claims.get(rules.groups_claim)),
    )


def check_logout_token(token: str, keys: Sequence[Key], rules: ClientRules, *, now: datetime) -> LoggedOut:
    """Whose sessions to end.

    Raises:
        SignInRejected: the token is forged, expired, for another client, or no logout token.
    """
    claims = _verified(token, keys, rules, now, {"exp", "iat", "jti"})
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise SignInRejected("the token is no logout token (events)")
    if "nonce" in claims:
        raise SignInRejected("the token is an id token, and no logout token (nonce)")
    subject, sid = _text(claims, "sub"), _text(claims, "sid")
    if not subject and not sid:
        raise SignInRejected("the logout token names nobody (sub, sid)")
    jti = _text(claims, "jti")
    if not jti:
        raise SignInRejected("the logout token has no id (jti)")
    return LoggedOut(jti, subject, sid, _moment(claims["iat"]))


def _verified(
    token: str, keys: Sequence[Key], rules: ClientRules, now: datetime, essential: Collection[str]
) -> dict[str, Any]:
    algorithm, kid = header_of(token)
    kind, _ = ALGORITHMS[algorithm]
    candidates = [key for key in keys if isinstance(key, kind) and (not kid or key.kid == kid)]
    if len(candidates) != 1:
        raise SignInRejected("a token is signed by a key that the provider does not publish")
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    moment = int(now.timestamp())
    expected = {name: jwt.ClaimsOption(essential=True) for name in essential}
    claims_rules = jwt.JWTClaimsRegistry(
        now=moment,
        leeway=LEEWAY_SECONDS,
        iss=jwt.ClaimsOption(essential=True, value=rules.issuer),
        aud=jwt.ClaimsOption(essential=True, value=rules.client_id),
        **expected,
    )
    try:
        claims = jwt.decode(token, candidates[0], algorithms=[algorithm], registry=registry).claims
        claims_rules.validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise SignInRejected(f"a token was refused: {type(error).__name__}") from error
    if claims["iat"] < moment - MAXIMUM_AGE_SECONDS:
        raise SignInRejected("a token was made too long ago; do the clocks agree?")
    return claims


def _half_hash(token: str, access_token: str) -> str:
    digest = hashlib.new(ALGORITHMS[header_of(token)[0]][1], access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = _text(claims, "sub")
    if not 1 <= len(subject) <= MAXIMUM_SUBJECT_CHARACTERS:
        raise SignInRejected("the id token names nobody (sub)")
    return subject


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    return value if isinstance(value, str) else ""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())


def _groups(value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(each for each in found[:MAXIMUM_GROUPS] if isinstance(each, str))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
