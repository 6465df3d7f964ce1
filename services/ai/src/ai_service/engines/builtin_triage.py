"""The built-in triage: chooses among any declared options by what they say of themselves, with nothing learned.

Words of the ticket speak for families of concepts (a defect, a wish, a question, an outage, money...), more in the
title than in the body, little in code. An option stands for the families that its key, name and description name, and
for its own words. The same ticket gets the same answer every time.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from ai_service.domain import Choice, Option, Reason, Suspicion, TextField, TicketText, Triage, TriageQuestion
from ai_service.engines.cues import REPEATED, ZONES, Hit, fits, lexicon, matches
from ai_service.engines.ticket_text import Reading, Span, Zone, fold, read_ticket, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_REASONS = 3
_QUOTE_CHARACTERS = 120
_WORD_CHARACTERS = 3
_HEADING_WEIGHT = 1.6
_LABEL_WEIGHT = {TextField.TITLE: 6.0, TextField.MESSAGE: 5.0}
_USUAL = 0.6
"""What the label of a defect is worth: forms begin with it, and people leave it as it is."""
_TRACE_WEIGHT = 1.0
_QUESTION_WEIGHTS = {Zone.TITLE: 3.0, Zone.LEAD: 1.2, Zone.BODY: 0.8, Zone.TAIL: 0.4}
_LAST_QUESTION = 1.8
_AFTERTHOUGHT_CHARACTERS = 80
"""How much may follow the question that a text ends in: thanks, a name."""
_MAX_BODY = 6.0
_DESCRIBED = 0.25
"""What a description adds where the name says already what the option is."""
_MIN_SCORE = 0.25
_STRONG = 3.0
_HINT = 0.3
"""Share of the strongest word's weight below which a word is no reason to show."""
_ALONE = 0.55
"""Most that a single word is worth that does not say outright what the ticket is."""
_SUSPICION_SCORE = 2.9
_PLAIN = 2.0
_TECHNICAL = ("outage", "delivery", "backend", "data", "interface")
_NEARNESS = {Zone.TITLE: 1.0, Zone.LEAD: 0.95, Zone.BODY: 0.8, Zone.TAIL: 0.6}
"""How far the place of a word weakens what it says of urgency."""
_ORDINARY = 1.35
_CALM = 0.0
"""Urgency of what is worth a fix in its turn, and below which there is no hurry."""


@dataclass(slots=True)
class _Score:
    """What speaks for one option."""

    total: float = 0.0
    hits: list[Hit] = field(default_factory=list)

    def add(self, weight: float, hits: Iterable[Hit]) -> None:
        """Count evidence."""
        self.total += weight
        self.hits.extend(hits)


def triage(question: TriageQuestion) -> Triage:
    """The choices for a ticket, each uncertain where nothing speaks for an option."""
    ticket, reading = question.ticket, read_ticket(question.ticket)
    families = {name: _hits(reading, name) for name in lexicon().families if name != "people"}
    suspicion, people = _suspicion(reading, ticket, families)
    families["people"] = [Hit(hit.span, hit.weight * ZONES[hit.span.zone], hit.explanation) for hit in people]
    return Triage(
        category=_choose(question.categories, families, reading, ticket) if question.categories else None,
        priority=_prioritise(question.priorities, reading, ticket) if question.priorities else None,
        team=_choose(question.teams, families, reading, ticket) if question.teams else None,
        people=suspicion,
    )


def _choose(
    options: Sequence[Option], families: Mapping[str, list[Hit]], reading: Reading, ticket: TicketText
) -> Choice:
    scores = {option.key: _Score() for option in options}
    named = _affinities(tuple(options))
    for name, hits in families.items():
        total = _strength(hits)
        for key, affinities in named.items():
            if name in affinities and total > 0:
                share = affinities[name]
                scores[key].add(share * total, (Hit(h.span, share * h.weight, h.explanation) for h in hits))
    for key, hits in _overlaps(options, named, reading, ticket).items():
        scores[key].add(sum(hit.weight for hit in hits), hits)
    for key, hit in _labelled(options, reading, ticket, named):
        scores[key].add(hit.weight, [hit])
    return _decide(scores, ticket)


