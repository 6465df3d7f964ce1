"""How a service answers: one interceptor around every RPC, so that no handler can forget a step.

trace -> count and log -> deadline -> a place -> who calls, and for whom -> may they -> handler -> mask -> status.
The health service alone is open: a probe has no token.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from chassis.audit import Reads, cleaned_path
from chassis.errors import DeadlineExceeded, DomainError, Unauthenticated, Unavailable
from chassis.identity import AccessTokens, Call, Trust, acting_as
from chassis.metrics import Metrics
from chassis.policy import Policy
from chassis.resilience.limiter import Lateness, Limiter
from chassis.rpc.keys import CALLER_TOKEN_KEY, PATH_KEY, TRACE_ID_KEY, TRACEPARENT_KEY, VIEWER_TOKEN_KEY
from chassis.rpc.outcome import Outcome
from chassis.rpc.status import CODES, trailing_metadata
from chassis.telemetry import current_trace_id, fail, span
from chassis.tls import Tls, proves

UNREAD_SECONDS = 10.0
OPEN_SERVICE = "/grpc.health.v1.Health/"
OPERATORS_SERVICES = "/aiops.operations."
"""What puts an overload right must not be shed with it."""

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Response = TypeVar("Response")


@dataclass(frozen=True)
class ServerOptions:
    """Limits of a gRPC server."""

    max_receive_bytes: int = 4 << 20
    max_send_bytes: int = 16 << 20
    max_concurrent_rpcs: int = 256
    """Beyond this many even the refusal is gRPC's own."""
    max_calls: int = 32
    max_uploads: int = 4
    """Apart from other calls: a file is long, and holds a connection to the database to its end."""
    operators_reserve: int = 4
    unary_deadline_seconds: float = 30.0
    """For a caller that set none."""
    stream_deadline_seconds: float = 120.0
    """For a caller that set none."""
    connection_age_seconds: int = 60
    """Connections are closed gently after this time, so that callers spread over new instances and leave old ones."""
    slow_seconds: float = 1.0
    """A read that takes longer is logged at INFO."""

    def channel_options(self) -> list[tuple[str, int]]:
        """As gRPC wants them."""
        return [
            ("grpc.max_receive_message_length", self.max_receive_bytes),
            ("grpc.max_send_message_length", self.max_send_bytes),
            ("grpc.so_reuseport", 0),  # two servers on one port would share its calls unnoticed
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ("grpc.max_connection_age_ms", self.connection_age_seconds * 1000),
            ("grpc.max_connection_age_grace_ms", int(self.stream_deadline_seconds) * 1000),
        ]


def make_server(
    service: str,
    *,
    trust: Trust,
    access_tokens: AccessTokens,
    policy: Policy,
    metrics: Metrics,
    options: ServerOptions | None = None,
    lateness: Lateness | None = None,
    reads: Reads | None = None,
    prove_peers: bool = False,
) -> grpc.aio.Server:
    """A server on which every RPC is traced, counted, checked, masked and answered by name.

    `prove_peers`: the certificate of whoever calls must be that of the service whose token it shows.
    """
    options = options or ServerOptions()
    interceptor = _Interceptor(
        service,
        trust=trust,
        access_tokens=access_tokens,
        policy=policy,
        metrics=metrics,
        options=options,
        lateness=lateness,
        reads=reads,
        prove_peers=prove_peers,
    )
    return grpc.aio.server(
        interceptors=[interceptor],
        options=options.channel_options(),
        maximum_concurrent_rpcs=options.max_concurrent_rpcs,
    )


def listen(server: grpc.aio.Server, address: str, tls: Tls | None) -> int:
    """Have the server listen there, to holders of certificates alone where there are such; the port.

    Raises:
        RuntimeError: nothing can listen there.
    """
    if tls is None:
        return server.add_insecure_port(address)
    return server.add_secure_port(address, tls.server_credentials())


