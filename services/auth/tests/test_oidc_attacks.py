"""What somebody tries who is not the person: each attempt is refused, changes nothing, and starts no session."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from services.auth.tests.factories import Auth, new_key, refusal
from services.auth.tests.provider import CLIENT_ID, Claims, LocalProvider, unsigned
from services.auth.tests.test_oidc import (
    GRACE,
    auth,
    begin,
    complete,
    end_sessions,
    oidc_settings,
    person,
    provider,
    signed_in,
)

__all__ = ["auth", "oidc_settings", "provider"]  # the fixtures

KEPT = ("users", "sessions", "refresh_tokens", "identities", "outbox")


def kept(auth: Auth) -> dict[str, list[dict[str, Any]]]:
    return {table: auth.rows(table) for table in KEPT}


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://id.example.net"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"azp": "another-client"},
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"at_hash": "of-another-token"},
        {"exp": 1},
        {"exp": "never"},
        {"iat": 1},
        {"iat": 99_999_999_999},
        {"sub": ""},
        {"sub": "x" * 256},
        {"exp": None},
        {"iat": None},
    ],
    ids=str,
)
async def test_an_id_token_that_lies_lets_nobody_in(auth: Auth, provider: LocalProvider, lie: Claims) -> None:
    before = kept(auth)
    provider.lie = lambda claims: claims.update(lie)

    with refusal("SIGN_IN_REJECTED"):
        await signed_in(auth, provider)

    assert kept(auth) == before
    assert auth.audit() == ["log_in.failed"]


@pytest.mark.parametrize(
    "forge",
    [
        lambda _provider, claims: unsigned(claims),
        lambda provider, claims: provider.signed_with_public_key(claims),
        lambda provider, claims: provider.signed(claims, RSAKey.generate_key(2048, {"kid": "rsa-1"})),
        lambda provider, claims: provider.signed(claims, kid="nobody-knows"),
        lambda provider, claims: provider.signed(claims)[:-8] + "AAAAAAAA",
        lambda provider, claims: provider.signed(claims, alg="PS256"),
        lambda _provider, _claims: "no token",
    ],
    ids=["none", "public key as secret", "another key", "unknown key", "altered", "another algorithm", "garbage"],
)
async def test_a_forged_id_token_lets_nobody_in(
    auth: Auth, provider: LocalProvider, forge: Callable[[LocalProvider, Claims], str]
) -> None:
    before = kept(auth)
    provider.forge = lambda claims: forge(provider, claims)

    with refusal("SIGN_IN_REJECTED"):
        await signed_in(auth, provider)

    assert kept(auth) == before


async def test_a_code_is_good_once(auth: Auth, provider: LocalProvider) -> None:
    begun = await begin(auth)
    back = provider.authorize(begun.authorization_url, **GRACE)
    await complete(auth, begun.browser_secret, back)
    before = kept(auth)

    with refusal("SIGN_IN_EXPIRED"):
        await complete(auth, begun.browser_secret, back)

    assert kept(auth) == before
    assert len(provider.exchanges) == 1


async def test_a_code_brought_to_another_sign_in_is_refused(auth: Auth, provider: LocalProvider) -> None:
    victim, attacker = await begin(auth), await begin(auth)
    stolen = provider.authorize(victim.authorization_url, **GRACE)
    own = provider.authorize(attacker.authorization_url, **GRACE)

    with refusal("SIGN_IN_REJECTED"):
        await complete(auth, attacker.browser_secret, {**own, "code": stolen["code"]})

    assert auth.rows("sessions") == []


@pytest.mark.parametrize("secret", ["", "guessed", "own"])
async def test_another_browser_completes_nothing_and_harms_nothing(
    auth: Auth, provider: LocalProvider, secret: str
) -> None:
    victim, attacker = await begin(auth), await begin(auth)
    back = provider.authorize(victim.authorization_url, **GRACE)

    with refusal("SIGN_IN_EXPIRED"):
        await complete(auth, attacker.browser_secret if secret == "own" else secret, back)

    assert provider.exchanges == []
    assert (await complete(auth, victim.browser_secret, back)).user.email == "grace@example.com"


@pytest.mark.parametrize("state", ["", "guessed"])
async def test_an_unknown_state_completes_nothing(auth: Auth, provider: LocalProvider, state: str) -> None:
    begun = await begin(auth)
    back = provider.authorize(begun.authorization_url, **GRACE)

    with refusal("SIGN_IN_EXPIRED"):
        await complete(auth, begun.browser_secret, {**back, "state": state})

    assert provider.exchanges == []


async def test_a_sign_in_is_over_after_ten_minutes(auth: Auth, provider: LocalProvider) -> None:
    begun = await begin(auth)
    back = provider.authorize(begun.authorization_url, **GRACE)

    auth.clock.advance(timedelta(minutes=10))

    with refusal("SIGN_IN_EXPIRED"):
        await complete(auth, begun.browser_secret, back)


@pytest.mark.parametrize("issuer", ["https://id.example.net", ""])
async def test_a_code_of_another_provider_is_not_taken_to_ours(
    auth: Auth, provider: LocalProvider, issuer: str
) -> None:
    begun = await begin(auth)
    back = provider.authorize(begun.authorization_url, **GRACE)

    with refusal("SIGN_IN_REJECTED"):
        await complete(auth, begun.browser_secret, {**back, "iss": issuer})

    assert provider.exchanges == []
    assert auth.rows("sessions") == []


async def test_a_provider_that_calls_itself_otherwise_is_not_ours(auth: Auth, provider: LocalProvider) -> None:
    provider.calls_itself = "https://id.example.net"

    with refusal("SIGN_IN_REJECTED"):
        await begin(auth)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.net",
        "//evil.example.net",
        "/\\evil.example.net",
        "\\/evil.example.net",
        "/a\\b",
        "/\t/evil.example.net",
        "/\n/evil.example.net",
        "javascript:alert(1)",
        "logs",
        " /logs",
        "/" + "a" * 1000,
    ],
)
async def test_nobody_is_sent_on_to_another_site(auth: Auth, path: str) -> None:
    with refusal("INVALID_ARGUMENT"):
        await begin(auth, path)

    assert auth.rows("sign_ins") == []


async def test_many_beginnings_from_one_address_have_to_wait(auth: Auth) -> None:
    for _ in range(50):
        await begin(auth)

    with refusal("TOO_MANY_ATTEMPTS"):
        await begin(auth)


@pytest.mark.parametrize("claims", [{"sid": None, "sub": "grace-1"}, {"sid": "at-the-provider-1"}], ids=str)
async def test_a_logout_token_ends_the_sessions_that_it_names(
    auth: Auth, provider: LocalProvider, claims: Claims
) -> None:
    grace = await signed_in(auth, provider)
    other = await signed_in(auth, provider, sub="bob-1", sid="other", email="bob@example.com")

    assert await end_sessions(auth, provider.logout_token(**claims)) == 1

    with refusal("SESSION_REVOKED"):
        await auth.refresh(grace.session.refresh_token)
    assert (await auth.refresh(other.session.refresh_token)).user.id == other.user.id
    assert auth.audit()[-1] == "session.revoked"


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://id.example.net"},
        {"aud": "another-client"},
        {"events": {}},
        {"events": None},
        {"nonce": "an id token"},
        {"jti": None},
        {"sub": None, "sid": None},
        {"exp": 1},
        {"iat": 1},
    ],
    ids=str,
)
async def test_a_logout_token_that_lies_ends_nothing(auth: Auth, provider: LocalProvider, lie: Claims) -> None:
    await signed_in(auth, provider)
    before = kept(auth)

    with refusal("LOGOUT_TOKEN_INVALID"):
        await end_sessions(auth, provider.logout_token(**{"sub": "grace-1", **lie}))

    assert kept(auth) == before


async def test_a_forged_logout_token_ends_nothing(auth: Auth, provider: LocalProvider) -> None:
    grace = await signed_in(auth, provider)
    claims = provider.stamped({"sub": "grace-1", "jti": "1", "events": {}})
    stranger = RSAKey.generate_key(2048, {"kid": "rsa-1"})

    for token in (unsigned(claims), provider.signed(claims, stranger), provider.signed(claims)[:-8] + "AAAAAAAA"):
        with refusal("LOGOUT_TOKEN_INVALID"):
            await end_sessions(auth, token)

    assert (await auth.me(person(grace))).id == grace.user.id
    assert auth.rows("sessions")[0]["revoked_at"] is None


async def test_a_logout_token_that_comes_again_ends_nothing_more(auth: Auth, provider: LocalProvider) -> None:
    await signed_in(auth, provider)
    token = provider.logout_token(sub="grace-1")
    assert await end_sessions(auth, token) == 1
    auth.clock.advance(timedelta(seconds=5))
    again = await signed_in(auth, provider)

    with refusal("LOGOUT_TOKEN_INVALID"):
        await end_sessions(auth, token)

    assert (await auth.refresh(again.session.refresh_token)).user.id == again.user.id


async def test_a_sign_in_that_the_provider_ended_on_its_way_starts_no_session(
    auth: Auth, provider: LocalProvider
) -> None:
    await signed_in(auth, provider)
    begun = await begin(auth)
    back = provider.authorize(begun.authorization_url, **GRACE)
    await end_sessions(auth, provider.logout_token(sub="grace-1"))
    before = kept(auth)

    with refusal("SIGN_IN_EXPIRED"):
        await complete(auth, begun.browser_secret, back, new_key())

    assert kept(auth) == before