def _strength(hits: Iterable[Hit]) -> float:
    """How strongly words speak for a family; a long text does not outweigh its title by length."""
    title, rest = 0.0, 0.0
    for hit in hits:
        if hit.span.zone is Zone.TITLE:
            title += hit.weight
        else:
            rest += hit.weight
    return title + (_MAX_BODY * (1 - math.exp(-rest / _MAX_BODY)) if rest > 0 else rest)


def _decide(scores: Mapping[str, _Score], ticket: TicketText) -> Choice:
    ranked = sorted(scores, key=lambda key: -scores[key].total)
    best = scores[ranked[0]]
    reasons = _reasons(best.hits, ticket)
    if best.total < _MIN_SCORE or not reasons:
        return Choice()
    if len(ranked) > 1 and scores[ranked[1]].total >= best.total * 0.97:
        return Choice()
    sure = _confidence([scores[key].total for key in ranked])
    alone = len(reasons) == 1 and best.total < _STRONG
    return Choice(ranked[0], min(sure, _ALONE) if alone else sure, reasons)


def _confidence(totals: Sequence[float]) -> float:
    """The share of the best in what speaks for all, less where little speaks at all."""
    best = totals[0]
    rest = sum(max(0.0, total) for total in totals[1:])
    share = best / (best + rest)
    chance = 1 / (len(totals) + 1)
    sure = chance + (share - chance) * (1 - math.exp(-best / 2.5))
    return round(min(0.95, max(0.05, sure)), 2)


def _reasons(hits: Iterable[Hit], ticket: TicketText) -> tuple[Reason, ...]:
    """The strongest words, each once, as places in the ticket; beside telling ones, hints are not worth a place."""
    reasons: list[Reason] = []
    ranked = sorted(hits, key=lambda hit: (-hit.weight, hit.span.field, hit.span.start))
    for hit in ranked:
        span = hit.span
        start, end = span.start, min(span.end, span.start + _QUOTE_CHARACTERS)
        if hit.weight <= max(0.0, _HINT * ranked[0].weight):
            break
        if any(reason.field is span.field and reason.start < end and start < reason.end for reason in reasons):
            continue
        quote = text_of(Span(span.field, start, end, span.zone), ticket)
        reasons.append(Reason(span.field, start, end, quote, hit.explanation))
        if len(reasons) == MAX_REASONS:
            break
    return tuple(reasons)


# What options are about


@lru_cache(maxsize=64)
def _affinities(options: tuple[Option, ...]) -> dict[str, dict[str, float]]:
    """How much each option stands for each family, by its key and name, less by its description."""
    found: dict[str, dict[str, float]] = {}
    for option in options:
        names, described = fold(_name(option)), _affirmed(option.description)
        shares: dict[str, float] = {}
        for family, meaning in lexicon().families.items():
            patterns = meaning.names
            named = any(fits(word, pattern) for word in names for pattern in patterns)
            count = len({pattern for pattern in patterns for word in described if fits(word, pattern)})
            share = 1.0 if named else min(0.6, 0.3 * count)
            if share:
                shares[family] = share
        if any(share == 1.0 for share in shares.values()):
            shares = {family: share if share == 1.0 else share * _DESCRIBED for family, share in shares.items()}
        found[option.key] = shares
    return found


def _affirmed(description: str) -> list[str]:
    """The words of a description up to where it says what does not belong."""
    return fold(re.split(r"\b(?:but not|rather than|except|excluding|not (?:a|an|for|about))\b", description)[0])


