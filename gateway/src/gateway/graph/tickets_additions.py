"""What is said on tickets and hung on them, and what they may be."""

from typing import Annotated, TypeAlias

import strawberry

from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from gateway.context import Info
from gateway.graph.errors import ChangeRefusal
from gateway.graph.tickets import Comment, OptionKind, Ticket, TicketAudience, TicketOption, TicketPriority
from gateway.graph.writes import TicketWriteInput, WriteInput, idempotency_key

NO_PRIORITY = ticket_pb2.TICKET_PRIORITY_UNSPECIFIED


@strawberry.input
class AddTicketCommentInput(TicketWriteInput):
    """Something to say on a ticket."""

    body: str
    """The text, 1 to 10,000 characters."""
    internal: bool = False
    """Whether the reporter shall not see it."""


@strawberry.type
class AddTicketCommentSuccess:
    """It is said."""

    ticket: Ticket
    """The ticket, with its new version."""
    comment: Comment
    """The comment."""


AddTicketCommentResult: TypeAlias = Annotated[
    AddTicketCommentSuccess | ChangeRefusal,
    strawberry.union("AddTicketCommentResult", description="How `addTicketComment` ends."),
]


@strawberry.input
class LinkTicketLogsInput(TicketWriteInput):
    """Logs that belong to a ticket."""

    log_ids: list[strawberry.ID]
    """The logs, 1 to 50; a ticket has at most 50 in all."""


@strawberry.type
class LinkTicketLogsSuccess:
    """The logs are linked."""

    ticket: Ticket
    """The changed ticket."""


LinkTicketLogsResult: TypeAlias = Annotated[
    LinkTicketLogsSuccess | ChangeRefusal,
    strawberry.union("LinkTicketLogsResult", description="How `linkTicketLogs` ends."),
]


@strawberry.input
class UnlinkTicketLogsInput(TicketWriteInput):
    """Logs that do not belong to a ticket any more."""

    log_ids: list[strawberry.ID]
    """The logs, 1 to 50."""


@strawberry.type
class UnlinkTicketLogsSuccess:
    """The logs are not linked any more."""

    ticket: Ticket
    """The changed ticket."""


UnlinkTicketLogsResult: TypeAlias = Annotated[
    UnlinkTicketLogsSuccess | ChangeRefusal,
    strawberry.union("UnlinkTicketLogsResult", description="How `unlinkTicketLogs` ends."),
]


@strawberry.input
class RetriageTicketInput(TicketWriteInput):
    """The ticket to triage anew."""


@strawberry.type
class RetriageTicketSuccess:
    """The ticket waits for its next decision."""

    ticket: Ticket
    """The ticket, in triage state PENDING."""


RetriageTicketResult: TypeAlias = Annotated[
    RetriageTicketSuccess | ChangeRefusal,
    strawberry.union("RetriageTicketResult", description="How `retriageTicket` ends."),
]


@strawberry.input
class AcceptTicketSuggestionInput(TicketWriteInput):
    """The ticket whose suggestion to take."""


@strawberry.type
class AcceptTicketSuggestionSuccess:
    """What triage suggested is a person's choice."""

    ticket: Ticket | None
    """The changed ticket; null when the suggestion hid it from the caller."""


AcceptTicketSuggestionResult: TypeAlias = Annotated[
    AcceptTicketSuggestionSuccess | ChangeRefusal,
    strawberry.union("AcceptTicketSuggestionResult", description="How `acceptTicketSuggestion` ends."),
]


@strawberry.input
class DismissTicketSuggestionInput(TicketWriteInput):
    """The ticket whose suggestion to put away."""


@strawberry.type
class DismissTicketSuggestionSuccess:
    """The suggestion waits no more."""

    ticket: Ticket
    """The changed ticket."""


DismissTicketSuggestionResult: TypeAlias = Annotated[
    DismissTicketSuggestionSuccess | ChangeRefusal,
    strawberry.union("DismissTicketSuggestionResult", description="How `dismissTicketSuggestion` ends."),
]


@strawberry.input
class SaveTicketOptionInput(WriteInput):
    """A category, priority or team."""

    kind: OptionKind
    """What it is a choice for."""
    key: str
    """Lower-case word, unique within its kind; never changes."""
    name: str
    """Name for people, 1 to 60 characters."""
    description: str
    """One line that says when it fits, at most 300 characters; triage reads it."""
    position: int
    """Place in lists, and for priorities the order: 1 is the most urgent."""
    priority_level: TicketPriority | None = None
    """Of a priority: how soon it means; NORMAL when absent."""
    audience: TicketAudience | None = None
    """Choosing it makes a ticket a matter of this audience; GENERAL when absent, which changes nothing."""
    archived: bool = False
    """Whether it is not offered any more; old tickets keep it."""
    expected_version: int = 0
    """Version of it that was read; 0 to make a new one."""


