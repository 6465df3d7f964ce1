"""The smoke test of an installation, on a real one: it passes where the main job works, and says what does not."""

import json
import os
import re
import subprocess
import sys

import pytest
from tests.e2e.conftest import ONE_PROCESS, ROOT, RunningStack

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)


def smoke(url: str, password: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "dev" / "smoke.py"), "--url", url, *options],
        env={**os.environ, "AIOPS_SMOKE_EMAIL": "admin@aiops.local", "AIOPS_SMOKE_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_main_job_of_a_running_installation_passes(stack: RunningStack) -> None:
    password = json.loads((stack.folder / "admin.json").read_text())["password"]

    done = smoke(stack.url, password)

    assert done.stderr == ""
    assert re.sub(r"\d+ sentences", "N sentences", done.stdout).splitlines() == [
        "  ok  logged in as admin@aiops.local",
        "  ok  a log of 340 records: N sentences, each with the lines that it cites",
        "  ok  a ticket about it: incident, urgent, with reasons",
        f"{stack.url} does its main job.",
    ]
    assert done.returncode == 0


def test_an_account_that_cannot_log_in_fails_it(stack: RunningStack) -> None:
    done = smoke(stack.url, "a password of nobody")

    assert done.returncode == 1
    assert done.stderr.startswith(f"{stack.url} does not do its job: admin@aiops.local could not log in: ")
    assert done.stdout == ""


def test_nobody_there_fails_it(stack: RunningStack) -> None:
    nobody = "http://127.0.0.1:9"

    done = smoke(nobody, "a password of nobody", "--wait", "0")

    assert done.returncode == 1
    assert done.stderr.startswith(f"{nobody} does not do its job: not reached within 0 s: ")
