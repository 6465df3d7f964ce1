# ruff: noqa: PLR2004 - small counts of words, each said where it is used
"""Finds which masked messages are one pattern: those that differ only where a word is a value.

Messages are compared word by word, so two of them are candidates when they have the same number of words and differ
in one. Whether that word is a value or a part of the message is decided by the words that were seen there: how many,
of what form, and what stands before them (`user alice`, `hive: SYSTEM`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from logs_service.patterns.masking import WILDCARD

if TYPE_CHECKING:
    from collections.abc import Sequence

Tokens = tuple[str, ...]
Candidate = tuple[list[Tokens], tuple[int, ...]]
"""Forms that may be one pattern, and the positions where they differ."""

MIN_CONTEXT_WORDS = 2
"""Words that must stay literal: a pattern of wildcards alone says nothing."""
_WIDE_FORMS, _WIDE_SHARE = 8, 0.6
"""How many messages, and what share of different words among them, show that several words are values at once."""
_LETTERS = re.compile(r"[^\W\d_]+")
_NUMBERS = re.compile(r"\d+(?:<\*>)?")
_NAMES = frozenset((
    "owner", "host", "hostname", "client", "peer", "named", "called", "file", "device", "driver", "program", "process",
    "service", "package", "module", "interface", "queue", "topic", "table", "key", "tag", "thread", "job", "task",
    "node", "server", "container", "pod", "image", "class", "domain", "group", "name", "id", "uid", "database",
    "schema", "bucket", "volume", "session", "instance", "address", "url", "path", "directory", "port", "method",
    "function", "command", "cmd",
))  # fmt: skip
"""Nouns that announce a name: a few different words after one of them are values."""
_PEOPLE = frozenset(["user", "users", "username", "login", "account", "logname"])
_PREPOSITIONS = frozenset(["for", "from", "by", "to", "of", "in", "on", "at", "with", "via", "as", "is", "was"])
_AFTER_USER, _AFTER_NAME, _AFTER_PREPOSITION, _INSIDE, _FIRST = 2, 3, 4, 5, 12


def context_words(tokens: Sequence[str]) -> int:
    """How many literal words a template has."""
    return sum(1 for token in tokens if _has_word(token))


@lru_cache(maxsize=65536)
def _has_word(token: str) -> bool:
    return any(len(word) > 1 for word in _LETTERS.findall(token.replace(WILDCARD, "\0")))


@lru_cache(maxsize=65536)
def _is_value(token: str) -> bool:
    """Whether a token is a value by its form: a wildcard with at most pieces of two letters around it."""
    return WILDCARD in token and all(len(word) <= 2 for word in _LETTERS.findall(token))


@lru_cache(maxsize=65536)
def _is_name(token: str) -> bool:
    """Whether a token is a compound name, such as a class, a file or an id with words in it."""
    inner = token.strip(".,:;()[]{}<>\"'!?")
    return WILDCARD in token or inner.count(".") >= 1 or inner.count("_") >= 2 or "$" in inner or inner.count("-") >= 2


@lru_cache(maxsize=65536)
def without_digits(token: str) -> str:
    """A token as it is when every number in it is a value."""
    return _NUMBERS.sub(WILDCARD, token)


@lru_cache(maxsize=65536)
def _long_words(token: str) -> tuple[str, ...]:
    """The words of a token with a wildcard in it, without its letters and short pieces; the token if it has none."""
    words = tuple(word for word in _LETTERS.findall(token) if len(word) > 2)
    return words if WILDCARD in token and words else (token,)


def merged_token(values: Sequence[str]) -> str:
    """One token that covers all of the values: what they share at their ends, cut at punctuation."""
    first = min(values)
    if all(value == first for value in values):
        return first
    if len({without_digits(value) for value in values}) == 1:
        return without_digits(first)
    prefix, suffix = _common_prefix(values), _common_prefix([value[::-1] for value in values])[::-1]
    shortest = min(len(value) for value in values)
    if len(prefix) + len(suffix) > shortest:
        suffix = suffix[len(prefix) + len(suffix) - shortest :]
    # Ids of one family keep their common name; other words give way whole.
    joints = "<*>" if len({_long_words(value) for value in values}) == 1 else "<*>_-"
    while prefix and (prefix[-1].isalnum() or prefix[-1] in joints):
        prefix = prefix[:-1]
    while suffix and (suffix[0].isalnum() or suffix[0] in joints):
        suffix = suffix[1:]
    return _without_doubles(f"{prefix}{WILDCARD}{suffix}")


def _common_prefix(values: Sequence[str]) -> str:
    low, high = min(values), max(values)
    size = 0
    while size < len(low) and low[size] == high[size]:
        size += 1
    # A wildcard is never cut in two.
    start = low.rfind("<*", 0, size)
    if start >= 0 and size < start + 3:
        size = start
    return low[:size]


def _without_doubles(token: str) -> str:
    while WILDCARD + WILDCARD in token:
        token = token.replace(WILDCARD + WILDCARD, WILDCARD)
    return token


def find_groups(items: Sequence[Tokens]) -> list[tuple[list[int], Tokens]]:
    """Sets of items that are one pattern, each with the template that covers them; items not named stay alone."""
    groups: dict[Tokens, list[int]] = defaultdict(list)
    for indexes in _differing_in_digits(items):
        groups[_template([items[index] for index in indexes])].extend(indexes)
    for _ in range(4):
        merges = _one_round(list(groups))
        if not merges:
            break
        for members, template in merges:
            indexes = [index for member in members for index in groups.pop(member)]
            groups[template].extend(indexes)
    return [
        (sorted(indexes), template)
        for template, indexes in groups.items()
        if len(indexes) > 1 or items[indexes[0]] != template
    ]


def _template(forms: Sequence[Tokens]) -> Tokens:
    return tuple(merged_token(column) for column in zip(*forms, strict=True))


def _differing_in_digits(items: Sequence[Tokens]) -> list[list[int]]:
    """Every item, together with those that are equal but for digits and wildcards in their words."""
    alike: dict[Tokens, list[int]] = defaultdict(list)
    for index, tokens in enumerate(items):
        alike[tuple(without_digits(token) for token in tokens)].append(index)
    return list(alike.values())


def _one_round(forms: list[Tokens]) -> list[tuple[list[Tokens], Tokens]]:
    candidates = _differing_in_one(forms) + _differing_in_names(forms) + _differing_widely(forms)
    candidates.sort(key=lambda candidate: (-len(candidate[0]), candidate[1], candidate[0][0]))
    taken: set[Tokens] = set()
    merges: list[tuple[list[Tokens], Tokens]] = []
    for members, positions in candidates:
        free = [form for form in members if form not in taken]
        if len(free) < len(members) and not _still_one(free, positions):
            continue
        template = _template(free)
        if context_words(template) >= MIN_CONTEXT_WORDS:
            taken.update(free)
            merges.append((free, template))
    return merges


def _still_one(free: list[Tokens], positions: tuple[int, ...]) -> bool:
    """Whether a set that lost members to a larger one is still one pattern."""
    if len(free) < 2:
        return False
    if len(positions) == 1:
        return _varies(free, positions[0])
    return len(free) >= _WIDE_FORMS or all(_varies(free, position) for position in positions)


def _differing_in_one(forms: list[Tokens]) -> list[Candidate]:
    """Sets of forms that differ in one word, where that word varies like a value."""
    buckets: dict[tuple[int, str], list[Tokens]] = defaultdict(list)
    for form in forms:
        text = " ".join(form)
        start = 0
        for position, token in enumerate(form):
            end = start + len(token)
            buckets[position, f"{text[:start]}\0{text[end:]}"].append(form)
            start = end + 1
    return [
        (members, (position,))
        for (position, _), members in buckets.items()
        if len(members) > 1 and _varies(members, position)
    ]


def _differing_in_names(forms: list[Tokens]) -> list[Candidate]:
    """Sets of forms that differ in several words at once, all of them compound names."""
    skeletons: dict[Tokens, list[Tokens]] = defaultdict(list)
    for form in forms:
        skeleton = tuple("\0" if _is_name(word) else word for word in form)
        if "\0" in skeleton:
            skeletons[skeleton].append(form)
    found: list[Candidate] = []
    for skeleton, members in skeletons.items():
        if len(members) >= 3 and context_words(skeleton) >= MIN_CONTEXT_WORDS:
            counts = {i: len({form[i] for form in members}) for i, word in enumerate(skeleton) if word == "\0"}
            varying = tuple(i for i, count in counts.items() if count >= 3)
            announced = all(i > 0 and _bare(skeleton[i - 1]) in _NAMES for i in varying)
            fixed = all(counts[i] == 1 for i in counts if i not in varying)
            if len(varying) > 1 and fixed and (announced or len(members) >= _WIDE_FORMS):
                found.append((members, varying))
    return found


def _differing_widely(forms: list[Tokens]) -> list[Candidate]:
    """Sets of forms in which each word is either the same in all or different in most."""
    by_length: dict[int, list[Tokens]] = defaultdict(list)
    for form in forms:
        by_length[len(form)].append(form)
    found: list[Candidate] = []
    open_sets = list(by_length.values())
    while open_sets:
        members = open_sets.pop()
        if len(members) < _WIDE_FORMS:
            continue
        counts = [len(set(column)) for column in zip(*members, strict=True)]
        wide = tuple(i for i, count in enumerate(counts) if count >= _WIDE_SHARE * len(members))
        narrow = [(count, i) for i, count in enumerate(counts) if count > 1 and i not in wide]
        if narrow:
            _, position = min(narrow)
            parts: dict[str, list[Tokens]] = defaultdict(list)
            for form in members:
                parts[form[position]].append(form)
            open_sets.extend(parts.values())
        elif context_words([members[0][i] for i in range(len(counts)) if i not in wide]) > len(wide) > 1:
            # Words in capitals are mostly states, of which there are few.
            states = any(all(form[i].isupper() for form in members) for i in wide)
            if not states or len(members) >= 4 * _WIDE_FORMS:
                found.append((members, wide))
    return found


def _varies(forms: Sequence[Tokens], position: int) -> bool:
    """Whether the words seen at a position are values and not parts of different messages."""
    values = {form[position] for form in forms}
    if len(values) < 2:
        return False
    context = [token for i, token in enumerate(forms[0]) if i != position]
    if context_words(context) < MIN_CONTEXT_WORDS:
        return False
    if any(_is_value(value) for value in values) or len({_long_words(value) for value in values}) == 1:
        return True
    return len(values) >= _needed(forms[0], position, values)


def _bare(word: str) -> str:
    return word.strip("([{\"'").rstrip(":").lower()


def _needed(form: Tokens, position: int, values: set[str]) -> int:
    before = form[position - 1] if position else ""
    word = _bare(before)
    after = form[position + 1] if position + 1 < len(form) else ""
    if word in _PEOPLE or (word in ("for", "by") and after in ("from", "on", "at", "via")):
        return _AFTER_USER
    if word in _NAMES:
        return _AFTER_NAME
    names = all(_is_name(value) for value in values)
    if before.endswith((":", "=")):
        return _AFTER_NAME
    if word in _PREPOSITIONS or names:
        return _AFTER_PREPOSITION
    return _INSIDE if position else _FIRST
