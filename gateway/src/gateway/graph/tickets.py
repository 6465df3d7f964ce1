"""Tickets with their comments, and the options of this installation. What triage says is in `tickets_triage`."""

from enum import Enum

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry import federation

from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from gateway.context import Info
from gateway.graph import edges
from gateway.graph.actors import Actor, user_id_of
from gateway.graph.enums import name_or_none
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Connection, Edge, PageInfo, check_first
from gateway.graph.tickets_triage import TriageDecision, TriageState, TriageSuggestion, ValueSource

MAX_SIMILAR_TICKETS = 20


@strawberry.enum
class TicketStatus(Enum):
    """How far people are with a ticket.

    OPEN, IN_PROGRESS and WAITING change into one another and end in RESOLVED or CLOSED; both can be opened again.
    """

    OPEN = ticket_pb2.TICKET_STATUS_OPEN
    """Nobody works on it yet."""
    IN_PROGRESS = ticket_pb2.TICKET_STATUS_IN_PROGRESS
    """Somebody works on it."""
    WAITING = ticket_pb2.TICKET_STATUS_WAITING
    """It waits for the reporter or a third party."""
    RESOLVED = ticket_pb2.TICKET_STATUS_RESOLVED
    """The cause is gone, as far as is known."""
    CLOSED = ticket_pb2.TICKET_STATUS_CLOSED
    """Done and agreed, or refused."""


@strawberry.enum
class TicketAudience(Enum):
    """Who may see a ticket."""

    GENERAL = ticket_pb2.TICKET_AUDIENCE_GENERAL
    """Admin and ops."""
    PEOPLE = ticket_pb2.TICKET_AUDIENCE_PEOPLE
    """Admin and hr: payroll, leave, conduct."""


@strawberry.enum
class TicketPriority(Enum):
    """How soon a ticket has to be done."""

    LOW = ticket_pb2.TICKET_PRIORITY_LOW
    """Whenever there is time."""
    NORMAL = ticket_pb2.TICKET_PRIORITY_NORMAL
    """In its turn."""
    HIGH = ticket_pb2.TICKET_PRIORITY_HIGH
    """Before others."""
    URGENT = ticket_pb2.TICKET_PRIORITY_URGENT
    """At once."""


@strawberry.enum
class OptionKind(Enum):
    """What an option is a choice for."""

    CATEGORY = ticket_pb2.OPTION_KIND_CATEGORY
    """What a ticket is."""
    PRIORITY = ticket_pb2.OPTION_KIND_PRIORITY
    """How soon it has to be done."""
    TEAM = ticket_pb2.OPTION_KIND_TEAM
    """Who does it."""


@strawberry.type
class TicketOption:
    """One category, priority or team of this installation."""

    kind: OptionKind | None
    """What it is a choice for; null for something that the graph does not know."""
    key: str
    """Lower-case word, unique within its kind; never changes."""
    name: str
    """Name for people."""
    description: str
    """One line that says when it fits; triage reads it."""
    position: int
    """Place in lists, and for priorities the order: 1 is the most urgent."""
    priority_level: TicketPriority | None
    """How soon a priority means; null for other kinds."""
    audience: TicketAudience | None
    """Choosing it makes a ticket a matter of this audience; GENERAL changes nothing."""
    archived: bool
    """Whether it is not offered any more; old tickets keep it."""
    version: int
    """Rises by one with each change; give it back as `expectedVersion`."""

    @classmethod
    def of(cls, option: ticket_pb2.TicketOption) -> "TicketOption":
        """The option as tickets stored it."""
        return cls(
            kind=name_or_none(OptionKind, option.kind),
            key=option.key,
            name=option.name,
            description=option.description,
            position=option.position,
            priority_level=name_or_none(TicketPriority, option.priority_level),
            audience=name_or_none(TicketAudience, option.audience),
            archived=option.archived,
            version=option.version,
        )


@strawberry.type
class Reporter:
    """Who told of it: a user, or somebody outside."""

    external_name: str | None
    """Name of somebody outside; null for a user."""
    external_email: str | None
    """E-mail address of somebody outside; null for a user, or when the caller may not see it."""
    user_id: strawberry.Private[str | None]
    user = strawberry.field(
        resolver=edges.ticket_reporter, description="The user who told of it; null for somebody outside."
    )

    @classmethod
    def of(cls, reporter: ticket_pb2.Reporter) -> "Reporter":
        """The reporter as tickets told it."""
        return cls(
            external_name=reporter.external_name or None,
            external_email=reporter.external_email or None,
            user_id=reporter.user_id or None,
        )