def _overlaps(
    options: Sequence[Option], named: Mapping[str, Mapping[str, float]], reading: Reading, ticket: TicketText
) -> dict[str, list[Hit]]:
    """Words of an option that stand in the ticket, the more the fewer options have them."""
    of_option: dict[str, dict[str, float]] = {}
    for option in options:
        described = 0.4 if 1.0 in named[option.key].values() else 0.9
        texts = ((described, _affirmed(option.description)), (1.2, fold(_name(option))))
        known = ((weight, word) for weight, words in texts for word in words if word not in lexicon().stop_words)
        of_option[option.key] = {_stem(word): weight for weight, word in known if len(word) >= _WORD_CHARACTERS}
    spread: dict[str, int] = defaultdict(int)
    for words in of_option.values():
        for stem in words:
            spread[stem] += 1
    stems = {_stem(word) for word in fold(ticket.service)}
    found: dict[str, list[Hit]] = {key: [] for key in of_option}
    seen: set[str] = set()
    for word in reading.words:
        stem = _stem(word.text)
        if stem in seen or stem not in spread or ZONES[word.zone] < ZONES[Zone.TAIL]:
            continue
        seen.add(stem)
        rare = 1 - (spread[stem] - 1) / max(1, len(options))
        for key, words in of_option.items():
            if stem in words:
                weight = words[stem] * rare * ZONES[word.zone] * (1.5 if stem in stems else 1.0)
                span = Span(word.field, word.start, word.end, word.zone)
                found[key].append(Hit(span, weight, "is a word of the option itself"))
    return found


def _name(option: Option) -> str:
    return f"{option.key} {option.name}".replace("_", " ")


