"""A change of a ticket, and somebody who watches it, with each service away in turn."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest
from tests.fault.conftest import House
from tests.fault.partial import Path, failures, of_ticket, without
from tests.fault.things import TICKET

from gateway.testing.harness import Watcher

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHERS = ("auth", "logs", "changelog", "ai")
"""Whom a ticket's edges lead to."""
ONE_KEY: dict[str, tuple[str, Path]] = {
    "auth": ("grace", ("assignee",)),
    "logs": ("other_log", ("logs", 1)),
    "changelog": ("checkout", ("changesBefore",)),
    "ai": ("triage_run", ("triage", "run")),
}
"""The key for which a service breaks, one of the things or itself, and the only path of the ticket that needs it."""
TICKETS_SECONDS = 7.0
STATE = "query State($id: ID!) { ticket(id: $id) { version status } }"
UPDATE = f"""
mutation Update($input: UpdateTicketStatusInput!) {{
  updateTicketStatus(input: $input) {{
    __typename
    ... on UpdateTicketStatusSuccess {{ ticket {{ version status {TICKET} }} }}
    ... on UserError {{ code message }}
  }}
}}
"""
BRIEF_UPDATE = """
mutation Brief($input: UpdateTicketStatusInput!) {
  updateTicketStatus(input: $input) { ... on UpdateTicketStatusSuccess { ticket { version } } }
}
"""
WATCH = f"subscription Watch($id: ID!) {{ ticketUpdates(ticketId: $id) {{ version status {TICKET} }} }}"
IN_UPDATE = ("updateTicketStatus", "ticket")


async def state(house: House) -> dict[str, Any]:
    ticket: dict[str, Any] = (await house.data(STATE, {"id": house.things.ticket}))["ticket"]
    return ticket


async def change(house: House) -> dict[str, Any]:
    """The input of a change that the ticket's state allows."""
    now = await state(house)
    return {
        "ticketId": house.things.ticket,
        "expectedVersion": now["version"],
        "status": "IN_PROGRESS" if now["status"] == "OPEN" else "OPEN",
        "idempotencyKey": str(uuid4()),
    }


def stored(wanted: dict[str, Any]) -> dict[str, Any]:
    """What a change leaves behind."""
    return {"version": wanted["expectedVersion"] + 1, "status": wanted["status"]}


def changed(whole: dict[str, Any], paths: Iterable[Path], wanted: dict[str, Any]) -> dict[str, Any]:
    """The answer to a change where it lacks these paths."""
    expected = without(whole, paths)
    expected["updateTicketStatus"]["ticket"] |= stored(wanted)
    return expected


@pytest.mark.parametrize("service", OTHERS)
async def test_change_is_stored_once_and_its_answer_lacks_what_is_away(house: House, service: str) -> None:
    whole = await house.data(UPDATE, {"input": await change(house)})
    wanted = await change(house)
    await house.stop(service)

    answer = await house.ask(UPDATE, {"input": wanted})
    again = await house.ask(UPDATE, {"input": wanted})
    await house.heal()

    expected = changed(whole, of_ticket(service, *IN_UPDATE), wanted)
    assert failures(answer) == dict.fromkeys(of_ticket(service, *IN_UPDATE), "UNAVAILABLE")
    assert answer["data"] == expected
    assert again["data"] == expected
    assert await state(house) == stored(wanted)


@pytest.mark.parametrize("service", OTHERS)
async def test_change_is_answered_while_another_service_stalls(house: House, service: str) -> None:
    whole = await house.data(UPDATE, {"input": await change(house)})
    wanted = await change(house)
    house.doors[service].stall()

    answer = await house.ask(UPDATE, {"input": wanted})
    await house.heal()

    paths = of_ticket(service, *IN_UPDATE)
    assert failures(answer) == dict.fromkeys(paths, "DEADLINE_EXCEEDED")
    assert answer["data"] == changed(whole, paths, wanted)
    assert await state(house) == stored(wanted)


