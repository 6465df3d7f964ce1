"""Writes and locked reads of logs and patterns. SQL only: nothing here decides, nothing here commits."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import ColumnElement, Row, Text, any_, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.db import ReadTx, WriteTx, among
from chassis.errors import VersionConflict
from logs_service.domain import (
    Contents,
    Log,
    LogPattern,
    LogRecord,
    LogSource,
    LogState,
    LogStatus,
    Summary,
    SummarySentence,
    SummarySuggestion,
)
from logs_service.errors import LogNotFound
from logs_service.patterns.record import Severity
from logs_service.tables import LOG_PATTERN_COUNTS, LOG_PATTERNS, LOGS


class LogStore:
    """Logs inside one write transaction."""

    def __init__(self, tx: WriteTx) -> None:
        self._tx = tx

    async def get_for_update(self, log_id: UUID) -> Log:
        """The log, locked until the transaction ends.

        Raises:
            LogNotFound: there is none.
        """
        row = await self._tx.fetch_one(
            select(LOGS, pattern_count()).where(LOGS.c.id == log_id).with_for_update(of=LOGS)
        )
        if row is None:
            raise LogNotFound(log_id)
        return log_of(row)

    async def add(self, log: Log) -> None:
        """Insert a new log."""
        await self._tx.execute(insert(LOGS).values(_log_values(log)))

    async def save(self, log: Log, *, expected_version: int) -> None:
        """Write a changed log over the version that the change was made from.

        Raises:
            VersionConflict: the row has another version; nothing was written.
        """
        values = _log_values(log)
        statement = update(LOGS).where(LOGS.c.id == log.id, LOGS.c.version == expected_version).values(values)
        if (await self._tx.execute(statement)).rowcount != 1:
            actual = await self._tx.fetch_one(select(LOGS.c.version).where(LOGS.c.id == log.id))
            raise VersionConflict(
                expected=expected_version, actual=actual.version if actual else 0, kind="log", id=log.id
            )


class RecordStore:
    """Records inside one write transaction."""

    COLUMNS = (
        "id", "log_id", "pattern_id", "time_nanoseconds", "observed_time", "line_number", "severity", "truncated",
        "severity_text", "service", "trace_id", "body", "attributes",
    )  # fmt: skip
    """The columns of a block, in order."""

    def __init__(self, tx: WriteTx) -> None:
        self._tx = tx

    async def copy(self, block: bytes) -> None:
        """Store records that are written in COPY's text format already: twice as fast as handing over rows."""
        if not block:
            return
        statement = sql.SQL("COPY log_records ({}) FROM STDIN").format(
            sql.SQL(", ").join(map(sql.Identifier, self.COLUMNS))
        )
        raw = await self._tx.connection.get_raw_connection()
        driver: psycopg.AsyncConnection[Any] = raw.driver_connection  # type: ignore[assignment]
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            await copy.write(block)


