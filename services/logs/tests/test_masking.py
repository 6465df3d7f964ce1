"""What leaves logs by ways round the table: histories and replayed answers, for nobody but people who read logs."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from services.logs.tests.factories import Summarize

from aiops.common.v1.page_pb2 import PageRequest
from aiops.history.v1 import history_service_pb2 as history_pb
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceStub
from aiops.logs.v1 import logs_service_pb2 as pb
from chassis.errors import RemoteError
from chassis.ids import uuid7
from chassis.rpc.client import Client
from chassis.testing.harness import Installation

if TYPE_CHECKING:
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub

TEXT = "2026-01-04T10:00:00Z INFO [web] request served\n"
KEY = "key-0000000000000001"


async def asked(client: Client, method: str, **fields: Any) -> Any:
    request = getattr(history_pb, f"{method}Request")(kind="log", **fields)
    return await client.call(getattr(HistoryServiceStub(client.channel), method), request)


async def test_a_history_is_read_by_whoever_reads_the_log(
    summarize: Summarize, client: Client, installation: Installation, logs: "LogsServiceAsyncStub"
) -> None:
    with installation.as_viewer("ops"):
        log = await summarize(TEXT, key=KEY, name="web.log")
        change = pb.UpdateLogRequest(idempotency_key=KEY, log_id=log.id, expected_version=1, notes="look")
        await client.call(logs.UpdateLog, change)
        listed = (await asked(client, "ListChanges", id=log.id, page=PageRequest(first=1, after="1"))).changes
        before = json.loads((await asked(client, "GetState", id=log.id, version=1)).state_json)

    refusals = []
    for viewer in ({"role": "hr"}, {"kind": "service_account", "scopes": ["logs:write"]}):
        for method, moment in (("GetState", {"version": 1}), ("ListChanges", {"page": PageRequest(first=10)})):
            with installation.as_viewer(**viewer), pytest.raises(RemoteError) as refused:
                await asked(client, method, id=log.id, **moment)
            refusals.append(refused.value.reason)

    (only,) = listed
    assert (only.version, only.event, only.reason) == (2, "LogUpdated", "UpdateLog")
    assert [(each.op, each.path, each.value_json, each.previous_json) for each in only.operations] == [
        ("replace", "/notes", '"look"', '""')
    ]
    assert (before["name"], before["notes"]) == ("web.log", "")
    assert refusals == ["HISTORY_NOT_FOUND"] * 2 + ["FORBIDDEN"] * 2


async def test_a_key_of_an_admin_opens_nothing_for_others(
    summarize: Summarize, client: Client, installation: Installation, logs: "LogsServiceAsyncStub"
) -> None:
    """Idempotency keys belong to whoever used them: for another person the same key is a new request, or none."""
    owner = uuid7()
    with installation.as_viewer("admin", viewer_id=owner):
        first = await summarize(TEXT, key=KEY)
        again = await summarize(TEXT, key=KEY)

    reasons = []
    for viewer_id in (uuid7(), owner):
        with installation.as_viewer("hr", viewer_id=viewer_id), pytest.raises(RemoteError) as refused:
            await summarize(TEXT, key=KEY)
        reasons.append((refused.value.reason, refused.value.metadata))
    with installation.as_viewer("ops"):
        other = await summarize(TEXT, key=KEY)

    assert again == first
    assert reasons == [("FORBIDDEN", {"operation": "SummarizeLog"})] * 2
    assert other.id != first.id
