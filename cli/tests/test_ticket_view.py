import io
from collections.abc import Iterable
from typing import Any

import pytest
from rich.console import Console, RenderableType

from aiops_cli import ticket_view

ID = "0198c0de-0000-7000-8000-000000000001"
ROW: dict[str, Any] = {
    "id": ID,
    "title": "The checkout of the shop answers 502 since noon \u202eevil",
    "status": "IN_PROGRESS",
    "triageState": "PENDING",
    "category": "incident",
    "priority": "urgent",
    "team": "operations",
    "service": "checkout",
    "audience": "GENERAL",
    "peopleSuspected": False,
    "createdAt": "2026-11-20T10:00:00Z",
    "assignee": {"displayName": "Ann Example", "email": "ann@example.com"},
}


def shown(lines: Iterable[RenderableType], width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    for line in lines:
        console.print(line)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("width", [80, 149, 150, 160, 200])
def test_a_ticket_is_whole_on_every_terminal(width: int) -> None:
    text = " ".join(shown([ticket_view.table([ROW], width)], width).split())

    for part in (ID, "in-progress", "urgent", "incident", "2026-11-20 10:00:00"):
        assert part in text
    if width in {80, 149, 200}:
        assert "The checkout of the shop answers 502 since noon \ufffdevil" in text
        assert "Ann Example" in text


@pytest.mark.parametrize(
    ("state", "note"),
    [
        ({"peopleSuspected": True, "audience": "PEOPLE"}, "hr decides"),
        ({"audience": "PEOPLE"}, "hr only"),
        ({"triageState": "FAILED"}, "triage failed"),
        ({"triageState": None, "status": None, "audience": None}, "unknown"),
    ],
)
def test_a_list_says_what_else_matters(state: dict[str, Any], note: str) -> None:
    assert note in shown([ticket_view.table([{**ROW, **state}], 80)], 80)


def test_long_subjects_stay_in_their_column_at_80_columns() -> None:
    commit = {"__typename": "Commit", "sha": "a" * 40, "subject": "fix: " + "word " * 30, "authorName": "Ann"}
    before = {
        "before": "2026-11-20T10:00:00Z",
        "windowStart": "2026-11-19T10:00:00Z",
        "truncated": False,
        "changes": [{"at": "2026-11-20T09:00:00Z", "change": commit}, {"at": "2026-11-20T08:00:00Z", "change": None}],
    }

    lines = shown(ticket_view.changes(before), 80).splitlines()

    assert lines[0].startswith("  2026-11-20 09:00:00  aaaaaaaaaa  fix: word")
    assert len(lines) == 4
    assert {line[:35] for line in lines[1:]} == {" " * 35}


def test_similar_tickets_have_the_whole_width_for_their_titles() -> None:
    similar = {
        "similarity": 0.84,
        "sharedWords": ["checkout", "502", "bad"],
        "ticket": {"id": ID, "title": "Checkout answers 502 again since this morning"},
    }
    ticket = {"comments": None, "logs": None, "similar": [similar], "changesBefore": None}

    assert shown(ticket_view._around(ticket), 60).splitlines() == [
        "",
        "Similar tickets",
        f"  {ID}  84%",
        "    Checkout answers 502 again since this morning",
        "    both say: checkout, 502, bad",
    ]


def test_a_window_with_nothing_in_it_says_so() -> None:
    before = {
        "before": "2026-11-20T10:00:00Z",
        "windowStart": "2026-11-19T10:00:00Z",
        "truncated": False,
        "changes": [],
    }

    assert shown(ticket_view.changes(before), 80) == (
        "  none is known from 2026-11-19 10:00:00 to 2026-11-20 10:00:00 UTC"
    )


def test_many_missing_parts_are_counted() -> None:
    lines = shown(ticket_view.missing_parts([f"part {number} \x1b[2J is missing" for number in range(7)]), 80)

    assert lines.splitlines()[-2:] == ["part 4 \ufffd[2J is missing", "and 2 more parts"]
