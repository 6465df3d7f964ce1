"""`aiops history show`, and what a conflict tells."""

import json
import sys
from typing import Any

import pytest
from cli.tests.conftest import Gateway, answer
from typer.testing import CliRunner

from aiops_cli import change_words
from aiops_cli.app import app, main
from aiops_cli.failure import ExitCode, Failure

ID = "0198c0de-0000-7000-8000-000000000001"
CHANGE: dict[str, Any] = {
    "version": 4,
    "changedAt": "2026-11-23T09:00:00.123Z",
    "event": "TicketStatusUpdated",
    "reason": "UpdateTicketStatus: waits for \x1b[2J them",
    "hash": "ab" * 32,
    "traceId": "cd" * 16,
    "changedBy": {"displayName": "Ann"},
    "changedByActor": {"kind": "USER", "id": ID},
    "operations": [
        {"op": "replace", "path": "/status", "value": "WAITING", "previous": "OPEN"},
        {"op": "replace", "path": "/category/key", "value": "billing", "previous": None},
        {"op": "add", "path": "/notes", "value": {"erased": True}, "previous": None},
        {"op": "remove", "path": "/team", "value": None, "previous": {"key": "web", "source": "person"}},
        {"op": "replace", "path": "/updated_at", "value": "2", "previous": "1"},
    ],
}
LINES = [
    "version 4  2026-11-23 09:00:00  Status updated by Ann (waits for \ufffd[2J them)",
    "    status: OPEN → WAITING",
    "    category: nothing → billing",
    "    notes: erased for good",
    "    team: web taken away",
]


@pytest.fixture
def to(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setenv("AIOPS_URL", gateway.url)
    monkeypatch.setenv("AIOPS_TOKEN", "token")
    return gateway


def replay(**parts: Any) -> tuple[int, dict[str, Any]]:
    return answer(replayChanges=parts)


def page(changes: list[dict[str, Any]], end: str | None) -> dict[str, Any]:
    return {"nodes": changes, "pageInfo": {"hasNextPage": end is not None, "endCursor": end}}


def test_every_change_is_told_page_by_page(to: Gateway, runner: CliRunner) -> None:
    machine = {**CHANGE, "version": 5, "changedBy": None, "changedByActor": {"kind": "SERVICE", "id": "tickets"}}
    to.answers += [
        replay(version=5, changes=page([CHANGE], "4")),
        replay(version=5, changes=page([{**machine, "operations": [], "reason": "triage"}], None)),
    ]

    told = runner.invoke(app, ["history", "show", "ticket", ID])

    assert told.output.splitlines() == [*LINES, "version 5  2026-11-23 09:00:00  Status updated by service tickets"]
    asked = [json.loads(body)["variables"] for _, _, body in to.asked]
    assert asked == [
        {"target": {"ticketId": ID}, "first": 100, "after": None},
        {"target": {"ticketId": ID}, "first": 100, "after": "4"},
    ]


@pytest.mark.parametrize(
    ("text", "moment"), [("3", {"version": 3}), ("2026-11-23T09:00:00Z", {"time": "2026-11-23T09:00:00Z"})]
)
def test_state_as_of_a_version_or_a_time(to: Gateway, runner: CliRunner, text: str, moment: dict[str, Any]) -> None:
    state = {
        "version": 3,
        "changedAt": "2026-11-23T08:00:00Z",
        "document": {"title": "a", "reporter_name": {"erased": True}},
    }
    to.answers.append(replay(state=state))

    told = runner.invoke(app, ["history", "show", "log", ID, "--as-of", text])

    assert told.output.splitlines() == [
        "version 3, from 2026-11-23 08:00:00 on",
        "title: a",
        "reporter name: erased for good",
    ]
    assert json.loads(to.asked[0][2])["variables"] == {"target": {"logId": ID}, "asOf": moment}


def test_difference_of_two_versions_as_json(to: Gateway, runner: CliRunner) -> None:
    to.answers.append(replay(difference=CHANGE["operations"]))

    told = runner.invoke(app, ["history", "show", "user", ID, "--diff", "1", "4", "--json"])

    assert json.loads(told.output) == CHANGE["operations"]
    assert json.loads(to.asked[0][2])["variables"] == {"target": {"userId": ID}, "from": 1, "to": 4}


@pytest.mark.parametrize("wrong", [["--as-of", "yesterday"], ["--as-of", "1", "--diff", "1", "2"]])
def test_wrong_usage_asks_for_nothing(to: Gateway, runner: CliRunner, wrong: list[str]) -> None:
    told = runner.invoke(app, ["history", "show", "ticket", ID, *wrong])

    assert isinstance(told.exception, Failure)
    assert told.exception.code is ExitCode.USAGE
    assert to.asked == []


def test_conflict_tells_what_changed_and_how_to_repeat_it(
    to: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conflict = {"__typename": "VersionConflict", "code": "VERSION_CONFLICT", "message": "it is version 4 now"}
    to.answers += [
        answer(ticket={"version": 3}),
        answer(updateTicketStatus={**conflict, "changesSince": [CHANGE]}),
    ]
    monkeypatch.setattr(sys, "argv", ["aiops", "tickets", "status", ID, "resolved"])

    with pytest.raises(SystemExit) as ended:
        main()

    told = capsys.readouterr().err.splitlines()
    assert ended.value.code == ExitCode.REFUSED
    assert told[0].startswith("aiops: it is version 4 now")
    assert told[1:] == [
        "Since you read it:",
        *(f"  {line}" for line in LINES),
        f"To do it all the same: aiops tickets status {ID} resolved",
    ]


def test_words_say_what_is_sealed_or_long() -> None:
    assert [change_words.value(each) for each in ({"$sealed": "x"}, "", [], [1, 2], "é" * 201)] == [
        "sealed",
        "nothing",
        "nothing",
        "[1, 2]",
        "é" * 200 + "…",
    ]
    assert [change_words.event(name) for name in ("Genesis", "LogSummarized")] == [
        "The history begins here",
        "Summarized",
    ]
