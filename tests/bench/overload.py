"""What is left of the gateway's work when more is asked of it than it can do: goodput at once and at three times.

    python -m tests.bench overload [limit]

An open loop: requests come by the clock, as from many people, and do not wait for answers to the ones before. The
gateway has one core to itself; the load and the services, whose answers are scripted, have the other. Once is what a
closed loop with 12 connections gets. Good is an answer that is whole and comes within a second, after which nobody
waits. The control runs the same without a limit.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tests.bench.gateway import Contest, Server, contest

PATIENCE_SECONDS = 1.0
SECONDS_PER_STEP = 8.0
CLOSED_CONNECTIONS = 12
STEPS = (0.8, 1.0, 3.0)
UNLIMITED = 1000
GATEWAY_CORE, LOAD_CORE = 0, 1


@dataclass
class Step:
    """One rate, and what became of what was sent."""

    offered: float
    """Requests a second."""
    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    """Seconds, of whole answers however late."""
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def goodput(self) -> float:
        """Whole answers a second that came while somebody waited."""
        return sum(seconds <= PATIENCE_SECONDS for seconds in self.took) / self.seconds

    @property
    def p99(self) -> float:
        """Milliseconds in which 99 of 100 accepted requests were answered."""
        return 1000 * statistics.quantiles(self.took, n=100)[98] if len(self.took) > 1 else float("nan")


class Load:
    """Sends one request again and again, over as many connections as it takes."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def capacity(self) -> float:
        """Answers a second in a closed loop."""
        count, stop = 0, time.monotonic() + SECONDS_PER_STEP / 2

        async def again() -> None:
            nonlocal count
            while time.monotonic() < stop:
                status = await self._once()
                count += status == "200"

        started = time.monotonic()
        await asyncio.gather(*(again() for _ in range(CLOSED_CONNECTIONS)))
        return count / (time.monotonic() - started)

    async def step(self, rate: float) -> Step:
        """An open loop at this rate."""
        step, started = Step(rate), time.monotonic()
        async with asyncio.TaskGroup() as group:
            sent = 0
            while (elapsed := time.monotonic() - started) < SECONDS_PER_STEP:
                while sent < elapsed * rate:
                    group.create_task(self._timed(step, started + sent / rate))
                    sent += 1
                await asyncio.sleep(0.002)
        step.seconds = SECONDS_PER_STEP
        return step

    async def _timed(self, step: Step, due: float) -> None:
        """One request; it takes from the moment it was due, so that a slow generator flatters nobody."""
        try:
            async with asyncio.timeout(10 * PATIENCE_SECONDS):
                status = await self._once()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            status = "none"
        step.statuses[status] += 1
        if status == "200":
            step.took.append(time.monotonic() - due)

    async def _once(self) -> str:
        while self._idle:
            try:
                return await self._over(*self._idle.pop())
            except (ConnectionError, asyncio.IncompleteReadError):
                continue  # the server had closed it for want of use
        return await self._over(*await asyncio.open_connection("127.0.0.1", self._port))

    async def _over(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        whole = False
        try:
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            whole = True
            return head[9:12].decode()
        finally:
            if whole:
                self._idle.append((reader, writer))
            else:
                writer.close()


async def measure(folder: Path, limit: int) -> list[Step]:
    """The steps with this limit."""
    async with contest(folder, max_requests=limit, control=limit == UNLIMITED) as prepared:
        with prepared.running("gateway") as (server,):
            await server.answer()
            psutil.Process(server.process.pid).cpu_affinity([GATEWAY_CORE])
            return await steps(prepared, server)


async def steps(prepared: Contest, server: Server) -> list[Step]:
    """What becomes of each rate."""
    load = Load(prepared.ports["gateway"], prepared.request)
    await load.capacity()  # warms up
    capacity = await load.capacity()
    process, done = psutil.Process(server.process.pid), []
    for share in STEPS:
        capacity = max(capacity, await load.capacity())  # others share the machine: the best is the truest
        before = process.cpu_times()
        step = await load.step(capacity * share)
        cpu = sum(process.cpu_times()[:2]) - sum(before[:2])
        ends = " ".join(f"{status}: {count}" for status, count in sorted(step.statuses.items()))
        print(
            f"  {share:3.1f}x of {capacity:.0f}/s   offered {step.offered:5.0f}/s   goodput {step.goodput:5.0f}/s"
            f"   p99 of accepted {step.p99:6.0f} ms   gateway's core {cpu / step.seconds:4.0%}   ({ends})"
        )
        done.append(step)
        await asyncio.sleep(1)
    return done


def main() -> None:
    """The benchmark."""
    psutil.Process().cpu_affinity([LOAD_CORE])
    limits = [int(text) for text in sys.argv[1:]] or [24, UNLIMITED]
    for limit in limits:
        print(f"  at most {limit} at once" + (" (the control: no limit)" if limit == UNLIMITED else ""))
        with tempfile.TemporaryDirectory() as folder:
            *once, thrice = asyncio.run(measure(Path(folder), limit))
        peak = max(step.goodput for step in once)
        print(f"  goodput at 3x / peak: {thrice.goodput / peak:.2f} (wanted: 0.80)", end="")
        print(f"   p99 at 3x / at 1x: {thrice.p99 / once[-1].p99:.2f} (wanted: at most 2)")


if __name__ == "__main__":
    main()
