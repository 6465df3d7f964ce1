"""The small things that a ticket is made of, and who looks at it. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Self
from uuid import UUID

from chassis.cleaning import clean_line
from chassis.errors import InvalidArgument

MAXIMUM_TITLE_CHARACTERS = 200
MAXIMUM_DESCRIPTION_CHARACTERS = 20_000
MAXIMUM_COMMENT_CHARACTERS = 10_000
MAXIMUM_SERVICE_CHARACTERS = 200
MAXIMUM_REFERENCE_CHARACTERS = 200
MAXIMUM_NAME_CHARACTERS = 200
MAXIMUM_EMAIL_CHARACTERS = 320
MAXIMUM_LOGS = 50
MAXIMUM_OPTION_NAME_CHARACTERS = 60
MAXIMUM_OPTION_DESCRIPTION_CHARACTERS = 300
ERASED = "[erased]"
"""What stands in place of words that were erased."""
TRIAGE_LOST_AFTER = timedelta(minutes=10)
"""Longer than triage is tried for. A broker that lost its disk has lost the event with it."""
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,49}")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")


class TicketStatus(StrEnum):
    """How far people are with a ticket."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    WAITING = "WAITING"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"

    @property
    def allowed(self) -> tuple[Self, ...]:
        """The statuses that a person may move a ticket to from here."""
        return tuple(type(self)(name) for name in _MOVES[self.value].split())


_MOVES = {
    "OPEN": "IN_PROGRESS WAITING RESOLVED CLOSED",
    "IN_PROGRESS": "OPEN WAITING RESOLVED CLOSED",
    "WAITING": "OPEN IN_PROGRESS RESOLVED CLOSED",
    "RESOLVED": "OPEN CLOSED",
    "CLOSED": "OPEN",
}


class Audience(StrEnum):
    """Who may see a ticket: admin and ops, or admin and hr."""

    GENERAL = "GENERAL"
    PEOPLE = "PEOPLE"


class TriageState(StrEnum):
    """How far the machine is with a ticket."""

    PENDING = "PENDING"
    TRIAGED = "TRIAGED"
    FAILED = "FAILED"


class ValueSource(StrEnum):
    """Who gave a value."""

    UNSPECIFIED = "UNSPECIFIED"
    TRIAGE = "TRIAGE"
    PERSON = "PERSON"


class OptionKind(StrEnum):
    """What an option is a choice for."""

    CATEGORY = "CATEGORY"
    PRIORITY = "PRIORITY"
    TEAM = "TEAM"

    @property
    def field(self) -> str:
        """The ticket's property that holds the choice."""
        return self.value.lower()


class PriorityLevel(IntEnum):
    """How soon a ticket has to be done; a higher one is sooner."""

    LOW = 1
    NORMAL = 2
    HIGH = 3
    URGENT = 4


class TicketField(StrEnum):
    """The part of a ticket that a reason points into."""

    TITLE = "TITLE"
    DESCRIPTION = "MESSAGE"
    """As it is stored: the version before knows it by this name."""


@dataclass(frozen=True, slots=True)
class Value:
    """A category, priority or team by its key, and who gave it."""

    key: str = ""
    source: ValueSource = ValueSource.UNSPECIFIED


NO_VALUE = Value()


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who told of a ticket: a user, or somebody outside."""

    user_id: UUID | None = None
    external_name: str = ""
    external_email: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Words of a ticket that speak for something. Positions count Unicode code points."""

    field: TicketField
    start: int
    end: int
    quote: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What triage says about one property."""

    value: str = ""
    confidence: float = 0.0
    uncertain: bool = True
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TriageDecision:
    """One answer of an engine, kept as it was given and checked."""

    id: UUID
    engine: str
    model: str
    prompt_version: int
    run_id: str
    fallback_reason: str
    category: Choice
    priority: Choice
    team: Choice
    people_suspected: bool
    people_confidence: float
    people_reasons: tuple[Reason, ...]
    ticket_version: int
    created_at: datetime
    kept: tuple[str, ...] = ()

    def choice(self, kind: OptionKind) -> Choice:
        """What it says about one property."""
        return {
            OptionKind.CATEGORY: self.category,
            OptionKind.PRIORITY: self.priority,
            OptionKind.TEAM: self.team,
        }[kind]

    def without_quotes(self) -> Self:
        """The decision without the words that it points at."""
        return replace(
            self,
            category=replace(self.category, reasons=()),
            priority=replace(self.priority, reasons=()),
            team=replace(self.team, reasons=()),
            people_reasons=(),
        )


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A decision that waits for a person, since the ticket changed while the engine read."""

    decision: TriageDecision
    changed: tuple[str, ...]
    """What is not as the engine read it: names of fields, or "options"."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Whoever looks at tickets: a person with a role or none, a machine, or the service itself."""

    kind: str
    id: str
    role: str = ""

    @property
    def decides_audience(self) -> bool:
        """Whether he may let more people see a ticket, and end a suspicion."""
        return self.kind == "service" or self.role in {"admin", "hr"}

    def works_on(self, *, hidden: bool) -> bool:
        """Whether his role sees tickets that are hidden from ops, or those that are not."""
        return self.kind == "service" or self.role in {"admin", "hr" if hidden else "ops"}

    def sees(self, *, hidden: bool, reporter_id: str) -> bool:
        """Whether a ticket exists for him: through his role, or since he reported it himself."""
        return self.works_on(hidden=hidden) or (self.kind == "user" and reporter_id == self.id)


@dataclass(frozen=True, slots=True)
class Comment:
    """Something said on a ticket."""

    id: UUID
    ticket_id: UUID
    body: str
    internal: bool
    author_kind: str
    author_id: str
    created_at: datetime


class TextState(StrEnum):
    """How much there is of a text."""

    WHOLE = "WHOLE"
    REDACTED = "REDACTED"
    """Written before whole texts were kept: the redacted text is all there is."""
    ERASED = "ERASED"
    """Somebody whose words it was is erased, and what redaction took out is gone with his key."""


@dataclass(frozen=True, slots=True)
class RevealedText:
    """A text as it was written, or what is left of it."""

    text: str
    state: TextState


@dataclass(frozen=True, slots=True)
class RevealedComment:
    """A comment and its text."""

    comment: Comment
    body: RevealedText


@dataclass(frozen=True, slots=True)
class RevealedTicket:
    """All that was written on a ticket, as far as somebody may read it."""

    ticket_id: UUID
    title: RevealedText
    description: RevealedText
    comments: tuple[RevealedComment, ...]
    has_older_comments: bool


def clean_key(text: str, *, field: str) -> str:
    """A lower-case word of at most 50 characters.

    Raises:
        InvalidArgument: it is none.
    """
    if not _KEY.fullmatch(text):
        raise InvalidArgument(
            "this must be a lower-case word of at most 50 letters, digits, - and _, beginning with a letter",
            field=field,
        )
    return text


def clean_email(text: str, *, field: str) -> str:
    """An e-mail address, or nothing.

    Raises:
        InvalidArgument: it is neither.
    """
    address = clean_line(text, field=field, minimum=0, maximum=MAXIMUM_EMAIL_CHARACTERS)
    if address and not _EMAIL.fullmatch(address):
        raise InvalidArgument("this must be an e-mail address such as name@example.com", field=field)
    return address
