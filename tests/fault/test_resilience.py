"""Invariant 19 on the whole installation: retries do not multiply, breakers open and close, a stall costs a few pages.

The control has neither breaker nor budget, and shows what they keep away.
"""

import asyncio
import time

import pytest
from tests.fault.conftest import House
from tests.fault.partial import FEEDS, without
from tests.fault.things import PAGE

from chassis.resilience.breaker import State

pytestmark = pytest.mark.asyncio(loop_scope="module")

TICKETS = "{ tickets { nodes { id } } }"
MUTATE = """
mutation Create($input: CreateTicketInput!) {
  createTicket(input: $input) { __typename ... on CreateTicketSuccess { ticket { id } } }
}
"""
AT_ONCE_SECONDS = 1.5
"""What a page may take that waits for nobody, on a busy machine."""


def breaker_states(house: House) -> dict[str, State]:
    services = house.gateway.gateway.services
    return {client.breaker.target: client.breaker.state for client in services.clients}


async def test_a_stalled_service_holds_up_a_few_pages_and_then_none(house: House) -> None:
    whole = await house.data(PAGE, house.things.page)
    house.doors["ai"].stall()
    waited = []
    while breaker_states(house)["ai"] is State.CLOSED:
        started = time.monotonic()
        await house.ask(PAGE, house.things.page)
        waited.append(time.monotonic() - started)

    started = time.monotonic()
    answer = await house.ask(PAGE, house.things.page)
    at_once = time.monotonic() - started
    calls = house.doors["ai"].calls.total()
    for _ in range(5):
        await house.ask(PAGE, house.things.page)

    assert 1 <= len(waited) <= 3
    assert at_once < AT_ONCE_SECONDS
    assert answer["data"] == without(whole, FEEDS["ai"])
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UNAVAILABLE"}
    # Where a call goes through now, it asks first whether anybody lives.
    assert house.doors["ai"].calls.total() - calls <= 2


async def test_a_service_that_is_back_is_used_again_within_ten_seconds(house: House) -> None:
    whole = await house.data(PAGE, house.things.page)
    await house.stop("tickets")
    for _ in range(12):
        await house.ask(TICKETS)
    opened = breaker_states(house)["tickets"]
    await asyncio.sleep(5)

    await house.doors["tickets"].open()
    started = time.monotonic()
    while "errors" in await house.ask(TICKETS):
        assert time.monotonic() - started < 10
        await asyncio.sleep(0.05)

    assert opened is not State.CLOSED
    assert breaker_states(house)["tickets"] is State.CLOSED
    assert await house.data(PAGE, house.things.page) == whole


@pytest.mark.parametrize(("protected", "least", "most"), [(True, 0, 1.1), (False, 2.5, 3.0)], ids=["ours", "control"])
async def test_a_dependency_that_is_down_gets_no_more_than_a_tenth_on_top(
    house: House, monkeypatch: pytest.MonkeyPatch, *, protected: bool, least: float, most: float
) -> None:
    if not protected:
        monkeypatch.setattr("chassis.resilience.breaker.FAILED_CALLS", 1 << 30)
        monkeypatch.setattr("chassis.resilience.retry.RetryBudget.spend", lambda _budget: True)
    for _ in range(50):
        await house.data(TICKETS)
    door = house.doors["tickets"]
    door.refuse()
    before, offered = door.calls["ListTickets"], 100

    for _ in range(offered):
        await house.ask(TICKETS)

    assert least <= (door.calls["ListTickets"] - before) / offered <= most


async def test_a_retry_fills_the_gap_that_one_lost_connection_leaves(house: House) -> None:
    for _ in range(20):
        await house.data(TICKETS)
    whole = await house.data(TICKETS)
    house.doors["tickets"].refuse(times=1)

    assert await house.data(TICKETS) == whole


async def test_a_write_that_is_tried_again_has_one_effect(house: House) -> None:
    """The service did it and the answer was lost: the second try brings the first one's answer."""
    for _ in range(20):
        await house.data(TICKETS)
    count = len((await house.data("{ tickets(first: 100) { nodes { id } } }"))["tickets"]["nodes"])
    house.doors["tickets"].refuse(times=1, after=True)

    created = await house.data(MUTATE, {"input": {"title": "Only once", "message": "One effect.", "source": "test"}})

    tickets = (await house.data("{ tickets(first: 100) { nodes { id title } } }"))["tickets"]["nodes"]
    assert created["createTicket"]["__typename"] == "CreateTicketSuccess"
    assert len(tickets) == count + 1
    assert [each["id"] for each in tickets if each["title"] == "Only once"] == [created["createTicket"]["ticket"]["id"]]
