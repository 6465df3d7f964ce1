"""What is worth saying about one pattern: its part in the log, and how it changed over time."""

from __future__ import annotations

from dataclasses import dataclass

from logs_service.evidence import timeline, wording
from logs_service.evidence.failure import reports_failure, says_recovery
from logs_service.evidence.model import (
    ERROR_SEVERITY,
    WARN_SEVERITY,
    Entry,
    EntryKind,
    Exemplar,
    Fact,
    LogStats,
    PatternStats,
)

MAX_EXEMPLARS = 5
_DOMINANT_SHARE = 0.2
_BURST_SECONDS = 3600
"""What is called short, in a log of up to 100 hours; a hundredth of the whole in a longer one."""
_FATAL_SEVERITY = 21
_INFO_SEVERITY = 9


@dataclass(frozen=True, slots=True)
class Context:
    """The log that patterns are judged against."""

    log: LogStats
    axis: timeline.Axis | None
    tests: int
    """Number of patterns that are tested; each finding must stand against all of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An entry before it has its rank."""

    score: float
    entry: Entry
    failing: bool = False
    recovery: bool = False


def severity_of(pattern: PatternStats) -> int:
    """The worst severity of WARN and above that the records have, else the most frequent one."""
    worst = max((severity for severity, count in pattern.severities.items() if count), default=0)
    if worst >= WARN_SEVERITY:
        return worst
    return max(pattern.severities, key=lambda severity: (pattern.severities[severity], severity), default=0)


def is_failing(pattern: PatternStats) -> bool:
    """True when the pattern reports that something went wrong."""
    return reports_failure(severity_of(pattern), pattern.template, [record.body for record in pattern.exemplars])


def find(pattern: PatternStats, context: Context) -> Finding | None:
    """The most telling thing about a pattern; None when there is nothing to tell."""
    facts = [Fact("count", wording.number(pattern.count))]
    severity, failure = severity_of(pattern), is_failing(pattern)
    if context.log.record_count > 1:
        facts.append(Fact("share_percent", wording.percent(pattern.count, context.log.record_count)))
    errors = sum(count for level, count in pattern.severities.items() if level >= ERROR_SEVERITY)
    if 0 < errors < pattern.count:
        facts.append(Fact("error_count", wording.number(errors)))
    facts += _span_facts(pattern)
    kind, onset, bonus = _change(pattern, context, facts, failure=failure)
    if failure and not (kind is EntryKind.BURST and severity < ERROR_SEVERITY):
        kind = EntryKind.ERROR
    recovery = kind is None and any(says_recovery(exemplar.body) for exemplar in pattern.exemplars)
    if recovery:
        kind = EntryKind.NEW
        facts.append(Fact("state", "recovered"))
    if kind is None:
        if pattern.count < timeline.MIN_COUNT or pattern.count < _DOMINANT_SHARE * context.log.record_count:
            return None
        kind = EntryKind.DOMINANT
    score = _score(kind, severity, pattern.count, bonus, failure=failure)
    return Finding(score, _entry(pattern, kind, severity, onset, facts), failure, recovery)


def dominant(pattern: PatternStats, context: Context) -> Entry:
    """The pattern as the most frequent one, however rare it is."""
    facts = [Fact("count", wording.number(pattern.count))]
    if context.log.record_count > 1:
        facts.append(Fact("share_percent", wording.percent(pattern.count, context.log.record_count)))
    return _entry(pattern, EntryKind.DOMINANT, severity_of(pattern), None, facts)


def exemplar(record: Exemplar) -> Exemplar:
    """The record with its text cut to what an entry holds."""
    return Exemplar(record.record_id, record.time, wording.excerpt(record.body), record.line_number)


def _entry(pattern: PatternStats, kind: EntryKind, severity: int, onset: int | None, facts: list[Fact]) -> Entry:
    return Entry(
        key="",
        kind=kind,
        severity_number=severity,
        pattern_id=pattern.pattern_id,
        template=pattern.template,
        count=pattern.count,
        first_time=pattern.first_time,
        last_time=pattern.last_time,
        onset_time=onset,
        facts=tuple(facts),
        exemplars=tuple(exemplar(record) for record in pattern.exemplars[:MAX_EXEMPLARS]),
    )


def _span_facts(pattern: PatternStats) -> list[Fact]:
    if pattern.first_time is not None and pattern.last_time is not None:
        seconds = (pattern.last_time - pattern.first_time) / 1e9
        return [Fact("duration", wording.duration(seconds))] if pattern.count > 1 and seconds > 0 else []
    first = pattern.exemplars[0].line_number
    return [] if first is None else [Fact("first_line", wording.number(first))]