class _Interceptor(grpc.aio.ServerInterceptor):
    def __init__(
        self,
        service: str,
        *,
        trust: Trust,
        access_tokens: AccessTokens,
        policy: Policy,
        metrics: Metrics,
        options: ServerOptions,
        lateness: Lateness | None,
        reads: Reads | None,
        prove_peers: bool,
    ) -> None:
        self._service = service
        self._trust = trust
        self._access_tokens = access_tokens
        self._policy = policy
        self._reads = reads
        self._metrics = metrics
        self._options = options
        self._prove_peers = prove_peers
        self._calls = Limiter(
            "calls", options.max_calls, reserve=options.operators_reserve, lateness=lateness, metrics=metrics
        )
        self._uploads = Limiter("uploads", options.max_uploads, metrics=metrics)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        path = handler_call_details.method
        inner = await continuation(handler_call_details)
        if inner is None or path.startswith(OPEN_SERVICE):
            return inner
        return self._wrapped(path, inner)

    def _wrapped(self, path: str, inner: Any) -> Handler:
        if inner.request_streaming and inner.response_streaming:
            raise NotImplementedError(f"{path}: streams in both directions are not served")
        behaviour: Any = inner.unary_unary or inner.stream_unary or inner.unary_stream
        uploads = inner.request_streaming

        async def one(request: Any, context: Context) -> Message:
            async def respond(call: Call) -> Message:
                given = _whole(request, call) if uploads else request
                return await self._told(call, request, await behaviour(given, context))

            write = uploads or _is_write(request)
            return await self._answer(path, context, respond, write=write, unread=request if uploads else None)

        async def many(request: Any, context: Context) -> None:
            async def respond(call: Call) -> None:
                async for message in behaviour(request, context):
                    await context.write(await self._told(call, request, message))

            await self._answer(path, context, respond, write=False, streams=True)

        if inner.response_streaming:
            return grpc.unary_stream_rpc_method_handler(many, inner.request_deserializer, inner.response_serializer)
        make = grpc.stream_unary_rpc_method_handler if uploads else grpc.unary_unary_rpc_method_handler
        return make(one, inner.request_deserializer, inner.response_serializer)

    async def _told(self, call: Call, request: object, answer: Message) -> Message:
        """The answer as it leaves: masked, and noted in the audit where it shows what is sensitive."""
        masked = self._policy.mask(call, answer)
        if self._reads is not None:
            await self._reads.note(call, request, masked)
        return masked

    async def _answer(
        self,
        path: str,
        context: Context,
        respond: Callable[[Call], Awaitable[Response]],
        *,
        write: bool,
        streams: bool = False,
        unread: AsyncIterator[Message] | None = None,
    ) -> Response:
        """Run one RPC; whatever goes wrong leaves as a named status, and what has no name is logged here once."""
        streams = streams or unread is not None
        outcome = Outcome(path.rpartition("/")[2], write=write)
        traceparent = _only(context, TRACEPARENT_KEY)
        with (
            span(path.strip("/"), "server", traceparent=traceparent) as own,
            outcome.recorded(self._metrics, self._options.slow_seconds),
        ):
            trace_id = current_trace_id()
            context.set_trailing_metadata(((TRACE_ID_KEY, trace_id),))
            try:
                limiter = self._calls if unread is None else self._uploads
                place = limiter.place(reserved=path.startswith(OPERATORS_SERVICES))
                response = await self._within_deadline(context, respond, outcome, place, streams=streams)
                await _let_go(unread, context)
                return response  # noqa: TRY300 - in an else, the outcome of letting go would not be recorded
            except DomainError as error:
                outcome.refused(error)
            except asyncio.CancelledError:
                outcome.code = "CANCELLED"
                raise
            except Exception as error:  # noqa: BLE001 - the border of the process: the caller gets a name and a trace id
                outcome.fell_over(error)
            fail(own, outcome.error.reason)
        await _let_go(unread, context)
        trailing = trailing_metadata(outcome.error, domain=f"{self._service}.aiops", trace_id=trace_id)
        return await context.abort(CODES[outcome.error.kind], outcome.error.message, trailing)

    async def _within_deadline(
        self,
        context: Context,
        respond: Callable[[Call], Awaitable[Response]],
        outcome: Outcome,
        place: AbstractAsyncContextManager[None],
        *,
        streams: bool,
    ) -> Response:
        default = self._options.stream_deadline_seconds if streams else self._options.unary_deadline_seconds
        # The stub calls it a float; without a deadline it is None.
        given: float | None = context.time_remaining()
        seconds = default if given is None else given
        try:
            async with asyncio.timeout(seconds) as limit, place:
                call = outcome.call = await self._identified(context, outcome.method, time.monotonic() + seconds)
                self._policy.authorize(call)
                if outcome.write and call.viewer is not None:
                    self._access_tokens.revocations.check_fresh()
                with acting_as(call):
                    return await respond(call)
        except TimeoutError:
            if limit.expired():
                raise DeadlineExceeded from None
            raise

    async def _identified(self, context: Context, method: str, deadline: float) -> Call:
        caller = self._trust.verify(_bearer(context, CALLER_TOKEN_KEY), audience=self._service)
        if self._prove_peers and not proves(context.auth_context(), caller):
            raise Unauthenticated(f"the connection's certificate is not that of {caller}, whose token came with it")
        token = _bearer(context, VIEWER_TOKEN_KEY) if _only(context, VIEWER_TOKEN_KEY) else None
        viewer = await self._access_tokens.verify(token) if token else None
        path = cleaned_path(_only(context, PATH_KEY))
        return Call(caller, viewer, token, method, deadline, correlation_id=current_trace_id(), path=path)


async def _whole(requests: AsyncIterator[Message], call: Call) -> AsyncIterator[Message]:
    """The messages of an upload, up to its end mark: an empty message.

    To gRPC an upload that broke off looks like one that ended, until the cancellation arrives a moment later: without a
    mark, half of a log would be stored as a whole one.

    Raises:
        Unavailable: the mark did not come.
    """
    began = False
    async for message in requests:
        if message.ByteSize() == 0:
            return
        began = True
        yield message
    if began:  # of nothing there is no half
        raise Unavailable("the upload broke off before its end; send it again", dependency=call.caller)


async def _let_go(unread: AsyncIterator[Message] | None, context: Context) -> None:
    """Tell a sender to stop, and take what is on its way.

    A call that ends while its client is still sending loses its status there: gRPC puts "internal error" in its place.
    So the client hears of the end by our initial metadata, stops, and gets the status after that.
    """
    if unread is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UNREAD_SECONDS):
                await context.send_initial_metadata(())
                async for _ in unread:
                    pass


def _only(context: Context, key: str) -> str:
    """The value of a metadata key that may come once; nothing where it is absent or ambiguous."""
    values = [value for name, value in context.invocation_metadata() or () if name == key]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else ""


def _bearer(context: Context, key: str) -> str:
    scheme, _, token = _only(context, key).partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(f'the call needs one "{key}: Bearer <token>"')
    return token


def _is_write(request: Message) -> bool:
    return "idempotency_key" in request.DESCRIPTOR.fields_by_name
