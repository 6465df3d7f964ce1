"""What happens to tickets and their options: each fact is one version. Pure."""

from dataclasses import dataclass
from uuid import UUID

from tickets_service.values import Audience, OptionKind, TicketStatus


@dataclass(frozen=True, slots=True)
class TicketCreated:
    """A ticket was stored and waits for triage."""

    ticket_id: UUID
    version: int
    source: str
    service: str


@dataclass(frozen=True, slots=True)
class TicketTriageRequested:
    """Somebody wants a new decision."""

    ticket_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class TicketTriaged:
    """Triage decided, or said that it does not know."""

    ticket_id: UUID
    version: int
    decision_id: UUID
    engine: str


@dataclass(frozen=True, slots=True)
class TicketTriageSuggested:
    """Triage decided about a ticket that changed meanwhile; the decision waits for a person."""

    ticket_id: UUID
    version: int
    decision_id: UUID
    engine: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TicketSuggestionAccepted:
    """A person took over what triage suggested."""

    ticket_id: UUID
    version: int
    decision_id: UUID


@dataclass(frozen=True, slots=True)
class TicketSuggestionDismissed:
    """A person does not want what triage suggested."""

    ticket_id: UUID
    version: int
    decision_id: UUID


@dataclass(frozen=True, slots=True)
class TicketTriageFailed:
    """No decision could be made."""

    ticket_id: UUID
    version: int
    failure: str


@dataclass(frozen=True, slots=True)
class TicketUpdated:
    """A person changed what the ticket says of itself."""

    ticket_id: UUID
    version: int
    changed_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TicketAudienceUpdated:
    """Who may see a ticket changed, or was decided."""

    ticket_id: UUID
    version: int
    audience: Audience


@dataclass(frozen=True, slots=True)
class TicketAssigned:
    """Somebody shall do it, or nobody."""

    ticket_id: UUID
    version: int
    assignee_id: UUID | None


@dataclass(frozen=True, slots=True)
class TicketStatusUpdated:
    """The status moved."""

    ticket_id: UUID
    version: int
    previous_status: TicketStatus
    status: TicketStatus


@dataclass(frozen=True, slots=True)
class TicketCommented:
    """Somebody said something."""

    ticket_id: UUID
    version: int
    comment_id: UUID
    internal: bool


@dataclass(frozen=True, slots=True)
class TicketLogsLinked:
    """Logs were linked to it."""

    ticket_id: UUID
    version: int
    log_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class TicketLogsUnlinked:
    """Logs do not belong to it any more."""

    ticket_id: UUID
    version: int
    log_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class TicketErased:
    """Words and names of a person were erased."""

    ticket_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class TicketOptionSaved:
    """A category, priority or team was made or changed."""

    option_id: UUID
    version: int
    kind: OptionKind
    key: str
