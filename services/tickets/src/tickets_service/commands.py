"""What can be asked of tickets, in domain words: the wishes that rpc hands to use cases and queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tickets_service.values import Audience, OptionKind, PriorityLevel, Reporter, TicketStatus, TriageState


@dataclass(frozen=True, slots=True)
class CreateTicket:
    """Wanted: a ticket."""

    title: str
    description: str
    reporter: Reporter | None
    """None for the caller himself."""
    source: str
    external_reference: str
    service: str
    audience: Audience
    values: Mapping[OptionKind, str]
    log_ids: tuple[UUID, ...]
    priority_level: PriorityLevel | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Wanted: something else of a ticket that was read in this version."""

    ticket_id: UUID
    expected_version: int


@dataclass(frozen=True, slots=True)
class UpdateTicket(Change):
    """Wanted: other words or choices; what is None or absent stays."""

    title: str | None
    service: str | None
    values: Mapping[OptionKind, str]
    description: str | None = None
    priority_level: PriorityLevel | None = None


@dataclass(frozen=True, slots=True)
class UpdateTicketStatus(Change):
    """Wanted: another status."""

    status: TicketStatus


@dataclass(frozen=True, slots=True)
class UpdateTicketAudience(Change):
    """Wanted: another audience."""

    audience: Audience


@dataclass(frozen=True, slots=True)
class AssignTicket(Change):
    """Wanted: somebody else to do it."""

    assignee_id: UUID | None


@dataclass(frozen=True, slots=True)
class AddTicketComment(Change):
    """Wanted: to say something."""

    body: str
    internal: bool


@dataclass(frozen=True, slots=True)
class ChangeTicketLogs(Change):
    """Wanted: logs to be linked, or not any more."""

    log_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class RevealTicket:
    """Wanted: what was written on a ticket, before redaction."""

    ticket_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class SaveTicketOption:
    """Wanted: a category, priority or team as it says; expected version 0 for a new one."""

    expected_version: int
    kind: OptionKind
    key: str
    name: str
    description: str
    position: int
    audience: Audience
    archived: bool
    level: PriorityLevel | None
    """None for what it is already, or what its key says."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """Somebody who shall do it, as auth knows him."""

    user_id: UUID
    role: str
    active: bool


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Narrows a list of tickets; what is empty does not narrow."""

    statuses: tuple[TicketStatus, ...] = ()
    categories: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    assignee_id: UUID | None = None
    unassigned: bool = False
    text: str = ""
    audience: Audience | None = None
    people_suspected: bool = False
    triage_states: tuple[TriageState, ...] = ()
    reporter_id: UUID | None = None
    service: str = ""
    source: str = ""
    external_reference: str = ""
    priority_levels: tuple[PriorityLevel, ...] = ()
    most_urgent_first: bool = False
