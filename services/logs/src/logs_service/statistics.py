"""The numbers of a log's patterns: for a page of them, and whole as the input of its evidence."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, BigInteger, Numeric, Row, Select, Subquery, and_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from chassis.db import ReadTx, among
from chassis.paging import Page, Slice, decode_cursor, encode_cursor
from logs_service.domain import Log, LogPatternCount
from logs_service.evidence import Exemplar, LogStats, PatternStats
from logs_service.queries import get_log
from logs_service.store import pattern_of, severity_counts_of
from logs_service.tables import LOG_PATTERN_COUNTS, LOG_PATTERNS, LOG_RECORDS, LOGS

LISTED_BUCKETS = 30
EVIDENCE_BUCKETS = 120
_LISTED_SPREAD = 2
"""First, middle and last record of a pattern."""
_EVIDENCE_SPREAD = 7
"""The same with five more in between."""
_EXEMPLAR_CHARACTERS = 2000
_NANOSECONDS = 1_000_000_000
WIDTHS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Each divides a day. Wider buckets are whole days."""


@dataclass(frozen=True, slots=True)
class _Times:
    first: int | None
    last: int | None
    exemplar_ids: tuple[UUID, ...]


async def list_log_patterns(log_id: UUID, page: Page, tx: ReadTx) -> Slice[LogPatternCount]:
    """A page of a log's patterns, the most frequent first. The counts of all add up to the log's records.

    Raises:
        LogNotFound: no log has this id.
        CursorInvalid: the cursor is not of this list.
    """
    log = await get_log(log_id, tx)
    counts = _counts(log.id)
    statement = select(counts, LOG_PATTERNS).join(LOG_PATTERNS, LOG_PATTERNS.c.id == counts.c.root_id)
    if page.after:
        count, last = decode_cursor(page.after, int, UUID)
        after = and_(counts.c.total == count, counts.c.root_id > last)
        statement = statement.where(or_(counts.c.total < count, after))
    rows = await tx.fetch_all(_most_frequent_first(statement, counts).limit(page.first + 1))
    patterns = await _with_numbers(log, rows[: page.first], tx)
    cursors = tuple(encode_cursor(found.count, str(found.pattern.id)) for found in patterns)
    return Slice(tuple(patterns), cursors, len(rows) > page.first)


async def log_statistics(log: Log, tx: ReadTx) -> LogStats:
    """All numbers of a log that its evidence is made of."""
    counts = _counts(log.id)
    statement = select(counts, LOG_PATTERNS).join(LOG_PATTERNS, LOG_PATTERNS.c.id == counts.c.root_id)
    rows = await tx.fetch_all(_most_frequent_first(statement, counts))
    members = _members(None)
    width = bucket_seconds(*await _middle_times(log, members, tx), EVIDENCE_BUCKETS)
    times = await _times(log, members, _EVIDENCE_SPREAD, tx)
    buckets = await _buckets(log, members, width, tx)
    texts = await _exemplars([i for found in times.values() for i in found.exemplar_ids], tx)
    has_baseline = await _has_earlier_log(log, tx)
    return LogStats(
        name=log.name,
        service=log.service,
        record_count=log.contents.record_count,
        bucket_seconds=width,
        patterns=[
            PatternStats(
                pattern_id=str(row.root_id),
                template=row.template,
                count=row.total,
                severities={int(s): count for s, count in row.severities.items()},
                first_time=found.first,
                last_time=found.last,
                buckets=buckets[row.root_id],
                exemplars=[texts[i] for i in found.exemplar_ids],
                new_for_service=has_baseline and row.first_log_id == log.id,
            )
            for row in rows
            if (found := times.get(row.root_id)) is not None
        ],
    )


def bucket_seconds(first_nanoseconds: int | None, last_nanoseconds: int | None, wanted: int) -> int:
    """The width of a bucket, a round one, that splits a span into about as many as wanted."""
    if first_nanoseconds is None or last_nanoseconds is None:
        return 1
    exact = (last_nanoseconds - first_nanoseconds) / _NANOSECONDS / wanted
    days = math.ceil(exact / 86_400)
    return next((width for width in WIDTHS_SECONDS if width >= exact), days * 86_400)


async def _with_numbers(log: Log, rows: Sequence[Row[Any]], tx: ReadTx) -> list[LogPatternCount]:
    if not rows:
        return []
    width = bucket_seconds(log.contents.first_time_nanoseconds, log.contents.last_time_nanoseconds, LISTED_BUCKETS)
    members = _members([row.root_id for row in rows])
    times = await _times(log, members, _LISTED_SPREAD, tx)
    buckets = await _buckets(log, members, width, tx)
    has_baseline = await _has_earlier_log(log, tx)
    found = [(row, times.get(row.root_id, _Times(None, None, ()))) for row in rows]
    return [
        LogPatternCount(
            pattern=pattern_of(row),
            count=row.total,
            severity_counts=severity_counts_of(row.severities),
            first_time_nanoseconds=own.first,
            last_time_nanoseconds=own.last,
            exemplar_record_ids=own.exemplar_ids,
            buckets=buckets[row.root_id],
            bucket_seconds=width,
            new_for_service=has_baseline and row.first_log_id == log.id,
        )
        for row, own in found
    ]


