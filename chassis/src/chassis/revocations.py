"""Which access tokens are void before their time: held by every process that takes tokens, until the last has expired.

The sure way to hear of it is to ask auth, at start and every second. The fast way are auth's own facts on core NATS.
While both are cut off, nothing may be changed: somebody's access may have been taken away unheard.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID

import grpc

from aiops.events.v1.envelope_pb2 import Envelope
from aiops.identity.v1.identity_service_pb2 import ListRevocationsRequest, ListRevocationsResponse
from aiops.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from chassis.clock import Clock, SystemClock
from chassis.errors import DomainError, RemoteError, Unavailable
from chassis.identity import Call, ServiceIdentity, Viewer, acting_as
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.resilience.breaker import Breaker
from chassis.rpc.client import Client
from chassis.telemetry import untraced
from chassis.tokens import refused

logger = logging.getLogger(__name__)

ACCESS_SUBJECTS = (
    "aiops.auth.session.revoked.v1",
    "aiops.auth.api_token.revoked.v1",
    "aiops.auth.user.deactivated.v1",
    "aiops.auth.user.erased.v1",
    "aiops.auth.user.role_set.v1",
)
"""Facts that make tokens void."""
KEPT_SECONDS = 630.0
"""The life of an access token, and some time for clocks that differ."""
ASK_SECONDS = 1.0
STALE_SECONDS = 2.0
CONNECT_AGAIN_SECONDS = 1.0


class Revocation(NamedTuple):
    """What is void: tokens of this session or API token; of this user, those made for an earlier version of him."""

    id: UUID
    version: int


Source = Callable[[str], Awaitable[tuple[Sequence[Revocation], str]]]
"""Tells what is new since a cursor ("" for all that still matters), and the next cursor."""


class Revocations:
    """What one process knows to be void."""

    def __init__(self, source: Source, clock: Clock | None = None, *, hears: bool = False) -> None:
        """`hears`: whether auth's facts are heard on NATS, too; its own processes read its database instead."""
        self.hears = hears
        self._source = source
        self._clock = clock or SystemClock()
        self._messaging: Messaging | None = None
        self._cursor = ""
        self._answered_at = float("-inf")
        self._void: dict[UUID, tuple[int, float]] = {}
        self._kept: deque[tuple[float, UUID]] = deque()
        self._listeners: list[Callable[[], None]] = []

    def on_revoked(self, listener: Callable[[], None]) -> None:
        """Have somebody told, who must not take long, whenever more is void than before."""
        self._listeners.append(listener)

    def is_void(self, viewer: Viewer) -> bool:
        """Whether the token that proved this viewer is void."""
        if viewer.session_id in self._void:
            return True
        version, _ = self._void.get(viewer.id, (0, 0.0))
        return viewer.version < version

    def check(self, viewer: Viewer) -> None:
        """Let a viewer pass whose token is not void.

        Raises:
            Unauthenticated: it is.
            Unavailable: auth never said what is.
        """
        self._check_known()
        if self.is_void(viewer):
            raise refused("its session has ended, or its owner's access was changed")

    async def check_known(self) -> None:
        """Pass once auth has said what is void.

        Raises:
            Unavailable: it has not yet.
        """
        self._check_known()

    def _check_known(self) -> None:
        if self._answered_at == float("-inf"):
            raise Unavailable("log-ins cannot be checked just now; try again in a moment", dependency="auth")

    def check_fresh(self) -> None:
        """Pass while nothing can have become void unheard for long: before every change that somebody asks for.

        Raises:
            Unavailable: auth has not answered for 2 s, and its facts are not heard either.
        """
        heard = self._messaging is not None and self._messaging.is_connected
        if not heard and self._clock.monotonic() - self._answered_at > STALE_SECONDS:
            raise Unavailable(
                "auth cannot say just now whose access was taken away, so nothing is changed; reading goes on. "
                "Try again in a moment",
                dependency="auth",
            )

    async def ask(self) -> None:
        """Hear from auth what is new.

        Raises:
            DomainError: it did not answer.
        """
        asked_at = self._clock.monotonic()
        revocations, self._cursor = await self._source(self._cursor)
        self._answered_at = asked_at
        self._take(revocations)

    async def keep(self) -> None:
        """Ask every second, for as long as the process lives."""
        answers = True
        while True:
            try:
                await self.ask()
            except DomainError as error:
                if answers:
                    logger.warning("auth does not say whose access was taken away: %s", error.message)
                answers = False
            else:
                if not answers:
                    logger.info("auth says again whose access was taken away")
                answers = True
            await asyncio.sleep(ASK_SECONDS)

    async def listen(self, messaging: Messaging) -> None:
        """Hear auth's facts for as long as the process lives. NATS may come late."""
        while not messaging.is_connected:
            try:
                await messaging.connect()
            except Unavailable:
                await asyncio.sleep(CONNECT_AGAIN_SECONDS)
        await self.join(messaging)
        await asyncio.Event().wait()

    async def join(self, messaging: Messaging) -> None:
        """Hear auth's facts on a connection that is there."""
        for subject in ACCESS_SUBJECTS:
            await messaging.subscribe_core(subject, self.hear)
        self._messaging = messaging

    async def hear(self, envelope: Envelope) -> None:
        """Take one of auth's facts: of a user, it is about the tokens of all versions before the present one."""
        self._take([Revocation(UUID(envelope.aggregate_id), envelope.aggregate_version)])

    def _take(self, revocations: Sequence[Revocation]) -> None:
        now = self._clock.monotonic()
        while self._kept and self._kept[0][0] <= now:
            _, id_ = self._kept.popleft()
            if self._void[id_][1] <= now:
                del self._void[id_]
        more = False
        for id_, version in revocations:
            known, _ = self._void.get(id_, (-1, 0.0))
            if version > known:
                more = True
                self._void[id_] = version, now + KEPT_SECONDS
                self._kept.append((now + KEPT_SECONDS, id_))
        if more:
            for listener in self._listeners:
                listener()


def client_for(target: str, identity: ServiceIdentity, metrics: Metrics) -> Client:
    """A way to auth of its own, whose breaker always lets one look: who asks every second floods nobody."""
    return Client(target, "auth", identity, metrics=metrics, breaker=Breaker("auth", jitter=lambda _low, _high: 0.0))


def from_auth(auth: Client, service: str) -> Source:
    """Asks auth, as the service's own work. An auth of before this RPC ends tokens by their expiry alone."""
    stub = IdentityServiceStub(auth.channel)

    async def ask(cursor: str) -> tuple[Sequence[Revocation], str]:
        with untraced(), acting_as(Call(service, method="revocations")):
            try:
                answer: ListRevocationsResponse = await auth.call(
                    stub.ListRevocations, ListRevocationsRequest(since=cursor), timeout_seconds=ASK_SECONDS
                )
            except RemoteError as error:
                cause = error.__cause__
                if isinstance(cause, grpc.aio.AioRpcError) and cause.code() is grpc.StatusCode.UNIMPLEMENTED:
                    return [], ""
                raise
        return [Revocation(UUID(each.id), each.version) for each in answer.revocations], answer.cursor

    return ask
