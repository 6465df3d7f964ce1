"""The check between an answer and the store: a sentence says what its cited entries say, or it is replaced."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from chassis.wording import foreign_words
from logs_service.evidence.failure import reports_failure
from logs_service.evidence.grounding import Source
from logs_service.evidence.model import CheckedSentence, CheckedSummary, Entry, EntryKind, Evidence, Sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_SENTENCES = 20
MAX_CHARACTERS = 1000
_MAX_ENTRIES_COVERED = 4
_URL = re.compile(
    r":\s*/\s*/|\bwww\.|\b(?:javascript|data|mailto|vbscript|file|tel):\S|\]\(|!\[|&#"
    r"|<\s*/?\s*(?:a|img|script|iframe|svg|link|style|form|object|embed|base|meta)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_INVISIBLE = frozenset(["Cc", "Cf", "Co", "Cs", "Cn"])


def check_sentences(
    evidence: Evidence, sentences: Sequence[Sentence], builtin_sentences: Sequence[Sentence]
) -> CheckedSummary:
    """Keep the sentences that the evidence proves, put the built-in ones in place of the rest.

    Refused is a sentence without text or citation, with an unknown entry, with a record that its entries did not offer,
    with a link, with a number, time, date or name with a digit that its entries do not hold, or with nothing of its
    entries at all. An answer's is refused, too, for a word that neither its entries nor plain reports have: it may come
    from another log. Failures that no kept sentence tells are added from the built-in sentences. Those pass the same
    check.
    """
    entries = {entry.key: entry for entry in evidence.entries}
    own = {candidate.text for candidate in builtin_sentences}
    builtin: dict[str, CheckedSentence] = {}
    for candidate in builtin_sentences:
        proven = _proven(candidate, entries, "builtin", own)
        if proven is not None:
            for key in proven.entry_keys:
                builtin.setdefault(key, proven)
    kept: list[CheckedSentence] = []
    replaced = 0
    for position, sentence in enumerate(sentences):
        proven = _proven(sentence, entries, "answer", own) if position < MAX_SENTENCES else None
        if proven is not None:
            _add(proven, kept)
            continue
        replaced += 1
        for key in sentence.entry_keys:
            if key in builtin and position < MAX_SENTENCES:
                _add(builtin[key], kept)
    for entry in evidence.entries:
        if entry.key in builtin and _must_be_told(entry) and not any(_tells(sentence, entry) for sentence in kept):
            _add(builtin[entry.key], kept)
    return CheckedSummary(tuple(kept), replaced)


def refusal(evidence: Evidence, sentence: Sentence, *, builtin: bool = False) -> str:
    """Why a sentence of an answer, or a built-in one, cannot be kept, in words for a log line; empty when it can."""
    text, entries = clean(sentence.text), {entry.key: entry for entry in evidence.entries}
    return _refusal(sentence, text, entries) or ("" if builtin else _foreign(sentence, text, entries))


def clean(text: str) -> str:
    """The text on one line, without control and invisible characters."""
    visible = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in _INVISIBLE
    )
    return " ".join(visible.split())


def _proven(
    sentence: Sentence, entries: Mapping[str, Entry], source: Literal["answer", "builtin"], own: set[str]
) -> CheckedSentence | None:
    text = clean(sentence.text)
    if _refusal(sentence, text, entries) or (sentence.text not in own and _foreign(sentence, text, entries)):
        return None
    return CheckedSentence(
        text, tuple(dict.fromkeys(sentence.entry_keys)), tuple(dict.fromkeys(sentence.record_ids)), source
    )


def _refusal(sentence: Sentence, text: str, entries: Mapping[str, Entry]) -> str:  # noqa: PLR0911 - one per rule
    if not text or not any(char.isalpha() for char in text):
        return "it has no text"
    if len(text) > MAX_CHARACTERS:
        return f"it is longer than {MAX_CHARACTERS} characters"
    if not sentence.entry_keys or not sentence.record_ids:
        return "it cites nothing"
    if any(key not in entries for key in sentence.entry_keys):
        return "it cites an entry that is not there"
    cited = [entries[key] for key in sentence.entry_keys]
    offered = {record.record_id for entry in cited for record in entry.exemplars}
    if any(record_id not in offered for record_id in sentence.record_ids):
        return "it cites a record that its entries do not offer"
    if _URL.search(unicodedata.normalize("NFKC", text)):
        return "it holds a link"
    missing = _source(cited).lacks(text)
    if missing:
        return f"it says {missing!r}, which its entries do not"
    told = any(char.isdigit() for char in text) or any(_has_word_of(entry, text) for entry in cited)
    return "" if told else "it says nothing of its entries"


def _foreign(sentence: Sentence, text: str, entries: Mapping[str, Entry]) -> str:
    cited = [entries[key] for key in sentence.entry_keys]
    texts = [text for entry in cited for text in (entry.template, *(record.body for record in entry.exemplars))]
    facts = [word for entry in cited for fact in entry.facts for word in (fact.name, fact.value)]
    foreign = foreign_words(text, *texts, *facts)
    return f"it says {foreign[0]!r}, which its entries do not" if foreign else ""


def _source(entries: Iterable[Entry]) -> Source:
    source = Source()
    for entry in entries:
        source.add_text(entry.template)
        source.numbers.add((str(entry.count), ""))
        for fact in entry.facts:
            source.add_fact(fact.name, fact.value)
        for record in entry.exemplars:
            source.add_text(record.body)
        moments = (entry.first_time, entry.last_time, entry.onset_time, *(record.time for record in entry.exemplars))
        for moment in moments:
            if moment is not None:
                source.add_time(moment)
    return source


def _must_be_told(entry: Entry) -> bool:
    if entry.kind is EntryKind.ERROR:
        return True
    bodies = [record.body for record in entry.exemplars]
    return entry.kind is EntryKind.BURST and reports_failure(entry.severity_number, entry.template, bodies)


def _tells(sentence: CheckedSentence, entry: Entry) -> bool:
    """True when a sentence cites the entry and has a word of it, so that a soothing phrase cannot hide a failure."""
    if entry.key not in sentence.entry_keys or len(sentence.entry_keys) > _MAX_ENTRIES_COVERED:
        return False
    return sentence.source == "builtin" or _has_word_of(entry, sentence.text)


def _has_word_of(entry: Entry, text: str) -> bool:
    """True when the text has a word that all records of the entry share: values can be put there by anybody.

    An entry on no pattern has no words, only numbers.
    """
    if not entry.template:
        return False
    said = {word.lower() for word in _WORD.findall(text)}
    shared = {word.lower() for word in _WORD.findall(entry.template.replace("<*>", " "))}
    offered = shared or {word.lower() for record in entry.exemplars for word in _WORD.findall(record.body)}
    return bool(offered & said) or not offered


def _add(sentence: CheckedSentence, kept: list[CheckedSentence]) -> None:
    """Add a sentence; one that was said already gets the further citations instead."""
    for position, other in enumerate(kept):
        if other.text == sentence.text:
            keys = dict.fromkeys((*other.entry_keys, *sentence.entry_keys))
            ids = dict.fromkeys((*other.record_ids, *sentence.record_ids))
            kept[position] = replace(other, entry_keys=tuple(keys), record_ids=tuple(ids))
            return
    kept.append(sentence)
