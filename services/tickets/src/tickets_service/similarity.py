"""How alike texts of tickets are: words, their weight, and the cosine between them (TF-IDF; Salton and Buckley, 1988).

Pure, and the same for every text: nothing is learned but how many tickets have a word.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

MAXIMUM_CHARACTERS = 8_000
"""Of a description, what is read: after that come traces and copies."""
MAXIMUM_WORDS = 200
MAXIMUM_SHARED_WORDS = 8
MAXIMUM_WORD_CHARACTERS = 60
LEAST_SIMILARITY = 0.1
"""Below it two tickets share what any two share; of known duplicates that are found, all are above it (ADR 0023)."""
_TITLE_WEIGHT = 2
_SHORTEST = 3
"""Characters that a word keeps at least when it loses an ending."""
_PLAIN = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_EMPTY_WORDS = """
    a about above after again against all also am an and any are as at be because been before being below between
    both but by can cannot could did do does doing don during each few for from further get got had has have
    having he her here him his how i if in into is it its itself just me more most my no nor not now of off on
    once only or other our out over own please same she should so some such than that the their them then there
    these they this those through to too under until up us very was we were what when where which while who whom
    why will with would you your
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Alike(Generic[T]):
    """A ticket that is like another one."""

    ticket: T
    similarity: float
    """0 to 1."""
    shared_words: tuple[str, ...]
    """Words that both have, the most telling first."""


class Weights:
    """How telling each word is: the fewer tickets have it, the more."""

    def __init__(
        self, ticket_counts: Mapping[str, int], total: int, lead_counts: Mapping[str, int] | None = None
    ) -> None:
        """Where a word leads to more tickets than are counted for its weight, `lead_counts` has them all."""
        self._ticket_counts = ticket_counts
        self._total = total
        self._lead_counts = ticket_counts if lead_counts is None else lead_counts
        self._weights: dict[str, float] = {}

    def of(self, word: str) -> float:
        """The weight of a word; one that was never counted is as telling as any."""
        weight = self._weights.get(word)
        if weight is None:
            tickets = min(self._ticket_counts.get(word, 0), self._total)
            weight = self._weights[word] = math.log((1 + self._total) / (1 + tickets)) + 1
        return weight

    def weighted(self, counts: Mapping[str, int]) -> dict[str, float]:
        """Words with their weights: more for one that is said often, but not as much more."""
        known, of = self._weights, self.of
        return {
            word: (known.get(word) or of(word)) * (1.0 if count == 1 else 1 + math.log(count))
            for word, count in counts.items()
        }

    def vector(self, counts: Mapping[str, int]) -> dict[str, float]:
        """Words with their weights, together of length 1."""
        weighted = self.weighted(counts)
        length = _length(weighted)
        return {word: weight / length for word, weight in weighted.items()}

    def telling(self, counts: Mapping[str, int], *, budget: int) -> list[str]:
        """The most telling words that lead to no more tickets than the budget, together."""
        vector, chosen = self.vector(counts), []
        for word in sorted(vector, key=lambda word: (-vector[word], word)):
            tickets = self._lead_counts.get(word, 0)
            if tickets <= budget:
                budget -= tickets
                chosen.append(word)
        return chosen


def count_words(title: str, description: str) -> dict[str, int]:
    """The words of a ticket with how often they stand there, in the title twice; of a long text the most frequent."""
    counts: Counter[str] = Counter()
    for word in words(title):
        counts[word] += _TITLE_WEIGHT
    counts.update(words(description[:MAXIMUM_CHARACTERS]))
    return dict(counts.most_common(MAXIMUM_WORDS))


def spellings(title: str, description: str) -> Mapping[str, str]:
    """The words of a ticket as its text spells them, in lower case; the first spelling of each."""
    found: dict[str, str] = {}
    for text in (title, description[:MAXIMUM_CHARACTERS]):
        for stem, word in _spellings(text):
            found.setdefault(stem, word)
    return found


def words(text: str) -> Iterable[str]:
    """Words in lower case without their endings; of a name such as `BlockManager` or `disk_full` its parts too."""
    return (stem for stem, _ in _spellings(text))


def _spellings(text: str) -> Iterable[tuple[str, str]]:
    for match in _PLAIN.finditer(text):
        whole = match[0]
        parts = _PART.findall(whole)
        for word in (whole, *(parts if len(parts) > 1 else ())):
            lower = word.lower()
            if 1 < len(lower) <= MAXIMUM_WORD_CHARACTERS and lower not in _EMPTY:
                yield _stem(lower), lower


def most_alike(
    asked: Mapping[str, int], candidates: Mapping[T, Mapping[str, int]], weights: Weights, *, first: int
) -> list[Alike[T]]:
    """The candidates whose words are most like those asked for, the most alike first; none that is hardly alike."""
    wanted = weights.vector(asked)
    found = []
    for ticket, counts in candidates.items():
        weighted = weights.weighted(counts)
        shared = {word: weight * weighted[word] for word, weight in wanted.items() if word in weighted}
        similarity = sum(shared.values()) / _length(weighted)
        if similarity >= LEAST_SIMILARITY:
            telling = sorted(shared, key=lambda word: (-shared[word], word))[:MAXIMUM_SHARED_WORDS]
            found.append(Alike(ticket, min(similarity, 1.0), tuple(telling)))
    return sorted(found, key=lambda alike: (-alike.similarity, str(alike.ticket)))[:first]


def _length(weighted: Mapping[str, float]) -> float:
    return math.sqrt(sum([weight * weight for weight in weighted.values()])) or 1.0


def _stem(word: str) -> str:
    """A word without the commonest English endings, so that its forms meet."""
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + _SHORTEST and word.endswith(ending):
            stem = word[: -len(ending)]
            return stem[:-1] if len(stem) > _SHORTEST and stem[-1] == stem[-2] else stem
    if len(word) > _SHORTEST + 1 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > _SHORTEST and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:-1] if len(word) > _SHORTEST + 1 and word.endswith("e") else word
