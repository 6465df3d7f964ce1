"""How a service calls another: both tokens, the trace and the deadline go along, and errors come back by their names.

Nothing is retried here: retries belong to one layer, the one next to the person.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc

from chassis.errors import DeadlineExceeded
from chassis.identity import ServiceIdentity, call_in_progress
from chassis.metrics import Metrics
from chassis.rpc.keys import CALLER_TOKEN_KEY, TRACEPARENT_KEY, VIEWER_TOKEN_KEY
from chassis.rpc.status import from_rpc_error
from chassis.telemetry import span, traceparent

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
        self, target: str, audience: str, identity: ServiceIdentity, *, metrics: Metrics | None = None
    ) -> None:
        self.channel = grpc.aio.insecure_channel(target, _OPTIONS)
        self._audience = audience
        self._identity = identity
        self._metrics = metrics or Metrics()

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
        with self._asking(method):
            return await method(
                request,
                timeout=self._seconds(timeout_seconds),
                metadata=self._metadata(token),
                wait_for_ready=self._in_background(),
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

        with self._asking(method):
            call = method(
                sent(),
                timeout=self._seconds(timeout_seconds),
                metadata=self._metadata(token),
                wait_for_ready=self._in_background(),
            )
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

    @contextmanager
    def _asking(self, method: object) -> Iterator[None]:
        # gRPC keeps the path to itself; nothing public tells which RPC a multi-callable is.
        path = getattr(method, "_method", b"").decode().strip("/")
        name, code, started = path.rpartition("/")[2], "OK", time.monotonic()
        try:
            with span(path, "client", attributes={"peer.service": self._audience}):
                try:
                    yield
                except grpc.aio.AioRpcError as error:
                    code = error.code().name
                    raise from_rpc_error(error, audience=self._audience) from error
        finally:
            self._metrics.counter("aiops_rpc_client_requests_total").labels(name, code).inc()
            self._metrics.histogram("aiops_rpc_client_duration_seconds").labels(name).observe(
                time.monotonic() - started
            )

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
        )

    def _in_background(self) -> bool:
        """Nobody waits for our own work: better to wait for a restarting service than to fail."""
        call = call_in_progress()
        return call is not None and call.viewer is None and call.caller == self._identity.name
