"""The demo fails when something is missing: each of its checks, on an answer that lacks it."""

import copy
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from graphql import build_schema, parse, specified_rules, validate

from gateway.limits import WithinLimits

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Outage: NATS was down"
REASON = {"field": "TITLE", "start": 0, "end": 6, "quote": "Outage", "explanation": "it is down"}
CHOICE = {"value": "incident", "reasons": [REASON]}
TICKET: dict[str, Any] = {
    "title": TEXT,
    "message": "",
    "triageState": "TRIAGED",
    "triageFailure": None,
    "triage": {"category": CHOICE, "priority": {"reasons": []}, "team": {"reasons": []}},
    "logs": [{"id": "l1"}],
    "assignee": {"displayName": "Ann"},
    "changesBefore": {"changes": [{"change": {"__typename": "Commit"}}]},
}
CHANGELOG: dict[str, Any] = {
    "entries": [{"commitShas": ["a", "b"]}],
    "excluded": [{"sha": "c"}],
    "commitCount": 3,
    "bump": "MINOR",
    "bumpSha": "a",
    "highlightState": "READY",
}
ANSWER: dict[str, Any] = {
    "summary": {"sentences": [{"text": "NATS was away"}]},
    "tickets": [{"reporter": {"user": {"displayName": "Ann"}}, "assignee": {"displayName": "Ann"}}],
    "changesBefore": {"changes": [{"change": {"__typename": "Deployment"}}]},
}


@pytest.fixture(scope="module")
def loop() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_loop", ROOT / "dev" / "demo_loop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without(whole: dict[str, Any], *path: str | int, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(whole)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def test_nothing_is_missing_from_a_whole_run(loop: ModuleType) -> None:
    assert loop.ticket_faults(TICKET, "l1") == []
    assert loop.changelog_faults(CHANGELOG, ["c", "b", "a"]) == []
    assert loop.answer_faults(ANSWER) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("triageState",), "FAILED", "the ticket was not triaged: None"),
        (("triage", "category", "reasons"), [], "triage gave no reason"),
        (
            ("triage", "category", "reasons", 0, "quote"),
            "outage",
            "a reason of the triage quotes words that are not in the ticket",
        ),
        (("logs",), [], "the log is not linked to the ticket"),
        (("assignee",), None, "the ticket has no assignee"),
        (("changesBefore", "changes"), [], "the ticket knows of no change before it"),
    ],
)
def test_what_a_ticket_lacks_is_named(loop: ModuleType, path: tuple[str | int, ...], value: object, fault: str) -> None:
    assert loop.ticket_faults(without(TICKET, *path, value=value), "l1") == [fault]


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("excluded",), [], "the changelog accounts for 2 commits, git has 3"),
        (("excluded", 0, "sha"), "a", "the changelog accounts for 3 commits, git has 3"),
        (("commitCount",), 4, "the changelog accounts for 3 commits, git has 3"),
        (("bumpSha",), "z", "the commit that decided the version is none of the range"),
        (("highlightState",), "FAILED", "the highlights are FAILED"),
    ],
)
def test_what_does_not_add_up_is_named(
    loop: ModuleType, path: tuple[str | int, ...], value: object, fault: str
) -> None:
    assert loop.changelog_faults(without(CHANGELOG, *path, value=value), ["a", "b", "c"]) == [fault]


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (("summary",), None, "its summary"),
        (("tickets", 0, "reporter", "user"), None, "the ticket's reporter"),
        (("tickets", 0, "assignee"), None, "the ticket's assignee"),
        (("changesBefore",), None, "a deployment before it"),
        (("changesBefore", "changes", 0, "change", "__typename"), "Commit", "a deployment before it"),
    ],
)
def test_what_the_one_query_lacks_is_named(
    loop: ModuleType, path: tuple[str | int, ...], value: object, name: str
) -> None:
    assert loop.answer_faults(without(ANSWER, *path, value=value)) == [f"the query does not show {name}"]


def test_a_log_without_a_ticket_is_named(loop: ModuleType) -> None:
    assert "the query does not show its ticket" in loop.answer_faults(without(ANSWER, "tickets", value=[]))


def test_the_one_query_is_valid(loop: ModuleType) -> None:
    schema = build_schema((ROOT / "gateway/src/gateway/schema.graphql").read_text(), assume_valid=True)

    assert validate(schema, parse(loop.LOOP), (*specified_rules, WithinLimits)) == []
