"""What changes tickets. What is said on them and hung on them is in `tickets_additions`."""

from typing import Annotated, TypeAlias

import strawberry

from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from gateway.context import Info
from gateway.graph.errors import ChangeRefusal, ForbiddenError, NotFoundError, WriteRefusal
from gateway.graph.tickets import Ticket, TicketAudience, TicketStatus
from gateway.graph.writes import TicketWriteInput, WriteInput, idempotency_key


@strawberry.input
class ReporterInput:
    """Who told of it: a user by his id, or somebody outside by name and e-mail address."""

    user_id: strawberry.ID | None = None
    """The user."""
    external_name: str | None = None
    """Name of somebody outside."""
    external_email: str | None = None
    """E-mail address of somebody outside."""


@strawberry.input
class CreateTicketInput(WriteInput):
    """A new ticket."""

    title: str
    """What it is about, one line of 1 to 200 characters."""
    message: str
    """The text, at most 20,000 characters; may be empty."""
    reporter: ReporterInput | None = None
    """Who told of it; the caller himself when absent."""
    source: str | None = None
    """Which way it came: a lower-case word of at most 50 characters; `api` when absent."""
    external_reference: str | None = None
    """Its name in the system that it comes from, at most 200 characters; unique together with `source`."""
    service: str | None = None
    """Service that it is about."""
    audience: TicketAudience | None = None
    """Who may see it; GENERAL when absent."""
    category: str | None = None
    """Key of the category, where it is known: triage does not change it."""
    priority: str | None = None
    """Key of the priority, where it is known."""
    team: str | None = None
    """Key of the team, where it is known."""
    log_ids: list[strawberry.ID] | None = None
    """Logs that belong to it, at most 50."""


@strawberry.type
class CreateTicketSuccess:
    """The ticket is stored; triage follows. `ticketUpdates` tells when."""

    ticket: Ticket
    """The ticket, open and waiting for triage."""


CreateTicketResult: TypeAlias = Annotated[
    CreateTicketSuccess | WriteRefusal | NotFoundError | ForbiddenError,
    strawberry.union("CreateTicketResult", description="How `createTicket` ends."),
]


@strawberry.input
class UpdateTicketInput(TicketWriteInput):
    """What to replace; what is absent stays. Triage does not change it back."""

    title: str | None = None
    """The new title."""
    category: str | None = None
    """Key of the new category."""
    priority: str | None = None
    """Key of the new priority."""
    team: str | None = None
    """Key of the new team."""
    service: str | None = None
    """The new service; empty when unknown."""


@strawberry.type
class UpdateTicketSuccess:
    """The ticket is changed."""

    ticket: Ticket
    """The changed ticket."""


UpdateTicketResult: TypeAlias = Annotated[
    UpdateTicketSuccess | ChangeRefusal,
    strawberry.union("UpdateTicketResult", description="How `updateTicket` ends."),
]


@strawberry.input
class UpdateTicketStatusInput(TicketWriteInput):
    """The next status of a ticket."""

    status: TicketStatus
    """The new status."""


@strawberry.type
class UpdateTicketStatusSuccess:
    """The status is moved."""

    ticket: Ticket
    """The changed ticket."""


UpdateTicketStatusResult: TypeAlias = Annotated[
    UpdateTicketStatusSuccess | ChangeRefusal,
    strawberry.union("UpdateTicketStatusResult", description="How `updateTicketStatus` ends."),
]


@strawberry.input
class UpdateTicketAudienceInput(TicketWriteInput):
    """Who may see a ticket."""

    audience: TicketAudience
    """The audience."""


@strawberry.type
class UpdateTicketAudienceSuccess:
    """It is decided who may see it, and no suspicion is left."""

    ticket: Ticket | None
    """The changed ticket; null when the caller may not see it any more."""


UpdateTicketAudienceResult: TypeAlias = Annotated[
    UpdateTicketAudienceSuccess | ChangeRefusal,
    strawberry.union("UpdateTicketAudienceResult", description="How `updateTicketAudience` ends."),
]


