"""Evidence of a log: the few things worth saying, ranked, each with its numbers and the records that prove it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from logs_service.evidence import timeline, wording
from logs_service.evidence.findings import (
    MAX_EXEMPLARS,
    Context,
    Finding,
    dominant,
    exemplar,
    find,
    is_failing,
    severity_of,
)
from logs_service.evidence.model import (
    ERROR_SEVERITY,
    WARN_SEVERITY,
    Entry,
    EntryKind,
    Evidence,
    Exemplar,
    Fact,
    LogStats,
    PatternStats,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_ENTRIES = 20
MAX_FAILURES = 6
_LIMITS = {
    EntryKind.BURST: 2,
    EntryKind.NEW: 3,
    EntryKind.GREW: 3,
    EntryKind.STOPPED: 2,
    EntryKind.DOMINANT: 2,
}
_MAX_JUDGED = 400
"""Patterns that are looked at: the most frequent ones, half of the places kept for those that report a failure."""
_WORD = re.compile(r"[A-Za-z]{3,}")
_COMMON_WORDS = frozenset(["the", "connection", "was", "after", "for", "from", "and", "with", "has", "lost", "seconds"])


def build_evidence(log: LogStats) -> Evidence:
    """The digest of a log with at least one record; the same numbers give the same digest, whatever the ids are.

    Raises:
        ValueError: the log has no pattern, or a pattern has no exemplar.
    """
    if not log.patterns or not all(pattern.exemplars for pattern in log.patterns):
        raise ValueError("evidence needs at least one pattern, and an exemplar of each")
    axis = timeline.build_axis([pattern.buckets for pattern in log.patterns], log.bucket_seconds)
    failing = [pattern for pattern in log.patterns if is_failing(pattern)]
    judged = _judged(log.patterns, failing)
    context = Context(log, axis, max(1, len(judged)))
    findings = [finding for pattern in judged if (finding := find(pattern, context)) is not None]
    chosen = _choose(findings, _gap(log, axis)) or [dominant(max(log.patterns, key=_frequency), context)]
    entries = [_overview(log, axis, failing), *chosen]
    keyed = tuple(replace(entry, key=f"E{rank}") for rank, entry in enumerate(entries[:MAX_ENTRIES], start=1))
    return Evidence(_digest(log.service, keyed), log.name, log.service, keyed)


def _frequency(pattern: PatternStats) -> tuple[int, str]:
    return pattern.count, pattern.template


def _judged(patterns: Sequence[PatternStats], failing: Sequence[PatternStats]) -> list[PatternStats]:
    def worst_first(pattern: PatternStats) -> tuple[int, int, str]:
        return -severity_of(pattern), -pattern.count, pattern.template

    kept = {id(pattern): pattern for pattern in sorted(failing, key=worst_first)[: _MAX_JUDGED // 2]}
    for pattern in sorted(patterns, key=_frequency, reverse=True)[: _MAX_JUDGED // 2]:
        kept.setdefault(id(pattern), pattern)
    return list(kept.values())


def _choose(findings: Iterable[Finding], silence: Entry | None) -> list[Entry]:
    """The entries after the overview: failures (the first recovery below its failure), silence, all else."""
    ranked = sorted(findings, key=lambda finding: (-finding.score, -finding.entry.count, finding.entry.template))
    failures = [finding.entry for finding in ranked if finding.failing][:MAX_FAILURES]
    for recovery in (finding.entry for finding in ranked if finding.recovery):
        position = _failure_recovered_from(recovery, failures)
        if position is not None:
            failures.insert(position + 1, recovery)
            break
    others: list[Entry] = []
    taken: Counter[EntryKind] = Counter()
    for finding in ranked:
        kind = finding.entry.kind
        if not finding.failing and not finding.recovery and taken[kind] < _LIMITS[kind]:
            taken[kind] += 1
            others.append(finding.entry)
    return [*failures, *([silence] if silence is not None else []), *others]


def _failure_recovered_from(recovery: Entry, failures: Sequence[Entry]) -> int | None:
    """Where the failure stands that shares a telling word with the recovery and came before it."""
    words = _words(recovery)
    for position, failure in enumerate(failures):
        started = failure.first_time is None or recovery.last_time is None or failure.first_time <= recovery.last_time
        if started and words & _words(failure):
            return position
    return None


def _words(entry: Entry) -> set[str]:
    return {word.lower() for word in _WORD.findall(entry.template)} - _COMMON_WORDS


def _overview(log: LogStats, axis: timeline.Axis | None, failing: Sequence[PatternStats]) -> Entry:
    severities: Counter[int] = Counter()
    for pattern in log.patterns:
        severities.update(pattern.severities)
    errors = sum(_errors(pattern) for pattern in log.patterns)
    warnings = sum(count for severity, count in severities.items() if WARN_SEVERITY <= severity < ERROR_SEVERITY)
    reported = sum(_errors(pattern) or pattern.count for pattern in failing)
    facts = [
        Fact("record_count", wording.number(log.record_count)),
        Fact("pattern_count", wording.number(len(log.patterns))),
        Fact("error_count", wording.number(errors)),
        Fact("warning_count", wording.number(warnings)),
        Fact("failure_count", wording.number(reported)),
    ]
    facts += [
        Fact(f"{name}_percent", wording.percent(count, log.record_count))
        for name, count in (("error", errors), ("warning", warnings), ("failure", reported))
        if count
    ]
    cited = _edges(log.patterns)
    erring = [pattern for pattern in log.patterns if severity_of(pattern) >= ERROR_SEVERITY] or list(failing)
    if erring:
        first = min(erring, key=_beginning)
        cited.insert(1, min(first.exemplars, key=_position))
        # Of a pattern that has other records as well, the first one may be no error.
        if first.first_time is not None and _errors(first) in {0, first.count}:
            name = "first_error_time" if errors else "first_failure_time"
            facts.append(Fact(name, wording.moment(first.first_time)))
    elif warnings:
        frequent = max(log.patterns, key=lambda pattern: (pattern.severities.get(WARN_SEVERITY, 0), pattern.template))
        cited.insert(1, frequent.exemplars[0])
        facts.append(Fact("most_frequent_warning", wording.excerpt(frequent.exemplars[0].body)))
    first_time, last_time = _span(log.patterns, axis)
    if first_time is not None and last_time is not None and last_time > first_time:
        facts.append(Fact("duration", wording.duration((last_time - first_time) / 1e9)))
    if axis is not None and axis.outside_count:
        facts.append(Fact("outside_count", wording.number(axis.outside_count)))
    unique = list({record.record_id: exemplar(record) for record in cited}.values())
    return Entry(
        key="",
        kind=EntryKind.OVERVIEW,
        severity_number=max((severity for severity, count in severities.items() if count), default=0),
        pattern_id="",
        template="",
        count=log.record_count,
        first_time=first_time,
        last_time=last_time,
        onset_time=None,
        facts=tuple(facts),
        exemplars=tuple(unique[:MAX_EXEMPLARS]),
    )


def _errors(pattern: PatternStats) -> int:
    return sum(count for severity, count in pattern.severities.items() if severity >= ERROR_SEVERITY)


def _beginning(pattern: PatternStats) -> tuple[int, tuple[int, int, str]]:
    return pattern.first_time or 0, _position(pattern.exemplars[0])


def _position(record: Exemplar) -> tuple[int, int, str]:
    """Order of records: by time, then by line; ids of one log rise with its lines."""
    return (record.time if record.time is not None else 0, record.line_number or 0, record.record_id)


def _edges(patterns: Sequence[PatternStats]) -> list[Exemplar]:
    records = [record for pattern in patterns for record in (pattern.exemplars[0], pattern.exemplars[-1])]
    return [min(records, key=_position), max(records, key=_position)]


def _span(patterns: Sequence[PatternStats], axis: timeline.Axis | None) -> tuple[int | None, int | None]:
    if axis is None:
        return None, None
    times = [
        time
        for pattern in patterns
        for time in (pattern.first_time, pattern.last_time)
        if time is not None and axis.holds(time)
    ]
    return min(times, default=axis.time_of(0)), max(times, default=axis.time_of(len(axis.totals)))


def _gap(log: LogStats, axis: timeline.Axis | None) -> Entry | None:
    silence = timeline.find_silence(axis.totals) if axis is not None else None
    if axis is None or silence is None:
        return None
    start, end = axis.time_of(silence.onset_index), axis.time_of(silence.onset_index + silence.bucket_count)
    records = [record for pattern in log.patterns for record in pattern.exemplars if record.time is not None]
    around = [
        max((record for record in records if (record.time or 0) < start), key=_position, default=None),
        min((record for record in records if (record.time or 0) >= end), key=_position, default=None),
    ]
    cited = tuple(exemplar(record) for record in around if record is not None) or (exemplar(_edges(log.patterns)[0]),)
    return Entry(
        key="",
        kind=EntryKind.GAP,
        severity_number=0,
        pattern_id="",
        template="",
        count=0,
        first_time=start,
        last_time=end,
        onset_time=start,
        facts=(Fact("duration", wording.duration((end - start) / 1e9)),),
        exemplars=cited,
    )


def _digest(service: str, entries: Sequence[Entry]) -> str:
    """SHA-256 over all that a sentence may say. Ids are left out: they differ each time the same log is stored."""
    canonical = [
        service,
        [
            [
                entry.kind.value,
                entry.severity_number,
                entry.template,
                entry.count,
                [entry.first_time, entry.last_time, entry.onset_time],
                [[fact.name, fact.value] for fact in entry.facts],
                [[record.time, record.body] for record in entry.exemplars],
            ]
            for entry in entries
        ],
    ]
    return hashlib.sha256(json.dumps(canonical, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
