"""The HTTP side of a service: /healthz, /readyz, /metrics, and the few routes that it adds."""

import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.health import Health
from chassis.metrics import Metrics
from chassis.rpc.keys import TRACE_ID_KEY
from chassis.settings import SettingsInvalid
from chassis.telemetry import current_trace_id, span

MAX_HEADER_BYTES = 64 * 1024
"""Room for tokens and traces; far more than any client of ours sends."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def make_app(health: Health, metrics: Metrics, routes: Sequence[BaseRoute] = ()) -> "Traced":
    """The application; every answer carries its trace id."""

    async def live(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(_request: Request) -> Response:
        report = await health.report()
        body = {"ready": report.ready, "phase": report.phase, "checks": report.checks}
        return Response(orjson.dumps(body), 200 if report.ready else 503, media_type="application/json")

    async def expose(_request: Request) -> Response:
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    own = [Route("/healthz", live), Route("/readyz", ready), Route("/metrics", expose)]
    return Traced(Starlette(routes=[*own, *routes]))


class Traced:
    """A span around every HTTP request, continuing the caller's trace, and its id on every answer."""

    def __init__(self, app: Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        # Not the path that was asked for: whoever mistypes an address may have pasted a secret into it.
        with span(str(scope["method"]), "server", traceparent=given) as own:
            trace_id = current_trace_id()

            async def send_with_trace_id(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message.get("headers", ()), (TRACE_ID_KEY.encode(), trace_id.encode())]
                await send(message)

            await self._app(scope, receive, send_with_trace_id)
            if path := getattr(scope.get("route"), "path", ""):
                own.update_name(f"{scope['method']} {path}")


class BoundedHeaders(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with an end to the headers: its fast parser takes them until memory runs out."""

    _idle_bytes = 0
    _progress = False

    def data_received(self, data: bytes) -> None:
        """Take what came in; bytes that never end a head, or a trailer, are answered with 400 and a closed door."""
        self._progress = False
        super().data_received(data)
        self._idle_bytes = 0 if self._progress else self._idle_bytes + len(data)
        if self._idle_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._progress = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body, however many there are: who reads it bounds it."""
        self._progress = True
        super().on_body(body)


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers and its access log; the process that it runs in decides when to stop."""

    def __init__(self, app: Any, *, trusted_proxies: str = "") -> None:
        """Serve the app; who connects is the client, unless it is a proxy whose word counts."""
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedHeaders,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=trusted_proxies,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def bind(listen: str, *, variable: str) -> socket.socket:
    """A listening socket for "host:port".

    Raises:
        SettingsInvalid: nothing can listen there; says which setting to change.
    """
    host, _, port = listen.rpartition(":")
    try:
        listening = socket.create_server(
            (host.strip("[]"), int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"cannot listen on {listen} ({error}); stop what runs there, or set {variable}"
        ) from error
    # Connections inherit it; asyncio sets it on none that comes from here. An answer whose head and body are two writes
    # would wait 40 ms for the client's delayed acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
