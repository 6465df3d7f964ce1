"""Turns learned columns into one regular expression that parses a line's header in a single match."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from logs_service.patterns.elements import BRACKET, CLOSED, DASH, LEVEL, LEVEL_INSIDE, NAMED_LEVEL, NUMBER, PROGRAM

if TYPE_CHECKING:
    from logs_service.patterns.timestamps import Shape

_WITH_LEVEL = frozenset(("level", "named level", "level bracket", "timed bracket"))
_CAPTURED = frozenset(("logger", "word", "any"))
_PATTERNS = {
    "bracket": BRACKET,
    "number": NUMBER,
    "dash": DASH,
    "logger": r"[^\s|]+",
    "word": r"[^\s|]+",
    "any": r"(?:[^\s|]+|\|)",
    "closed": CLOSED,
    "field": r"(?P<field>(?:\S+[ \t]+){1,3}?)-(?=\s)",
    "named level": NAMED_LEVEL,
    "level bracket": rf"(?:\[[^\[\]]*?{LEVEL_INSIDE}[^\[\]]*\]:?|{BRACKET})",
}


class Column(NamedTuple):
    """One column of a learned header."""

    kind: str
    shape: Shape | None = None
    optional: bool = False


class Layout(NamedTuple):
    """A learned header: its expression, and which of its groups say what."""

    columns: tuple[Column, ...]
    expression: re.Pattern[str]
    shape: Shape | None
    """How the best of its times is written."""
    has_level: bool
    service: str | None
    """The group that names the program or logger."""
    host: str | None
    """The group that names the machine."""
    has_pid: bool


def compiled(columns: list[Column]) -> Layout:
    """The layout of the given columns."""
    kinds = [column.kind for column in columns]
    ranks = [column.shape.rank if column.shape is not None else -1 for column in columns]
    primary = ranks.index(max(ranks)) if max(ranks) >= 0 else -1
    level = next((index for index, kind in enumerate(kinds) if kind in _WITH_LEVEL), -1)
    parts = [r"[ \t]*"]
    for index, column in enumerate(columns):
        parts.append(_pattern(column, index, primary=index == primary, with_level=index == level))
        loose = index == len(columns) - 1 or column.kind in ("dash", "time", "bracket", "level", "timed bracket")
        parts.append(r"[ \t]*" if loose or "bracket" in column.kind else r"(?:[ \t]+|(?=\|))")
    return Layout(
        columns=tuple(columns),
        expression=re.compile("".join(parts)),
        shape=columns[primary].shape if primary >= 0 else None,
        has_level=level >= 0,
        service=_service_group(kinds),
        host=_host_group(columns),
        has_pid="program" in kinds,
    )


def _pattern(column: Column, index: int, *, primary: bool, with_level: bool) -> str:
    if column.shape is not None:
        inner = column.shape.pattern() if primary else column.shape.bare(f"time{index}_")
        if column.kind == "time":
            return rf"[\[(<]?{inner}[\])>]?[,:;]?"
        level = LEVEL_INSIDE if with_level else r"\b"
        return rf"\[{inner}(?:[^\]]*?{level})?[^\]]*\]"
    if column.kind == "program":
        return f"(?:{PROGRAM})?" if column.optional else PROGRAM
    pattern = LEVEL if column.kind == "level" else _PATTERNS[column.kind]
    if not with_level:
        # A group name may stand once in an expression.
        pattern = pattern.replace("(?P<level>", "(?:")
    return f"(?P<c{index}>{pattern})" if column.kind in _CAPTURED else pattern


def _service_group(kinds: list[str]) -> str | None:
    """The group of `program:`, else of the name before a dash, or of the logger after the level."""
    counts = Counter(kinds)
    if counts["program"] or counts["named level"]:
        return "program"
    if counts["field"]:
        return "field"
    levels = [index for index, kind in enumerate(kinds) if kind in _WITH_LEVEL]
    for index, kind in enumerate(kinds):
        enclosed = kinds[index - 1 : index + 2] == ["dash", kind, "dash"] and bool(levels)
        if kind in ("logger", "any", "word") and (enclosed or (kind == "logger" and levels and index > levels[0])):
            return f"c{index}"
    return None


def _host_group(columns: list[Column]) -> str | None:
    """The word between a syslog time and the program."""
    for index in range(1, len(columns) - 1):
        before = columns[index - 1].shape
        if before is not None and columns[index].kind in _CAPTURED and columns[index + 1].kind == "program":
            return f"c{index}"
    return None
