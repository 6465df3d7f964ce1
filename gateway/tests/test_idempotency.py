"""Keys of writes, from the input or the header, as the services honour them."""

import asyncio
import re
from typing import Any

import pytest

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
REFUSED = "fragment R on SummarizeLogResult { __typename ... on UserError { code } "
REFUSED += "... on ValidationError { fields { path } } }"
IN_FRAGMENTS = (
    """
mutation T($input: SummarizeLogInput!) { ...One ... on Mutation { b: summarizeLog(input: $input) { ...R } } }
fragment One on Mutation { a: summarizeLog(input: $input) { ...R } }
"""
    + REFUSED
)
KEYED_TWICE = (
    """
mutation T {
  a: summarizeLog(input: {name: "a.log", text: "a", idempotencyKey: "key-of-a-0123456789"}) { ...R }
  b: summarizeLog(input: {name: "b.log", text: "b", idempotencyKey: "key-of-b-0123456789"}) { ...R }
}
"""
    + REFUSED
)
ONE_IN_FRAGMENT = (
    """
mutation T($input: SummarizeLogInput!) { __typename ...One ...One }
fragment One on Mutation { a: summarizeLog(input: $input) { ...R } }
"""
    + REFUSED
)
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


@pytest.mark.parametrize("document", [TWO, IN_FRAGMENTS, KEYED_TWICE], ids=["aliases", "fragments", "own keys"])
async def test_header_does_not_stand_for_two_mutations(script: Script, document: str) -> None:
    answer(script)

    body = await script.gateway.ask(
        document, {"input": PASTED}, token=script.token(), idempotency_key="header-key-0123456789"
    )

    refused = {
        "__typename": "ValidationError",
        "code": "IDEMPOTENCY_KEY_INVALID",
        "fields": [{"path": "idempotencyKey"}],
    }
    assert body["data"] == {"a": refused, "b": refused}
    assert script.logs.calls == {}


async def test_header_stands_for_the_one_mutation_of_a_fragment(script: Script) -> None:
    answer(script)

    await script.gateway.ask(
        ONE_IN_FRAGMENT, {"input": PASTED}, token=script.token(), idempotency_key="header-key-0123456789"
    )

    assert key_of(script) == "header-key-0123456789"


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
        assert other["data"]["summarizeLog"]["__typename"] == "IdempotencyKeyReused"
        assert other["data"]["summarizeLog"]["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert await log_count(gateway, admin.token) == 1


async def test_sixteen_at_once_with_one_key_are_one_effect_and_one_answer(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        upload = f"{gateway.url}/v1/logs/upload?name=b.log"
        headers = {"authorization": f"Bearer {admin.token}", "idempotency-key": "upload-key-0123456789"}

        pasted = await asyncio.gather(
            *(
                gateway.ask(SUMMARIZE, {"input": PASTED}, token=admin.token, idempotency_key="paste-key-0123456789")
                for _ in range(16)
            )
        )
        uploaded = await asyncio.gather(
            *(gateway.client.post(upload, content=b"INFO up", headers=headers) for _ in range(16))
        )

        assert {body["data"]["summarizeLog"]["__typename"] for body in pasted} == {"SummarizeLogSuccess"}
        assert len({body["data"]["summarizeLog"]["log"]["id"] for body in pasted}) == 1
        # Sixteen files at once may be more than are taken at once: those come again, and find the same log.
        assert {response.status_code for response in uploaded} - {429} == {202}
        again = await gateway.client.post(upload, content=b"INFO up", headers=headers)
        stored = [response for response in [*uploaded, again] if response.status_code == 202]
        assert len({response.json()["log"]["id"] for response in stored}) == 1
        assert await log_count(gateway, admin.token) == 2


async def test_repeated_answer_is_masked_for_the_role_of_now(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        person = await stack.join(gateway, admin, "eve@example.com", "ADMIN")
        given = {
            "title": "Printer",
            "message": "",
            "reporter": {"externalName": "Tom", "externalEmail": "tom@example.org"},
            "idempotencyKey": "ticket-key-0123456789",
        }
        selection = "ticket { id version reporter { externalName externalEmail } }"
        first = await gateway.mutate("createTicket", selection, token=person.token, **given)
        await gateway.mutate(
            "setUserRole", "user { id }", token=admin.token, userId=person.id, expectedVersion=2, role="OPS"
        )
        person = await stack.log_in(gateway, "eve@example.com")

        again = await gateway.mutate("createTicket", selection, token=person.token, **given)

        assert first["ticket"]["reporter"] == {"externalName": "Tom", "externalEmail": "tom@example.org"}
        assert again["ticket"]["id"] == first["ticket"]["id"]
        assert again["ticket"]["reporter"] == {"externalName": "Tom", "externalEmail": None}


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

        assert (stale["__typename"], stale["expected"]) == ("VersionConflict", log["version"] + 100)
        assert (unknown["__typename"], unknown["code"]) == ("NotFoundError", "LOG_NOT_FOUND")
        assert now == {"log": {"tags": []}}
