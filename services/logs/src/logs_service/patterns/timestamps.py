"""Timestamps as logs write them: found by their shape, read into UTC nanoseconds."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

_MONTHS = {m: i + 1 for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
_MONTH = "(?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec)[a-z]{0,6}"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? "
_ZONE = (
    r" ?(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d))| (?:UTC|GMT|CES?T|BST|E[DS]T|C[DS]T|M[DS]T|P[DS]T|IST|JST)(?![A-Za-z])"
)
_ZONE_HOURS = {
    "UTC": 0.0, "GMT": 0.0, "Z": 0.0, "BST": 1.0, "CET": 1.0, "CEST": 2.0, "EST": -5.0, "EDT": -4.0, "CST": -6.0,
    "CDT": -5.0, "MST": -7.0, "MDT": -6.0, "PST": -8.0, "PDT": -7.0, "IST": 5.5, "JST": 9.0,
}  # fmt: skip
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
        return f"(?P<ts>{self.head}){fraction}{zone}"

    def bare(self) -> str:
        """The same expression without groups."""
        fraction = f"(?:{self.fraction})?" if self.fraction else ""
        zone = f"(?:{self.zone})?" if self.zone else ""
        return f"(?:{self.head}){fraction}{zone}"


_HMS = r"\d{1,2}:\d{2}:\d{2}"
SHAPES: tuple[Shape, ...] = (
    Shape("iso", rf"\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}(?:T|,? {{1,2}}|[-_:])\d{{1,2}}([:.])\d{{2}}\2\d{{2}}",
          r"[.,:]\d{1,9}", _ZONE, 6),
    Shape("compact", r"\d{8}[-T_ ]\d{1,2}:\d{1,2}:\d{1,2}", r"[.,:]\d{1,9}", _ZONE, 5),
    Shape("basic", r"\d{8}[-T_ ]?\d{6}", r"[.,]\d{1,9}", _ZONE, 5),
    Shape("month", rf"(?:{_DAY})?{_MONTH} {{1,2}}\d{{1,2}}(?:,? \d{{4}})?,? {_HMS}", r"[.,]\d{1,9}",
          rf"(?:{_ZONE})?(?: \d{{4}}(?![\d:]))|{_ZONE}", 4),
    Shape("clf", rf"\d{{1,2}}/{_MONTH}/\d{{4}}:{_HMS}", r"[.,]\d{1,9}", _ZONE, 6),
    Shape("daymonth", rf"(?:{_DAY})?\d{{1,2}}[- ]{_MONTH}[- ]\d{{2,4}},? {_HMS}", r"[.,]\d{1,9}", _ZONE, 6),
    Shape("slash", rf"\d{{1,2}}([/.-])\d{{1,2}}\1\d{{2,4}},? {{1,2}}{_HMS}(?: ?[AaPp][Mm])?", r"[.,:]\d{1,9}", _ZONE,
          5),
    Shape("klog", rf"(?<![A-Za-z])[IWEF]\d{{4}} {_HMS}", r"\.\d{1,9}", "", 4),
    Shape("noyear", rf"\d{{1,2}}[-/.]\d{{1,2}} {_HMS}", r"[.,:]\d{1,9}", "", 3),
    Shape("yymmdd", r"\d{6} \d{6}", r"[.,]\d{1,9}", "", 4),
    Shape("epoch", r"1\d{18}|1\d{15}|1\d{12}|(?:1\d|[6-9])\d{8}", r"\.\d{1,9}", "", 7),
    Shape("date", r"\d{4}([-/.])\d{2}\1\d{2}", "", "", 1),
    Shape("clock", rf"{_HMS}(?: ?[AaPp][Mm])?", r"[.,]\d{1,9}", "", 2),
)  # fmt: skip
BY_NAME = {shape.name: shape for shape in SHAPES}


def _renumbered(pattern: str, offset: int) -> str:
    return re.sub(r"\\([12])", lambda m: f"\\{int(m.group(1)) + offset}", pattern)


def _alternatives() -> str:
    parts, offset = [], 0
    for shape in SHAPES:
        parts.append(f"(?P<{shape.name}>{_renumbered(shape.bare(), offset + 1)})")
        offset += 1 + re.compile(shape.bare()).groups
    return rf"(?:{'|'.join(parts)})(?![\w]|[-/:.]\d)"


_ANY = re.compile(_alternatives())


def shape_at(text: str, position: int) -> tuple[Shape, int] | None:
    """The timestamp that starts at a position: its shape and its end, or None."""
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


class TimeReader:
    """Reads matched timestamps; a missing zone is `timezone`, a missing year the newest that is not in the future."""

    def __init__(self, *, now: datetime, timezone: tzinfo = UTC, day_first: bool = False) -> None:
        self._now = now
        self._latest = now + timedelta(days=1)
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
            if name == "epoch":
                return int(head[:10])
            year, month, day, hour, minute, second = self._fields(name, head, zone)
            return self._moment(year, month, day, hour, minute, min(second, 59), zone)
        except (ValueError, KeyError, IndexError, OverflowError):
            return None

    def _fields(self, name: str, head: str, zone: str) -> tuple[int | None, int, int, int, int, int]:
        numbers = [int(x) for x in re.findall(r"\d+", head)]
        hours = 0
        if head[-2:].lower() in ("am", "pm"):
            hours = 12 if head[-2:].lower() == "pm" else 0
            numbers[-3] %= 12
        if name in ("iso", "compact", "basic", "yymmdd", "date"):
            return self._fields_of_digits(name, head, numbers)
        if name == "clock":
            return None, 0, 0, numbers[0] + hours, numbers[1], numbers[2]
        clock = (numbers[-3] + hours, numbers[-2], numbers[-1])
        if name == "klog":
            return None, int(head[1:3]), int(head[3:5]), *clock
        if name == "noyear":
            month, day = (numbers[0], numbers[1]) if numbers[0] <= 12 else (numbers[1], numbers[0])
            return None, month, day, *clock
        if name == "slash":
            return *self._slash_date(head, numbers), *clock
        month = next(_MONTHS[w[:3].lower()] for w in re.findall(r"[A-Za-z]+", head) if w[:3].lower() in _MONTHS)
        if name == "month":
            trailing = re.search(r" (\d{4})$", zone)
            year = int(trailing.group(1)) if trailing else (numbers[1] if len(numbers) == 5 else None)
            return year, month, numbers[0], *clock
        return _full_year(numbers[1]), month, numbers[0], *clock

    @staticmethod
    def _fields_of_digits(name: str, head: str, numbers: list[int]) -> tuple[int, int, int, int, int, int]:
        if name == "iso":
            return numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
        if name == "date":
            return numbers[0], numbers[1], numbers[2], 0, 0, 0
        if name == "compact":
            return int(head[:4]), int(head[4:6]), int(head[6:8]), numbers[-3], numbers[-2], numbers[-1]
        digits = re.sub(r"\D", "", head)
        if name == "yymmdd":
            digits = str(_full_year(int(digits[:2]))) + digits[2:]
        return (int(digits[:4]), int(digits[4:6]), int(digits[6:8]),
                int(digits[8:10]), int(digits[10:12]), int(digits[12:14]))  # fmt: skip

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
        return 1 <= second <= 12 and 1 <= third <= 31 and _full_year(first) <= self._now.year and first > 0

    def _moment(  # noqa: PLR0913 - the six fields of a date and time, and its zone
        self, year: int | None, month: int, day: int, hour: int, minute: int, second: int, zone: str
    ) -> int | None:
        if month == 0:
            local = self._now.astimezone(self._timezone)
            moment = datetime(local.year, local.month, local.day, hour, minute, second, tzinfo=self._timezone)
            return int((moment if moment <= self._latest else moment - timedelta(days=1)).timestamp())
        if year is not None:
            return self._at(year, month, day, hour, minute, second, zone)
        for candidate in range(self._now.year + 1, self._now.year - 8, -1):
            if day == 29 and month == 2 and not _is_leap(candidate):
                continue
            moment_seconds = self._at(candidate, month, day, hour, minute, second, zone)
            if moment_seconds <= self._now.timestamp() + 86_400:
                return moment_seconds
        return None

    def _at(  # noqa: PLR0913
        self, year: int, month: int, day: int, hour: int, minute: int, second: int, zone: str
    ) -> int:
        offset = _zone_seconds(zone)
        if offset is not None:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            return timegm(moment.timetuple()) - offset
        return int(datetime(year, month, day, hour, minute, second, tzinfo=self._timezone).timestamp())


def _full_year(year: int) -> int:
    if year >= 100:
        return year
    return year + (2000 if year < 70 else 1900)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _zone_seconds(zone: str) -> int | None:
    numeric = re.search(r"([+-])(\d{2}):?(\d{2})?", zone)
    if numeric is not None:
        seconds = int(numeric.group(2)) * 3600 + int(numeric.group(3) or 0) * 60
        return -seconds if numeric.group(1) == "-" else seconds
    named = re.search(r"[A-Z]{1,4}", zone)
    hours = _ZONE_HOURS.get(named.group(0)) if named else None
    return None if hours is None else int(hours * 3600)
