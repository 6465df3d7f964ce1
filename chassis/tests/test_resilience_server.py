"""A server with more to do than it can: what it sheds, what it keeps room for, and how it lets callers go."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from answering import serving, unary, upload
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.errors import DomainError, ErrorKind, RemoteError
from chassis.identity import Trust
from chassis.metrics import Metrics
from chassis.policy import Policy, allow
from chassis.rpc.client import Client
from chassis.rpc.server import ServerOptions, make_server
from chassis.rpc.status import STATUS_DETAILS_KEY
from chassis.testing.harness import Installation

FEW = ServerOptions(max_calls=4, max_uploads=1, operators_reserve=1)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot", "gateway"))


class Busy:
    """A handler that takes a while, and counts how many do so at once."""

    def __init__(self, seconds: float) -> None:
        self.at_once = self.most = 0
        self._seconds = seconds

    async def __call__(self, request: StringValue, _context: Any) -> StringValue:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.at_once -= 1
        return request


async def outcome(client: Client, name: str = "Send") -> str:
    try:
        await client.call(unary(client, name), StringValue())
    except DomainError as error:
        return error.reason
    return "answered"


async def outcomes(installation: Installation, client: Client, times: int) -> Counter[str]:
    with installation.as_viewer("ops"):
        return Counter(await asyncio.gather(*(outcome(client) for _ in range(times))))


@pytest.mark.parametrize(
    ("options", "ends", "most"),
    [
        (FEW, {"answered": 4, "OVERLOADED": 36}, 4),
        (ServerOptions(max_calls=1000), {"answered": 40}, 40),
    ],
    ids=["limited", "control"],
)
async def test_what_is_too_much_at_once_is_shed(
    installation: Installation, options: ServerOptions, ends: dict[str, int], most: int
) -> None:
    busy = Busy(0.6)

    async with serving(installation, busy, options) as parcels:
        found = await outcomes(installation, parcels.client(), 40)

    assert found == ends
    assert busy.most == most
    assert parcels.metrics.value("aiops_shed_total", limiter="calls") == ends.get("OVERLOADED", 0)


async def test_what_is_shed_is_told_when_to_come_back(installation: Installation) -> None:
    async with serving(installation, Busy(0.5), FEW) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"):
            full = asyncio.gather(*(outcome(client) for _ in range(8)))
            await asyncio.sleep(0.05)
            with pytest.raises(RemoteError) as shed:
                await client.call(unary(client, "Send"), StringValue())
            with pytest.raises(grpc.aio.AioRpcError) as raw:
                await unary(client, "Send")(StringValue(), metadata=client._metadata(None))
            await full

    assert (shed.value.kind, shed.value.reason) == (ErrorKind.EXHAUSTED, "OVERLOADED")
    assert shed.value.metadata == {"retry_after_seconds": "1"}
    assert raw.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = dict(raw.value.trailing_metadata() or ())[STATUS_DETAILS_KEY]
    assert isinstance(details, bytes)
    retry = error_details_pb2.RetryInfo()
    assert [detail.Unpack(retry) for detail in status_pb2.Status.FromString(details).details] == [False, True]
    assert retry.retry_delay.ToSeconds() == 1


async def test_probes_and_operators_get_through_to_a_full_service(installation: Installation) -> None:
    busy = Busy(0.6)

    async def answer(request: StringValue, context: Any) -> StringValue:
        return await busy(request, context)

    server = make_server(
        "parcels",
        trust=Trust.from_file(installation.folder / "trust.json"),
        access_tokens=installation.access_tokens(),
        policy=Policy({"ListDeadLetters": allow("gateway", anonymous=True)}, lambda _call, message: message),
        metrics=Metrics(),
        options=FEW,
    )
    codec = (StringValue.FromString, StringValue.SerializeToString)
    handlers = {"ListDeadLetters": grpc.unary_unary_rpc_method_handler(answer, *codec)}
    for service in ("aiops.operations.v1.OperationsService", "aiops.parcels.v1.ParcelsService"):
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    client = Client(f"127.0.0.1:{port}", "parcels", installation.identity("gateway"))

    async def ask(service: str) -> str:
        method = client.channel.unary_unary(
            f"/aiops.{service}/ListDeadLetters", StringValue.SerializeToString, StringValue.FromString
        )
        try:
            await client.call(method, StringValue())
        except DomainError as error:
            return error.reason
        return "answered"

    try:
        full = asyncio.gather(*(ask("parcels.v1.ParcelsService") for _ in range(8)))
        await asyncio.sleep(0.2)
        started = time.monotonic()
        await health_pb2_grpc.HealthStub(client.channel).Check(health_pb2.HealthCheckRequest())
        probed = time.monotonic() - started
        ends = tuple(await asyncio.gather(*map(ask, ("parcels.v1.ParcelsService", "operations.v1.OperationsService"))))
        assert ends == ("OVERLOADED", "answered")
        assert probed < 0.2
        assert Counter(await full) == {"answered": 4, "OVERLOADED": 4}
    finally:
        await client.close()
        await server.stop(0)


async def test_uploads_take_no_place_from_other_calls(installation: Installation) -> None:
    async def chunks() -> AsyncIterator[StringValue]:
        yield StringValue(value="file")

    async with serving(installation, Busy(0.4), ServerOptions(max_calls=2, max_uploads=1)) as parcels:
        client = parcels.client()

        async def store() -> str:
            try:
                await upload(client, chunks())
            except DomainError as error:
                return error.reason
            return "stored"

        with installation.as_viewer("ops"):
            uploads = asyncio.gather(*(store() for _ in range(5)))
            await asyncio.sleep(0.1)
            read = await outcomes(installation, client, 2)
            stored = Counter(await uploads)

    assert read == {"answered": 2}
    assert stored == {"stored": 1, "OVERLOADED": 4}


async def test_calls_leave_an_old_process_once_their_connection_is_of_age(installation: Installation) -> None:
    """As after a switch: the address leads to the new process, and the old one still runs."""
    old = Busy(0.0)
    async with serving(installation, old, ServerOptions(connection_age_seconds=1)) as parcels:
        target = [parcels.target]

        async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            host, _, port = target[0].rpartition(":")
            behind_reader, behind_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))

        door = await asyncio.start_server(hand_on, "127.0.0.1", 0)
        client = Client(
            f"127.0.0.1:{door.sockets[0].getsockname()[1]}", "parcels", installation.identity("gateway"), retries=True
        )
        async with serving(installation, Busy(0.0)) as new:
            before = await outcomes(installation, client, 20)
            target[0] = new.target
            ends: Counter[str] = Counter()
            until = time.monotonic() + 3
            while time.monotonic() < until:
                ends += await outcomes(installation, client, 5)
            served_by_old = len(parcels.calls)
            ends += await outcomes(installation, client, 50)
            await client.close()

        door.close()

    assert before == {"answered": 20}
    assert set(ends) == {"answered"}
    assert len(parcels.calls) == served_by_old < ends["answered"]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
