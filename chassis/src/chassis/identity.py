"""Who calls, and for whom.

Every call carries two signed tokens: the calling service's own (`svc+jwt`, for one audience, at most 60 s) and, unless
it is background work, the access token (`at+jwt`) of the person or machine it acts for. Every service checks both.
This module decides who somebody is, never what they may do: that is `chassis.policy`.
"""

import asyncio
import base64
import json
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID, uuid4

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from aiops.identity.v1.identity_service_pb2 import ListSigningKeysRequest, ListSigningKeysResponse
from aiops.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from chassis.clock import Clock, SystemClock
from chassis.errors import DomainError, Unavailable
from chassis.tokens import Memory, key_id, public_key, refused, verified_claims

if TYPE_CHECKING:
    from chassis.revocations import Revocations
    from chassis.rpc.client import Client
    from chassis.tls import Tls

SERVICE_TOKEN_TYPE = "svc+jwt"  # noqa: S105 - a media type
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
INSTALLATION = "aiops"
SERVICE_TOKEN_SECONDS = 60


class Role(StrEnum):
    """What a person is in this installation; a person without one may do almost nothing."""

    ADMIN = "admin"
    OPS = "ops"
    HR = "hr"


@dataclass(frozen=True)
class Viewer:
    """The person or machine on whose behalf a call is made, as the access token says."""

    id: UUID
    kind: Literal["user", "service_account"]
    role: Role | None
    scopes: frozenset[str]
    session_id: UUID | None
    token_id: str
    expires_at: datetime
    version: int = 0
    """Of a user: that of his account when the token was made; what was taken from him later is not in it."""


@dataclass(frozen=True)
class Actor:
    """Who a change is booked on."""

    kind: Literal["user", "service_account", "service"]
    id: str


@dataclass(frozen=True)
class Call:
    """One call in progress: the calling service, the viewer behind it, and what it continues."""

    caller: str
    viewer: Viewer | None = None
    token: str | None = None
    """The viewer's raw access token, to be forwarded."""
    method: str = ""
    """The bare RPC name."""
    deadline: float | None = None
    """When the caller stops waiting, on `time.monotonic`."""
    causation_id: str = ""
    correlation_id: str = ""
    path: str = ""
    """Through what the person or machine came, as the gateway says: `graphql query tickets, by browser`. For the audit.
    """

    @property
    def actor(self) -> Actor:
        """The viewer if there is one, else the calling service."""
        if self.viewer is not None:
            return Actor(self.viewer.kind, str(self.viewer.id))
        return Actor("service", self.caller)


_CURRENT: ContextVar[Call | None] = ContextVar("aiops_call", default=None)


def current_call() -> Call:
    """The call that this code runs for."""
    call = _CURRENT.get()
    if call is None:
        raise LookupError("no call is in progress: wrap background work in chassis.identity.acting_as(Call(...))")
    return call


def call_in_progress() -> Call | None:
    """The call that this code runs for, if there is one."""
    return _CURRENT.get()


@contextmanager
def acting_as(call: Call) -> Iterator[Call]:
    """Make `call` the current one for the block."""
    reset = _CURRENT.set(call)
    try:
        yield call
    finally:
        _CURRENT.reset(reset)


def public_jwk(key: Ed25519PublicKey, kid: str) -> dict[str, str]:
    """The public half of a signing key as a JSON Web Key (RFC 8037)."""
    x = base64.urlsafe_b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x}


