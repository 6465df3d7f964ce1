"""A search for texts that make redaction slow: time per character at one length and at eight times that length."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.eval.growing_inputs import pieces

from chassis.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.attack
REDACTOR = Redactor(b"0123456789abcdef").for_prose()
SHORT, LONG = 8_000, 64_000
SEEDS = range(6)


def seconds(text: str) -> float:
    """The least of three, in time of this process: others on the machine do not count."""

    def tries() -> Iterator[float]:
        for _ in range(3):
            began = time.process_time()
            REDACTOR.find(text)
            yield time.process_time() - began

    return min(tries())


def growth(piece: str, head: str) -> float:
    """How much longer a character takes in the long text than in the short one."""
    short, long = (head + (piece * (size // len(piece) + 1))[:size] for size in (SHORT, LONG))
    return seconds(long) / (LONG / SHORT) / max(seconds(short), 0.001)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_text_takes_longer_per_character_when_it_is_longer(seed: int) -> None:
    found = list(pieces(2, seed))
    slow = {}
    for piece, head in zip(found, found[1:] + found[:1], strict=True):
        # A quadratic detector takes eight times as long per character; what looks slow is measured again.
        ratios = [growth(piece, head)]
        while ratios[-1] > 3 and len(ratios) < 4:
            ratios.append(growth(piece, head))
        if min(ratios) > 3:
            slow[piece] = ratios

    assert slow == {}
