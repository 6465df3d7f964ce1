"""A service as a value, and `main`, which runs it until it is told to stop.

`python -m x_service serve work`: `serve` answers gRPC; `work` tells facts, reacts to them and keeps schedules.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from starlette.routing import BaseRoute

from chassis.audit import Sightings
from chassis.consumer import Subscription
from chassis.health import Check
from chassis.policy import Policy
from chassis.process import Process
from chassis.program import run_program
from chassis.rpc.server import ServerOptions
from chassis.runtime import Runtime
from chassis.schedules import Schedule

__all__ = ["Schedule", "Service", "Subscription", "main"]

ROLES = frozenset({"serve", "work"})


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
    subscriptions: Sequence[Subscription] = ()
    schedules: Sequence[Schedule] = ()
    routes: Sequence[BaseRoute] = ()
    """Beside health and metrics on the service's HTTP address."""
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Own readiness checks, by name: return, or raise."""
    startup: Sequence[Callable[[], Awaitable[None]]] = ()
    """Run once, in order, when dependencies are there and before anything is answered."""
    sightings: Sightings = field(default_factory=dict)
    """What sensitive things its answers hold: that they were seen is noted in the audit before they leave."""
    server_options: ServerOptions = field(default_factory=ServerOptions)


def main(build: Callable[[], Service]) -> None:
    """Run the service that `build` makes in the roles named on the command line; ends the process."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    program = str(spec.name).removesuffix(".__main__") if spec else "service"
    roles = frozenset(sys.argv[1:])
    if not roles or not roles <= ROLES:
        sys.exit(f"usage: python -m {program} serve|work ...   (both: one process does both)")
    run_program(program, lambda: Process(build(), roles))
