"""The life of a service process: wait for dependencies, serve and work, drain. The only lifecycle code there is."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health_pb2_grpc

from chassis.background import Background
from chassis.errors import DomainError
from chassis.health import Health, Phase
from chassis.http import HttpServer, bind, make_app
from chassis.identity import Call, acting_as
from chassis.migrations import schema_ready
from chassis.rpc.server import make_server
from chassis.settings import SettingsInvalid
from chassis.telemetry import current_trace_id, span

if TYPE_CHECKING:
    import grpc

    from chassis.service import Service

logger = logging.getLogger(__name__)

STOP_SECONDS = 20.0
"""How long calls in progress may take to end, once no new ones are taken."""
RETRY_SECONDS = 0.5
SAY_SO_SECONDS = 5.0


class Process:
    """One running service, in one or both roles."""

    def __init__(self, service: "Service", roles: frozenset[str]) -> None:
        self.grpc_port = 0
        self.http_port = 0
        self._service = service
        self._runtime = service.runtime
        self._serves = "serve" in roles
        self._background = Background(self._runtime.metrics)
        checks = {"postgres": self._schema_ready, "background": self._background.check, **service.checks}
        self._health = Health(service.service_name, checks, self._runtime.metrics)
        self._http = HttpServer(make_app(self._health, self._runtime.metrics, service.routes))
        self._http_task: asyncio.Task[None] | None = None
        self._server: grpc.aio.Server | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Start, go on until `stop` is set, and drain.

        Raises:
            SettingsInvalid: an address cannot be listened on.
            DomainError: a dependency did not come in time.
        """
        try:
            await _unless(stop, self.start())
            await stop.wait()
            logger.info("%s stops", self._runtime.name)
        finally:
            await self.stop()
        logger.info("%s stopped", self._runtime.name)

    async def start(self) -> None:
        """Come up, in the order in which one thing needs another; ready at the end."""
        settings = self._runtime.settings
        listener = bind(settings.http_listen, variable=settings.variable("http_listen"))
        self.http_port = listener.getsockname()[1]
        self._http_task = asyncio.get_running_loop().create_task(self._http.serve(sockets=[listener]), name="http")
        await self._wait_for("postgres", self._schema_ready)
        await asyncio.to_thread(self._runtime.flags.start)
        with own_call(self._runtime.name, "startup"):
            for step in self._service.startup:
                await step()
        if self._serves:
            await self._serve()
        self._background.run("health", self._health.watch)
        await self._health.enter(Phase.SERVING)
        logger.info("%s is ready", self._runtime.name, extra={"grpc_port": self.grpc_port, "http_port": self.http_port})

    async def stop(self) -> None:
        """Drain: say so, let callers leave, finish what was begun, give everything back."""
        await self._health.enter(Phase.DRAINING)
        if self._server:
            await asyncio.sleep(self._runtime.settings.drain_seconds)
            await self._server.stop(STOP_SECONDS)
        await self._background.stop()
        if self._http_task:
            self._http.should_exit = True
            await self._http_task
        await self._runtime.close()

    async def _serve(self) -> None:
        runtime, settings = self._runtime, self._runtime.settings
        server = make_server(
            runtime.name,
            trust=runtime.trust,
            access_tokens=runtime.access_tokens,
            policy=self._service.policy,
            metrics=runtime.metrics,
            options=self._service.server_options,
        )
        self._service.register(self._service.servicer, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, server)
        try:
            self.grpc_port = server.add_insecure_port(settings.grpc_listen)
        except RuntimeError as error:
            variable = settings.variable("grpc_listen")
            raise SettingsInvalid(
                f"cannot listen on {settings.grpc_listen}; stop what runs there, or set {variable}"
            ) from error
        await server.start()
        self._server = server

    async def _schema_ready(self) -> None:
        await schema_ready(self._runtime.database, self._runtime.package)

    async def _wait_for(self, dependency: str, check: Callable[[], Awaitable[None]]) -> None:
        """Be patient with what starts beside us, and say what we wait for.

        Raises:
            DomainError: what the check said last, after `startup_seconds`.
        """
        started = said = time.monotonic()
        while True:
            try:
                await check()
            except DomainError as error:
                now = time.monotonic()
                if now - started > self._runtime.settings.startup_seconds:
                    raise
                if now - said > SAY_SO_SECONDS or said == started:
                    said = now
                    logger.warning("waiting for %s: %s", dependency, error.message)
            else:
                return
            await asyncio.sleep(RETRY_SECONDS)


@contextlib.contextmanager
def own_call(service: str, name: str) -> Iterator[Call]:
    """The service's own work as a call: a trace of its own, nobody behind it."""
    with span(f"{service} {name}"), acting_as(Call(service, method=name, correlation_id=current_trace_id())) as call:
        yield call


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, or drop it when `stop` is set before it is done."""
    doing = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            await doing
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)
