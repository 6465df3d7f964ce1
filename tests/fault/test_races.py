"""Races of clients: one version, one winner; one key, one effect."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.fault import checkers, observing
from tests.fault.caller import Caller
from tests.fault.conftest import fault_folder_of
from tests.fault.crew import crew, load_on
from tests.fault.history import Op
from tests.fault.installation import Installation, installation
from tests.fault.load import DAY, Load, Worker
from tests.fault.racing import new_ticket, race

AT_ONCE = 16
REPLY = "deployment { id service version createdAt }"


@pytest.fixture(scope="module")
def whole() -> Iterator[Installation]:
    """An installation whose changelog answers late."""
    with fault_folder_of() as folder, installation(folder, altered={"changelog serve": "slow-reply"}) as running:
        yield running


@asynccontextmanager
async def people(running: Installation, count: int) -> AsyncIterator[tuple[Load, list[Caller]]]:
    """A load, and so many clients of the same person of ops."""
    load = load_on(running)
    try:
        workers = await crew(running, load, people=1, machines=0)
        await workers[1].caller.log_in()
        yield load, [replace(workers[1].caller, name=f"client-{number}") for number in range(count)]
    finally:
        await load.http.aclose()


async def raced(running: Installation, *, clients: int, updates: int) -> tuple[Load, dict[str, float | str], list[str]]:
    """A race; its figures and violations."""
    async with people(running, clients) as (load, callers):
        target = await new_ticket(load, callers[0])
        before = await Worker(callers[0], load, ()).version("ticket", target)
        await race(load, callers, target, updates=updates)
        after = await Worker(callers[0], load, ()).version("ticket", target)
    won = [op for op in load.history.of("ok") if not op.creates]
    violations = checkers.lost_updates(load.history)
    if after - before != len(won):
        violations.append(f"{len(won)} updates succeeded, and the version rose by {after - before}")
    for facts in observing.facts(running):
        violations += checkers.gaps(facts)
    lost = [op for op in load.history.of("fail") if op.code != "VERSION_CONFLICT"]
    figures: dict[str, float | str] = {
        "clients": clients,
        "updates": clients * updates,
        **load.history.counts(),
        "violations": len(violations),
        "refused otherwise": len(lost),
        "heard": str(load.history.codes),
    }
    return load, figures, violations


@pytest.mark.parametrize(
    ("clients", "updates"),
    [
        pytest.param(24, 5, marks=pytest.mark.timeout(180)),
        pytest.param(200, 50, marks=[pytest.mark.fault, pytest.mark.timeout(1200)]),
    ],
)
async def test_conditional_updates_of_one_ticket_are_exact(
    whole: Installation, figures: dict[str, float | str], clients: int, updates: int
) -> None:
    load, measured, violations = await raced(whole, clients=clients, updates=updates)

    figures |= measured
    assert violations == []
    assert figures["refused otherwise"] == 0
    assert figures["info"] == 0
    assert load.history.codes["VERSION_CONFLICT"] > clients


async def test_sixteen_requests_with_one_key_have_one_effect(
    whole: Installation, figures: dict[str, float | str]
) -> None:
    async with people(whole, AT_ONCE) as (load, callers):
        ops = await at_once(load, callers)
        shown = await observing.readable(callers[0], only=("tickets",))
        other = Op("other", "createTicket", "ticket", load.marker())
        await callers[0].write(other, "ticket { id }", key=KEY.format(load.run), title="Another", message="one")
        again = await observing.readable(callers[0], only=("tickets",))

    figures["effects"] = len(shown.by_marker["ticket", ops[0].marker])
    assert figures["effects"] == 1
    assert [op.outcome for op in ops] == ["ok"] * AT_ONCE
    assert len({reply for op in ops for reply in op.replies}) == 1
    assert (other.outcome, other.code) == ("fail", "IDEMPOTENCY_KEY_REUSED")
    # Of the one that is there triage may have made the next version meanwhile.
    assert _ids(again) == _ids(shown)


def _ids(read: checkers.Readable) -> dict[tuple[str, str], set[str]]:
    return {marker: {seen.id for seen in there} for marker, there in read.by_marker.items()}


KEY = "one key for all of {}"


async def at_once(load: Load, callers: list[Caller]) -> list[Op]:
    """One request, sent by all of them under one key."""
    marker = load.marker()
    ops = [Op(caller.name, "createTicket", "ticket", marker) for caller in callers]
    await asyncio.gather(
        *(
            caller.write(
                op,
                "ticket { id version title createdAt }",
                key=KEY.format(load.run),
                title=f"Checkout is slow {marker}",
                message="Customers wait at the till until the page gives up.",
            )
            for op, caller in zip(ops, callers, strict=True)
        )
    )
    return ops


@pytest.mark.timeout(120)
async def test_a_server_killed_between_effect_and_reply_answers_the_repetition_alike(
    whole: Installation, figures: dict[str, float | str]
) -> None:
    async with people(whole, 1) as (load, (caller,)):
        op, key = Op("ops", "recordDeployment", "deployment", load.marker()), str(uuid4())

        def asked() -> Coroutine[Any, Any, object]:
            at = DAY.isoformat()
            return caller.write(op, REPLY, key=key, service="checkout", version=op.marker, deployedAt=at)

        asking = asyncio.ensure_future(asked())
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(rows, whole, op.marker):  # noqa: ASYNC110 - a table wakes nobody
                await asyncio.sleep(0.02)
        whole.kill("changelog serve")
        await asking
        await asked()

    figures |= {"attempts": op.attempts, "effects": rows(whole, op.marker)}
    assert op.attempts > 2, "nobody had to repeat, so the kill came too late"
    assert op.outcome == "ok"
    assert len(op.replies) == 2
    assert len(set(op.replies)) == 1
    assert rows(whole, op.marker) == 1


def rows(running: Installation, marker: str) -> int:
    """Deployments with this version, in the table."""
    with running.database() as connection:
        row = connection.execute(
            "SELECT count(*) FROM changelog.deployments WHERE version_name = %s", [marker]
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.fault
@pytest.mark.timeout(300)
async def test_without_keys_and_versions_the_races_are_lost(
    fault_folder: Path, figures: dict[str, float | str]
) -> None:
    with installation(fault_folder, altered={"tickets serve": "no-idempotency,no-version-guard"}) as careless:
        _, measured, violations = await raced(careless, clients=24, updates=5)
        async with people(careless, AT_ONCE) as (load, callers):
            ops = await at_once(load, callers)
            shown = await observing.readable(callers[0], only=("tickets",))

    figures |= {**measured, "effects": len(shown.by_marker["ticket", ops[0].marker])}
    assert figures["effects"] == AT_ONCE
    assert any("all succeeded on version" in violation for violation in violations)
