"""What every mutation takes."""

from uuid import uuid4

import strawberry
from graphql import FieldNode

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
        IdempotencyKeyInvalid: the header is to stand for more than one mutation.
    """
    if given.idempotency_key is not None:
        return given.idempotency_key
    header = info.context.caller.idempotency_key
    if header is None:
        return str(uuid4())
    selections = info.operation.selection_set.selections
    if len(selections) != 1 or not isinstance(selections[0], FieldNode):
        raise IdempotencyKeyInvalid(
            "the Idempotency-Key header goes with a document of exactly one mutation; "
            "give each mutation its own idempotencyKey in its input",
            field="idempotency_key",
        )
    return header
