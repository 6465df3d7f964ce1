"""What the graph costs: a page of logs through the gateway, against a plain FastAPI floor that answers the same bytes.

    python -m tests.bench gateway

Both make the same two RPCs with the same token checks. Rounds are interleaved on one run of the same services; the
figures are medians. CPU per request is the figure to compare: the load and the services share the machine.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psutil
from fastapi import FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig  # noqa: TC002 - its keys are checked

from aiops.auth.v1 import auth_service_pb2, user_pb2
from aiops.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from aiops.common.v1.actor_pb2 import ACTOR_KIND_USER, Actor
from aiops.common.v1.page_pb2 import PageInfo, PageRequest
from aiops.logs.v1 import log_pb2, logs_service_pb2
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from chassis import telemetry
from chassis.embedded.process import free_port
from chassis.http import HttpServer, Traced, bind
from chassis.identity import AccessTokens, Call, Role, ServiceIdentity, Viewer, acting_as, public_jwk
from chassis.ids import uuid7
from chassis.rpc.client import Client
from chassis.testing.harness import KEY_ID, Installation
from gateway.app import build
from gateway.settings import GatewaySettings
from gateway.testing.scripted import ScriptedService, running_script

ROOT = Path(__file__).resolve().parents[2]
SERVER_ARGUMENTS = 3
ROUNDS = 5
SECONDS_PER_ROUND = 3.0
CONNECTIONS = 16
PAGE_SIZE = 20

QUERY = """
query Page {
  logs(first: 20) {
    nodes {
      id version name service source state status severity recordCount lineCount patternCount tags createdAt
      createdBy { id displayName role }
      summary { engine model evidenceDigest sentences { text engine recordIds entryKeys } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def an_id(number: int) -> str:
    return str(UUID(int=(0x0198C0DE << 96) | (0x7000 << 64) | (0x8 << 60) | number))


def page() -> logs_service_pb2.ListLogsResponse:
    logs = [
        log_pb2.Log(
            id=an_id(number),
            version=3,
            name=f"web-{number}.log",
            service="web",
            source=log_pb2.LOG_SOURCE_UPLOAD,
            state=log_pb2.LOG_STATE_SUMMARIZED,
            status=log_pb2.LOG_STATUS_OPEN,
            severity=log_pb2.SEVERITY_ERROR,
            record_count=2000,
            line_count=2100,
            pattern_count=34,
            tags=["checkout", "eu"],
            created_by=Actor(kind=ACTOR_KIND_USER, id=an_id(1000 + number % 5)),
            summary=log_pb2.Summary(
                engine="builtin",
                evidence_digest="0" * 64,
                sentences=[
                    log_pb2.SummarySentence(
                        text=f"{each} of 2,000 records report that the database refused a connection.",
                        engine="builtin",
                        record_ids=[an_id(2000 + each), an_id(3000 + each), an_id(4000 + each)],
                        entry_keys=[f"E{each}"],
                    )
                    for each in range(1, 6)
                ],
            ),
        )
        for number in range(PAGE_SIZE)
    ]
    for log in logs:
        log.created_at.FromDatetime(datetime(2026, 3, 1, 10, 0, tzinfo=UTC))
    cursors = [f"c{number}" for number in range(PAGE_SIZE)]
    return logs_service_pb2.ListLogsResponse(
        logs=logs, cursors=cursors, page_info=PageInfo(has_next_page=True, end_cursor=cursors[-1])
    )


def people() -> auth_service_pb2.BatchGetUsersResponse:
    return auth_service_pb2.BatchGetUsersResponse(
        users=[
            user_pb2.User(
                id=an_id(1000 + number),
                version=1,
                display_name=f"Person {number}",
                role=user_pb2.ROLE_OPS,
                status=user_pb2.USER_STATUS_ACTIVE,
            )
            for number in range(5)
        ]
    )


class Floor:
    """The same answer by hand."""

    def __init__(self, config: dict[str, Any], access_tokens: AccessTokens) -> None:
        identity = ServiceIdentity.from_file("gateway", config["key_file"])
        self.auth_client = Client(config["auth_target"], "auth", identity)
        self.logs_client = Client(config["logs_target"], "logs", identity)
        self.auth = AuthServiceStub(self.auth_client.channel)
        self.logs = LogsServiceStub(self.logs_client.channel)
        self.access_tokens = access_tokens

    async def post(self, request: Request) -> Response:
        given = orjson.loads(await request.body())
        token = request.headers["authorization"].partition(" ")[2]
        viewer = await self.access_tokens.verify(token)
        with acting_as(Call("client", viewer, token)):
            logs = await self.logs_client.call(
                self.logs.ListLogs, logs_service_pb2.ListLogsRequest(page=PageRequest(first=PAGE_SIZE))
            )
            ids = list(dict.fromkeys(log.created_by.id for log in logs.logs))
            users = await self.auth_client.call(self.auth.BatchGetUsers, auth_service_pb2.BatchGetUsersRequest(ids=ids))
        assert given["query"]
        by_id = {user.id: user for user in users.users}
        body = {
            "data": {
                "logs": {
                    "nodes": [self.node(log, by_id) for log in logs.logs],
                    "pageInfo": {
                        "hasNextPage": logs.page_info.has_next_page,
                        "endCursor": logs.page_info.end_cursor or None,
                    },
                }
            },
            "extensions": {"traceId": telemetry.current_trace_id()},
        }
        return Response(orjson.dumps(body), media_type="application/json")

    @staticmethod
    def node(log: log_pb2.Log, users: dict[str, user_pb2.User]) -> dict[str, Any]:
        user = users[log.created_by.id]
        return {
            "id": log.id,
            "version": log.version,
            "name": log.name,
            "service": log.service or None,
            "source": log_pb2.LogSource.Name(log.source)[11:],
            "state": log_pb2.LogState.Name(log.state)[10:],
            "status": log_pb2.LogStatus.Name(log.status)[11:],
            "severity": log_pb2.Severity.Name(log.severity)[9:],
            "recordCount": log.record_count,
            "lineCount": log.line_count,
            "patternCount": log.pattern_count,
            "tags": list(log.tags),
            "createdAt": log.created_at.ToJsonString(),
            "createdBy": {
                "id": user.id,
                "displayName": user.display_name,
                "role": user_pb2.Role.Name(user.role)[5:],
            },
            "summary": {
                "engine": log.summary.engine,
                "model": log.summary.model or None,
                "evidenceDigest": log.summary.evidence_digest,
                "sentences": [
                    {
                        "text": sentence.text,
                        "engine": sentence.engine,
                        "recordIds": list(sentence.record_ids),
                        "entryKeys": list(sentence.entry_keys),
                    }
                    for sentence in log.summary.sentences
                ],
            },
        }


async def serve(what: str, config: dict[str, Any]) -> None:
    """One of the two servers, in a process of its own, until it is terminated."""
    telemetry.configure("bench")

    async def jwks() -> str:
        return str(config["jwks"])

    access_tokens = AccessTokens(jwks)
    if what == "gateway":
        names = ("trust_file", "redaction_key_file", "key_file", "auth_target", "logs_target", "ai_target", "nats_url")
        values = {name: config[name] for name in names}
        settings = GatewaySettings(http_listen=config["gateway"], operations_listen="127.0.0.1:0", **values)
        await build(settings, access_tokens=access_tokens).run(asyncio.Event())
        return
    silent: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
    app = FastAPI(telemetry=silent)
    app.add_api_route("/graphql", Floor(config, access_tokens).post, methods=["POST"], response_model=None)
    await HttpServer(Traced(app)).serve(sockets=[bind(config["floor"], variable="floor")])


class Server:
    """A server process and the load on it."""

    def __init__(self, what: str, port: int, config_file: Path, request: bytes) -> None:
        self.what = what
        self.rates: list[float] = []
        self.cpu_milliseconds: list[float] = []
        self._port = port
        self._request = request
        command = [sys.executable, "-m", "tests.bench.gateway", what, str(config_file)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)

    async def answer(self) -> dict[str, Any]:
        """One answer, as soon as the server is up."""
        deadline = time.monotonic() + 30
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


def token(installation: Installation) -> str:
    """An admin's access token for the whole run."""
    expires_at = datetime.now(UTC) + timedelta(minutes=10)
    viewer = Viewer(uuid7(), "user", Role.ADMIN, frozenset(), uuid7(), str(uuid7()), expires_at)
    return installation.token(viewer)


async def measure(folder: Path) -> None:
    """Start everything, check that both answer alike, load them in turns, print."""
    installation = Installation(folder)
    logs = ScriptedService(logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"])
    auth = ScriptedService(auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"])
    logs.answers["ListLogs"], auth.answers["BatchGetUsers"] = page(), people()
    async with running_script(logs, "logs", installation), running_script(auth, "auth", installation):
        ports = {"gateway": free_port(), "floor": free_port()}
        config = {
            **{what: f"127.0.0.1:{port}" for what, port in ports.items()},
            **{name: str(path) for name, path in installation.settings("gateway").items() if isinstance(path, Path)},
            "auth_target": auth.target,
            "logs_target": logs.target,
            "ai_target": logs.target,
            "nats_url": f"nats://127.0.0.1:{free_port()}",  # nobody there: live updates are not measured
            "jwks": json.dumps({"keys": [public_jwk(installation._signing_key.public_key(), KEY_ID)]}),
        }
        config_file = folder / "bench.json"
        config_file.write_text(json.dumps(config))
        body = orjson.dumps({"query": QUERY})
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {token(installation)}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        servers = [Server(what, port, config_file, head.encode() + body) for what, port in ports.items()]
        try:
            answers = [await server.answer() for server in servers]
            assert answers[0]["data"] == answers[1]["data"], "the gateway and the floor answer differently"
            for server in servers:
                await server.round()  # warm up
                server.rates.clear()
                server.cpu_milliseconds.clear()
            for _ in range(ROUNDS):
                for server in servers:
                    await server.round()
        finally:
            for server in servers:
                server.stop()
        report(servers, len(orjson.dumps(answers[0])))


def report(servers: list[Server], answer_bytes: int) -> None:
    """Medians, and the gateway's share of the floor."""
    print(
        f"page of {PAGE_SIZE} logs with people and summaries, {answer_bytes:,} bytes, 2 RPCs, {CONNECTIONS} connections"
    )
    for server in servers:
        rate, cpu = statistics.median(server.rates), statistics.median(server.cpu_milliseconds)
        rounds = " ".join(f"{each:.0f}" for each in server.rates)
        print(f"  {server.what:8} {rate:8.0f} answers/s   {cpu:6.2f} ms CPU an answer   (rounds: {rounds})")
    gateway, floor = servers
    cpu_share = statistics.median(floor.cpu_milliseconds) / statistics.median(gateway.cpu_milliseconds)
    rate_share = statistics.median(gateway.rates) / statistics.median(floor.rates)
    print(f"  gateway / floor: {cpu_share:.2f} by CPU, {rate_share:.2f} by rate (target 0.10)")


def main() -> None:
    """The benchmark, or one of its servers."""
    if len(sys.argv) == SERVER_ARGUMENTS:
        asyncio.run(serve(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
