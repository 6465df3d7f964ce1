"""kill -9 under load: one process after the other, and how long the whole loop needs until it works again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median

from tests.fault import checkers, observing
from tests.fault.caller import Caller, Refused, Unanswered
from tests.fault.crew import crew, load_on
from tests.fault.history import History, Op
from tests.fault.installation import KINDS, Installation, NotHealed
from tests.fault.load import Load, Worker, create_ticket, generate_changelog, paste_log
from tests.fault.observing import DRAIN_SECONDS

HEALED_SECONDS = 30.0
PROBE_SECONDS = 0.2
FORSAKEN_SECONDS = 15.0
"""Long enough for what comes late; what was acknowledged too early never comes."""
DONE = {
    "ticket": "triageState",
    "log": "state",
    "changelog": "highlightState",
}
"""Which field tells that the machine has done its part."""
AT_WORK = frozenset({"PENDING", "RECEIVED"})


@dataclass
class Run:
    """What came of a run under load."""

    history: History
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    """Kind of the process that was hurt, and the seconds until all worked again."""
    drain_seconds: float = 0.0
    violations: dict[str, list[str]] = field(default_factory=dict)
    handled: int = 0
    """Events that consumers took effect of."""
    changes: int = 0
    """Rows of the histories."""

    @property
    def figures(self) -> dict[str, float | str]:
        """What to print."""
        of = {kind: [seconds for hurt, seconds in self.recoveries if hurt == kind] for kind in KINDS}
        seconds = [seconds for _, seconds in self.recoveries] or [0.0]
        repeated = [op for op in self.history.of("ok") if op.attempts > 1]
        return {
            "kills": len(self.recoveries),
            "least kills of a kind": min(map(len, of.values())),
            "recovery median s": round(median(seconds), 1),
            "recovery max s": round(max(seconds), 1),
            **{f"max s {kind}": round(max(each), 1) for kind, each in of.items() if each},
            **self.history.counts(),
            "acknowledged after repeats": len(repeated),
            "events handled": self.handled,
            "changes verified": self.changes,
            "drained s": round(self.drain_seconds, 1),
            "lost": len(self.violations.get("lost", ())) + len(self.violations.get("vanished", ())),
            "doubled": len(self.violations.get("doubled", ())) + len(self.violations.get("effects", ())),
            "violations": sum(map(len, self.violations.values())),
            "heard": ", ".join(f"{code} {count}" for code, count in sorted(self.history.codes.items())),
        }


async def kill_loop(
    installation: Installation, kinds: Sequence[str], *, healing: bool = True, people: int = 3, machines: int = 2
) -> Run:
    """Kill these, each as soon as the one before has healed, while clients write; then check everything.

    With `healing` off, the next is killed as soon as the process before is ready, whatever else works.

    Raises:
        NotHealed: the loop did not work again in 30 s.
    """
    load = load_on(installation)
    run = Run(load.history)
    try:
        workers = await crew(installation, load, people=people, machines=machines)
        stop = asyncio.Event()
        working = asyncio.ensure_future(load.until(stop, workers))
        try:
            for kind in kinds:
                await asyncio.sleep(load.dice.uniform(0.2, 1.2))
                run.recoveries.append((kind, await hurt(installation, kind, load, workers[0].caller, healing=healing)))
        finally:
            stop.set()
            await working
        await conclude(installation, run, workers[0].caller, seconds=DRAIN_SECONDS if healing else FORSAKEN_SECONDS)
    finally:
        await load.http.aclose()
    return run


async def hurt(installation: Installation, kind: str, load: Load, admin: Caller, *, healing: bool) -> float:
    """Kill a process; the seconds until it is back and a ticket, a log and a changelog go the whole way.

    Raises:
        NotHealed: that took more than 30 s.
    """
    started = time.monotonic()
    installation.kill(kind)
    ready = asyncio.to_thread(installation.wait_ready, kind, seconds=HEALED_SECONDS)
    await asyncio.gather(ready, *([whole_loop(load, admin, since=started)] if healing else []))
    return time.monotonic() - started


async def whole_loop(load: Load, admin: Caller, *, since: float) -> None:
    """Return when a new ticket, log and changelog were acknowledged and the machine has done its part.

    Raises:
        NotHealed: not within 30 s.
    """
    prober, stages = Worker(admin, load, ()), dict[str, str]()
    try:
        async with asyncio.timeout(HEALED_SECONDS - (time.monotonic() - since)):
            await asyncio.gather(
                *(_one_way(prober, action, stages) for action in (create_ticket, paste_log, generate_changelog))
            )
    except TimeoutError as error:
        raise NotHealed(f"the loop did not work again in {HEALED_SECONDS:.0f} s: {stages}") from error


async def _one_way(prober: Worker, action: Callable[[Worker], Awaitable[Op]], stages: dict[str, str]) -> None:
    stages[action.__name__] = "not acknowledged"
    op = await _acknowledged(prober, action)
    field = DONE[op.kind]
    stages[action.__name__] = f"{op.target} waits for its {field}"
    while True:
        with suppress(Unanswered, Refused):
            if (await prober.read(op.kind, op.target, field))[field] not in AT_WORK:
                stages[action.__name__] = "done"
                return
        await asyncio.sleep(PROBE_SECONDS)


async def _acknowledged(prober: Worker, action: Callable[[Worker], Awaitable[Op]]) -> Op:
    while True:
        op = await action(prober)
        if op.outcome == "ok":
            return op
        await asyncio.sleep(PROBE_SECONDS)


async def conclude(installation: Installation, run: Run, admin: Caller, *, seconds: float = DRAIN_SECONDS) -> None:
    """Let everything arrive for so long, then check all that must hold."""
    run.drain_seconds = await asyncio.to_thread(observing.drained, installation, seconds=seconds)
    shown = await observing.readable(admin)
    facts = await asyncio.to_thread(observing.facts, installation)
    run.handled = sum(len(each.inbox) for each in facts)
    run.violations = checkers.everything(run.history, shown, facts, observing.subscriptions())
    run.changes, run.violations["broken histories"] = await asyncio.to_thread(observing.broken_histories, installation)


def in_turn(seed: int, count: int) -> Iterator[str]:
    """So many kinds, in rounds of all in a new order."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    while count > 0:
        yield from dice.sample(KINDS, min(count, len(KINDS)))
        count -= len(KINDS)