class PatternStore:
    """The catalogue of patterns of one service inside one write transaction."""

    def __init__(self, tx: WriteTx, service: str) -> None:
        self._tx = tx
        self._service = service

    async def lock(self) -> None:
        """Be the only one who changes the catalogue of this service until the transaction ends."""
        await self._tx.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(f"logs.log_patterns:{self._service}", 0)))
        )

    async def live(self, *, limit: int) -> list[LogPattern]:
        """The patterns that are not merged, the oldest first; of more than the limit, the newest."""
        newest = (
            select(LOG_PATTERNS)
            .where(LOG_PATTERNS.c.service == self._service, LOG_PATTERNS.c.merged_into.is_(None))
            .order_by(LOG_PATTERNS.c.id.desc())
            .limit(limit)
        )
        return [pattern_of(row) for row in reversed(await self._tx.fetch_all(newest))]

    async def live_with_templates(self, templates: Sequence[str]) -> dict[str, UUID]:
        """Ids of the live patterns that have one of these templates, by template."""
        digests = [hashlib.md5(template.encode(), usedforsecurity=False).hexdigest() for template in templates]
        statement = select(LOG_PATTERNS.c.template, LOG_PATTERNS.c.id).where(
            LOG_PATTERNS.c.service == self._service,
            LOG_PATTERNS.c.merged_into.is_(None),
            func.md5(LOG_PATTERNS.c.template) == any_(literal(digests, ARRAY(Text))),
        )
        return {row.template: row.id for row in await self._tx.fetch_all(statement)} if templates else {}

    async def roots(self, ids: Sequence[UUID]) -> dict[UUID, LogPattern]:
        """The patterns that stand for these today, by the id asked for."""
        return await resolved_patterns(self._tx, ids)

    async def add(self, patterns: Iterable[tuple[LogPattern, UUID | None]], *, log_id: UUID) -> None:
        """Insert new patterns, each with the one that it was merged into already, if any."""
        rows = [(p.id, p.version, p.template, p.service, p.first_log_id, into, p.created_at) for p, into in patterns]
        columns = ("id", "version", "template", "service", "first_log_id", "merged_into", "created_at")
        await self._tx.copy("log_patterns", columns, rows)
        await self._add_versions([(row[0], row[1], row[2], row[5], log_id, row[6]) for row in rows])

    async def generalise(self, pattern: LogPattern, *, log_id: UUID, at: datetime) -> None:
        """Write a pattern's new template and version."""
        values = {"template": pattern.template, "version": pattern.version}
        await self._tx.execute(update(LOG_PATTERNS).where(LOG_PATTERNS.c.id == pattern.id).values(values))
        await self._add_versions([(pattern.id, pattern.version, pattern.template, None, log_id, at)])

    async def merge(self, pattern: LogPattern, into: UUID, *, log_id: UUID, at: datetime) -> None:
        """Let another pattern stand for this one, and for all that were merged into this one."""
        values = {"merged_into": into, "version": LOG_PATTERNS.c.version + 1}
        await self._tx.execute(update(LOG_PATTERNS).where(LOG_PATTERNS.c.id == pattern.id).values(values))
        await self._tx.execute(
            update(LOG_PATTERNS).where(LOG_PATTERNS.c.merged_into == pattern.id).values(merged_into=into)
        )
        await self._add_versions([(pattern.id, pattern.version + 1, pattern.template, into, log_id, at)])

    async def count(self, log_id: UUID, counts: Mapping[tuple[UUID, Severity], int]) -> None:
        """Insert how many records of a log have each pattern and severity."""
        rows = [(log_id, pattern, int(severity), count) for (pattern, severity), count in counts.items()]
        await self._tx.copy("log_pattern_counts", ("log_id", "pattern_id", "severity", "record_count"), rows)

    async def _add_versions(self, rows: Sequence[Sequence[object]]) -> None:
        columns = ("pattern_id", "version", "template", "merged_into", "log_id", "created_at")
        await self._tx.copy("log_pattern_versions", columns, rows)


async def ensure_record_partitions(tx: WriteTx, *, first_day: datetime, days: int) -> int:
    """Make the day partitions that are missing from that day on; how many were made."""
    row = await tx.fetch_one(
        text("SELECT ensure_log_record_partitions(:days, CAST(:day AS date)) AS created").bindparams(
            days=days, day=first_day.date()
        )
    )
    return int(row.created) if row is not None else 0


async def resolved_patterns(tx: ReadTx, ids: Sequence[UUID]) -> dict[UUID, LogPattern]:
    """The patterns that stand for these today, by the id asked for; an unknown id is absent."""
    asked, root = LOG_PATTERNS.alias("asked"), LOG_PATTERNS.alias("root")
    statement = (
        select(asked.c.id.label("requested_id"), root)
        .join(root, root.c.id == func.coalesce(asked.c.merged_into, asked.c.id))
        .where(among(asked.c.id, ids))
    )
    return {row.requested_id: pattern_of(row) for row in await tx.fetch_all(statement)} if ids else {}


def pattern_count() -> ColumnElement[int]:
    """The number of patterns that the records of a log have today, as a column of a query on logs."""
    return (
        select(func.count(func.distinct(func.coalesce(LOG_PATTERNS.c.merged_into, LOG_PATTERNS.c.id))))
        .join_from(LOG_PATTERN_COUNTS, LOG_PATTERNS, LOG_PATTERNS.c.id == LOG_PATTERN_COUNTS.c.pattern_id)
        .where(LOG_PATTERN_COUNTS.c.log_id == LOGS.c.id)
        .scalar_subquery()
        .label("pattern_count")
    )


def log_of(row: Row[Any]) -> Log:
    """A log from its row."""
    return Log(
        id=row.id,
        version=row.version,
        name=row.name,
        service=row.service,
        source=LogSource(row.source),
        state=LogState(row.state),
        status=LogStatus(row.status),
        status_reason=row.status_reason,
        severity=Severity(row.severity),
        contents=Contents(
            record_count=row.record_count,
            line_count=row.line_count,
            byte_count=row.byte_count,
            severity_counts=severity_counts_of(row.severity_counts),
            first_time_nanoseconds=row.first_time_nanoseconds,
            last_time_nanoseconds=row.last_time_nanoseconds,
            first_record_id=row.first_record_id,
            last_record_id=row.last_record_id,
        ),
        tags=tuple(row.tags),
        notes=row.notes,
        summary=None if row.summary is None else _summary_of(row.summary),
        failure=row.failure,
        summary_requested_version=row.summary_requested_version,
        summary_suggestions=tuple(map(_suggestion_of, row.summary_suggestions)),
        created_by_kind=row.created_by_kind,
        created_by_id=row.created_by_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        pattern_count=row.pattern_count,
    )


