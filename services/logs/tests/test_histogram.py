"""Records over time: exact counts in round buckets, for exactly the records that the list of records holds."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from services.logs.tests.factories import Receive, Summarize

from aiops.logs.v1 import log_pb2
from aiops.logs.v1 import logs_service_pb2 as pb
from chassis.db import Database
from chassis.errors import InvalidArgument, RemoteError
from chassis.ids import uuid7
from chassis.paging import Page
from chassis.rpc.client import Client
from chassis.testing.harness import Installation
from chassis.testing.plugin import QueryCounter
from logs_service import queries
from logs_service.commands import LogRecordFilter
from logs_service.domain import LogHistogram
from logs_service.errors import LogNotFound, LogPatternNotFound
from logs_service.histogram import get_log_histogram
from logs_service.patterns.record import Severity

if TYPE_CHECKING:
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub

SECOND = 1_000_000_000
START = datetime(2026, 1, 4, 10, 0, 0, tzinfo=UTC)
AT = int(START.timestamp())
INFO, ERROR = Severity.INFO, Severity.ERROR


def line(seconds: float, text: str = "INFO [web] request served") -> str:
    moment = START + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}Z {text}\n"


def shown(histogram: LogHistogram) -> list[tuple[int, dict[Severity, int]]]:
    """Buckets by their start, in seconds after START."""
    return [(bucket.start_seconds - AT, dict(bucket.severity_counts)) for bucket in histogram.buckets]


async def test_records_are_counted_by_time_and_severity(receive: Receive, database: Database) -> None:
    text = line(0.25) + line(0.999999) + line(1) + line(3, "ERROR [db] connection refused") + "WARN: no time here\n"
    log = await receive(text)

    async with database.read() as tx:
        histogram = await get_log_histogram(LogRecordFilter(log_id=log.id), 60, tx)

    assert histogram.bucket_seconds == 1
    assert shown(histogram) == [(0, {INFO: 2}), (1, {INFO: 1}), (2, {}), (3, {ERROR: 1})]
    assert histogram.untimed_count == 1


@pytest.mark.parametrize(
    ("first", "last", "wanted", "width", "starts"),
    [
        (0, 59, 60, 1, list(range(60))),
        (0, 60, 60, 2, list(range(0, 61, 2))),
        (3, 7, 2, 5, [0, 5]),
        (4, 5, 1, 2, [4]),
        (9, 10, 1, 15, [0]),
        (90, 3_599, 12, 300, list(range(0, 3_600, 300))),
        (0, 86_399, 200, 600, list(range(0, 86_400, 600))),
        (-36_000, 50_399, 1, 86_400, [-36_000]),
        (0, 86_400 * 9, 5, 172_800, [-36_000 + n * 172_800 for n in range(5)]),
        (50_399, 50_400, 1, 172_800, [-36_000]),
        (50_399, 50_400, 2, 1, [50_399, 50_400]),
    ],
)
async def test_buckets_are_round_and_never_too_many(
    receive: Receive, database: Database, first: int, last: int, wanted: int, width: int, starts: list[int]
) -> None:
    log = await receive(line(first) + line(last))

    async with database.read() as tx:
        histogram = await get_log_histogram(LogRecordFilter(log_id=log.id), wanted, tx)

    assert histogram.bucket_seconds == width
    assert [start for start, _ in shown(histogram)] == starts
    assert [counts for _, counts in shown(histogram) if counts] in ([{INFO: 1}, {INFO: 1}], [{INFO: 2}])


async def test_times_before_1970_fall_into_the_bucket_that_holds_them(receive: Receive, database: Database) -> None:
    log = await receive("1969-12-31T23:59:58.500Z INFO a\n1970-01-01T00:00:00.500Z INFO b\n")

    async with database.read() as tx:
        by_second = await get_log_histogram(LogRecordFilter(log_id=log.id), 60, tx)
        by_day = await get_log_histogram(LogRecordFilter(log_id=log.id), 2, tx)

    assert [(b.start_seconds, dict(b.severity_counts)) for b in by_second.buckets] == [
        (-2, {INFO: 1}), (-1, {}), (0, {INFO: 1}),
    ]  # fmt: skip
    assert by_day.bucket_seconds == 2
    assert [b.start_seconds for b in by_day.buckets] == [-2, 0]


async def test_log_without_times_has_no_buckets(receive: Receive, database: Database) -> None:
    log = await receive("no time here\nnor here\n")

    async with database.read() as tx:
        histogram = await get_log_histogram(LogRecordFilter(log_id=log.id), 60, tx)
        nothing = await get_log_histogram(LogRecordFilter(log_id=log.id, text="elsewhere"), 60, tx)

    assert histogram == LogHistogram(bucket_seconds=1, buckets=(), untimed_count=2)
    assert nothing == LogHistogram(bucket_seconds=1, buckets=(), untimed_count=0)


async def test_filter_leaves_what_the_list_of_records_holds(receive: Receive, database: Database) -> None:
    lines = [line(n, f"INFO [web] request {n} served in 10%") for n in range(30)]
    lines += [line(n, "ERROR [db] connection refused") for n in range(10, 20, 3)] + ["WARN: no time here\n"]
    log = await receive("".join(lines), service="shop")
    await receive(line(5, "ERROR [db] connection refused"), service="shop")
    async with database.read() as tx:
        refused = await queries.list_log_records(LogRecordFilter(log_id=log.id, text="refused"), Page(1, ""), tx)
    pattern_id = refused.items[0].pattern_id

    for wanted in (
        LogRecordFilter(),
        LogRecordFilter(start_nanoseconds=(AT + 12) * SECOND, end_nanoseconds=(AT + 20) * SECOND),
        LogRecordFilter(end_nanoseconds=(AT + 12) * SECOND),
        LogRecordFilter(minimum_severity=Severity.WARN),
        LogRecordFilter(minimum_severity=Severity.FATAL),
        LogRecordFilter(text="10%"),
        LogRecordFilter(text="REFUSED"),
        LogRecordFilter(service="shop"),
        LogRecordFilter(service="mail"),
        LogRecordFilter(pattern_id=pattern_id),
        LogRecordFilter(pattern_id=pattern_id, text="served"),
    ):
        narrowed = LogRecordFilter(**{**{name: getattr(wanted, name) for name in wanted.__slots__}, "log_id": log.id})
        async with database.read() as tx:
            records = (await queries.list_log_records(narrowed, Page(100, ""), tx)).items
            histogram = await get_log_histogram(narrowed, 60, tx)

        by_second: dict[int, dict[Severity, int]] = {}
        for record in records:
            if record.time_nanoseconds is not None:
                counts = by_second.setdefault(record.time_nanoseconds // SECOND - AT, {})
                counts[record.severity] = counts.get(record.severity, 0) + 1
        assert {start: counts for start, counts in shown(histogram) if counts} == by_second, wanted
        assert histogram.untimed_count == sum(record.time_nanoseconds is None for record in records), wanted


async def test_it_takes_one_statement(receive: Receive, database: Database, query_counter: QueryCounter) -> None:
    log = await receive(line(0) + line(1))
    async with database.read() as tx:
        records = (await queries.list_log_records(LogRecordFilter(log_id=log.id), Page(1, ""), tx)).items
        wanted = LogRecordFilter(log_id=log.id, pattern_id=records[0].pattern_id, service="", text="served")
        with query_counter(database) as statements:
            await get_log_histogram(wanted, 60, tx)

    assert len(statements) == 1


async def test_what_cannot_be_counted_is_refused(receive: Receive, database: Database) -> None:
    log = await receive(line(0))

    async with database.read() as tx:
        with pytest.raises(LogNotFound):
            await get_log_histogram(LogRecordFilter(log_id=uuid7()), 60, tx)
        with pytest.raises(LogPatternNotFound):
            await get_log_histogram(LogRecordFilter(log_id=log.id, pattern_id=uuid7()), 60, tx)
        for wanted, bucket_count, field in (
            (LogRecordFilter(), 60, "filter.log_id"),
            (LogRecordFilter(log_id=log.id), 0, "bucket_count"),
            (LogRecordFilter(log_id=log.id), 201, "bucket_count"),
            (LogRecordFilter(log_id=log.id, text="x" * 201), 60, "filter.text"),
        ):
            with pytest.raises(InvalidArgument) as refused:
                await get_log_histogram(wanted, bucket_count, tx)
            assert refused.value.metadata == {"field": field}


async def test_rpc_answers_for_ops_and_not_for_hr(
    summarize: Summarize, client: Client, logs: "LogsServiceAsyncStub", installation: Installation
) -> None:
    with installation.as_viewer("ops"):
        log = await summarize(line(0) + line(0) + line(2, "ERROR [db] refused"), key="key-0000000000000001")
        request = pb.GetLogHistogramRequest(filter=pb.LogRecordFilter(log_id=log.id), bucket_count=2)
        histogram = (await client.call(logs.GetLogHistogram, request)).histogram
    with installation.as_viewer("hr"), pytest.raises(RemoteError) as refused:
        await client.call(logs.GetLogHistogram, request)

    assert refused.value.reason == "FORBIDDEN"
    assert (histogram.bucket_seconds, histogram.untimed_count) == (2, 0)
    assert [(bucket.start_time, bucket.count) for bucket in histogram.buckets] == [
        (Timestamp(seconds=AT), 2), (Timestamp(seconds=AT + 2), 1),
    ]  # fmt: skip
    assert list(histogram.buckets[1].severity_counts) == [
        log_pb2.SeverityCount(severity=log_pb2.SEVERITY_ERROR, count=1)
    ]
