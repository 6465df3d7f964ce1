"""What history keeps of a ticket: its row and its newest decision; the words of comments stay in their own rows.

Who reported it is sealed for himself, and so are the words: title, description, and what triage quotes from them. Of
every ticket: which ones are a matter for hr is often known only after the first row is written, for ever.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from chassis.db import ReadTx
from chassis.history import Document, Hiding, History, Json, Op
from chassis.history.sealing import RENAMED, is_sealed
from chassis.identity import Call
from tickets_service import erasure
from tickets_service.domain import Ticket
from tickets_service.policy import HISTORY, TOLD, VEILED, watcher_of
from tickets_service.store import ticket_of, tickets, visible_to
from tickets_service.tables import TICKETS
from tickets_service.texts import subject_of
from tickets_service.triage_rows import decision_values
from tickets_service.values import Audience, Suggestion, TriageDecision, Value

_REPORTER = ("reporter_user_id", "reporter_name", "reporter_email")
_WORDS = ("title", "description", "triage", "suggestion")


def document(ticket: Ticket) -> Document:
    """The ticket as JSON values, and which of them are whose."""
    subject = subject_of(ticket.id, ticket.reporter)
    fields: dict[str, Json] = {
        "title": ticket.title,
        "description": ticket.description,
        "reporter_user_id": str(ticket.reporter.user_id or ""),
        "reporter_name": ticket.reporter.external_name,
        "reporter_email": ticket.reporter.external_email,
        "source": ticket.source,
        "external_reference": ticket.external_reference,
        "service": ticket.service,
        "audience": ticket.audience.value,
        "people_suspected": ticket.people_suspected,
        "audience_decided": ticket.audience_decided,
        "status": ticket.status.value,
        "triage_state": ticket.triage_state.value,
        "triage_failure": ticket.triage_failure,
        "triage_requested_at": _moment(ticket.triage_requested_at),
        "category": _value(ticket.category),
        "priority": _value(ticket.priority),  # its level follows from the options: not a change of the ticket
        "team": _value(ticket.team),
        "triage": None if ticket.triage is None else _decision(ticket.triage),
        "suggestion": None if ticket.suggestion is None else _suggestion(ticket.suggestion),
        "assignee_id": str(ticket.assignee_id or ""),
        "log_ids": [str(log_id) for log_id in ticket.log_ids],
        "public_comment_count": ticket.public_comment_count,
        "internal_comment_count": ticket.internal_comment_count,
        "created_by": {"kind": ticket.created_by_kind, "id": ticket.created_by_id},
        "created_at": _moment(ticket.created_at),
        "updated_at": _moment(ticket.updated_at),
    }
    return Document(ticket.id, ticket.version, fields, dict.fromkeys((*_REPORTER, *_WORDS), subject))


async def current(tx: ReadTx, ticket_id: UUID, call: Call) -> Ticket | None:
    """The ticket, if it exists for whoever the call is for."""
    row = await tx.fetch_one(tickets().where(TICKETS.c.id == ticket_id, visible_to(watcher_of(call))))
    return None if row is None else ticket_of(row, tx)


async def iterate(tx: ReadTx, after_id: UUID | None, limit: int) -> Sequence[Ticket]:
    """Tickets by id, every one."""
    statement = tickets().order_by(TICKETS.c.id).limit(limit)
    if after_id is not None:
        statement = statement.where(TICKETS.c.id > after_id)
    return [ticket_of(row, tx) for row in await tx.fetch_all(statement)]


def upcast(schema_version: int, operations: list[Op]) -> list[Op]:
    """Operations of the first shape, in which the description was named message, as the present one has them."""
    if schema_version > 1:
        return operations
    return [_with_description(operation) if operation["path"] == "/message" else operation for operation in operations]


def _with_description(operation: Op) -> Op:
    renamed = operation | {"path": "/description"}
    if is_sealed(operation.get("value")):
        renamed["value"] = operation["value"] | {RENAMED: "message"}
    return renamed


def veil(ticket: Ticket, call: Call) -> Hiding | None:
    """The words of a ticket's hidden time, for whoever saw it appear only when that was over."""
    watcher = watcher_of(call)
    if watcher.sees(hidden=True, reporter_id=str(ticket.reporter.user_id or "")):
        return None
    return lambda past: VEILED if past["people_suspected"] or past["audience"] != Audience.GENERAL else frozenset()


TICKET_HISTORY = History(
    kind="ticket",
    domain=Ticket,
    document=document,
    schema_version=2,
    upcast=upcast,
    current=current,
    visible=HISTORY,
    iterate=iterate,
    erase=erasure.erase,
    veil=veil,
    told=TOLD,
)
HISTORIES = (TICKET_HISTORY,)


def _value(value: Value) -> dict[str, Json]:
    return {"key": value.key, "source": value.source.value}


def _decision(decision: TriageDecision) -> dict[str, Json]:
    """A decision as clients see it: how sure an engine is that a matter is hr's, they do not."""
    return {name: value for name, value in decision_values(decision).items() if name != "people_confidence"}


def _suggestion(suggestion: Suggestion) -> dict[str, Json]:
    return {"decision": _decision(suggestion.decision), "changed": list(suggestion.changed)}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
