# ruff: noqa: PLR2004 - the numbers are those of clocks and calendars
"""Timestamps as logs write them: found by their shape, read into UTC nanoseconds."""

from __future__ import annotations

import re
from calendar import isleap, timegm
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}  # noqa: SIM905 - reads best
_MONTH = "(?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec)[a-z]{0,6}"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? "
_ZONE = (
    r" ?(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d))| (?:UTC|GMT|CES?T|BST|E[DS]T|C[DS]T|M[DS]T|P[DS]T|IST|JST)(?![A-Za-z])"
)
_ZONE_HOURS = {
    "UTC": 0.0, "GMT": 0.0, "Z": 0.0, "BST": 1.0, "CET": 1.0, "CEST": 2.0, "EST": -5.0, "EDT": -4.0, "CST": -6.0,
    "CDT": -5.0, "MST": -7.0, "MDT": -6.0, "PST": -8.0, "PDT": -7.0, "IST": 5.5, "JST": 9.0,
}  # fmt: skip
_DAY_SECONDS = 86_400
_Fields = tuple[int | None, int, int, int, int, int]
_EPOCH_MIN, _EPOCH_MAX = 631_152_000, 4_102_444_800


class Shape(NamedTuple):
    """One way to write a time: `head` holds date and time of day, then an optional fraction and zone."""

    name: str
    head: str
    fraction: str
    zone: str
    rank: int
    """The higher, the better it fixes the moment, where a line has several."""

    def pattern(self) -> str:
        """A regular expression with the groups ts, frac and zone."""
        fraction = f"(?P<frac>{self.fraction})?" if self.fraction else "(?P<frac>)"
        zone = f"(?P<zone>{self.zone})?" if self.zone else "(?P<zone>)"
        return f"(?P<ts>{self.head.replace('@', 'sep_')}){fraction}{zone}"

    def bare(self, prefix: str) -> str:
        """The same expression without those groups; the prefix keeps its own groups apart from others."""
        fraction = f"(?:{self.fraction})?" if self.fraction else ""
        zone = f"(?:{self.zone})?" if self.zone else ""
        return f"(?:{self.head.replace('@', prefix)}){fraction}{zone}"


_HMS = r"\d{1,2}:\d{2}:\d{2}"
SHAPES: tuple[Shape, ...] = (
    Shape("iso", r"\d{4}(?P<@a>[-/.])\d{1,2}(?P=@a)\d{1,2}(?:T|,? {1,2}|[-_:])\d{1,2}(?P<@b>[:.])\d{2}(?P=@b)\d{2}",
          r"[.,:]\d{1,9}", _ZONE, 6),
    Shape("compact", r"\d{8}[-T_ ]\d{1,2}:\d{1,2}:\d{1,2}", r"[.,:]\d{1,9}", _ZONE, 5),
    Shape("basic", r"\d{8}[-T_ ]?\d{6}", r"[.,]\d{1,9}", _ZONE, 5),
    Shape("month", rf"(?:{_DAY})?{_MONTH} {{1,2}}\d{{1,2}}(?:,? \d{{4}})?,? {_HMS}", r"[.,]\d{1,9}",
          rf"(?:{_ZONE})?(?: \d{{4}}(?![\d:]))|{_ZONE}", 4),
    Shape("clf", rf"\d{{1,2}}/{_MONTH}/\d{{4}}:{_HMS}", r"[.,]\d{1,9}", _ZONE, 6),
    Shape("daymonth", rf"(?:{_DAY})?\d{{1,2}}[- ]{_MONTH}[- ]\d{{2,4}},? {_HMS}", r"[.,]\d{1,9}", _ZONE, 6),
    Shape("slash", rf"\d{{1,2}}(?P<@a>[/.-])\d{{1,2}}(?P=@a)\d{{2,4}},? {{1,2}}{_HMS}(?: ?[AaPp][Mm])?",
          r"[.,:]\d{1,9}", _ZONE, 5),
    Shape("klog", rf"(?<![A-Za-z])[IWEF]\d{{4}} {_HMS}", r"\.\d{1,9}", "", 4),
    Shape("noyear", rf"\d{{1,2}}[-/.]\d{{1,2}} {_HMS}", r"[.,:]\d{1,9}", "", 3),
    Shape("yymmdd", r"\d{6} \d{6}", r"[.,]\d{1,9}", "", 4),
    Shape("epoch", r"1\d{18}|1\d{15}|1\d{12}|(?:1\d|[6-9])\d{8}", r"\.\d{1,9}", "", 7),
    Shape("date", r"\d{4}(?P<@a>[-/.])\d{2}(?P=@a)\d{2}", "", "", 1),
    Shape("clock", rf"{_HMS}(?: ?[AaPp][Mm])?", r"[.,]\d{1,9}", "", 2),
)  # fmt: skip
WEAK_SHAPES = frozenset(("epoch", "date", "clock", "yymmdd", "noyear"))
"""Shapes that a number in a message may have by chance: alone they make no header."""
BY_NAME = {shape.name: shape for shape in SHAPES}


