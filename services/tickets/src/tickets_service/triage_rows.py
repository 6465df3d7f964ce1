"""Decisions and suggestions of triage as they are stored: JSON, which older and newer versions read too. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tickets_service.values import Choice, OptionKind, Reason, Suggestion, TicketField, TriageDecision


def suggestion_values(suggestion: Suggestion) -> dict[str, object]:
    """A suggestion as it is stored."""
    return {"decision": decision_values(suggestion.decision), "changed": list(suggestion.changed)}


def decision_values(decision: TriageDecision) -> dict[str, Any]:
    """A decision as it is stored."""
    return {
        "id": str(decision.id),
        "engine": decision.engine,
        "model": decision.model,
        "prompt_version": decision.prompt_version,
        "run_id": decision.run_id,
        "fallback_reason": decision.fallback_reason,
        **{
            kind.field: {
                "value": decision.choice(kind).value,
                "confidence": decision.choice(kind).confidence,
                "uncertain": decision.choice(kind).uncertain,
                "reasons": _reason_values(decision.choice(kind).reasons),
            }
            for kind in OptionKind
        },
        "people_suspected": decision.people_suspected,
        "people_confidence": decision.people_confidence,
        "people_reasons": _reason_values(decision.people_reasons),
        "ticket_version": decision.ticket_version,
        "created_at": decision.created_at.isoformat(),
        "kept": list(decision.kept),
    }


def _reason_values(reasons: Sequence[Reason]) -> list[dict[str, object]]:
    return [
        {
            "field": reason.field.value,
            "start": reason.start,
            "end": reason.end,
            "quote": reason.quote,
            "explanation": reason.explanation,
        }
        for reason in reasons
    ]


def decision_of(stored: Mapping[str, Any]) -> TriageDecision:
    """A decision as it was stored."""
    values = dict(stored)
    values |= {kind.field: _choice_of(stored[kind.field]) for kind in OptionKind}
    values |= {"id": UUID(stored["id"]), "created_at": datetime.fromisoformat(stored["created_at"])}
    values |= {"people_reasons": _reasons_of(stored["people_reasons"]), "kept": tuple(stored["kept"])}
    return TriageDecision(**values)


def suggestion_of(stored: Mapping[str, Any]) -> Suggestion:
    """A suggestion as it was stored."""
    return Suggestion(decision_of(stored["decision"]), tuple(stored["changed"]))


def _choice_of(stored: Mapping[str, Any]) -> Choice:
    return Choice(stored["value"], stored["confidence"], stored["uncertain"], _reasons_of(stored["reasons"]))


def _reasons_of(stored: Sequence[Mapping[str, Any]]) -> tuple[Reason, ...]:
    return tuple(Reason(**{**reason, "field": TicketField(reason["field"])}) for reason in stored)
