"""The health check of a container, against servers that answer and servers that do not."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "dev" / "images" / "healthcheck.py"


class Answers(BaseHTTPRequestHandler):
    """Alive, and not ready."""

    def do_GET(self) -> None:
        self.send_response({"/healthz": 200, "/readyz": 503}.get(self.path, 404))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the test's output is for the test."""


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def ends(port: int, *arguments: str) -> int:
    environment = {**os.environ, "AIOPS_HEALTH_SETTING": "X_LISTEN", "X_LISTEN": f"0.0.0.0:{port}"}
    done = subprocess.run([sys.executable, "-I", "-S", SCRIPT, *arguments], env=environment, check=False, timeout=20)
    return done.returncode


def test_a_process_that_answers_is_alive_and_may_not_be_ready(port: int) -> None:
    assert ends(port) == 0
    assert ends(port, "/readyz") == 1


def test_a_port_that_nobody_answers_at_is_not_alive() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))

        assert ends(bound.getsockname()[1]) == 1


def test_a_process_that_takes_the_call_and_says_nothing_is_not_alive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert ends(silent.getsockname()[1]) == 1
