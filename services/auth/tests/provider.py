"""A sign-in provider on this machine, with real keys, that tells the truth or lies as a test wants it to."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

CLIENT_ID = "aiops-here"
CLIENT_SECRET = "a secret & of ours"
REDIRECT_URI = "https://aiops.example.com/v1/session/oidc/callback"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
Claims = dict[str, Any]


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Granted:
    """A code that the provider has handed out."""

    claims: Claims
    challenge: str
    redirect_uri: str


@dataclass
class LocalProvider:
    """The provider's state, and how it lies."""

    url: str
    now: Callable[[], datetime]
    keys: dict[str, Key] = field(default_factory=dict)
    algorithm: str = "RS256"
    tells_issuer: bool = True
    calls_itself: str = ""
    away: bool = False
    lie: Callable[[Claims], None] = lambda _claims: None
    forge: Callable[[Claims], str] | None = None
    person: Claims = field(default_factory=dict)
    """Who sits before the browser that comes to `/authorize`."""
    codes: dict[str, Granted] = field(default_factory=dict)
    exchanges: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def documents(self, path: str) -> Claims | None:
        """What it publishes."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.calls_itself or self.url,
                "authorization_endpoint": f"{self.url}/authorize?tenant=1",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "authorization_response_iss_parameter_supported": self.tells_issuer,
            }
        return {"keys": [key.as_dict(private=False) for key in self.keys.values()]} if path == "/jwks" else None

    def authorize(self, url: str, **claims: Any) -> dict[str, str]:
        """What the browser brings back after this person signed in at that address."""
        given = dict(parse_qsl(urlsplit(url).query))
        assert given["code_challenge_method"] == "S256"
        code = uuid4().hex
        stamped = {"nonce": given["nonce"], **claims}
        self.codes[code] = Granted(stamped, given["code_challenge"], given["redirect_uri"])
        return {"state": given["state"], "code": code, **({"iss": self.url} if self.tells_issuer else {})}

    def exchange(self, form: dict[str, str]) -> Claims | None:
        """The tokens for a code, once."""
        self.exchanges.append(form)
        granted = self.codes.pop(form["code"], None)
        challenge = base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
        if granted is None or granted.challenge != challenge or granted.redirect_uri != form["redirect_uri"]:
            return None
        access_token = uuid4().hex
        digest = (hashlib.sha512 if self.algorithm == "EdDSA" else hashlib.sha256)(access_token.encode()).digest()
        claims = self.stamped({"at_hash": base64url(digest[: len(digest) // 2])} | granted.claims)
        self.lie(claims)
        token = self.forge(claims) if self.forge else self.signed(claims)
        return {"id_token": token, "access_token": access_token, "token_type": "Bearer"}

    def stamped(self, claims: Claims) -> Claims:
        """Claims with the frame of every token."""
        now = int(self.now().timestamp())
        return {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, **claims}

    def signed(self, claims: Claims, key: Key | None = None, **header: str) -> str:
        """A token by a key of the provider, or by another."""
        signer = key or self.keys[self.algorithm]
        given = {"alg": self.algorithm, "kid": self.keys[self.algorithm].kid, **header}
        return jwt.encode(given, claims, signer, algorithms=[str(given["alg"])])

    def logout_token(self, **claims: Any) -> str:
        """A logout token."""
        frame = {"jti": uuid4().hex, "events": {LOGOUT_EVENT: {}}}
        return self.signed({name: each for name, each in self.stamped(frame | claims).items() if each is not None})

    def signed_with_public_key(self, claims: Claims) -> str:
        """A token by HMAC, whose secret is the public key that everybody knows."""
        header = base64url(json.dumps({"alg": "HS256", "kid": "rsa-1"}).encode())
        signed = f"{header}.{base64url(json.dumps(claims).encode())}"
        key = self.keys["RS256"]
        assert isinstance(key, RSAKey)
        secret = key.as_pem(private=False)
        return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), 'sha256'))}"


def unsigned(claims: Claims) -> str:
    """A token that nobody signed."""
    header = base64url(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return f"{header}.{base64url(json.dumps(claims).encode())}."


@contextmanager
def running_provider(now: Callable[[], datetime]) -> Iterator[LocalProvider]:
    """A provider on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            provider.asked.append(path)
            if path == "/authorize" and not provider.away:
                back = provider.authorize(self.path, **provider.person)
                self.send_response(303)
                self.send_header("location", f"{parse_qs(query)['redirect_uri'][0]}?{urlencode(back)}")
                self.end_headers()
                return
            self.answer(provider.documents(path))

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
            secret = base64.b64decode(encoded).decode() if scheme == "Basic" else ""
            self.answer(provider.exchange({**dict(parse_qsl(body)), "basic": secret}), otherwise=400)

        def answer(self, document: Claims | None, *, otherwise: int = 404) -> None:
            body = json.dumps(document or {"error": "invalid_grant"}).encode()
            self.send_response(503 if provider.away else 200 if document else otherwise)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = LocalProvider(f"http://127.0.0.1:{server.server_port}", now)
    provider.keys = {
        "RS256": RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}),
        "ES256": ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"}),
        "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed-1", "use": "sig"}),
    }
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