def _alternatives() -> str:
    parts = "|".join(f"(?P<{shape.name}>{shape.bare(shape.name)})" for shape in SHAPES)
    return rf"(?:{parts})(?![\w]|[-/:.]\d)"


_LETTERS = frozenset("JFMASONDTWIEjfmasond")
"""The first letters of months, days and klog levels."""
_ANY = re.compile(_alternatives())


def shape_at(text: str, position: int) -> tuple[Shape, int] | None:
    """The timestamp that starts at a position: its shape and its end, or None."""
    first = text[position : position + 1]
    if not first.isdecimal() and first not in _LETTERS:
        return None
    found = _ANY.match(text, position)
    if found is None:
        return None
    shape = BY_NAME[next(name for name in BY_NAME if found.group(name) is not None)]
    if shape.name == "epoch" and not _EPOCH_MIN <= int(found.group(0)[:10]) <= _EPOCH_MAX:
        return None
    if shape.name in ("yymmdd", "basic") and not _plausible_digits(found.group(0)):
        return None
    return shape, found.end()


def _plausible_digits(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    if len(digits) >= 14:
        digits = digits[2:14]
    return (
        1 <= int(digits[2:4]) <= 12
        and 1 <= int(digits[4:6]) <= 31
        and int(digits[6:8]) < 24
        and int(digits[8:10]) < 60
        and int(digits[10:12]) < 61
    )


_FURTHEST_SECONDS = 2**63 // 1_000_000_000 - 1
"""Nanoseconds in 64 bits reach from 1677 to 2262: what is beyond, such as 9999-12-31, states no time."""


class TimeReader:
    """Reads matched timestamps; a missing zone is `timezone`, a missing year the newest that is not in the future."""

    def __init__(self, *, now: datetime, timezone: tzinfo = UTC, day_first: bool = False) -> None:
        self._now = now
        # A zone that is not known may put a fresh line hours ahead; a day of grace keeps it in this year.
        self._latest = int(now.timestamp()) + _DAY_SECONDS
        self._timezone = timezone
        self.day_first = day_first
        self._seconds: dict[tuple[str, str | None], int | None] = {}

    def nanoseconds(self, shape: Shape, head: str, fraction: str | None, zone: str | None) -> int | None:
        """The moment in nanoseconds since 1970 UTC, or None when the digits are no date."""
        key = (head, zone)
        if key in self._seconds:
            seconds = self._seconds[key]
        else:
            if len(self._seconds) > 4096:
                self._seconds.clear()
            seconds = self._seconds[key] = self._read(shape.name, head, zone or "")
        if seconds is None:
            return None
        nanoseconds = int(fraction[1:10].ljust(9, "0")) if fraction else 0
        if shape.name == "epoch" and len(head) > 10:
            return seconds * 1_000_000_000 + int(head[10:].ljust(9, "0"))
        return seconds * 1_000_000_000 + nanoseconds

    def read(self, text: str) -> int | None:
        """The moment that a whole text states, such as a JSON value; None when it states none."""
        text = text.strip()
        found = shape_at(text, 0)
        if found is None or found[1] != len(text):
            return None
        match = re.compile(found[0].pattern()).match(text)
        if match is None:
            return None
        return self.nanoseconds(found[0], match["ts"], match["frac"], match["zone"])

    def _read(self, name: str, head: str, zone: str) -> int | None:
        try:
            seconds = int(head[:10]) if name == "epoch" else self._moment(self._fields(name, head, zone), zone)
        except (ValueError, KeyError, IndexError, OverflowError):
            return None
        return None if seconds is None or abs(seconds) > _FURTHEST_SECONDS else seconds

    def _fields(self, name: str, head: str, zone: str) -> _Fields:
        numbers = [int(x) for x in re.findall(r"\d+", head)]
        hours = 0
        if head[-2:].lower() in ("am", "pm"):
            hours = 12 if head[-2:].lower() == "pm" else 0
            numbers[-3] %= 12
        if name in ("iso", "compact", "basic", "yymmdd", "date"):
            return _fields_of_digits(name, head, numbers)
        clock = (numbers[-3] + hours, numbers[-2], numbers[-1])
        if name == "clock":
            return None, 0, 0, *clock
        return *self._date(name, head, zone, numbers), *clock

    def _date(self, name: str, head: str, zone: str, numbers: list[int]) -> tuple[int | None, int, int]:
        if name == "klog":
            return None, int(head[1:3]), int(head[3:5])
        if name == "noyear":
            return (None, numbers[0], numbers[1]) if numbers[0] <= 12 else (None, numbers[1], numbers[0])
        if name == "slash":
            return self._slash_date(head, numbers)
        month = next(_MONTHS[w[:3].lower()] for w in re.findall(r"[A-Za-z]+", head) if w[:3].lower() in _MONTHS)
        if name == "month":
            trailing = re.search(r" (\d{4})$", zone)
            year = int(trailing.group(1)) if trailing else (numbers[1] if len(numbers) == 5 else None)
            return year, month, numbers[0]
        return _full_year(numbers[1]), month, numbers[0]

    def _slash_date(self, head: str, numbers: list[int]) -> tuple[int, int, int]:
        first, second, third = numbers[:3]
        if third < 100 and "/" in head and not self.day_first and self._short_year_first(first, second, third):
            return _full_year(first), second, third
        day_first = self.day_first or first > 12 or "." in head or "-" in head
        if second > 12:
            day_first = False
        day, month = (first, second) if day_first else (second, first)
        return _full_year(third), month, day

    def _short_year_first(self, first: int, second: int, third: int) -> bool:
        return 1 <= second <= 12 and 1 <= third <= 31 and first > 0 and _full_year(first) <= self._now.year

    def _moment(self, fields: _Fields, zone: str) -> int | None:
        year, month, day, *clock = fields
        if month == 0:
            today = self._now.astimezone(self._timezone)
            seconds = self._at((today.year, today.month, today.day, *clock), zone)
            return seconds if seconds <= self._latest else seconds - _DAY_SECONDS
        if year is not None:
            return self._at((year, month, day, *clock), zone)
        for candidate in range(self._now.year + 1, self._now.year - 8, -1):
            if (month, day) == (2, 29) and not isleap(candidate):
                continue
            seconds = self._at((candidate, month, day, *clock), zone)
            if seconds <= self._latest:
                return seconds
        return None

    def _at(self, fields: tuple[int, ...], zone: str) -> int:
        year, month, day, hour, minute, second = fields
        offset = _zone_seconds(zone)
        # A leap second is read as the second before it.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        if offset is not None:
            return timegm(moment.timetuple()) - offset
        return int(moment.replace(tzinfo=self._timezone).timestamp())


def _fields_of_digits(name: str, head: str, numbers: list[int]) -> _Fields:
    if name == "iso":
        return numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
    if name == "date":
        return numbers[0], numbers[1], numbers[2], 0, 0, 0
    if name == "compact":
        return int(head[:4]), int(head[4:6]), int(head[6:8]), numbers[-3], numbers[-2], numbers[-1]
    digits = re.sub(r"\D", "", head)
    if name == "yymmdd":
        digits = str(_full_year(int(digits[:2]))) + digits[2:]
    year, *rest = (int(digits[:4]), *(int(digits[start : start + 2]) for start in range(4, 14, 2)))
    return year, rest[0], rest[1], rest[2], rest[3], rest[4]


def _full_year(year: int) -> int:
    if year >= 100:
        return year
    return year + (2000 if year < 70 else 1900)


def _zone_seconds(zone: str) -> int | None:
    numeric = re.search(r"([+-])(\d{2}):?(\d{2})?", zone)
    if numeric is not None:
        seconds = int(numeric.group(2)) * 3600 + int(numeric.group(3) or 0) * 60
        return -seconds if numeric.group(1) == "-" else seconds
    named = re.search(r"[A-Z]{1,4}", zone)
    hours = _ZONE_HOURS.get(named.group(0)) if named else None
    return None if hours is None else int(hours * 3600)


def writes_day_first(lines: Sequence[str]) -> bool:
    """Whether a slashed date of the sample can only be read with its day first, and none with its month first."""
    day_first = False
    for line in lines:
        start = 1 if line[:1] in "[(" else 0
        found = shape_at(line, start)
        if found is None or found[0].name != "slash":
            continue
        first, second, year = re.split(r"[/.-]", line[start : found[1]].replace(",", " ").split()[0])
        if len(year) == 4:
            if int(second) > 12:
                return False
            day_first = day_first or int(first) > 12
    return day_first
