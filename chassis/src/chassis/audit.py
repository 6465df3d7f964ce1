"""The audit: who saw or changed what is sensitive, when, why and through which path. It is added to, and never changed.

A change is noted in its own transaction (`WriteTx.audit`). A read is noted in one of its own before the answer leaves:
what cannot be noted is not told.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Required, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import Column, DateTime, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.identity import call_in_progress
from chassis.ids import uuid7
from chassis.outbox import foundation
from chassis.telemetry import current_trace_id

if TYPE_CHECKING:
    from chassis.db import WriteTx

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
