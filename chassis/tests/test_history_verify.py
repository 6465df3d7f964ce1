"""Proving histories: what holds is said to hold, and each kind of tampering is found, and by which check."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from histories import anchors_of, lives, report_of, unit_of_work

from chassis.db import UnitOfWork
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

SERVICES = ("parcels", "depot")
Anchored = Callable[[], Awaitable[Path]]


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), SERVICES)


@pytest.fixture
def uow(store: ServiceDatabase, clock: FrozenClock) -> UnitOfWork:
    return unit_of_work(store.database, clock)


@pytest.fixture
def anchored(uow: UnitOfWork, installation: Installation, tmp_path: Path) -> Anchored:
    async def anchor() -> Path:
        await anchors_of(uow, installation, tmp_path / "anchors").run()
        return tmp_path / "anchors"

    return anchor


async def test_what_was_not_touched_holds(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, anchored: Anchored
) -> None:
    await lives(uow, parcels=3, versions=60)
    folder = await anchored()

    report = await report_of(store, installation, folder)

    assert (report.chains, report.rows, report.anchors, report.faults) == (3, 180, 1, [])
