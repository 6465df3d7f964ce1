"""A page that all five services feed, with each of them stopped, stalled and broken in turn."""

import time

import pytest
from tests.fault.conftest import SERVICES, House
from tests.fault.partial import FEEDS, Path, failures, without
from tests.fault.things import PAGE, PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

STOPPED_SECONDS = 3.0
"""Nobody waits for a service that refuses connections."""
STALLED_SECONDS = 8.0
"""A root field waits five seconds for its service, an edge four; the rest is room for a busy machine."""

ONE_KEY: dict[str, tuple[str, Path]] = {
    "auth": ("grace", ("ticket", "assignee")),
    "logs": ("other_log", ("ticket", "logs", 1)),
    "tickets": ("earlier", ("earlier",)),
    "ai": ("triage_run", ("ticket", "triage", "run")),
}
"""The key for which a service breaks, and the only path that needs it."""


@pytest.mark.parametrize("service", SERVICES)
async def test_stopped_service_takes_only_what_it_feeds(house: House, service: str) -> None:
    whole = await house.data(PAGE, house.things.page)
    await house.stop(service)

    started = time.monotonic()
    answer = await house.ask(PAGE, house.things.page)

    assert time.monotonic() - started < STOPPED_SECONDS
    assert failures(answer) == dict.fromkeys(FEEDS[service], "UNAVAILABLE")
    assert answer["data"] == without(whole, FEEDS[service])


@pytest.mark.parametrize("service", SERVICES)
async def test_stalled_service_takes_only_what_it_feeds_and_no_more_than_its_time(house: House, service: str) -> None:
    whole = await house.data(PAGE, house.things.page)
    house.doors[service].stall()

    started = time.monotonic()
    answer = await house.ask(PAGE, house.things.page)

    assert time.monotonic() - started < STALLED_SECONDS
    assert failures(answer) == dict.fromkeys(FEEDS[service], "DEADLINE_EXCEEDED")
    assert answer["data"] == without(whole, FEEDS[service])


@pytest.mark.parametrize("service", ONE_KEY)
async def test_service_that_breaks_for_one_key_takes_only_what_needs_it(house: House, service: str) -> None:
    whole = await house.data(PAGE, house.things.page)
    key, path = ONE_KEY[service]
    house.doors[service].break_for(getattr(house.things, key))

    answer = await house.ask(PAGE, house.things.page)

    assert failures(answer) == {path: "INTERNAL"}
    assert answer["data"] == without(whole, [path])


async def test_changes_that_break_for_one_ticket_leave_those_of_the_others(house: House) -> None:
    whole = await house.data(PAGE, house.things.page)
    house.doors["changelog"].break_for("billing")

    answer = await house.ask(PAGE, house.things.page)

    path = ("earlier", "changesBefore")
    assert failures(answer) == {path: "INTERNAL"}
    assert answer["data"] == without(whole, [path])


async def test_everything_is_there_again_when_the_services_are(house: House) -> None:
    whole = await house.data(PAGE, house.things.page)
    for service in SERVICES:
        await house.stop(service)
    nothing = await house.ask(PAGE, house.things.page)

    await house.heal()

    roots = ["me", "log", "ticket", "earlier", "changelog"]
    assert nothing["data"] == dict.fromkeys(roots)
    assert failures(nothing) == {(root,): "UNAVAILABLE" for root in roots}
    assert await house.data(PAGE, house.things.page) == whole


async def test_tokens_that_nobody_has_seen_are_verified_while_auth_is_away(house: House) -> None:
    log_in = "session { accessToken } user { id }"
    account = {"email": "grace@example.com", "password": PASSWORD}
    logged_in = await house.gateway.mutate("logIn", log_in, **account)
    token = logged_in["session"]["accessToken"]
    await house.stop("auth")

    page = "{ logs(first: 9) { nodes { id } } tickets { nodes { id } } changelogs { nodes { id } } }"
    data = await house.gateway.data(page, token=token)
    forged = await house.gateway.ask(page, token=token[:-4] + "AAAA")
    document = "mutation L($input: LogInInput!) { logIn(input: $input) { __typename } }"
    refused = await house.gateway.ask(document, {"input": account})

    assert [node["id"] for node in data["logs"]["nodes"]] == [house.things.other_log, house.things.log]
    assert [node["id"] for node in data["tickets"]["nodes"]] == [house.things.ticket, house.things.earlier]
    assert [node["id"] for node in data["changelogs"]["nodes"]] == [house.things.changelog]
    assert [error["extensions"]["code"] for error in forged["errors"]] == ["UNAUTHENTICATED"]
    assert failures(refused) == {("logIn",): "UNAVAILABLE"}
