import json
import subprocess
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner


class Gateway:
    """A stand-in for the outside world: answers what a test wrote down, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Mapping[str, Any] | bytes]] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = self.headers.get("Content-Length")
                body = self.rfile.read(int(length)) if length else self._chunked()
                gateway.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, answer = gateway.answers.pop(0)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _chunked(self) -> bytes:
                whole = b""
                while size := int(self.rfile.readline(), 16):
                    whole += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return whole

            def log_message(self, *_: object) -> None:
                """Say nothing: the test's output is for the test."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("AIOPS_TOKEN", raising=False)
    monkeypatch.delenv("AIOPS_URL", raising=False)
    return tmp_path / "aiops" / "session.json"


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for number in range(5):
        git(folder, "commit", "--quiet", "--allow-empty", "-m", f"feat: thing {number}")
    git(folder, "tag", "v1.0.0")
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def answer(**data: object) -> tuple[int, dict[str, Any]]:
    return 200, {"data": data}


def inputs(gateway: Gateway) -> list[dict[str, Any]]:
    return [json.loads(body)["variables"]["input"] for _, _, body in gateway.asked]
