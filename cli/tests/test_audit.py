"""The audit as NDJSON: every event once, none missing without a word, and taken up again where it broke off."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli.tests.conftest import Gateway, answer
from typer.testing import CliRunner

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure


def page(*cursors: str, more: bool = False, unavailable: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
    edges = [{"cursor": cursor, "node": {"id": cursor, "kind": "a.b", "detail": "{}"}} for cursor in cursors]
    return answer(auditEvents={"edges": edges, "pageInfo": {"hasNextPage": more}, "unavailable": list(unavailable)})


@pytest.fixture(autouse=True)
def token(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    monkeypatch.setenv("AIOPS_TOKEN", "a-token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)


def test_every_event_is_a_line_and_pages_follow_each_other(gateway: Gateway, runner: CliRunner) -> None:
    gateway.answers = [page("c1", "c2", more=True), page("c3")]

    done = runner.invoke(app, ["audit", "export", "--since", "2026-11-01T00:00:00Z", "--service", "tickets"])

    assert done.exit_code == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": cursor, "kind": "a.b", "detail": {}, "cursor": cursor} for cursor in ("c1", "c2", "c3")
    ]
    asked = [json.loads(body)["variables"] for _, _, body in gateway.asked]
    wanted = {"since": "2026-11-01T00:00:00Z", "until": None, "service": "TICKETS", "first": 100}
    assert asked == [wanted | {"after": None}, wanted | {"after": "c2"}]


def test_a_service_that_is_away_ends_the_export_with_where_to_go_on(gateway: Gateway, runner: CliRunner) -> None:
    gateway.answers = [page("c1", more=True), page("c2", unavailable=("LOGS",))]

    done = runner.invoke(app, ["audit", "export"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code is ExitCode.UNREACHABLE
    assert "logs did not answer" in str(done.exception)
    assert "--after c1" in str(done.exception)
    assert [json.loads(line)["cursor"] for line in done.stdout.splitlines()] == ["c1"]
