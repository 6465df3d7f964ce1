"""Access tokens: what passes, and a list of attacks of which none does."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from token_attacks import ATTACKS, Claims

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
from chassis.revocations import Revocation, Revocations
from chassis.testing.clock import FrozenClock
from chassis.tokens import Memory

USER = UUID("0198c0de-0000-7000-8000-000000000001")
SESSION = UUID("0198c0de-0000-7000-8000-000000000002")


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


class Told:
    """What auth says is void."""

    def __init__(self) -> None:
        self.void: list[Revocation] = []

    async def __call__(self, _since: str) -> tuple[list[Revocation], str]:
        return self.void, ""


@pytest.fixture
def told() -> Told:
    return Told()


@pytest_asyncio.fixture
async def tokens(keys: Keys, told: Told, clock: FrozenClock) -> AccessTokens:
    tokens = AccessTokens(keys, Revocations(told, clock), clock)
    await tokens.revocations.ask()
    return tokens


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
        AccessTokens.over_http(url, Revocations(Told()))


async def test_a_remembered_token_is_refused_once_it_is_void(
    tokens: AccessTokens, told: Told, key: Ed25519PrivateKey, claims: Claims
) -> None:
    token = sign_access_token(key, "k1", claims)
    other = sign_access_token(key, "k1", claims | {"sid": "0198c0de-0000-7000-8000-000000000003"})
    await tokens.verify(token)

    told.void = [Revocation(SESSION, 1)]
    await tokens.revocations.ask()

    with pytest.raises(Unauthenticated, match="its session has ended"):
        await tokens.verify(token)
    assert (await tokens.verify(other)).id == USER


@pytest.mark.parametrize(("of_version", "void"), [(None, True), (3, True), (4, False), (5, False)])
async def test_tokens_of_versions_before_a_users_change_are_void(
    tokens: AccessTokens,
    told: Told,
    key: Ed25519PrivateKey,
    claims: Claims,
    of_version: int | None,
    *,
    void: bool,
) -> None:
    if of_version is not None:
        claims["account_version"] = of_version
    told.void = [Revocation(USER, 4)]
    await tokens.revocations.ask()

    if void:
        with pytest.raises(Unauthenticated):
            await tokens.verify(sign_access_token(key, "k1", claims))
    else:
        assert (await tokens.verify(sign_access_token(key, "k1", claims))).version == of_version


async def test_no_token_is_taken_before_auth_said_which_are_void(
    keys: Keys, told: Told, key: Ed25519PrivateKey, claims: Claims, clock: FrozenClock
) -> None:
    tokens = AccessTokens(keys, Revocations(told, clock), clock)

    with pytest.raises(Unavailable):
        await tokens.verify(sign_access_token(key, "k1", claims))


@pytest.mark.parametrize("version", ["4", 4.0, True, None])
async def test_a_version_that_is_no_whole_number_is_malformed(
    tokens: AccessTokens, key: Ed25519PrivateKey, claims: Claims, version: object
) -> None:
    with pytest.raises(Unauthenticated, match="malformed"):
        await tokens.verify(sign_access_token(key, "k1", claims | {"account_version": version}))
