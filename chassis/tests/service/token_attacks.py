"""Tokens that nobody may take: one wrong thing each, in a token that is right otherwise."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.identity import public_jwk, sign_access_token

Claims = dict[str, Any]


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