@strawberry.type
class Comment:
    """Something said on a ticket."""

    id: strawberry.ID
    """UUIDv7."""
    body: str
    """The text."""
    internal: bool
    """Whether the reporter does not see it."""
    author_actor: Actor
    """Who said it, person or machine."""
    created_at: Timestamp
    """When."""
    author_user_id: strawberry.Private[str | None]
    author = strawberry.field(resolver=edges.comment_author, description="The person who said it; null for a machine.")

    @classmethod
    def of(cls, comment: ticket_pb2.Comment) -> "Comment":
        """The comment as tickets told it."""
        return cls(
            id=strawberry.ID(comment.id),
            body=comment.body,
            internal=comment.internal,
            author_actor=Actor.of(comment.author),
            created_at=comment.created_at,
            author_user_id=user_id_of(comment.author),
        )


@federation.type(keys=["id"])
class Ticket:
    """Something that somebody wants done."""

    id: strawberry.ID
    """UUIDv7."""
    version: int
    """Rises by one with each change; give it back as `expectedVersion`."""
    title: str
    """What it is about."""
    description: str
    """The text."""
    message: str = strawberry.field(description="The text.", deprecation_reason="Use `description`: it is the same.")
    reporter: Reporter
    """Who told of it."""
    source: str
    """Which way it came, such as `web`, `cli`, `csv` or `alertmanager`."""
    external_reference: str | None
    """Its name in the system that it came from; null when it has none."""
    service: str | None
    """Service that it is about; null where unknown."""
    audience: TicketAudience | None
    """Who may see it; null for an audience that the graph does not know."""
    people_suspected: bool
    """Whether hr or an admin still has to decide if it is a matter for hr."""
    status: TicketStatus | None
    """How far people are; null for a status that the graph does not know."""
    triage_state: TriageState | None
    """How far the machine is; null for a state that the graph does not know."""
    triage_failure: str | None
    """What went wrong, when `triageState` is FAILED."""
    category: str | None
    """Key of the category; null when undecided."""
    category_source: ValueSource | None
    """Who gave it."""
    priority_level: TicketPriority | None
    """How soon it has to be done; null when undecided."""
    priority: str | None = strawberry.field(
        description="Key of the priority; null when undecided.",
        deprecation_reason="Use `priorityLevel`, which has an order that every installation shares.",
    )
    priority_source: ValueSource | None
    """Who gave it."""
    team: str | None
    """Key of the team; null when undecided."""
    team_source: ValueSource | None
    """Who gave it."""
    comment_count: int
    """Number of comments that the caller may see."""
    created_at: Timestamp
    """When it was created."""
    updated_at: Timestamp
    """When it was last changed."""
    told: strawberry.Private[ticket_pb2.Ticket]
    assignee_id: strawberry.Private[str | None]
    log_ids: strawberry.Private[list[str]]
    created_by_user_id: strawberry.Private[str | None]
    moment: strawberry.Private[Timestamp]
    assignee = strawberry.field(
        resolver=edges.ticket_assignee, description="The person who shall do it; null when nobody."
    )
    created_by = strawberry.field(
        resolver=edges.ticket_created_by, description="The person who created it; null for a machine."
    )
    logs = strawberry.field(
        resolver=edges.ticket_logs,
        description="Logs that belong to it, newest link first, at most 50. Those that the caller may not see are left "
        "out; a null among them comes with an error that says why.",
    )
    similar = strawberry.field(
        resolver=edges.ticket_similar, description="Tickets whose text is most alike, the most alike first, 1 to 20."
    )
    changes_before = strawberry.field(
        resolver=edges.ticket_changes_before,
        description="What was changed in its service in the 1 to 720 hours before it was created, newest first, "
        "1 to 100. Without a service: what was changed anywhere.",
    )

    @strawberry.field
    def triage(self) -> TriageDecision | None:
        """The newest decision of the machine; null before the first."""
        return TriageDecision.of(self.told.triage) if self.told.HasField("triage") else None

    @strawberry.field
    def triage_suggestion(self) -> TriageSuggestion | None:
        """A decision that waits for a person; null when none does. The next one that is applied replaces it."""
        return TriageSuggestion.of(self.told.suggestion) if self.told.HasField("suggestion") else None

    @strawberry.field
    def created_by_actor(self) -> Actor:
        """Who created it, person or machine."""
        return Actor.of(self.told.created_by)

    @strawberry.field
    async def comments(
        self, info: Info, first: int = DEFAULT_PAGE_SIZE, after: str | None = None
    ) -> Connection[Comment] | None:
        """What was said on it, oldest first, 1 to 100 a page."""
        return await load_comments(info, self.id, first, after)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Ticket | None":  # noqa: A002 - the key's name
        """The ticket that another subgraph names."""
        return await load_ticket(info, id)

    @classmethod
    def of(cls, ticket: ticket_pb2.Ticket) -> "Ticket":
        """The ticket as the service told it."""
        return cls(
            id=strawberry.ID(ticket.id),
            version=ticket.version,
            title=ticket.title,
            # A service of before the new name fills the old one alone.
            description=ticket.description or ticket.message,
            message=ticket.description or ticket.message,
            reporter=Reporter.of(ticket.reporter),
            source=ticket.source,
            external_reference=ticket.external_reference or None,
            service=ticket.service or None,
            audience=name_or_none(TicketAudience, ticket.audience),
            people_suspected=ticket.people_suspected,
            status=name_or_none(TicketStatus, ticket.status),
            triage_state=name_or_none(TriageState, ticket.triage_state),
            triage_failure=ticket.triage_failure or None,
            category=ticket.category or None,
            category_source=name_or_none(ValueSource, ticket.category_source),
            priority_level=name_or_none(TicketPriority, ticket.priority_level),
            priority=ticket.priority or None,
            priority_source=name_or_none(ValueSource, ticket.priority_source),
            team=ticket.team or None,
            team_source=name_or_none(ValueSource, ticket.team_source),
            comment_count=ticket.comment_count,
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
            told=ticket,
            assignee_id=ticket.assignee_id or None,
            log_ids=list(ticket.log_ids),
            created_by_user_id=user_id_of(ticket.created_by),
            moment=ticket.created_at,
        )


