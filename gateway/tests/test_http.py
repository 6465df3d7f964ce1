"""GraphQL over HTTP: what is taken, what is refused, and what every answer carries."""

import gzip
import logging
import re
from typing import Any

import pytest

from aiops.auth.v1 import auth_service_pb2
from aiops.auth.v1.user_pb2 import USER_STATUS_ACTIVE, User
from gateway.testing.stack import Script

TRACE_ID = re.compile(r"^[0-9a-f]{32}$")
JSON_TYPE = "application/json; charset=utf-8"


async def test_every_answer_carries_the_trace_id_in_header_and_body(script: Script) -> None:
    parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

    response = await script.gateway.post("{ __typename }", traceparent=parent)

    assert response.json() == {
        "data": {"__typename": "Query"},
        "extensions": {"traceId": "0123456789abcdef0123456789abcdef"},
    }
    assert response.headers["x-aiops-trace-id"] == "0123456789abcdef0123456789abcdef"
    assert (response.status_code, response.headers["content-type"]) == (200, JSON_TYPE)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_types_that_a_foreign_page_can_send_are_refused(script: Script, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}

    response = await script.gateway.client.post(
        f"{script.gateway.url}/graphql", content=b'{"query": "{ __typename }"}', headers=headers
    )

    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_get_executes_nothing(script: Script) -> None:
    response = await script.gateway.client.get(f"{script.gateway.url}/graphql", params={"query": "{ __typename }"})

    assert response.status_code == 405
    assert "data" not in response.text


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b'[{"query": "{ __typename }"}]', "body"),
        (b'"{ __typename }"', "query"),
        (b"{}", "query"),
        (b'{"query": 1}', "query"),
        (b'{"query": "{ __typename }", "variables": []}', "variables"),
        (b'{"query": "{ __typename }", "operationName": 1}', "operationName"),
        (b'{"query": "{ __typename }", "extensions": "x"}', "extensions"),
    ],
)
async def test_malformed_request_is_told_which_part(script: Script, content: bytes, field: str) -> None:
    response = await script.gateway.client.post(
        f"{script.gateway.url}/graphql", content=content, headers={"content-type": "application/json"}
    )

    (error,) = response.json()["errors"]
    assert response.status_code == 400
    assert (error["extensions"]["code"], error["extensions"]["metadata"]) == ("INVALID_ARGUMENT", {"field": field})


async def test_body_over_the_limit_is_refused_announced_or_not(script: Script) -> None:
    url, large = f"{script.gateway.url}/graphql", b'{"query": "' + b" " * 1_500_000 + b'{ __typename }"}'

    async def unannounced() -> Any:
        yield large

    headers = {"content-type": "application/json"}
    announced = await script.gateway.client.post(url, content=large, headers=headers)
    streamed = await script.gateway.client.post(url, content=unannounced(), headers=headers)

    for response in (announced, streamed):
        assert response.status_code == 413
        assert response.json()["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE"


async def test_body_at_the_limit_is_taken(script: Script) -> None:
    text = b'{"query": "{ __typename }", "variables": {"x": "'
    content = text + b"a" * (1_500_000 - len(text) - 3) + b'"}}'

    response = await script.gateway.client.post(
        f"{script.gateway.url}/graphql", content=content, headers={"content-type": "application/json"}
    )

    assert (len(content), response.status_code) == (1_500_000, 200)


async def test_compressed_body_is_not_unfolded(script: Script) -> None:
    response = await script.gateway.client.post(
        f"{script.gateway.url}/graphql",
        content=gzip.compress(b'{"query": "{ __typename }"}'),
        headers={"content-type": "application/json", "content-encoding": "gzip"},
    )

    assert response.status_code == 400


async def test_media_type_of_graphql_gets_statuses_that_tell(script: Script) -> None:
    accept = "application/graphql-response+json"

    fine = await script.gateway.post("{ __typename }", accept=accept)
    broken = await script.gateway.post("{", accept=accept)
    plain = await script.gateway.post("{")
    variables = await script.gateway.post(
        "query($i: Int!) { users(first: $i) { nodes { id } } }", {"i": "x"}, token=script.token(), accept=accept
    )

    assert (fine.status_code, fine.headers["content-type"]) == (200, f"{accept}; charset=utf-8")
    assert [response.status_code for response in (broken, plain, variables)] == [400, 200, 400]
    assert all("data" not in response.json() for response in (broken, plain, variables))


async def test_subscription_over_http_is_sent_to_the_socket(script: Script) -> None:
    body = await script.gateway.ask("subscription { logUpdates(logId: 1) { id } }", token=script.token())

    assert body["errors"][0]["message"] == ("subscriptions go over WebSocket, with the protocol graphql-transport-ws")


async def test_answer_is_executed_for_the_named_operation(script: Script) -> None:
    script.auth.answers["GetMe"] = auth_service_pb2.GetMeResponse(
        user=User(id="1", display_name="Ada", status=USER_STATUS_ACTIVE)
    )
    document = "query A { a: __typename } query B { me { displayName } }"

    response = await script.gateway.client.post(
        f"{script.gateway.url}/graphql",
        json={"query": document, "operationName": "B"},
        headers={"authorization": f"Bearer {script.token()}"},
    )

    assert response.json()["data"] == {"me": {"displayName": "Ada"}}


async def test_defect_outside_of_resolvers_is_logged_once_and_says_nothing(
    script: Script, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall_over(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("gateway.transports.http._parameters", fall_over)
    with caplog.at_level(logging.ERROR):
        response = await script.gateway.post("{ __typename }")

    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL")
    assert response.json()["trace_id"] == response.headers["x-aiops-trace-id"]
    assert "hunter2" not in response.text
    assert [record.name for record in caplog.records] == ["gateway.process"]


async def test_write_leaves_one_line_with_nothing_that_was_sent(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    document = 'mutation Sesame { logIn(input: {email: "ada@example.com", password: "hunter2"}) { __typename } }'

    with caplog.at_level(logging.DEBUG, "gateway.operations"):
        await script.gateway.post("{ __typename }")
        await script.gateway.post(document)

    lines = [record for record in caplog.records if record.name == "gateway.operations"]
    assert [(line.levelname, line.getMessage(), line.__dict__["fields"], line.__dict__["codes"]) for line in lines] == [
        ("DEBUG", "query answered", ["__typename"], []),
        ("INFO", "mutation answered", ["logIn"], ["INTERNAL"]),
    ]
    assert not any(sent in str(vars(line)) for line in lines for sent in ("hunter2", "ada@", "Sesame"))


async def test_health_and_metrics_are_on_a_port_of_their_own(script: Script) -> None:
    client, inside, outside = script.gateway.client, script.gateway.operations_url, script.gateway.url
    await script.gateway.data("{ __typename }")

    metrics = await client.get(f"{inside}/metrics")

    assert (await client.get(f"{inside}/healthz")).text == "ok"
    assert 'aiops_gateway_operations_total{outcome="ok",type="query"} 1.0' in metrics.text
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await client.get(f"{outside}{path}")).status_code == 404


async def test_no_service_means_not_ready(script: Script) -> None:
    # The scripted services have no health service: nobody answers the probe.
    response = await script.gateway.client.get(f"{script.gateway.operations_url}/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["services"] == "no service can be reached; start them, or set AIOPS_*_TARGET"
