"""Health: what the dependencies say, and not what we hope."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from grpc_health.v1 import health_pb2

from chassis import background, health
from chassis.background import Background
from chassis.errors import Unavailable
from chassis.health import Health, Phase
from chassis.metrics import Metrics


class Dependency:
    """Up or down, as the test says."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1
        if self.error:
            raise self.error


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def postgres() -> Dependency:
    return Dependency()


@pytest.fixture
def make_health(metrics: Metrics, postgres: Dependency) -> Callable[..., Health]:
    return lambda **checks: Health("aiops.parcels.v1.ParcelsService", {"postgres": postgres, **checks}, metrics)


async def status(health: Health, name: str = "") -> str:
    answer: Any = await health.servicer.Check(health_pb2.HealthCheckRequest(service=name), None)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


async def test_a_process_is_ready_when_it_serves_and_every_dependency_answers(
    make_health: Callable[..., Health], metrics: Metrics
) -> None:
    health = make_health()
    assert (await health.report()).ready is False  # it starts

    await health.enter(Phase.SERVING)

    report = await health.report()
    assert (report.ready, report.phase, report.checks) == (True, "serving", {"postgres": "ok"})
    assert await status(health) == await status(health, "aiops.parcels.v1.ParcelsService") == "SERVING"
    assert metrics.value("aiops_ready", check="postgres") == 1


@pytest.fixture
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)


@pytest.mark.usefixtures("always_fresh")
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Unavailable("postgres cannot be reached", dependency="postgres"), "postgres cannot be reached"),
        (ValueError("password=hunter2"), "ValueError"),
    ],
)
async def test_a_dependency_that_is_away_makes_it_unready_until_it_is_back(
    make_health: Callable[..., Health],
    postgres: Dependency,
    metrics: Metrics,
    error: Exception,
    says: str,
) -> None:
    watched = make_health()
    await watched.enter(Phase.SERVING)

    postgres.error = error
    report = await watched.report()
    assert (report.ready, report.checks) == (False, {"postgres": says})
    assert metrics.value("aiops_ready", check="postgres") == 0

    postgres.error = None
    assert (await watched.report()).ready is True


async def test_probes_hear_of_it_without_asking(
    make_health: Callable[..., Health], postgres: Dependency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(health, "WATCH_SECONDS", 0.02)
    watched = make_health()
    await watched.enter(Phase.SERVING)
    watching = asyncio.ensure_future(watched.watch())
    try:
        postgres.error = Unavailable(dependency="postgres")
        await asyncio.sleep(0.2)
        assert await status(watched) == "NOT_SERVING"
        postgres.error = None
        await asyncio.sleep(0.2)
        assert await status(watched) == "SERVING"
    finally:
        watching.cancel()


async def test_a_spared_dependency_is_told_and_keeps_no_call_away(metrics: Metrics, postgres: Dependency) -> None:
    nats = Dependency()
    health = Health(
        "aiops.parcels.v1.ParcelsService", {"postgres": postgres, "nats": nats}, metrics, spared=frozenset({"nats"})
    )
    nats.error = Unavailable(dependency="nats")

    await health.enter(Phase.SERVING)

    report = await health.report()
    assert report.ready is True
    assert report.checks["nats"] != "ok"
    assert await status(health) == "SERVING"
    assert metrics.value("aiops_ready", check="nats") == 0


async def test_a_dependency_that_hangs_is_away(
    make_health: Callable[..., Health], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)

    async def hang() -> None:
        await asyncio.sleep(60)

    watched = make_health(nats=hang)
    await watched.enter(Phase.SERVING)

    assert (await watched.report()).checks == {"postgres": "ok", "nats": "no answer within 0.05 s"}


async def test_many_askers_are_one_question(make_health: Callable[..., Health], postgres: Dependency) -> None:
    watched = make_health()

    await asyncio.gather(*(watched.report() for _ in range(50)))

    assert postgres.asked == 1


async def test_a_draining_process_takes_no_work_however_well_it_is(make_health: Callable[..., Health]) -> None:
    watched = make_health()
    await watched.enter(Phase.SERVING)

    await watched.enter(Phase.DRAINING)

    report = await watched.report()
    assert (report.ready, report.checks) == (False, {"postgres": "ok"})
    assert await status(watched) == "NOT_SERVING"


# Background tasks


async def test_a_task_that_falls_over_is_seen_and_started_again(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(background, "STEADY_SECONDS", 0.3)
    tasks, works = Background(metrics), asyncio.Event()
    runs: list[int] = []

    async def relay() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise ZeroDivisionError
        if len(runs) == 2:
            return
        works.set()
        await asyncio.sleep(60)

    tasks.run("relay", relay)
    await asyncio.wait_for(works.wait(), 2)

    with pytest.raises(Unavailable, match="fell over and is being started again: relay"):
        await tasks.check()
    await asyncio.sleep(0.4)
    await tasks.check()
    assert metrics.value("aiops_background_failures_total", task="relay") == 2
    assert [record.getMessage() for record in caplog.records] == [
        "relay fell over; starting it again",
        "relay ended by itself; starting it again",
    ]
    await tasks.stop()


async def test_finishing_waits_for_what_was_told_to_end(metrics: Metrics) -> None:
    tasks, told = Background(metrics), asyncio.Event()
    ended: list[str] = []

    async def consumer() -> None:
        await told.wait()
        await asyncio.sleep(0.05)
        ended.append("consumer")

    async def relay() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("relay")

    tasks.run("consumer a", consumer)
    tasks.run("relay", relay)
    await asyncio.sleep(0)

    told.set()
    await tasks.finish("consumer ", 2)
    assert ended == ["consumer"]
    await tasks.stop()
    assert ended == ["consumer", "relay"]
    assert metrics.value("aiops_background_failures_total", task="consumer a") == 0
