"""Tasks that run as long as the process: one that falls over is logged, counted, shown by readiness and run again."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from chassis.errors import Unavailable
from chassis.metrics import Metrics

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STEADY_SECONDS = 10.0
"""A task that ran this long since it was started again counts as well."""


class Background:
    """The background tasks of one process."""

    def __init__(self, metrics: Metrics) -> None:
        self._failures = metrics.counter("aiops_background_failures_total")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._fallen: dict[str, float] = {}
        self._ending = False

    def run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Keep `work` running, which is expected never to return."""
        self._tasks[name] = asyncio.get_running_loop().create_task(self._keep_up(name, work), name=name)

    async def check(self) -> None:
        """Pass when every task runs.

        Raises:
            Unavailable: one fell over and has not been steady since.
        """
        now = time.monotonic()
        fallen = sorted(name for name, until in self._fallen.items() if now < until)
        if fallen:
            raise Unavailable(f"fell over and is being started again: {', '.join(fallen)}", dependency=fallen[0])

    async def finish(self, prefix: str, seconds: float) -> None:
        """Wait for tasks that were told to end, but no longer than this; from now on nothing is started again."""
        self._ending = True
        tasks = [task for name, task in self._tasks.items() if name.startswith(prefix)]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def stop(self) -> None:
        """Cancel all tasks and wait until they are gone."""
        self._ending = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _keep_up(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            started = time.monotonic()
            try:
                await work()
                if self._ending:
                    return
                logger.error("%s ended by itself; starting it again", name)
            except Exception:
                logger.exception("%s fell over; starting it again", name)
                if self._ending:
                    return
            self._failures.labels(name).inc()
            wait = (
                FIRST_WAIT_SECONDS
                if time.monotonic() - started > STEADY_SECONDS
                else min(wait * 2, LONGEST_WAIT_SECONDS)
            )
            pause = random.uniform(wait / 2, wait)  # noqa: S311 - spreads load, hides nothing
            self._fallen[name] = time.monotonic() + pause + STEADY_SECONDS
            await asyncio.sleep(pause)
