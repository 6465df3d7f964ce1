"""What every mutation takes."""

from uuid import uuid4

import strawberry

from chassis.errors import IdempotencyKeyInvalid
from gateway.context import Info


@strawberry.input
class WriteInput:
    """A write that can be repeated safely."""

    idempotency_key: str | None = None
    """Key of this write, 16 to 255 characters: repeating it repeats the answer, not the effect."""


@strawberry.input
class TicketWriteInput(WriteInput):
    """A change of a ticket."""

    ticket_id: strawberry.ID
    """Which ticket."""
    expected_version: int
    """Version of it that was read."""


def idempotency_key(info: Info, given: WriteInput) -> str:
    """The key of this write: the input's, else the Idempotency-Key header's, else a new one.

    Raises:
        IdempotencyKeyInvalid: the header came with a document of more than one mutation.
    """
    header = info.context.caller.idempotency_key
    if header is not None and info.context.prepared.operation(_name(info)).answer_count > 1:
        raise IdempotencyKeyInvalid(
            "the Idempotency-Key header goes with a document of exactly one mutation; leave it away, and "
            "give each mutation its own idempotencyKey in its input",
            field="idempotency_key",
        )
    if given.idempotency_key is not None:
        return given.idempotency_key
    return header or str(uuid4())


def _name(info: Info) -> str | None:
    return info.operation.name.value if info.operation.name else None
