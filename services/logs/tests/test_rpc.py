"""Every RPC over real gRPC and Postgres: what it answers, what it refuses, and what it leaves when it refuses."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from services.logs.tests.factories import Published, Summarize

from aiops.common.v1.actor_pb2 import ActorKind
from aiops.common.v1.page_pb2 import PageRequest
from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.log_pb2 import LogSource, LogState, LogStatus, Severity, SeverityCount
from chassis.db import Database
from chassis.errors import ErrorKind, RemoteError
from chassis.rpc.client import Client
from chassis.testing.harness import Installation
from logs_service.tables import LOG_PATTERNS, LOG_RECORDS, LOGS

if TYPE_CHECKING:
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub

KEY = "key-0000000000000001"
TEXT = (
    "2026-01-04T10:00:00.000000001Z INFO [web] started on port 8080\n"
    "2026-01-04T10:00:01Z WARN [web] slow request 1500 ms\n"
    "\n"
    "2026-01-04T10:00:02Z ERROR [db] connection refused\n"
)


@pytest.fixture(autouse=True)
def ops(installation: Installation, request: pytest.FixtureRequest) -> object:
    """Calls are made for a person of ops, where a test does not say otherwise."""
    with installation.as_viewer("ops") as viewer:
        yield viewer


async def test_pasted_text_is_a_log_that_waits_for_its_summary(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", ops: object, database: Database,
    published: Published,
) -> None:  # fmt: skip
    log = await summarize(TEXT, key=KEY, name="  web.log ", service="shop")

    assert (log.version, log.name, log.service) == (1, "web.log", "shop")
    assert (log.source, log.state, log.status) == (
        LogSource.LOG_SOURCE_PASTE, LogState.LOG_STATE_RECEIVED, LogStatus.LOG_STATUS_OPEN,
    )  # fmt: skip
    assert log.severity == Severity.SEVERITY_ERROR
    assert (log.record_count, log.line_count, log.byte_count, log.pattern_count) == (3, 4, len(TEXT), 3)
    assert list(log.severity_counts) == [
        SeverityCount(severity=Severity.SEVERITY_ERROR, count=1),
        SeverityCount(severity=Severity.SEVERITY_WARN, count=1),
        SeverityCount(severity=Severity.SEVERITY_INFO, count=1),
    ]
    seconds = int(datetime(2026, 1, 4, 10, tzinfo=UTC).timestamp())
    assert log.first_record_time == Timestamp(seconds=seconds, nanos=1)
    assert log.last_record_time == Timestamp(seconds=seconds + 2)
    assert log.created_by.kind == ActorKind.ACTOR_KIND_USER
    assert log.created_by.id == str(ops.id)  # type: ignore[attr-defined]
    assert (await client.call(logs.GetLog, pb.GetLogRequest(log_id=log.id))).log == log
    assert [(subject, envelope.aggregate_version) for subject, envelope in await published(database)] == [
        ("aiops.logs.log.received.v1", 1)
    ]


async def test_the_same_key_and_text_give_the_same_log_once(
    summarize: Summarize, database: Database, published: Published
) -> None:
    first = await summarize(TEXT, key=KEY)

    again = await summarize(TEXT, key=KEY)

    assert again == first
    async with database.read() as tx:
        assert len(await tx.fetch_all(LOGS.select())) == 1
        assert len(await tx.fetch_all(LOG_RECORDS.select())) == 3
    assert len(await published(database)) == 1


async def test_the_same_key_with_other_text_is_refused(summarize: Summarize, database: Database) -> None:
    await summarize(TEXT, key=KEY)

    with pytest.raises(RemoteError) as refused:
        await summarize(TEXT + "one more line\n", key=KEY)

    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"
    async with database.read() as tx:
        assert len(await tx.fetch_all(LOG_RECORDS.select())) == 3


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"text": ""}, "LOG_EMPTY", None),
        ({"text": " \n\t\n\r\n"}, "LOG_EMPTY", None),
        ({"text": "x" * 1_000_001}, "LOG_TOO_LARGE", None),
        ({"text": "\x01\x02\x03\x00" * 50}, "LOG_NOT_TEXT", None),
        ({"name": "  "}, "INVALID_ARGUMENT", "name"),
        ({"name": "n" * 201}, "INVALID_ARGUMENT", "name"),
        ({"name": "two\nlines"}, "INVALID_ARGUMENT", "name"),
        ({"service": "s" * 201}, "INVALID_ARGUMENT", "service"),
        ({"timezone": "Mars/Olympus"}, "INVALID_ARGUMENT", "timezone"),
        ({"timezone": "../../../etc/passwd"}, "INVALID_ARGUMENT", "timezone"),
        ({"idempotency_key": "short"}, "IDEMPOTENCY_KEY_INVALID", "idempotency_key"),
    ],
)
async def test_bad_pastes_are_refused_and_leave_nothing(
    client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published,
    changes: dict[str, str], reason: str, field: str | None,
) -> None:  # fmt: skip
    values = {"idempotency_key": KEY, "name": "app.log", "text": TEXT} | changes

    with pytest.raises(RemoteError) as refused:
        await client.call(logs.SummarizeLog, pb.SummarizeLogRequest(**values))

    assert (refused.value.kind, refused.value.reason) == (ErrorKind.INVALID, reason)
    assert refused.value.metadata.get("field") == field
    async with database.read() as tx:
        assert [await tx.fetch_all(table.select()) for table in (LOGS, LOG_RECORDS, LOG_PATTERNS)] == [[], [], []]
    assert await published(database) == []


async def test_times_without_a_zone_are_of_the_zone_given(client: Client, logs: "LogsServiceAsyncStub") -> None:
    request = pb.SummarizeLogRequest(
        idempotency_key=KEY, name="app.log", text="2026-01-04 10:00:00 up\n", timezone="Europe/Berlin"
    )

    log = (await client.call(logs.SummarizeLog, request)).log

    assert log.first_record_time.ToDatetime(UTC) == datetime(2026, 1, 4, 9, tzinfo=UTC)


async def test_the_human_status_moves_and_every_move_is_told(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published
) -> None:
    log = await summarize(TEXT, key=KEY)
    moves = [LogStatus.LOG_STATUS_ACKNOWLEDGED, LogStatus.LOG_STATUS_RESOLVED, LogStatus.LOG_STATUS_OPEN]

    for number, status in enumerate(moves):
        request = pb.UpdateLogStatusRequest(
            idempotency_key=f"{KEY}-{number}", log_id=log.id, expected_version=number + 1, status=status, reason="seen"
        )
        moved = (await client.call(logs.UpdateLogStatus, request)).log
        assert (moved.version, moved.status) == (number + 2, status)

    subjects = [(subject, envelope.aggregate_version) for subject, envelope in await published(database)]
    assert subjects == [("aiops.logs.log.received.v1", 1)] + [
        ("aiops.logs.log.status_updated.v1", version) for version in (2, 3, 4)
    ]


async def test_a_move_that_the_state_machine_does_not_know_is_refused(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published
) -> None:
    log = await summarize(TEXT, key=KEY)
    request = pb.UpdateLogStatusRequest(
        idempotency_key=KEY, log_id=log.id, expected_version=1, status=LogStatus.LOG_STATUS_RESOLVED
    )

    with pytest.raises(RemoteError) as refused:
        await client.call(logs.UpdateLogStatus, request)

    assert (refused.value.kind, refused.value.reason) == (ErrorKind.CONFLICT, "LOG_STATUS_TRANSITION_INVALID")
    assert refused.value.metadata == {"from": "OPEN", "to": "RESOLVED"}
    assert (await client.call(logs.GetLog, pb.GetLogRequest(log_id=log.id))).log == log
    assert len(await published(database)) == 1


async def test_tags_notes_and_severity_are_replaced_and_redacted(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published
) -> None:
    log = await summarize(TEXT, key=KEY)
    request = pb.UpdateLogRequest(
        idempotency_key=KEY,
        log_id=log.id,
        expected_version=1,
        tags=pb.TagList(tags=[" Payment  Team ", "urgent", "URGENT"]),
        notes="ask alice@example.com",
        severity=Severity.SEVERITY_FATAL,
    )

    updated = (await client.call(logs.UpdateLog, request)).log

    assert (updated.version, list(updated.tags), updated.severity) == (
        2, ["payment team", "urgent"], Severity.SEVERITY_FATAL,
    )  # fmt: skip
    assert updated.notes.startswith("ask <EMAIL")
    subject, envelope = (await published(database))[-1]
    assert (subject, envelope.aggregate_version) == ("aiops.logs.log.updated.v1", 2)


async def test_an_update_that_changes_nothing_makes_no_version(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published
) -> None:
    log = await summarize(TEXT, key=KEY)
    request = pb.UpdateLogRequest(idempotency_key=KEY, log_id=log.id, expected_version=1, notes="")

    assert (await client.call(logs.UpdateLog, request)).log == log
    assert len(await published(database)) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "tags"),
        ({"tags": pb.TagList(tags=[f"tag{n}" for n in range(21)])}, "tags"),
        ({"tags": pb.TagList(tags=[""])}, "tags"),
        ({"tags": pb.TagList(tags=["t" * 51])}, "tags"),
        ({"notes": "n" * 10_001}, "notes"),
        ({"severity": 3}, "severity"),
    ],
)
async def test_bad_updates_are_refused(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", values: dict[str, object], field: str
) -> None:
    log = await summarize(TEXT, key=KEY)

    with pytest.raises(RemoteError) as refused:
        await client.call(
            logs.UpdateLog,
            pb.UpdateLogRequest(idempotency_key=KEY, log_id=log.id, expected_version=1, **values),  # type: ignore[arg-type]
        )

    assert (refused.value.reason, refused.value.metadata["field"]) == ("INVALID_ARGUMENT", field)
    assert (await client.call(logs.GetLog, pb.GetLogRequest(log_id=log.id))).log == log


@pytest.mark.parametrize("expected_version", [2, 7])
async def test_a_stale_version_is_refused_by_every_change(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published,
    expected_version: int,
) -> None:  # fmt: skip
    log = await summarize(TEXT, key=KEY)
    values = {"idempotency_key": KEY, "log_id": log.id, "expected_version": expected_version}
    status = LogStatus.LOG_STATUS_ACKNOWLEDGED

    for call in (
        client.call(logs.UpdateLogStatus, pb.UpdateLogStatusRequest(**values, status=status)),  # type: ignore[arg-type]
        client.call(logs.UpdateLog, pb.UpdateLogRequest(**values, notes="new")),  # type: ignore[arg-type]
        client.call(logs.ResummarizeLog, pb.ResummarizeLogRequest(**values)),  # type: ignore[arg-type]
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert (refused.value.kind, refused.value.reason) == (ErrorKind.VERSION_CONFLICT, "VERSION_CONFLICT")
        assert refused.value.metadata == {
            "expected": str(expected_version), "actual": "1", "aggregate_type": "log", "aggregate_id": log.id,
        }  # fmt: skip

    assert (await client.call(logs.GetLog, pb.GetLogRequest(log_id=log.id))).log == log
    assert len(await published(database)) == 1


async def test_a_log_that_waits_for_its_summary_is_not_sent_back(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub"
) -> None:
    log = await summarize(TEXT, key=KEY)
    request = pb.ResummarizeLogRequest(idempotency_key=KEY, log_id=log.id, expected_version=1)

    with pytest.raises(RemoteError) as refused:
        await client.call(logs.ResummarizeLog, request)

    assert (refused.value.kind, refused.value.reason) == (ErrorKind.CONFLICT, "LOG_SUMMARY_IN_PROGRESS")


async def test_unknown_and_malformed_ids_are_told_apart(client: Client, logs: "LogsServiceAsyncStub") -> None:
    unknown, page = "0198c0de-0000-7000-8000-000000000001", PageRequest(first=10)
    key = {"idempotency_key": KEY, "expected_version": 1}
    status = LogStatus.LOG_STATUS_ACKNOWLEDGED

    for log_id, reason in ((unknown, "LOG_NOT_FOUND"), ("nonsense", "INVALID_ARGUMENT")):
        wanted = pb.LogRecordFilter(log_id=log_id)
        for call in (
            client.call(logs.GetLog, pb.GetLogRequest(log_id=log_id)),
            client.call(logs.ListLogPatterns, pb.ListLogPatternsRequest(log_id=log_id, page=page)),
            client.call(logs.ListLogRecords, pb.ListLogRecordsRequest(filter=wanted, page=page)),
            client.call(logs.UpdateLog, pb.UpdateLogRequest(log_id=log_id, notes="x", **key)),  # type: ignore[arg-type]
            client.call(logs.ResummarizeLog, pb.ResummarizeLogRequest(log_id=log_id, **key)),  # type: ignore[arg-type]
            client.call(logs.UpdateLogStatus, pb.UpdateLogStatusRequest(log_id=log_id, status=status, **key)),  # type: ignore[arg-type]
        ):
            with pytest.raises(RemoteError) as refused:
                await call
            assert refused.value.reason == reason


async def test_batches_answer_what_exists(summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub") -> None:
    log, unknown = await summarize(TEXT, key=KEY), "0198c0de-0000-7000-8000-000000000001"
    page = PageRequest(first=100)
    records = (await client.call(logs.ListLogRecords, pb.ListLogRecordsRequest(page=page))).log_records
    patterns = (
        await client.call(logs.ListLogPatterns, pb.ListLogPatternsRequest(log_id=log.id, page=page))
    ).log_patterns

    found = await client.call(logs.BatchGetLogs, pb.BatchGetLogsRequest(ids=[unknown, log.id, log.id]))
    assert list(found.logs) == [log]

    ids = [unknown, *(record.id for record in records)]
    found_records = await client.call(logs.BatchGetLogRecords, pb.BatchGetLogRecordsRequest(ids=ids))
    assert sorted(record.id for record in found_records.log_records) == ids[1:]

    ids = [unknown, *(found.pattern.id for found in patterns)]
    found_patterns = await client.call(logs.BatchGetLogPatterns, pb.BatchGetLogPatternsRequest(ids=ids))
    assert {found.requested_id: found.pattern for found in found_patterns.log_patterns} == {
        found.pattern.id: found.pattern for found in patterns
    }

    with pytest.raises(RemoteError) as refused:
        await client.call(logs.BatchGetLogs, pb.BatchGetLogsRequest(ids=[log.id] * 1001))
    assert (refused.value.reason, refused.value.metadata["field"]) == ("INVALID_ARGUMENT", "ids")


async def test_filters_take_any_time_and_refuse_what_no_name_has(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub"
) -> None:
    await summarize(TEXT, key=KEY)
    page, earliest, latest = PageRequest(first=10), Timestamp(), Timestamp()
    earliest.FromJsonString("0001-01-01T00:00:00Z")
    latest.FromJsonString("9999-12-31T23:59:59.999999999Z")

    wanted = pb.LogRecordFilter(start_time=earliest, end_time=latest)
    found = await client.call(logs.ListLogRecords, pb.ListLogRecordsRequest(filter=wanted, page=page))

    assert len(found.log_records) == 3
    for bad, field in (
        (pb.LogFilter(service="\x00"), "filter.service"),
        (pb.LogFilter(tag="\x00"), "filter.tag"),
        (pb.LogFilter(text="\x00"), "filter.text"),
        (pb.LogFilter(states=[LogState.ValueType(9)]), "filter.states"),
        (pb.LogFilter(statuses=[LogStatus.ValueType(0)]), "filter.statuses"),
    ):
        call = client.call(logs.ListLogs, pb.ListLogsRequest(filter=bad, page=page))
        with pytest.raises(RemoteError) as refused:
            await call
        assert (refused.value.reason, refused.value.metadata["field"]) == ("INVALID_ARGUMENT", field)


@pytest.mark.parametrize("first", [-1, 0, 101, 10_000])
async def test_pages_have_one_to_a_hundred_items(client: Client, logs: "LogsServiceAsyncStub", first: int) -> None:
    page = PageRequest(first=first)

    for call in (
        client.call(logs.ListLogs, pb.ListLogsRequest(page=page)),
        client.call(logs.ListLogRecords, pb.ListLogRecordsRequest(page=page)),
        client.call(logs.ListLogPatterns, pb.ListLogPatternsRequest(page=page, log_id=KEY)),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.reason == "PAGE_SIZE_OUT_OF_RANGE"
