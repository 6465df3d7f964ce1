"""`make up` as its user meets it: state kept, faults survived, messages that say what to do."""

import json
import os
import signal
import socket
import stat
import time
from pathlib import Path

import httpx
import psutil
import pytest
from tests.e2e.conftest import RunningStack, free_offset, start
from tests.e2e.test_main_job import summarized

from aiops_cli import documents, graph
from aiops_cli.failure import Failure

LINE = b"2026-11-20T10:00:00Z ERROR shop: payment provider refused connection\n"


def process_of(stack: RunningStack, *arguments: str) -> psutil.Process:
    pids = json.loads((stack.folder / "stack.json").read_text())["processes"]
    supervisor = psutil.Process(json.loads((stack.folder / "stack.json").read_text())["supervisor"])
    assert str(supervisor.pid) in pids
    return next(child for child in supervisor.children() if set(arguments) <= set(child.cmdline()))


def test_secrets_are_readable_by_their_owner_alone(stack: RunningStack) -> None:
    secret = [stack.folder / "admin.json", stack.folder / "secrets.json", *(stack.folder / "keys").iterdir()]

    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_a_killed_worker_is_started_again_and_the_summary_is_made(stack: RunningStack, graphql: graph.Graph) -> None:
    worker = process_of(stack, "logs_service", "work")
    worker.kill()
    worker.wait(10)

    deadline = time.monotonic() + 60
    while True:
        try:
            stored = graphql.upload(iter([LINE * 20]), {"name": "after the crash"})
            break
        except Failure:
            assert time.monotonic() < deadline
            time.sleep(0.5)

    assert summarized(graphql, stored["id"])["state"] == "SUMMARIZED"


def works(stack: RunningStack, graphql: graph.Graph, log_id: str) -> bool:
    try:
        graphql.query(documents.LOG, {"id": log_id})
        stack.log_in()
    except Failure:
        return False
    return True


@pytest.mark.parametrize("program", ["postgres", "nats-server"])
def test_a_killed_server_is_started_again_and_keeps_what_it_had(
    stack: RunningStack, graphql: graph.Graph, program: str
) -> None:
    stored = graphql.upload(iter([LINE * 20]), {"name": f"before {program} was killed"})
    supervisor = psutil.Process(json.loads((stack.folder / "stack.json").read_text())["supervisor"])
    server = next(child for child in supervisor.children() if child.name() == program)
    server.kill()
    server.wait(10)

    # Readiness is remembered for a moment: what counts is that work is done again.
    deadline = time.monotonic() + 60
    while program not in [child.name() for child in supervisor.children()] or not works(stack, graphql, stored["id"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)

    assert summarized(graphql, stored["id"])["state"] == "SUMMARIZED"


def test_what_is_stored_while_nats_is_away_is_summarized_afterwards(stack: RunningStack, graphql: graph.Graph) -> None:
    assert stack.command("drill").returncode == 0
    monitor = f"http://127.0.0.1:{8522 + stack.offset}/varz"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(monitor, timeout=1)
        except httpx.HTTPError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("NATS did not go away")

    stored = graphql.upload(iter([LINE * 20]), {"name": "while NATS was away"})

    assert graphql.query(documents.LOG, {"id": stored["id"]})["log"]["state"] == "RECEIVED"
    assert httpx.get(f"http://127.0.0.1:{8180 + stack.offset}/readyz").status_code == 200
    assert summarized(graphql, stored["id"])["state"] == "SUMMARIZED"


def test_a_second_up_changes_nothing(stack: RunningStack) -> None:
    again = stack.command("up")

    assert again.returncode == 0
    assert "It is running already" in again.stdout


def test_a_port_in_use_is_named_with_its_holder(tmp_path: Path) -> None:
    offset = free_offset()
    environment = {**os.environ, "AIOPS_STATE_DIR": str(tmp_path / "state"), "AIOPS_PORT_OFFSET": str(offset)}
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 8432 + offset))
        holder.listen()

        refused = RunningStack(tmp_path / "state", offset, environment).command("up")

    assert refused.returncode == 1
    assert f"Port {8432 + offset} (PostgreSQL) is in use" in refused.stdout
    assert f"(process {os.getpid()})" in refused.stdout
    assert "AIOPS_PORT_OFFSET" in refused.stdout


@pytest.mark.parametrize("command", ["up", "down", "reset"])
def test_a_state_folder_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "taken"
    folder.write_text("a file")
    offset = free_offset()
    environment = {**os.environ, "AIOPS_STATE_DIR": str(folder), "AIOPS_PORT_OFFSET": str(offset)}

    refused = RunningStack(folder, offset, environment).command(command)

    assert refused.returncode == 1
    assert f"The state of the stack is kept in {folder}; name a folder\nthat you may write to" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr
    assert folder.read_text() == "a file"


@pytest.mark.parametrize("command", ["up", "reset"])
def test_a_folder_with_other_things_is_neither_used_nor_deleted(tmp_path: Path, command: str) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("years of work")
    offset = free_offset()
    environment = {**os.environ, "AIOPS_STATE_DIR": str(tmp_path), "AIOPS_PORT_OFFSET": str(offset)}

    refused = RunningStack(tmp_path, offset, environment).command(command)

    assert refused.returncode == 1
    assert f"{tmp_path} holds other things than the state of a stack" in refused.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("offset", ["abc", "-1", "60000"])
def test_an_offset_without_ports_is_refused(tmp_path: Path, offset: str) -> None:
    environment = {**os.environ, "AIOPS_STATE_DIR": str(tmp_path / "state"), "AIOPS_PORT_OFFSET": offset}

    refused = RunningStack(tmp_path / "state", 0, environment).command("up")

    assert refused.returncode == 1
    assert refused.stderr == f"AIOPS_PORT_OFFSET is '{offset}'; it takes a number from 0 to 56,000.\n"
    assert not (tmp_path / "state").exists()


def test_state_survives_a_restart_and_a_killed_supervisor(tmp_path: Path) -> None:
    first = start(tmp_path)
    os.environ["XDG_CONFIG_HOME"] = first.environment["XDG_CONFIG_HOME"]
    stored = first.log_in().upload(iter([LINE * 3]), {"name": "kept"})
    summarized(first.log_in(), stored["id"])
    supervisor = json.loads((first.folder / "stack.json").read_text())["supervisor"]
    os.kill(supervisor, signal.SIGKILL)

    try:
        again = first.command("up", "--detach")

        assert again.returncode == 0, again.stdout
        assert "Password" not in again.stdout
        assert first.log_in().query(documents.LOG, {"id": stored["id"]})["log"]["name"] == "kept"
    finally:
        assert first.command("down").returncode == 0
        assert first.command("reset").returncode == 0
    assert not first.folder.exists()
