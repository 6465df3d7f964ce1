"""The upload door: what is stored, what is refused with which status, and that nothing is half-stored."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from aiops.logs.v1 import log_pb2, logs_service_pb2
from chassis.errors import DomainError, Forbidden, InvalidArgument, Unavailable
from gateway.doors.upload import MAX_LOG_BYTES
from gateway.testing.harness import RunningGateway
from gateway.testing.stack import Script, Stack

LINES = b"2026-03-01T10:00:00Z INFO web started\n2026-03-01T10:00:01Z ERROR db connection refused\n"


async def upload(
    gateway: RunningGateway, token: str, content: Any, *, query: str = "name=app.log", **headers: str
) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["authorization"] = f"Bearer {token}"
    return await gateway.client.post(f"{gateway.url}/v1/logs/upload?{query}", content=content, headers=sent)


def stored(script: Script) -> bytes:
    requests = [each for each in script.logs.requests if isinstance(each, logs_service_pb2.UploadLogRequest)]
    return b"".join(request.chunk for request in requests)


def header(script: Script) -> logs_service_pb2.UploadLogHeader:
    first = script.logs.requests[0]
    assert isinstance(first, logs_service_pb2.UploadLogRequest)
    return first.header


def accept(script: Script) -> None:
    log = log_pb2.Log(id="1", state=log_pb2.LOG_STATE_RECEIVED, status=log_pb2.LOG_STATUS_OPEN)
    script.logs.answers["UploadLog"] = logs_service_pb2.UploadLogResponse(log=log)


async def test_file_becomes_a_log_and_its_summary_follows(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        response = await upload(gateway, admin.token, LINES, query="name=app.log&service=web")

        body = response.json()
        assert (response.status_code, response.headers["content-type"]) == (202, "application/json")
        assert body["trace_id"] == response.headers["x-aiops-trace-id"]
        assert body["log"] | {"id": "", "created_at": ""} == {
            "id": "",
            "version": 1,
            "name": "app.log",
            "service": "web",
            "state": "RECEIVED",
            "status": "OPEN",
            "record_count": 2,
            "line_count": 2,
            "byte_count": len(LINES),
            "created_at": "",
        }
        query = "query($id: ID!) { log(id: $id) { source recordCount } }"
        log = await gateway.data(query, {"id": body["log"]["id"]}, token=admin.token)
        assert log == {"log": {"source": "UPLOAD", "recordCount": 2}}


async def test_gzip_and_plain_are_one_log_under_one_key(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        key = {"idempotency_key": "upload-key-0123456789"}

        plain = await upload(gateway, admin.token, LINES, **key)
        zipped = await upload(gateway, admin.token, gzip.compress(LINES), content_encoding="gzip", **key)
        other = await upload(gateway, admin.token, LINES + b"more\n", **key)

        assert (plain.status_code, zipped.status_code) == (202, 202)
        assert zipped.json()["log"]["id"] == plain.json()["log"]["id"]
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert len((await gateway.data("{ logs { nodes { id } } }", token=admin.token))["logs"]["nodes"]) == 1


async def test_machine_with_the_scope_may_upload(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        made = await gateway.mutate(
            "createApiToken", "token", token=admin.token, serviceAccountName="fluent-bit", scopes=["logs:write"]
        )
        other = await gateway.mutate(
            "createApiToken", "token", token=admin.token, serviceAccountName="argo", scopes=["changes:write"]
        )

        allowed = await upload(gateway, made["token"], LINES)
        refused = await upload(gateway, other["token"], LINES)

        assert allowed.status_code == 202
        assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "LOG_EMPTY"),
        (b"\n \n", 400, "LOG_EMPTY"),
        (b"\x7fELF\x02\x01\x01" + bytes(2_000), 415, "LOG_NOT_TEXT"),
    ],
)
async def test_what_is_no_log_is_refused_by_name_and_not_stored(
    stack: Stack, content: bytes, status: int, code: str
) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        response = await upload(gateway, admin.token, content)

        assert (response.status_code, response.json()["code"]) == (status, code)
        assert (await gateway.data("{ logs { nodes { id } } }", token=admin.token)) == {"logs": {"nodes": []}}


BLOCK = b"2026-03-01T10:00:00Z INFO web request served in 12 ms\n" * 20_000
BLOCKS_OF_60_MB = 60_000_000 // len(BLOCK) + 1


async def test_sixty_megabytes_are_refused_by_their_announcement_and_not_stored(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        response = await upload(gateway, admin.token, BLOCK * BLOCKS_OF_60_MB)

        assert (response.status_code, response.json()["code"]) == (413, "LOG_TOO_LARGE")
        assert response.headers["content-type"] == "application/problem+json"
        assert (await gateway.data("{ logs { nodes { id } } }", token=admin.token)) == {"logs": {"nodes": []}}


async def test_sixty_megabytes_without_announcement_are_refused_at_the_limit(script: Script) -> None:
    accept(script)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(BLOCKS_OF_60_MB):
            yield BLOCK

    response = await upload(script.gateway, script.token(), unannounced())

    assert (response.status_code, response.json()["code"]) == (413, "LOG_TOO_LARGE")
    assert len(stored(script)) <= MAX_LOG_BYTES
    assert script.logs.calls["UploadLog"] == 0


async def test_gzip_bomb_is_refused_where_it_passes_the_limit(script: Script) -> None:
    accept(script)
    bomb = gzip.compress(bytes(200 * 1024 * 1024), 9)

    response = await upload(script.gateway, script.token(), bomb, content_encoding="gzip")

    assert len(bomb) < 300_000
    assert (response.status_code, response.json()["code"]) == (413, "LOG_TOO_LARGE")
    assert len(stored(script)) <= MAX_LOG_BYTES
    assert script.logs.calls["UploadLog"] == 0


async def test_file_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(script: Script) -> None:
    accept(script)
    exact = gzip.compress(b"x" * MAX_LOG_BYTES, 1)

    fits = await upload(script.gateway, script.token(), exact, content_encoding="gzip")
    over = await upload(
        script.gateway, script.token(), gzip.compress(b"x" * (MAX_LOG_BYTES + 1), 1), content_encoding="gzip"
    )

    assert (fits.status_code, over.status_code) == (202, 413)


WHOLE = gzip.compress(LINES)


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", WHOLE[:-1], WHOLE[:10], WHOLE[:-8] + bytes(8), WHOLE + b"rest", zlib.compress(LINES)],
    ids=["empty", "plain", "cut by one byte", "header alone", "wrong checksum", "something after", "zlib"],
)
async def test_damaged_gzip_is_refused_and_never_handed_on_as_whole(script: Script, content: bytes) -> None:
    accept(script)

    response = await upload(script.gateway, script.token(), content, content_encoding="gzip")

    assert (response.status_code, response.json()["code"]) == (400, "LOG_ENCODING_INVALID")
    assert script.logs.calls["UploadLog"] == 0


async def test_gzip_of_several_members_is_unfolded_whole(script: Script) -> None:
    accept(script)

    response = await upload(script.gateway, script.token(), WHOLE + WHOLE, content_encoding="gzip")

    assert response.status_code == 202
    assert stored(script) == LINES + LINES


async def test_particulars_come_from_query_or_headers(script: Script) -> None:
    accept(script)

    await upload(
        script.gateway,
        script.token(),
        LINES,
        query="name=a%20b.log&timezone=Europe/Berlin",
        x_aiops_service="web",
        idempotency_key="upload-key-0123456789",
    )

    assert header(script) == logs_service_pb2.UploadLogHeader(
        idempotency_key="upload-key-0123456789", name="a b.log", service="web", timezone="Europe/Berlin"
    )
    assert stored(script) == LINES


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"content_type": "multipart/form-data; boundary=x"}, "curl --data-binary @FILE"),
        ({"content_encoding": "br"}, "Content-Encoding may be gzip or nothing"),
    ],
)
async def test_other_packings_are_refused_with_what_to_do(script: Script, headers: dict[str, str], detail: str) -> None:
    response = await upload(script.gateway, script.token(), LINES, **headers)

    assert (response.status_code, response.json()["code"]) == (415, "CONTENT_UNSUPPORTED")
    assert detail in response.json()["detail"]


@pytest.mark.parametrize("token", ["", "nonsense"])
async def test_without_a_token_the_body_is_not_read(script: Script, token: str) -> None:
    response = await upload(script.gateway, token, LINES)

    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    assert script.gateway.rpcs() == {}


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (InvalidArgument("the name is too long", field="name"), 400, "INVALID_ARGUMENT"),
        (Forbidden(), 403, "FORBIDDEN"),
        (Unavailable("table logs is away", dependency="postgres"), 503, "UNAVAILABLE"),
        (RuntimeError("password=hunter2"), 500, "INTERNAL"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_refusal_of_the_service_is_a_problem_document(
    script: Script, failure: DomainError, status: int, code: str
) -> None:
    script.logs.answers["UploadLog"] = failure

    response = await upload(script.gateway, script.token(), LINES)

    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert set(body) == {"type", "title", "status", "code", "detail", "trace_id"}
    assert body["trace_id"] == response.headers["x-aiops-trace-id"]
    for inside in ("postgres", "hunter2", "table logs"):
        assert inside not in json.dumps(body)


async def test_sender_that_leaves_stores_nothing(stack: Stack) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield LINES
        raise ConnectionAbortedError

    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        with pytest.raises(ConnectionAbortedError):
            await upload(gateway, admin.token, half())

        assert (await gateway.data("{ logs { nodes { id } } }", token=admin.token)) == {"logs": {"nodes": []}}