def _stem(word: str) -> str:
    for ending in (
        "ations",
        "ation",
        "ments",
        "ment",
        "ings",
        "ing",
        "ies",
        "ied",
        "ers",
        "es",
        "ed",
        "er",
        "s",
        "y",
        "e",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 4:  # noqa: PLR2004
            return word[: -len(ending)]
    return word


def _labelled(
    options: Sequence[Option], reading: Reading, ticket: TicketText, named: Mapping[str, Mapping[str, float]]
) -> Iterable[tuple[str, Hit]]:
    """Options that the ticket is labelled with by whoever wrote it: "[Bug]", "Question:", a ticked box."""
    for label in reading.labels:
        said = " ".join(fold(text_of(label, ticket)))
        for option in options:
            names = {" ".join(fold(text.replace("_", " "))) for text in (option.key, option.name)}
            families = [family for family, share in named.get(option.key, {}).items() if share == 1.0]
            names.update(known for family in families for known in lexicon().families[family].labels)
            if said in names:
                usual = _USUAL if said in lexicon().families["defect"].labels else 1.0
                yield option.key, Hit(label, _LABEL_WEIGHT[label.field] * usual, "names it")


# What a ticket says


def _hits(reading: Reading, name: str) -> list[Hit]:
    """What speaks for a family: cues, headings of forms, traces, questions."""
    family = lexicon().families[name]
    hits = matches(reading.words, family.cues, family.says)
    headings = [word for word in reading.words if word.zone in {Zone.HEADING, Zone.FORM}]
    filled = matches(headings, family.headings, "is a heading of such a report", flat=_HEADING_WEIGHT)
    hits.extend(_repeated(filled, 0.7))
    if name == "defect":
        hits.extend(_repeated([Hit(span, _TRACE_WEIGHT, "is a trace of a failure") for span in reading.traces]))
    if name == "question":
        hits.extend(_repeated(_questions(reading)))
    return hits


def _questions(reading: Reading) -> list[Hit]:
    """Sentences that ask; a text that ends in a question wants an answer."""
    prose = [word for word in reading.words if word.zone in _QUESTION_WEIGHTS and word.zone is not Zone.TITLE]
    ends = max((word.end for word in prose), default=0)
    hits = []
    for span in reading.questions:
        last = span.zone is not Zone.TITLE and span.end + _AFTERTHOUGHT_CHARACTERS >= ends
        weight = _QUESTION_WEIGHTS[span.zone] * (_LAST_QUESTION if last else 1.0)
        hits.append(Hit(span, weight, "is a question"))
    return sorted(hits, key=lambda hit: -hit.weight)


def _repeated(hits: list[Hit], factor: float = REPEATED) -> list[Hit]:
    """The same kind again counts less each time."""
    return [Hit(hit.span, hit.weight * factor**rank, hit.explanation) for rank, hit in enumerate(hits[:5])]


# Priority and suspicion


def _prioritise(options: Sequence[Option], reading: Reading, ticket: TicketText) -> Choice:
    """The option at the urgency that the words speak of; the worst counts most."""
    levels = _levels(tuple(options))
    hits = matches(reading.words, lexicon().urgency, "speaks of how much it matters")
    hits = [hit for hit in hits if hit.span.zone in _NEARNESS]
    labelled = list(_labelled(options, reading, ticket, {}))
    if labelled:
        key, hit = labelled[0]
        return Choice(key, 0.8, _reasons([hit], ticket))
    if not hits:
        return Choice()
    urgency = _urgency([(hit.weight / ZONES[hit.span.zone], _NEARNESS[hit.span.zone]) for hit in hits])
    ranked = sorted(levels, key=lambda key: abs(levels[key] - urgency))
    mild = levels[ranked[0]] <= _CALM
    speaking = [hit for hit in hits if (hit.weight < ZONES[hit.span.zone]) == mild] or hits
    alike = len({text_of(hit.span, ticket).lower() for hit in speaking})
    contested = len(speaking) < len(hits)
    strongest = max(abs(hit.weight) / ZONES[hit.span.zone] for hit in speaking)
    sure = 0.3 + 0.08 * min(3.0, strongest) + 0.09 * min(3, alike) - 0.1 * contested
    shown = [Hit(hit.span, abs(hit.weight) + 0.01, hit.explanation) for hit in speaking]
    return Choice(ranked[0], round(sure, 2), _reasons(shown, ticket))


def _urgency(cues: Sequence[tuple[float, float]]) -> float:
    """How much it matters: the strongest word counts, more of its kind a little; calming words count against it."""
    up = [level * near for level, near in cues if level > 0]
    down = [level * near for level, near in cues if level < 0]
    raised = max(up, default=0.5) + 0.1 * min(3, len(up)) if up else 0.5
    if raised < _ORDINARY and up:
        raised = 0.8
    lowered = min(down, default=0.0) - (0.1 * min(3, len(down)) if down else 0.0)
    return lowered if down and raised <= _ORDINARY else raised + 0.25 * lowered


@lru_cache(maxsize=64)
def _levels(options: tuple[Option, ...]) -> dict[str, float]:
    """The urgency of each option by its name, else by its place between the most and the least urgent."""
    levels: dict[str, float] = {}
    for rank, option in enumerate(options):
        names = fold(_name(option))
        placed = 3.0 - 4.6 * rank / max(1, len(options) - 1)
        levels[option.key] = next(
            (level for level, marks in lexicon().levels if any(fits(word, mark) for word in names for mark in marks)),
            placed,
        )
    if len(set(levels.values())) < len(levels):
        return {option.key: 3.0 - 4.6 * rank / max(1, len(options) - 1) for rank, option in enumerate(options)}
    return levels


def _suspicion(reading: Reading, ticket: TicketText, families: Mapping[str, list[Hit]]) -> tuple[Suspicion, list[Hit]]:
    """Whether it looks like a matter for hr; words elsewhere in the ticket cannot take that away.

    A word that is also a name of software, such as payroll, does not count in a clause that speaks of a program.
    """
    technical = {
        (hit.span.field, hit.span.clause)
        for name in _TECHNICAL
        for hit in families[name]
        if hit.weight >= _PLAIN * ZONES[hit.span.zone]
    }
    words = [word for word in reading.words if word.zone not in {Zone.CODE, Zone.TRACE}]
    found = matches(words, lexicon().families["people"].cues, "may be a personal matter for hr", flat=1.0)
    hits = [
        hit
        for hit in found
        if hit.weight > _PLAIN or (hit.weight > 0 and (hit.span.field, hit.span.clause) not in technical)
    ]
    total = sum(hit.weight for hit in hits)
    if total < _SUSPICION_SCORE or max(hit.weight for hit in hits) < _PLAIN:
        return Suspicion(), hits
    confidence = round(min(0.95, 0.5 + 0.45 * (1 - math.exp(-(total - _SUSPICION_SCORE) / 4))), 2)
    return Suspicion(suspected=True, confidence=confidence, reasons=_reasons(hits, ticket)), hits
