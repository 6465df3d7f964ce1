"""Which answers of tickets are noted in the audit: matters for hr, and addresses of reporters. Data, and no more."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from aiops.tickets.v1.ticket_pb2 import Ticket, TicketAudience
from chassis.audit import Seen, parts
from chassis.db import ReadTx, among
from tickets_service.tables import TICKETS


def _tickets(answer: Any) -> Iterator[Ticket]:
    """Those of which more is told than that they are stored."""
    return (ticket for ticket in parts(answer, Ticket.DESCRIPTOR.full_name) if ticket.title)


def _is_hidden(ticket: Ticket) -> bool:
    return ticket.people_suspected or ticket.audience != TicketAudience.TICKET_AUDIENCE_GENERAL


async def _hidden(tx: ReadTx, ids: Sequence[UUID]) -> Sequence[UUID]:
    rows = await tx.fetch_all(select(TICKETS.c.id).where(among(TICKETS.c.id, ids), TICKETS.c.hidden.is_(True)))
    return [row.id for row in rows]


_TICKETS = (
    Seen("people_ticket.seen", "ticket", lambda _, answer: (one.id for one in _tickets(answer) if _is_hidden(one))),
    Seen(
        "reporter_email.seen",
        "ticket",
        lambda _, answer: (one.id for one in _tickets(answer) if one.reporter.external_email),
    ),
)
_COMMENTS = Seen(
    "people_ticket.comments_seen",
    "ticket",
    lambda _, answer: (each.ticket_id for each in answer.tickets if each.comments),
    sensitive=_hidden,
)
_HISTORY = Seen("people_ticket.history_seen", "ticket", lambda request, _: (request.id,), sensitive=_hidden)

SIGHTINGS = {
    **dict.fromkeys(
        (
            "CreateTicket",
            "UpdateTicket",
            "UpdateTicketStatus",
            "UpdateTicketAudience",
            "AssignTicket",
            "AddTicketComment",
            "LinkTicketLogs",
            "UnlinkTicketLogs",
            "RetriageTicket",
            "AcceptTicketSuggestion",
            "DismissTicketSuggestion",
            "BatchGetTickets",
            "ListTickets",
            "BatchListLogTickets",
            "BatchListSimilarTickets",
        ),
        _TICKETS,
    ),
    "BatchListTicketComments": (_COMMENTS,),
    **dict.fromkeys(("ListChanges", "GetState", "CompareVersions"), (_HISTORY,)),
}
"""`RevealTicket` notes itself, in the transaction in which it opens the text."""
