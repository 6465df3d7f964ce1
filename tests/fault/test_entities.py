"""What another subgraph asks by key, with each service stopped in turn, one stalled, and each broken for one key."""

from typing import Any

import pytest
from tests.fault.conftest import SERVICES, House
from tests.fault.partial import Path, failures

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERY = """
query Entities($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on User { displayName }
    ... on Log { name }
    ... on LogRecord { lineNumber }
    ... on LogPattern { template }
    ... on Ticket { title }
    ... on Changelog { commitCount }
    ... on Repository { name }
    ... on Commit { sha }
    ... on Deployment { service }
    ... on Run { engine }
  }
}
"""
ENTITIES: tuple[tuple[str, str, str], ...] = (
    ("auth", "User", "ada"),
    ("auth", "User", "grace"),
    ("logs", "Log", "log"),
    ("logs", "Log", "other_log"),
    ("logs", "LogRecord", "log_record"),
    ("logs", "LogPattern", "log_pattern"),
    ("tickets", "Ticket", "ticket"),
    ("tickets", "Ticket", "earlier"),
    ("changelog", "Changelog", "changelog"),
    ("changelog", "Repository", "repository"),
    ("changelog", "Commit", "commit"),
    ("changelog", "Commit", "other_commit"),
    ("changelog", "Deployment", "deployment"),
    ("ai", "Run", "summary_run"),
    ("ai", "Run", "triage_run"),
)
"""Owner, type and name of what is asked for: every type of the graph that has a key."""
ONE_KEY = {"auth": "grace", "logs": "other_log", "tickets": "earlier", "changelog": "other_commit", "ai": "triage_run"}
"""For which each service breaks; another of its type is asked for in the same call."""


def variables(house: House) -> dict[str, Any]:
    return {
        "representations": [{"__typename": type_, "id": getattr(house.things, name)} for _, type_, name in ENTITIES]
    }


def places(service: str, only: str = "") -> set[Path]:
    """Where the service's entities stand in the answer."""
    return {
        ("_entities", place)
        for place, (owner, _, name) in enumerate(ENTITIES)
        if owner == service and only in {"", name}
    }


def without(whole: list[Any], missing: set[Path]) -> list[Any]:
    return [None if ("_entities", place) in missing else entity for place, entity in enumerate(whole)]


@pytest.mark.parametrize("service", SERVICES)
async def test_stopped_service_takes_only_its_own_entities(house: House, service: str) -> None:
    whole = (await house.data(QUERY, variables(house)))["_entities"]
    await house.stop(service)

    answer = await house.ask(QUERY, variables(house))

    assert [entity["__typename"] for entity in whole] == [type_ for _, type_, _ in ENTITIES]
    assert failures(answer) == dict.fromkeys(places(service), "UNAVAILABLE")
    assert answer["data"]["_entities"] == without(whole, places(service))


@pytest.mark.parametrize("service", SERVICES)
async def test_stalled_service_takes_only_its_own_entities(house: House, service: str) -> None:
    whole = (await house.data(QUERY, variables(house)))["_entities"]
    house.doors[service].stall()

    answer = await house.ask(QUERY, variables(house))

    assert failures(answer) == dict.fromkeys(places(service), "DEADLINE_EXCEEDED")
    assert answer["data"]["_entities"] == without(whole, places(service))


@pytest.mark.parametrize("service", SERVICES)
async def test_service_that_breaks_for_one_key_takes_one_entity(house: House, service: str) -> None:
    whole = (await house.data(QUERY, variables(house)))["_entities"]
    house.doors[service].break_for(getattr(house.things, ONE_KEY[service]))

    answer = await house.ask(QUERY, variables(house))

    place = places(service, ONE_KEY[service])
    assert len(place) == 1
    assert failures(answer) == dict.fromkeys(place, "INTERNAL")
    assert answer["data"]["_entities"] == without(whole, place)