@strawberry.type
class SaveTicketOptionSuccess:
    """The option is stored."""

    option: TicketOption
    """The option."""


SaveTicketOptionResult: TypeAlias = Annotated[
    SaveTicketOptionSuccess | ChangeRefusal,
    strawberry.union("SaveTicketOptionResult", description="How `saveTicketOption` ends."),
]


@strawberry.type
class TicketAdditionsMutation:
    """Comments, links, another triage, and options."""

    @strawberry.mutation
    async def add_ticket_comment(self, info: Info, input: AddTicketCommentInput) -> AddTicketCommentResult:  # noqa: A002
        """Say something on a ticket."""
        tickets = info.context.tickets
        request = pb.AddTicketCommentRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            body=input.body,
            internal=input.internal,
        )
        response = await tickets.call(tickets.rpc.AddTicketComment, request)
        return AddTicketCommentSuccess(ticket=Ticket.of(response.ticket), comment=Comment.of(response.comment))

    @strawberry.mutation
    async def link_ticket_logs(self, info: Info, input: LinkTicketLogsInput) -> LinkTicketLogsResult:  # noqa: A002
        """Link logs to a ticket; those that are linked already stay so."""
        tickets = info.context.tickets
        request = pb.LinkTicketLogsRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            log_ids=input.log_ids,
        )
        return LinkTicketLogsSuccess(ticket=Ticket.of((await tickets.call(tickets.rpc.LinkTicketLogs, request)).ticket))

    @strawberry.mutation
    async def unlink_ticket_logs(self, info: Info, input: UnlinkTicketLogsInput) -> UnlinkTicketLogsResult:  # noqa: A002
        """Take logs away from a ticket."""
        tickets = info.context.tickets
        request = pb.UnlinkTicketLogsRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
            log_ids=input.log_ids,
        )
        response = await tickets.call(tickets.rpc.UnlinkTicketLogs, request)
        return UnlinkTicketLogsSuccess(ticket=Ticket.of(response.ticket))

    @strawberry.mutation
    async def retriage_ticket(self, info: Info, input: RetriageTicketInput) -> RetriageTicketResult:  # noqa: A002
        """Have a ticket triaged anew; what a person set stays."""
        tickets = info.context.tickets
        request = pb.RetriageTicketRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
        )
        return RetriageTicketSuccess(ticket=Ticket.of((await tickets.call(tickets.rpc.RetriageTicket, request)).ticket))

    @strawberry.mutation
    async def accept_ticket_suggestion(
        self,
        info: Info,
        input: AcceptTicketSuggestionInput,  # noqa: A002
    ) -> AcceptTicketSuggestionResult:
        """Take over what triage suggested, as a person's choice."""
        tickets = info.context.tickets
        request = pb.AcceptTicketSuggestionRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
        )
        response = await tickets.call(tickets.rpc.AcceptTicketSuggestion, request)
        return AcceptTicketSuggestionSuccess(ticket=Ticket.of(response.ticket) if response.HasField("ticket") else None)

    @strawberry.mutation
    async def dismiss_ticket_suggestion(
        self,
        info: Info,
        input: DismissTicketSuggestionInput,  # noqa: A002
    ) -> DismissTicketSuggestionResult:
        """Put what triage suggested away."""
        tickets = info.context.tickets
        request = pb.DismissTicketSuggestionRequest(
            idempotency_key=idempotency_key(info, input),
            ticket_id=input.ticket_id,
            expected_version=input.expected_version,
        )
        response = await tickets.call(tickets.rpc.DismissTicketSuggestion, request)
        return DismissTicketSuggestionSuccess(ticket=Ticket.of(response.ticket))

    @strawberry.mutation
    async def save_ticket_option(self, info: Info, input: SaveTicketOptionInput) -> SaveTicketOptionResult:  # noqa: A002
        """Make or change a category, priority or team. For admins."""
        tickets = info.context.tickets
        request = pb.SaveTicketOptionRequest(
            idempotency_key=idempotency_key(info, input),
            option=ticket_pb2.TicketOption(
                kind=input.kind.value,
                key=input.key,
                name=input.name,
                description=input.description,
                position=input.position,
                priority_level=input.priority_level.value if input.priority_level else NO_PRIORITY,
                audience=(input.audience or TicketAudience.GENERAL).value,
                archived=input.archived,
            ),
            expected_version=input.expected_version,
        )
        response = await tickets.call(tickets.rpc.SaveTicketOption, request)
        return SaveTicketOptionSuccess(option=TicketOption.of(response.option))