def _change(
    pattern: PatternStats, context: Context, facts: list[Fact], *, failure: bool
) -> tuple[EntryKind | None, int | None, float]:
    """How the pattern changed over time, since when, and what that adds to its score; its numbers join the facts."""
    share_before = _share_before(pattern, context)
    occurrences = pattern.count if failure or not pattern.buckets else len(pattern.buckets)
    late = timeline.starts_late(occurrences=occurrences, share_before=share_before, tests=context.tests)
    if pattern.new_for_service:
        facts.append(Fact("novelty", "not seen before in this service"))
    elif late:
        facts.append(Fact("novelty", "not seen before in this log"))
    onset = pattern.first_time if pattern.new_for_service or late else None
    burst = _burst(pattern, context)
    if burst is not None:
        facts += burst[1]
        return EntryKind.BURST, burst[0], 1.0 if late or pattern.new_for_service else 0.7
    if onset is not None or pattern.new_for_service or late:
        return EntryKind.NEW, onset, 1.0
    if context.axis is None:
        return None, None, 0.0
    counts = context.axis.place(pattern.buckets)
    growth = timeline.find_growth(counts, context.axis.totals, context.axis.bucket_seconds, context.tests)
    if growth is not None:
        unit, seconds = wording.rate(growth.rate_before_per_second)
        facts += [
            Fact(f"rate_before_per_{unit}", wording.number(growth.rate_before_per_second * seconds)),
            Fact(f"rate_after_per_{unit}", wording.number(growth.rate_after_per_second * seconds)),
            Fact("count_before", wording.number(growth.count_before)),
            Fact("count_after", wording.number(growth.count_after)),
        ]
        return EntryKind.GREW, context.axis.time_of(growth.onset_index), 0.7
    if timeline.find_stop(counts, context.axis.totals, context.tests) is not None:
        return EntryKind.STOPPED, pattern.last_time, 0.0
    return None, None, 0.0


def _burst(pattern: PatternStats, context: Context) -> tuple[int, list[Fact]] | None:
    axis = context.axis
    if axis is None:
        return None
    longest_seconds = max(_BURST_SECONDS, len(axis.totals) * axis.bucket_seconds // 100)
    widest = max(1, longest_seconds // axis.bucket_seconds)
    burst = timeline.find_burst(axis.place(pattern.buckets), axis.totals, context.tests, widest=widest)
    if burst is None:
        return None
    if burst.count == pattern.count and pattern.first_time is not None and pattern.last_time is not None:
        # Exact times say more than the buckets that hold them.
        span, onset = (pattern.last_time - pattern.first_time) / 1e9, pattern.first_time
    else:
        span, onset = float(burst.bucket_count * axis.bucket_seconds), axis.time_of(burst.onset_index)
    if span > longest_seconds:
        return None
    return onset, [Fact("burst_count", wording.number(burst.count)), Fact("burst_duration", wording.duration(span))]


def _share_before(pattern: PatternStats, context: Context) -> float:
    """The part of the other records that lies before the pattern's first one."""
    others = context.log.record_count - pattern.count
    axis = context.axis
    if axis is not None and pattern.buckets:
        first = min(pattern.buckets)
        index = min(max(0, (first - axis.start_second) // axis.bucket_seconds), len(axis.totals))
        timed_others = sum(axis.totals) - sum(axis.place(pattern.buckets))
        return sum(axis.totals[:index]) / timed_others if timed_others > 0 else 0.0
    line = pattern.exemplars[0].line_number
    if line is None or others <= 0 or pattern.buckets or context.axis is not None:
        return 0.0
    return min(1.0, (line - 1) / (others + pattern.count))


def _score(kind: EntryKind, severity: int, count: int, bonus: float, *, failure: bool) -> float:
    weight = min(2.0, 0.2 * count.bit_length())
    if failure:
        if severity >= _FATAL_SEVERITY:
            return 6.0 + weight + bonus
        if severity >= ERROR_SEVERITY:
            return 4.0 + weight + bonus
        return (1.5 if _INFO_SEVERITY <= severity < WARN_SEVERITY else 2.5) + weight + bonus
    base = {EntryKind.STOPPED: 2.0, EntryKind.DOMINANT: 0.5}.get(kind, 1.0)
    return base + 0.5 * weight + bonus + (1.0 if severity >= WARN_SEVERITY else 0.0)