class ServiceIdentity:
    """A service's own name and private key: what it proves itself with to the others."""

    def __init__(self, name: str, key: Ed25519PrivateKey, clock: Clock | None = None, tls: "Tls | None" = None) -> None:
        self.name = name
        self.tls = tls
        """Its certificates, where connections are encrypted."""
        self._key = key
        self._clock = clock or SystemClock()
        self._tokens: dict[str, tuple[float, str]] = {}

    @classmethod
    def from_file(cls, name: str, path: Path | str, tls: "Tls | None" = None) -> Self:
        """Read the private key from a PEM file."""
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{path} holds no Ed25519 private key; make one with: openssl genpkey -algorithm ed25519")
        return cls(name, key, tls=tls)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What the others trust this service by."""
        return self._key.public_key()

    def sign(self, content: bytes) -> bytes:
        """The service's signature under something that is kept outside of its database."""
        return self._key.sign(content)

    def token(self, audience: str) -> str:
        """A `svc+jwt` for one audience, valid for 60 s and used again for the first 40 of them."""
        fresh_until, token = self._tokens.get(audience, (0.0, ""))
        if self._clock.monotonic() >= fresh_until:
            now = int(self._clock.now().timestamp())
            claims = {
                "iss": self.name,
                "aud": audience,
                "iat": now,
                "exp": now + SERVICE_TOKEN_SECONDS,
                "jti": uuid4().hex,
            }
            token = jwt.encode(claims, self._key, "EdDSA", headers={"kid": self.name, "typ": SERVICE_TOKEN_TYPE})
            self._tokens[audience] = (self._clock.monotonic() + 40, token)
        return token


class Trust:
    """The services whose word is taken, by their public keys."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey], clock: Clock | None = None) -> None:
        self._keys = dict(keys)
        self._clock = clock or SystemClock()
        self._memory = Memory[tuple[str, str]]()

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read `{"<service>": <public JWK>, ...}`."""
        try:
            return cls({name: public_key(jwk) for name, jwk in json.loads(Path(path).read_text()).items()})
        except (ValueError, AttributeError) as error:
            raise ValueError(f'{path} is no trust file ({{"<service>": <public JWK>}}): {error}') from error

    def signed(self, service: str, content: bytes, signature: bytes) -> bool:
        """Whether this is the signature of a service that is trusted under these bytes."""
        key = self._keys.get(service)
        if key is None:
            return False
        try:
            key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    def verify(self, token: str, *, audience: str) -> str:
        """The name of the service that made this token for `audience`.

        Raises:
            Unauthenticated: it did not, or not now.
        """
        now = self._clock.now()
        known = self._memory.get(token, now)
        if known is not None and known[1] == audience:
            return known[0]
        name = key_id(token, SERVICE_TOKEN_TYPE)
        key = self._keys.get(name)
        if key is None:
            raise refused("its service is not in the trust file")
        claims = verified_claims(token, key, issuer=name, audience=audience, require=("jti",), now=now)
        if claims["exp"] - claims["iat"] > SERVICE_TOKEN_SECONDS:
            raise refused(f"it is valid for more than {SERVICE_TOKEN_SECONDS} s")
        return self._memory.put(token, (name, audience), claims["exp"])[0]


