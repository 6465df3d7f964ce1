"""The folded copy of a text that detectors read, and the way back to the offsets of the original.

Folding undoes what hides a value from a pattern: compatibility forms (full-width digits), zero-width characters, colour
escapes, percent-encoding. The text itself is never changed here.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from chassis.redaction.matching import LETTER, TOKEN_MASK, pattern

_TOKENS = pattern(
    rb"<(?:EMAIL|IP|HOST|USER|PHONE|URL)(?::[0-9a-f]{8})?>|<(?:TOKEN|PASSWORD|PRIVATE_KEY|CARD|IBAN|SSN|REDACTED)>"
)
_DROPPED = pattern(rb"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0e-\x1f\x7f]+")
_PERCENT = pattern(rb"(?:%[0-9A-Fa-f]{2})+")
_HIDDEN_CATEGORIES = frozenset({"Cf", "Mn", "Me"})
_HIDDEN_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
_ASCII_LIMIT = 0x80


class View(NamedTuple):
    """A folded text: characters, the same as one byte each, and the original offset of each (None: unchanged)."""

    text: str
    raw: bytes
    offsets: Sequence[int] | None
    ends: Sequence[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Translate a span of this view to a span of the original text."""
        if self.offsets is None or self.ends is None:
            return start, end
        return self.offsets[start], self.ends[end - 1]


def fold(text: str) -> View:
    """Return the view of a text with hiding characters gone and existing replacements masked."""
    view = View(text, text.encode("ascii"), None, None) if text.isascii() else _fold_unicode(text)
    if not text.isprintable() and _DROPPED.search(view.raw):
        view = _without_escapes(view)
    if b"<" in view.raw:
        view = view._replace(raw=_mask_tokens(view.raw))
    return view


def decode_percent(view: View) -> View:
    """Return the view with one layer of percent-encoding undone."""
    text: list[str] = []
    raw: list[bytes] = []
    offsets: list[int] = []
    ends: list[int] = []
    at = 0

    def keep(start: int, end: int) -> None:
        text.append(view.text[start:end])
        raw.append(view.raw[start:end])
        for i in range(start, end):
            first, last = view.original(i, i + 1)
            offsets.append(first)
            ends.append(last)

    for match in _PERCENT.finditer(view.raw):
        keep(at, match.start())
        at = match.end()
        for i in range(match.start(), at, 3):
            code = int(view.raw[i + 1 : i + 3], 16)
            text.append(chr(code) if code < _ASCII_LIMIT else "\xe9")
            raw.append(bytes([code]) if code < _ASCII_LIMIT else LETTER)
            first, last = view.original(i, i + 3)
            offsets.append(first)
            ends.append(last)
    keep(at, len(view.raw))
    return View("".join(text), b"".join(raw), offsets, ends)


def is_replaced(text: str) -> bool:
    """Tell whether a text is one replacement and nothing else."""
    return text.isascii() and _TOKENS.fullmatch(text.encode("ascii")) is not None


def _fold_unicode(text: str) -> View:
    chars: list[str] = []
    raw = bytearray()
    offsets: list[int] = []
    known: dict[str, tuple[str, bytes]] = {}
    for i, char in enumerate(text):
        folded, encoded = known.get(char) or known.setdefault(char, _fold_char(char))
        chars.append(folded)
        raw += encoded
        offsets += [i] * len(encoded)
    return View("".join(chars), bytes(raw), offsets, [i + 1 for i in offsets])


def _fold_char(char: str) -> tuple[str, bytes]:
    """Return what a character folds to, as text and as one byte for each character of that text."""
    if char < "\x80":
        return char, char.encode("ascii")
    if unicodedata.category(char) in _HIDDEN_CATEGORIES or char in _HIDDEN_FILLERS:
        return "", b""
    folded = "".join(_plain_digit(c) for c in unicodedata.normalize("NFKC", char))
    return folded, b"".join(_one_byte(c) for c in folded)


def _plain_digit(char: str) -> str:
    value = unicodedata.decimal(char, -1)
    return char if value < 0 else str(value)


def _one_byte(char: str) -> bytes:
    if char < "\x80":
        return char.encode("ascii")
    if char.isspace():
        return b" "
    return LETTER if char.isalnum() else b"\x80"


def _without_escapes(view: View) -> View:
    text: list[str] = []
    raw: list[bytes] = []
    kept: list[int] = []
    at = 0
    for start, end in [*((m.start(), m.end()) for m in _DROPPED.finditer(view.raw)), (len(view.raw), len(view.raw))]:
        text.append(view.text[at:start])
        raw.append(view.raw[at:start])
        kept.extend(range(at, start))
        at = end
    spans = [view.original(i, i + 1) for i in kept]
    return View("".join(text), b"".join(raw), [s for s, _ in spans], [e for _, e in spans])


def _mask_tokens(raw: bytes) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for match in _TOKENS.finditer(raw):
        pieces += (raw[at : match.start()], TOKEN_MASK * (match.end() - match.start()))
        at = match.end()
    return raw if not pieces else b"".join((*pieces, raw[at:]))
