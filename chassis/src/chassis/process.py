"""The life of a service process: wait for dependencies, serve and work, drain. The only lifecycle code there is."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health_pb2_grpc

from aiops.history.v1.history_service_pb2_grpc import add_HistoryServiceServicer_to_server
from chassis.audit import Reads
from chassis.audit_service import RULES as AUDIT_RULES
from chassis.audit_service import SIGHTINGS as AUDIT_SIGHTINGS
from chassis.audit_service import TABLE as AUDIT_TABLE
from chassis.audit_service import AuditServicer
from chassis.background import Background
from chassis.errors import DomainError
from chassis.health import Health, Phase
from chassis.history.rpc import RULES as HISTORY_RULES
from chassis.history.rpc import TABLE as HISTORY_TABLE
from chassis.history.rpc import HistoryServicer
from chassis.http import HttpServer, bind, make_app
from chassis.instances import Instance
from chassis.messaging import Messaging
from chassis.migrations import schema_ready
from chassis.operations import RULES as OPERATIONS_RULES
from chassis.operations import SIGHTINGS as OPERATIONS_SIGHTINGS
from chassis.operations import TABLE as OPERATIONS_TABLE
from chassis.operations import OperationsServicer
from chassis.program import explain
from chassis.resilience.limiter import Lateness
from chassis.rpc.server import listen, make_server
from chassis.schedules import own_call
from chassis.settings import SettingsInvalid
from chassis.work import Worker

if TYPE_CHECKING:
    import grpc

    from chassis.service import Service

logger = logging.getLogger(__name__)

STOP_SECONDS = 20.0
"""How long calls in progress may take to end, once no new ones are taken."""
RETRY_SECONDS = 0.5
SAY_SO_SECONDS = 5.0
EVERYWHERE = ((OPERATIONS_RULES, OPERATIONS_TABLE), (AUDIT_RULES, AUDIT_TABLE), (HISTORY_RULES, HISTORY_TABLE))
"""Who may call what every service offers beside its own RPCs, and what leaves there."""


class Process:
    """One running service, in one or both roles."""

    def __init__(self, service: "Service", roles: frozenset[str]) -> None:
        self.grpc_port = 0
        self.http_port = 0
        self.name = service.runtime.name
        self.settings = service.runtime.settings
        self.redactor = service.runtime.redactor
        self._service = service
        self._runtime = service.runtime
        self._serves = "serve" in roles
        self._instance = Instance(self._runtime.database, self._runtime.package, roles)
        self._background = Background(self._runtime.metrics)
        self._worker = Worker(service, self._background, on_fatal=self._fail) if "work" in roles else None
        self._revocations = self._runtime.access_tokens.revocations
        checks = {"postgres": self._schema_ready, "background": self._background.check, **service.checks}
        if self._serves:
            checks["access"] = self._revocations.check_known
        self._messaging = self._worker.messaging if self._worker else None
        if self._worker:
            checks["nats"] = self._worker.check
            checks["consumers"] = self._worker.check_holds
        # Calls are answered while NATS is away: the outbox keeps the facts, and turning all away would stop everything.
        # A consumer that holds waits for a fix, which comes as a new process: that one has to become ready.
        # Without auth each call says so by itself; if all turned unready, one outage would become a total one.
        spared = frozenset({"nats", "consumers", "access"} if self._serves else {"consumers"})
        self._health = Health(service.service_name, checks, self._runtime.metrics, spared=spared)
        self._http = HttpServer(make_app(self._health, self._runtime.metrics, service.routes))
        self._http_task: asyncio.Task[None] | None = None
        self._server: grpc.aio.Server | None = None
        self._stop = asyncio.Event()
        self._failure = ""
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> int:
        """Start, go on until `stop` is set or something fails for good, and drain; the exit code.

        Raises:
            SettingsInvalid: an address cannot be listened on, or a dependency is not fit for us.
            DomainError: a dependency did not come in time.
        """
        self._stop = stop
        try:
            await _unless(stop, self.start())
            await stop.wait()
            logger.info("%s stops", self.name)
        finally:
            await self.stop()
        if self._failure:
            logger.critical("%s stopped: %s", self.name, self._failure)
            return 1
        logger.info("%s stopped", self.name)
        return 0

    async def start(self) -> None:
        """Come up, in the order in which one thing needs another; ready at the end."""
        listener = bind(self.settings.http_listen, variable=self.settings.variable("http_listen"))
        self.http_port = listener.getsockname()[1]
        self._http_task = asyncio.get_running_loop().create_task(self._serve_http(listener), name="http")
        await self._wait_for("postgres", self._join)
        self._background.run("heartbeat", self._instance.run)
        if self._worker:
            await self._wait_for("nats", self._worker.connect)
        await asyncio.to_thread(self._runtime.flags.start)
        with own_call(self.name, "startup"):
            for step in self._service.startup:
                await step()
        if self._serves:
            await self._know_revocations()
            await self._serve()
        if self._worker:
            self._worker.start()
        self._background.run("health", self._health.watch)
        await self._health.enter(Phase.SERVING)
        logger.info("%s is ready", self.name, extra={"grpc_port": self.grpc_port, "http_port": self.http_port})

    async def stop(self) -> None:
        """Drain: say so, let callers leave, finish what was begun, give everything back."""
        self._stopping = True
        await self._health.enter(Phase.DRAINING)
        if self._server and not self._failure:
            await asyncio.sleep(self.settings.drain_seconds)
        for step in (
            self._finish_work,
            self._background.stop,
            self._leave_nats,
            self._stop_http,
            self._instance.leave,
            self._runtime.close,
        ):
            try:
                await step()
            except Exception:
                logger.exception("something went wrong while stopping; going on")

    async def _finish_work(self) -> None:
        """Take nothing new, and end what was begun."""
        ending = [self._server.stop(STOP_SECONDS)] if self._server else []
        if self._worker:
            ending.append(self._worker.stop(STOP_SECONDS))
        await asyncio.gather(*ending)

    async def _leave_nats(self) -> None:
        if self._messaging:
            await self._messaging.close()

    async def _stop_http(self) -> None:
        self._http.should_exit = True
        if self._http_task:
            await self._http_task

    async def _serve_http(self, listener: socket.socket) -> None:
        await self._http.serve(sockets=[listener])
        if not self._stopping:
            self._fail("the HTTP server ended by itself")

    async def _know_revocations(self) -> None:
        """Learn which tokens are void, before any is taken."""
        with contextlib.suppress(DomainError):
            await self._revocations.ask()
        self._background.run("revocations", self._revocations.keep)
        if self._revocations.hears:
            if self._messaging is None:
                self._messaging = Messaging(
                    self.settings, self.name, streams=False, on_fatal=self._fail, tls=self._runtime.tls
                )
            messaging = self._messaging
            self._background.run("access", lambda: self._revocations.listen(messaging))

    async def _serve(self) -> None:
        runtime, settings, lateness = self._runtime, self.settings, Lateness()
        self._background.run("lateness", lateness.watch)
        server = make_server(
            runtime.name,
            trust=runtime.trust,
            access_tokens=runtime.access_tokens,
            policy=reduce(lambda policy, offered: policy.with_service(*offered), EVERYWHERE, self._service.policy),
            metrics=runtime.metrics,
            options=replace(
                self._service.server_options,
                max_calls=settings.max_calls,
                max_uploads=settings.max_uploads,
                connection_age_seconds=settings.connection_age_seconds,
            ),
            lateness=lateness,
            reads=Reads(runtime.unit_of_work, {**self._service.sightings, **OPERATIONS_SIGHTINGS, **AUDIT_SIGHTINGS}),
            prove_peers=runtime.tls is not None,
        )
        self._service.register(self._service.servicer, server)
        OperationsServicer(runtime.unit_of_work, self._service.subscriptions).register(server)
        AuditServicer(runtime.database).register(server)
        if runtime.recorder is not None:
            add_HistoryServiceServicer_to_server(HistoryServicer(runtime.database, runtime.recorder), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, server)
        try:
            self.grpc_port = listen(server, settings.grpc_listen, runtime.tls)
        except RuntimeError as error:
            variable = settings.variable("grpc_listen")
            raise SettingsInvalid(
                f"cannot listen on {settings.grpc_listen}; stop what runs there, or set {variable}"
            ) from error
        await server.start()
        self._server = server

    def _fail(self, message: str) -> None:
        """Give up: a process that is deaf for good must not look healthy."""
        self._failure = message
        self._stop.set()

    async def _join(self) -> None:
        await self._schema_ready()
        await self._instance.join()

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
                if now - started > self.settings.startup_seconds:
                    raise
                if now - said > SAY_SO_SECONDS or said == started:
                    said = now
                    logger.warning("waiting for %s: %s", dependency, explain(error))
            else:
                return
            await asyncio.sleep(RETRY_SECONDS)


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