@pytest.mark.parametrize("service", OTHERS)
async def test_change_is_answered_while_another_service_breaks_for_one_key(house: House, service: str) -> None:
    whole = await house.data(UPDATE, {"input": await change(house)})
    wanted = await change(house)
    key, path = ONE_KEY[service]
    house.doors[service].break_for(getattr(house.things, key, key))

    answer = await house.ask(UPDATE, {"input": wanted})
    await house.heal()

    paths = [(*IN_UPDATE, *path)]
    assert failures(answer) == dict.fromkeys(paths, "INTERNAL")
    assert answer["data"] == changed(whole, paths, wanted)
    assert await state(house) == stored(wanted)


async def test_change_is_not_stored_while_its_own_service_is_away(house: House) -> None:
    before, wanted = await state(house), await change(house)
    await house.stop("tickets")

    answer = await house.ask(UPDATE, {"input": wanted})
    await house.heal()
    unchanged = await state(house)
    repeated = await house.data(UPDATE, {"input": wanted})

    assert answer["data"] is None
    assert failures(answer) == {("updateTicketStatus",): "UNAVAILABLE"}
    assert unchanged == before
    assert repeated["updateTicketStatus"]["ticket"]["version"] == before["version"] + 1


async def test_change_whose_answer_is_lost_is_stored_once_and_its_repetition_is_told(house: House) -> None:
    before, wanted = await state(house), await change(house)
    house.doors["tickets"].lose_answers()

    async with asyncio.timeout(TICKETS_SECONDS):
        answer = await house.ask(UPDATE, {"input": wanted})
    await house.heal()
    now = await state(house)
    repeated = await house.data(UPDATE, {"input": wanted})

    assert answer["data"] is None
    assert failures(answer) == {("updateTicketStatus",): "DEADLINE_EXCEEDED"}
    assert now == stored(wanted)
    assert wanted["expectedVersion"] == before["version"]
    assert repeated["updateTicketStatus"]["ticket"]["version"] == now["version"]
    assert await state(house) == now


@pytest.mark.parametrize("failure", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"])
@pytest.mark.parametrize("service", OTHERS)
async def test_watcher_gets_a_partial_item_and_then_whole_ones_again(house: House, service: str, failure: str) -> None:
    key, one_path = ONE_KEY[service]
    paths = [("ticketUpdates", *one_path)] if failure == "INTERNAL" else of_ticket(service, "ticketUpdates")
    async with Watcher.connected(house.gateway, house.things.token) as watcher:
        await watcher.receive()
        await watcher.subscribe(WATCH, id=house.things.ticket)
        whole = await watcher.next()
        wanted = await change(house)
        if failure == "UNAVAILABLE":
            await house.stop(service)
        elif failure == "DEADLINE_EXCEEDED":
            house.doors[service].stall()
        else:
            house.doors[service].break_for(getattr(house.things, key, key))
        await house.data(BRIEF_UPDATE, {"input": wanted})
        partial = await watcher.next()
        await house.heal()
        await house.data(UPDATE, {"input": await change(house)})
        healed = await watcher.next()

    expected = without(whole["data"], paths)
    expected["ticketUpdates"] |= stored(wanted)
    assert "errors" not in whole
    assert failures(partial) == dict.fromkeys(paths, failure)
    assert partial["data"] == expected
    assert "errors" not in healed
    assert healed["data"]["ticketUpdates"] == {
        **whole["data"]["ticketUpdates"],
        "version": wanted["expectedVersion"] + 2,
    }


async def test_watcher_outlives_an_absence_of_the_service_that_he_watches(house: House) -> None:
    async with Watcher.connected(house.gateway, house.things.token) as watcher:
        await watcher.receive()
        await watcher.subscribe(WATCH, id=house.things.ticket)
        before = await watcher.next()
        wanted = await change(house)
        house.doors["tickets"].lose_answers()
        lost = await house.ask(UPDATE, {"input": wanted})
        await house.stop("tickets")
        await house.heal()
        after = await watcher.next()

    assert failures(lost) == {("updateTicketStatus",): "DEADLINE_EXCEEDED"}
    assert "errors" not in after
    assert after["data"]["ticketUpdates"] == {
        **before["data"]["ticketUpdates"],
        "version": wanted["expectedVersion"] + 1,
        "status": wanted["status"],
    }
