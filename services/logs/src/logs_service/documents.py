"""What the history keeps of a log, and who sees it there. Records never change, so they are not in it."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from sqlalchemy import select

from chassis.db import ReadTx
from chassis.history import Document, History, unchanged
from chassis.identity import Call
from logs_service.domain import Log
from logs_service.policy import HISTORY, RULES
from logs_service.store import log_of, pattern_count, suggestion_values, summary_values
from logs_service.tables import LOGS


def document(log: Log) -> Document:
    """A log as history keeps it. Its texts were redacted before they were stored, and name nobody."""
    return Document(
        log.id,
        log.version,
        {
            "name": log.name,
            "service": log.service,
            "source": log.source.value,
            "state": log.state.value,
            "status": log.status.value,
            "status_reason": log.status_reason,
            "severity": log.severity.name,
            "record_count": log.contents.record_count,
            "tags": list(log.tags),
            "notes": log.notes,
            "summary": None if log.summary is None else summary_values(log.summary),
            "failure": log.failure,
            "summary_requested_version": log.summary_requested_version,
            "summary_suggestions": list(map(suggestion_values, log.summary_suggestions)),
            "created_by": {"kind": log.created_by_kind, "id": log.created_by_id},
            "created_at": log.created_at.astimezone(UTC).isoformat(),
        },
    )


async def current(tx: ReadTx, log_id: UUID, call: Call) -> Log | None:
    """The log, for whoever may read it."""
    if call.viewer is None or not RULES["GetLog"].admits(call.viewer):
        return None
    row = await tx.fetch_one(select(LOGS, pattern_count()).where(LOGS.c.id == log_id))
    return None if row is None else log_of(row)


async def iterate(tx: ReadTx, after_id: UUID | None, limit: int) -> Sequence[Log]:
    """Logs by id."""
    statement = select(LOGS, pattern_count()).order_by(LOGS.c.id).limit(limit)
    if after_id is not None:
        statement = statement.where(LOGS.c.id > after_id)
    return [log_of(row) for row in await tx.fetch_all(statement)]


HISTORIES = (
    History(
        kind="log",
        domain=Log,
        document=document,
        schema_version=1,
        upcast=unchanged,
        current=current,
        visible=HISTORY,
        iterate=iterate,
    ),
)
"""All that logs keeps a history of."""
