"""Reads of logs, records and patterns: keyset pages, and never one query per row."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select

from chassis.db import ReadTx, among
from chassis.errors import InvalidArgument
from chassis.paging import Page, Slice, decode_cursor, encode_cursor
from logs_service.commands import LogFilter, LogRecordFilter
from logs_service.domain import Log, LogPattern, LogRecord
from logs_service.errors import LogNotFound, LogPatternNotFound
from logs_service.patterns.record import Severity
from logs_service.store import log_of, pattern_count, record_of, resolved_patterns
from logs_service.tables import LOG_PATTERNS, LOG_RECORDS, LOGS

MAXIMUM_SEARCH_CHARACTERS = 200
T = TypeVar("T")


async def get_log(log_id: UUID, tx: ReadTx) -> Log:
    """One log.

    Raises:
        LogNotFound: no log has this id.
    """
    row = await tx.fetch_one(select(LOGS, pattern_count()).where(LOGS.c.id == log_id))
    if row is None:
        raise LogNotFound(log_id)
    return log_of(row)


async def batch_get_logs(ids: Sequence[UUID], tx: ReadTx) -> list[Log]:
    """The logs that exist among the ids."""
    return [log_of(row) for row in await tx.fetch_all(select(LOGS, pattern_count()).where(among(LOGS.c.id, ids)))]


async def list_logs(wanted: LogFilter, page: Page, tx: ReadTx) -> Slice[Log]:
    """A page of logs, the newest first.

    Raises:
        CursorInvalid: the cursor is not of this list.
        InvalidArgument: the text is too long.
    """
    statement = select(LOGS, pattern_count()).order_by(LOGS.c.id.desc()).limit(page.first + 1)
    if page.after:
        statement = statement.where(LOGS.c.id < _id_after(page))
    if wanted.states:
        statement = statement.where(LOGS.c.state.in_([state.value for state in wanted.states]))
    if wanted.statuses:
        statement = statement.where(LOGS.c.status.in_([status.value for status in wanted.statuses]))
    if wanted.service:
        statement = statement.where(LOGS.c.service == wanted.service)
    if wanted.text:
        statement = statement.where(LOGS.c.name.ilike(_containing(wanted.text), escape="\\"))
    if wanted.tag:
        statement = statement.where(LOGS.c.tags.any_() == wanted.tag.lower())
    logs, more = _cut([log_of(row) for row in await tx.fetch_all(statement)], page)
    return Slice(logs, tuple(encode_cursor(str(log.id)) for log in logs), more)


async def list_log_records(wanted: LogRecordFilter, page: Page, tx: ReadTx) -> Slice[LogRecord]:
    """A page of records in the order of their ids: arrival, then line.

    Raises:
        LogNotFound: no log has the id of the filter.
        LogPatternNotFound: no pattern has the id of the filter.
        CursorInvalid: the cursor is not of this list.
        InvalidArgument: the text is too long.
    """
    records = LOG_RECORDS.c
    statement = select(LOG_RECORDS).order_by(records.id).limit(page.first + 1)
    if page.after:
        statement = statement.where(records.id > _id_after(page))
    if wanted.log_id is not None:
        log = await tx.fetch_one(
            select(LOGS.c.first_record_id, LOGS.c.last_record_id).where(LOGS.c.id == wanted.log_id)
        )
        if log is None:
            raise LogNotFound(wanted.log_id)
        statement = statement.where(
            records.log_id == wanted.log_id, records.id.between(log.first_record_id, log.last_record_id)
        )
    if wanted.pattern_id is not None:
        statement = statement.where(among(records.pattern_id, await _members(wanted.pattern_id, tx)))
    statement = statement.where(*record_conditions(wanted))
    found, more = _cut([record_of(row) for row in await tx.fetch_all(statement)], page)
    return Slice(found, tuple(encode_cursor(str(record.id)) for record in found), more)


def record_conditions(wanted: LogRecordFilter) -> list[ColumnElement[bool]]:
    """What the filter asks of a record itself; its log and pattern are looked up by who asks.

    Raises:
        InvalidArgument: the text is too long.
    """
    records = LOG_RECORDS.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.service:
        conditions.append(records.service == wanted.service)
    if wanted.start_nanoseconds is not None:
        conditions.append(records.time_nanoseconds >= wanted.start_nanoseconds)
    if wanted.end_nanoseconds is not None:
        conditions.append(records.time_nanoseconds < wanted.end_nanoseconds)
    if wanted.minimum_severity is not Severity.UNSPECIFIED:
        conditions.append(records.severity >= int(wanted.minimum_severity))
    if wanted.text:
        conditions.append(records.body.ilike(_containing(wanted.text), escape="\\"))
    return conditions


def pattern_members(pattern_id: UUID) -> Select[tuple[UUID]]:
    """The ids that records of a pattern have: its own and those that were merged into it; none for an unknown one."""
    root = func.coalesce(LOG_PATTERNS.c.merged_into, LOG_PATTERNS.c.id)
    wanted = select(root).where(LOG_PATTERNS.c.id == pattern_id).scalar_subquery()
    return select(LOG_PATTERNS.c.id).where((LOG_PATTERNS.c.id == wanted) | (LOG_PATTERNS.c.merged_into == wanted))


def pattern_not_found(pattern_id: UUID) -> LogPatternNotFound:
    """The refusal of a filter by an unknown pattern."""
    return LogPatternNotFound(
        f"no pattern has the id {pattern_id}; list the patterns of a log to find the right one", id=str(pattern_id)
    )


async def batch_get_log_records(ids: Sequence[UUID], tx: ReadTx) -> list[LogRecord]:
    """The records that exist among the ids; each id names its day partition."""
    return [record_of(row) for row in await tx.fetch_all(select(LOG_RECORDS).where(among(LOG_RECORDS.c.id, ids)))]


async def batch_get_log_patterns(ids: Sequence[UUID], tx: ReadTx) -> dict[UUID, LogPattern]:
    """The pattern that stands for each id today, for the ids that exist."""
    return await resolved_patterns(tx, ids)


async def _members(pattern_id: UUID, tx: ReadTx) -> list[UUID]:
    rows = await tx.fetch_all(pattern_members(pattern_id))
    if not rows:
        raise pattern_not_found(pattern_id)
    return [row.id for row in rows]


def _id_after(page: Page) -> UUID:
    after: UUID = decode_cursor(page.after, UUID)[0]
    return after


def _containing(text: str) -> str:
    if len(text) > MAXIMUM_SEARCH_CHARACTERS or "\x00" in text:
        raise InvalidArgument(
            f"this may have at most {MAXIMUM_SEARCH_CHARACTERS} characters and no NUL", field="filter.text"
        )
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _cut(items: list[T], page: Page) -> tuple[tuple[T, ...], bool]:
    return tuple(items[: page.first]), len(items) > page.first
