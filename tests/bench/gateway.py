"""What the graph costs: a page of tickets through the gateway, against two others that answer the same bytes.

    python -m tests.bench gateway

The floor is plain FastAPI with the answer written by hand; the peer is graphql-yoga with grpc-js on Node. All make the
same three RPCs with the same token checks to the same services, in turns in one run; figures are medians. Compare CPU
per answer: the load and the services share the machine and hold back the fastest most. The gateway has its caches and
limits on, and counts, times and traces each operation; yoga runs as its documentation shows it.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psutil
from tests.bench.gateway_page import page

from aiops.auth.v1 import auth_service_pb2
from aiops.logs.v1 import logs_service_pb2
from aiops.tickets.v1 import tickets_service_pb2
from chassis.embedded.process import free_port
from chassis.identity import Role, Viewer, public_jwk
from chassis.ids import uuid7
from chassis.testing.harness import KEY_ID, Installation
from gateway.testing.scripted import ScriptedService, running_script

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "gateway_page"
ROUNDS = 5
SECONDS_PER_ROUND = 3.0
CONNECTIONS = 16
START_SECONDS = 30
SAMPLED_ROUNDS = 2
MEASURED = ("floor", "gateway", "yoga")


class Server:
    """A server process and the load on it."""

    def __init__(self, what: str, command: list[str], port: int, request: bytes) -> None:
        self.what = what
        self.rates: list[float] = []
        self.cpu_milliseconds: list[float] = []
        self._port = port
        self._request = request
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)

    async def answer(self) -> dict[str, Any]:
        """One answer, as soon as the server is up."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except ConnectionRefusedError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                await asyncio.sleep(0.1)
                continue
            body = await self._once(reader, writer)
            writer.close()
            answer: dict[str, Any] = orjson.loads(body)
            return answer

    async def round(self) -> None:
        """Load it for some seconds."""
        process, stop = psutil.Process(self.process.pid), time.monotonic() + SECONDS_PER_ROUND
        before, started = process.cpu_times(), time.monotonic()
        counts = await asyncio.gather(*(self._load(stop) for _ in range(CONNECTIONS)))
        after, seconds = process.cpu_times(), time.monotonic() - started
        cpu_seconds = after.user + after.system - before.user - before.system
        self.rates.append(sum(counts) / seconds)
        self.cpu_milliseconds.append(1000 * cpu_seconds / sum(counts))

    @property
    def rate(self) -> float:
        """Answers a second, the median."""
        return statistics.median(self.rates)

    @property
    def cpu(self) -> float:
        """Milliseconds of CPU time an answer, the median."""
        return statistics.median(self.cpu_milliseconds)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    async def _load(self, stop: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        count = 0
        while time.monotonic() < stop:
            await self._once(reader, writer)
            count += 1
        writer.close()
        return count

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        return await reader.readexactly(length)


class Contest:
    """What all servers are started with."""

    def __init__(
        self, folder: Path, installation: Installation, services: dict[str, ScriptedService], **settings: object
    ) -> None:
        self.services = services
        self.ports = {what: free_port() for what in (*MEASURED, "sampled")}
        self.samples = folder / "samples.json"
        self._config_file = folder / "bench.json"
        nobody = f"127.0.0.1:{free_port()}"  # no NATS, and no service but the three: neither is measured
        config = {
            **{what: f"127.0.0.1:{port}" for what, port in self.ports.items()},
            **{name: str(path) for name, path in installation.settings("gateway").items() if isinstance(path, Path)},
            **{f"{name}_target": nobody for name in ("changelog", "ai")},
            **{f"{name}_target": service.target for name, service in services.items()},
            "nats_url": f"nats://{nobody}",
            "jwks": json.dumps({"keys": [public_jwk(installation._signing_key.public_key(), KEY_ID)]}),
            "proto": str(ROOT / "proto"),
            "schema": str(ROOT / "gateway" / "src" / "gateway" / "schema.graphql"),
            "samples": str(self.samples),
            "control": settings.pop("control", False),
            "settings": settings,
        }
        self._config_file.write_text(json.dumps(config))
        body = orjson.dumps({"query": page.QUERY})
        self.request = (
            f"POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: application/json\r\n"
            f"authorization: Bearer {_token(installation)}\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode() + body
        self._node = subprocess.check_output([sys.executable, str(ROOT / "dev" / "node.py")], text=True).strip()

    @contextmanager
    def running(self, *names: str) -> Iterator[list[Server]]:
        """The servers, for the block."""
        servers: list[Server] = []
        try:
            for name in names:
                command = [sys.executable, "-m", "tests.bench.gateway_page.server", name, str(self._config_file)]
                if name == "yoga":
                    command = [self._node, str(FOLDER / "yoga.mjs"), str(self._config_file)]
                servers.append(Server(name, command, self.ports[name], self.request))
            yield servers
        finally:
            for server in servers:
                server.stop()


def _token(installation: Installation) -> str:
    """An admin's access token for the whole run."""
    expires_at = datetime.now(UTC) + timedelta(minutes=10)
    viewer = Viewer(uuid7(), "user", Role.ADMIN, frozenset(), uuid7(), str(uuid7()), expires_at)
    return installation.token(viewer)


@asynccontextmanager
async def contest(folder: Path, **settings: object) -> AsyncIterator["Contest"]:
    """The services, for the block, and what is needed to start servers in front of them; `settings` of the gateway."""
    installation = Installation(folder)
    services = {
        "tickets": ScriptedService(tickets_service_pb2.DESCRIPTOR.services_by_name["TicketsService"]),
        "auth": ScriptedService(auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"]),
        "logs": ScriptedService(logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"]),
    }
    services["tickets"].answers["ListTickets"] = page.tickets()
    services["auth"].answers["BatchGetUsers"] = page.people()
    services["logs"].answers["BatchGetLogs"] = page.logs()
    async with AsyncExitStack() as running:
        for name, service in services.items():
            await running.enter_async_context(running_script(service, name, installation))
        yield Contest(folder, installation, services, **settings)


async def measure(folder: Path) -> None:
    """Start everything, check that all answer alike, load them in turns, print."""
    async with contest(folder) as prepared:
        with prepared.running(*MEASURED) as servers:
            data = [orjson.dumps((await server.answer())["data"]) for server in servers]
            # yoga puts what it had to wait for last, so its bytes are the same in another order.
            assert data[0] == data[1], "the gateway and the floor answer differently"
            assert orjson.loads(data[0]) == orjson.loads(data[2]), "yoga and the floor answer differently"
            for _ in range(ROUNDS + 1):
                for server in servers:
                    await server.round()
        for server in servers:  # the first round warmed up
            del server.rates[0], server.cpu_milliseconds[0]
        report(servers, len(data[0]))
        with prepared.running("sampled") as (sampled,):
            await sampled.answer()
            for _ in range(SAMPLED_ROUNDS):
                await sampled.round()
        where(json.loads(prepared.samples.read_text()))


def report(servers: list[Server], data_bytes: int) -> None:
    """Medians, and the gateway's share of both others."""
    print(
        f"{page.PAGE_SIZE} tickets with reporter and {page.LOGS_PER_TICKET} logs each, {data_bytes:,} bytes of data,"
        f" 3 RPCs, {CONNECTIONS} connections, {len(servers[0].rates)} rounds in turns"
    )
    for server in servers:
        rounds = " ".join(f"{each:.0f}" for each in server.rates)
        print(
            f"  {server.what:8} {server.rate:6.0f} answers/s   {server.cpu:6.2f} ms CPU an answer   (rounds: {rounds})"
        )
    floor, gateway, yoga = servers
    for other, wanted in ((floor, " (wanted: 0.10)"), (yoga, "")):
        by_cpu, by_rate = other.cpu / gateway.cpu, gateway.rate / other.rate
        print(f"  gateway / {other.what:5}: {by_cpu:.2f} by CPU, {by_rate:.2f} by rate{wanted}")


def where(samples: dict[str, int]) -> None:
    """The gateway's CPU time by part."""
    total = sum(samples.values())
    print(f"  where the gateway's main thread spends its CPU time ({total:,} samples):")
    for part, count in sorted(samples.items(), key=lambda item: -item[1]):
        print(f"    {count / total:4.0%}  {part}")


def main() -> None:
    """The benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
