"""One RPC from client to handler and back: tokens, deadlines, masks and the names of errors."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue

from chassis import telemetry
from chassis.errors import (
    Conflict,
    DeadlineExceeded,
    DomainError,
    ErrorKind,
    Forbidden,
    IdempotencyInProgress,
    Internal,
    InvalidArgument,
    Overloaded,
    RemoteError,
    Unauthenticated,
    Unavailable,
    VersionConflict,
)
from chassis.identity import Call, Role, Trust, acting_as, current_call
from chassis.metrics import Metrics
from chassis.policy import Policy, allow
from chassis.rpc.client import Client
from chassis.rpc.server import ServerOptions, make_server
from chassis.testing.harness import Installation

SERVICE = "aiops.parcels.v1.ParcelsService"
Behaviour = Callable[[StringValue, Any], Awaitable[StringValue]]


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot", "gateway"))


class ParcelBroken(Conflict):
    reason = "PARCEL_BROKEN"


def mask(call: Call, message: Message) -> Message:
    assert isinstance(message, StringValue)
    if call.viewer is not None and call.viewer.role is Role.HR:
        return StringValue(value=message.value.replace("secret", "*"))
    return message


RULES = {
    "Send": allow("gateway", roles=(Role.OPS, Role.HR)),
    "Track": allow("gateway", any_user=True),
    "Store": allow("gateway", roles=(Role.OPS,)),
    "Sweep": allow("depot", background=True),
    "Greet": allow("gateway", anonymous=True),
}


@dataclass
class Parcels:
    """A server whose behaviour each test gives."""

    target: str
    metrics: Metrics
    behaviour: Behaviour
    installation: Installation
    calls: list[Call] = field(default_factory=list)

    def client(self, caller: str = "gateway") -> Client:
        return Client(self.target, "parcels", self.installation.identity(caller), metrics=self.metrics)


@asynccontextmanager
async def serving(
    installation: Installation, behaviour: Behaviour, options: ServerOptions | None = None
) -> AsyncIterator[Parcels]:
    metrics = Metrics()
    server = make_server(
        "parcels",
        trust=Trust.from_file(installation.folder / "trust.json"),
        access_tokens=installation.access_tokens(),
        policy=Policy(RULES, mask),
        metrics=metrics,
        options=options,
    )
    parcels = Parcels("", metrics, behaviour, installation)

    async def unary(request: StringValue, context: Any) -> StringValue:
        parcels.calls.append(current_call())
        return await parcels.behaviour(request, context)

    async def upload(requests: AsyncIterator[StringValue], context: Any) -> StringValue:
        parts = [part.value async for part in requests]
        return await parcels.behaviour(StringValue(value="".join(parts)), context)

    async def download(request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        for part in request.value.split():
            yield await parcels.behaviour(StringValue(value=part), context)

    codec = (StringValue.FromString, StringValue.SerializeToString)
    handlers = {name: grpc.unary_unary_rpc_method_handler(unary, *codec) for name in (*RULES, "Unruled")}
    handlers["Store"] = grpc.stream_unary_rpc_method_handler(upload, *codec)
    handlers["Track"] = grpc.unary_stream_rpc_method_handler(download, *codec)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    parcels.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield parcels
    finally:
        await server.stop(0)


def unary(client: Client, name: str) -> grpc.aio.UnaryUnaryMultiCallable[StringValue, StringValue]:
    return client.channel.unary_unary(f"/{SERVICE}/{name}", StringValue.SerializeToString, StringValue.FromString)


async def echo(request: StringValue, _context: Any) -> StringValue:
    return request


def raising(error: BaseException) -> Behaviour:
    async def behaviour(_request: StringValue, _context: Any) -> StringValue:
        raise error

    return behaviour


async def test_a_call_knows_its_caller_its_viewer_and_its_deadline(installation: Installation) -> None:
    async with serving(installation, echo) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops") as viewer:
            answer = await client.call(unary(client, "Send"), StringValue(value="hello"), timeout_seconds=3)

        assert answer.value == "hello"
        call = parcels.calls[0]
        assert (call.caller, call.viewer, call.method) == ("gateway", viewer, "Send")
        assert call.deadline is not None
        assert 2 < call.deadline - asyncio.get_running_loop().time() <= 3
        assert call.actor.id == str(viewer.id)


async def test_the_mask_is_put_on_every_answer(installation: Installation) -> None:
    async with serving(installation, echo) as parcels:
        client = parcels.client()
        with installation.as_viewer("hr"):
            answer = await client.call(unary(client, "Send"), StringValue(value="a secret"))
            metadata = tuple(client._metadata(None))
            stream = client.channel.unary_stream(
                f"/{SERVICE}/Track", StringValue.SerializeToString, StringValue.FromString
            )
            parts = [part.value async for part in stream(StringValue(value="a secret b"), metadata=metadata)]

        assert answer.value == "a *"
        assert parts == ["a", "*", "b"]


async def test_a_stream_is_answered_once(installation: Installation) -> None:
    async def chunks() -> AsyncIterator[StringValue]:
        for part in ("ab", "cd"):
            yield StringValue(value=part)

    async with serving(installation, echo) as parcels:
        client = parcels.client()
        method = client.channel.stream_unary(f"/{SERVICE}/Store", StringValue.SerializeToString, StringValue.FromString)
        with installation.as_viewer("ops"):
            answer: StringValue = await client.stream(method, chunks())

        assert answer.value == "abcd"


@pytest.mark.parametrize(
    ("method", "caller", "role"),
    [
        ("Send", "gateway", None),
        ("Send", "gateway", "admin"),
        ("Send", "depot", "ops"),
        ("Sweep", "gateway", "ops"),
        ("Unruled", "gateway", "ops"),
    ],
)
async def test_who_has_no_rule_is_refused(
    installation: Installation, method: str, caller: str, role: str | None
) -> None:
    async with serving(installation, echo) as parcels:
        client = parcels.client(caller)
        with installation.as_viewer(role), pytest.raises(RemoteError) as refused:
            await client.call(unary(client, method), StringValue())

        assert (refused.value.kind, refused.value.reason) == (ErrorKind.FORBIDDEN, "FORBIDDEN")
        assert refused.value.metadata["operation"] == method
        assert parcels.calls == []


async def test_without_a_viewer_only_background_and_open_calls_pass(installation: Installation) -> None:
    async with serving(installation, echo) as parcels:
        gateway, depot = parcels.client(), parcels.client("depot")

        assert (await gateway.call(unary(gateway, "Greet"), StringValue(value="hi"))).value == "hi"
        assert (await depot.call(unary(depot, "Sweep"), StringValue(value="dust"))).value == "dust"
        with pytest.raises(RemoteError) as refused:
            await gateway.call(unary(gateway, "Send"), StringValue())

        assert refused.value.kind is ErrorKind.UNAUTHENTICATED
        assert [call.method for call in parcels.calls] == ["Greet", "Sweep"]


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", "Basic Zm9v"),),
        (("authorization", "Bearer "),),
        (("authorization", "Bearer not.a.token"),),
        (("authorization", "VALID"), ("authorization", "VALID")),
        (("authorization", "FOR ANOTHER"),),
        (("authorization", "VALID"), ("x-aiops-on-behalf-of", "Bearer not.a.token")),
        (("authorization", "VALID"), ("x-aiops-on-behalf-of", "VALID")),
    ],
)
async def test_a_call_without_good_tokens_is_unauthenticated(
    installation: Installation, metadata: tuple[tuple[str, str], ...]
) -> None:
    gateway = installation.identity("gateway")
    tokens = {"VALID": f"Bearer {gateway.token('parcels')}", "FOR ANOTHER": f"Bearer {gateway.token('depot')}"}
    async with serving(installation, echo) as parcels:
        client = parcels.client()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unary(client, "Greet")(
                StringValue(), metadata=tuple((key, tokens.get(value, value)) for key, value in metadata)
            )

        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert not any(value.removeprefix("Bearer ") in str(refused.value) for value in tokens.values())
        assert parcels.calls == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ParcelBroken("the parcel is broken; send another", parcel="7"), ErrorKind.CONFLICT),
        (InvalidArgument("give a name", field="name"), ErrorKind.INVALID),
        (VersionConflict(expected=3, actual=4), ErrorKind.VERSION_CONFLICT),
        (IdempotencyInProgress("still running", retry_after_seconds="2"), ErrorKind.IN_PROGRESS),
        (Overloaded(retry_after_seconds=2), ErrorKind.EXHAUSTED),
        (Forbidden("not yours", operation="Send"), ErrorKind.FORBIDDEN),
        (Unauthenticated("log in again"), ErrorKind.UNAUTHENTICATED),
        (Internal(), ErrorKind.INTERNAL),
    ],
)
async def test_an_error_arrives_by_its_name(installation: Installation, error: DomainError, kind: ErrorKind) -> None:
    async with serving(installation, raising(error)) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(RemoteError) as arrived:
            await client.call(unary(client, "Send"), StringValue())

    assert (arrived.value.kind, arrived.value.reason) == (kind, error.reason)
    assert (arrived.value.message, arrived.value.metadata) == (error.message, error.metadata)


async def test_an_error_passes_through_a_second_service_unchanged(installation: Installation) -> None:
    error = RemoteError(ErrorKind.CONFLICT, "PARCEL_BROKEN", "broken", {"message": "m", "kind": "k"})
    async with serving(installation, raising(error)) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(RemoteError) as arrived:
            await client.call(unary(client, "Send"), StringValue())

    assert (arrived.value.reason, arrived.value.metadata) == ("PARCEL_BROKEN", {"message": "m", "kind": "k"})


async def test_a_missing_dependency_of_the_other_service_is_named(installation: Installation) -> None:
    async with serving(installation, raising(Unavailable(dependency="postgres"))) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(Unavailable) as arrived:
            await client.call(unary(client, "Send"), StringValue())

    assert arrived.value.metadata == {"dependency": "postgres"}


async def test_a_defect_is_masked_logged_once_and_found_by_its_trace_id(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry.configure("tests")
    caplog.set_level(logging.DEBUG)
    async with serving(installation, raising(ZeroDivisionError("customer 4711"))) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"):
            with pytest.raises(grpc.aio.AioRpcError) as broken:
                await unary(client, "Send")(StringValue(), metadata=client._metadata(None))
            with pytest.raises(RemoteError) as arrived:
                await client.call(unary(client, "Send"), StringValue())

    assert arrived.value.reason == "INTERNAL"
    assert "4711" not in str(broken.value)
    trailing = dict(broken.value.trailing_metadata() or ())
    assert len(str(trailing["x-aiops-trace-id"])) == 32
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 2  # one for each call
    assert all(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in errors)


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
    assert parcels.calls[0].deadline <= now + 1.05


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


async def test_a_message_over_the_limit_is_refused_by_name(installation: Installation) -> None:
    async with serving(installation, echo, ServerOptions(max_receive_bytes=1000)) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(RemoteError) as refused:
            await client.call(unary(client, "Send"), StringValue(value="x" * 2000))

    assert (refused.value.kind, refused.value.reason) == (ErrorKind.EXHAUSTED, "OVERLOADED")
    assert parcels.calls == []


async def test_a_trace_goes_on_behind_the_call(installation: Installation) -> None:
    telemetry.configure("tests")
    seen: list[str] = []

    async def note(request: StringValue, _context: Any) -> StringValue:
        seen.append(telemetry.current_trace_id())
        return request

    async with serving(installation, note) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), telemetry.span("a request", "server"):
            trace_id = telemetry.current_trace_id()
            await client.call(unary(client, "Send"), StringValue())

    assert seen == [trace_id]
    assert parcels.calls[0].correlation_id == trace_id


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


async def test_every_rpc_is_counted_by_its_outcome(installation: Installation) -> None:
    async with serving(installation, echo) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"):
            await client.call(unary(client, "Send"), StringValue())
        with pytest.raises(RemoteError):
            await client.call(unary(client, "Send"), StringValue())

    for code in ("OK", "UNAUTHENTICATED"):
        assert parcels.metrics.value("aiops_rpc_server_requests_total", method="Send", code=code) == 1
        assert parcels.metrics.value("aiops_rpc_client_requests_total", method="Send", code=code) == 1
    assert parcels.metrics.value("aiops_rpc_server_in_flight") == 0


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


def test_the_trust_file_is_plain_json(installation: Installation, tmp_path: Path) -> None:
    names = json.loads((installation.folder / "trust.json").read_text()).keys()

    assert sorted(names) == ["depot", "gateway", "parcels"]