@strawberry.type
class SimilarTicket:
    """A ticket that is alike."""

    ticket: Ticket
    """The ticket."""
    similarity: float
    """How alike the texts are, 0 to 1."""
    shared_words: list[str]
    """Words that both have, the most telling first; at most 8."""

    @classmethod
    def of(cls, similar: pb.SimilarTicket) -> "SimilarTicket":
        """The similarity as tickets found it."""
        return cls(
            ticket=Ticket.of(similar.ticket),
            similarity=similar.similarity,
            shared_words=list(similar.shared_words),
        )


async def load_ticket(info: Info, ticket_id: str) -> Ticket | None:
    """The ticket with this id, batched with the operation's other tickets."""
    ticket = await info.context.tickets.tickets.load(ticket_id)
    return Ticket.of(ticket) if ticket is not None else None


async def load_log_tickets(info: Info, log_id: str, first: int) -> list[Ticket]:
    """The newest tickets of a log, batched with those of the operation's other logs."""
    check_first(first)
    found = await info.context.tickets.of_log[first].load(log_id)
    return [Ticket.of(ticket) for ticket in found.tickets] if found is not None else []


async def load_similar_tickets(info: Info, ticket_id: str, first: int) -> list[SimilarTicket]:
    """The tickets that are most alike, batched with those of the operation's other tickets."""
    check_first(first, maximum=MAX_SIMILAR_TICKETS)
    found = await info.context.tickets.similar[first].load(ticket_id)
    return [SimilarTicket.of(similar) for similar in found.similar_tickets] if found is not None else []


async def load_comments(info: Info, ticket_id: str, first: int, after: str | None) -> Connection[Comment]:
    """One page of what was said on a ticket; first pages are batched with those of the operation's other tickets."""
    check_first(first)
    found = await info.context.tickets.comments[first, after or ""].load(ticket_id)
    comments = [Comment.of(comment) for comment in found.comments] if found is not None else []
    return Connection(
        edges=[Edge(node=comment, cursor=comment.id) for comment in comments],
        page_info=PageInfo(
            has_next_page=found is not None and found.has_next_page,
            has_previous_page=bool(after),
            start_cursor=comments[0].id if comments else None,
            end_cursor=comments[-1].id if comments else None,
        ),
    )
