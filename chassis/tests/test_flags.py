"""Flags: declared once, from a file or an Unleash server, seen while running."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chassis.flags import Flag, Flags

NEW_LABELS = Flag("parcels.new-labels", "release", "parcels team", default=False)
TRACKING = Flag("parcels.tracking", "kill-switch", "parcels team", default=True)
DECLARED = (NEW_LABELS, TRACKING)


def write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


async def within_two_seconds(flags: Flags, name: str, *, value: bool, user_id: str | None = None) -> None:
    deadline = time.monotonic() + 2
    while flags.enabled(name, user_id) is not value:
        assert time.monotonic() < deadline, f"{name} did not become {value}"
        await asyncio.sleep(0.05)


def test_without_file_or_server_the_defaults_hold() -> None:
    flags = Flags(DECLARED)

    assert (flags.enabled("parcels.new-labels"), flags.enabled("parcels.tracking")) == (False, True)


def test_a_flag_that_nobody_declared_is_a_key_error(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    write(path, '{"parcels.secret": true}')

    with pytest.raises(KeyError, match=r"parcels\.secret"):
        Flags(DECLARED, file=path).enabled("parcels.secret")


@pytest.mark.parametrize(
    ("name", "text"), [("flags.json", '{"parcels.new-labels": true}'), ("flags.yaml", "parcels.new-labels: true\n")]
)
async def test_a_change_of_the_file_is_seen(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    write(path, "{}")
    flags = Flags(DECLARED, file=path)
    assert flags.enabled("parcels.new-labels") is False

    write(path, text)

    await within_two_seconds(flags, "parcels.new-labels", value=True)
    assert flags.enabled("parcels.tracking") is True


@pytest.mark.parametrize("text", ["{", "[]", '{"parcels.tracking": "off"}', '{"parcels.tracking": 0}'])
async def test_a_broken_file_stops_the_start_and_changes_nothing_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    path = tmp_path / "flags.json"
    write(path, text)
    with pytest.raises(ValueError):
        Flags(DECLARED, file=path)

    write(path, '{"parcels.tracking": false}')
    flags = Flags(DECLARED, file=path)
    write(path, text)
    await asyncio.sleep(1.1)

    assert flags.enabled("parcels.tracking") is False
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    path.unlink()
    await asyncio.sleep(1.1)
    assert flags.enabled("parcels.tracking") is False


class Unleash(ThreadingHTTPServer):
    """The outside world: a server that answers like Unleash."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), UnleashHandler)
        self.features: list[dict[str, Any]] = []
        self.tokens: set[str] = set()


class UnleashHandler(BaseHTTPRequestHandler):
    server: Unleash

    def do_GET(self) -> None:
        self.server.tokens.add(self.headers.get("Authorization", ""))
        body = json.dumps({"version": 2, "features": self.server.features, "segments": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def unleash() -> Iterator[Unleash]:
    server = Unleash()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def feature(name: str, *, on: bool, users: str = "") -> dict[str, Any]:
    strategy = {"name": "userWithId", "parameters": {"userIds": users}} if users else {"name": "default"}
    return {"name": name, "enabled": on, "strategies": [strategy], "type": "release", "variants": []}


async def test_an_unleash_server_decides_also_for_one_user(unleash: Unleash, tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    write(path, '{"parcels.new-labels": true}')
    url = f"http://127.0.0.1:{unleash.server_port}/api"
    flags = Flags(DECLARED, file=path, unleash_url=url, unleash_token="a-token", service="parcels")
    assert flags.enabled("parcels.new-labels") is True  # from the file, before the server was asked

    unleash.features = [feature("parcels.new-labels", on=True, users="7")]
    await asyncio.to_thread(flags.start)
    try:
        assert flags.enabled("parcels.new-labels", "7") is True
        assert flags.enabled("parcels.new-labels", "8") is False
        assert flags.enabled("parcels.tracking") is True  # unknown to the server: the declared default

        unleash.features = [feature("parcels.new-labels", on=False, users="7")]
        await within_two_seconds(flags, "parcels.new-labels", value=False, user_id="7")
    finally:
        await asyncio.to_thread(flags.close)
    assert unleash.tokens == {"a-token"}


async def test_without_the_server_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    write(path, '{"parcels.tracking": false}')
    flags = Flags(DECLARED, file=path, unleash_url="http://127.0.0.1:1/api", service="parcels-alone")
    await asyncio.to_thread(flags.start)
    try:
        assert (flags.enabled("parcels.tracking"), flags.enabled("parcels.new-labels")) == (False, False)
    finally:
        await asyncio.to_thread(flags.close)
