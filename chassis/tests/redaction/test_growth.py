"""No input makes a detector take more steps than its length explains: counted, so a busy machine cannot fail it."""

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from tests.eval.growing_inputs import pieces

from chassis.redaction import Redactor
from chassis.redaction.matching import Kind, Rule, Span

REDACTOR = Redactor().for_prose()
SHORT, LONG = 600, 4_800
SLACK = 4_000


def steps(redactor: Redactor, text: str) -> int:
    """Lines of the redaction's own code that run for a text."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "redaction" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        redactor.find(text)
    finally:
        sys.settrace(before)
    return count


def outgrows(redactor: Redactor, piece: str) -> bool:
    short, long = ((piece * (size // len(piece) + 1))[:size] for size in (SHORT, LONG))
    return steps(redactor, long) > 1.5 * (LONG // SHORT) * steps(redactor, short) + SLACK


@pytest.mark.parametrize("seed", range(3))
def test_steps_grow_with_the_length_and_not_faster(seed: int) -> None:
    assert [piece for piece in pieces(2, seed) if outgrows(REDACTOR, piece)] == []


def test_a_detector_that_looks_back_from_each_match_is_caught() -> None:
    def find(raw: bytes) -> Iterator[Span]:
        for end in range(0, len(raw), 40):
            for start in range(end):
                if raw[start:end] == b"never":
                    yield Span(start, end, Kind.USER)

    quadratic = Redactor()
    quadratic._rules = (Rule(quadratic._rules[0].trigger, find), *quadratic._rules[1:])

    assert outgrows(quadratic, "AKIAABCDEFGHIJKLMNOP ")
