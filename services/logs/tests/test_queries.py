"""Lists, searches and numbers: exact pages, exact counts, and a fixed number of SQL statements."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from services.logs.tests.factories import Receive
from sqlalchemy import select

from chassis.db import Database, UnitOfWork
from chassis.errors import CursorInvalid, InvalidArgument
from chassis.ids import uuid7
from chassis.paging import Page, encode_cursor
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import QueryCounter
from logs_service import queries, statistics, usecases
from logs_service.commands import LogFilter, LogRecordFilter, UpdateLog, UpdateLogStatus
from logs_service.domain import Log, LogState, LogStatus
from logs_service.errors import LogPatternNotFound
from logs_service.ingest.catalogue import write_changes
from logs_service.patterns.miner import MinerChanges
from logs_service.patterns.record import Severity
from logs_service.store import PatternStore
from logs_service.tables import LOG_PATTERN_COUNTS, LOG_PATTERNS, LOG_RECORDS

FIRST = Page(first=100, after="")
SECOND = 1_000_000_000
START = 1_767_520_800
"""2026-01-04T10:00:00Z"""


def minute_lines() -> str:
    """A minute of requests, one each second, and two errors."""
    lines = [f"2026-01-04T10:00:{n:02}Z INFO [web] request {n} served in 10%\n" for n in range(60)]
    lines += ["2026-01-04T10:00:30Z ERROR [db] connection refused\n", "WARN: no time here\n"]
    return "".join(lines)


async def test_logs_are_paged_newest_first(receive: Receive, database: Database, clock: FrozenClock) -> None:
    logs: list[Log] = []
    for number in range(5):
        clock.advance(timedelta(seconds=1))
        logs.append(await receive("a line\n", name=f"log {number}"))

    async with database.read() as tx:
        first = await queries.list_logs(LogFilter(), Page(2, ""), tx)
        second = await queries.list_logs(LogFilter(), Page(2, first.cursors[-1]), tx)
        third = await queries.list_logs(LogFilter(), Page(2, second.cursors[-1]), tx)

    names = [[log.name for log in page.items] for page in (first, second, third)]
    assert names == [["log 4", "log 3"], ["log 2", "log 1"], ["log 0"]]
    assert [page.has_next_page for page in (first, second, third)] == [True, True, False]


async def test_logs_are_narrowed(receive: Receive, database: Database, uow: UnitOfWork, redactor: object) -> None:
    plain = await receive("a line\n", name="Shop 100%", service="shop")
    other = await receive("a line\n", name="shop_2", service="mail")
    async with uow.begin() as tx:
        await usecases.update_log(UpdateLog(other.id, 1, tags=("night shift",)), tx, redactor)  # type: ignore[arg-type]
        cmd = UpdateLogStatus(other.id, 2, LogStatus.ACKNOWLEDGED, "mine")
        await usecases.update_log_status(cmd, tx, redactor)  # type: ignore[arg-type]

    for wanted, expected in (
        (LogFilter(service="shop"), [plain.id]),
        (LogFilter(text="SHOP"), [other.id, plain.id]),
        (LogFilter(text="100%"), [plain.id]),
        (LogFilter(text="shop_"), [other.id]),
        (LogFilter(tag="Night Shift"), [other.id]),
        (LogFilter(tag="night"), []),
        (LogFilter(statuses=(LogStatus.ACKNOWLEDGED, LogStatus.RESOLVED)), [other.id]),
        (LogFilter(statuses=(LogStatus.OPEN,), states=(LogState.RECEIVED,)), [plain.id]),
        (LogFilter(states=(LogState.SUMMARIZED, LogState.FAILED)), []),
    ):
        async with database.read() as tx:
            found = await queries.list_logs(wanted, FIRST, tx)
        assert [log.id for log in found.items] == expected, wanted


async def test_records_are_paged_in_the_order_of_their_lines(receive: Receive, database: Database) -> None:
    log = await receive(minute_lines())
    await receive("a line of another log\n")
    wanted = LogRecordFilter(log_id=log.id)

    numbers: list[int] = []
    after = ""
    async with database.read() as tx:
        while True:
            page = await queries.list_log_records(wanted, Page(25, after), tx)
            numbers += [record.line_number for record in page.items]
            if not page.has_next_page:
                break
            after = page.cursors[-1]

    assert numbers == list(range(1, 63))


async def test_records_are_searched_by_time_level_pattern_and_text(receive: Receive, database: Database) -> None:
    log = await receive(minute_lines(), service="shop")
    await receive("2026-01-04T10:00:30Z ERROR [db] connection refused\n", service="mail")
    async with database.read() as tx:
        (error,) = (await queries.list_log_records(LogRecordFilter(log_id=log.id, text="refused"), FIRST, tx)).items

    for wanted, expected in (
        (LogRecordFilter(start_nanoseconds=(START + 57) * SECOND), 3),
        (LogRecordFilter(start_nanoseconds=START * SECOND, end_nanoseconds=(START + 5) * SECOND), 5),
        (LogRecordFilter(minimum_severity=Severity.WARN), 3),
        (LogRecordFilter(minimum_severity=Severity.WARN, log_id=log.id), 2),
        (LogRecordFilter(minimum_severity=Severity.FATAL), 0),
        (LogRecordFilter(text="CONNECTION"), 2),
        (LogRecordFilter(text="10%"), 60),
        (LogRecordFilter(text="1_%"), 0),
        (LogRecordFilter(text="\\"), 0),
        (LogRecordFilter(service="shop"), 62),
        (LogRecordFilter(service="mail"), 1),
        (LogRecordFilter(pattern_id=error.pattern_id), 1),
        (LogRecordFilter(pattern_id=error.pattern_id, text="served"), 0),
    ):
        async with database.read() as tx:
            found = await queries.list_log_records(wanted, FIRST, tx)
        assert len(found.items) == expected, wanted


async def test_bad_searches_are_refused(receive: Receive, database: Database) -> None:
    await receive("a line\n")

    async with database.read() as tx:
        with pytest.raises(LogPatternNotFound):
            await queries.list_log_records(LogRecordFilter(pattern_id=uuid7()), FIRST, tx)
        for text in ("x" * 201, "\x00"):
            with pytest.raises(InvalidArgument) as refused:
                await queries.list_log_records(LogRecordFilter(text=text), FIRST, tx)
            assert refused.value.metadata == {"field": "filter.text"}
        for cursor in ("nonsense", encode_cursor(5), encode_cursor("a", "b")):
            with pytest.raises(CursorInvalid):
                await queries.list_log_records(LogRecordFilter(), Page(5, cursor), tx)
            with pytest.raises(CursorInvalid):
                await queries.list_logs(LogFilter(), Page(5, cursor), tx)


async def test_patterns_of_a_log_come_with_their_numbers(receive: Receive, database: Database) -> None:
    log = await receive(minute_lines())

    async with database.read() as tx:
        found = await statistics.list_log_patterns(log.id, FIRST, tx)
        rows = await tx.fetch_all(select(LOG_RECORDS).order_by(LOG_RECORDS.c.id))

    requests, *others = found.items
    assert [pattern.count for pattern in found.items] == [60, 1, 1]
    assert sum(pattern.count for pattern in found.items) == log.contents.record_count
    assert requests.severity_counts == {Severity.INFO: 60}
    assert (requests.first_time_nanoseconds, requests.last_time_nanoseconds) == (START * SECOND, (START + 59) * SECOND)
    assert requests.exemplar_record_ids == (rows[0].id, rows[30].id, rows[59].id)
    assert requests.bucket_seconds == 2
    assert requests.buckets == {START + 2 * n: 2 for n in range(30)}
    assert {len(other.exemplar_record_ids) for other in others} == {1}
    timeless = next(other for other in others if other.first_time_nanoseconds is None)
    assert (timeless.last_time_nanoseconds, timeless.buckets) == (None, {})
    assert not any(pattern.new_for_service for pattern in found.items)


async def test_pages_of_patterns_join_without_gap_or_double(receive: Receive, database: Database) -> None:
    words = ["alpha", "beta", "gamma", "delta", "kappa", "sigma", "omega"]
    lines = [f"{word} {other} happened here\n" for n, word in enumerate(words) for other in words[: n % 4 + 1]]
    log = await receive("".join(lines * 2))

    pages, counts = [], []
    after = ""
    async with database.read() as tx:
        whole = await statistics.list_log_patterns(log.id, FIRST, tx)
        while True:
            page = await statistics.list_log_patterns(log.id, Page(2, after), tx)
            pages += [found.pattern.id for found in page.items]
            counts += [found.count for found in page.items]
            if not page.has_next_page:
                break
            after = page.cursors[-1]

    assert pages == [found.pattern.id for found in whole.items]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == log.contents.record_count == len(lines) * 2


async def test_a_pattern_is_new_where_the_service_has_earlier_logs_without_it(
    receive: Receive, database: Database, clock: FrozenClock
) -> None:
    await receive("all is well today\n", service="shop")
    clock.advance(timedelta(seconds=1))

    log = await receive("all is well today\ndisk sda is broken\n", service="shop")
    other = await receive("something else was said\n", service="mail")

    async with database.read() as tx:
        found = await statistics.list_log_patterns(log.id, FIRST, tx)
        alone = await statistics.list_log_patterns(other.id, FIRST, tx)
    assert {f.pattern.template: f.new_for_service for f in found.items} == {
        "all is well today": False, "disk sda is broken": True,
    }  # fmt: skip
    assert [f.new_for_service for f in alone.items] == [False]


async def test_merged_patterns_count_for_the_one_that_stands_for_them(
    receive: Receive, database: Database, uow: UnitOfWork
) -> None:
    log = await receive("disk sda is broken\n" * 3 + "fan of rack nine stopped\n" * 2, service="shop")
    async with database.read() as tx:
        broken, stopped = (await statistics.list_log_patterns(log.id, FIRST, tx)).items
    later = await receive("all is well today\n", service="shop")

    async with uow.begin() as write:
        await write_changes(
            PatternStore(write, "shop"),
            MinerChanges(created=(), generalised=(), merged=((stopped.pattern.id, broken.pattern.id),)),
            [broken.pattern, stopped.pattern],
            service="shop",
            log_id=later.id,
            at=write.now,
        )

    async with database.read() as tx:
        (merged,) = (await statistics.list_log_patterns(log.id, FIRST, tx)).items
        shown = await queries.get_log(log.id, tx)
        resolved = await queries.batch_get_log_patterns([stopped.pattern.id, broken.pattern.id, uuid7()], tx)
        by_pattern = [
            (await queries.list_log_records(LogRecordFilter(pattern_id=pattern.pattern.id), FIRST, tx)).items
            for pattern in (broken, stopped)
        ]
    assert (merged.pattern.id, merged.count) == (broken.pattern.id, 5)
    assert shown.pattern_count == 1
    assert {asked: pattern.id for asked, pattern in resolved.items()} == {
        stopped.pattern.id: broken.pattern.id, broken.pattern.id: broken.pattern.id,
    }  # fmt: skip
    assert [len(records) for records in by_pattern] == [5, 5]


async def test_statistics_hold_all_that_evidence_needs(
    receive: Receive, database: Database, clock: FrozenClock
) -> None:
    await receive("an earlier log\n", service="shop")
    clock.advance(timedelta(seconds=1))
    log = await receive(minute_lines() + "2031-01-01T00:00:00Z INFO a wrong clock\n", name="web.log", service="shop")

    async with database.read() as tx:
        stats = await statistics.log_statistics(log, tx)

    assert (stats.name, stats.service, stats.record_count) == ("web.log", "shop", 63)
    assert stats.bucket_seconds == 1
    requests = stats.patterns[0]
    assert sum(pattern.count for pattern in stats.patterns) == 63
    assert (requests.count, requests.severities, requests.new_for_service) == (60, {9: 60}, True)
    assert requests.buckets == {START + n: 1 for n in range(60)}
    assert [exemplar.line_number for exemplar in requests.exemplars] == [1, 10, 18, 27, 35, 44, 52, 60]
    assert requests.exemplars[0].body == "request 0 served in 10%"
    assert requests.exemplars[0].time == START * SECOND


@pytest.mark.parametrize(
    ("seconds", "wanted", "expected"),
    [(0, 30, 1), (29, 30, 1), (60, 30, 2), (3600, 30, 120), (86_400, 30, 3600), (86_400 * 365, 30, 86_400 * 13)],
)
def test_buckets_have_a_round_width(seconds: int, wanted: int, expected: int) -> None:
    assert statistics.bucket_seconds(0, seconds * SECOND, wanted) == expected


async def test_every_list_takes_a_fixed_number_of_statements(
    receive: Receive, database: Database, query_counter: QueryCounter
) -> None:
    logs = [await receive(minute_lines(), service="shop") for _ in range(4)]
    async with database.read() as tx:
        records = (await queries.list_log_records(LogRecordFilter(), FIRST, tx)).items
    ids = [log.id for log in logs]
    wanted = LogRecordFilter(log_id=ids[0], pattern_id=records[0].pattern_id)

    taken: Counter[str] = Counter()
    async with database.read() as tx:
        for name, call in {
            "list_logs": lambda: queries.list_logs(LogFilter(), FIRST, tx),
            "batch_get_logs": lambda: queries.batch_get_logs(ids, tx),
            "list_log_records": lambda: queries.list_log_records(LogRecordFilter(), FIRST, tx),
            "list_log_records of a log and pattern": lambda: queries.list_log_records(wanted, FIRST, tx),
            "batch_get_log_records": lambda: queries.batch_get_log_records([r.id for r in records], tx),
            "list_log_patterns": lambda: statistics.list_log_patterns(ids[0], FIRST, tx),
            "batch_get_log_patterns": lambda: queries.batch_get_log_patterns([records[0].pattern_id], tx),
            "log_statistics": lambda: statistics.log_statistics(logs[0], tx),
        }.items():
            with query_counter(database) as statements:
                await call()  # type: ignore[no-untyped-call]
            taken[name] = len(statements)

    assert taken == {
        "list_logs": 1,
        "batch_get_logs": 1,
        "list_log_records": 1,
        "list_log_records of a log and pattern": 3,
        "batch_get_log_records": 1,
        "list_log_patterns": 5,
        "batch_get_log_patterns": 1,
        "log_statistics": 6,
    }


async def test_a_search_within_a_log_reads_one_partition(receive: Receive, database: Database) -> None:
    log = await receive(minute_lines())

    async with database.read() as tx:
        statement = select(LOG_RECORDS.c.id).where(
            LOG_RECORDS.c.id.between(log.contents.first_record_id, log.contents.last_record_id)
        )
        sql = str(statement.compile(compile_kwargs={"literal_binds": True}))
        plan = (await tx.connection.exec_driver_sql(f"EXPLAIN {sql}")).scalars().all()

    assert set(re.findall(r"\blog_records_[0-9]+\b", "\n".join(plan))) == {"log_records_20260105"}


async def test_counts_and_patterns_are_there_for_each_log(receive: Receive, database: Database) -> None:
    await receive(minute_lines())

    async with database.read() as tx:
        assert len(await tx.fetch_all(LOG_PATTERN_COUNTS.select())) == 3
        assert len(await tx.fetch_all(LOG_PATTERNS.select())) == 3
