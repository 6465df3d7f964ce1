"""Tells values that a machine made from words, and reads base64."""

import base64
import binascii
import math
from collections import Counter
from collections.abc import Iterator

from chassis.redaction.matching import pattern

_ADDRESS = pattern(rb"0x[0-9A-Fa-f]{1,16}")
_HAS_DIGIT = pattern(rb"[0-9]")
_OPAQUE_SHAPE = pattern(rb"[A-Za-z0-9+/_.~=:%!@#$^*|-]+")
_OPAQUE_BITS_PER_CHARACTER = 2.5
_OPAQUE_MIN = 6
LONG = 16
_BASE64_RUN = pattern(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_BASE64_MIN = 16
BASE64_TRIGGER = rb"(?:[I-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589+_-][A-Za-z0-9+/_-]){4}"
"""Base64 of printable ASCII: no byte has its top bit set, so each place of a quartet has only some of the alphabet."""


def is_opaque(value: bytes) -> bool:
    """Tell whether a value looks made by a machine: long or with digits, and varied."""
    if len(value) < _OPAQUE_MIN or _ADDRESS.fullmatch(value) or not _OPAQUE_SHAPE.fullmatch(value):
        return False
    if value.startswith(b"/") or b"://" in value:
        return False
    digits = _HAS_DIGIT.search(value) is not None
    long = len(value) >= LONG and not value.islower()
    return (digits or long) and entropy(value) >= min(_OPAQUE_BITS_PER_CHARACTER, math.log2(len(value)) - 1)


def is_mixed(value: bytes) -> bool:
    """Tell whether a value mixes both cases and digits in the even way of random base64."""
    kinds = (value.upper() != value, value.lower() != value, _HAS_DIGIT.search(value) is not None)
    return all(kinds) and entropy(value) >= 4.0  # noqa: PLR2004 - hexadecimal text cannot exceed 4 bits


def entropy(value: bytes) -> float:
    """Return the bits of information in each character, by how often each occurs."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def base64_runs(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the runs of a text that are base64 of readable text, with that text."""
    for match in _BASE64_RUN.finditer(raw):
        start = match.start()
        for piece in (match[0], *_pieces(match[0])):
            decoded = decode_base64(piece)
            if decoded is not None:
                at = raw.find(piece, start)
                yield at, at + len(piece), decoded
                break


def _pieces(run: bytes) -> list[bytes]:
    """A path may be glued to the encoded value by slashes, which base64 uses too."""
    return [piece for piece in run.split(b"/") if len(piece) >= _BASE64_MIN] if b"/" in run else []


def decode_base64(run: bytes) -> bytes | None:
    """Return the readable ASCII text that a run encodes, None if it encodes none."""
    plain = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if not _is_readable(plain[:16]):
        return None
    plain = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
    try:
        decoded = base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except binascii.Error:
        return None
    return decoded if _all_readable(decoded) else None


def _is_readable(start: bytes) -> bool:
    start = start[: len(start) // 4 * 4]
    try:
        return len(start) > 0 and _all_readable(binascii.a2b_base64(start))
    except binascii.Error:
        return False


def _all_readable(decoded: bytes) -> bool:
    return not decoded.translate(None, b"\t\n\r" + bytes(range(0x20, 0x7F)))
