"""Files that come in as a stream: whole or not at all, wherever they are cut."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest
from services.logs.tests.factories import Published

from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.log_pb2 import LogSource
from chassis.db import Database
from chassis.errors import ErrorKind, RemoteError
from chassis.rpc.client import Client
from chassis.testing.harness import Installation
from logs_service.tables import LOG_PATTERNS, LOG_RECORDS, LOGS

if TYPE_CHECKING:
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub

KEY = "key-0000000000000001"


@pytest.fixture(autouse=True)
def ops(installation: Installation, request: pytest.FixtureRequest) -> object:
    """Calls are made for a person of ops, where a test does not say otherwise."""
    with installation.as_viewer("ops") as viewer:
        yield viewer


async def upload_of(*chunks: bytes, key: str = KEY, name: str = "big.log") -> AsyncIterator[pb.UploadLogRequest]:
    yield pb.UploadLogRequest(header=pb.UploadLogHeader(idempotency_key=key, name=name))
    for chunk in chunks:
        yield pb.UploadLogRequest(chunk=chunk)


async def test_an_uploaded_file_is_a_log_wherever_its_chunks_are_cut(
    client: Client, logs: "LogsServiceAsyncStub", database: Database
) -> None:
    content = "".join(f"2026-01-04T10:00:00Z INFO line number {n} ärger\n" for n in range(500)).encode()
    chunks = [content[start : start + 7] for start in range(0, len(content), 7)]

    log = (await client.stream(logs.UploadLog, upload_of(*chunks))).log

    assert (log.source, log.record_count, log.line_count, log.byte_count) == (
        LogSource.LOG_SOURCE_UPLOAD, 500, 500, len(content),
    )  # fmt: skip
    async with database.read() as tx:
        rows = await tx.fetch_all(LOG_RECORDS.select().order_by(LOG_RECORDS.c.id))
    assert [row.body for row in rows] == [f"line number {n} ärger" for n in range(500)]
    assert [row.line_number for row in rows] == list(range(1, 501))


async def test_a_repeated_upload_gives_the_first_answer(
    client: Client, logs: "LogsServiceAsyncStub", database: Database
) -> None:
    first = await client.stream(logs.UploadLog, upload_of(b"one line\n", b"another\n"))

    again = await client.stream(logs.UploadLog, upload_of(b"one li", b"ne\nanother\n"))

    assert again == first
    async with database.read() as tx:
        assert len(await tx.fetch_all(LOGS.select())) == 1


@pytest.mark.parametrize("other", [{"name": "other.log"}, {"chunk": b"another line\n"}])
async def test_a_repeated_key_with_another_upload_is_refused(
    client: Client, logs: "LogsServiceAsyncStub", database: Database, other: dict[str, object]
) -> None:
    await client.stream(logs.UploadLog, upload_of(b"one line\n"))

    with pytest.raises(RemoteError) as refused:
        await client.stream(
            logs.UploadLog,
            upload_of(bytes(other.get("chunk", b"one line\n")), name=str(other.get("name", "big.log"))),  # type: ignore[call-overload]
        )

    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"
    async with database.read() as tx:
        assert len(await tx.fetch_all(LOGS.select())) == 1


async def too_large() -> AsyncIterator[pb.UploadLogRequest]:
    async for message in upload_of():
        yield message
    line = b"2026-01-04T10:00:00Z INFO " + b"a long line again " * 2000 + b"\n"
    block = line * (1024 * 1024 // len(line))
    for _ in range(60):
        yield pb.UploadLogRequest(chunk=block)


async def no_header() -> AsyncIterator[pb.UploadLogRequest]:
    yield pb.UploadLogRequest(chunk=b"a line\n")


async def nothing() -> AsyncIterator[pb.UploadLogRequest]:
    return
    yield


async def two_headers() -> AsyncIterator[pb.UploadLogRequest]:
    for _ in range(2):
        async for message in upload_of(b"a line\n"):
            yield message


@pytest.mark.parametrize(
    ("upload", "reason", "metadata"),
    [
        (upload_of, "LOG_EMPTY", {}),
        (lambda: upload_of(b"\n" * 5000), "LOG_EMPTY", {}),
        (lambda: upload_of(b"\x1f\x8b\x08\x00rest of an archive"), "LOG_NOT_TEXT", {"offset_bytes": "0"}),
        (lambda: upload_of(bytes(range(256)) * 100), "LOG_NOT_TEXT", {"offset_bytes": "0"}),
        (too_large, "LOG_TOO_LARGE", {"maximum_bytes": "52428800"}),
        (lambda: upload_of(b"x" * (1024 * 1024 + 1)), "INVALID_ARGUMENT", {"field": "chunk"}),
        (no_header, "INVALID_ARGUMENT", {"field": "header"}),
        (nothing, "INVALID_ARGUMENT", {"field": "header"}),
        (two_headers, "INVALID_ARGUMENT", {"field": "chunk"}),
    ],
    ids=["empty", "blank", "gzip", "noise", "60 MB", "chunk", "no header", "nothing", "two headers"],
)
async def test_bad_uploads_are_refused_and_leave_nothing(
    client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published,
    upload: Callable[[], AsyncIterator[pb.UploadLogRequest]], reason: str, metadata: dict[str, str],
) -> None:  # fmt: skip
    with pytest.raises(RemoteError) as refused:
        await client.stream(logs.UploadLog, upload())

    assert (refused.value.kind, refused.value.reason) == (ErrorKind.INVALID, reason)
    assert refused.value.metadata == metadata
    async with database.read() as tx:
        assert [await tx.fetch_all(table.select()) for table in (LOGS, LOG_RECORDS, LOG_PATTERNS)] == [[], [], []]
    assert await published(database) == []


async def test_an_upload_that_its_sender_breaks_off_is_not_half_a_log(
    client: Client, logs: "LogsServiceAsyncStub", database: Database
) -> None:
    async def broken() -> AsyncIterator[pb.UploadLogRequest]:
        async for message in upload_of(b"2026-01-04T10:00:00Z INFO a line\n" * 30_000):
            yield message
        raise OSError("the sender is gone")

    with pytest.raises(OSError, match="the sender is gone"):
        await client.stream(logs.UploadLog, broken())

    # The key is free again once the server has rolled back, and what comes next is the only log.
    log = (await client.stream(logs.UploadLog, upload_of(b"one line\n"))).log
    async with database.read() as tx:
        assert [str(row.id) for row in await tx.fetch_all(LOGS.select())] == [log.id]
        assert len(await tx.fetch_all(LOG_RECORDS.select())) == 1