class AccessTokens:
    """Checks access tokens against auth's public keys, which it fetches when it needs and keeps when it cannot."""

    REFETCH_SECONDS = 10.0
    """At most one fetch in this time, however many unknown keys are shown to us."""
    RETRY_SECONDS = 1.0
    """After a fetch that failed: whoever starts while auth is away must not be without keys long after it is back."""
    MAX_AGE_SECONDS = 300.0
    """Keys older than this are fetched again, so that a retired one is refused in the end."""

    def __init__(
        self, jwks: Callable[[], Awaitable[str]], revocations: "Revocations", clock: Clock | None = None
    ) -> None:
        self.revocations = revocations
        self._jwks = jwks
        self._clock = clock or SystemClock()
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._tried_at = float("-inf")
        self._failure: Exception | None = None
        self._memory = Memory[Viewer]()
        self._lock = asyncio.Lock()

    @classmethod
    def over_http(cls, url: str, revocations: "Revocations", clock: Clock | None = None) -> Self:
        """Take the keys from a JWKS address."""
        if not url.startswith(("http://", "https://")):
            raise ValueError("AIOPS_JWKS_URL must begin with http:// or https://")

        # No proxy: it is a neighbour, whatever the environment says about the way to the world.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def fetch() -> str:
            with opener.open(url, timeout=3) as response:
                return str(response.read(1 << 16), "utf-8")

        return cls(lambda: asyncio.to_thread(fetch), revocations, clock)

    @classmethod
    def over_rpc(cls, auth: "Client", revocations: "Revocations", clock: Clock | None = None) -> Self:
        """Take the keys from auth, over a connection on which it proves who it is."""
        stub = IdentityServiceStub(auth.channel)

        async def fetch() -> str:
            answer: ListSigningKeysResponse = await auth.call(stub.ListSigningKeys, ListSigningKeysRequest())
            return answer.jwks

        return cls(fetch, revocations, clock)

    async def verify(self, token: str) -> Viewer:
        """Whom this access token speaks for.

        Raises:
            Unauthenticated: nobody, or no longer.
            Unavailable: auth could not be asked yet.
        """
        viewer = await self._proved(token)
        # Also of a token that was good a moment ago.
        self.revocations.check(viewer)
        return viewer

    async def _proved(self, token: str) -> Viewer:
        now = self._clock.now()
        known = self._memory.get(token, now)
        if known is not None and self._age < self.MAX_AGE_SECONDS:
            return known
        kid = key_id(token, ACCESS_TOKEN_TYPE)
        claims = verified_claims(
            token,
            await self._key(kid),
            issuer=INSTALLATION,
            audience=INSTALLATION,
            require=("sub", "sid", "nbf", "jti"),
            now=now,
        )
        try:
            return self._memory.put(token, _viewer(claims), claims["exp"])
        except (ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
            raise refused("its claims are malformed") from error

    async def _key(self, kid: str) -> Ed25519PublicKey:
        if self._should_fetch(kid):
            # Whoever comes while the keys are being fetched waits for them instead of being refused.
            async with self._lock:
                if self._should_fetch(kid):
                    await self._fetch()
        if kid in self._keys:
            return self._keys[kid]
        if self._failure is not None:
            raise Unavailable(
                "log-ins cannot be checked just now; try again in a moment", dependency="auth"
            ) from self._failure
        raise refused("its key is unknown")

    @property
    def _age(self) -> float:
        return self._clock.monotonic() - self._tried_at

    def _should_fetch(self, kid: str) -> bool:
        if kid in self._keys:
            return self._age >= self.MAX_AGE_SECONDS
        return self._age >= (self.REFETCH_SECONDS if self._failure is None else self.RETRY_SECONDS)

    async def _fetch(self) -> None:
        try:
            keys = json.loads(await self._jwks())["keys"]
            self._keys = {str(jwk["kid"]): public_key(jwk) for jwk in keys}
            self._failure = None
            self._memory.clear()
        except (DomainError, OSError, ValueError, KeyError, TypeError) as error:
            self._failure = error
        # Not in a finally: a caller who left while it waited has tried nothing.
        self._tried_at = self._clock.monotonic()


def sign_access_token(key: Ed25519PrivateKey, kid: str, claims: Mapping[str, Any]) -> str:
    """An `at+jwt` with exactly these claims."""
    return jwt.encode(dict(claims), key, "EdDSA", headers={"kid": kid, "typ": ACCESS_TOKEN_TYPE})


def _viewer(claims: Mapping[str, Any]) -> Viewer:
    kind = claims.get("kind", "user")
    if kind not in {"user", "service_account"}:
        raise ValueError("kind")
    scopes, version = claims.get("scopes", []), claims.get("account_version", 0)
    if type(version) is not int:
        raise ValueError("account_version")
    if not isinstance(scopes, list) or (scopes and kind == "user") or (kind != "user" and "role" in claims):
        raise ValueError("scopes belong to service accounts, roles to users")
    return Viewer(
        id=UUID(claims["sub"]),
        kind=kind,
        role=Role(claims["role"]) if "role" in claims else None,
        scopes=frozenset(map(str, scopes)),
        session_id=UUID(claims["sid"]),
        token_id=str(claims["jti"]),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        version=version,
    )
