"""Schedules: kept by one worker at a time, tried again after a failure, on a trace of their own."""

import asyncio
from uuid import UUID

import psycopg
import pytest
from parcels import send
from sqlalchemy import select, text
from surroundings import Start, until

from chassis import schedules
from chassis.db import UnitOfWork
from chassis.errors import Unavailable
from chassis.identity import Call, current_call
from chassis.metrics import Metrics
from chassis.outbox import outbox
from chassis.schedules import Schedule, Schedules
from chassis.testing.harness import ensure_tracing
from chassis.testing.plugin import ServiceDatabase


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(schedules, "RETRY_SECONDS", 0.05)


class Runs:
    """Counts runs and fails the first ones."""

    def __init__(self, *errors: Exception) -> None:
        self.calls: list[Call] = []
        self._errors = list(errors)

    async def __call__(self) -> None:
        self.calls.append(current_call())
        if self._errors:
            raise self._errors.pop(0)

    async def three(self) -> bool:
        return len(self.calls) >= 3


@pytest.mark.usefixtures("quick")
async def test_a_failed_run_is_tried_again_soon_and_a_good_one_at_its_time(
    uow: UnitOfWork, metrics: Metrics, background: Start, caplog: pytest.LogCaptureFixture
) -> None:
    ensure_tracing()
    run = Runs(Unavailable(dependency="depot"), ZeroDivisionError())
    background(Schedules("parcels", (Schedule("sweep", 3600, run),), uow, metrics).run())

    await until(run.three)
    await asyncio.sleep(0.2)

    assert len(run.calls) == 3  # the third was good, and the next is due in an hour
    assert {(call.caller, call.method, call.viewer) for call in run.calls} == {("parcels", "sweep", None)}
    assert len({call.correlation_id for call in run.calls}) == 3
    assert metrics.value("aiops_schedule_runs_total", schedule="sweep", outcome="failed") == 2
    assert metrics.value("aiops_schedule_runs_total", schedule="sweep", outcome="done") == 1
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("schedule")]
    assert said == ["schedule sweep: depot cannot be reached; try again in a moment", "schedule sweep fell over"]


@pytest.mark.usefixtures("quick")
async def test_of_two_workers_one_keeps_the_schedules_and_the_other_takes_over(
    uow: UnitOfWork, metrics: Metrics, background: Start
) -> None:
    first, second = Runs(), Runs()
    leading = background(Schedules("parcels", (Schedule("sweep", 0.05, first),), uow, metrics).run())
    await until(first.three)
    background(Schedules("parcels", (Schedule("sweep", 0.05, second),), uow, metrics).run())
    await asyncio.sleep(0.3)
    assert second.calls == []

    leading.cancel()
    await until(second.three)
    ran = len(first.calls)
    await asyncio.sleep(0.2)

    assert len(first.calls) == ran


@pytest.mark.usefixtures("quick")
async def test_who_loses_the_lock_stops_before_its_next_run(
    uow: UnitOfWork, metrics: Metrics, background: Start, store: ServiceDatabase
) -> None:
    run = Runs()
    background(Schedules("parcels", (Schedule("sweep", 0.05, run),), uow, metrics).run())
    await until(run.three)

    async with await psycopg.AsyncConnection.connect(store.app_url, autocommit=True) as connection:
        ended = await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aiops-parcels/2-leader'"
        )
        assert await ended.fetchall() == [(True,)]
    stopped = len(run.calls)
    await asyncio.sleep(0.2)
    assert len(run.calls) <= stopped + 1  # one may have been under way

    async def goes_on() -> bool:
        return len(run.calls) > stopped + 1

    await until(goes_on)


@pytest.mark.usefixtures("quick")
async def test_rows_past_their_time_are_forgotten_without_being_asked(
    uow: UnitOfWork, metrics: Metrics, background: Start, store: ServiceDatabase
) -> None:
    async with uow.begin() as tx:
        await send(tx, UUID(int=7), "Oslo")
        await send(tx, UUID(int=8), "Rome")
    async with uow.begin() as tx:
        await tx.execute(text("UPDATE outbox SET published_at = now() - interval '3650 days' WHERE seq % 2 = 0"))
    background(Schedules("parcels", (), uow, metrics).run())

    async def pruned() -> bool:
        async with store.database.read() as tx:
            return len(await tx.fetch_all(select(outbox.c.seq))) == 1

    async def counted() -> bool:  # a moment after the rows are gone
        return metrics.value("aiops_schedule_runs_total", schedule="forget-old-rows", outcome="done") == 1

    await until(pruned)
    await until(counted)
