"""graphql-transport-ws by its rules: who may connect, for how long, and with which close codes it ends."""

import asyncio
import json
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from aiops.auth.v1 import auth_service_pb2
from aiops.auth.v1.user_pb2 import USER_STATUS_ACTIVE, User
from aiops.logs.v1 import log_pb2, logs_service_pb2
from chassis.errors import Unavailable
from gateway.testing.harness import Watcher
from gateway.testing.stack import Script

LOG_ID = "0198c0de-0000-7000-8000-000000000001"
UPDATES = "subscription($id: ID!) { logUpdates(logId: $id) { id version } }"


def log(version: int = 1) -> logs_service_pb2.BatchGetLogsResponse:
    return logs_service_pb2.BatchGetLogsResponse(
        logs=[
            log_pb2.Log(
                id=LOG_ID,
                version=version,
                source=log_pb2.LOG_SOURCE_PASTE,
                state=log_pb2.LOG_STATE_RECEIVED,
                status=log_pb2.LOG_STATUS_OPEN,
            )
        ]
    )


async def test_query_and_mutation_run_over_the_socket_too(script: Script) -> None:
    script.auth.answers["GetMe"] = auth_service_pb2.GetMeResponse(
        user=User(id="1", display_name="Ada", status=USER_STATUS_ACTIVE)
    )
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        acknowledged = await watcher.receive()
        operation_id = await watcher.subscribe("{ me { displayName } }")
        payload = await watcher.next()
        complete = await watcher.receive()

    assert acknowledged == {"type": "connection_ack"}
    assert payload["data"] == {"me": {"displayName": "Ada"}}
    assert len(payload["extensions"]["traceId"]) == 32
    assert complete == {"id": operation_id, "type": "complete"}


