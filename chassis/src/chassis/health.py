"""Whether this process should get work: asked of its real dependencies, told over HTTP and grpc.health.v1."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from grpc_health.v1 import health, health_pb2

from chassis.errors import DomainError
from chassis.metrics import Metrics

logger = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]

CHECK_SECONDS = 3.0
"""A dependency that has not answered by then is away."""
KEPT_SECONDS = 1.0
WATCH_SECONDS = 2.0
OK = "ok"


class Phase(StrEnum):
    """Where in its life the process is."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


@dataclass(frozen=True)
class Report:
    """The answer of every check at one moment."""

    phase: Phase
    checks: Mapping[str, str]
    spared: frozenset[str] = frozenset()
    """Checks that are told, and do not keep calls away: the process answers without them, only later or with less."""

    @property
    def ready(self) -> bool:
        """Whether work should come here."""
        needed = (answer for name, answer in self.checks.items() if name not in self.spared)
        return self.phase is Phase.SERVING and all(answer == OK for answer in needed)


class Health:
    """Asks the dependencies, at most once a second however many ask us, and says it when the answer changes."""

    def __init__(
        self, service_name: str, checks: Mapping[str, Check], metrics: Metrics, *, spared: frozenset[str] = frozenset()
    ) -> None:
        self.phase = Phase.STARTING
        self.servicer = health.aio.HealthServicer()
        self._service_name = service_name
        self._checks = dict(checks)
        self._spared = spared
        self._ready = metrics.gauge("aiops_ready")
        self._answers: dict[str, str] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def report(self) -> Report:
        """The state of every dependency, not older than a second."""
        async with self._lock:
            if time.monotonic() - self._asked_at >= KEPT_SECONDS:
                answers = await asyncio.gather(*(self._ask(check) for check in self._checks.values()))
                self._note(dict(zip(self._checks, answers, strict=True)))
                self._asked_at = time.monotonic()
        return Report(self.phase, dict(self._answers), self._spared)

    async def enter(self, phase: Phase) -> None:
        """Begin a phase of life, and tell probes at once."""
        self.phase = phase
        await self._tell(await self.report() if phase is Phase.SERVING else Report(phase, {}))

    async def watch(self) -> None:
        """Keep grpc.health.v1 and the metrics up to date, for ever."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self._tell(await self.report())

    async def _tell(self, report: Report) -> None:
        serving = health_pb2.HealthCheckResponse.SERVING
        status = serving if report.ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", self._service_name):
            await self.servicer.set(name, status)

    async def _ask(self, check: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except DomainError as error:
            return error.message
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} s"
        except Exception as error:  # noqa: BLE001 - a check that falls over is a dependency that is away
            return type(error).__name__
        return OK

    def _note(self, answers: dict[str, str]) -> None:
        for name, answer in answers.items():
            before = self._answers.get(name)
            # While the process starts, it says by itself what it waits for.
            if before is not None and before != answer and self.phase is Phase.SERVING:
                log = logger.info if answer == OK else logger.warning
                log("dependency %s: %s", name, answer, extra={"check": name, "before": before})
            self._ready.labels(name).set(answer == OK)
        self._answers = answers
