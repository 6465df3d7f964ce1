"""Nothing of an engine's answer is kept that the ticket and the options do not bear out."""

import math
from dataclasses import replace
from uuid import UUID

import pytest
from services.tickets.tests.factories import MOMENT

from tickets_service.decisions import check_decision
from tickets_service.values import Choice, OptionKind, Reason, TicketField, TriageDecision

TEXTS = {TicketField.TITLE: "Pay 💶 button broken", TicketField.DESCRIPTION: "It says: <b>error</b>"}
OFFERED = {OptionKind.CATEGORY: ["bug"], OptionKind.PRIORITY: ["high"], OptionKind.TEAM: ["development"]}
BUTTON = Reason(TicketField.TITLE, 6, 12, "button", "names a part of the page")


def sure(value: str, *reasons: Reason) -> Choice:
    return Choice(value, 0.9, uncertain=False, reasons=reasons or (BUTTON,))


DECISION = TriageDecision(
    id=UUID("0198c0de-0000-7000-8000-00000000e001"), engine="openai", model="m-1", prompt_version=1, run_id="r",
    fallback_reason="", category=sure("bug"), priority=sure("high"), team=sure("development"), people_suspected=True,
    people_confidence=0.4, people_reasons=(BUTTON,), ticket_version=1, created_at=MOMENT,
)  # fmt: skip


def test_what_is_borne_out_stays_as_it_is() -> None:
    assert check_decision(DECISION, TEXTS, OFFERED) == DECISION


@pytest.mark.parametrize(
    "choice",
    [
        sure("people"),
        sure("Bug"),
        sure(""),
        replace(sure("bug"), uncertain=True),
        replace(sure("bug"), reasons=()),
        sure("bug", replace(BUTTON, quote="buttons")),
        sure("bug", replace(BUTTON, start=5, end=11)),
        sure("bug", replace(BUTTON, start=-14, end=-8)),
        sure("bug", replace(BUTTON, field=TicketField.DESCRIPTION)),
        sure("bug", replace(BUTTON, start=6, end=6, quote="")),
    ],
)
def test_a_value_that_was_not_offered_or_has_no_words_becomes_uncertain(choice: Choice) -> None:
    checked = check_decision(replace(DECISION, category=choice), TEXTS, OFFERED)

    assert (checked.category.value, checked.category.uncertain) == ("", True)
    assert (checked.priority, checked.team) == (DECISION.priority, DECISION.team)
    assert all(TEXTS[reason.field][reason.start : reason.end] == reason.quote for reason in checked.category.reasons)


def test_only_the_reasons_that_hold_are_kept_and_their_explanations_are_one_short_line() -> None:
    wrong = replace(BUTTON, quote="nothing")
    wordy = replace(BUTTON, explanation="a\n  button" + " broken" * 300)

    checked = check_decision(replace(DECISION, team=sure("development", wrong, wordy)), TEXTS, OFFERED)

    assert checked.team.reasons == (replace(BUTTON, explanation="a button" + (" broken" * 300)[:192]),)


@pytest.mark.parametrize(("given", "kept"), [(-1.0, 0.0), (1.7, 1.0), (math.nan, 0.0), (math.inf, 1.0), (0.3, 0.3)])
def test_a_confidence_is_between_0_and_1(given: float, kept: float) -> None:
    decision = replace(DECISION, category=replace(DECISION.category, confidence=given), people_confidence=given)

    checked = check_decision(decision, TEXTS, OFFERED)

    assert (checked.category.confidence, checked.people_confidence) == (kept, kept)


def test_a_suspicion_stands_without_words_and_reasons_without_a_suspicion_do_not() -> None:
    bare = replace(DECISION, people_reasons=(replace(BUTTON, quote="nothing"),))
    unsuspected = replace(DECISION, people_suspected=False)

    assert check_decision(bare, TEXTS, OFFERED) == replace(DECISION, people_reasons=())
    assert check_decision(unsuspected, TEXTS, OFFERED).people_reasons == ()


@pytest.mark.parametrize(
    "explanation",
    [
        "Alice was dismissed for theft",
        "the button is broken, see evil.example/fix",
        "the button at //evil",
        "the button: javascript",
        "<b>button</b>",
        "write to button@page",
        "the button costs 4500",
        "the button\U000e0041\U000e0042 is broken",
    ],
)
def test_a_model_explains_in_words_of_the_ticket_or_not_at_all(explanation: str) -> None:
    decision = replace(DECISION, category=sure("bug", replace(BUTTON, explanation=explanation)))

    checked = check_decision(decision, TEXTS, OFFERED)

    assert checked.category.reasons == (replace(BUTTON, explanation="These words speak for it."),)
    assert checked.category.value == "bug"


def test_what_the_builtin_engine_explains_stays() -> None:
    told = sure("bug", replace(BUTTON, explanation="an apology, which marks a complaint"))

    assert check_decision(replace(DECISION, engine="builtin", category=told), TEXTS, OFFERED).category == told
