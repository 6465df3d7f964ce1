"""Tickets as they change."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from chassis.errors import NotFound
from chassis.ids import parse_id
from gateway.context import Info
from gateway.graph.tickets import Ticket, load_ticket
from gateway.graph.updates import updates


class TicketNotFound(NotFound):
    """No ticket has this id, or the caller may not see it."""

    reason = "TICKET_NOT_FOUND"


@strawberry.type
class TicketsSubscription:
    """Tickets as they change."""

    @strawberry.subscription
    async def ticket_updates(self, info: Info, ticket_id: strawberry.ID) -> AsyncGenerator[Ticket, None]:
        """The ticket as it is, then again after each change. Changes that come together are told once."""
        id_ = str(parse_id(ticket_id, field="ticket_id"))
        missing = TicketNotFound("no ticket has this id, or you may not see it", id=id_)
        async with aclosing(updates(info, id_, load_ticket, missing)) as tickets:
            async for ticket in tickets:
                yield ticket
