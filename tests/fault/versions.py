"""One service in two versions, as real processes on one database: started, switched, drained, migrated."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chassis.embedded.process import free_port
from chassis.identity import public_jwk
from chassis.testing.harness import KEY_ID, Installation

START_SECONDS = 60.0
STOP_SECONDS = 40.0


@dataclass(frozen=True)
class Version:
    """Code to run: the Python that has it."""

    name: str
    python: Path
    environment: Mapping[str, str] = field(repr=False)

    async def migrate(self, *arguments: str) -> tuple[int, str]:
        """`aiops migrate` of this version; its exit code, and what it says."""
        process = await asyncio.create_subprocess_exec(
            str(self.python),
            "-m",
            "aiops_cli",
            "migrate",
            *arguments,
            env=dict(self.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode or 0, said.decode()


class Running:
    """A process of the service in one version."""

    def __init__(self, version: Version, package: str, prefix: str, folder: Path) -> None:
        self.version = version
        self.target = f"127.0.0.1:{free_port()}"
        self.http = f"127.0.0.1:{free_port()}"
        self.log = folder / f"{package}-{version.name}-{self.target.rpartition(':')[2]}.log"
        environment = {
            **version.environment,
            f"{prefix}_GRPC_LISTEN": self.target,
            f"{prefix}_HTTP_LISTEN": self.http,
        }
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(version.python), "-m", package, "serve", "work"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def ready(self) -> None:
        """Return when it is ready by its own word.

        Raises:
            AssertionError: it ended, or was not ready in time; with the end of its log.
        """
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            while True:
                try:
                    if (await http.get(f"http://{self.http}/readyz")).status_code == httpx.codes.OK:
                        return
                except httpx.HTTPError:
                    pass
                assert self._process.poll() is None, f"{self.version.name} ended: {self.last_words()}"
                assert time.monotonic() < deadline, f"{self.version.name} is not ready: {self.last_words()}"
                await asyncio.sleep(0.1)

    async def drain(self) -> None:
        """Ask it to end, and wait until it has."""
        self._process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        assert code == 0, f"{self.version.name} ended with {code}: {self.last_words()}"

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


@dataclass
class Versions:
    """The two versions and what of them runs."""

    old: Version
    new: Version
    folder: Path
    running: list[Running] = field(default_factory=list)

    async def start(self, version: Version) -> Running:
        """Start a process of tickets, and return when it is ready."""
        started = Running(version, "tickets_service", "TICKETS", self.folder)
        self.running.append(started)
        await started.ready()
        return started

    async def drain(self, running: Running) -> None:
        """End a process in order."""
        await running.drain()
        self.running.remove(running)

    def kill(self) -> None:
        """End all that still runs."""
        for each in self.running:
            each.kill()


def environment(installation: Installation, **settings: Any) -> dict[str, str]:
    """The environment of a process of tickets: this one's without anything of ours, and these settings."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIOPS_", "TICKETS_", "PYTHON"))
    }
    folder = installation.folder
    return {
        **inherited,
        "AIOPS_ENVIRONMENT": "development",
        "AIOPS_TRUST_FILE": str(folder / "trust.json"),
        "AIOPS_REDACTION_KEY_FILE": str(folder / "redaction.key"),
        "AIOPS_DRAIN_SECONDS": "0.5",
        "TICKETS_KEY_FILE": str(folder / "tickets.pem"),
        "TICKETS_NATS_USER": "tickets",
        **{name: str(value) for name, value in settings.items()},
    }


def this_python() -> Path:
    """The Python of the version that is being tested."""
    return Path(sys.executable)


@asynccontextmanager
async def jwks(installation: Installation) -> AsyncIterator[str]:
    """The address under which auth publishes its keys, for the block."""
    keys = {"keys": [public_jwk(installation._signing_key.public_key(), KEY_ID)]}
    body = json.dumps(keys).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + b"\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"
    finally:
        server.close()
