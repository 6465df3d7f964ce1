"""How every process of the house begins and ends: logging, tracing, signals, exit codes."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Protocol

from chassis import logging as json_logging
from chassis import telemetry
from chassis.errors import DomainError
from chassis.redaction import Redactor
from chassis.settings import ProcessSettings, SettingsInvalid

logger = logging.getLogger(__name__)

SECOND_SIGNAL_CODE = 130


class Program(Protocol):
    """What runs until it is told to stop."""

    @property
    def name(self) -> str:
        """The service's name, on every line that it logs."""
        ...

    @property
    def settings(self) -> ProcessSettings:
        """How it was configured."""
        ...

    @property
    def redactor(self) -> Redactor:
        """What its log lines go through."""
        ...

    async def run(self, stop: asyncio.Event) -> int:
        """Start, go on until `stop` is set, and drain; the exit code."""
        ...


def run_program(name: str, build: Callable[[], Program]) -> None:
    """Build the program inside the event loop and run it until SIGTERM or SIGINT; ends the process.

    A second signal ends it at once.
    """
    # gRPC's own lines are not JSON and miss redaction; what matters in them is raised in Python as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    json_logging.configure(name)
    sys.exit(asyncio.run(_run(build)))


def explain(error: DomainError) -> str:
    """The error with what lies behind it, for whoever runs the service."""
    cause = getattr(error.__cause__, "orig", error.__cause__)
    return f"{error.message} ({cause})" if cause is not None and str(cause) else error.message


async def _run(build: Callable[[], Program]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _asked_to_stop, stop)
    try:
        program = build()
    except SettingsInvalid as error:
        logger.critical("cannot start: %s", error)
        return 1
    settings = program.settings
    json_logging.configure(program.name, level=settings.log_level, redactor=program.redactor)
    tracing = telemetry.configure(program.name, otlp_endpoint=settings.otlp_endpoint)
    try:
        return await program.run(stop)
    except SettingsInvalid as error:
        logger.critical("%s cannot run: %s", program.name, error)
    except DomainError as error:
        logger.critical("%s gave up: %s", program.name, explain(error))
    except Exception:
        logger.critical("%s fell over", program.name, exc_info=True)
    finally:
        await asyncio.to_thread(tracing.shutdown)
    return 1


def _asked_to_stop(stop: asyncio.Event) -> None:
    if stop.is_set():
        logger.warning("told twice to stop: leaving at once")
        os._exit(SECOND_SIGNAL_CODE)
    stop.set()
