"""Access tokens: what passes, and a list of attacks of which none does."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.errors import Unauthenticated, Unavailable
from chassis.identity import (
    AccessTokens,
    Role,
    ServiceIdentity,
    Trust,
    Viewer,
    public_jwk,
    sign_access_token,
)
from chassis.testing.clock import FrozenClock
from chassis.tokens import Memory

USER = UUID("0198c0de-0000-7000-8000-000000000001")
SESSION = UUID("0198c0de-0000-7000-8000-000000000002")

Claims = dict[str, Any]


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def claims(clock: FrozenClock) -> Claims:
    now = int(clock.now().timestamp())
    return {
        "iss": "aiops",
        "aud": "aiops",
        "sub": str(USER),
        "sid": str(SESSION),
        "role": "ops",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "jti": "a-token",
    }


class Keys:
    """What auth publishes, and how often it was asked."""

    def __init__(self, **keys: Ed25519PrivateKey) -> None:
        self.keys = keys
        self.asked = 0
        self.broken: Exception | None = None

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise self.broken
        return json.dumps({"keys": [public_jwk(key.public_key(), kid) for kid, key in self.keys.items()]})


@pytest.fixture
def keys(key: Ed25519PrivateKey) -> Keys:
    return Keys(k1=key)


@pytest.fixture
def tokens(keys: Keys, clock: FrozenClock) -> AccessTokens:
    return AccessTokens(keys, clock)


async def test_an_access_token_says_who_it_speaks_for(
    tokens: AccessTokens, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    viewer = await tokens.verify(sign_access_token(key, "k1", claims))

    assert viewer == Viewer(
        id=USER,
        kind="user",
        role=Role.OPS,
        scopes=frozenset(),
        session_id=SESSION,
        token_id="a-token",
        expires_at=clock.now() + timedelta(minutes=10),
    )


async def test_a_machine_has_scopes_and_no_role(tokens: AccessTokens, key: Ed25519PrivateKey, claims: Claims) -> None:
    del claims["role"]
    claims |= {"kind": "service_account", "scopes": ["logs:write"]}

    viewer = await tokens.verify(sign_access_token(key, "k1", claims))

    assert (viewer.kind, viewer.role) == ("service_account", None)
    assert viewer.scopes == {"logs:write"}


async def test_a_person_without_a_role_is_somebody(
    tokens: AccessTokens, key: Ed25519PrivateKey, claims: Claims
) -> None:
    del claims["role"]

    assert (await tokens.verify(sign_access_token(key, "k1", claims))).role is None


def b64(value: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims: Claims, _key: Ed25519PrivateKey) -> str:
    return f"{b64({'alg': 'none', 'kid': 'k1', 'typ': 'at+jwt'})}.{b64(claims)}."


def hmac_with_public_key(claims: Claims, key: Ed25519PrivateKey) -> str:
    secret = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{b64({'alg': 'HS256', 'kid': 'k1', 'typ': 'at+jwt'})}.{b64(claims)}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def with_headers(**headers: Any) -> Callable[[Claims, Ed25519PrivateKey], str]:
    def make(claims: Claims, key: Ed25519PrivateKey) -> str:
        return jwt.encode(claims, key, "EdDSA", headers={"kid": "k1", "typ": "at+jwt", **headers})

    return make


def with_own_key_in_header(claims: Claims, _key: Ed25519PrivateKey) -> str:
    mine = Ed25519PrivateKey.generate()
    headers = {"kid": "k1", "typ": "at+jwt", "jwk": public_jwk(mine.public_key(), "k1")}
    return jwt.encode(claims, mine, "EdDSA", headers=headers)


def with_claims(**changes: Any) -> Callable[[Claims, Ed25519PrivateKey], str]:
    def make(claims: Claims, key: Ed25519PrivateKey) -> str:
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return sign_access_token(key, "k1", changed)

    return make


def tampered(claims: Claims, key: Ed25519PrivateKey) -> str:
    header, _, signature = sign_access_token(key, "k1", claims).split(".")
    return f"{header}.{b64({**claims, 'role': 'admin'})}.{signature}"


def detached(claims: Claims, key: Ed25519PrivateKey) -> str:
    header, _, signature = sign_access_token(key, "k1", claims).split(".")
    return f"{header}..{signature}"


ATTACKS: dict[str, Callable[[Claims, Ed25519PrivateKey], str]] = {
    "alg none": unsigned,
    "HS256 with the public key": hmac_with_public_key,
    "another key under our kid": lambda claims, _key: sign_access_token(Ed25519PrivateKey.generate(), "k1", claims),
    "unknown kid": with_headers(kid="k2"),
    "own key in the header": with_own_key_in_header,
    "jku": with_headers(jku="http://127.0.0.1/keys"),
    "x5c": with_headers(x5c=["MIIB"]),
    "crit": with_headers(crit=["b64"], b64=False),
    "crit exp": with_headers(crit=["exp"]),
    "cty": with_headers(cty="JWT"),
    "service token's type": with_headers(typ="svc+jwt"),
    "plain JWT": with_headers(typ="JWT"),
    "wrong audience": with_claims(aud="logs"),
    "list of audiences": with_claims(aud=["aiops", "logs"]),
    "wrong issuer": with_claims(iss="gateway"),
    "no issuer": with_claims(iss=None),
    "no audience": with_claims(aud=None),
    "no exp": with_claims(exp=None),
    "no nbf": with_claims(nbf=None),
    "no iat": with_claims(iat=None),
    "no sub": with_claims(sub=None),
    "no sid": with_claims(sid=None),
    "no jti": with_claims(jti=None),
    "exp as text": with_claims(exp="4000000000"),
    "exp as float": with_claims(exp=4e9),
    "exp beyond all calendars": with_claims(exp=10**20),
    "expired": with_claims(exp=1),
    "nbf in the future": with_claims(nbf=4_000_000_000),
    "iat in the future": with_claims(iat=4_000_000_000),
    "sub is no id": with_claims(sub="somebody"),
    "sid is no id": with_claims(sid="somewhere"),
    "unknown role": with_claims(role="root"),
    "unknown kind": with_claims(kind="service"),
    "a person with scopes": with_claims(scopes=["logs:write"]),
    "a machine with a role": with_claims(kind="service_account", scopes=[]),
    "scopes are text": with_claims(kind="service_account", role=None, scopes="logs:write"),
    "tampered": tampered,
    "no payload": detached,
    "endless": with_claims(note="x" * 5000),
    "garbage": lambda _claims, _key: "a.b.c",
    "nothing": lambda _claims, _key: "",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_an_attack_is_refused_without_repeating_the_token(
    tokens: AccessTokens, key: Ed25519PrivateKey, claims: Claims, attack: Callable[[Claims, Ed25519PrivateKey], str]
) -> None:
    token = attack(claims, key)

    with pytest.raises(Unauthenticated) as refused:
        await tokens.verify(token)

    assert not any(part in refused.value.message for part in token.split(".") if len(part) > 1)
    assert "log in again" in refused.value.message


async def test_one_kind_of_token_is_never_taken_for_the_other(
    tokens: AccessTokens, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    gateway, trust = ServiceIdentity("gateway", key, clock), Trust({"gateway": key.public_key()}, clock)

    with pytest.raises(Unauthenticated, match="another type"):
        await tokens.verify(gateway.token("aiops"))
    with pytest.raises(Unauthenticated, match="another type"):
        trust.verify(sign_access_token(key, "gateway", {**claims, "iss": "gateway", "aud": "logs"}), audience="logs")


async def test_a_token_ends_at_its_second(
    tokens: AccessTokens, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    token = sign_access_token(key, "k1", claims)
    clock.advance(timedelta(seconds=599))
    assert (await tokens.verify(token)).id == USER

    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        await tokens.verify(token)


# Keys of auth


async def test_an_unknown_key_is_asked_for_at_most_once_in_ten_seconds(
    tokens: AccessTokens, keys: Keys, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    fresh = Ed25519PrivateKey.generate()
    token = sign_access_token(fresh, "k2", claims)
    for _ in range(5):
        with pytest.raises(Unauthenticated, match="key is unknown"):
            await tokens.verify(token)
    assert keys.asked == 1

    keys.keys = {"k1": key, "k2": fresh}
    clock.advance(timedelta(seconds=10))
    seen = await asyncio.gather(*(tokens.verify(token) for _ in range(20)))

    assert {viewer.id for viewer in seen} == {USER}
    assert keys.asked == 2


async def test_known_keys_are_kept_while_auth_is_away(
    tokens: AccessTokens, keys: Keys, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    await tokens.verify(sign_access_token(key, "k1", claims))
    keys.broken = OSError("connection refused")
    clock.advance(timedelta(seconds=AccessTokens.MAX_AGE_SECONDS))
    claims["exp"] += 600

    assert (await tokens.verify(sign_access_token(key, "k1", claims))).id == USER
    assert keys.asked == 2


async def test_a_retired_key_is_refused_in_the_end(
    tokens: AccessTokens, keys: Keys, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    token = sign_access_token(key, "k1", claims)
    await tokens.verify(token)
    keys.keys = {"k2": Ed25519PrivateKey.generate()}
    clock.advance(timedelta(seconds=AccessTokens.MAX_AGE_SECONDS))

    with pytest.raises(Unauthenticated, match="key is unknown"):
        await tokens.verify(token)


async def test_a_retired_key_takes_the_tokens_that_passed_with_it(
    tokens: AccessTokens, keys: Keys, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    token, fresh = sign_access_token(key, "k1", claims), Ed25519PrivateKey.generate()
    await tokens.verify(token)
    keys.keys = {"k2": fresh}
    clock.advance(timedelta(seconds=AccessTokens.REFETCH_SECONDS))
    await tokens.verify(sign_access_token(fresh, "k2", claims))

    with pytest.raises(Unauthenticated, match="key is unknown"):
        await tokens.verify(token)


@pytest.mark.parametrize("count", [1, 10])
def test_what_is_remembered_is_bounded(clock: FrozenClock, count: int) -> None:
    memory: Memory[int] = Memory(most=10)
    for number in range(10 + count):
        memory.put(f"token {number}", number, clock.now().timestamp() + 1)

    assert memory.get("token 0", clock.now()) is None
    assert memory.get(f"token {9 + count}", clock.now()) == 9 + count
    assert len(memory._known) == count
    clock.advance(timedelta(seconds=1))
    assert memory.get(f"token {9 + count}", clock.now()) is None


@pytest.mark.parametrize("broken", [OSError("refused"), ValueError("no JSON"), Unavailable(dependency="postgres")])
async def test_without_any_key_log_ins_cannot_be_checked(
    tokens: AccessTokens, keys: Keys, key: Ed25519PrivateKey, claims: Claims, broken: Exception
) -> None:
    keys.broken = broken

    for _ in range(2):
        with pytest.raises(Unavailable) as away:
            await tokens.verify(sign_access_token(key, "k1", claims))
        assert away.value.metadata == {"dependency": "auth"}

    assert keys.asked == 1


async def test_whoever_started_while_auth_was_away_has_keys_a_moment_after_it_is_back(
    tokens: AccessTokens, keys: Keys, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    keys.broken = OSError("refused")
    with pytest.raises(Unavailable):
        await tokens.verify(sign_access_token(key, "k1", claims))

    keys.broken = None
    clock.advance(timedelta(seconds=AccessTokens.RETRY_SECONDS))

    assert str((await tokens.verify(sign_access_token(key, "k1", claims))).id) == claims["sub"]
    assert keys.asked == 2


@pytest.mark.parametrize("url", ["file:///etc/passwd", "auth/jwks.json"])
def test_keys_come_over_http_alone(url: str) -> None:
    with pytest.raises(ValueError, match="AIOPS_JWKS_URL"):
        AccessTokens.over_http(url)
