"""How tickets are read."""

from enum import Enum

import strawberry

from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from gateway.context import Info
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Connection, connection, page_request
from gateway.graph.tickets import Ticket, TicketAudience, TicketOption, TicketPriority, TicketStatus, load_ticket
from gateway.graph.tickets_triage import TriageState


@strawberry.enum
class TicketOrder(Enum):
    """The order of a list of tickets. A cursor belongs to one order."""

    NEWEST = pb.TICKET_ORDER_NEWEST
    """The newest first."""
    MOST_URGENT = pb.TICKET_ORDER_MOST_URGENT
    """The most urgent first, and of one priority the newest; undecided ones last."""


@strawberry.input
class TicketFilter:
    """Narrows a list of tickets; what is absent does not narrow."""

    statuses: list[TicketStatus] | None = None
    """Any of these statuses."""
    categories: list[str] | None = None
    """Any of these category keys."""
    priority_levels: list[TicketPriority] | None = None
    """Any of these priorities."""
    priorities: list[str] | None = strawberry.field(
        default=None, description="Any of these priority keys.", deprecation_reason="Use `priorityLevels`."
    )
    teams: list[str] | None = None
    """Any of these team keys."""
    assignee_id: strawberry.ID | None = None
    """Assigned to this user."""
    unassigned: bool = False
    """Assigned to nobody."""
    text: str | None = None
    """Words in title or description, at most 200 characters."""
    audience: TicketAudience | None = None
    """This audience."""
    people_suspected: bool = False
    """Only those whose suspicion is not yet decided."""
    triage_states: list[TriageState] | None = None
    """Any of these triage states."""
    reporter_id: strawberry.ID | None = None
    """Reported by this user."""
    service: str | None = None
    """About this service."""
    source: str | None = None
    """Came this way."""
    external_reference: str | None = None
    """With this name in the system that they came from; needs `source`."""

    def to_proto(self) -> pb.TicketFilter:
        """The filter as tickets takes it."""
        return pb.TicketFilter(
            statuses=[status.value for status in self.statuses or ()],
            categories=self.categories or (),
            priorities=self.priorities or (),
            priority_levels=[level.value for level in self.priority_levels or ()],
            teams=self.teams or (),
            assignee_id=self.assignee_id or "",
            unassigned=self.unassigned,
            text=self.text or "",
            audience=self.audience.value if self.audience else ticket_pb2.TICKET_AUDIENCE_UNSPECIFIED,
            people_suspected=self.people_suspected,
            triage_states=[state.value for state in self.triage_states or ()],
            reporter_id=self.reporter_id or "",
            service=self.service or "",
            source=self.source or "",
            external_reference=self.external_reference or "",
        )


@strawberry.type
class TicketsQuery:
    """Reads of tickets."""

    @strawberry.field
    async def ticket(self, info: Info, id: strawberry.ID) -> Ticket | None:  # noqa: A002 - the graph's name
        """One ticket; null when there is none with this id that the caller may see."""
        return await load_ticket(info, id)

    @strawberry.field
    async def tickets(
        self,
        info: Info,
        filter: TicketFilter | None = None,  # noqa: A002 - the graph's name
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
        order: TicketOrder = TicketOrder.NEWEST,
    ) -> Connection[Ticket] | None:
        """Tickets that the caller may see, newest first unless another order is asked for, 1 to 100 a page."""
        tickets = info.context.tickets
        request = pb.ListTicketsRequest(
            page=page_request(first, after),
            filter=filter.to_proto() if filter is not None else None,
            order=order.value,
        )
        response = await tickets.call(tickets.rpc.ListTickets, request)
        return connection(response.tickets, response, Ticket.of, after)

    @strawberry.field
    async def ticket_options(self, info: Info) -> list[TicketOption] | None:
        """All categories, priorities and teams by kind and position, archived ones included."""
        tickets = info.context.tickets
        response = await tickets.call(tickets.rpc.ListTicketOptions, pb.ListTicketOptionsRequest())
        return [TicketOption.of(option) for option in response.options]