def _counts(log_id: UUID) -> Subquery:
    """Records of a log by the pattern of today, with their severities."""
    root_id = func.coalesce(LOG_PATTERNS.c.merged_into, LOG_PATTERNS.c.id).label("root_id")
    per_severity = (
        select(root_id, LOG_PATTERN_COUNTS.c.severity, func.sum(LOG_PATTERN_COUNTS.c.record_count).label("count"))
        .join_from(LOG_PATTERN_COUNTS, LOG_PATTERNS, LOG_PATTERNS.c.id == LOG_PATTERN_COUNTS.c.pattern_id)
        .where(LOG_PATTERN_COUNTS.c.log_id == log_id)
        .group_by(root_id, LOG_PATTERN_COUNTS.c.severity)
        .subquery()
    )
    total = func.sum(per_severity.c.count)
    severities = func.jsonb_object_agg(per_severity.c.severity, per_severity.c.count)
    return (
        select(per_severity.c.root_id, total.cast(BigInteger).label("total"), severities.label("severities"))
        .group_by(per_severity.c.root_id)
        .subquery("counts")
    )


def _most_frequent_first(statement: Select[Any], counts: Subquery) -> Select[Any]:
    return statement.order_by(counts.c.total.desc(), counts.c.root_id)


def _members(roots: Sequence[UUID] | None) -> CTE:
    """Pattern ids with the pattern that stands for them, for some patterns or all."""
    root_id = func.coalesce(LOG_PATTERNS.c.merged_into, LOG_PATTERNS.c.id).label("root_id")
    statement = select(LOG_PATTERNS.c.id, root_id)
    if roots is not None:
        statement = statement.where(or_(among(LOG_PATTERNS.c.id, roots), among(LOG_PATTERNS.c.merged_into, roots)))
    return statement.cte("members")


async def _times(log: Log, members: CTE, spread: int, tx: ReadTx) -> dict[UUID, _Times]:
    """First and last time, and `spread + 1` records in equal distances, of each pattern."""
    numbered = (
        _records(log, members)
        .add_columns(
            func.row_number().over(partition_by=members.c.root_id, order_by=LOG_RECORDS.c.id).label("position"),
            func.count().over(partition_by=members.c.root_id).label("total"),
        )
        .subquery("numbered")
    )
    steps = func.greatest(numbered.c.total - 1, 1)
    here = ((numbered.c.position - 1) * spread).op("/")(steps)
    before = ((numbered.c.position - 2) * spread).op("/")(steps)
    chosen = or_(numbered.c.position == 1, here != before)
    statement = select(
        numbered.c.root_id,
        func.min(numbered.c.time_nanoseconds).label("first"),
        func.max(numbered.c.time_nanoseconds).label("last"),
        func.array_agg(aggregate_order_by(numbered.c.id, numbered.c.id)).filter(chosen).label("ids"),
    ).group_by(numbered.c.root_id)
    return {row.root_id: _Times(row.first, row.last, tuple(row.ids)) for row in await tx.fetch_all(statement)}


async def _middle_times(log: Log, members: CTE, tx: ReadTx) -> tuple[int | None, int | None]:
    """The span of the middle 90 % of a log's records: one line with a wrong year must not widen all buckets."""
    records = _records(log, members).subquery("timed")
    both = func.percentile_disc([0.05, 0.95]).within_group(records.c.time_nanoseconds)
    row = await tx.fetch_one(select(both.label("span")))
    return (row.span[0], row.span[1]) if row is not None and row.span is not None else (None, None)


async def _buckets(log: Log, members: CTE, width: int, tx: ReadTx) -> dict[UUID, dict[int, int]]:
    records = _records(log, members).where(LOG_RECORDS.c.time_nanoseconds.is_not(None)).subquery("timed")
    start = (func.floor(records.c.time_nanoseconds.cast(Numeric) / (width * _NANOSECONDS)) * width).cast(BigInteger)
    statement = select(records.c.root_id, start.label("start"), func.count().label("records")).group_by(
        records.c.root_id, "start"
    )
    found: dict[UUID, dict[int, int]] = defaultdict(dict)
    for row in await tx.fetch_all(statement.order_by("start")):
        found[row.root_id][row.start] = row.records
    return found


def _records(log: Log, members: CTE) -> Select[Any]:
    records = LOG_RECORDS.c
    return (
        select(records.id, records.time_nanoseconds, members.c.root_id)
        .join_from(LOG_RECORDS, members, members.c.id == records.pattern_id)
        .where(
            records.log_id == log.id,
            records.id.between(log.contents.first_record_id, log.contents.last_record_id),
        )
    )


async def _exemplars(ids: Sequence[UUID], tx: ReadTx) -> dict[UUID, Exemplar]:
    records = LOG_RECORDS.c
    body = func.left(records.body, _EXEMPLAR_CHARACTERS).label("body")
    statement = select(records.id, records.time_nanoseconds, records.line_number, body).where(among(records.id, ids))
    return {
        row.id: Exemplar(str(row.id), row.time_nanoseconds, row.body, row.line_number)
        for row in await tx.fetch_all(statement)
    }


async def _has_earlier_log(log: Log, tx: ReadTx) -> bool:
    """Whether there is a baseline: an earlier log of the same, known service."""
    if not log.service:
        return False
    earlier = select(LOGS.c.id).where(LOGS.c.service == log.service, LOGS.c.id < log.id).limit(1)
    return await tx.fetch_one(earlier) is not None
