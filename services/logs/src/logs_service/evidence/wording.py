"""Numbers, spans and times as they are to be said."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_EXEMPLAR_CHARACTERS = 500


def number(value: float) -> str:
    """1024 as "1,024", 37.54 as "37.5", 0.0417 as "0.042"."""
    if float(value).is_integer():
        return f"{int(value):,}"
    if value >= 1:
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:.{1 - math.floor(math.log10(value))}f}".rstrip("0").rstrip(".")


def percent(part: int, whole: int) -> str:
    """A share in percent without its sign; only the whole is said to be 100 and only nothing to be 0."""
    share = 100 * part / whole
    if 0 < share < 1:
        return number(share)
    return "99.9" if part < whole and share >= 99.95 else number(round(share, 1))  # noqa: PLR2004


def duration(seconds: float) -> str:
    """A span in its two largest units, for example "3 minutes", "1 hour 20 minutes", "less than a second"."""
    if seconds < 1:
        return "less than a second"
    whole = round(seconds)
    parts: list[str] = []
    for position, (size, name) in enumerate(_UNITS):
        count, rest = divmod(whole, size)
        if count and not parts:
            parts.append(plural(count, name))
            whole = rest
            if position + 1 < len(_UNITS):
                next_size, next_name = _UNITS[position + 1]
                # Above ten of a unit the next one is noise.
                if count < 10 and (next_count := rest // next_size):  # noqa: PLR2004
                    parts.append(plural(next_count, next_name))
            break
    return " ".join(parts)


def plural(count: int, noun: str) -> str:
    """1 as "1 line", 2,000 as "2,000 lines"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def rate(per_second: float) -> tuple[str, float]:
    """The unit in which a rate reads best, and its seconds: an hourly job is not said to run 0.02 times a minute."""
    if per_second >= 10:  # noqa: PLR2004
        return "second", 1
    if per_second * 60 >= 1:
        return "minute", 60
    return ("hour", 3600) if per_second * 3600 >= 1 else ("day", 86_400)


def moment(time: int) -> str:
    """A time to the second, for example "2026-03-04 05:06:07 UTC"; one outside the calendar is given in seconds."""
    seconds = time // 1_000_000_000
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"


def excerpt(text: str) -> str:
    """At most 500 characters of a record, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _EXEMPLAR_CHARACTERS else line[: _EXEMPLAR_CHARACTERS - 1] + "…"
