"""The limit on what is done at once."""

import asyncio
import time
from collections import Counter

import pytest

from chassis.errors import Overloaded
from chassis.metrics import Metrics
from chassis.resilience.limiter import LEAST_AT_ONCE, Lateness, Limiter


async def work(limiter: Limiter, seconds: float, ended: Counter[str], *, reserved: bool = False) -> None:
    try:
        async with limiter.place(reserved=reserved):
            ended["most at once"] = max(ended["most at once"], limiter.in_use)
            await asyncio.sleep(seconds)
            ended["done"] += 1
    except Overloaded:
        ended["shed"] += 1


async def test_no_more_than_the_limit_at_once_and_what_waits_a_moment_is_done(metrics: Metrics) -> None:
    limiter, ended = Limiter("calls", 3, metrics=metrics), Counter[str]()

    await asyncio.gather(*(work(limiter, 0.02, ended) for _ in range(6)))

    assert ended == {"most at once": 3, "done": 6}
    assert limiter.in_use == 0


async def test_what_finds_the_queue_full_is_sent_away_at_once(metrics: Metrics) -> None:
    limiter, ended = Limiter("calls", 3, metrics=metrics), Counter[str]()
    working = [asyncio.ensure_future(work(limiter, 0.05, ended)) for _ in range(6)]
    await asyncio.sleep(0)

    started = time.monotonic()
    await asyncio.gather(*(work(limiter, 0.05, ended) for _ in range(100)))
    seconds = time.monotonic() - started
    await asyncio.gather(*working)

    assert ended == {"most at once": 3, "done": 6, "shed": 100}
    assert seconds < 0.05
    assert metrics.value("aiops_shed_total", limiter="calls") == 100


async def test_what_waits_longer_than_a_moment_is_sent_away(metrics: Metrics) -> None:
    limiter, ended = Limiter("calls", 1, metrics=metrics), Counter[str]()
    working = asyncio.ensure_future(work(limiter, 0.5, ended))
    await asyncio.sleep(0)

    started = time.monotonic()
    await work(limiter, 0.01, ended)

    assert ended == {"most at once": 1, "shed": 1}
    assert 0.09 < time.monotonic() - started < 0.3
    await working
    await work(limiter, 0.0, ended)
    assert ended["done"] == 2


async def test_a_reserve_is_left_for_what_must_go_on(metrics: Metrics) -> None:
    limiter, ended = Limiter("calls", 1, reserve=1, metrics=metrics), Counter[str]()
    working = asyncio.ensure_future(work(limiter, 0.3, ended))
    await asyncio.sleep(0)

    await work(limiter, 0.0, ended)
    await work(limiter, 0.0, ended, reserved=True)

    assert ended == {"most at once": 2, "shed": 1, "done": 1}
    await working
    assert limiter.in_use == 0


async def test_places_of_the_reserve_are_not_handed_to_the_queue(metrics: Metrics) -> None:
    limiter, ended = Limiter("calls", 1, reserve=1, metrics=metrics), Counter[str]()
    working = asyncio.ensure_future(work(limiter, 0.3, ended))
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(work(limiter, 0.0, ended))
    await asyncio.sleep(0)

    await work(limiter, 0.0, ended, reserved=True)
    await waiting

    assert ended["shed"] == 1
    await working


async def test_whoever_gives_up_waiting_costs_no_place(metrics: Metrics) -> None:
    limiter, ended = Limiter("calls", 1, metrics=metrics), Counter[str]()
    working = asyncio.ensure_future(work(limiter, 0.05, ended))
    await asyncio.sleep(0)
    leaving = asyncio.ensure_future(work(limiter, 0.0, ended))
    await asyncio.sleep(0)

    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await working

    assert limiter.in_use == 0
    await work(limiter, 0.0, ended)
    assert ended["done"] == 2


async def test_whoever_is_cancelled_as_its_turn_comes_hands_it_on(metrics: Metrics) -> None:
    limiter, ended = Limiter("calls", 2, queue_seconds=5, metrics=metrics), Counter[str]()
    working = [asyncio.ensure_future(work(limiter, seconds, ended)) for seconds in (0.05, 1.0)]
    await asyncio.sleep(0)
    first, second = (asyncio.ensure_future(work(limiter, 0.0, ended)) for _ in range(2))
    working[0].add_done_callback(lambda _: first.cancel())

    await asyncio.wait({second}, timeout=0.5)

    assert (first.cancelled(), second.done()) == (True, True)
    assert limiter.in_use == 1
    await working[1]
    assert ended == {"most at once": 2, "done": 3}


async def test_an_event_loop_that_runs_late_counts_as_a_full_queue(metrics: Metrics) -> None:
    lateness = Lateness()
    limiter, ended = Limiter("calls", 100, lateness=lateness, metrics=metrics), Counter[str]()
    watching = asyncio.ensure_future(lateness.watch())

    async def hog(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.15)  # noqa: ASYNC251 - what is to be seen
            await asyncio.sleep(0)

    try:
        await asyncio.sleep(0.1)
        on_time = lateness.seconds
        await hog(1.5)
        late = lateness.seconds
        await asyncio.gather(*(work(limiter, 0.0, ended) for _ in range(50)))
        await asyncio.sleep(0.2)
        await asyncio.gather(*(work(limiter, 0.0, ended) for _ in range(50)))
    finally:
        watching.cancel()

    assert on_time < 0.1 < late
    assert ended == {"most at once": 50, "done": LEAST_AT_ONCE + 50, "shed": 50 - LEAST_AT_ONCE}


async def test_a_hiccup_is_no_overload() -> None:
    lateness = Lateness()
    watching = asyncio.ensure_future(lateness.watch())
    await asyncio.sleep(0.1)

    time.sleep(0.5)  # noqa: ASYNC251 - what is to be seen
    await asyncio.sleep(0.01)

    assert lateness.seconds < 0.1
    watching.cancel()
