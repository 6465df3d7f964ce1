"""A whole service: it waits for what it needs, says when it is ready, does its work, and drains."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from nats.aio.client import Client
from office import SERVICE, ParcelsSettings, Servicer, build, send_method
from parcels import arrivals
from sqlalchemy import insert, select
from surroundings import until

from chassis import health, telemetry
from chassis.consumer import Delivery, Subscription
from chassis.errors import Unavailable
from chassis.identity import current_call
from chassis.process import Process
from chassis.schedules import Schedule
from chassis.service import Service
from chassis.settings import SettingsInvalid
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "gateway"))


@pytest.fixture
def settings(installation: Installation, store: ServiceDatabase, nats_server: TestNats) -> dict[str, Any]:
    return installation.settings(
        "parcels",
        database_url=store.app_url,
        nats_url=nats_server.url,
        nats_monitor_url=nats_server.monitor_url,
        nats_user="parcels",
        nats_password=nats_server.passwords["parcels"],
    )


@pytest.fixture
def make_service(installation: Installation, settings: dict[str, Any]) -> Callable[..., Service]:
    def make(*, with_settings: dict[str, Any] | None = None, **more: Any) -> Service:
        own = ParcelsSettings(**{**settings, **(with_settings or {})})
        return build(own, access_tokens=installation.access_tokens(), **more)

    return make


async def send(running: RunningService, text: str) -> str:
    client = running.client()
    with running.installation.as_viewer("ops"):
        answer = await client.call(send_method(client.channel), StringValue(value=text))
    return answer.value


async def until_serving(process: Process) -> None:
    async def serves() -> bool:
        return process._health.phase == "serving"

    await until(serves)


class Line:
    """A TCP line to a real server that a test can cut."""

    def __init__(self, target: tuple[str, int], port: int) -> None:
        self.port = port
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        await asyncio.sleep(0)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def line_to_postgres(url: str, port: int) -> AsyncIterator[tuple[Line, str]]:
    parts = urlsplit(url)
    line = Line((str(parts.hostname), int(parts.port or 5432)), port)
    yield line, url.replace(f":{parts.port}/", f":{port}/")
    await line.cut()


# Serving


async def test_a_service_answers(installation: Installation, make_service: Callable[..., Service]) -> None:
    async with running_service(make_service(), installation) as running:
        assert await send(running, "a book") == "a book 1 by a user"


async def test_health_metrics_and_own_routes_are_served_with_a_trace_id(
    installation: Installation, make_service: Callable[..., Service]
) -> None:
    async with running_service(make_service(), installation) as running, httpx.AsyncClient() as http:
        await send(running, "a book")
        live, ready, metrics, own, none = [
            await http.get(running.http_url + path)
            for path in ("/healthz", "/readyz", "/metrics", "/hello", "/elsewhere")
        ]

    assert (live.status_code, live.text) == (200, "ok")
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "phase": "serving", "checks": {"postgres": "ok", "background": "ok", "access": "ok"}},
    )
    assert 'aiops_rpc_server_requests_total{code="OK",method="Send"} 1.0' in metrics.text.splitlines()
    assert (own.text, none.status_code) == ("hello", 404)
    assert [len(answer.headers["x-aiops-trace-id"]) for answer in (live, ready, metrics, own, none)] == [32] * 5


async def test_a_probe_needs_no_token(installation: Installation, make_service: Callable[..., Service]) -> None:
    async with running_service(make_service(), installation) as running:
        stub = health_pb2_grpc.HealthStub(running.client().channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE))

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_cut_line_to_postgres_shows_and_heals(
    installation: Installation,
    make_service: Callable[..., Service],
    store: ServiceDatabase,
    free_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    async with line_to_postgres(store.app_url, free_port) as (line, url), httpx.AsyncClient() as http:
        await line.mend()
        service = make_service(with_settings={"database_url": url})
        async with running_service(service, installation) as running:
            await line.cut()
            away = await http.get(running.http_url + "/readyz")
            with pytest.raises(Unavailable) as refused:
                await send(running, "a book")
            await line.mend()
            back = await http.get(running.http_url + "/readyz")
            sent = await send(running, "a book")

    assert (away.status_code, away.json()["ready"]) == (503, False)
    assert away.json()["checks"]["postgres"] == "postgres cannot be reached; try again in a moment"
    assert refused.value.metadata == {"dependency": "postgres"}
    assert (back.status_code, sent) == (200, "a book 1 by a user")


# Starting


async def test_it_waits_for_a_late_postgres(
    installation: Installation,
    make_service: Callable[..., Service],
    store: ServiceDatabase,
    free_port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with line_to_postgres(store.app_url, free_port) as (line, url):
        service = make_service(with_settings={"database_url": url})
        late = asyncio.get_running_loop().call_later(1.0, lambda: asyncio.ensure_future(line.mend()))
        async with running_service(service, installation) as running:
            assert await send(running, "a book") == "a book 1 by a user"
        late.cancel()

    waits = [record.getMessage() for record in caplog.records if "waiting for postgres" in record.getMessage()]
    assert len(waits) == 1
    assert "Connection refused" in waits[0]


async def test_it_gives_up_on_a_postgres_that_never_comes(
    make_service: Callable[..., Service], free_port: int, store: ServiceDatabase
) -> None:
    url = store.app_url.replace(f":{urlsplit(store.app_url).port}/", f":{free_port}/")
    service = make_service(with_settings={"database_url": url, "startup_seconds": 0.5})
    process = Process(service, frozenset({"serve"}))

    with pytest.raises(Unavailable, match="postgres cannot be reached"):
        await process.run(asyncio.Event())

    assert process.grpc_port == 0


@pytest.mark.parametrize("setting", ["grpc_listen", "http_listen"])
async def test_a_port_in_use_is_named_with_its_setting(make_service: Callable[..., Service], setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = Process(make_service(with_settings={setting: address}), frozenset({"serve"}))

        with pytest.raises(SettingsInvalid, match=f"cannot listen on {address}.*PARCELS_{setting.upper()}"):
            await process.run(asyncio.Event())


async def test_a_missing_file_is_named(make_service: Callable[..., Service], tmp_path: Any) -> None:
    with pytest.raises(SettingsInvalid, match=r"nowhere\.json"):
        make_service(with_settings={"trust_file": tmp_path / "nowhere.json"})


# Working


async def test_a_worker_tells_facts_reacts_to_them_and_keeps_schedules(
    installation: Installation, make_service: Callable[..., Service], store: ServiceDatabase, operator: Client
) -> None:
    callers: list[tuple[str, str]] = []
    traces: list[str] = []

    async def receive(delivery: Delivery) -> None:
        traces.extend((telemetry.current_trace_id(), current_call().correlation_id))
        callers.append((current_call().caller, current_call().causation_id))
        async with delivery.effect() as tx:
            arrival = {"parcel_id": delivery.envelope.aggregate_id, "version": 1, "city": delivery.payload.value}
            await tx.execute(insert(arrivals).values(**arrival))

    async def sweep() -> None:
        callers.append((current_call().caller, current_call().method))

    async def arrived() -> bool:
        async with store.database.read() as tx:
            return [row.city for row in await tx.fetch_all(select(arrivals.c.city))] == ["Oslo"] and len(callers) == 2

    service = make_service(
        subscriptions=(
            Subscription("PARCELS", "aiops.parcels.parcel.sent.v1", "parcels-receive", StringValue, receive),
        ),
        schedules=(Schedule("sweep", 3600, sweep),),
    )
    async with running_service(service, installation, roles=("serve", "work")) as running:
        with telemetry.span("a request", "server"):
            trace_id = telemetry.current_trace_id()
            await send(running, "a book")
        await until(arrived)
        async with httpx.AsyncClient() as http:
            checks = (await http.get(running.http_url + "/readyz")).json()["checks"]

    assert traces == [trace_id, trace_id]
    assert ("parcels", "sweep") in callers
    assert len([caller for caller, cause in callers if caller == "parcels" and len(cause) == 36]) == 1
    assert checks == dict.fromkeys(("postgres", "background", "access", "nats", "consumers"), "ok")
    assert service.runtime.metrics.value("aiops_schedule_runs_total", schedule="sweep", outcome="done") == 1


async def test_a_process_that_nats_refuses_for_good_ends(
    make_service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(make_service(), frozenset({"work"}))
    running = asyncio.ensure_future(process.run(asyncio.Event()))
    await until_serving(process)

    process._fail("NATS refuses parcels something")

    assert await asyncio.wait_for(running, 10) == 1
    assert "parcels stopped: NATS refuses parcels something" in caplog.messages


# Draining


async def test_a_stop_lets_calls_in_progress_end_and_takes_no_new_ones(
    installation: Installation, make_service: Callable[..., Service]
) -> None:
    service = make_service(with_settings={"drain_seconds": 0.3})
    servicer: Servicer = service.servicer
    servicer.go_on.clear()
    process, stop = Process(service, frozenset({"serve"})), asyncio.Event()
    ending = asyncio.ensure_future(process.run(stop))
    await until_serving(process)
    running = RunningService(installation, "parcels", process)
    probe = health_pb2_grpc.HealthStub(running.client().channel)

    under_way = asyncio.ensure_future(send(running, "a book"))
    await asyncio.wait_for(servicer.began.wait(), 2)
    stop.set()
    await asyncio.sleep(0.1)
    draining = await probe.Check(health_pb2.HealthCheckRequest())
    async with httpx.AsyncClient() as http:
        ready = await http.get(running.http_url + "/readyz")
    await asyncio.sleep(0.5)
    with pytest.raises(Unavailable):
        await send(running, "another")
    servicer.go_on.set()

    assert await under_way == "a book 1 by a user"
    assert await asyncio.wait_for(ending, 5) == 0
    assert draining.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert (ready.status_code, ready.json()["phase"]) == (503, "draining")
    with pytest.raises(grpc.aio.AioRpcError):
        await probe.Check(health_pb2.HealthCheckRequest())
    await running.close()
