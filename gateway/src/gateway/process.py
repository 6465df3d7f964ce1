"""The life of the gateway process: listen, serve, drain."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from fastapi import FastAPI
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.requests import ClientDisconnect

from chassis.background import Background
from chassis.errors import DomainError, Unavailable
from chassis.health import Health, Phase
from chassis.http import HttpServer, Traced, make_app
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.redaction import Redactor
from chassis.resilience.limiter import Lateness
from chassis.revocations import Revocations
from chassis.rpc.client import Client
from chassis.tls import Tls
from gateway.headers import SecureHeaders
from gateway.listening import HttpServers
from gateway.live import ChangeFeed, listen
from gateway.operations import Operations
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.transports.websocket import MAX_MESSAGE_BYTES, GraphQLOverWebSocket

logger = logging.getLogger(__name__)

PROBE_SECONDS = 2.0
FINISH_SECONDS = 20
"""For requests in progress when the gateway stops: as long as a mutation may take, and much of an upload."""
YOUNG_OBJECTS = 20_000
"""Objects made between two collections: an answer makes thousands that all die with it."""


class Guarded:
    """Logs what falls through everything else, with its trace id, once."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            logger.info("a sender left in the middle of its request", extra={"path": scope.get("path", "")})
        except Exception:
            logger.exception("a request failed", extra={"path": scope.get("path", "")})
            if scope["type"] == "websocket":
                raise


@dataclass
class Gateway:
    """One running gateway."""

    settings: GatewaySettings
    redactor: Redactor
    metrics: Metrics
    services: Services
    change_feed: ChangeFeed
    operations: Operations
    lateness: Lateness
    over_websocket: GraphQLOverWebSocket
    revocations: Revocations
    asking: Client
    """The way to auth on which it is asked for them."""
    app: FastAPI
    http_port: int = 0
    operations_port: int = 0
    failure: str = ""
    name: str = "gateway"
    tls: Tls | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.messaging = Messaging(
            self.settings,
            "gateway",
            streams=False,
            on_fatal=self._fail,
            on_reconnected=self.change_feed.look_again,
            tls=self.tls,
        )
        self._servers = HttpServers(self.settings)
        self._background = Background(self.metrics)
        checks = {
            "services": self._any_service,
            "background": self._background.check,
            "access": self.revocations.check_known,
        }
        # Without auth each answer says so by itself, and what needs no log-in is answered.
        self.health = Health("gateway", checks, self.metrics, spared=frozenset({"access"}))

    async def run(self, stop: asyncio.Event) -> int:
        """Start, go on until `stop` is set or something fails for good, and drain; the exit code.

        Raises:
            SettingsInvalid: an address cannot be listened on.
        """
        self._stop = stop
        try:
            await self.start()
            await stop.wait()
            logger.info("gateway stops")
        finally:
            await self.stop()
        if self.failure:
            logger.critical("gateway stopped: %s", self.failure)
            return 1
        logger.info("gateway stopped")
        return 0

    async def start(self) -> None:
        """Listen; services and NATS may come later, each answer says what is missing.

        Raises:
            SettingsInvalid: an address cannot be listened on.
        """
        secure = SecureHeaders(Guarded(self.app), development=self.settings.environment == "development")
        server = HttpServer(Traced(secure), trusted_proxies=self.settings.trusted_proxies)
        server.config.ws_max_size = MAX_MESSAGE_BYTES
        server.config.timeout_graceful_shutdown = FINISH_SECONDS
        self.http_port = self._servers.serve(server, "http_listen")
        operations = HttpServer(make_app(self.health, self.metrics))
        self.operations_port = self._servers.serve(operations, "operations_listen")
        await self._know_revocations()
        self._background.run("live", lambda: listen(self.messaging, self.change_feed, self.revocations))
        self._background.run("lateness", self.lateness.watch)
        self._background.run("health", self.health.watch)
        gc.collect()
        gc.freeze()  # what is here now stays: collections need not look at it again
        gc.set_threshold(YOUNG_OBJECTS, 20, 50)
        await self.health.enter(Phase.SERVING)
        logger.info("gateway is ready", extra={"http_port": self.http_port, "operations_port": self.operations_port})

    async def stop(self) -> None:
        """Drain: say so, let callers leave, finish what was begun, give everything back."""
        await self.health.enter(Phase.DRAINING)
        if not self.failure:
            await self._servers.let_callers_leave()
        await self.over_websocket.close()
        await self._servers.stop()
        await self._background.stop()
        await self.messaging.close()
        await self.asking.close()
        await self.services.close()

    async def _know_revocations(self) -> None:
        """Learn which tokens are void, before any is taken."""
        self.revocations.on_revoked(lambda: self.over_websocket.turn_away(self.revocations))
        with contextlib.suppress(DomainError):
            await self.revocations.ask()
        self._background.run("revocations", self.revocations.keep)

    async def _any_service(self) -> None:
        """Pass when at least one service answers: with that much the gateway is of use, and says what is missing.

        Raises:
            Unavailable: none does.
        """
        probes = (self._probe(client.channel) for client in self.services.clients)
        if not any(await asyncio.gather(*probes)):
            raise Unavailable("no service can be reached; start them, or set AIOPS_*_TARGET", dependency="services")

    @staticmethod
    async def _probe(channel: grpc.aio.Channel) -> bool:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=PROBE_SECONDS
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _fail(self, message: str) -> None:
        """Give up: a process that is deaf for good must not look healthy."""
        self.failure = message
        self._stop.set()
