"""How the records of a log are spread over time, in one statement that reads each of them once."""

from collections import defaultdict
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, literal, select, true
from sqlalchemy.dialects.postgresql import array

from chassis.db import ReadTx
from chassis.errors import InvalidArgument
from logs_service.commands import LogRecordFilter
from logs_service.domain import LogHistogram, LogHistogramBucket
from logs_service.errors import LogNotFound
from logs_service.patterns.record import Severity
from logs_service.queries import pattern_members, pattern_not_found, record_conditions
from logs_service.statistics import WIDTHS_SECONDS
from logs_service.tables import LOG_RECORDS, LOGS

MAXIMUM_BUCKETS = 200
_DAY_SECONDS = 86_400
_NANOSECONDS = 1_000_000_000


async def get_log_histogram(wanted: LogRecordFilter, bucket_count: int, tx: ReadTx) -> LogHistogram:
    """The records of a log over time, in at most as many buckets as wanted, of a round width.

    Raises:
        LogNotFound: no log has the id of the filter.
        LogPatternNotFound: no pattern has the id of the filter.
        InvalidArgument: the filter names no log, the text is too long, or so many buckets are not made.
    """
    if wanted.log_id is None:
        raise InvalidArgument("name the log whose records are to be counted", field="filter.log_id")
    if not 1 <= bucket_count <= MAXIMUM_BUCKETS:
        raise InvalidArgument(f"this must be 1 to {MAXIMUM_BUCKETS}", field="bucket_count")

    log = select(LOGS.c.first_record_id, LOGS.c.last_record_id).where(LOGS.c.id == wanted.log_id).cte("log")
    records = LOG_RECORDS.c
    per_second = (
        select(
            _quotient(records.time_nanoseconds, _NANOSECONDS).label("at_second"),
            records.severity,
            func.count().label("records"),
        )
        .where(
            records.log_id == wanted.log_id,
            records.id.between(
                select(log.c.first_record_id).scalar_subquery(), select(log.c.last_record_id).scalar_subquery()
            ),
            *record_conditions(wanted),
        )
        .group_by("at_second", records.severity)
    )
    pattern_found: ColumnElement[bool] = true()
    if wanted.pattern_id is not None:
        members = pattern_members(wanted.pattern_id).cte("members")
        per_second = per_second.where(records.pattern_id.in_(select(members.c.id)))
        pattern_found = select(members.c.id).exists()
    seconds = per_second.cte("per_second")

    span = select(func.min(seconds.c.at_second).label("first"), func.max(seconds.c.at_second).label("last")).cte("span")
    shape = select(span.c.first, _width(span.c.first, span.c.last, bucket_count).label("width")).cte("shape")
    step = func.least(shape.c.width, _DAY_SECONDS)
    start = (_quotient(shape.c.first, step) * step).label("start")
    counts = (
        select(
            _divided(seconds.c.at_second - start, shape.c.width).label("bucket"),
            seconds.c.severity,
            func.sum(seconds.c.records).cast(BigInteger).label("records"),
        )
        .join_from(seconds, shape, true())
        .group_by("bucket", seconds.c.severity)
        .subquery("counts")
    )
    rows = await tx.fetch_all(
        select(
            select(log.c.first_record_id).exists().label("log_found"),
            pattern_found.label("pattern_found"),
            shape.c.width,
            start,
            counts.c.bucket,
            counts.c.severity,
            counts.c.records,
        ).join_from(shape, counts, true(), isouter=True)
    )
    if not rows[0].log_found:
        raise LogNotFound(wanted.log_id)
    if wanted.pattern_id is not None and not rows[0].pattern_found:
        raise pattern_not_found(wanted.pattern_id)
    found: dict[int | None, dict[Severity, int]] = defaultdict(dict)
    for row in rows:
        if row.records is not None:
            found[row.bucket][Severity(row.severity)] = row.records
    untimed = found.pop(None, {})
    width = rows[0].width
    return LogHistogram(
        bucket_seconds=width,
        buckets=tuple(
            LogHistogramBucket(rows[0].start + number * width, found.get(number, {}))
            for number in range(max((number for number in found if number is not None), default=-1) + 1)
        ),
        untimed_count=sum(untimed.values()),
    )


def _width(first: ColumnElement[int], last: ColumnElement[int], bucket_count: int) -> ColumnElement[int]:
    """The narrowest round width with which so many buckets reach from the first second to the last."""
    widths = select(func.unnest(array([literal(width, BigInteger) for width in WIDTHS_SECONDS])).label("width"))
    each = widths.subquery("widths").c.width
    narrowest = select(func.min(each)).where(_quotient(last, each) - _quotient(first, each) < bucket_count)
    days = _quotient(last, _DAY_SECONDS) - _quotient(first, _DAY_SECONDS) + 1
    whole_days = _divided(days + bucket_count - 1, bucket_count) * _DAY_SECONDS
    return func.coalesce(narrowest.scalar_subquery(), whole_days, 1)


def _quotient(number: ColumnElement[Any], by: ColumnElement[int] | int) -> ColumnElement[int]:
    """Rounded down, before 1970 too, where Postgres rounds towards zero."""
    remainder = func.mod(func.mod(number, by) + by, by)
    return _divided(number - remainder, by)


def _divided(number: ColumnElement[Any], by: ColumnElement[int] | int) -> ColumnElement[int]:
    """Whole numbers as Postgres divides them: the library's own operator makes fractions."""
    return number.op("/", precedence=8, return_type=BigInteger())(by)
