"""The check of what an engine answered: only what the ticket and the options bear out is stored. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

from chassis.wording import foreign_words
from tickets_service.values import Choice, OptionKind, Reason, TicketField, TriageDecision

MAXIMUM_REASONS = 10
MAXIMUM_EXPLANATION_CHARACTERS = 200
UNEXPLAINED = "These words speak for it."
"""Stands for what a model explains in words that are not of the ticket: they may come from another one."""
BUILTIN = "builtin"
_DIGITS = re.compile(r"\d+")
_LINK = re.compile(r"[:/@<>\[\]{}\\`]|&#|www\.", re.IGNORECASE)


def check_decision(
    decision: TriageDecision, texts: Mapping[TicketField, str], offered: Mapping[OptionKind, Iterable[str]]
) -> TriageDecision:
    """The decision with what holds: a value that was not offered, or has no words behind it, becomes uncertain.

    A suspicion stands without words too: to be wrong on that side costs hr a look, on the other side a secret.
    """
    if decision.engine != BUILTIN:
        decision = _in_its_words(decision, texts)
    return replace(
        decision,
        category=_checked(decision.category, texts, frozenset(offered[OptionKind.CATEGORY])),
        priority=_checked(decision.priority, texts, frozenset(offered[OptionKind.PRIORITY])),
        team=_checked(decision.team, texts, frozenset(offered[OptionKind.TEAM])),
        people_confidence=_share(decision.people_confidence),
        people_reasons=_proven(decision.people_reasons, texts) if decision.people_suspected else (),
    )


def _in_its_words(decision: TriageDecision, texts: Mapping[TicketField, str]) -> TriageDecision:
    """The decision of a model, which explains it in words of the ticket and of plain reports, or not at all."""

    def explained(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
        return tuple(replace(reason, explanation=_explanation(reason.explanation, texts)) for reason in reasons)

    return replace(
        decision,
        category=replace(decision.category, reasons=explained(decision.category.reasons)),
        priority=replace(decision.priority, reasons=explained(decision.priority.reasons)),
        team=replace(decision.team, reasons=explained(decision.team.reasons)),
        people_reasons=explained(decision.people_reasons),
    )


def _explanation(text: str, texts: Mapping[TicketField, str]) -> str:
    visible = unicodedata.normalize("NFKC", text)
    hidden = any(unicodedata.category(char) in {"Cf", "Co", "Cs", "Cn"} for char in visible)
    numbers = set(_DIGITS.findall(visible)) - set(_DIGITS.findall(" ".join(texts.values())))
    if hidden or numbers or _LINK.search(visible) or foreign_words(visible, *texts.values()):
        return UNEXPLAINED
    return visible


def _checked(choice: Choice, texts: Mapping[TicketField, str], offered: frozenset[str]) -> Choice:
    reasons = _proven(choice.reasons, texts)
    if choice.uncertain or choice.value not in offered or not reasons:
        return Choice(confidence=_share(choice.confidence), reasons=reasons)
    return Choice(choice.value, _share(choice.confidence), uncertain=False, reasons=reasons)


def _proven(reasons: Iterable[Reason], texts: Mapping[TicketField, str]) -> tuple[Reason, ...]:
    """The reasons whose words stand where they say."""
    proven = [
        replace(reason, explanation=" ".join(reason.explanation.split())[:MAXIMUM_EXPLANATION_CHARACTERS])
        for reason in reasons
        if 0 <= reason.start < reason.end and texts[reason.field][reason.start : reason.end] == reason.quote
    ]
    return tuple(proven[:MAXIMUM_REASONS])


def _share(confidence: float) -> float:
    """A confidence within 0 and 1; what is no number is none."""
    return min(max(confidence, 0.0), 1.0) if confidence == confidence else 0.0  # noqa: PLR0124 - NaN
