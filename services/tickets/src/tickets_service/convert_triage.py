"""Between tickets and ai: what triage reads, what it answers, and how its decision is shown. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from aiops.ai.v1 import triage_pb2 as ai_triage_pb
from aiops.ai.v1.ai_service_pb2 import TriageTicketRequest, TriageTicketResponse
from aiops.ai.v1.run_pb2 import Engine
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from chassis.ids import uuid7
from tickets_service.domain import Ticket, TicketOption
from tickets_service.values import Choice, OptionKind, Reason, Suggestion, TicketField, TriageDecision

_ENGINES = {Engine.ENGINE_BUILTIN: "builtin", Engine.ENGINE_OPENAI: "openai"}
_FIELDS = {
    ai_triage_pb.TextField.TEXT_FIELD_TITLE: TicketField.TITLE,
    ai_triage_pb.TextField.TEXT_FIELD_MESSAGE: TicketField.DESCRIPTION,
}


def triage_request(ticket: Ticket, options: Sequence[TicketOption]) -> TriageTicketRequest:
    """What ai is asked about a ticket; the idempotency key is the caller's to add."""
    return TriageTicketRequest(
        ticket=ai_triage_pb.TicketText(title=ticket.title, message=ticket.description, service=ticket.service),
        categories=_offered(options, OptionKind.CATEGORY),
        priorities=_offered(options, OptionKind.PRIORITY),
        teams=_offered(options, OptionKind.TEAM),
    )


def decision_from(answer: TriageTicketResponse, ticket: Ticket, *, at: datetime) -> TriageDecision:
    """What an engine answered about this version of a ticket, not checked yet."""
    return TriageDecision(
        id=uuid7(),
        engine=_ENGINES.get(answer.run.engine, ""),
        model=answer.run.model,
        prompt_version=answer.run.prompt_version,
        run_id=answer.run.id,
        fallback_reason=answer.run.fallback_reason,
        category=_choice_from(answer.category),
        priority=_choice_from(answer.priority),
        team=_choice_from(answer.team),
        people_suspected=answer.people.suspected,
        people_confidence=answer.people.confidence,
        people_reasons=_reasons_from(answer.people.reasons),
        ticket_version=ticket.version,
        created_at=at,
    )


def decision_to_proto(decision: TriageDecision) -> ticket_pb.TriageDecision:
    """A decision as others see it."""
    created_at = Timestamp()
    created_at.FromDatetime(decision.created_at)
    return ticket_pb.TriageDecision(
        id=str(decision.id),
        engine=decision.engine,
        model=decision.model,
        prompt_version=decision.prompt_version,
        run_id=decision.run_id,
        fallback_reason=decision.fallback_reason,
        category=_choice_to_proto(decision.category),
        priority=_choice_to_proto(decision.priority),
        team=_choice_to_proto(decision.team),
        people_suspected=decision.people_suspected,
        people_reasons=map(_reason_to_proto, decision.people_reasons),
        ticket_version=decision.ticket_version,
        kept=decision.kept,
        created_at=created_at,
    )


def suggestion_to_proto(suggestion: Suggestion) -> ticket_pb.TriageSuggestion:
    """A suggestion as others see it."""
    return ticket_pb.TriageSuggestion(decision=decision_to_proto(suggestion.decision), changed=suggestion.changed)


def _offered(options: Sequence[TicketOption], kind: OptionKind) -> list[ai_triage_pb.TriageOption]:
    return [
        ai_triage_pb.TriageOption(key=option.key, name=option.name, description=option.description)
        for option in options
        if option.kind is kind
    ]


def _choice_from(choice: ai_triage_pb.Choice) -> Choice:
    return Choice(choice.value, choice.confidence, choice.uncertain, _reasons_from(choice.reasons))


def _reasons_from(reasons: Iterable[ai_triage_pb.Reason]) -> tuple[Reason, ...]:
    """Reasons that point into a field that a ticket has."""
    return tuple(
        Reason(_FIELDS[reason.field], reason.start, reason.end, reason.quote, reason.explanation)
        for reason in reasons
        if reason.field in _FIELDS
    )


def _choice_to_proto(choice: Choice) -> ticket_pb.TriageChoice:
    return ticket_pb.TriageChoice(
        value=choice.value,
        confidence=choice.confidence,
        uncertain=choice.uncertain,
        reasons=map(_reason_to_proto, choice.reasons),
    )


def _reason_to_proto(reason: Reason) -> ticket_pb.TriageReason:
    return ticket_pb.TriageReason(
        field=ticket_pb.TicketField.Value(f"TICKET_FIELD_{reason.field}"),
        start=reason.start,
        end=reason.end,
        quote=reason.quote,
        explanation=reason.explanation,
    )
