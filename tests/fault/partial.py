"""What an answer should be when some paths of it could not be filled."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

Path = tuple[str | int, ...]

FEEDS: Mapping[str, frozenset[Path]] = {
    "auth": frozenset(
        {
            ("me",),
            ("log", "createdBy"),
            ("ticket", "reporter", "user"),
            ("ticket", "assignee"),
            ("changelog", "createdBy"),
            ("changelog", "commits", 0, "author"),
            ("changelog", "commits", 1, "author"),
        }
    ),
    "logs": frozenset({("log",), ("ticket", "logs")}),
    "tickets": frozenset({("ticket",), ("earlier",), ("log", "tickets")}),
    "changelog": frozenset(
        {
            ("changelog",),
            ("log", "changesBefore"),
            ("ticket", "changesBefore"),
            ("earlier", "changesBefore"),
        }
    ),
    "ai": frozenset({("log", "summary", "run"), ("ticket", "triage", "run"), ("changelog", "highlights", "run")}),
}
"""The paths of the page that each service feeds."""


def of_ticket(service: str, *prefix: str) -> frozenset[Path]:
    """The paths that a service feeds of a ticket that is somewhere else in an answer."""
    return frozenset((*prefix, *path[1:]) for path in FEEDS[service] if path[0] == "ticket" and len(path) > 1)


def without(data: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """The data with null at these paths, where it has had something."""
    blanked: dict[str, Any] = deepcopy(dict(data))
    for *parents, last in paths:
        place: Any = blanked
        for step in parents:
            place = place[step]
        assert place[last] is not None, (*parents, last)
        place[last] = None
    return blanked


def failures(answer: Mapping[str, Any]) -> dict[Path, str]:
    """The code at each path that has an error."""
    errors = answer.get("errors", [])
    found = {tuple(error["path"]): error["extensions"]["code"] for error in errors}
    assert len(found) == len(errors), errors
    return found
