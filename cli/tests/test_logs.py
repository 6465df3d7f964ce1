import json

import pytest
from cli.tests.conftest import Gateway
from typer.testing import CliRunner

from aiops_cli.app import app

ID = "0198c0de-0000-7000-8000-000000000001"
LOG = {
    "id": ID,
    "name": "web.log",
    "service": "web",
    "state": "SUMMARIZED",
    "status": "OPEN",
    "severity": "ERROR",
    "recordCount": 3,
    "patternCount": 1,
    "createdAt": "2026-11-20T10:00:00Z",
}


@pytest.fixture(autouse=True)
def machine(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_TOKEN", "aiops_token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)


def test_a_list_of_logs_says_where_it_goes_on(runner: CliRunner, gateway: Gateway) -> None:
    page = {"edges": [{"node": LOG}], "pageInfo": {"hasNextPage": True, "endCursor": "c2"}}
    gateway.answers = [(200, {"data": {"logs": page}})]

    done = runner.invoke(app, ["logs", "list", "--first", "1", "--after", "c1"])

    asked = json.loads(gateway.asked[-1][2])["variables"]
    assert asked == {"first": 1, "after": "c1", "filter": None}
    assert done.stdout.splitlines()[-1] == "There are more: add --after c2"


def test_a_service_without_logs_is_not_told_that_there_are_none_at_all(runner: CliRunner, gateway: Gateway) -> None:
    page = {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    gateway.answers = [(200, {"data": {"logs": page}})] * 2

    of_service = runner.invoke(app, ["logs", "list", "--service", "web"])
    of_all = runner.invoke(app, ["logs", "list"])

    assert of_service.stdout == "No log fits. All of them: aiops logs list\n"
    assert of_all.stdout == "There are no logs yet. Bring one in: aiops logs push FILE\n"