def pattern_of(row: Row[Any]) -> LogPattern:
    """A pattern from its row."""
    return LogPattern(row.id, row.version, row.template, row.service, row.first_log_id, row.created_at)


def record_of(row: Row[Any]) -> LogRecord:
    """A record from its row."""
    return LogRecord(
        id=row.id,
        log_id=row.log_id,
        pattern_id=row.pattern_id,
        line_number=row.line_number,
        time_nanoseconds=row.time_nanoseconds,
        observed_time=row.observed_time,
        severity=Severity(row.severity),
        severity_text=row.severity_text,
        body=row.body,
        attributes=row.attributes,
        service=row.service,
        trace_id=row.trace_id,
        truncated=row.truncated,
    )


def severity_counts_of(stored: Mapping[str, int]) -> dict[Severity, int]:
    """Counts by severity as JSON keeps them, the worst first."""
    return {Severity(int(number)): stored[number] for number in sorted(stored, key=int, reverse=True)}


def _log_values(log: Log) -> dict[str, object]:
    contents = log.contents
    return {
        "id": log.id,
        "version": log.version,
        "name": log.name,
        "service": log.service,
        "source": log.source.value,
        "state": log.state.value,
        "status": log.status.value,
        "status_reason": log.status_reason,
        "severity": int(log.severity),
        "record_count": contents.record_count,
        "line_count": contents.line_count,
        "byte_count": contents.byte_count,
        "severity_counts": {str(int(severity)): count for severity, count in contents.severity_counts.items()},
        "first_time_nanoseconds": contents.first_time_nanoseconds,
        "last_time_nanoseconds": contents.last_time_nanoseconds,
        "first_record_id": contents.first_record_id,
        "last_record_id": contents.last_record_id,
        "tags": list(log.tags),
        "notes": log.notes,
        "summary": None if log.summary is None else summary_values(log.summary),
        "failure": log.failure,
        "summary_requested_version": log.summary_requested_version,
        "summary_suggestions": list(map(suggestion_values, log.summary_suggestions)),
        "created_by_kind": log.created_by_kind,
        "created_by_id": log.created_by_id,
        "created_at": log.created_at,
        "updated_at": log.updated_at,
    }


def summary_values(summary: Summary) -> dict[str, Any]:
    """A summary as JSON keeps it."""
    return {
        "sentences": [
            {
                "text": sentence.text,
                "record_ids": [str(record_id) for record_id in sentence.record_ids],
                "entry_keys": list(sentence.entry_keys),
                "engine": sentence.engine,
            }
            for sentence in summary.sentences
        ],
        "engine": summary.engine,
        "model": summary.model,
        "run_id": summary.run_id,
        "evidence_digest": summary.evidence_digest,
        "created_at": summary.created_at.isoformat(),
        "fallback_reason": summary.fallback_reason,
        "replaced_sentence_count": summary.replaced_sentence_count,
        "read_version": summary.read_version,
    }


def suggestion_values(suggestion: SummarySuggestion) -> dict[str, Any]:
    """A suggestion as JSON keeps it."""
    return {
        "id": str(suggestion.id),
        "summary": summary_values(suggestion.summary),
        "suggested_at": suggestion.suggested_at.isoformat(),
    }


def _summary_of(stored: Mapping[str, Any]) -> Summary:
    return Summary(
        sentences=tuple(
            SummarySentence(
                text=sentence["text"],
                record_ids=tuple(UUID(record_id) for record_id in sentence["record_ids"]),
                entry_keys=tuple(sentence["entry_keys"]),
                engine=sentence["engine"],
            )
            for sentence in stored["sentences"]
        ),
        engine=stored["engine"],
        model=stored["model"],
        run_id=stored["run_id"],
        evidence_digest=stored["evidence_digest"],
        created_at=datetime.fromisoformat(stored["created_at"]),
        fallback_reason=stored["fallback_reason"],
        replaced_sentence_count=stored["replaced_sentence_count"],
        read_version=stored.get("read_version", 0),
    )


def _suggestion_of(stored: Mapping[str, Any]) -> SummarySuggestion:
    return SummarySuggestion(
        id=UUID(stored["id"]),
        summary=_summary_of(stored["summary"]),
        suggested_at=datetime.fromisoformat(stored["suggested_at"]),
    )
