"""Learns the columns that stand before the message from the lines themselves.

A line's head is read as a row of elements (time, level, number, bracket, program, word). Over a sample, a column
belongs to the header where nearly all lines agree on its kind and a column of a strong kind (a time, a level, a
bracket, `program:`, a separator) closes the row. No format is named anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from logs_service.patterns.severity import LEVEL_LETTERS, LEVEL_WORDS
from logs_service.patterns.timestamps import BY_NAME, Shape, shape_at

_MAX_ELEMENTS = 14
_AGREE = 0.9
_LOOSE = 0.6

_BRACKET = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\]){0,300}\]:?|<[^<>\s]{1,40}>:?")
_LEVEL = re.compile(r"[\[(<]?([A-Za-z]{1,13})\s?[\])>]?[:,]?(?=[\s|]|$)")
_NUMBER = re.compile(r"#?\d+(?:[#.]\d+)*:?(?=[\s|]|$)")
_DASH = re.compile(r"(?:-{1,3}|\||::?|–|>)(?=\s|$)|\|")
_PROGRAM = re.compile(
    r"[A-Za-z_./(-][^\s:\[\]|=\"']*(?:::?[A-Za-z_$][^\s:\[\]|=\"']*)*(?:\[[\w.-]*\])?(?: \([^()\s]*\))?\s*:(?=\s|$)"
)
_LOGGER = re.compile(r"[A-Za-z_$][\w$]*(?:[./:-]+[\w$<>]+)+(?=[\s|]|$)")
_WORD = re.compile(r"[^\s|]+")

_STRONG = {"time", "level", "bracket", "dash", "program"}
_PATTERNS = {
    "bracket": r"(?:\[(?:[^\[\]]|\[[^\[\]]*\]){0,300}\]:?|<[^<>\s]{1,40}>:?)",
    "number": r"#?\d+(?:[#.]\d+)*:?",
    "dash": r"(?:-{1,3}|\||::?|–|>)",
    "logger": r"[^\s|]+",
    "word": r"[^\s|]+",
    "any": r"[^\s|]+",
    "field": r"(?:\S+[ \t]+){1,3}?-(?=\s)",
}


class Element(NamedTuple):
    """One piece of a line's head."""

    kind: str
    text: str
    start: int
    end: int
    shape: Shape | None = None


class Column(NamedTuple):
    """One column of a learned header."""

    kind: str
    shape: Shape | None = None
    optional: bool = False
    tight: bool = False
    """True when no blank stands between this column and the one before."""


class Layout(NamedTuple):
    """A learned header: its expression, and what its columns say."""

    columns: tuple[Column, ...]
    expression: re.Pattern[str]
    shape: Shape | None
    has_level: bool
    service: str | None
    """The group that names the program or logger, where a column does."""


def elements(line: str) -> list[Element]:
    """The first pieces of a line, read from the left."""
    found: list[Element] = []
    position, size = 0, min(len(line), 400)
    while position < size and len(found) < _MAX_ELEMENTS:
        if line[position] in " \t":
            position += 1
            continue
        element = _element_at(line, position)
        found.append(element)
        position = element.end
    return found


def _element_at(line: str, position: int) -> Element:
    opened = line[position] in "[(<"
    timed = shape_at(line, position + opened)
    if timed is not None:
        end = timed[1]
        closed = opened and line[end : end + 1] in ("]", ")", ">")
        if closed or not opened:
            end += closed
            end += line[end : end + 1] in (",", ":", ";")
            if end >= len(line) or line[end] in " \t|[" or closed:
                return Element("time", line[position:end], position, end, timed[0])
    level = _LEVEL.match(line, position)
    if level is not None and (level.group(1).lower() in LEVEL_WORDS or level.group(1) in LEVEL_LETTERS):
        return Element("level", level.group(0), position, level.end())
    for kind, expression in (("bracket", _BRACKET), ("dash", _DASH), ("number", _NUMBER), ("program", _PROGRAM),
                             ("logger", _LOGGER), ("word", _WORD)):  # fmt: skip
        match = expression.match(line, position)
        if match is not None:
            return Element(kind, match.group(0), position, match.end())
    return Element("word", line[position], position, position + 1)


def learn_layout(lines: Sequence[str]) -> Layout | None:
    """The header that most of the lines share, or None when they have none."""
    rows = [elements(line) for line in lines]
    rows = [row for row in rows if row]
    if not rows:
        return None
    anchored = _time_columns(rows)
    if anchored is None:
        return _level_layout(rows)
    alive, columns = anchored
    columns += _columns_after(alive, len(columns))
    return _compiled(columns)


