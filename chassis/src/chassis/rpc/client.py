"""How a service calls another: both tokens, the trace and the deadline go along, and errors come back by their names.

A breaker stands before every target. Retries belong to one layer, the one next to the person: only it asks for them.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TypeVar

import grpc

from chassis.errors import DeadlineExceeded, Unavailable
from chassis.identity import ServiceIdentity, call_in_progress
from chassis.metrics import Metrics
from chassis.resilience.breaker import Breaker
from chassis.resilience.retry import TRIES, RetryBudget, full_jitter
from chassis.rpc.channel import open_channel
from chassis.rpc.guard import Guard
from chassis.rpc.keys import CALLER_TOKEN_KEY, PATH_KEY, TRACEPARENT_KEY, VIEWER_TOKEN_KEY
from chassis.rpc.status import is_unanswered
from chassis.telemetry import traceparent

Req = TypeVar("Req")
Res = TypeVar("Res")

_OPTIONS = [
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class Client:
    """The way to one other service; build it inside the running event loop, and close it at the end."""

    def __init__(
        self,
        target: str,
        audience: str,
        identity: ServiceIdentity,
        *,
        metrics: Metrics | None = None,
        retries: bool = False,
        breaker: Breaker | None = None,
    ) -> None:
        """`retries`: ask again where nobody answered and asking twice does nothing twice; for one layer alone."""
        self.channel: grpc.aio.Channel = open_channel(target, audience, _OPTIONS, identity.tls)
        self._audience = audience
        self._identity = identity
        self._metrics = metrics or Metrics()
        self._tries = TRIES if retries else 1
        self._budget = RetryBudget()
        self._guard = Guard(audience, self.channel, self._metrics, breaker)

    @property
    def breaker(self) -> Breaker:
        """Whether calls go through just now."""
        return self._guard.breaker

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Req, Res],
        request: Req,
        *,
        timeout_seconds: float = 5.0,
        token: str | None = None,
    ) -> Res:
        """Ask, and wait for the answer: for `timeout_seconds`, and no longer than our own caller waits.

        The viewer's token is the current call's, unless `token` is given.

        Raises:
            RemoteError: the service refused; its own kind, reason, message and metadata.
            Unavailable: it cannot be reached.
            DeadlineExceeded: it did not answer in time.
        """
        until = time.monotonic() + self._seconds(timeout_seconds)
        self._budget.earn()
        tries = 1
        while True:
            try:
                return await self._once(method, request, until, timeout_seconds, token)
            except Unavailable as error:
                wait = full_jitter(tries)
                if not self._may_retry(error, request, tries, until - wait):
                    raise
            self._metrics.counter("aiops_rpc_client_retries_total").labels(self._audience).inc()
            await asyncio.sleep(wait)
            tries += 1

    async def _once(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Req, Res],
        request: Req,
        until: float,
        usual_seconds: float,
        token: str | None,
    ) -> Res:
        async with self._guard.asking(method, until=until, usual_seconds=usual_seconds):
            return await method(
                request,
                timeout=until - time.monotonic(),
                metadata=self._metadata(token),
                wait_for_ready=self._in_background(),
            )

    def _may_retry(self, error: Unavailable, request: object, tries: int, until: float) -> bool:
        """Whether to ask again: nobody answered, twice is as good as once, and there is time and budget."""
        cause = error.__cause__
        return (
            tries < self._tries
            and isinstance(cause, grpc.aio.AioRpcError)
            and is_unanswered(cause)
            and getattr(request, "idempotency_key", "a read") != ""
            and time.monotonic() < until
            and self._budget.spend()
        )

    async def stream(
        self,
        method: grpc.aio.StreamUnaryMultiCallable[Req, Res],
        requests: AsyncIterator[Req],
        *,
        timeout_seconds: float = 120.0,
        token: str | None = None,
    ) -> Res:
        """Send a stream, and wait for the one answer; otherwise like `call`.

        An empty message is sent last, as the end mark that the server insists on. What `requests` raises is raised
        here, and the server takes no half of a stream for a whole one.
        """
        broken: list[Exception] = []
        answered = asyncio.Event()

        async def sent() -> AsyncIterator[Req]:
            last: Req | None = None
            try:
                async for last in requests:
                    if answered.is_set():  # the service has made up its mind; see chassis.rpc.server
                        return
                    yield last
                if last is not None:
                    yield type(last)()
            except Exception as error:
                broken.append(error)
                raise

        seconds = self._seconds(timeout_seconds)
        async with self._guard.asking(method, until=time.monotonic() + seconds):
            call = method(sent(), timeout=seconds, metadata=self._metadata(token), wait_for_ready=self._in_background())
            beginning = asyncio.ensure_future(call.initial_metadata())
            beginning.add_done_callback(lambda _: answered.set())
            try:
                return await call
            except asyncio.CancelledError:
                # gRPC cancels a call whose source raised; that is no cancellation of ours.
                if broken:
                    raise broken[0] from None
                raise
            finally:
                beginning.cancel()

    async def close(self) -> None:
        """Let calls in progress end, and go."""
        await self.channel.close(grace=1.0)

    def _seconds(self, own: float) -> float:
        call = call_in_progress()
        seconds = own if call is None or call.deadline is None else min(own, call.deadline - time.monotonic())
        if seconds <= 0:
            raise DeadlineExceeded("no time was left to ask " + self._audience, dependency=self._audience)
        return seconds

    def _metadata(self, token: str | None) -> tuple[tuple[str, str], ...]:
        call = call_in_progress()
        viewer_token = token or (call.token if call else None)
        return (
            (CALLER_TOKEN_KEY, f"Bearer {self._identity.token(self._audience)}"),
            (TRACEPARENT_KEY, traceparent()),
            *(((VIEWER_TOKEN_KEY, f"Bearer {viewer_token}"),) if viewer_token else ()),
            *(((PATH_KEY, call.path),) if call and call.path else ()),
        )

    def _in_background(self) -> bool:
        """Nobody waits for our own work: better to wait for a restarting service than to fail."""
        call = call_in_progress()
        return call is not None and call.viewer is None and call.caller == self._identity.name
