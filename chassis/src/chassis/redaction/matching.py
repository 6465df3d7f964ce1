"""The small vocabulary of every detector: kinds, spans, rules, and linear-time patterns over bytes.

Detectors read a folded copy of the text with one byte per character (see `view`): a byte offset is a character offset.
All patterns are compiled by RE2, which has no backtracking: no input can make one slow.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol, cast

import re2  # google-re2 ships no stubs; the protocols below are the part in use

TOKEN_MASK = b"\x1a"
"""Stands for each character of a replacement that is already in the text; no detector accepts it inside a value."""

LETTER = b"\xe9"
"""Stands for any letter or digit outside ASCII."""


class Kind(StrEnum):
    """What was found, and the name that the replacement carries."""

    PRIVATE_KEY = "PRIVATE_KEY"
    TOKEN = "TOKEN"  # noqa: S105 - the name of a kind, not a secret
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a kind, not a secret
    CARD = "CARD"
    IBAN = "IBAN"
    SSN = "SSN"
    URL = "URL"
    EMAIL = "EMAIL"
    IP = "IP"
    HOST = "HOST"
    PHONE = "PHONE"
    USER = "USER"
    REDACTED = "REDACTED"


JOINABLE = frozenset({Kind.URL, Kind.EMAIL, Kind.IP, Kind.HOST, Kind.PHONE, Kind.USER})
"""Kinds whose replacement may carry a keyed suffix, so that two lines about one person still join."""


class Span(NamedTuple):
    """One detected value: offsets in the folded text, and what it is."""

    start: int
    end: int
    kind: Kind


class Rule(NamedTuple):
    """A detector and the cheap pattern without which it cannot find anything."""

    trigger: bytes
    find: Callable[[bytes], Iterator[Span]]


class Match(Protocol):
    """The part of a match object that detectors use."""

    def start(self, group: int = 0) -> int:
        """Return where the group begins, -1 when it took no part."""

    def end(self, group: int = 0) -> int:
        """Return where the group ends."""

    def __getitem__(self, group: int) -> bytes:
        """Return the bytes of the group."""


class Pattern(Protocol):
    """The part of a compiled pattern that detectors use."""

    groups: int

    def finditer(self, text: bytes) -> Iterator[Match]:
        """Yield matches from left to right, none overlapping."""

    def match(self, text: bytes, pos: int = 0) -> Match | None:
        """Return the match that begins exactly at pos."""

    def search(self, text: bytes, pos: int = 0, endpos: int | None = None) -> Match | None:
        """Return the first match at or after pos."""

    def fullmatch(self, text: bytes) -> Match | None:
        """Return the match of the whole text."""


class TriggerSet(Protocol):
    """Many patterns answered in one pass."""

    def Add(self, pattern: bytes) -> int:  # noqa: N802 - the name in RE2
        """Add a pattern and return its index."""

    def Compile(self) -> None:  # noqa: N802 - the name in RE2
        """Freeze the set."""

    def Match(self, text: bytes) -> list[int]:  # noqa: N802 - the name in RE2
        """Return the indices of all patterns that occur in the text."""


def pattern(expression: bytes) -> Pattern:
    """Compile a byte pattern for linear-time matching."""
    return cast("Pattern", re2.compile(expression, _options()))


class Triggers:
    """Tells which of many patterns occur in a text, in one pass for each group of them.

    Groups keep the automata small: on random text the states of patterns in one automaton multiply.
    """

    def __init__(self, groups: Sequence[Sequence[bytes]]) -> None:
        """Compile the groups; indices run through them in order."""
        self._groups = [_compiled(group) for group in groups]

    def fired(self, raw: bytes) -> list[int]:
        """Return the indices of the patterns that occur.

        Raises: RuntimeError when an automaton gave up, which it does without a word when its memory is short.
        """
        fired: list[int] = []
        first = 0
        for patterns, always in self._groups:
            found = patterns.Match(raw)
            if always not in found:
                raise RuntimeError("an automaton gave no answer")
            fired += [first + index for index in found if index != always]
            first += always
        return fired


def _compiled(group: Sequence[bytes]) -> tuple[TriggerSet, int]:
    """Compile one group, with a pattern at its end that always occurs."""
    patterns = cast("TriggerSet", re2.Set.SearchSet(_options()))
    for expression in group:
        patterns.Add(expression)
    always = patterns.Add(b"")
    patterns.Compile()
    return patterns, always


def _options() -> object:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 64 << 20
    options.log_errors = False
    return options


def group_spans(match: Match, groups: tuple[int, ...], kind: Kind) -> Iterator[Span]:
    """Yield the groups that took part in a match and are not empty."""
    for group in groups:
        if match.end(group) > match.start(group) >= 0:
            yield Span(match.start(group), match.end(group), kind)


_WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" + LETTER)
_DIGIT = frozenset(b"0123456789")


def is_word(raw: bytes, at: int) -> bool:
    """Tell whether a letter, digit or underscore stands at this offset (outside the text: no)."""
    return 0 <= at < len(raw) and raw[at] in _WORD


def is_digit(raw: bytes, at: int) -> bool:
    """Tell whether an ASCII digit stands at this offset (outside the text: no)."""
    return 0 <= at < len(raw) and raw[at] in _DIGIT
