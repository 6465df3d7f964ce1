"""Commands of an operator on a stack, and what tests look at behind its back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import RunningStack

OPERATE = Path(__file__).resolve().parents[2] / "dev" / "operate.py"


def operate(stack: RunningStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `aiops` with the addresses and keys that an operator has."""
    return subprocess.run(
        [sys.executable, str(OPERATE), sys.executable, "-m", "aiops_cli", *arguments],
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def owner(stack: RunningStack, service: str) -> psycopg.Connection[Any]:
    """A connection as the role that owns a service's schema."""
    password = json.loads((stack.folder / "secrets.json").read_text())[f"{service}_owner"]
    port = 8432 + stack.offset
    return psycopg.connect(
        f"postgresql://{service}_owner:{password}@127.0.0.1:{port}/aiops", options=f"-c search_path={service}"
    )


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Return as soon as the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.2)


def lose_streams(stack: RunningStack) -> None:
    """Delete all that NATS keeps, and let the supervisor start it again on nothing."""
    supervisor = psutil.Process(json.loads((stack.folder / "stack.json").read_text())["supervisor"])
    server = next(child for child in supervisor.children() if child.name() == "nats-server")
    os.kill(supervisor.pid, signal.SIGSTOP)
    try:
        server.kill()
        while server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
        shutil.rmtree(stack.folder / "nats" / "jetstream")
    finally:
        os.kill(supervisor.pid, signal.SIGCONT)
