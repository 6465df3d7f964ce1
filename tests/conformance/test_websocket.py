"""graphql-transport-ws, by npm's graphql-ws and, where that client would never misbehave, by sockets of npm's ws."""

import json
from typing import TYPE_CHECKING

import pytest

from aiops.logs.v1 import log_pb2, logs_service_pb2

if TYPE_CHECKING:
    from tests.conformance.conftest import Front, RunNode

pytestmark = pytest.mark.timeout(300)  # the first test installs the packages

LOG_ID = "0198c0de-0000-7000-8000-000000000001"
UPDATES = "subscription Updates($id: ID!) { logUpdates(logId: $id) { id version name } }"
WATCH = f'subscription {{ logUpdates(logId: "{LOG_ID}") {{ id }} }}'


@pytest.fixture
def watched(front: "Front") -> "Front":
    """One log that can be watched."""
    log = log_pb2.Log(
        id=LOG_ID,
        version=3,
        name="web.log",
        source=log_pb2.LOG_SOURCE_PASTE,
        state=log_pb2.LOG_STATE_RECEIVED,
        status=log_pb2.LOG_STATUS_OPEN,
    )
    front.services["logs"].answers["BatchGetLogs"] = logs_service_pb2.BatchGetLogsResponse(logs=[log])
    return front


async def test_client_is_acknowledged_and_gets_items(watched: "Front", run_node: "RunNode") -> None:
    arguments = (watched.gateway.websocket_url, watched.token, UPDATES, json.dumps({"id": LOG_ID}), "1")

    items = await run_node("subscribe.mjs", *arguments)

    assert [item["data"] for item in items] == [{"logUpdates": {"id": LOG_ID, "version": 3, "name": "web.log"}}]


async def test_each_breach_of_the_protocol_ends_with_its_code(watched: "Front", run_node: "RunNode") -> None:
    told = await run_node("close_codes.mjs", watched.gateway.websocket_url, watched.token, WATCH)

    assert {story: end["code"] for story, end in told.items()} == {
        "noJson": 4400,
        "unknownType": 4400,
        "subscribeWithoutQuery": 4400,
        "queryIsNoText": 4400,
        "idIsNoText": 4400,
        "subscribeBeforeInit": 4401,
        "subscribeAfterPingBeforeInit": 4401,
        "unknownToken": 4401,
        "otherSubprotocol": 4406,
        "noSubprotocol": 4406,
        "noInit": 4408,
        "sameIdTwice": 4409,
        "initTwice": 4429,
    }
    assert told["sameIdTwice"]["reason"] == "Subscriber for 1 already exists"
    assert told["initTwice"]["reason"] == "Too many initialisation requests"
    assert told["noInit"]["reason"] == "Connection initialisation timeout"
    assert told["subscribeAfterPingBeforeInit"]["received"] == ["pong"]
    silent = ("subscribeBeforeInit", "unknownToken", "otherSubprotocol", "noSubprotocol", "noInit")
    assert {story: told[story]["received"] for story in silent} == {story: [] for story in silent}
