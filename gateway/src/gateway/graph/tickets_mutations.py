"""What changes tickets. What is said on them and hung on them is in `tickets_additions`."""

from typing import Annotated, TypeAlias

import strawberry

from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.errors import InvalidArgument
from gateway.context import Info
from gateway.graph.errors import ChangeRefusal, ForbiddenError, NotFoundError, WriteRefusal
from gateway.graph.tickets import Ticket, TicketAudience, TicketPriority, TicketStatus
from gateway.graph.writes import TicketWriteInput, WriteInput, idempotency_key

NO_PRIORITY = ticket_pb2.TICKET_PRIORITY_UNSPECIFIED
LEVEL_INSTEAD = "Use `priorityLevel`, which has an order that every installation shares."


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
    description: str | None = None
    """The text, at most 20,000 characters; empty when absent."""
    message: str | None = strawberry.field(
        default=None,
        description="The same as `description`: give one of them.",
        deprecation_reason="Use `description`: it is the same.",
    )
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
    priority_level: TicketPriority | None = None
    """How soon it has to be done, where that is known."""
    priority: str | None = strawberry.field(
        default=None,
        description="Key of the priority, where it is known; with `priorityLevel`, one that agrees.",
        deprecation_reason=LEVEL_INSTEAD,
    )
    team: str | None = None
    """Key of the team, where it is known."""
    log_ids: list[strawberry.ID] | None = None
    """Logs that belong to it, at most 50."""

    def text(self) -> str:
        """The text, under whichever name it was given.

        Raises:
            InvalidArgument: there are two.
        """
        if self.description is not None and self.message is not None and self.description != self.message:
            raise InvalidArgument("description and its old name message differ; give description", field="description")
        return self.description if self.description is not None else self.message or ""


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
    description: str | None = None
    """The new text, at most 20,000 characters."""
    category: str | None = None
    """Key of the new category."""
    priority_level: TicketPriority | None = strawberry.UNSET
    """How soon it has to be done; null for undecided, absent to keep what is there."""
    priority: str | None = strawberry.field(
        default=None,
        description="Key of the new priority; with `priorityLevel`, one that agrees.",
        deprecation_reason=LEVEL_INSTEAD,
    )
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
        tickets, reporter, text = info.context.tickets, input.reporter or ReporterInput(), input.text()
        request = pb.CreateTicketRequest(
            idempotency_key=idempotency_key(info, input),
            title=input.title,
            # Under both names: a service of before the new one reads the old.
            description=text,
            message=text,
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
            priority_level=input.priority_level.value if input.priority_level else NO_PRIORITY,
            team=input.team or "",
            log_ids=input.log_ids or (),
        )
        return CreateTicketSuccess(ticket=Ticket.of((await tickets.call(tickets.rpc.CreateTicket, request)).ticket))

    @strawberry.mutation
    async def update_ticket(self, info: Info, input: UpdateTicketInput) -> UpdateTicketResult:  # noqa: A002
        """Replace title, description, category, priority, team or service."""
        tickets = info.context.tickets
        request = pb.UpdateTicketRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            title=input.title,
            description=input.description,
            category=input.category,
            priority=input.priority,
            team=input.team,
            service=input.service,
        )
        if input.priority_level is not strawberry.UNSET:
            request.priority_level = input.priority_level.value if input.priority_level else NO_PRIORITY
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
