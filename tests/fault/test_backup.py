"""The loss of a whole installation: what a backup and the kept keys bring back, on another day and an empty machine."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import RunningStack, start
from tests.e2e.operating import operate, owner, until
from tests.e2e.test_main_job import summarized

from aiops_cli import documents, graph

pytestmark = pytest.mark.fault
LINE = b"2026-11-20T10:00:00Z ERROR shop: payment provider refused connection\n"
TICKETS = "{ tickets(first: 50) { nodes { id title version reporter { externalEmail } } } }"


def _ticket(graphql: graph.Graph, title: str, **more: object) -> str:
    created = graphql.mutate(
        "mutation Create($input: CreateTicketInput!) { createTicket(input: $input) { __typename"
        " ... on CreateTicketSuccess { ticket { id } } ... on UserError { code message } } }",
        {"title": title, "message": "since 10:05, every order", **more},
    )
    return str(created["ticket"]["id"])


def _said(command: Any) -> str:
    assert command.returncode == 0, command.stdout + command.stderr
    return str(command.stdout)


def _lost(stack: RunningStack, kept: Path) -> None:
    """The machine is gone; what was kept apart, keys and ledger, is put onto a new one."""
    assert stack.command("down").returncode == 0
    kept.mkdir()
    for name in ("secrets.json", "admin.json", "keys", "anchors"):
        if (stack.folder / name).is_dir():
            shutil.copytree(stack.folder / name, kept / name)
        else:
            shutil.copy2(stack.folder / name, kept / name)
    assert stack.command("reset").returncode == 0
    assert not stack.folder.exists()
    shutil.copytree(kept, stack.folder)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    running = start(tmp_path)
    yield running
    running.command("reset")


def test_an_installation_comes_back_from_its_backup_with_everything_but_the_erased(
    stack: RunningStack, tmp_path: Path
) -> None:
    graphql = stack.log_in()
    log = graphql.upload(iter([LINE * 20]), {"name": "before the backup"})
    version = summarized(graphql, log["id"])["version"]
    ticket = _ticket(graphql, "Checkout answers 502")
    erased = _ticket(graphql, "Where is my order?", reporter={"externalEmail": "eve@example.com"})

    def triaged() -> bool:
        with owner(stack, "tickets") as connection:
            return connection.execute("SELECT count(*) FROM triage_decisions").fetchone() == (2,)

    until(triaged)
    _said(operate(stack, "backup", "--out", str(tmp_path / "backup")))
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    assert manifest["rows"]["tickets.tickets"] == 2
    _said(operate(stack, "person", "erase", "--email", "eve@example.com", "--yes"))
    _ticket(graphql, "After the backup")

    full = operate(stack, "restore", str(tmp_path / "backup"))
    assert full.returncode == 1
    assert "is not empty" in full.stderr
    with owner(stack, "tickets") as connection:
        assert connection.execute("SELECT count(*) FROM tickets").fetchone() == (3,)

    _lost(stack, tmp_path / "kept")
    shutil.copytree(tmp_path / "backup", tmp_path / "damaged")
    with (tmp_path / "damaged" / "database.dump").open("r+b") as dump:
        dump.seek(50_000)
        dump.write(b"damage")
    damaged = operate(stack, "restore", str(tmp_path / "damaged"), "--create-database")
    assert damaged.returncode == 1
    assert "database.dump of the backup" in damaged.stderr
    assert "Nothing was written" in damaged.stderr

    restored = _said(operate(stack, "restore", str(tmp_path / "backup"), "--create-database"))
    assert "erased again, as the ledger says: 1 person" in restored
    assert stack.command("up", "--detach").returncode == 0
    graphql = stack.log_in()
    assert graphql.query(documents.LOG, {"id": log["id"]})["log"]["version"] == version
    tickets = {node["id"]: node for node in graphql.query(TICKETS)["tickets"]["nodes"]}
    assert set(tickets) == {ticket, erased}
    assert tickets[erased]["reporter"]["externalEmail"] in {None, ""}
    told = operate(stack, "events", "republish", "--since", "2026-01-01T00:00:00Z", "--json")
    assert sum(json.loads(_said(told))["republished"].values()) > 0

    def none_waits() -> bool:
        with owner(stack, "tickets") as connection:
            return connection.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL").fetchone() == (0,)

    until(none_waits)
    after = graphql.upload(iter([LINE * 20]), {"name": "after the restore"})
    assert summarized(graphql, after["id"])["state"] == "SUMMARIZED"
    assert "do not hold" not in _said(operate(stack, "history", "verify"))
    with owner(stack, "tickets") as connection:
        assert connection.execute("SELECT count(*) FROM triage_decisions").fetchone() == (2,)
