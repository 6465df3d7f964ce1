"""A limit on what is done at once: who comes on top waits a moment, and is then sent away while that is still cheap.

How much fits at once depends on the machine. One that is slow shows it by an event loop that runs late: whatever is
ready waits there, in a queue that no limit sees. So lateness counts as a full queue.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

from chassis.errors import Overloaded
from chassis.metrics import Metrics

QUEUE_SECONDS = 0.1
RETRY_AFTER_SECONDS = 1
LOOK_SECONDS = 0.02
LOOKS = 3
LEAST_AT_ONCE = 8
"""So many are taken however late the loop runs: it is never idle while somebody asks."""


class Lateness:
    """How late the event loop does what is due, now for the third time in a row: a hiccup is no overload."""

    def __init__(self) -> None:
        self._looks = deque([0.0] * LOOKS, maxlen=LOOKS)

    @property
    def seconds(self) -> float:
        """The least of the last looks."""
        return min(self._looks)

    async def watch(self) -> None:
        """Keep looking, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self._looks.append(loop.time() - due)


class Limiter:
    """One bulkhead of a process: so many pieces of work of its kind at a time, and as many again that wait for a turn.

    A few more places are kept for work that must go on while the rest is shed, such as an operator's own.
    """

    def __init__(
        self,
        name: str,
        limit: int,
        *,
        reserve: int = 0,
        queue_seconds: float = QUEUE_SECONDS,
        lateness: Lateness | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.name = name
        self.in_use = 0
        self._limit = limit
        self._reserve = reserve
        self._queue_seconds = queue_seconds
        self._lateness = lateness or Lateness()
        self._waiting: deque[asyncio.Future[None]] = deque()
        metrics = metrics or Metrics()
        self._shed = metrics.counter("aiops_shed_total").labels(name)
        metrics.gauge("aiops_limiter_in_use").labels(name).set_function(lambda: self.in_use)

    @asynccontextmanager
    async def place(self, *, reserved: bool = False) -> AsyncIterator[None]:
        """Have a place for the block; `reserved`: one of the reserve will do as well.

        Raises:
            Overloaded: none came free in a moment.
        """
        if not reserved:
            self.refuse_if_hopeless()
        if self.in_use < self._limit + (self._reserve if reserved else 0):
            self.in_use += 1
        else:
            await self._turn()
        try:
            yield
        finally:
            self._release()

    def refuse_if_hopeless(self) -> None:
        """Send work away before anything is spent on it, when `place` would not even let it wait.

        Raises:
            Overloaded: too many wait already, for a place or for the event loop.
        """
        full = self.in_use >= self._limit and len(self._waiting) >= self._limit
        late = self._lateness.seconds > self._queue_seconds and self.in_use >= LEAST_AT_ONCE
        if full or late:
            self._refuse()

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._queue_seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._release()  # the place came together with the end of the wait
            else:
                with suppress(ValueError):  # a release passed over it already
                    self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                self._refuse()
            raise

    def _refuse(self) -> NoReturn:
        self._shed.inc()
        raise Overloaded(retry_after_seconds=RETRY_AFTER_SECONDS)

    def _release(self) -> None:
        self.in_use -= 1
        while self._waiting and self.in_use < self._limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_use += 1
                turn.set_result(None)
