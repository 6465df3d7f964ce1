"""Services prove themselves; the current call knows who and for whom."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.errors import Unauthenticated
from chassis.identity import (
    Actor,
    Call,
    ServiceIdentity,
    Trust,
    Viewer,
    acting_as,
    current_call,
    public_jwk,
)
from chassis.testing.clock import FrozenClock

USER = UUID("0198c0de-0000-7000-8000-000000000001")
SESSION = UUID("0198c0de-0000-7000-8000-000000000002")

Claims = dict[str, Any]


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def gateway(clock: FrozenClock, key: Ed25519PrivateKey) -> ServiceIdentity:
    return ServiceIdentity("gateway", key, clock)


@pytest.fixture
def trust(clock: FrozenClock, gateway: ServiceIdentity) -> Trust:
    return Trust({"gateway": gateway.public_key, "logs": Ed25519PrivateKey.generate().public_key()}, clock)


def b64(value: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# Service tokens


def test_a_service_is_believed_by_whom_it_speaks_to(gateway: ServiceIdentity, trust: Trust) -> None:
    assert trust.verify(gateway.token("logs"), audience="logs") == "gateway"


def test_a_service_token_is_used_again_for_40_seconds(gateway: ServiceIdentity, clock: FrozenClock) -> None:
    first = gateway.token("logs")
    clock.advance(timedelta(seconds=39))
    again = gateway.token("logs")
    clock.advance(timedelta(seconds=1))
    renewed = gateway.token("logs")

    assert first == again != renewed
    assert gateway.token("auth") not in {first, renewed}


def test_a_service_token_lives_60_seconds(gateway: ServiceIdentity, trust: Trust, clock: FrozenClock) -> None:
    token = gateway.token("logs")
    clock.advance(timedelta(seconds=59))
    assert trust.verify(token, audience="logs") == "gateway"

    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        trust.verify(token, audience="logs")


def service_token(key: Ed25519PrivateKey, clock: FrozenClock, headers: Claims | None = None, **claims: Any) -> str:
    now = int(clock.now().timestamp())
    given: Claims = {"iss": "gateway", "aud": "logs", "iat": now, "exp": now + 60, "jti": "1", **claims}
    return jwt.encode(
        {name: value for name, value in given.items() if value is not None},
        key,
        "EdDSA",
        headers={"kid": "gateway", "typ": "svc+jwt", **(headers or {})},
    )


@pytest.mark.parametrize(
    ("headers", "claims"),
    [
        ({}, {"aud": "auth"}),
        ({}, {"aud": ["logs"]}),
        ({}, {"aud": None}),
        ({}, {"iss": "logs"}),
        ({}, {"iss": None}),
        ({}, {"exp": None}),
        ({}, {"iat": None}),
        ({}, {"jti": None}),
        ({}, {"exp": 4_000_000_000}),
        ({}, {"exp": "9999999999"}),
        ({}, {"exp": True}),
        ({}, {"nbf": 4_000_000_000}),
        ({"kid": "logs"}, {}),
        ({"kid": "logs"}, {"iss": "logs"}),
        ({"kid": "nobody"}, {"iss": "nobody"}),
        ({"kid": None}, {}),
        ({"typ": "at+jwt"}, {}),
        ({"typ": "JWT"}, {}),
        ({"crit": ["exp"]}, {}),
        ({"jku": "http://127.0.0.1/keys"}, {}),
        ({"x5u": "http://127.0.0.1/cert"}, {}),
    ],
)
def test_a_service_token_that_is_not_ours_is_refused(
    key: Ed25519PrivateKey, trust: Trust, clock: FrozenClock, headers: Claims, claims: Claims
) -> None:
    token = service_token(key, clock, {k: v for k, v in headers.items() if v is not None}, **claims)
    if headers.get("kid", "") is None:
        header = b64({"alg": "EdDSA", "typ": "svc+jwt"})
        token = ".".join([header, *token.split(".")[1:]])

    with pytest.raises(Unauthenticated) as refused:
        trust.verify(token, audience="logs")

    assert not any(part in refused.value.message for part in token.split(".") if part)


def test_a_token_that_passed_is_still_for_one_audience_alone(gateway: ServiceIdentity, trust: Trust) -> None:
    token = gateway.token("logs")
    assert trust.verify(token, audience="logs") == "gateway"

    with pytest.raises(Unauthenticated):
        trust.verify(token, audience="auth")
    assert trust.verify(token, audience="logs") == "gateway"


def test_a_service_token_of_another_key_is_refused(trust: Trust, clock: FrozenClock) -> None:
    with pytest.raises(Unauthenticated):
        trust.verify(service_token(Ed25519PrivateKey.generate(), clock), audience="logs")


def test_the_control_passes(key: Ed25519PrivateKey, trust: Trust, clock: FrozenClock) -> None:
    assert trust.verify(service_token(key, clock), audience="logs") == "gateway"


# Files, and the current call


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"logs": 1}', '{"logs": {"kty": "RSA"}}', '{"logs": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}}'],
)
def test_a_broken_trust_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "trust.json"
    path.write_text(content)

    with pytest.raises(ValueError, match=r"trust\.json is no trust file"):
        Trust.from_file(path)


def test_a_private_key_has_no_place_in_a_trust_file(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    path = tmp_path / "trust.json"
    path.write_text(json.dumps({"logs": {**public_jwk(key.public_key(), "logs"), "d": "AAAA"}}))

    with pytest.raises(ValueError, match="only public Ed25519 keys"):
        Trust.from_file(path)


def test_the_actor_is_the_viewer_or_else_the_service() -> None:
    viewer = Viewer(USER, "service_account", None, frozenset(), None, "t", FrozenClock().now())

    assert Call("gateway", viewer).actor == Actor("service_account", str(USER))
    assert Call("logs").actor == Actor("service", "logs")


def test_there_is_a_current_call_only_within_one() -> None:
    with acting_as(Call("gateway")) as outer:
        with acting_as(Call("logs")) as inner:
            assert current_call() is inner
        assert current_call() is outer

    with pytest.raises(LookupError, match="acting_as"):
        current_call()
