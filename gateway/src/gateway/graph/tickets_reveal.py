"""What people wrote on a ticket, before redaction: told once to whoever asks with a reason, and kept nowhere."""

from enum import Enum
from typing import Annotated, TypeAlias

import strawberry

from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from gateway.context import Info
from gateway.graph.errors import ForbiddenError, NotFoundError, WriteRefusal
from gateway.graph.writes import WriteInput, idempotency_key


@strawberry.enum
class RevealedTextState(Enum):
    """How much there is of a text that was written."""

    WHOLE = ticket_pb2.REVEALED_TEXT_STATE_WHOLE
    """It is as it was written."""
    REDACTED = ticket_pb2.REVEALED_TEXT_STATE_REDACTED
    """It was written before whole texts were kept, and the redacted one is all there is."""
    ERASED = ticket_pb2.REVEALED_TEXT_STATE_ERASED
    """Somebody whose words it was is erased, and what redaction took out with him."""


@strawberry.type
class RevealedText:
    """A text as it was written, or what is left of it."""

    text: str
    """The text."""
    state: RevealedTextState
    """How much there is of it."""

    @classmethod
    def of(cls, text: ticket_pb2.RevealedText) -> "RevealedText":
        """The text as tickets told it."""
        return cls(text=text.text, state=RevealedTextState(text.state))


@strawberry.type
class RevealedComment:
    """What somebody said on a ticket."""

    id: strawberry.ID
    """Id of the comment."""
    body: RevealedText
    """The text."""


@strawberry.type
class RevealedTicket:
    """What was written on a ticket."""

    id: strawberry.ID
    """Id of the ticket."""
    title: RevealedText
    """The title."""
    description: RevealedText
    """The description."""
    comments: list[RevealedComment]
    """The newest 100 comments that the caller may see, oldest first."""
    has_older_comments: bool
    """Whether there are older ones."""


@strawberry.input
class RevealTicketInput(WriteInput):
    """A ticket, and why its whole text is needed."""

    ticket_id: strawberry.ID
    """Which ticket."""
    reason: str
    """Why, one line of 10 to 500 characters; the audit keeps it."""


@strawberry.type
class RevealTicketSuccess:
    """The texts, this once; that they were read is in the audit."""

    revealed: RevealedTicket
    """What was written."""


RevealTicketResult: TypeAlias = Annotated[
    RevealTicketSuccess | WriteRefusal | NotFoundError | ForbiddenError,
    strawberry.union("RevealTicketResult", description="How `revealTicket` ends."),
]


@strawberry.type
class TicketRevealMutation:
    """Whole texts of tickets."""

    @strawberry.mutation
    async def reveal_ticket(self, info: Info, input: RevealTicketInput) -> RevealTicketResult:  # noqa: A002
        """Read what was written on a ticket as it was before redaction, for a reason that the audit keeps.

        For the reporter, admins and hr, and for ops where a general ticket is assigned to them.
        """
        tickets = info.context.tickets
        request = pb.RevealTicketRequest(
            idempotency_key=idempotency_key(info, input), ticket_id=input.ticket_id, reason=input.reason
        )
        revealed = (await tickets.call(tickets.rpc.RevealTicket, request)).revealed
        return RevealTicketSuccess(
            revealed=RevealedTicket(
                id=strawberry.ID(revealed.id),
                title=RevealedText.of(revealed.title),
                description=RevealedText.of(revealed.description),
                comments=[
                    RevealedComment(id=strawberry.ID(each.id), body=RevealedText.of(each.body))
                    for each in revealed.comments
                ],
                has_older_comments=revealed.has_older_comments,
            )
        )
