"""Dead letters from the terminal: of every service that answers, and by exit codes that a script can tell apart."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli.tests.conftest import Gateway, answer
from typer.testing import CliRunner

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure

LETTER = {
    "id": "0198c0de-0000-7000-8000-000000000001",
    "consumer": "tickets-triage",
    "subject": "aiops.tickets.ticket.created.v1",
    "eventId": "0198c0de-0000-7000-8000-000000000002",
    "aggregateType": "ticket",
    "aggregateId": "0198c0de-0000-7000-8000-000000000003",
    "payload": '{"ticketId": "0198c0de-0000-7000-8000-000000000003"}',
    "errorClass": "TicketNotFound",
    "errorMessage": "no ticket \u001b[31mhas this id",
    "attempts": 1,
    "traceId": "0" * 32,
    "createdAt": "2026-11-23T18:41:11Z",
    "redriveRequestedAt": None,
    "redriveRequestedBy": None,
    "redrives": 0,
    "redrivenAt": None,
}
AWAY: tuple[int, dict[str, Any]] = (
    200,
    {
        "data": {"deadLetters": None},
        "errors": [{"message": "logs cannot be reached", "extensions": {"code": "UNAVAILABLE"}}],
    },
)


def page(*letters: dict[str, Any], more: str = "") -> tuple[int, dict[str, Any]]:
    return answer(deadLetters={"nodes": list(letters), "pageInfo": {"hasNextPage": bool(more), "endCursor": more}})


@pytest.fixture(autouse=True)
def token(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    monkeypatch.setenv("AIOPS_TOKEN", "a-token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)


def test_a_service_that_is_away_hides_no_letter_of_the_others(gateway: Gateway, runner: CliRunner) -> None:
    gateway.answers = [page(), AWAY, page(LETTER, more="next"), page(), page()]

    listed = runner.invoke(app, ["deadletters", "list"])

    assert listed.exit_code == 0
    assert "The letters of logs are missing: logs cannot be reached" in listed.stderr
    assert "tickets-triage of tickets, waits" in listed.stdout
    assert "add --service tickets --after next" in listed.stdout
    assert "\u001b[31m" not in listed.stdout


def test_where_nothing_can_be_told_nothing_is_said_to_be_well(gateway: Gateway, runner: CliRunner) -> None:
    gateway.answers = [page(), AWAY, page(), page(), page()]

    listed = runner.invoke(app, ["deadletters", "list"])

    assert isinstance(listed.exception, Failure)
    assert listed.exception.code is ExitCode.UNREACHABLE
    assert listed.stdout == ""


def test_all_that_wait_are_asked_for_page_by_page_with_keys_of_their_own(gateway: Gateway, runner: CliRunner) -> None:
    other = {**LETTER, "id": "0198c0de-0000-7000-8000-000000000009", "redrivenAt": "2026-11-23T18:45:00Z"}
    asked = answer(redriveDeadLetters={"__typename": "RedriveDeadLettersSuccess", "deadLetters": [LETTER]})
    asked_other = answer(redriveDeadLetters={"__typename": "RedriveDeadLettersSuccess", "deadLetters": [other]})
    gateway.answers = [page(LETTER, more="next"), asked, page(other), asked_other]

    done = runner.invoke(app, ["deadletters", "redrive", "--all", "--service", "tickets"])

    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "Asked for 1 letter; 1 had taken effect before.")
    variables = [json.loads(body)["variables"] for _, _, body in gateway.asked]
    assert variables[2]["after"] == "next"
    wishes = [each["input"] for each in variables if "input" in each]
    assert [wish["ids"] for wish in wishes] == [[LETTER["id"]], [other["id"]]]
    assert len({wish["idempotencyKey"] for wish in wishes}) == 2
