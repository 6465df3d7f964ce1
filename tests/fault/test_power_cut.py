"""Power cuts of Postgres and NATS on disks of their own: what was acknowledged is there; without syncing it is not."""

from pathlib import Path

import pytest
from tests.fault.disks import NoDisks
from tests.fault.installation import NATS, POSTGRES
from tests.fault.killing import HEALED_SECONDS
from tests.fault.power import installation_on_disks, power_cuts

CUTS = 10


async def holds(folder: Path, figures: dict[str, float | str], *, cuts: int) -> None:
    try:
        with installation_on_disks(folder, careless=False) as (hurt, disks):
            run = await power_cuts(hurt, disks, (POSTGRES, NATS) * cuts)
    except NoDisks as reason:
        pytest.skip(str(reason))

    figures |= run.figures
    assert {name: found for name, found in run.violations.items() if found} == {}
    assert max(seconds for _, seconds in run.recoveries) <= HEALED_SECONDS
    assert hurt.kills[POSTGRES] == cuts
    assert hurt.kills[NATS] == cuts


@pytest.mark.timeout(300)
async def test_a_power_cut_loses_nothing(fault_folder: Path, figures: dict[str, float | str]) -> None:
    await holds(fault_folder, figures, cuts=1)


@pytest.mark.fault
@pytest.mark.timeout(900)
async def test_ten_power_cuts_of_each_lose_nothing(fault_folder: Path, figures: dict[str, float | str]) -> None:
    await holds(fault_folder, figures, cuts=CUTS)


async def loses(folder: Path, figures: dict[str, float | str], kinds: tuple[str, ...]) -> dict[str, list[str]]:
    try:
        with installation_on_disks(folder, careless=True) as (hurt, disks):
            run = await power_cuts(hurt, disks, kinds, healing=False)
    except NoDisks as reason:
        pytest.skip(str(reason))
    figures |= run.figures
    return run.violations


@pytest.mark.fault
@pytest.mark.timeout(300)
async def test_a_power_cut_of_servers_that_sync_late_loses_what_they_acknowledged(
    fault_folder: Path, figures: dict[str, float | str]
) -> None:
    violations = await loses(fault_folder, figures, (NATS, POSTGRES))

    assert violations["lost"]
    assert violations["vanished"]


@pytest.mark.fault
@pytest.mark.timeout(300)
async def test_a_postgres_that_commits_late_loses_writes(fault_folder: Path, figures: dict[str, float | str]) -> None:
    violations = await loses(fault_folder, figures, (POSTGRES,))

    assert violations["lost"]


@pytest.mark.fault
@pytest.mark.timeout(300)
async def test_a_nats_that_syncs_late_loses_events(fault_folder: Path, figures: dict[str, float | str]) -> None:
    violations = await loses(fault_folder, figures, (NATS,))

    assert violations["lost"] == []
    assert violations["vanished"]
