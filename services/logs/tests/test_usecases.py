"""What taking a log in leaves behind, whatever the log is, whoever else takes one in, and wherever it breaks."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.logs.tests.factories import Published, Receive
from sqlalchemy import func, select

from chassis.db import Database, UnitOfWork
from chassis.errors import Internal, Unavailable
from chassis.outbox import outbox
from chassis.redaction import Redactor
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase
from logs_service import usecases
from logs_service.commands import ReceiveLog
from logs_service.domain import LogSource
from logs_service.ingest.pipeline import Ingestor
from logs_service.patterns.record import Severity
from logs_service.tables import LOG_PATTERN_COUNTS, LOG_PATTERN_VERSIONS, LOG_PATTERNS, LOG_RECORDS, LOGS

SECRET = "hunter2hunter2"


async def test_records_keep_what_their_lines_say(receive: Receive, database: Database, clock: FrozenClock) -> None:
    text = (
        '{"time": "2026-01-04T10:00:00.123456789Z", "level": "warning", "msg": "disk is full", "service": "store",'
        ' "disk": "sda", "trace_id": "4BF92F3577B34DA6A3CE929D0E0E4736"}\n'
        '{"time": "2026-01-04T09:00:00Z", "level": "info", "msg": "tab\\tand \\\\ slash\\nand line",'
        ' "service": "store"}\n'
    )

    log = await receive(text)

    async with database.read() as tx:
        first, second = await tx.fetch_all(select(LOG_RECORDS).order_by(LOG_RECORDS.c.id))
    assert (first.body, first.severity, first.severity_text) == ("disk is full", 13, "warning")
    assert first.time_nanoseconds == 1767520800_123456789
    assert first.attributes["disk"] == "sda"
    assert first.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert (first.service, log.service) == ("store", "store")
    assert (second.body, second.attributes) == ("tab\tand \\ slash\nand line", {})
    assert first.observed_time == clock.now()
    assert first.id.int >> 80 == clock.now().timestamp() * 1000
    assert (log.contents.first_record_id, log.contents.last_record_id) == (first.id, second.id)
    assert (log.contents.first_time_nanoseconds, log.contents.last_time_nanoseconds) == (
        second.time_nanoseconds, first.time_nanoseconds,
    )  # fmt: skip


async def test_a_stack_trace_is_one_record(receive: Receive, database: Database) -> None:
    text = (
        "2026-01-04 10:00:00 ERROR cannot pay\n"
        "Traceback (most recent call last):\n"
        '  File "pay.py", line 3, in pay\n'
        "    charge()\n"
        "ValueError: no card\n"
        "2026-01-04 10:00:01 INFO next\n"
    )

    log = await receive(text)

    async with database.read() as tx:
        rows = await tx.fetch_all(select(LOG_RECORDS).order_by(LOG_RECORDS.c.id))
    assert [(row.line_number, row.body.count("\n")) for row in rows] == [(1, 4), (6, 0)]
    assert (log.contents.record_count, log.contents.line_count) == (2, 6)


async def test_nothing_sensitive_is_stored_or_told(receive: Receive, database: Database, published: Published) -> None:
    text = (
        f"2026-01-04 10:00:00 INFO login of alice@example.com from 203.0.113.77 password={SECRET}\n"
        f'{{"level": "info", "msg": "hi", "service": "bob@example.com", "password": "{SECRET}",'
        ' "ip": "203.0.113.77"}\n'
    )

    await receive(text, name=f"of carol@example.com password={SECRET}", service="")

    async with database.read() as tx:
        tables = (LOGS, LOG_RECORDS, LOG_PATTERNS, LOG_PATTERN_VERSIONS, outbox)
        dump = str([await tx.fetch_all(table.select()) for table in tables])
    for value in ("alice@example.com", "bob@example.com", "carol@example.com", "203.0.113.77", SECRET):
        assert value not in dump
    assert SECRET not in str(await published(database))


async def store(uow: UnitOfWork, ingestor: Ingestor, chunks: AsyncIterator[bytes]) -> None:
    async with uow.begin() as tx:
        await usecases.receive_log(ReceiveLog("app.log", "", LogSource.UPLOAD, UTC), chunks, tx, ingestor)


async def test_a_redaction_that_fails_stores_nothing(uow: UnitOfWork, database: Database, published: Published) -> None:
    class Broken(Redactor):
        def _scan(self, text: str) -> list[object]:  # type: ignore[override]
            if "line 150" in text:
                raise RuntimeError(text)
            return []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(300):
            yield f"2026-01-04 10:00:00 INFO line {number}\n".encode()

    with pytest.raises(Internal, match="could not be redacted, so nothing was stored"):
        await store(uow, Ingestor(Broken(b"k" * 32)), chunks())

    async with database.read() as tx:
        assert [await tx.fetch_all(table.select()) for table in (LOGS, LOG_RECORDS, LOG_PATTERNS)] == [[], [], []]
    assert await published(database) == []


async def test_an_upload_that_breaks_off_leaves_nothing(
    uow: UnitOfWork, ingestor: Ingestor, database: Database, service_database: ServiceDatabase, published: Published
) -> None:
    """The connection dies after rows were copied, as when the process is killed."""
    copied = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        line = b"2026-01-04 10:00:00 INFO a line that is like all others\n"
        for _ in range(4):
            yield line * 12_000
        with psycopg.connect(service_database.app_url) as connection:
            (pid,) = connection.execute(
                "SELECT pid FROM pg_locks JOIN pg_class c ON c.oid = relation"
                " WHERE relname LIKE 'log_records_%' AND pid <> pg_backend_pid() LIMIT 1"
            ).fetchone()  # type: ignore[misc]
            copied.set()
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        yield line * 12_000

    with pytest.raises(Unavailable):
        await store(uow, ingestor, chunks())

    assert copied.is_set()
    async with database.read() as tx:
        assert [await tx.fetch_all(table.select()) for table in (LOGS, LOG_RECORDS, LOG_PATTERNS)] == [[], [], []]
    assert await published(database) == []


async def test_others_are_answered_while_a_log_is_read(receive: Receive) -> None:
    ended = asyncio.Event()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while not ended.is_set():
            beats += 1
            await asyncio.sleep(0.01)

    beating = asyncio.ensure_future(beat())
    started = time.monotonic()
    await receive("".join(f"2026-01-04 10:00:00 INFO request {n} took {n * 7} ms\n" for n in range(40_000)))
    seconds = time.monotonic() - started
    ended.set()
    await beating

    assert beats / seconds > 40, f"{beats} beats in {seconds:.2f} s"


async def test_a_cancelled_upload_leaves_nothing(uow: UnitOfWork, ingestor: Ingestor, database: Database) -> None:
    waiting = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"2026-01-04 10:00:00 INFO a line\n" * 40_000
        waiting.set()
        await asyncio.sleep(60)

    task = asyncio.ensure_future(store(uow, ingestor, chunks()))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with database.read() as tx:
        assert [await tx.fetch_all(table.select()) for table in (LOGS, LOG_RECORDS, LOG_PATTERNS)] == [[], [], []]


@pytest.mark.parametrize(
    ("content", "record_count", "check"),
    [
        (b"2026-01-04 10:00:00 INFO caf\xe9 is \xff\xfe bad\nnext\n", 2, "invalid UTF-8"),
        (b"x" * 5_000_000 + b"\nnext\n", 2, "long"),
        (b'{"msg": "half \\ud800 of a pair and \\u0000", "a\\u0000": "\\udfff"}\n', 1, "escapes"),
        (b"no newline at the end", 1, "open end"),
        (b"one\r\ntwo\rthree\n", 3, "line ends"),
        (b"\xef\xbb\xbf2026-01-04 10:00:00 INFO with a mark\n", 1, "byte order mark"),
        (b"\\N\n\\.\n\\\t\n", 3, "copy marks"),
    ],
)
async def test_odd_bytes_are_lines_too(
    receive: Receive, database: Database, content: bytes, record_count: int, check: str
) -> None:
    log = await receive(content)

    async with database.read() as tx:
        rows = await tx.fetch_all(select(LOG_RECORDS).order_by(LOG_RECORDS.c.id))
    assert len(rows) == log.contents.record_count == record_count
    assert log.contents.byte_count == len(content)
    if check == "long":
        assert [row.truncated for row in rows] == [True, False]
        assert len(rows[0].body) == 65_536
    if check == "copy marks":
        assert [row.body for row in rows] == ["\\N", "\\.", "\\"]
    if check == "invalid UTF-8":
        assert rows[0].body == "caf\ufffd is \ufffd\ufffd bad"


async def test_old_and_backward_times_stay_as_they_are(receive: Receive, database: Database) -> None:
    text = "2005-06-03 10:00:02 INFO b\n2005-06-03 10:00:01 INFO a\n2005-06-03 10:00:03 INFO c\n"

    log = await receive(text)

    async with database.read() as tx:
        rows = await tx.fetch_all(select(LOG_RECORDS).order_by(LOG_RECORDS.c.id))
    second = 1_000_000_000
    start = int(datetime(2005, 6, 3, 10, tzinfo=UTC).timestamp()) * second
    assert [row.time_nanoseconds for row in rows] == [start + 2 * second, start + second, start + 3 * second]
    assert (log.contents.first_time_nanoseconds, log.contents.last_time_nanoseconds) == (
        start + second, start + 3 * second,
    )  # fmt: skip


async def test_a_year_beyond_reach_is_no_time(receive: Receive, database: Database) -> None:
    log = await receive("9999-12-31T23:59:59Z INFO the end\n1600-01-01T00:00:00Z INFO the start\n")

    async with database.read() as tx:
        rows = await tx.fetch_all(select(LOG_RECORDS).order_by(LOG_RECORDS.c.id))
    assert [(row.body, row.time_nanoseconds) for row in rows] == [("the end", None), ("the start", None)]
    assert (log.contents.first_time_nanoseconds, log.contents.last_time_nanoseconds) == (None, None)


async def test_ten_thousand_patterns_are_all_kept(receive: Receive, database: Database) -> None:
    words = [f"{a}{b}{c}" for a in "bcdfghjklm" for b in "aeiou" for c in "npqrstvwxz"]
    lines = [
        f"{words[n % 500]} {words[n // 500]} {words[(n * 7) % 500]} {words[(n * 13) % 499]}" for n in range(10_000)
    ]

    log = await receive("\n".join(lines))

    async with database.read() as tx:
        counts = await tx.fetch_one(select(func.sum(LOG_PATTERN_COUNTS.c.record_count)))
        unknown = await tx.fetch_all(
            select(LOG_RECORDS.c.pattern_id).where(LOG_RECORDS.c.pattern_id.not_in(select(LOG_PATTERNS.c.id)))
        )
    assert counts is not None
    assert counts[0] == log.contents.record_count == 10_000
    assert unknown == []


async def test_a_pattern_keeps_its_id_from_log_to_log(receive: Receive, database: Database) -> None:
    first = await receive("2026-01-04 10:00:00 INFO order 17 shipped to Bonn\n" * 3, service="shop")
    await receive("2026-01-04 10:00:00 INFO order 99 shipped to Bonn\n" * 2, service="shop")
    await receive("2026-01-04 10:00:00 INFO order 99 shipped to Bonn\n", service="other")

    async with database.read() as tx:
        rows = await tx.fetch_all(select(LOG_PATTERNS).order_by(LOG_PATTERNS.c.id))
        counts = await tx.fetch_all(select(LOG_PATTERN_COUNTS).order_by(LOG_PATTERN_COUNTS.c.log_id))
    assert [(row.service, row.template, row.version) for row in rows] == [
        ("shop", "order <*> shipped to Bonn", 1),
        ("other", "order <*> shipped to Bonn", 1),
    ]
    assert rows[0].first_log_id == first.id
    assert [(row.pattern_id, row.record_count) for row in counts] == [
        (rows[0].id, 3), (rows[0].id, 2), (rows[1].id, 1),
    ]  # fmt: skip


async def test_a_pattern_that_becomes_more_general_keeps_its_history(receive: Receive, database: Database) -> None:
    cities = ["Bonn", "Mainz", "Trier", "Worms", "Speyer", "Koblenz", "Neuss", "Aachen", "Essen", "Hagen", "Soest"]
    await receive("parcel of module Ulm left the depot today\n", service="shop")

    await receive("".join(f"parcel of module {city} left the depot today\n" for city in cities * 3), service="shop")

    async with database.read() as tx:
        live = await tx.fetch_all(select(LOG_PATTERNS).where(LOG_PATTERNS.c.merged_into.is_(None)))
        versions = await tx.fetch_all(select(LOG_PATTERN_VERSIONS).order_by(LOG_PATTERN_VERSIONS.c.version))
    (pattern,) = live
    assert (pattern.template, pattern.version) == ("parcel of module <*> left the depot today", 2)
    own = [(row.version, row.template) for row in versions if row.pattern_id == pattern.id]
    assert own == [
        (1, "parcel of module Ulm left the depot today"),
        (2, "parcel of module <*> left the depot today"),
    ]


async def test_logs_at_the_same_time_share_their_patterns(receive: Receive, database: Database) -> None:
    text = "".join(f"2026-01-04 10:00:00 INFO job {n} of queue mail took {n} ms\n" for n in range(200))

    await asyncio.gather(*(receive(text, service="shop", name=f"log {n}") for n in range(4)))

    async with database.read() as tx:
        live = await tx.fetch_all(select(LOG_PATTERNS).where(LOG_PATTERNS.c.merged_into.is_(None)))
        merged = await tx.fetch_all(select(LOG_PATTERNS.c.merged_into).where(LOG_PATTERNS.c.merged_into.is_not(None)))
        total = await tx.fetch_one(select(func.sum(LOG_PATTERN_COUNTS.c.record_count)))
    (pattern,) = live
    assert {row.merged_into for row in merged} <= {pattern.id}
    assert total is not None
    assert total[0] == 800


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["login of", "user", "alice", "bob", "failed", "17", "order", "ERROR", "at", "/a/b", "x=1"]
            ),
            min_size=1,
            max_size=6,
        ).map(" ".join),
        min_size=1,
        max_size=120,
    )
)
async def test_counts_of_patterns_add_up(receive: Receive, database: Database, lines: list[str]) -> None:
    log = await receive("\n".join(lines), service="shop")

    async with database.read() as tx:
        counts = await tx.fetch_all(select(LOG_PATTERN_COUNTS).where(LOG_PATTERN_COUNTS.c.log_id == log.id))
        rows = await tx.fetch_all(select(LOG_RECORDS).where(LOG_RECORDS.c.log_id == log.id))
        roots = await tx.fetch_all(select(LOG_PATTERNS.c.id, LOG_PATTERNS.c.merged_into))
    stored = Counter((row.pattern_id, Severity(row.severity)) for row in rows)
    assert {(row.pattern_id, Severity(row.severity)): row.record_count for row in counts} == stored
    assert stored.total() == log.contents.record_count == len(lines)
    live = {row.id for row in roots if row.merged_into is None}
    assert all(row.merged_into in live for row in roots if row.merged_into is not None)
