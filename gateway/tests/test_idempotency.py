"""Keys of writes, from the input or the header, as the services honour them."""

import re
from typing import Any

from aiops.logs.v1 import log_pb2, logs_service_pb2
from gateway.testing.harness import RunningGateway
from gateway.testing.stack import Script, Stack

SUMMARIZE = """
mutation S($input: SummarizeLogInput!) {
  summarizeLog(input: $input) {
    __typename
    ... on SummarizeLogSuccess { log { id } }
    ... on UserError { code message }
    ... on ValidationError { fields { path } }
  }
}
"""
TWO = """
mutation T($input: SummarizeLogInput!) {
  a: summarizeLog(input: $input) { ...R }
  b: summarizeLog(input: $input) { ...R }
}
fragment R on SummarizeLogResult { __typename ... on UserError { code } ... on ValidationError { fields { path } } }
"""
PASTED = {"name": "a.log", "text": "INFO started"}
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def key_of(script: Script) -> str:
    request = script.logs.requests[-1]
    assert isinstance(request, logs_service_pb2.SummarizeLogRequest)
    return request.idempotency_key


def answer(script: Script) -> None:
    log = log_pb2.Log(
        id="1", source=log_pb2.LOG_SOURCE_PASTE, state=log_pb2.LOG_STATE_RECEIVED, status=log_pb2.LOG_STATUS_OPEN
    )
    script.logs.answers["SummarizeLog"] = logs_service_pb2.SummarizeLogResponse(log=log)


async def log_count(gateway: RunningGateway, token: str) -> int:
    data = await gateway.data("{ logs { nodes { id } } }", token=token)
    nodes: list[Any] = data["logs"]["nodes"]
    return len(nodes)


async def test_key_comes_from_the_input_then_the_header_then_nowhere(script: Script) -> None:
    answer(script)
    token, header = script.token(), "header-key-0123456789"

    await script.gateway.post(
        SUMMARIZE, {"input": {**PASTED, "idempotencyKey": "input-key-0123456789"}}, token=token, idempotency_key=header
    )
    from_input = key_of(script)
    await script.gateway.post(SUMMARIZE, {"input": PASTED}, token=token, idempotency_key=header)
    from_header = key_of(script)
    await script.gateway.post(SUMMARIZE, {"input": PASTED}, token=token)

    assert (from_input, from_header) == ("input-key-0123456789", header)
    assert UUID.match(key_of(script))


async def test_header_does_not_stand_for_two_mutations(script: Script) -> None:
    answer(script)

    body = await script.gateway.ask(
        TWO, {"input": PASTED}, token=script.token(), idempotency_key="header-key-0123456789"
    )

    refused = {
        "__typename": "ValidationError",
        "code": "IDEMPOTENCY_KEY_INVALID",
        "fields": [{"path": "idempotencyKey"}],
    }
    assert body["data"] == {"a": refused, "b": refused}
    assert script.logs.calls == {}


async def test_same_key_repeats_the_answer_and_not_the_effect(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        key = "my-key-0123456789"

        first = await gateway.ask(SUMMARIZE, {"input": PASTED}, token=admin.token, idempotency_key=key)
        again = await gateway.ask(SUMMARIZE, {"input": PASTED}, token=admin.token, idempotency_key=key)
        other = await gateway.ask(
            SUMMARIZE, {"input": {**PASTED, "name": "b.log"}}, token=admin.token, idempotency_key=key
        )

        assert again["data"] == first["data"]
        assert other["data"]["summarizeLog"]["__typename"] == "ConflictError"
        assert other["data"]["summarizeLog"]["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert await log_count(gateway, admin.token) == 1


async def test_short_key_is_refused_by_name(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        result = await gateway.mutate("summarizeLog", "log { id }", token=admin.token, **PASTED, idempotencyKey="short")

        assert (result["__typename"], result["code"]) == ("ValidationError", "IDEMPOTENCY_KEY_INVALID")
        assert [field["path"] for field in result["fields"]] == ["idempotencyKey"]
        assert await log_count(gateway, admin.token) == 0


async def test_stale_version_changes_nothing(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        log = (await gateway.mutate("summarizeLog", "log { id version }", token=admin.token, **PASTED))["log"]
        target = {"logId": log["id"], "expectedVersion": log["version"] + 100}

        stale = await gateway.mutate("updateLog", "log { id }", token=admin.token, **target, tags=["late"])
        unknown = await gateway.mutate(
            "updateLog",
            "log { id }",
            token=admin.token,
            logId="0198c0de-0000-7000-8000-000000000001",
            expectedVersion=1,
            tags=["late"],
        )
        now = await gateway.data("query($id: ID!) { log(id: $id) { tags } }", {"id": log["id"]}, token=admin.token)

        assert (stale["__typename"], stale["expected"]) == ("VersionConflictError", log["version"] + 100)
        assert (unknown["__typename"], unknown["code"]) == ("NotFoundError", "LOG_NOT_FOUND")
        assert now == {"log": {"tags": []}}