def _time_columns(rows: list[list[Element]]) -> tuple[list[list[Element]], list[Column]] | None:
    """The columns up to the last time that nearly all lines agree on."""
    firsts = Counter(first for row in rows if (first := _first_time(row)) is not None)
    if not firsts:
        return None
    (index, _), count = firsts.most_common(1)[0]
    if count < _LOOSE * len(rows) or (index > 0 and count < 3 and len(rows) > 2):
        return None
    alive = [row for row in rows if _first_time(row) == firsts.most_common(1)[0][0]]
    last = index
    for later in range(index + 1, min(index + 6, _MAX_ELEMENTS)):
        kinds = Counter((row[later].kind, row[later].shape) for row in alive if len(row) > later)
        if not kinds:
            break
        (kind, _), agreeing = kinds.most_common(1)[0]
        if kind == "time" and agreeing >= _AGREE * len(alive):
            last = later
    columns = []
    for position in range(last + 1):
        kinds = Counter((row[position].kind, row[position].shape) for row in alive if len(row) > position)
        (kind, shape), _ = kinds.most_common(1)[0]
        if kind == "time" and position in (index, last):
            columns.append(Column("time", shape))
            alive = [row for row in alive if len(row) > position and row[position].shape == shape]
        else:
            columns.append(Column("any"))
    return alive, columns


def _first_time(row: list[Element]) -> tuple[int, str] | None:
    for index, element in enumerate(row[:7]):
        if element.kind == "time" and element.shape is not None:
            return index, element.shape.name
    return None


def _level_layout(rows: list[list[Element]]) -> Layout | None:
    """A header without a time: a level in one of the first two columns of nearly all lines."""
    for index in range(2):
        with_level = [
            row
            for row in rows
            if len(row) > index and row[index].kind == "level" and len(row[index].text.strip("[]():,<>")) > 1
        ]
        if len(with_level) >= max(_AGREE * len(rows), 2):
            columns = [Column("any")] * index + [Column("level")]
            return _compiled(columns + _columns_after(with_level, index + 1))
    return None


def _columns_after(rows: list[list[Element]], start: int) -> list[Column]:
    """The columns between the last time and the message."""
    columns: list[Column] = []
    strong = 0
    level_seen = False
    alive = rows
    for position in range(start, start + 9):
        here = [row[position] for row in alive if len(row) > position]
        if len(here) < _LOOSE * len(alive) or not here:
            break
        kinds = Counter(element.kind for element in here)
        kind, count = kinds.most_common(1)[0]
        distinct = len({element.text for element in here})
        if kind in ("word", "logger", "program") and _ends_in_dash(alive, position):
            columns.append(Column("field"))
            strong = len(columns)
            break
        if kind == "program" or (kinds["program"] >= _LOOSE * len(alive) and kind != "level"):
            if count < _AGREE * len(alive) and kinds["program"] < _LOOSE * len(alive):
                break
            if _is_program_column(here, columns, level_seen=level_seen):
                columns.append(Column("program", optional=kinds["program"] < len(alive)))
                strong = len(columns)
            break
        if count >= _AGREE * len(alive):
            if kind == "level" and _letters_only(here) and kinds["level"] < 0.97 * len(alive):
                break
            level_seen = level_seen or kind == "level"
            columns.append(Column(kind))
            if kind in _STRONG or (kind == "number" and _is_number_column(alive, position)):
                strong = len(columns)
            elif (kind == "logger" and distinct <= max(12, 0.3 * len(here))) or _padded(alive, position):
                strong = len(columns)
            alive = [row for row in alive if len(row) > position and row[position].kind == kind]
        elif _shares(kinds, ("word", "logger", "number", "bracket"), len(alive)):
            columns.append(Column("any"))
            if _padded(alive, position):
                strong = len(columns)
        else:
            break
    return columns[:strong] if strong else []


def _ends_in_dash(rows: list[list[Element]], position: int) -> bool:
    """Whether a name of one to three words and a lone dash stand here, as in `name - message`."""
    names = []
    for row in rows:
        for index in range(position + 1, min(position + 4, len(row))):
            if row[index].text == "-":
                names.append(" ".join(element.text for element in row[position:index]))
                break
    if len(names) < _AGREE * len(rows) or len(rows) < 3:
        return False
    lengths = {len(row) > position + 1 and row[position + 1].text == "-" for row in rows}
    return len(set(names)) <= max(8, 0.3 * len(names)) and lengths == {True, False}


