"""A service as a value, and `main`, which runs it until it is told to stop.

`python -m x_service serve work`: `serve` answers gRPC; `work` tells facts, reacts to them and keeps schedules.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from starlette.routing import BaseRoute

from chassis import logging as json_logging
from chassis import telemetry
from chassis.errors import DomainError
from chassis.policy import Policy
from chassis.process import Process, explain
from chassis.rpc.server import ServerOptions
from chassis.runtime import Runtime
from chassis.schedules import Schedule
from chassis.settings import SettingsInvalid

if TYPE_CHECKING:
    from chassis.consumer import Subscription

__all__ = ["Schedule", "Service", "main"]

logger = logging.getLogger(__name__)

ROLES = ("serve", "work")


@dataclass(frozen=True)
class Service:
    """All that makes one service: what it answers, what it reacts to, and what it does by itself."""

    runtime: Runtime
    policy: Policy
    servicer: Any
    register: Callable[[Any, grpc.aio.Server], None]
    """The generated `add_<X>ServiceServicer_to_server`."""
    service_name: str
    """Full protobuf name, for grpc.health.v1."""
    subscriptions: Sequence["Subscription"] = ()
    schedules: Sequence[Schedule] = ()
    routes: Sequence[BaseRoute] = ()
    checks: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """Own readiness checks, by name: return, or raise."""
    startup: Sequence[Callable[[], Awaitable[None]]] = ()
    """Run once, in order, when dependencies are there and before anything is answered."""
    server_options: ServerOptions = field(default_factory=ServerOptions)


def main(build: Callable[[], Service]) -> None:
    """Run the service that `build` makes in the roles named on the command line; ends the process."""
    roles = frozenset(sys.argv[1:])
    if not roles or not roles <= set(ROLES):
        sys.exit(f"usage: python -m {_program()} serve|work ...   (both: one process does both)")
    json_logging.configure(_program())
    sys.exit(asyncio.run(_run(build, roles)))


async def _run(build: Callable[[], Service], roles: frozenset[str]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _asked_to_stop, stop)
    try:
        service = build()
    except SettingsInvalid as error:
        logger.critical("cannot start: %s", error)
        return 1
    runtime = service.runtime
    json_logging.configure(runtime.name, level=runtime.settings.log_level, redactor=runtime.redactor)
    tracing = telemetry.configure(runtime.name, otlp_endpoint=runtime.settings.otlp_endpoint)
    try:
        return await Process(service, roles).run(stop)
    except SettingsInvalid as error:
        logger.critical("%s cannot run: %s", runtime.name, error)
        return 1
    except DomainError as error:
        logger.critical("%s gave up: %s", runtime.name, explain(error))
        return 1
    except Exception:
        logger.critical("%s fell over", runtime.name, exc_info=True)
        return 1
    finally:
        await asyncio.to_thread(tracing.shutdown)


def _asked_to_stop(stop: asyncio.Event) -> None:
    if stop.is_set():
        logger.warning("told twice to stop: leaving at once")
        os._exit(130)
    stop.set()


def _program() -> str:
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return str(spec.name).removesuffix(".__main__") if spec else "service"
