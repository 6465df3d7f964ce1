"""What stands before every call to another service: the breaker, the span and the counting.

Which ends of a call say something of the service is decided here, and nowhere else.
"""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.errors import DomainError, ErrorKind, Unavailable
from chassis.metrics import Metrics
from chassis.resilience.breaker import Admission, Breaker
from chassis.rpc.status import from_rpc_error
from chassis.telemetry import span

KNOCK_SECONDS = 1.0
"""A service that does not even say within this time that it lives is still away."""
IN_VAIN_SECONDS = 1.0
"""Who waited this long for nothing was held up; who had less time may have had too little himself."""
SLOW_SHARE = 0.9
"""An answer that took more than this share of the time for it counts as a failure: the next may take all of it."""


class Guard:
    """Watches the calls to one service."""

    def __init__(self, audience: str, channel: grpc.aio.Channel, metrics: Metrics, breaker: Breaker | None) -> None:
        state = metrics.gauge("aiops_breaker_state").labels(audience)
        self.breaker = breaker or Breaker(audience, on_change=state.set)
        self._audience = audience
        self._channel = channel
        self._metrics = metrics

    @asynccontextmanager
    async def asking(self, method: object, *, until: float, usual_seconds: float = math.inf) -> AsyncIterator[None]:
        """Make the call within the block: let through, traced and counted, with the service's error by its own name.

        Raises:
            DomainError: what the service answered, or that it did not.
            Unavailable: the breaker is open; nothing is sent.
        """
        try:
            admission = self.breaker.admit()
        except Unavailable:
            self._metrics.counter("aiops_breaker_refused_total").labels(self._audience).inc()
            raise
        # gRPC keeps the path to itself; nothing public tells which RPC a multi-callable is.
        path = getattr(method, "_method", b"").decode().strip("/")
        name, code, started = path.rpartition("/")[2], "OK", time.monotonic()
        try:
            with span(path, "client", attributes={"peer.service": self._audience}):
                try:
                    if admission.probe:
                        await self._knock(until - started)
                    yield
                    slow = time.monotonic() - started > SLOW_SHARE * usual_seconds
                    admission.failed() if slow else admission.answered()
                except grpc.aio.AioRpcError as error:
                    code = error.code().name
                    told = from_rpc_error(error, audience=self._audience)
                    self._judge(admission, told, time.monotonic() - started)
                    raise told from error
        finally:
            admission.left()
            self._metrics.counter("aiops_rpc_client_requests_total").labels(name, code).inc()
            self._metrics.histogram("aiops_rpc_client_duration_seconds").labels(name).observe(
                time.monotonic() - started
            )

    async def _knock(self, seconds: float) -> None:
        """Have a service that was away say that it lives, before somebody waits for what only it can answer."""
        try:
            await health_pb2_grpc.HealthStub(self._channel).Check(
                health_pb2.HealthCheckRequest(), timeout=min(seconds, KNOCK_SECONDS), wait_for_ready=True
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise grpc.aio.AioRpcError(
                    grpc.StatusCode.UNAVAILABLE, error.initial_metadata(), error.trailing_metadata()
                ) from None
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise

    def _judge(self, admission: Admission, error: DomainError, seconds: float) -> None:
        held_up = seconds >= IN_VAIN_SECONDS
        # A service without its database is away; without another service it may still do the rest.
        if isinstance(error, Unavailable) and error.metadata["dependency"] in {self._audience, "postgres"}:
            admission.failed(in_vain=held_up)
        elif error.kind is not ErrorKind.DEADLINE:
            admission.answered()
        elif held_up:
            admission.failed(in_vain=True)
