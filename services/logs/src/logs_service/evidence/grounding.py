"""Which numbers, names and times a text holds, and whether a source offers them.

A word with a digit is offered when the source has the same word, or when it is a number that the source has with the
same unit: 1,024 and 1024 are equal, 40 % and 40 per minute are not. Spelled-out numbers count as numbers.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNITS_OF_TIME = {
    "ms": "ms", "millisecond": "ms", "milliseconds": "ms",
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "m": "min", "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "d": "d", "day": "d", "days": "d", "week": "week", "weeks": "week",
}  # fmt: skip
_SPELLED = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "once": 1, "twice": 2, "thrice": 3, "double": 2, "doubled": 2, "triple": 3, "tripled": 3, "quadrupled": 4,
    "tenfold": 10, "dozen": 12, "dozens": 12, "half": 50, "couple": 2,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "hundreds": 100, "thousands": 1000,
           "millions": 10**6}  # fmt: skip
_COUNTED = (
    r"(?:lines?|records?|entr(?:y|ies)|errors?|failures?|warnings?|exceptions?|times?|events?|patterns?|messages?|timeouts?"
    r"|seconds?|minutes?|hours?|days?|percent|attempts?|problems?|issues?)"
)
_SPELLED_PATTERN = re.compile(
    r"(?<!\d\s)\b(?P<word>" + "|".join(sorted({*_SPELLED, *_SCALES}, key=len, reverse=True)) + r")\b", re.IGNORECASE
)
_NOTHING = re.compile(
    rf"\b(?:no|zero|without(?:\s+any)?|free\s+of|not\s+a\s+single)\s+(?:\w+\s+)?(?P<what>{_COUNTED})\b", re.IGNORECASE
)
_ONE_OF_MANY = re.compile(rf"\bone\b(?!\s+(?:\w+\s+)?{_COUNTED}\b)", re.IGNORECASE)
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
_DATE_IN_WORDS = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})|(?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}})"
    r"(?:st|nd|rd|th)?)\b(?:,?\s+(?P<year>\d{4})\b(?!:))?",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?=$|[^\w-]|T\d)")
_TIME_OF_DAY = re.compile(
    r"(?<![\w:.])T?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?Z?(?![\w:])(\s*[ap]\.?m\b)?", re.IGNORECASE
)
_RUN = re.compile(r"\S+")
_PIECE = re.compile(r"\d+(?:[.,]\d+)*(?![\w])|[\w]*\d[\w]*(?:[.,]\d+)*")
_AFTER = re.compile(
    r"\s*(?:(?P<percent>%|per\s?cent\b)"
    r"|(?P<scale>hundred|thousand|million|billion)\b"
    r"|(?:(?:\w+\s+)?(?:per|an?|each|every)\s+|\s*/\s*)(?P<rate>second|sec|s|minute|min|hour|hr|h|day|d)\b"
    r"|-?(?P<time>milliseconds?|seconds?|minutes?|hours?|days?|weeks?|ms|secs?|mins?|hrs?|s|m|h|d)\b)",
    re.IGNORECASE,
)
_JOINED = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|sec|secs|m|min|mins|h|hr|hrs|d)$", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_PLAIN = re.compile(r"(?:0|[1-9]\d*)(?:\.\d+)?$")
_DOTTED_NAME = re.compile(r"(?<![\w.-])[a-z0-9][\w-]*(?:\.[\w-]+)*\.[a-z]{2,}(?![\w-])", re.IGNORECASE)
_APART = " ; "
"""Stands for what was taken out, so that a number does not get the unit of another one."""
_EDGES = "\"'`\u00b4\u2018\u2019\u201c\u201d\u00ab\u00bb\u2026()[]{}<>,;:.!?*_~|="


@dataclass(slots=True)
class Claims:
    """The numbers and names of a text."""

    numbers: set[tuple[str, str]] = field(default_factory=set)
    """Value and unit; the unit is empty, "%", a unit of time, or "/min" and the like."""
    words: set[str] = field(default_factory=set)
    """Words with a digit that are no number, and names with dots, in lower case."""
    dates: set[str] = field(default_factory=set)
    times: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Source:
    """What the cited entries offer."""

    numbers: set[tuple[str, str]] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)
    times: set[str] = field(default_factory=set)

    def add_fact(self, name: str, value: str) -> None:
        """Offer a fact, its numbers with their unit only; the unit of a bare number is in the fact's name."""
        claims = claims_of(value, spelled=False)
        unit = _unit_of_fact(name)
        self._add(claims, value)
        self.numbers |= {(number, unit or own) for number, own in claims.numbers}
        if value == "0":
            self.words.add("no " + name.removesuffix("_count"))

    def add_text(self, text: str) -> None:
        """Offer all that a text of the log holds; a quotation of it may end before the unit of a number."""
        claims = claims_of(text, spelled=False)
        self._add(claims, text)
        self.numbers |= claims.numbers | {(number, "") for number, _ in claims.numbers}

    def _add(self, claims: Claims, text: str) -> None:
        self.words |= claims.words | {word.removeprefix("www.") for word in claims.words}
        self.words |= {run.strip(_EDGES).lower() for run in _RUN.findall(plain(text))}
        self.dates |= claims.dates
        self.times |= claims.times

    def add_time(self, time: int) -> None:
        """Offer a moment, to the second, the minute and the day."""
        try:
            at = datetime.fromtimestamp(time // 1_000_000_000, UTC)
        except (OverflowError, ValueError, OSError):
            return
        self.dates |= _date_forms(at.year, at.month, at.day)
        self.times |= {f"{at.hour}:{at.minute:02}", f"{at.hour}:{at.minute:02}:{at.second:02}"}
        fraction = f"{time % 1_000_000_000:09}"
        self.times |= {f"{at.hour}:{at.minute:02}:{at.second:02}.{fraction[:digits]}" for digits in (3, 6, 9)}

    def lacks(self, text: str) -> str:
        """The first thing in a text that the source does not offer; empty when it offers all."""
        claims = claims_of(text, known_words=self.words)
        # "From 2 to 20 per minute": the unit may stand behind the second number only.
        values = {value for value, unit in self.numbers if unit in {"", "%"} or unit.startswith("/")}
        for value, unit in sorted(claims.numbers):
            if (value, unit) not in self.numbers and (unit or value not in values):
                return f"{value} {unit}".strip()
        for missing in (claims.words - self.words, claims.dates - self.dates, claims.times - self.times):
            if missing:
                return min(missing)
        return ""


def plain(text: str) -> str:
    """The text in one form: compatibility characters and foreign digits as ASCII, invisible characters gone."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char
        for char in normal
        if unicodedata.category(char) != "Cf"
    )


def claims_of(text: str, *, spelled: bool = True, known_words: Iterable[str] = ()) -> Claims:
    """All numbers, times, dates and names in a text; words that are known as a whole are not taken apart."""
    claims = Claims()
    rest = _take_dates(plain(text), claims)
    rest = _TIME_OF_DAY.sub(lambda match: _take_time(match, claims), rest)
    rest = _NOTHING.sub(lambda match: _take_nothing(match, claims), rest)
    known = frozenset(known_words)
    rest = _RUN.sub(lambda match: _APART if _is_known(match.group(), known) else match.group(), rest)
    claims.words |= {name.lower() for name in _DOTTED_NAME.findall(rest)}
    for match in _PIECE.finditer(rest):
        _take_piece(match, rest, claims)
    # Characters such as ½ or Ⅻ that are a number without being a digit.
    claims.words |= {char for char in rest if not char.isascii() and unicodedata.numeric(char, None) is not None}
    if spelled:
        _take_spelled(rest, claims)
    return claims


def _is_known(run: str, known: frozenset[str]) -> bool:
    word = run.strip(_EDGES).lower()
    if word not in known:
        return False
    # Plain words stay: they may be the unit of a number before them.
    named = any(char.isalpha() for char in word) and ("." in word or any(char.isdigit() for char in word))
    return named or word in _SPELLED or word in _SCALES


def _take_dates(text: str, claims: Claims) -> str:
    def in_words(match: re.Match[str]) -> str:
        month = next(
            number
            for number, name in enumerate(_MONTHS, 1)
            if name.startswith((match["month"] or match["month2"]).lower()[:3])
        )
        day = int(match["day"] or match["day2"])
        claims.dates.add(f"{match['year'] + '-' if match['year'] else ''}{month:02}-{day:02}")
        return _APART

    def iso(match: re.Match[str]) -> str:
        claims.dates.add(match.group(0))
        return _APART

    return _ISO_DATE.sub(iso, _DATE_IN_WORDS.sub(in_words, text))


def _take_time(match: re.Match[str], claims: Claims) -> str:
    hour, minute, second, fraction, half = match.groups()
    form = f"{int(hour)}:{minute}" + (f":{second}" if second else "") + (f".{fraction}" if fraction else "")
    # The twelve-hour clock is not offered by any source, so it is refused.
    claims.times.add(form + ("pm" if half else ""))
    return _APART


def _take_piece(match: re.Match[str], text: str, claims: Claims) -> None:
    piece = match.group().strip("_").lower()
    joined = _JOINED.fullmatch(piece)
    if joined:
        claims.numbers.add((_canonical(joined["number"]), _UNITS_OF_TIME[joined["unit"]]))
        return
    value = _canonical(piece)
    if not value:
        claims.words.add(piece)
        return
    after = _AFTER.match(text, match.end())
    if after and after["scale"]:
        value, after = _scaled(value, after["scale"]), _AFTER.match(text, after.end())
    claims.numbers.add((value, _unit(after)))


def _unit(after: re.Match[str] | None) -> str:
    if after is None:
        return ""
    if after["percent"]:
        return "%"
    if after["rate"]:
        return "/" + _UNITS_OF_TIME[after["rate"].lower()]
    return _UNITS_OF_TIME[after["time"].lower()] if after["time"] else ""


def _canonical(number: str) -> str:
    """A number without grouping and trailing zeros; empty for what is no plain number, such as 10.0.0.1 or 007."""
    bare = number.replace(",", "") if _GROUPED.match(number) else number
    if not _PLAIN.match(bare):
        return ""
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def _scaled(value: str, scale: str) -> str:
    scaled = float(value) * _SCALES[scale.lower()]
    return str(int(scaled)) if scaled.is_integer() else str(scaled)


def _take_spelled(text: str, claims: Claims) -> None:
    rest = _ONE_OF_MANY.sub(" ", text)
    total, end = 0, -1
    for match in [*_SPELLED_PATTERN.finditer(rest), None]:
        apart = match is None or end < 0 or not re.fullmatch(r"[\s-]+(?:and\s+)?", rest[end : match.start()])
        if apart and end >= 0:
            claims.numbers.add((str(total), _unit(_AFTER.match(rest, end))))
            total = 0
        if match is None:
            return
        word = match["word"].lower()
        total = max(1, total) * _SCALES[word] if word in _SCALES else total + _SPELLED[word]
        end = match.end()


def _unit_of_fact(name: str) -> str:
    if name.endswith("_percent"):
        return "%"
    rate = re.search(r"_per_(second|minute|hour|day)$", name)
    return "/" + _UNITS_OF_TIME[rate[1]] if rate else ""


def _take_nothing(match: re.Match[str], claims: Claims) -> str:
    # "No errors" is the number 0 said of errors; only an entry that counts 0 may be said so.
    claims.words.add("no " + re.sub(r"ie?s$|s$", "", match["what"].lower()))
    return _APART


def _date_forms(year: int, month: int, day: int) -> set[str]:
    try:
        date(year, month, day)
    except ValueError:
        return set()
    return {f"{year:04}-{month:02}-{day:02}", f"{month:02}-{day:02}"}