async def test_write_over_the_socket_leaves_its_line_and_its_time(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gateway.operations"):
        async with Watcher.connected(script.gateway, script.token()) as watcher:
            await watcher.receive()
            await watcher.subscribe('mutation { logOut(input: {refreshToken: "x"}) { __typename } }')
            await watcher.next()

    lines = [record for record in caplog.records if record.name == "gateway.operations"]
    assert [(line.getMessage(), line.__dict__["fields"]) for line in lines] == [("mutation answered", ["logOut"])]
    metrics = script.gateway.gateway.metrics
    assert metrics.value("aiops_gateway_operation_duration_seconds_count", type="mutation") == 1


@pytest.mark.parametrize("token", ["", "nonsense"])
async def test_no_valid_token_no_connection(script: Script, token: str) -> None:
    async with Watcher.connected(script.gateway, token) as watcher:
        assert await watcher.close_code() == (4401, "Unauthorized")


async def test_token_may_be_spelled_as_clients_do(script: Script) -> None:
    async with Watcher.connected(script.gateway, None) as watcher:
        await watcher.send({"type": "connection_init", "payload": {"Authorization": f"bearer {script.token()}"}})

        assert await watcher.receive() == {"type": "connection_ack"}


async def test_connection_ends_with_its_token(script: Script) -> None:
    script.logs.answers["BatchGetLogs"] = log()
    async with Watcher.connected(script.gateway, script.token(seconds=4)) as watcher:
        await watcher.receive()
        await watcher.subscribe(UPDATES, id=LOG_ID)
        await watcher.next()

        assert await watcher.close_code() == (4403, "Token expired")

    assert script.gateway.gateway.change_feed.watcher_count == 0


async def test_silent_client_is_sent_away(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.transports.websocket.CONNECTION_INIT_SECONDS", 0.2)
    async with Watcher.connected(script.gateway, None) as watcher:
        assert await watcher.close_code() == (4408, "Connection initialisation timeout")


async def test_close_codes_of_the_protocol(script: Script) -> None:
    token = script.token()
    async with Watcher.connected(script.gateway, None) as watcher:
        await watcher.subscribe("{ __typename }")
        assert (await watcher.close_code())[0] == 4401
    async with Watcher.connected(script.gateway, token) as watcher:
        await watcher.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        assert (await watcher.close_code())[0] == 4429
    async with Watcher.connected(script.gateway, token) as watcher:
        await watcher.send({"type": "nonsense"})
        assert (await watcher.close_code())[0] == 4400
    async with Watcher.connected(script.gateway, token) as watcher:
        await watcher.connection.send("{")
        assert (await watcher.close_code())[0] == 4400
    script.logs.answers["BatchGetLogs"] = log()
    async with Watcher.connected(script.gateway, token) as watcher:
        message = {"id": "1", "type": "subscribe", "payload": {"query": UPDATES, "variables": {"id": LOG_ID}}}
        await watcher.send(message)
        await watcher.send(message)
        assert (await watcher.close_code())[0] == 4409


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '"\\ud800"',
        "[" * 5000 + "]" * 5000,
        '{"type": ' + "9" * 5000 + "}",
        '{"type": "complete", "id": []}',
        '{"type": "subscribe", "id": [], "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1", "payload": "x"}',
        '{"type": "subscribe", "id": "1", "payload": null}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": [1]}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "operationName": 5}}',
    ],
    ids=lambda text: text[:60],
)
async def test_message_without_the_form_of_the_protocol_ends_the_connection(
    script: Script, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        await watcher.connection.send(text)

        assert (await watcher.close_code())[0] == 4400
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("protocols", [None, [Subprotocol("graphql-ws")], [Subprotocol("graphql-sse")]])
async def test_other_protocols_are_refused(script: Script, protocols: list[Subprotocol] | None) -> None:
    async with connect(script.gateway.websocket_url, subprotocols=protocols) as connection:
        await connection.wait_closed()

    assert (connection.close_code, connection.subprotocol) == (4406, None)


async def test_eleventh_operation_of_a_connection_is_refused(script: Script) -> None:
    script.logs.answers["BatchGetLogs"] = log()
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        for _ in range(10):
            await watcher.subscribe(UPDATES, id=LOG_ID)
            await watcher.next()
        over = await watcher.subscribe(UPDATES, id=LOG_ID)

        refused = await watcher.receive()

    assert (refused["id"], refused["type"]) == (over, "error")
    assert refused["payload"][0]["message"] == "Subscription limit reached"


async def test_errors_are_masked_on_the_socket_as_well(script: Script) -> None:
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        await watcher.subscribe("{ me { id } }")
        defect = await watcher.next()
        await watcher.receive()
        await watcher.subscribe("{ lgos }")
        invalid = await watcher.receive()
        await watcher.subscribe("{")
        syntax = await watcher.receive()
        await watcher.subscribe(UPDATES, id=LOG_ID)
        stream = await watcher.receive()

    assert "secret-of-the-service" not in json.dumps([defect, invalid, syntax, stream])
    assert defect["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert invalid["payload"][0]["message"] == "Cannot query field 'lgos' on type 'Query'."
    assert invalid["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert syntax["payload"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
    assert (invalid["type"], syntax["type"]) == ("error", "error")
    assert [len(each["payload"][0]["extensions"]["traceId"]) for each in (invalid, syntax)] == [32, 32]
    assert stream["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"


async def test_unknown_log_ends_the_subscription_with_its_name(script: Script) -> None:
    script.logs.answers["BatchGetLogs"] = logs_service_pb2.BatchGetLogsResponse()
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        operation_id = await watcher.subscribe(UPDATES, id=LOG_ID)
        payload = await watcher.next()

        assert payload["errors"][0]["extensions"]["code"] == "LOG_NOT_FOUND"
        assert await watcher.receive() == {"id": operation_id, "type": "complete"}


async def test_too_large_a_message_ends_the_connection(script: Script) -> None:
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        await watcher.connection.send(" " * 1_500_001)

        assert (await watcher.close_code())[0] == 1009


async def test_service_that_is_away_pauses_a_running_subscription(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.graph.updates.RETRY_SECONDS", 0.05)
    script.logs.answers["BatchGetLogs"] = log(1)
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        await watcher.subscribe(UPDATES, id=LOG_ID)
        first = await watcher.next()
        script.logs.answers["BatchGetLogs"] = Unavailable(dependency="postgres")
        await script.gateway.gateway.change_feed.look_again()
        await asyncio.sleep(0.3)
        script.logs.answers["BatchGetLogs"] = log(2)
        second = await watcher.next()

    assert [payload["data"]["logUpdates"]["version"] for payload in (first, second)] == [1, 2]


async def test_draining_gateway_asks_its_clients_to_come_again(script: Script) -> None:
    async with Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        await script.gateway.gateway.over_websocket.close()

        assert await watcher.close_code() == (1012, "Service restart")
