"""Logs as their statistics: patterns over a made-up span of time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from logs_service.evidence import Entry, EntryKind, Evidence, Exemplar, LogStats, PatternStats, Sentence, build_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

START = 1_800_000_000  # 2027-01-15 08:00:00 UTC
NANOSECONDS = 1_000_000_000
TRACE, DEBUG, INFO, WARN, ERROR, FATAL = 1, 5, 9, 13, 17, 21


def pattern(
    template: str,
    seconds: Sequence[float],
    severity: int = INFO,
    *,
    body: str = "",
    new_for_service: bool = False,
    bucket_seconds: int = 10,
) -> PatternStats:
    """A pattern with one record at each of these seconds after the start."""
    times = sorted(round((START + second) * NANOSECONDS) for second in seconds)
    picked = [times[0], times[len(times) // 2], times[-1]] if len(times) > 2 else times
    return PatternStats(
        pattern_id=f"pattern-{template}",
        template=template,
        count=len(times),
        severities={severity: len(times)},
        first_time=times[0],
        last_time=times[-1],
        buckets=dict(Counter(time // NANOSECONDS // bucket_seconds * bucket_seconds for time in times)),
        exemplars=[
            Exemplar(f"{template}#{position}", time, body or template.replace("<*>", "x"))
            for position, time in enumerate(picked)
        ],
        new_for_service=new_for_service,
    )


def timeless(template: str, lines: Sequence[int], severity: int = 0, *, new_for_service: bool = False) -> PatternStats:
    """A pattern whose records state no time."""
    picked = [lines[0], lines[len(lines) // 2], lines[-1]] if len(lines) > 2 else lines
    return PatternStats(
        pattern_id=f"pattern-{template}",
        template=template,
        count=len(lines),
        severities={severity: len(lines)},
        first_time=None,
        last_time=None,
        buckets={},
        exemplars=[Exemplar(f"{template}#{line}", None, template.replace("<*>", "x"), line) for line in picked],
        new_for_service=new_for_service,
    )


def every(seconds: float, *, until: float, since: float = 0.0) -> list[float]:
    """Evenly spaced seconds."""
    return [since + index * seconds for index in range(int((until - since) / seconds))]


def evidence_of(*patterns: PatternStats, bucket_seconds: int = 10, service: str = "api", name: str = "log") -> Evidence:
    """The evidence of a log that has these patterns."""
    count = sum(each.count for each in patterns)
    return build_evidence(LogStats(name, service, count, bucket_seconds, patterns))


def entry_of(evidence: Evidence, template: str) -> Entry | None:
    """The entry on a pattern."""
    return next((entry for entry in evidence.entries if entry.template == template), None)


def kinds(evidence: Evidence) -> list[EntryKind]:
    """What the entries are about, in order."""
    return [entry.kind for entry in evidence.entries]


def facts(entry: Entry) -> dict[str, str]:
    """The facts of an entry by name."""
    return {fact.name: fact.value for fact in entry.facts}


def builtin(evidence: Evidence) -> list[Sentence]:
    """A plain sentence for each entry."""
    return [
        Sentence(
            f"Built-in: {entry.exemplars[0].body}" if entry.template else f"There are {entry.count:,} records.",
            (entry.key,),
            (entry.exemplars[0].record_id,),
        )
        for entry in evidence.entries
    ]


def traffic(until: float = 900) -> PatternStats:
    """Two healthy lines a second."""
    return pattern("served <*>", every(0.5, until=until))
