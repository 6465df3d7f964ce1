"""What words speak for, out of `cues.toml`, and finding it in a ticket."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ai_service.engines.ticket_text import Span, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_service.engines.ticket_text import Word

ZONES = {
    Zone.TITLE: 2.0, Zone.LEAD: 1.0, Zone.BODY: 0.6, Zone.TAIL: 0.3, Zone.HEADING: 0.1, Zone.FORM: 0.3,
    Zone.QUOTED: 0.1, Zone.CODE: 0.1, Zone.TRACE: 0.2,
}  # fmt: skip
"""How much a word says by its place."""
REPEATED = 0.4
"""What the same words count when they come again."""
_NEGATED = 0.2
_MAX_REPEATS = 4
_NEGATIONS = frozenset({"no", "not", "without", "never", "doesnt", "dont", "isnt", "didnt"})


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase that speaks for something."""

    words: tuple[str, ...]
    weight: float
    place: str
    """"^" when it counts only at the beginning of a title, "@" when only in a title, else empty."""

    def fits(self, words: Sequence[str]) -> bool:
        """Whether these words are the phrase."""
        return len(words) == len(self.words) and all(map(fits, words, self.words))


@dataclass(frozen=True, slots=True)
class Cues:
    """Phrases by their first word, or by its beginning where they have that alone."""

    exact: Mapping[str, tuple[Cue, ...]]
    begun: Mapping[str, tuple[Cue, ...]]
    lengths: tuple[int, ...]
    """How long the beginnings are."""

    @staticmethod
    def of(rows: Iterable[tuple[float, str]]) -> Cues:
        """The cues of a table."""
        exact, begun = defaultdict[str, list[Cue]](list), defaultdict[str, list[Cue]](list)
        for weight, text in rows:
            for phrase in phrases(text):
                place = phrase[0] if phrase[0] in "^@" else ""
                words = tuple(phrase.removeprefix(place).split())
                table = begun if words[0].endswith("*") else exact
                table[words[0].removesuffix("*")].append(Cue(words, weight, place))
        return Cues(
            {word: tuple(cues) for word, cues in exact.items()},
            {word: tuple(cues) for word, cues in begun.items()},
            tuple(sorted({len(word) for word in begun})),
        )

    def starting_with(self, word: str) -> list[Cue]:
        """The phrases whose first word this may be."""
        found = list(self.exact.get(word, ()))
        for length in self.lengths:
            if length > len(word):
                break
            found.extend(self.begun.get(word[:length], ()))
        return found


@dataclass(frozen=True, slots=True)
class Family:
    """One concept that tickets are about and options are named after."""

    says: str
    """What its cues speak for, as it is told to people."""
    names: tuple[str, ...]
    labels: tuple[str, ...]
    """What a ticket is labelled with by whoever writes it, such as "bug report"."""
    cues: Cues
    headings: Cues


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All that is known of words."""

    families: Mapping[str, Family]
    stop_words: frozenset[str]
    urgency: Cues
    levels: tuple[tuple[float, tuple[str, ...]], ...]
    """Urgency and the names of priorities that fit it, the most urgent first."""


@cache
def lexicon() -> Lexicon:
    """What is known of words; read once."""
    table: dict[str, Any] = tomllib.loads(
        resources.files("ai_service.engines").joinpath("cues.toml").read_text("utf-8")
    )
    families = {
        name: Family(
            family["says"],
            phrases(family["names"]),
            phrases(family.get("labels", "")),
            Cues.of(family["cues"]),
            Cues.of([(1.0, family.get("headings", ""))]),
        )
        for name, family in table["family"].items()
    }
    levels = tuple((level, phrases(names)) for level, names in table["levels"]["cues"])
    return Lexicon(families, frozenset(table["stop_words"].split()), Cues.of(table["urgency"]["cues"]), levels)


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a list."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(";") if phrase.strip())


def fits(word: str, pattern: str) -> bool:
    """Whether a word is this one, or begins so where the pattern ends in a star."""
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


@dataclass(frozen=True, slots=True)
class Hit:
    """Words that speak for something."""

    span: Span
    weight: float
    explanation: str


def matches(words: Sequence[Word], cues: Cues, says: str, *, flat: float = 0.0) -> list[Hit]:
    """The cues in words, the longest at each place; `flat` is a weight in place of that of the zone."""
    hits: list[Hit] = []
    seen: defaultdict[tuple[str, ...], int] = defaultdict(int)
    position = 0
    while position < len(words):
        word, cue = words[position], _longest(cues, words, position)
        if cue is None:
            position += 1
            continue
        weight = cue.weight * (flat or ZONES[word.zone])
        weight *= REPEATED ** seen[cue.words] if seen[cue.words] < _MAX_REPEATS else 0.0
        if weight > 0 and len(cue.words) == 1 and _negated(words, position):
            weight *= _NEGATED
        end = words[position + len(cue.words) - 1].end
        hits.append(Hit(Span(word.field, word.start, end, word.zone, word.clause), weight, says))
        seen[cue.words] += 1
        position += len(cue.words)
    return hits


def _negated(words: Sequence[Word], position: int) -> bool:
    word = words[position]
    return any(
        earlier.text in _NEGATIONS and earlier.clause == word.clause
        for earlier in words[max(0, position - 2) : position]
    )


def _stands(cue: Cue, word: Word) -> bool:
    return not cue.place or (word.first if cue.place == "^" else word.zone is Zone.TITLE)


def _longest(cues: Cues, words: Sequence[Word], position: int) -> Cue | None:
    """The cue that begins here: the longest, and of equal ones that which says most."""
    word = words[position]
    best: Cue | None = None
    for cue in cues.starting_with(word.text):
        window = words[position : position + len(cue.words)]
        better = best is None or (len(cue.words), abs(cue.weight)) > (len(best.words), abs(best.weight))
        if better and window[-1].clause == word.clause and _stands(cue, word):
            best = cue if cue.fits([each.text for each in window]) else best
    return best
