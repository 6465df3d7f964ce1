# ruff: noqa: PLR2004 - shares and counts of a sample, each said where it is used
"""Learns the columns that stand before the message from the lines themselves.

A line's head is read as a row of elements (time, level, number, bracket, program, word). Over a sample, a column
belongs to the header where nearly all lines agree on its kind and a column of a strong kind (a time, a level, a
bracket, `program:`, a separator) closes the row. No format is named anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from logs_service.patterns.elements import LEVEL_INSIDE, MAX_ELEMENTS, Element, elements, is_uptime
from logs_service.patterns.expression import Column, Layout, compiled
from logs_service.patterns.timestamps import WEAK_SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

_AGREE = 0.9
_LOOSE = 0.6
_ENOUGH = 5
_MAX_COLUMNS = 9
_LEVELS = ("level", "named level")
_TIMES = ("time", "timed bracket")
_STRONG = frozenset(("level", "bracket", "dash", "closed", "named level", "level bracket"))
_LEVEL_INSIDE = re.compile(LEVEL_INSIDE)

Row = list[Element]


def learn_layout(lines: Sequence[str]) -> Layout | None:
    """The header that most of the lines share, or None when they have none."""
    rows = [row for line in lines if (row := elements(line))]
    if not rows:
        return None
    anchored = _time_columns(rows) or _level_columns(rows)
    if anchored is None:
        return None
    alive, columns = anchored
    return compiled(columns + _columns_after(alive, len(columns)))


def _time_columns(rows: list[Row]) -> tuple[list[Row], list[Column]] | None:
    """The columns up to the last time that nearly all lines agree on, and the lines that have them."""
    firsts = Counter(first for row in rows if (first := _first_time(row)) is not None)
    if not firsts:
        return None
    first, count = firsts.most_common(1)[0]
    index = first[0]
    certain = index == 0 and first[2] not in WEAK_SHAPES and count >= _ENOUGH
    if not certain and (count < _LOOSE * len(rows) or (index > 0 and count < 3 and len(rows) > 2)):
        return None
    alive = [row for row in rows if _first_time(row) == first]
    last = index
    for later in range(index + 1, min(index + 6, MAX_ELEMENTS)):
        times = sum(1 for row in alive if len(row) > later and row[later].kind == "time")
        if times >= _AGREE * len(alive):
            last = later
    columns = []
    for position in range(last + 1):
        kinds = Counter((row[position].kind, row[position].shape) for row in alive if len(row) > position)
        (kind, shape), _ = kinds.most_common(1)[0]
        if kind in _TIMES and position in (index, last):
            columns.append(Column(kind, shape))
            alive = [row for row in alive if len(row) > position and row[position].shape == shape]
        else:
            columns.append(Column("any"))
    return alive, columns


def _first_time(row: Row) -> tuple[int, str, str] | None:
    for index, element in enumerate(row[:7]):
        if element.shape is not None:
            return index, element.kind, element.shape.name
    return None


def _level_columns(rows: list[Row]) -> tuple[list[Row], list[Column]] | None:
    """A header without a time: seconds of uptime, or a level in one of the first two columns of nearly all lines."""
    enough = max(_AGREE * len(rows), 2)
    started = [row for row in rows if is_uptime(row[0])]
    if len(started) >= enough:
        return started, [Column("bracket")]
    for index in range(2):
        levelled = [
            row for row in rows if len(row) > index and row[index].kind in _LEVELS and len(_stripped(row[index])) > 1
        ]
        if len(levelled) >= enough:
            return levelled, [Column("any")] * index + [Column(levelled[0][index].kind)]
    return None


def _columns_after(rows: list[Row], start: int) -> list[Column]:
    """The columns between the anchor and the message; what no strong column closes is message."""
    columns: list[Column] = []
    strong = 0
    alive = rows
    level_seen = any(element.kind in _LEVELS for element in rows[0][:start])
    for position in range(start, start + _MAX_COLUMNS):
        here = [row[position] for row in alive if len(row) > position]
        if not here or len(here) < _LOOSE * len(alive):
            break
        kind = _column_kind(here, len(alive))
        if kind in ("word", "logger", "program") and _ends_in_dash(alive, position):
            return [*columns, Column("field")]
        if kind == "program":
            if _is_program_column(here, columns, level_seen=level_seen):
                return [*columns, Column("program", optional=any(element.kind != "program" for element in here))]
            break
        if kind in ("", "quoted") or (kind == "dash" and len(columns) - strong > 2):
            break
        columns.append(Column(kind))
        # A number after words of the message repeats as well: `paid in 12 ms`.
        in_message = kind == "number" and any(column.kind == "word" for column in columns[strong:])
        if kind in _STRONG or (not in_message and _closes(kind, alive, position, level_seen=level_seen)):
            strong = len(columns)
        level_seen = level_seen or kind in _LEVELS or kind == "level bracket"
        if kind != "any":
            alive = [row for row in alive if len(row) > position and _agrees(row[position].kind, kind)]
    return columns[:strong]


def _column_kind(here: list[Element], total: int) -> str:
    """What nearly all lines have in a column: a kind of element, `any` for words of several kinds, or nothing."""
    kinds = Counter(element.kind for element in here)
    kind, count = kinds.most_common(1)[0]
    if kinds["program"] >= _LOOSE * total:
        return "program"
    if kind == "level" and count >= _LOOSE * total:
        others = [element for element in here if element.kind != "level"]
        bracketed = all(element.kind == "bracket" and _stripped(element).isalpha() for element in others)
        letters = all(len(_stripped(element)) == 1 for element in here if element.kind == "level")
        if (others and bracketed) or count >= (0.97 if letters else _AGREE) * total:
            return "level"
    if kind == "bracket" and count >= _AGREE * total:
        inside = sum(1 for element in here if _LEVEL_INSIDE.search(element.text))
        return "level bracket" if inside >= 0.8 * count else "bracket"
    if kind != "level" and count >= _AGREE * total:
        return kind
    words = sum(kinds[name] for name in ("word", "logger", "number", "bracket"))
    return "any" if words >= _AGREE * total else ""


def _agrees(element_kind: str, column_kind: str) -> bool:
    return element_kind == column_kind or {element_kind, column_kind} <= {"level", "bracket", "level bracket"}


def _closes(kind: str, rows: list[Row], position: int, *, level_seen: bool) -> bool:
    """Whether a column of numbers or words is a field of its own and not the beginning of the message."""
    values = [row[position].text for row in rows if len(row) > position]
    distinct = len(set(values))
    if kind == "number":
        # An id of a process or thread repeats, or a colon sets it off.
        return all(value.endswith(":") for value in values) or (len(rows) >= 8 and distinct <= 0.7 * len(values))
    if kind == "logger" and distinct <= max(12, 0.3 * len(values)):
        return True
    if kind == "any" and level_seen and distinct <= max(12, 0.05 * len(values)):
        loggers = sum(1 for row in rows if len(row) > position and row[position].kind == "logger")
        return loggers >= 0.5 * len(values) or _padded(rows, position)
    return _padded(rows, position)


def _ends_in_dash(rows: list[Row], position: int) -> bool:
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


def _is_program_column(here: list[Element], columns: list[Column], *, level_seen: bool) -> bool:
    """Whether `word:` is the program or logger that wrote the line, and not the first word of its message."""
    programs = [element.text for element in here if element.kind == "program"]
    marked = sum(1 for text in programs if "[" in text or "." in text or "/" in text)
    if level_seen or marked >= 0.5 * len(programs):
        return True
    few = len(set(programs)) <= max(3, 0.3 * len(programs))
    return few and (bool(columns) or len(programs) >= 20)


def _padded(rows: list[Row], position: int) -> bool:
    """Whether a tab ends a column, or blanks that fill it up to a width, as aligned columns are."""
    gaps = [
        2 if row[position].tab else row[position + 1].start - row[position].end
        for row in rows
        if len(row) > position + 1
    ]
    return len(gaps) >= max(3, _AGREE * len(rows)) and sum(gap >= 2 for gap in gaps) >= _AGREE * len(gaps)


def _stripped(element: Element) -> str:
    return element.text.strip("[]():,<> ")
