"""What a gateway answers when more is asked of it than it takes: at once, and when to come back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from aiops.auth.v1 import auth_service_pb2
from aiops.logs.v1 import log_pb2, logs_service_pb2
from aiops.tickets.v1 import tickets_service_pb2
from chassis.errors import Overloaded
from gateway.context import Caller
from gateway.testing.harness import Watcher
from gateway.testing.stack import Script
from gateway.trusted import Asked

StartScript = Callable[..., AbstractAsyncContextManager[Script]]

TICKETS = "{ tickets { nodes { id } } }"


def answer_slowly(script: Script, seconds: float = 0.6) -> None:
    script.tickets.answers["ListTickets"] = tickets_service_pb2.ListTicketsResponse()
    log = log_pb2.Log(id="1", state=log_pb2.LOG_STATE_RECEIVED, status=log_pb2.LOG_STATUS_OPEN)
    script.logs.answers["UploadLog"] = logs_service_pb2.UploadLogResponse(log=log)
    script.tickets.delay_seconds = script.logs.delay_seconds = seconds


async def ask(script: Script, times: int, accept: str = "application/json") -> list[httpx.Response]:
    asked = (script.gateway.post(TICKETS, token=script.token(), accept=accept) for _ in range(times))
    return list(await asyncio.gather(*asked))


async def upload(script: Script, content: Any = b"INFO a\n") -> httpx.Response:
    url, headers = f"{script.gateway.url}/v1/logs/upload?name=a.log", {"authorization": f"Bearer {script.token()}"}
    return await script.gateway.client.post(url, content=content, headers=headers)


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_operations_on_top_are_answered_with_429_and_when_to_come_back(
    start_script: StartScript, accept: str
) -> None:
    async with start_script(max_requests=2) as script:
        answer_slowly(script)

        responses = await ask(script, 20, accept)

        shed = [response for response in responses if response.status_code == 429]
        assert Counter(response.status_code for response in responses) == {200: 2, 429: 18}
        assert script.tickets.calls["ListTickets"] == 2
        assert {response.headers["retry-after"] for response in shed} == {"1"}
        assert [error["extensions"] | {"traceId": ""} for error in shed[0].json()["errors"]] == [
            {"code": "OVERLOADED", "traceId": "", "metadata": {"retry_after_seconds": "1"}}
        ]
        assert "data" not in shed[0].json()
        assert script.gateway.gateway.metrics.value("aiops_shed_total", limiter="requests") == 18


async def test_uploads_take_no_place_from_operations_nor_the_reverse(start_script: StartScript) -> None:
    async with start_script(max_requests=2, max_uploads=1) as script:
        answer_slowly(script)

        uploads, responses = await asyncio.gather(asyncio.gather(*(upload(script) for _ in range(3))), ask(script, 2))

        shed = [response for response in uploads if response.status_code == 429]
        assert Counter(response.status_code for response in uploads) == {202: 1, 429: 2}
        assert [response.status_code for response in responses] == [200, 200]
        assert (shed[0].headers["retry-after"], shed[0].json()["code"]) == ("1", "OVERLOADED")


async def test_senders_that_trickle_hold_up_no_operation(start_script: StartScript) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b'{"query": '
        await asyncio.sleep(1.0)
        yield b'"{ __typename }"}'

    async with start_script(max_requests=1) as script:
        url, headers = f"{script.gateway.url}/graphql", {"content-type": "application/json"}
        slow = asyncio.gather(*(script.gateway.client.post(url, content=trickle(), headers=headers) for _ in range(10)))
        await asyncio.sleep(0.2)

        response = await script.gateway.post("{ __typename }")

        assert (response.status_code, slow.done()) == (200, False)
        await slow


async def test_probes_are_answered_by_a_full_gateway(start_script: StartScript) -> None:
    async with start_script(max_requests=1) as script:
        answer_slowly(script)
        full = asyncio.gather(ask(script, 5))
        await asyncio.sleep(0.2)

        live = await script.gateway.client.get(f"{script.gateway.operations_url}/healthz")

        assert (live.status_code, full.done()) == (200, False)
        await full


async def test_session_on_top_is_answered_with_429(start_script: StartScript) -> None:
    async with start_script(max_requests=1) as script:
        answer_slowly(script)
        script.auth.answers["LogIn"] = auth_service_pb2.LogInResponse()
        full = asyncio.gather(ask(script, 5))
        await asyncio.sleep(0.05)

        response = await script.gateway.client.post(
            f"{script.gateway.url}/v1/session",
            json={"email": "ada@example.com", "password": "correct horse battery"},
            headers={"x-aiops-csrf": "1"},
        )
        await full

        assert (response.status_code, response.headers["retry-after"]) == (429, "1")
        assert response.json()["retryAfterSeconds"] == 1
        assert script.auth.calls == {}


async def test_operation_over_websocket_is_refused_by_name(start_script: StartScript) -> None:
    async with start_script(max_requests=1) as script, Watcher.connected(script.gateway, script.token()) as watcher:
        await watcher.receive()
        answer_slowly(script)
        full = asyncio.gather(ask(script, 5))
        await asyncio.sleep(0.05)

        await watcher.subscribe(TICKETS)
        answer = await watcher.receive()
        await full

        assert answer["type"] == "error"
        assert [error["extensions"]["code"] for error in answer["payload"]] == ["OVERLOADED"]


@pytest.mark.parametrize(
    ("query", "status", "codes"),
    [
        (TICKETS, 429, ["OVERLOADED"]),
        ("{ tickets { nodes { id } } __typename }", 200, ["OVERLOADED"]),
        ("{ tickets { nodes { id } } logs { nodes { id } } }", 200, ["INTERNAL", "OVERLOADED"]),
    ],
    ids=["all of it", "part of it", "beside another failure"],
)
async def test_service_that_sheds_makes_429_only_where_nothing_else_is_in_the_answer(
    script: Script, query: str, status: int, codes: list[str]
) -> None:
    script.tickets.answers["ListTickets"] = Overloaded(retry_after_seconds=7)

    response = await script.gateway.post(query, token=script.token())

    assert response.status_code == status
    assert response.headers.get("retry-after") == ("7" if status == 429 else None)
    assert sorted(error["extensions"]["code"] for error in response.json()["errors"]) == codes
    assert response.json()["data"]["tickets"] is None


async def test_answer_that_is_read_slowly_over_a_socket_holds_no_place(script: Script) -> None:
    gateway = script.gateway.gateway
    answers = gateway.operations.stream(Asked("{ __typename }"), None, None, Caller())

    answer = await anext(answers)

    assert answer.data == {"__typename": "Query"}
    assert gateway.metrics.value("aiops_limiter_in_use", limiter="requests") == 0
    await answers.aclose()