@strawberry.input
class AssignTicketInput(TicketWriteInput):
    """Who shall do it."""

    assignee_id: strawberry.ID | None = None
    """An active user who may see the ticket; absent for nobody."""


@strawberry.type
class AssignTicketSuccess:
    """The ticket is assigned, or free again."""

    ticket: Ticket
    """The changed ticket."""


AssignTicketResult: TypeAlias = Annotated[
    AssignTicketSuccess | ChangeRefusal,
    strawberry.union("AssignTicketResult", description="How `assignTicket` ends."),
]


@strawberry.type
class TicketsMutation:
    """Changes of tickets."""

    @strawberry.mutation
    async def create_ticket(self, info: Info, input: CreateTicketInput) -> CreateTicketResult:  # noqa: A002
        """Store a ticket; its triage follows in the background."""
        tickets, reporter = info.context.tickets, input.reporter or ReporterInput()
        request = pb.CreateTicketRequest(
            idempotency_key=idempotency_key(info, input),
            title=input.title,
            message=input.message,
            reporter=ticket_pb2.Reporter(
                user_id=reporter.user_id or "",
                external_name=reporter.external_name or "",
                external_email=reporter.external_email or "",
            ),
            source=input.source or "",
            external_reference=input.external_reference or "",
            service=input.service or "",
            audience=input.audience.value if input.audience else ticket_pb2.TICKET_AUDIENCE_UNSPECIFIED,
            category=input.category or "",
            priority=input.priority or "",
            team=input.team or "",
            log_ids=input.log_ids or (),
        )
        return CreateTicketSuccess(ticket=Ticket.of((await tickets.call(tickets.rpc.CreateTicket, request)).ticket))

    @strawberry.mutation
    async def update_ticket(self, info: Info, input: UpdateTicketInput) -> UpdateTicketResult:  # noqa: A002
        """Replace title, category, priority, team or service."""
        tickets = info.context.tickets
        request = pb.UpdateTicketRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            title=input.title,
            category=input.category,
            priority=input.priority,
            team=input.team,
            service=input.service,
        )
        return UpdateTicketSuccess(ticket=Ticket.of((await tickets.call(tickets.rpc.UpdateTicket, request)).ticket))

    @strawberry.mutation
    async def update_ticket_status(
        self,
        info: Info,
        input: UpdateTicketStatusInput,  # noqa: A002
    ) -> UpdateTicketStatusResult:
        """Move the status, as the state machine of TicketStatus allows."""
        tickets = info.context.tickets
        request = pb.UpdateTicketStatusRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            status=input.status.value,
        )
        response = await tickets.call(tickets.rpc.UpdateTicketStatus, request)
        return UpdateTicketStatusSuccess(ticket=Ticket.of(response.ticket))

    @strawberry.mutation
    async def update_ticket_audience(
        self,
        info: Info,
        input: UpdateTicketAudienceInput,  # noqa: A002
    ) -> UpdateTicketAudienceResult:
        """Decide who may see it, and end a suspicion. Only hr and admins may let more people see it."""
        tickets = info.context.tickets
        request = pb.UpdateTicketAudienceRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            audience=input.audience.value,
        )
        response = await tickets.call(tickets.rpc.UpdateTicketAudience, request)
        return UpdateTicketAudienceSuccess(ticket=Ticket.of(response.ticket) if response.HasField("ticket") else None)

    @strawberry.mutation
    async def assign_ticket(self, info: Info, input: AssignTicketInput) -> AssignTicketResult:  # noqa: A002
        """Hand it to somebody, or to nobody."""
        tickets = info.context.tickets
        request = pb.AssignTicketRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            assignee_id=input.assignee_id or "",
        )
        return AssignTicketSuccess(ticket=Ticket.of((await tickets.call(tickets.rpc.AssignTicket, request)).ticket))
