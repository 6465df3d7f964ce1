"""What history keeps of a ticket: its row and its newest decision; the words of comments stay in their own rows.

Who reported it is sealed for himself, and so are the words: title, description, and what triage quotes from them. Of
every ticket: which ones are a matter for hr is often known only after the first row is written, for ever.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from chassis.db import ReadTx
from chassis.history import Document, History, Json, Op, subject_of_email, subject_of_user
from chassis.history.sealing import RENAMED, is_sealed
from chassis.identity import Call
from tickets_service import erasure
from tickets_service.domain import Ticket
from tickets_service.policy import watcher_of
from tickets_service.store import ticket_of, tickets, visible_to
from tickets_service.tables import TICKETS
from tickets_service.triage_rows import decision_values
from tickets_service.values import Reporter, Suggestion, TriageDecision, Value

_REPORTER = ("reporter_user_id", "reporter_name", "reporter_email")
_WORDS = ("title", "description", "triage", "suggestion")


def document(ticket: Ticket) -> Document:
    """The ticket as JSON values, and which of them are whose."""
    subject = _subject(ticket.id, ticket.reporter)
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


def _whoever_sees_it(_call: Call) -> bool:
    return True


def _whoever_decides_audiences(call: Call) -> bool:
    return watcher_of(call).decides_audience


def _whoever_works_on_all(call: Call) -> bool:
    """Of others a call alone does not tell whether they work on the ticket, or only reported it."""
    watcher = watcher_of(call)
    return watcher.works_on(hidden=True) and watcher.works_on(hidden=False)


TICKET_HISTORY = History(
    kind="ticket",
    domain=Ticket,
    document=document,
    schema_version=2,
    upcast=upcast,
    current=current,
    visible={
        "title": _whoever_sees_it,
        "description": _whoever_sees_it,
        "reporter_user_id": _whoever_sees_it,
        "reporter_name": _whoever_sees_it,
        "reporter_email": _whoever_decides_audiences,
        "source": _whoever_sees_it,
        "external_reference": _whoever_sees_it,
        "service": _whoever_sees_it,
        "audience": _whoever_sees_it,
        "people_suspected": _whoever_sees_it,
        "audience_decided": _whoever_decides_audiences,
        "status": _whoever_sees_it,
        "triage_state": _whoever_sees_it,
        "triage_failure": _whoever_sees_it,
        "triage_requested_at": _whoever_sees_it,
        "category": _whoever_sees_it,
        "priority": _whoever_sees_it,
        "team": _whoever_sees_it,
        "triage": _whoever_sees_it,
        "suggestion": _whoever_sees_it,
        "assignee_id": _whoever_sees_it,
        "log_ids": _whoever_sees_it,
        "public_comment_count": _whoever_sees_it,
        "internal_comment_count": _whoever_works_on_all,
        "created_by": _whoever_sees_it,
        "created_at": _whoever_sees_it,
        "updated_at": _whoever_sees_it,
    },
    iterate=iterate,
    erase=erasure.erase,
)
HISTORIES = (TICKET_HISTORY,)


def _subject(ticket_id: UUID, reporter: Reporter) -> str:
    """Whose the words are; of somebody without account and address, the ticket is all that is known."""
    if reporter.user_id is not None:
        return subject_of_user(reporter.user_id)
    return subject_of_email(reporter.external_email) if reporter.external_email else f"ticket:{ticket_id}"


def _value(value: Value) -> dict[str, Json]:
    return {"key": value.key, "source": value.source.value}


def _decision(decision: TriageDecision) -> dict[str, Json]:
    """A decision as clients see it: how sure an engine is that a matter is hr's, they do not."""
    return {name: value for name, value in decision_values(decision).items() if name != "people_confidence"}


def _suggestion(suggestion: Suggestion) -> dict[str, Json]:
    return {"decision": _decision(suggestion.decision), "changed": list(suggestion.changed)}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
