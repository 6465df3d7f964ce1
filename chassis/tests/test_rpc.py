"""One RPC from client to handler and back: tokens, masks and the names of errors."""

import asyncio
import logging
from typing import Any

import grpc
import pytest
from answering import SERVICE, ParcelBroken, echo, raising, serving, unary
from google.protobuf.wrappers_pb2 import StringValue

from chassis import telemetry
from chassis.errors import (
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
from chassis.testing.harness import Installation, ensure_tracing


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot", "gateway"))


async def test_a_call_knows_its_caller_its_viewer_and_its_deadline(installation: Installation) -> None:
    async with serving(installation, echo) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops") as viewer:
            answer = await client.call(unary(client, "Send"), StringValue(value="hello"), timeout_seconds=3)

        assert answer.value == "hello"
        call = parcels.calls[0]
        assert (call.caller, call.viewer, call.method) == ("gateway", viewer, "Send")
        assert call.deadline is not None
        assert 2 < call.deadline - asyncio.get_running_loop().time() < 3.2  # gRPC counts in its own clock
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
    ensure_tracing()
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


async def test_a_trace_goes_on_behind_the_call(installation: Installation) -> None:
    ensure_tracing()
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
