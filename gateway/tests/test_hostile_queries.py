"""A hundred hostile operations and requests: each refused at once, before any service hears of it, on every transport.

What they are stands in `gateway.testing.hostile`. Each kind of limit is taken out once, to see that it is the one that
refuses them.
"""

import json
import time
from typing import Any

import pytest

from gateway.limits import MAX_CHARACTERS
from gateway.testing.harness import Watcher
from gateway.testing.hostile import IN_DEVELOPMENT, IN_PRODUCTION, JSON, OPERATIONS, REQUESTS, Operation, Request
from gateway.testing.stack import Script

ACCEPT = {"accept": "application/graphql-response+json"}
NO_RATE = {"person_rate": 0, "anonymous_rate": 0}
UNTRUSTED = "DOCUMENT_NOT_TRUSTED"
MAXIMUM_SECONDS = 1.0


async def sent(script: Script, request: Request) -> tuple[int, dict[str, Any]]:
    headers = {"content-type": JSON, **ACCEPT, "authorization": f"Bearer {script.token()}", **request.headers}
    response = await script.gateway.client.request(
        request.method,
        f"{script.gateway.url}/graphql?{request.query}",
        content=request.content,
        headers={name: value for name, value in headers.items() if value},
    )
    body: dict[str, Any] = response.json() if "json" in response.headers.get("content-type", "") else {}
    return response.status_code, body


def packed(operation: Operation) -> Request:
    body = {"query": operation.text, "variables": operation.variables, "operationName": operation.name}
    return Request(json.dumps(body).encode(), 400, operation.code)


def codes(body: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in body.get("errors", ())} or {""}


async def answers(script: Script, requests: dict[str, Request]) -> dict[str, tuple[int, set[str]]]:
    """Status and codes of each, none of which has data, asks a service or takes long."""
    found, before = {}, script.gateway.rpcs()
    for name, request in requests.items():
        started = time.monotonic()
        status, body = await sent(script, request)
        seconds = time.monotonic() - started
        assert body.get("data") is None, name
        assert script.gateway.rpcs() == before, name
        assert seconds < MAXIMUM_SECONDS, name
        found[name] = (status, codes(body))
    return found


def expected(requests: dict[str, Request]) -> dict[str, tuple[int, set[str]]]:
    return {name: (request.status, {request.code}) for name, request in requests.items()}


def differing(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: (found.get(name), wanted[name]) for name in wanted if found.get(name) != wanted[name]}


@pytest.mark.parametrize(
    ("environment", "operations"), [("production", IN_PRODUCTION), ("development", IN_DEVELOPMENT)]
)
async def test_each_operation_is_refused_and_reaches_no_service(
    start_script: Any, environment: str, operations: dict[str, Operation]
) -> None:
    requests = {name: packed(operation) for name, operation in operations.items()}
    async with start_script(environment=environment, documents="any", **NO_RATE) as script:
        found = await answers(script, requests)
        alive = await sent(script, Request(b'{"query": "{ __typename }"}', 200, ""))

    assert len(operations) > 60
    assert differing(found, expected(requests)) == {}
    assert alive[1]["data"] == {"__typename": "Query"}


async def test_where_only_trusted_documents_are_run_none_of_them_is(start_script: Any) -> None:
    requests = {name: packed(operation) for name, operation in IN_PRODUCTION.items()}
    async with start_script(documents="trusted", **NO_RATE) as script:
        found = await answers(script, requests)

    # What is too long or cannot be read has no canonical form to be known by.
    early = {name for name, request in requests.items() if found[name][1] != {UNTRUSTED}}
    assert {name: found[name] for name in early} == {name: expected(requests)[name] for name in early}
    assert {IN_PRODUCTION[name].code for name in early} == {"GRAPHQL_PARSE_FAILED", "DOCUMENT_TOO_LARGE"}
    assert all(len(IN_PRODUCTION[name].text) > MAX_CHARACTERS for name in early if "LARGE" in IN_PRODUCTION[name].code)


@pytest.mark.parametrize("environment", ["production", "development"])
async def test_each_request_is_refused_and_reaches_no_service(start_script: Any, environment: str) -> None:
    async with start_script(environment=environment, documents="any", **NO_RATE) as script:
        found = await answers(script, REQUESTS)

    assert differing(found, expected(REQUESTS)) == {}


async def test_each_operation_is_refused_over_websocket_too(start_script: Any) -> None:
    found = {}
    async with start_script(**NO_RATE) as script, Watcher.connected(script.gateway, script.token()) as watcher:
        assert (await watcher.receive())["type"] == "connection_ack"
        before = script.gateway.rpcs()
        for name, operation in IN_PRODUCTION.items():
            payload = {"query": operation.text, "variables": operation.variables, "operationName": operation.name}
            await watcher.send({"id": name, "type": "subscribe", "payload": payload})
            message = await watcher.receive()
            errors = message["payload"]["errors"] if message["type"] == "next" else message["payload"]
            found[name] = {error["extensions"]["code"] for error in errors}
            if message["type"] == "next":
                assert not message["payload"].get("data"), name
                assert (await watcher.receive())["type"] == "complete"
        after = script.gateway.rpcs()

    assert differing(found, {name: {operation.code} for name, operation in IN_PRODUCTION.items()}) == {}
    assert after == before


CONTROLS = {
    "gateway.limits.MAX_DEPTH": (100, "levels of fields"),
    "gateway.limits.MAX_ALIASES": (100, "aliases"),
    "gateway.limits.MAX_DIRECTIVES": (100, "skip and include"),
    "gateway.documents.MAX_TOKENS": (100_000, "comments as tokens"),
    "gateway.limits.MAX_CHARACTERS": (10_000_000, "a long comment"),
    "gateway.documents.VALIDATION_RULES": ((), "fragments that nobody uses"),
    "gateway.cost.max": (lambda *numbers: numbers[-1], "a large page beside one below nothing"),
    "gateway.limits.NoIntrospection.enter_field": (lambda *_: None, "introspection"),
}


@pytest.mark.parametrize("limit", CONTROLS)
async def test_control_without_its_limit_an_operation_is_run(
    start_script: Any, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    without, name = CONTROLS[limit]
    monkeypatch.setattr(limit, without, raising=limit != "gateway.cost.max")

    async with start_script(max_cost=100_000, **NO_RATE) as script:
        before = script.gateway.rpcs()
        _, body = await sent(script, packed(IN_PRODUCTION[name]))
        asked = script.gateway.rpcs() != before

    assert asked or body.get("data"), body
    assert IN_PRODUCTION[name].code not in codes(body)


async def test_control_without_a_limit_of_cost_a_large_page_is_asked_for(start_script: Any) -> None:
    costly = {name: each for name, each in OPERATIONS.items() if each.code == "QUERY_TOO_COSTLY"}
    asked = {}
    async with start_script(max_cost=1_000_000, **NO_RATE) as script:
        script.gateway.gateway.operations._max_cost = 10**80
        for name in set(costly) - {"doubling pages"}:  # which would take for ever
            before = script.gateway.rpcs()
            await sent(script, packed(costly[name]))
            asked[name] = script.gateway.rpcs() != before

    assert asked["a large page"]
    assert asked["pages in pages"]
    assert asked["commits"]