def _shares(kinds: Counter[str], names: tuple[str, ...], total: int) -> bool:
    return sum(kinds[name] for name in names) >= _AGREE * total


def _letters_only(here: list[Element]) -> bool:
    return all(len(element.text.strip("[]():,<>")) == 1 for element in here)


def _is_number_column(rows: list[list[Element]], position: int) -> bool:
    """A process or thread id: its values repeat, or a strong column comes after it (which then counts itself)."""
    values = [row[position].text for row in rows if len(row) > position]
    return len(rows) >= 8 and len(set(values)) <= 0.7 * len(values)


def _is_program_column(here: list[Element], columns: list[Column], *, level_seen: bool) -> bool:
    """Whether `word:` is the program or logger that wrote the line, and not the first word of its message."""
    programs = [element.text for element in here if element.kind == "program"]
    if level_seen or sum(1 for text in programs if "[" in text or "." in text or "/" in text) >= 0.5 * len(programs):
        return True
    few = len(set(programs)) <= max(3, 0.3 * len(programs))
    return few and (bool(columns) or len(programs) >= 20)


def _padded(rows: list[list[Element]], position: int) -> bool:
    """Whether a column is filled up with blanks to a width, as aligned columns are."""
    gaps = [row[position + 1].start - row[position].end for row in rows if len(row) > position + 1]
    return len(gaps) >= 0.9 * len(rows) and len(gaps) >= 3 and sum(gap >= 2 for gap in gaps) >= _AGREE * len(gaps)


def _compiled(columns: list[Column]) -> Layout | None:
    if not columns:
        return None
    primary = max(
        (index for index, column in enumerate(columns) if column.shape is not None),
        key=lambda index: columns[index].shape.rank,  # type: ignore[union-attr]
        default=None,
    )
    parts: list[str] = [r"[ \t]*"]
    names: Counter[str] = Counter()
    for index, column in enumerate(columns):
        names[column.kind] += 1
        parts.append(_column_pattern(column, names[column.kind], primary=index == primary))
        last = index == len(columns) - 1
        parts.append(r"[ \t]*" if last or column.kind in ("dash", "time", "bracket", "level") else r"(?:[ \t]+|(?=\|))")
    expression = re.compile("".join(parts))
    shape = columns[primary].shape if primary is not None else None
    kinds = [column.kind for column in columns]
    level = kinds.index("level") if "level" in kinds else -1
    service = "program" if "program" in kinds else None
    if service is None and level >= 0 and "logger" in kinds[level:]:
        service = f"logger{1 + kinds[:level].count('logger')}"
    return Layout(tuple(columns), expression, shape, level >= 0, service)


def _column_pattern(column: Column, number: int, *, primary: bool) -> str:
    if column.kind == "time" and column.shape is not None:
        inner = column.shape.pattern() if primary else column.shape.bare()
        inner = _named_backreferences(inner, "p" if primary else f"s{number}")
        return rf"[\[(<]?{inner}[\])>]?[,:;]?"
    if column.kind == "level":
        group = "level" if number == 1 else f"level{number}"
        return rf"[\[(<]?(?P<{group}>[A-Za-z]{{1,13}})\s?[\])>]?[:,]?(?=[\s|]|$)"
    if column.kind == "program":
        body = (
            r"(?P<program>[A-Za-z_./(-][^\s:\[\]|=\"']*(?:::?[A-Za-z_$][^\s:\[\]|=\"']*)*)(?:\[(?P<pid>[\w.-]*)\])?"
            r"(?: \([^()\s]*\))?\s*:(?=\s|$)"
        )
        return f"(?:{body})?" if column.optional else body
    if column.kind in ("logger", "word", "number", "bracket"):
        return f"(?P<{column.kind}{number}>{_PATTERNS[column.kind]})"
    return _PATTERNS[column.kind]


def _named_backreferences(pattern: str, prefix: str) -> str:
    """Turns the numbered groups of a shape into named ones, so that it can stand inside a longer expression."""
    count = 0

    def name_group(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"(?P<{prefix}{count}>"

    named = re.sub(r"(?<!\\)\((?!\?)", name_group, pattern)
    return re.sub(r"\\([12])", lambda m: f"(?P={prefix}{m.group(1)})", named)


__all__ = ["BY_NAME", "Column", "Element", "Layout", "elements", "learn_layout"]
