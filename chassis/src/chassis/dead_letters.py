"""Dead letters: events that a consumer gave up, kept with the reason until a person decides, and told on a DLQ subject.

What is stored is redacted once more: a poisonous payload is the one that nobody has looked at. `chassis.redrive` has
them handled again.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import insert

from aiops.events.v1.dead_letter_pb2 import DeadLetter
from aiops.events.v1.envelope_pb2 import Envelope
from chassis.events import Event, dead_letter_subject
from chassis.ids import uuid7
from chassis.outbox import foundation

if TYPE_CHECKING:
    from chassis.db import WriteTx
    from chassis.redaction import Redactor

MAX_ERROR_CHARACTERS = 500
MAX_PAYLOAD_BYTES = 1 << 20

dead_letters = Table(
    "dead_letters",
    foundation,
    Column("id", Uuid, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("stream_sequence", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("event_id", Uuid),
    Column("payload", LargeBinary, nullable=False),
    Column("error_class", Text, nullable=False),
    Column("error_message", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("redriven_at", DateTime(timezone=True)),
    Column("redrive_requested_at", DateTime(timezone=True)),
    Column("redrive_requested_by", Text, nullable=False, server_default=""),
    Column("redrive_started_at", DateTime(timezone=True)),
    Column("redrives", BigInteger, nullable=False, server_default="0"),
)


@dataclass(frozen=True)
class Undeliverable:
    """A delivery that is given up, and why."""

    service: str
    durable: str
    stream: str
    stream_sequence: int
    subject: str
    event_id: UUID | None
    data: bytes
    message: type[Message]
    attempts: int
    error: Exception
    trace_id: str


async def bury(tx: "WriteTx", letter: Undeliverable, redactor: "Redactor") -> bool:
    """Keep the delivery and tell of it, in this transaction; False when it was kept before."""
    id_ = uuid7()
    error_class = type(letter.error).__name__
    kept = await tx.execute(
        insert(dead_letters)
        .values(
            id=id_,
            consumer=letter.durable,
            stream=letter.stream,
            stream_sequence=letter.stream_sequence,
            subject=letter.subject,
            event_id=letter.event_id,
            payload=_redacted(letter.data, letter.message, redactor),
            error_class=error_class,
            error_message=redactor.redact(str(letter.error))[:MAX_ERROR_CHARACTERS],
            attempts=letter.attempts,
            trace_id=letter.trace_id,
            created_at=tx.now,
        )
        .on_conflict_do_nothing()
        .returning(dead_letters.c.id)
    )
    if kept.first() is None:
        return False
    notice = DeadLetter(
        dead_letter_id=str(id_),
        durable=letter.durable,
        subject=letter.subject,
        event_id=str(letter.event_id or ""),
        error_class=error_class,
        attempts=letter.attempts,
    )
    tx.publish(Event(dead_letter_subject(letter.service, letter.durable), "dead_letter", id_, 1, notice))
    return True


def _redacted(data: bytes, message: type[Message], redactor: "Redactor") -> bytes:
    """The event with every text in it redacted, ready to be redriven; what is no event is kept as redacted text."""
    try:
        envelope = Envelope.FromString(data)
        payload = message.FromString(envelope.payload)
    except DecodeError:
        return redactor.redact(data[:MAX_PAYLOAD_BYTES].decode(errors="replace")).encode()
    _redact_fields(payload, redactor)
    envelope.payload = payload.SerializeToString(deterministic=True)
    return envelope.SerializeToString(deterministic=True)


def _redact_fields(message: Message, redactor: "Redactor") -> None:
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _redact_map(value, redactor)
        elif field.type == FieldDescriptor.TYPE_STRING and field.is_repeated:
            value[:] = [redactor.redact(text) for text in value]
        elif field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, redactor.redact(value))
        elif field.message_type is not None:
            for nested in value if field.is_repeated else (value,):
                _redact_fields(nested, redactor)


def _redact_map(entries: MutableMapping[str, Any], redactor: "Redactor") -> None:
    for key, content in list(entries.items()):
        if isinstance(content, str):
            entries[key] = redactor.redact(content)
        elif isinstance(content, Message):
            _redact_fields(content, redactor)
