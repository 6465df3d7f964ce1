"""Who is at the other end: a bearer token becomes a viewer, once, at the door.

People and machines send either an access token or an API token; the latter is traded at auth for an access token of a
minute, which is kept until shortly before its end, so that a busy machine costs one exchange a minute.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiops.auth.v1 import auth_service_pb2 as pb
from chassis.clock import Clock
from chassis.errors import Unauthenticated
from chassis.identity import AccessTokens, Viewer
from gateway.services import Services

API_TOKEN_PREFIX = "aiops_"  # noqa: S105 - what API tokens begin with
MAX_API_TOKEN_CHARACTERS = 512
MAX_KEPT_EXCHANGES = 1_000
RENEW_BEFORE_END = timedelta(seconds=10)


@dataclass(frozen=True)
class Proof:
    """A viewer and the access token that proves him to the services."""

    viewer: Viewer
    token: str


class Authenticator:
    """Checks bearer tokens."""

    def __init__(self, access_tokens: AccessTokens, services: Services, clock: Clock) -> None:
        self._access_tokens = access_tokens
        self._services = services
        self._clock = clock
        # By digest: no token of a machine lies in memory longer than its request.
        self._exchanged: OrderedDict[bytes, tuple[str, datetime]] = OrderedDict()
        self._exchanging: dict[bytes, asyncio.Lock] = {}

    async def authenticate(self, authorization: str | None) -> Proof | None:
        """Who sent this Authorization header; nobody without one.

        Raises:
            Unauthenticated: the header or its token is no good.
            Unavailable: auth cannot be asked just now.
        """
        if not authorization:
            return None
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("send the token as: Authorization: Bearer <token>")
        if token.startswith(API_TOKEN_PREFIX):
            token = await self._exchange(token)
        return Proof(await self._access_tokens.verify(token), token)

    async def _exchange(self, api_token: str) -> str:
        if len(api_token) > MAX_API_TOKEN_CHARACTERS:
            raise Unauthenticated("the API token is too long to be one of ours")
        digest = hashlib.sha256(api_token.encode()).digest()
        kept = self._kept(digest)
        if kept is not None:
            return kept
        # A machine that opens many connections at once costs one exchange, too.
        lock = self._exchanging.setdefault(digest, asyncio.Lock())
        try:
            async with lock:
                return self._kept(digest) or await self._ask(digest, api_token)
        finally:
            self._exchanging.pop(digest, None)

    def _kept(self, digest: bytes) -> str | None:
        token, until = self._exchanged.get(digest, ("", None))
        return token if until is not None and self._clock.now() < until else None

    async def _ask(self, digest: bytes, api_token: str) -> str:
        services = self._services
        response = await services.auth_client.call(
            services.auth.ExchangeApiToken, pb.ExchangeApiTokenRequest(token=api_token)
        )
        until = response.access_token_expires_at.ToDatetime(UTC) - RENEW_BEFORE_END
        self._exchanged[digest] = (response.access_token, until)
        while len(self._exchanged) > MAX_KEPT_EXCHANGES:
            self._exchanged.popitem(last=False)
        return response.access_token
