"""What a service does by itself, again and again: in one of its workers at a time, on a trace of its own."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from chassis import upkeep
from chassis.db import UnitOfWork
from chassis.errors import DomainError
from chassis.identity import Call, acting_as
from chassis.leader import Leader
from chassis.metrics import Metrics
from chassis.telemetry import current_trace_id, span

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.5
RETRY_SECONDS = 60.0
"""A run that failed is tried again after this time, or at its own if that comes first."""
PRUNE_SECONDS = 600.0


@dataclass(frozen=True)
class Schedule:
    """Something to be done again and again, by one worker of the service at a time; at once when one takes over."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[None]]


class Schedules:
    """A candidate to keep one service's schedules."""

    def __init__(self, service: str, schedules: Sequence[Schedule], unit_of_work: UnitOfWork, metrics: Metrics) -> None:
        self._service = service
        self._schedules = (*schedules, Schedule("forget-old-rows", PRUNE_SECONDS, lambda: upkeep.prune(unit_of_work)))
        self._leader = Leader(unit_of_work.database, "schedules")
        self._runs = metrics.counter("aiops_schedule_runs_total")

    async def run(self) -> None:
        """Keep the schedules for as long as the process lives, whenever it leads."""
        await self._leader.run(self._keep)

    async def _keep(self, connection: psycopg.AsyncConnection[Any]) -> None:
        due = {schedule.name: 0.0 for schedule in self._schedules}
        while True:
            # Who lost this connection lost the lock, and must not go on beside the next leader.
            await connection.execute("SELECT 1")
            for schedule in self._schedules:
                if time.monotonic() >= due[schedule.name]:
                    done = await self._run(schedule)
                    wait = schedule.every_seconds if done else min(RETRY_SECONDS, schedule.every_seconds)
                    due[schedule.name] = time.monotonic() + wait
            await asyncio.sleep(TICK_SECONDS)

    async def _run(self, schedule: Schedule) -> bool:
        outcome = "failed"
        with own_call(self._service, schedule.name):
            try:
                await schedule.run()
                outcome = "done"
            except DomainError as error:
                logger.warning("schedule %s: %s", schedule.name, error.message)
            except Exception:
                logger.exception("schedule %s fell over", schedule.name)
        self._runs.labels(schedule.name, outcome).inc()
        return outcome == "done"


@contextmanager
def own_call(service: str, name: str) -> Iterator[Call]:
    """The service's own work as a call: a trace of its own, and nobody behind it."""
    with span(f"{service} {name}"), acting_as(Call(service, method=name, correlation_id=current_trace_id())) as call:
        yield call
