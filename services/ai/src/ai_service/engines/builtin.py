"""The built-in engine: one plain sentence for each entry, the same one every time, from the entry's own facts."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ai_service.domain import (
    ERROR_SEVERITY,
    WARN_SEVERITY,
    Entry,
    EntryKind,
    Evidence,
    Sentence,
)

MAX_SENTENCES = 8
_QUOTE_CHARACTERS = 160
_EXAMPLE_CHARACTERS = 100
_MAX_CITED = 3
_LABELS = ((21, "fatal error"), (ERROR_SEVERITY, "error"), (WARN_SEVERITY, "warning"))
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*:\s*//|\b(?:javascript|data|mailto|vbscript|file|tel):(?=\S)", re.IGNORECASE)
_MARKUP = re.compile(
    r"(?P<tick>`)|(?<=\])(?=\()|!(?=\[)|&(?=#)"
    r"|<(?=\s*/?\s*(?:a|img|script|iframe|svg|link|style|form|object|embed|base|meta)\b)",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"[^\W\d_]{3,}")


def word_entries(evidence: Evidence) -> tuple[Sentence, ...]:
    """One sentence for each entry, in the same order."""
    day = _day_of_all(evidence)
    return tuple(
        Sentence(
            _Words(entry, day).sentence(),
            (entry.key,),
            tuple(record.record_id for record in entry.exemplars[:_MAX_CITED]),
        )
        for entry in evidence.entries
    )


def _day_of_all(evidence: Evidence) -> str:
    """The day in which the whole log lies; empty when it is longer, or has no times."""
    days = {
        _stamp(time)[:10]
        for entry in evidence.entries
        if entry.kind is EntryKind.OVERVIEW
        for time in (entry.first_time, entry.last_time)
        if time is not None
    }
    return days.pop() if len(days) == 1 else ""


def _stamp(time: int) -> str:
    try:
        return datetime.fromtimestamp(time // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return ""


class _Words:
    """The wording of one entry."""

    def __init__(self, entry: Entry, day: str) -> None:
        self._entry = entry
        self._day = day

    def sentence(self) -> str:
        """The entry in one sentence."""
        by_kind = {
            EntryKind.OVERVIEW: self._overview,
            EntryKind.GAP: self._gap,
            EntryKind.DOMINANT: self._dominant,
            EntryKind.STOPPED: self._stopped,
            EntryKind.GREW: self._grew,
            EntryKind.NEW: self._new,
        }
        return by_kind.get(self._entry.kind, self._occurrences)()

    def _overview(self) -> str:
        fact, records = self._entry.fact, self._records(self._entry.fact("record_count") or str(self._entry.count))
        span = f" over {fact('duration')}" if fact("duration") else ""
        when = f" ({self._range()})" if self._range() else ""
        outside = fact("outside_count")
        tail = f"; {outside} with a time far from the rest" if outside else ""
        return f"The log has {records}{span}{when}: {self._troubles()}{tail}."

    def _troubles(self) -> str:
        fact = self._entry.fact
        first = fact("first_error_time") or fact("first_failure_time")
        only = self._entry.count == 1
        errors, warnings, failures = fact("error_count"), fact("warning_count"), fact("failure_count")
        single = (errors if errors != "0" else failures) == "1"
        began = f", {'' if single else 'the first '}at {self._short(first)}" if first else ""
        if errors not in {"", "0"}:
            text = "it is an error" if only else f"{self._share(errors, 'error')} {_named(errors, 'error')}{began}"
            if failures not in {"", "0", errors}:
                text += f", and {self._share(failures, 'failure')} report failures in all"
            return text + (
                f"; {self._share(warnings, 'warning')} {_named(warnings, 'warning')}"
                if warnings not in {"", "0"}
                else ""
            )
        if failures not in {"", "0"}:
            verb = "reports a failure" if failures == "1" else "report failures"
            return "it reports a failure" if only else f"{self._share(failures, 'failure')} {verb}{began}"
        if warnings not in {"", "0"}:
            frequent = fact("most_frequent_warning")
            most = f", most often {_quote(frequent)}" if frequent else ""
            text = (
                "it is a warning" if only else f"{self._share(warnings, 'warning')} {_named(warnings, 'warning')}{most}"
            )
            return text if only else f"{text}; none is an error"
        return "it reports no trouble" if only else "none reports a failure"

    def _share(self, count: str, name: str) -> str:
        percent = self._entry.fact(f"{name}_percent")
        return f"{count} ({percent} %)" if percent else count

    def _occurrences(self) -> str:
        """How often, in which time, since when; what grew or is new about it."""
        return f"{self._subject()} {self._how_often()}{self._growth()}{self._novelty()}."

    def _how_often(self) -> str:
        entry, count = self._entry, self._entry.fact("count") or f"{self._entry.count:,}"
        if entry.count == 1:
            return f"came once{self._at(entry.first_time, ', at ')}{self._line(', in line ')}"
        errors = entry.fact("error_count")
        times = f"came {_times(count)}" + (
            f" ({errors} as {'an error' if errors == '1' else 'errors'})" if errors else ""
        )
        burst, span = entry.fact("burst_count"), entry.fact("burst_duration")
        if burst and burst == count:
            return f"{times} {_within(span)}{self._at(entry.onset_time, ', from ')}"
        if burst:
            return f"{times}, {burst} of them {_within(span)}{self._at(entry.onset_time, ' from ')}"
        duration = entry.fact("duration")
        if duration:
            return f"{times} in {duration}{self._at(entry.first_time, ', from ')}"
        same = entry.first_time == entry.last_time
        return times + self._at(entry.first_time, ", at " if same else ", from ") + self._line(", first in line ")

    def _growth(self) -> str:
        rates = self._rates()
        whose = "their" if self._plural() else "its"
        return f"; {whose} rate rose from {rates}{self._at(self._entry.onset_time, ' at ')}" if rates else ""

    def _rates(self) -> str:
        for unit in ("second", "minute", "hour", "day"):
            before, after = (self._entry.fact(f"rate_{when}_per_{unit}") for when in ("before", "after"))
            if before and after:
                return f"{before} to {after} per {unit}"
        return ""

    def _novelty(self) -> str:
        novelty = self._entry.fact("novelty")
        if not novelty:
            return ""
        return f"; they were {novelty}" if self._plural() else f"; it was {novelty}"

    def _new(self) -> str:
        entry = self._entry
        if entry.fact("state") != "recovered":
            return self._occurrences()
        last = self._at(entry.last_time, ", last at ")
        return (
            f"{self._subject()} followed{self._at(entry.first_time, ' at ')}."
            if entry.count == 1
            else (f"{self._subject()} followed {_times(entry.fact('count'))}{last}.")
        )

    def _grew(self) -> str:
        since = self._entry.fact("count_after")
        tail = f", {_times(since)} since" if since else ""
        rates = self._rates()
        if not rates:
            return self._occurrences()
        return f"{self._subject()} rose from {rates}{self._at(self._entry.onset_time, ' at ')}{tail}."

    def _stopped(self) -> str:
        until = self._entry.onset_time if self._entry.onset_time is not None else self._entry.last_time
        count = self._entry.fact("count")
        came = f"{self._subject()} came {_times(count)}{self._at(until, ' up to ')}"
        return f"{came} and then stopped, while the log went on."

    def _gap(self) -> str:
        where = self._range()
        return f"Nothing was logged for {self._entry.fact('duration')}{f' ({where})' if where else ''}."

    def _dominant(self) -> str:
        entry, share = self._entry, self._entry.fact("share_percent")
        if not share:
            return f"The record says {_quote(entry.exemplars[0].body)}."
        makes = "make" if self._plural() else "makes"
        return f"{self._subject()} {makes} up {share} % of the log ({self._records(entry.fact('count'))})."

    def _subject(self) -> str:
        """What the records are and say, in the plural where one example stands for different texts."""
        quoted = self._quoted()
        label = next((label for least, label in _LABELS if self._entry.severity_number >= least), "")
        if self._plural():
            return f"{label.capitalize() or 'Line'}s such as {quoted}"
        return f"The {label} {quoted}" if label else quoted

    def _plural(self) -> bool:
        entry = self._entry
        differ = entry.count > len(entry.exemplars) or len({record.body for record in entry.exemplars}) > 1
        return "<*>" in entry.template and differ and self._short_example() is not None

    def _short_example(self) -> str | None:
        body = self._entry.exemplars[0].body
        return body if len(body) <= _EXAMPLE_CHARACTERS or not self._has_words() else None

    def _has_words(self) -> bool:
        return len(_LITERAL.findall(self._entry.template.replace("<*>", " "))) > 1

    def _quoted(self) -> str:
        """The text itself where all records share it, a short example where they do not, else the template."""
        entry = self._entry
        if "<*>" not in entry.template or entry.count == 1 or self._short_example() is not None:
            return _quote(entry.exemplars[0].body)
        return _quote(entry.template.replace("<*>", "…"))

    def _records(self, count: str) -> str:
        return f"{count} record" if count == "1" else f"{count} records"

    def _line(self, before: str) -> str:
        line = self._entry.fact("first_line")
        return f"{before}{line}" if line else ""

    def _at(self, time: int | None, before: str) -> str:
        stamp = "" if time is None else _stamp(time)
        return f"{before}{self._short(stamp + ' UTC')}" if stamp else ""

    def _short(self, stamp: str) -> str:
        """A moment without its day, where the whole log lies in that one."""
        return stamp.removeprefix(f"{self._day} ") if self._day else stamp

    def _range(self) -> str:
        entry = self._entry
        start, end = (_stamp(time) if time is not None else "" for time in (entry.first_time, entry.last_time))
        if not start or not end or start == end:
            return f"{start} UTC" if start else ""
        same_day = start[:10] == end[:10]
        return f"{start} to {end[11:] if same_day else end} UTC"


def _times(count: str) -> str:
    return "twice" if count == "2" else f"{count} times"


def _within(span: str) -> str:
    return f"in {span}" if span.startswith("less") else f"within {span}"


def _named(count: str, noun: str) -> str:
    if count == "1":
        return f"is {'an' if noun == 'error' else 'a'} {noun}"
    return f"are {noun}s"


def _quote(text: str) -> str:
    """The text in backticks on one line, cut between words, with nothing in it that a browser could take for a link."""
    line = _MARKUP.sub(lambda match: "'" if match["tick"] else " ", _SCHEME.sub("", text))
    line = re.sub(r"\bwww\.", "", " ".join(line.split()), flags=re.IGNORECASE)
    if len(line) > _QUOTE_CHARACTERS:
        kept = re.match(rf"(.{{1,{_QUOTE_CHARACTERS}}})(?=\s)", line)
        return f"`{kept[1].rstrip()} …`" if kept else "a long text without spaces"
    return f"`{line}`" if line else "an empty text"
