"""The program of a service, as an operator meets it: arguments, messages, signals, exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.embedded.process import free_port
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase, TestNats

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "gateway"))


@pytest.fixture
def environment(installation: Installation, store: ServiceDatabase, nats_server: TestNats) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parent / "service"),
        "AIOPS_NATS_URL": nats_server.url,
        "AIOPS_NATS_MONITOR_URL": nats_server.monitor_url,
        "AIOPS_TRUST_FILE": str(installation.folder / "trust.json"),
        "AIOPS_REDACTION_KEY_FILE": str(installation.folder / "redaction.key"),
        "AIOPS_STARTUP_SECONDS": "10",
        "AIOPS_DRAIN_SECONDS": "0",
        "PARCELS_DATABASE_URL": store.app_url,
        "PARCELS_KEY_FILE": str(installation.folder / "parcels.pem"),
        "PARCELS_NATS_USER": "parcels",
        "PARCELS_NATS_PASSWORD": nats_server.passwords["parcels"],
        "PARCELS_GRPC_LISTEN": "127.0.0.1:0",
        "PARCELS_HTTP_LISTEN": f"127.0.0.1:{free_port()}",
    }


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(*roles: str, **changes: str | None) -> subprocess.Popen[str]:
        given = {name: value for name, value in {**environment, **changes}.items() if value is not None}
        process = subprocess.Popen(
            [sys.executable, "-m", "office", *roles],
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def until_ready(process: subprocess.Popen[str], environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        try:
            with urllib.request.urlopen(f"http://{environment['PARCELS_HTTP_LISTEN']}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("not ready after 15 s")


def log(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_works_until_it_is_told_to_stop(
    start: Start, environment: dict[str, str], number: signal.Signals
) -> None:
    process = start("serve", "work")
    until_ready(process, environment)

    process.send_signal(number)
    out, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (0, "")
    life = {"parcels is ready", "parcels stops", "parcels stopped"}
    messages = [line["message"] for line in log(out)]
    assert [message for message in messages if message in life] == [
        "parcels is ready",
        "parcels stops",
        "parcels stopped",
    ]
    assert messages[-1] == "parcels stopped"
    assert {line["service"] for line in log(out)} == {"parcels"}


@pytest.mark.parametrize("roles", [(), ("serve", "dance")])
def test_without_a_role_it_says_how_it_is_used(start: Start, roles: tuple[str, ...]) -> None:
    process = start(*roles)
    _out, err = process.communicate(timeout=10)

    assert process.returncode == 1
    assert err.startswith("usage: python -m office serve|work")


def test_a_missing_setting_is_named_in_one_line(start: Start) -> None:
    process = start("serve", AIOPS_TRUST_FILE=None)
    out, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (1, "")
    (line,) = log(out)
    assert line["severity"] == "FATAL"
    assert line["message"].startswith("cannot start: AIOPS_TRUST_FILE is not set. It is: JSON file")


def test_a_nats_that_loses_events_is_refused(start: Start) -> None:
    process = start("work", AIOPS_NATS_MONITOR_URL="")
    out, _err = process.communicate(timeout=10)

    assert process.returncode == 1
    assert log(out)[-1]["message"].startswith("parcels cannot run: set AIOPS_NATS_MONITOR_URL")


def test_a_stop_while_it_waits_for_a_dependency_is_heard(start: Start) -> None:
    process = start("serve", PARCELS_DATABASE_URL="postgresql://parcels_app:hunter2@127.0.0.1:1/aiops")
    assert process.stdout is not None
    first = process.stdout.readline()

    process.terminate()
    out, _err = process.communicate(timeout=5)

    assert process.returncode == 0
    assert "waiting for postgres: postgres cannot be reached" in first
    assert "hunter2" not in first + out


def test_told_twice_it_leaves_at_once(start: Start, environment: dict[str, str]) -> None:
    process = start("serve", AIOPS_DRAIN_SECONDS="30")
    until_ready(process, environment)

    process.terminate()
    time.sleep(0.3)
    process.terminate()
    out, _err = process.communicate(timeout=5)

    assert process.returncode == 130
    assert log(out)[-1]["message"] == "told twice to stop: leaving at once"
