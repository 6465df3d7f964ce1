"""Which changes of a release are worth a sentence, and whether a sentence says no more than they do. Pure.

A model may reword; it adds no reference, no number, no version and no name, and leaves no change out.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from changelog_service.commits import Entry, Section
from chassis.wording import foreign_words

MAXIMUM_ENTRIES = 12
MAXIMUM_CHARACTERS = 400
_ORDER = (Section.SECURITY, Section.ADDED, Section.CHANGED, Section.FIXED, Section.DEPRECATED, Section.REMOVED)
_INVISIBLE = frozenset(["Cc", "Cf", "Co", "Cs", "Cn"])
_LINK = re.compile(
    r":\s*/\s*/|\bwww\.|\b(?:javascript|data|mailto|vbscript|file|tel):\S|\]\s*\(|!\[|&#|<\s*/?\s*[a-z!]|\w@\w",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"#\s*\d|(?<!\w)!\d|\bGH-\d|\b(?:issue|pull request|PR|MR|ticket|commit)s?\s+(?:no\.?\s*)?\d", re.IGNORECASE
)
_SHA = re.compile(r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\S*://\S*")
_WORD = re.compile(r"[^\W\d_]{3,}")
_NUMBERED = re.compile(r"[\w.,+:/%-]*\d[\w.,+:/%-]*")
_STEM = 4
_EDGES = ".,:;+-/"
_SPELLED = frozenset({
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy",
    "eighty", "ninety", "hundred", "hundreds", "thousand", "thousands", "million", "millions", "billion", "dozen",
    "dozens", "half", "twice", "thrice", "double", "doubled", "doubles", "triple", "tripled", "triples", "tenfold",
    "percent",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as an engine wrote it, with the entries that it is to word."""

    text: str
    entry_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence that passed, and whether the built-in wording took the place of another one."""

    text: str
    entry_keys: tuple[str, ...]
    builtin: bool


@dataclass(frozen=True, slots=True)
class CheckedHighlights:
    """What may be stored: each offered entry in one sentence, in the order of the entries."""

    sentences: tuple[CheckedSentence, ...]
    replaced_count: int


def worth_telling(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The at most twelve most important entries: what breaks first, then security, additions, changes and fixes.

    An entry of which no plain sentence can be made stays in the notes alone.
    """
    tellable = [entry for entry in entries if not refusal(plain_sentence(entry), {entry.key: entry})]
    ranked = sorted(tellable, key=lambda entry: (not entry.breaking, _ORDER.index(entry.section)))
    return tuple(ranked[:MAXIMUM_ENTRIES])


def check_sentences(
    offered: Sequence[Entry], sentences: Iterable[Sentence], builtin_sentences: Iterable[Sentence]
) -> CheckedHighlights:
    """Keep the sentences that the entries bear out; an entry without one is told by the built-in wording."""
    entries = {entry.key: entry for entry in offered}
    kept: dict[str, CheckedSentence] = {}
    replaced = 0
    builtin_sentences = list(builtin_sentences)
    own = {sentence.text for sentence in builtin_sentences}
    for sentence in sentences:
        keys = tuple(dict.fromkeys(sentence.entry_keys))
        refused = refusal(sentence, entries) or (sentence.text not in own and foreign(sentence, entries))
        if refused or any(key in kept for key in keys):
            replaced += 1
            continue
        kept.update(dict.fromkeys(keys, CheckedSentence(clean(sentence.text), keys, builtin=False)))
    alone = {each.entry_keys[0]: each for each in builtin_sentences if len(each.entry_keys) == 1}
    for key, entry in entries.items():
        if key not in kept:
            given = alone.get(key)
            fits = given is not None and not refusal(given, entries)
            sentence = given if given is not None and fits else plain_sentence(entry)
            kept[key] = CheckedSentence(clean(sentence.text), (key,), builtin=True)
    return CheckedHighlights(tuple(dict.fromkeys(kept[entry.key] for entry in offered)), replaced)


def plain_sentence(entry: Entry) -> Sentence:
    """The entry in its own words, without what no sentence may hold."""
    text = re.sub("[<>]", "", _ADDRESS.sub("", clean(entry.text)))
    for reference in sorted(entry.references, key=len, reverse=True):
        text = text.replace(reference, "")
    text = re.sub(r"[(\[]\s*[)\]]", "", text)
    text = clean(text).rstrip(" .,:;")
    end = "."
    if len(text) >= MAXIMUM_CHARACTERS:
        text, end = text[: MAXIMUM_CHARACTERS - 1].rsplit(" ", 1)[0], "…"
    return Sentence(f"{text[:1].upper()}{text[1:]}{end}" if text else "", (entry.key,))


def refusal(sentence: Sentence, entries: Mapping[str, Entry]) -> str:  # noqa: PLR0911 - one per rule
    """Why a sentence cannot be kept, in words for a log line; empty when it can."""
    text = clean(sentence.text)
    if not _WORD.search(text) or len(text) > MAXIMUM_CHARACTERS:
        return f"it has no words, or more than {MAXIMUM_CHARACTERS} characters"
    if not sentence.entry_keys or any(key not in entries for key in sentence.entry_keys):
        return "it words no entry, or one that is not there"
    cited = [entries[key] for key in sentence.entry_keys]
    plain = unicodedata.normalize("NFKC", text)
    if _LINK.search(plain) or _SHA.search(plain):
        return "it holds a link, markup or a hash"
    if _REFERENCE.search(plain) or any(ref in plain for entry in entries.values() for ref in entry.references):
        return "it holds a reference"
    source = unicodedata.normalize("NFKC", " ".join(_text_of(entry) for entry in cited))
    extra = _numbered(plain) - _numbered(source)
    if extra:
        return f"it says {min(extra)!r}, which its entries do not"
    said = _stems(plain)
    if any(not said & stems for entry in cited if (stems := _stems(_text_of(entry)))):
        return "it says nothing of an entry that it is to word"
    return ""


def foreign(sentence: Sentence, entries: Mapping[str, Entry]) -> list[str]:
    """The words that neither the worded entries nor plain release notes have: they may come from another release."""
    cited = [entries[key] for key in sentence.entry_keys]
    return foreign_words(clean(sentence.text), *(f"{entry.section} {_text_of(entry)}" for entry in cited))


def clean(text: str) -> str:
    """The text on one line, without control and invisible characters."""
    visible = (" " if char.isspace() else char for char in text if char.isspace() or _is_visible(char))
    return " ".join("".join(visible).split())


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in _INVISIBLE


def _text_of(entry: Entry) -> str:
    return f"{entry.scope} {entry.text} {entry.breaking_note}"


def _numbered(text: str) -> set[str]:
    """Words with a digit, and numbers that are spelled out."""
    found = {match.strip(_EDGES).lower() for match in _NUMBERED.findall(text)}
    found |= {word for match in _WORD.findall(text) if (word := match.lower()) in _SPELLED}
    found |= {char for char in text if not char.isascii() and unicodedata.numeric(char, None) is not None}
    return found


def _stems(text: str) -> set[str]:
    """The beginnings of its words: "adding" says what "add" says."""
    return {word.lower()[:_STEM] for word in _WORD.findall(text)}
