"""What the machine says about a ticket: owned by tickets."""

from enum import Enum

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.tickets.v1 import ticket_pb2
from gateway.graph import edges
from gateway.graph.enums import name_or_none


@strawberry.enum
class TriageState(Enum):
    """How far the machine is with a ticket."""

    PENDING = ticket_pb2.TRIAGE_STATE_PENDING
    """Waits for triage."""
    TRIAGED = ticket_pb2.TRIAGE_STATE_TRIAGED
    """Has a decision."""
    FAILED = ticket_pb2.TRIAGE_STATE_FAILED
    """No decision could be made; `retriageTicket` tries again."""


@strawberry.enum
class ValueSource(Enum):
    """Who gave a value."""

    TRIAGE = ticket_pb2.VALUE_SOURCE_TRIAGE
    """Triage."""
    PERSON = ticket_pb2.VALUE_SOURCE_PERSON
    """A person, or the one who created the ticket: triage does not change it."""


@strawberry.enum
class TicketField(Enum):
    """The part of a ticket that a reason points into."""

    TITLE = ticket_pb2.TICKET_FIELD_TITLE
    """The title."""
    MESSAGE = ticket_pb2.TICKET_FIELD_MESSAGE
    """The message."""


@strawberry.type
class TriageReason:
    """Points at words of the ticket."""

    field: TicketField | None
    """Where the words are; null for a place that the graph does not know."""
    start: int
    """Position of the first character, in Unicode code points."""
    end: int
    """Position after the last character."""
    quote: str
    """The words; exactly what stands there."""
    explanation: str
    """What they speak for, in a few plain words."""

    @classmethod
    def of(cls, reason: ticket_pb2.TriageReason) -> "TriageReason":
        """The reason as tickets stored it."""
        return cls(
            field=name_or_none(TicketField, reason.field),
            start=reason.start,
            end=reason.end,
            quote=reason.quote,
            explanation=reason.explanation,
        )


@strawberry.type
class TriageChoice:
    """What triage says about one property."""

    value: str | None
    """Key of an option; null when it does not know."""
    confidence: float
    """How sure it is, 0 to 1."""
    uncertain: bool
    """Whether it does not know."""
    reasons: list[TriageReason]
    """Why; empty only when it does not know."""

    @classmethod
    def of(cls, choice: ticket_pb2.TriageChoice) -> "TriageChoice":
        """The choice as tickets stored it."""
        return cls(
            value=choice.value or None,
            confidence=choice.confidence,
            uncertain=choice.uncertain,
            reasons=[TriageReason.of(reason) for reason in choice.reasons],
        )


@strawberry.type
class TriageDecision:
    """One answer of an engine, kept as it was given."""

    id: strawberry.ID
    """UUIDv7."""
    engine: str
    """Engine that answered: `builtin` or `openai`."""
    model: str | None
    """Model that answered; null for the built-in engine."""
    prompt_version: int | None
    """Version of the prompt; null for the built-in engine."""
    fallback_reason: str | None
    """Why the built-in engine answered in place of the configured model; null when it did not."""
    category: TriageChoice
    """The category."""
    priority: TriageChoice
    """The priority."""
    team: TriageChoice
    """The team."""
    people_suspected: bool
    """Whether the words look like a matter for hr."""
    people_reasons: list[TriageReason]
    """Why that is suspected."""
    ticket_version: int
    """Version of the ticket that the engine read."""
    kept: list[str]
    """Which of `category`, `priority` and `team` kept the value of a person: the decision is a suggestion there."""
    created_at: Timestamp
    """When it was stored."""
    run_id: strawberry.Private[str | None]
    run = strawberry.field(resolver=edges.triage_run, description="The run of the engine that made it.")

    @classmethod
    def of(cls, decision: ticket_pb2.TriageDecision) -> "TriageDecision":
        """The decision as tickets stored it."""
        return cls(
            id=strawberry.ID(decision.id),
            engine=decision.engine,
            model=decision.model or None,
            prompt_version=decision.prompt_version or None,
            fallback_reason=decision.fallback_reason or None,
            category=TriageChoice.of(decision.category),
            priority=TriageChoice.of(decision.priority),
            team=TriageChoice.of(decision.team),
            people_suspected=decision.people_suspected,
            people_reasons=[TriageReason.of(reason) for reason in decision.people_reasons],
            ticket_version=decision.ticket_version,
            kept=list(decision.kept),
            created_at=decision.created_at,
            run_id=decision.run_id or None,
        )


@strawberry.type
class TriageSuggestion:
    """A decision that was not applied, since the ticket changed meanwhile. A person accepts or dismisses it."""

    decision: TriageDecision
    """What the engine decided about the version that it read."""
    changed: list[str]
    """What changed since, of `title`, `message`, `service`, `category`, `priority`, `team`, `audience`, `options`."""

    @classmethod
    def of(cls, suggestion: ticket_pb2.TriageSuggestion) -> "TriageSuggestion":
        """The suggestion as tickets stored it."""
        return cls(decision=TriageDecision.of(suggestion.decision), changed=list(suggestion.changed))
