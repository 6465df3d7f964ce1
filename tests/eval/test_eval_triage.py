import time
from collections import Counter

import pytest
from tests.eval.adapters_triage import OPTIONS, OTHER_WORDS, TYPES, calibration_error, macro_f1, predict, tickets

from ai_service.domain import Option


@pytest.mark.parametrize("half", ["tuned", "held out"])
@pytest.mark.parametrize("options", [OPTIONS, OTHER_WORDS], ids=["plain", "other-words"])
def test_kinds_of_issues_are_told_apart_with_nothing_learned(options: tuple[Option, ...], half: str) -> None:
    cases = tickets(held_out=half == "held out")
    choices = predict([(case.title, case.message) for case in cases], options)

    assert macro_f1(cases, choices) >= 0.8


def test_an_engine_that_always_says_the_same_scores_low() -> None:
    cases = tickets(held_out=True)

    assert macro_f1(cases, [predict([("App crashes", "")])[0]] * len(cases)) < 0.2


def test_confidence_means_something() -> None:
    cases = [*tickets(held_out=False), *tickets(held_out=True)]
    choices = predict([(case.title, case.message) for case in cases])
    right = [choice.value == case.type for case, choice in zip(cases, choices, strict=True)]
    sure = [ok for ok, choice in zip(right, choices, strict=True) if choice.confidence >= 0.75]
    unsure = [ok for ok, choice in zip(right, choices, strict=True) if choice.confidence < 0.6]

    assert sum(sure) / len(sure) >= 0.9
    assert sum(unsure) / len(unsure) < sum(sure) / len(sure)
    held_out = tickets(held_out=True)
    chosen = predict([(case.title, case.message) for case in held_out])
    assert calibration_error(held_out, chosen) == pytest.approx(0.18, abs=0.005)  # as the README of ai says


def test_triage_is_fast() -> None:
    texts = [(case.title, case.message) for case in tickets(held_out=False)]
    predict(texts)
    started = time.perf_counter()

    predict(texts)

    rate = len(texts) / (time.perf_counter() - started)
    assert rate >= 50


def test_the_set_is_what_its_header_says() -> None:
    halves = tickets(held_out=False), tickets(held_out=True)

    assert [len(half) for half in halves] == [119, 64]
    assert all(Counter(case.type for case in half).keys() == set(TYPES) for half in halves)
    assert len({case.title for half in halves for case in half}) == 183
