"""How many secrets of the labelled set are found, and how many texts without one raise an alarm."""

from __future__ import annotations

from collections import Counter

from tests.eval.adapters import redact
from tests.eval.secrets_set import Case, negatives, positives


def found(cases: list[Case]) -> list[bool]:
    """Of each case, whether all of its secret is covered; of a case without one, whether anything is called secret."""
    results = []
    for case, spans in zip(cases, redact([case.text for case in cases]), strict=True):
        covered = {at for start, end, _ in spans for at in range(start, end)}
        alarm = any(label == "SECRET" for _, _, label in spans)
        results.append(covered.issuperset(range(case.start, case.end)) if case.end else alarm)
    return results


def test_the_set_is_large_and_always_the_same() -> None:
    planted, clean = list(positives()), list(negatives())

    assert (len(planted), len(clean)) == (480, 480)
    assert (planted, clean) == (list(positives()), list(negatives()))
    assert all(case.end > case.start for case in planted)


def test_secrets_are_found_in_every_carrier_and_disguise() -> None:
    cases = list(positives())

    missed = Counter(case.kind for case, hit in zip(cases, found(cases), strict=True) if not hit)

    assert 1 - missed.total() / len(cases) >= 0.95, missed


def test_what_only_looks_like_a_secret_raises_no_alarm() -> None:
    cases = list(negatives())

    alarms = Counter(case.kind for case, alarm in zip(cases, found(cases), strict=True) if alarm)

    assert alarms.total() / len(cases) <= 0.02, alarms
