"""What bounds an RPC: time, size, cancellation, the age of a connection, a source that breaks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from answering import SERVICE, ParcelBroken, echo, mask, raising, serving, unary, upload
from google.protobuf.wrappers_pb2 import StringValue

from chassis.errors import (
    DeadlineExceeded,
    ErrorKind,
    RemoteError,
    Unavailable,
)
from chassis.identity import Call, Trust, acting_as
from chassis.metrics import Metrics
from chassis.policy import Policy
from chassis.rpc.client import Client
from chassis.rpc.server import ServerOptions, make_server
from chassis.testing.harness import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot", "gateway"))


async def test_a_stream_is_answered_once(installation: Installation) -> None:
    async def chunks() -> AsyncIterator[StringValue]:
        for part in ("ab", "cd"):
            yield StringValue(value=part)

    async with serving(installation, echo) as parcels:
        with installation.as_viewer("ops"):
            assert (await upload(parcels.client(), chunks())).value == "abcd"


async def test_a_refused_stream_ends_early_and_keeps_its_reason(installation: Installation) -> None:
    sent: list[int] = []

    async def chunks() -> AsyncIterator[StringValue]:
        for number in range(200):
            sent.append(number)
            yield StringValue(value="x" * (1 << 20))

    async with serving(installation, echo) as parcels:
        client, reasons = parcels.client(), []
        for _ in range(20):
            with installation.as_viewer("hr"), pytest.raises(RemoteError) as refused:
                await upload(client, chunks())
            reasons.append(refused.value.reason)

    assert reasons == ["FORBIDDEN"] * 20
    assert len(sent) < 20 * 200 / 2


async def test_half_an_upload_is_never_taken_for_a_whole_one(installation: Installation) -> None:
    stored: list[str] = []

    async def store(request: StringValue, _context: Any) -> StringValue:
        stored.append(request.value)
        return request

    async def chunks() -> AsyncIterator[StringValue]:
        yield StringValue(value="half")
        raise ParcelBroken("the parcel fell apart; send it again")

    async with serving(installation, store) as parcels:
        client = parcels.client()
        for _ in range(30):
            with installation.as_viewer("ops"), pytest.raises(ParcelBroken):
                await upload(client, chunks())
        await asyncio.sleep(0.2)

    assert stored == []


async def test_an_upload_without_its_end_mark_is_refused(installation: Installation) -> None:
    async def chunks() -> AsyncIterator[StringValue]:
        yield StringValue(value="all, or not?")

    async with serving(installation, echo) as parcels:
        client = parcels.client()
        method = client.channel.stream_unary(f"/{SERVICE}/Store", StringValue.SerializeToString, StringValue.FromString)
        with installation.as_viewer("ops"), pytest.raises(grpc.aio.AioRpcError) as refused:
            await method(chunks(), metadata=client._metadata(None))

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert refused.value.details() == "the upload broke off before its end; send it again"


async def test_a_handler_is_cancelled_at_the_callers_deadline(installation: Installation) -> None:
    ended: list[str] = []

    async def slow(_request: StringValue, _context: Any) -> StringValue:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return StringValue()

    async with serving(installation, slow) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(DeadlineExceeded):
            await client.call(unary(client, "Send"), StringValue(), timeout_seconds=0.2)
        await asyncio.sleep(0.2)

    assert ended == ["cancelled"]


async def test_a_call_without_a_deadline_gets_one(installation: Installation) -> None:
    async def slow(_request: StringValue, _context: Any) -> StringValue:
        await asyncio.sleep(5)
        return StringValue()

    async with serving(installation, slow, ServerOptions(unary_deadline_seconds=0.2)) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(grpc.aio.AioRpcError) as late:
            await unary(client, "Send")(StringValue(), metadata=client._metadata(None))

    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert parcels.metrics.value("aiops_rpc_server_requests_total", method="Send", code="DEADLINE_EXCEEDED") == 1


async def test_a_timeout_of_the_handlers_own_is_a_defect_and_no_deadline(installation: Installation) -> None:
    async with serving(installation, raising(TimeoutError())) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(RemoteError) as arrived:
            await client.call(unary(client, "Send"), StringValue())

    assert arrived.value.reason == "INTERNAL"


async def test_the_callers_remaining_time_caps_a_call(installation: Installation) -> None:
    async with serving(installation, echo) as parcels:
        client = parcels.client("depot")
        now = asyncio.get_running_loop().time()
        with acting_as(Call("gateway", deadline=now + 1)):
            await client.call(unary(client, "Sweep"), StringValue(), timeout_seconds=60)
        with acting_as(Call("gateway", deadline=now - 1)), pytest.raises(DeadlineExceeded):
            await client.call(unary(client, "Sweep"), StringValue(), timeout_seconds=60)

    assert len(parcels.calls) == 1
    assert parcels.calls[0].deadline is not None
    assert parcels.calls[0].deadline < now + 1.2


async def test_a_cancelled_caller_cancels_the_handler_and_itself(installation: Installation) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def slow(_request: StringValue, _context: Any) -> StringValue:
        began.set()
        try:
            await asyncio.sleep(5)
        finally:
            ended.set()
        return StringValue()

    async with serving(installation, slow) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"):
            task = asyncio.ensure_future(client.call(unary(client, "Send"), StringValue()))
            await asyncio.wait_for(began.wait(), 2)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(ended.wait(), 2)


async def test_a_service_that_is_away_is_named(installation: Installation) -> None:
    client = Client("127.0.0.1:1", "parcels", installation.identity("gateway"))

    with installation.as_viewer("ops"), pytest.raises(Unavailable) as away:
        await client.call(unary(client, "Send"), StringValue())

    assert away.value.metadata == {"dependency": "parcels"}
    await client.close()


@pytest.mark.parametrize(
    ("options", "delivered"),
    [(ServerOptions(max_receive_bytes=1000), 0), (ServerOptions(max_send_bytes=1000), 1)],
    ids=["question", "answer"],
)
async def test_a_message_over_the_limit_is_refused_as_too_much_at_once(
    installation: Installation, options: ServerOptions, delivered: int
) -> None:
    async with serving(installation, echo, options) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(RemoteError, match="ask for less at once") as refused:
            await client.call(unary(client, "Send"), StringValue(value="x" * 2000))

    assert (refused.value.kind, refused.value.reason) == (ErrorKind.INVALID, "INVALID_ARGUMENT")
    assert "2003" not in refused.value.message
    assert len(parcels.calls) == delivered


async def test_a_connection_that_ages_out_cuts_no_call(installation: Installation) -> None:
    async with serving(installation, echo, ServerOptions(connection_age_seconds=1)) as parcels:
        client = parcels.client()
        until, answered = asyncio.get_running_loop().time() + 2.5, 0
        with installation.as_viewer("ops"):
            while asyncio.get_running_loop().time() < until:
                answers = await asyncio.gather(
                    *(client.call(unary(client, "Send"), StringValue(value=str(n))) for n in range(5))
                )
                answered += len(answers)

    assert answered == len(parcels.calls)
    assert parcels.metrics.value("aiops_rpc_server_requests_total", method="Send", code="OK") == answered


async def test_two_servers_cannot_share_a_port(installation: Installation) -> None:
    async with serving(installation, echo) as parcels:
        second = make_server(
            "parcels",
            trust=Trust({}),
            access_tokens=installation.access_tokens(),
            policy=Policy({}, mask),
            metrics=Metrics(),
        )
        with pytest.raises(RuntimeError, match="Failed to bind"):
            second.add_insecure_port(parcels.target)
