"""The audit: who saw or changed what is sensitive, when, why and through which path. It is added to, and never changed.

A change is noted in its own transaction (`WriteTx.audit`). A read is noted in one of its own before the answer leaves:
what cannot be noted is not told.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Required, TypeAlias, TypedDict, Unpack
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import Column, DateTime, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.identity import Call, call_in_progress
from chassis.ids import uuid7
from chassis.outbox import foundation
from chassis.telemetry import current_trace_id

if TYPE_CHECKING:
    from chassis.db import ReadTx, UnitOfWork, WriteTx

MAXIMUM_SUBJECTS = 1000
"""Ids in one row; of more, the first ones are kept and all are counted."""
MAXIMUM_DETAIL_CHARACTERS = 4000

_NOT_IN_A_PATH = re.compile(r"[^A-Za-z0-9 _.,:/-]")
_MAXIMUM_PATH = 200

audit_trail = Table(
    "audit_trail",
    foundation,
    Column("id", Uuid, primary_key=True),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_ids", ARRAY(Uuid), nullable=False),
    Column("operation", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("client_address", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)


class Noted(TypedDict, total=False):
    """What a row says beside who, when and in which call."""

    subject_type: Required[str]
    """What it was done to, as `ticket`; none of a thing that has no id."""
    subject_id: UUID | str | None
    subject_ids: Sequence[UUID]
    """Instead of `subject_id`, where there are several."""
    reason: str
    """What the actor gave as reason."""
    detail: Mapping[str, object]
    """What else belongs to it: small, and of people nothing but ids."""
    client_address: str
    """From where, where that is part of it."""


async def note(tx: "WriteTx", kind: str, **noted: Unpack[Noted]) -> None:
    """Add one row: what the actor of the transaction did, in the call in progress."""
    call = call_in_progress()
    one = noted.get("subject_id")
    ids = [UUID(str(one))] if one else list(noted.get("subject_ids", ()))
    detail = dict(noted.get("detail", {}))
    if len(json.dumps(detail)) > MAXIMUM_DETAIL_CHARACTERS:
        raise ValueError(f"the detail of {kind} is longer than {MAXIMUM_DETAIL_CHARACTERS} characters")
    await tx.execute(
        audit_trail.insert().values(
            id=uuid7(),
            occurred_at=tx.now,
            kind=kind,
            actor_kind=tx.actor.kind,
            actor_id=tx.actor.id,
            subject_type=noted["subject_type"],
            subject_ids=ids[:MAXIMUM_SUBJECTS],
            operation=call.method if call else "",
            path=call.path if call else "",
            client_address=noted.get("client_address", ""),
            reason=noted.get("reason", ""),
            trace_id=current_trace_id(),
            detail={**detail, "count": len(ids)} if len(ids) > MAXIMUM_SUBJECTS else detail,
        )
    )


def cleaned_path(text: str) -> str:
    """A path as it may be sent along and stored: one short line of plain words."""
    return _NOT_IN_A_PATH.sub("", text)[:_MAXIMUM_PATH].strip()


@dataclass(frozen=True)
class Seen:
    """One kind of sensitive thing that answers hold: which ones, and under what name their sight is noted."""

    kind: str
    """As `people_ticket.seen`."""
    subject_type: str
    ids: Callable[[Any, Any], Iterable[str]]
    """Of the request and the answer: of which things the answer tells."""
    sensitive: "Callable[[ReadTx, Sequence[UUID]], Awaitable[Sequence[UUID]]] | None" = None
    """Which of them are, where the answer does not say it; all without it."""
    always: bool = False
    """Noted even where the answer holds none."""
    detail: Callable[[Any], Mapping[str, object]] | None = None
    """Of the request: what else is noted."""


Sightings: TypeAlias = Mapping[str, Sequence[Seen]]
"""Bare name of an RPC -> the kinds of sensitive things that its answers may hold."""


class Reads:
    """Notes what answers show, before they leave."""

    def __init__(self, unit_of_work: "UnitOfWork", sightings: Sightings) -> None:
        self._unit_of_work = unit_of_work
        self._sightings = sightings

    async def note(self, call: Call, request: object, answer: Message) -> None:
        """Return once it is stored that the call's viewer sees this, in one transaction; raise where it cannot be."""
        if call.viewer is None:  # a service's own work: nobody sees anything
            return
        seen = [(each, _ids(each.ids(request, answer))) for each in self._sightings.get(call.method, ())]
        seen = [(each, ids) for each, ids in seen if ids or each.always]
        if not seen:
            return
        async with self._unit_of_work.begin() as tx:
            for each, ids in seen:
                found = ids if each.sensitive is None else await each.sensitive(tx, ids)
                if found or each.always:
                    detail = each.detail(request) if each.detail else {}
                    await tx.audit(each.kind, subject_type=each.subject_type, subject_ids=found, detail=detail)


def parts(message: Message, full_name: str) -> Iterator[Any]:
    """Every message of this full name within another one, which may be it itself."""
    if message.DESCRIPTOR.full_name == full_name:
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for part in [value] if isinstance(value, Message) else value:
                yield from parts(part, full_name)


def _ids(texts: Iterable[str]) -> list[UUID]:
    return [UUID(text) for text in dict.fromkeys(texts)]
