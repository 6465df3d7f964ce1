"""The built-in triage against issue-like texts of known kinds, with nothing learned: `triage_set.toml` says of what."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ai_service.domain import Choice, Option, TicketText, TriageQuestion
from ai_service.engines.builtin_triage import triage

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPES = ("bug", "feature", "question")
OPTIONS = (
    Option("bug", "Bug", "Something is broken or does not work as documented"),
    Option("feature", "Feature", "A request for something new or better"),
    Option("question", "Question", "Somebody asks how something works or needs help"),
)
# The same three kinds as other people would declare them.
OTHER_WORDS = (
    Option("bug", "Defect", "An error, flaw or unexpected behaviour of the software"),
    Option("feature", "Enhancement", "A proposal for new functionality"),
    Option("question", "Support", "A user who asks for information"),
)


@dataclass(frozen=True)
class Case:
    """One text and its kind."""

    type: str
    title: str
    message: str


def tickets(*, held_out: bool) -> list[Case]:
    """The held-out half, or all that the engine was tuned with."""
    table = tomllib.loads((Path(__file__).parent / "triage_set.toml").read_text())
    rows = table["ticket"][1::2] if held_out else [*table["ticket"][::2], *table["extra"]]
    return [Case(**row) for row in rows]


def predict(texts: Sequence[tuple[str, str]], options: Sequence[Option] = OPTIONS) -> list[Choice]:
    """What the built-in engine chooses for titles and messages."""
    chosen = (triage(TriageQuestion(TicketText(title, message), tuple(options))) for title, message in texts)
    return [each.category or Choice() for each in chosen]


def macro_f1(cases: Sequence[Case], choices: Sequence[Choice]) -> float:
    """The mean of the F1 of the kinds; an uncertain answer is a miss."""
    scores = []
    for kind in TYPES:
        pairs = [(case.type == kind, choice.value == kind) for case, choice in zip(cases, choices, strict=True)]
        hits = sum(is_so and said for is_so, said in pairs)
        scores.append(2 * hits / (sum(is_so for is_so, _ in pairs) + sum(said for _, said in pairs)))
    return sum(scores) / len(scores)


def calibration_error(cases: Sequence[Case], choices: Sequence[Choice], bins: int = 5) -> float:
    """How far confidence lies from the share that is right, by confidence and weighted by number."""
    sorted_in: dict[int, list[tuple[float, bool]]] = {}
    for case, choice in zip(cases, choices, strict=True):
        sorted_in.setdefault(min(bins - 1, int(choice.confidence * bins)), []).append(
            (choice.confidence, choice.value == case.type)
        )
    return sum(abs(sum(c for c, _ in each) - sum(r for _, r in each)) for each in sorted_in.values()) / len(cases)
