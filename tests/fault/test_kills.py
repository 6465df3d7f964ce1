"""kill -9 of every kind of process under load: nothing acknowledged is lost or done twice, and all heals unaided."""

from pathlib import Path

import pytest
from tests.fault.installation import KINDS, installation
from tests.fault.killing import HEALED_SECONDS, Run, in_turn, kill_loop

KILLS = 104
FEW = ("tickets serve", "tickets work", "nats", "gateway", "postgres", "ai serve")


def well(run: Run, figures: dict[str, float | str]) -> None:
    """Assert that all held, and that the run could have shown it if not."""
    figures |= run.figures
    assert {name: found for name, found in run.violations.items() if found} == {}
    assert max(seconds for _, seconds in run.recoveries) <= HEALED_SECONDS
    assert run.history.counts()["ok"] > 20 * len(run.recoveries)
    assert figures["acknowledged after repeats"], "no client ever had to repeat, so nothing was hurt"
    assert run.handled > len(run.recoveries)
    assert run.changes > run.handled


@pytest.mark.timeout(300)
async def test_some_kills_under_load_lose_and_double_nothing(
    fault_folder: Path, figures: dict[str, float | str]
) -> None:
    with installation(fault_folder) as hurt:
        run = await kill_loop(hurt, FEW)

    well(run, figures)


@pytest.mark.fault
@pytest.mark.timeout(400)
async def test_without_its_protections_the_same_checks_find_what_went_wrong(
    fault_folder: Path, figures: dict[str, float | str]
) -> None:
    altered = {
        "tickets serve": "no-idempotency,no-version-guard",
        "logs work": "publish-late",
        "tickets work": "ack-first",
        "changelog work": "no-inbox",
    }

    with installation(fault_folder, altered=altered) as hurt:
        run = await kill_loop(hurt, (*("logs work", "tickets work") * 3, *("tickets serve",) * 2), healing=False)

    figures |= run.figures
    found = {name: " ".join(violations) for name, violations in run.violations.items()}
    assert "never reached tickets-triage" in found["vanished"]
    assert "never reached logs-summarize" in found["vanished"]
    # Which write it hits is chance, and whether two update one thing at once; test_races has the control for that.
    assert found["doubled"]
    assert "had an effect, and no inbox knows of it" in found["effects"]


@pytest.mark.fault
@pytest.mark.timeout(3000)
async def test_hundred_kills_of_all_kinds_under_load_lose_and_double_nothing(
    fault_folder: Path, figures: dict[str, float | str]
) -> None:
    with installation(fault_folder) as hurt:
        run = await kill_loop(hurt, tuple(in_turn(7, KILLS)))

    well(run, figures)
    assert len(run.recoveries) >= 100
    assert min(hurt.kills[kind] for kind in KINDS) >= 5
