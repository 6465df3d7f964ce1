"""A whole log, read once: its patterns with counts, levels, times and examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from logs_service.patterns.header import HeaderDetector
from logs_service.patterns.miner import Pattern, PatternMiner
from logs_service.patterns.reader import LineReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from logs_service.patterns.record import ParsedRecord, Severity

RecordKey = int | str | UUID
_NANOSECONDS = 1_000_000_000


@dataclass
class PatternStats:
    """What is known of one pattern within a log."""

    pattern_id: UUID
    template: str
    count: int = 0
    severities: dict[Severity, int] = field(default_factory=dict)
    first_time: int | None = None
    """Nanoseconds since 1970 UTC, of the earliest record that states a time."""
    last_time: int | None = None
    buckets: dict[int, int] = field(default_factory=dict)
    """Records per bucket; the key is the start of the bucket in seconds since 1970 UTC."""
    exemplars: list[tuple[RecordKey, int | None, str]] = field(default_factory=list)
    """Records that stand for the pattern: (key, time, text)."""

    def observe(self, key: RecordKey, record: ParsedRecord, *, bucket_seconds: int, max_exemplars: int) -> None:
        """Counts one record of the pattern."""
        self.count += 1
        self.severities[record.severity] = self.severities.get(record.severity, 0) + 1
        time = record.time
        if time is not None:
            if self.first_time is None or time < self.first_time:
                self.first_time = time
            if self.last_time is None or time > self.last_time:
                self.last_time = time
            start = time // (_NANOSECONDS * bucket_seconds) * bucket_seconds
            self.buckets[start] = self.buckets.get(start, 0) + 1
        if len(self.exemplars) < max_exemplars:
            self.exemplars.append((key, time, record.body))

    def absorb(self, other: PatternStats, *, max_exemplars: int) -> None:
        """Adds what is known of a pattern that was merged into this one."""
        self.count += other.count
        for severity, count in other.severities.items():
            self.severities[severity] = self.severities.get(severity, 0) + count
        for start, count in other.buckets.items():
            self.buckets[start] = self.buckets.get(start, 0) + count
        firsts = [time for time in (self.first_time, other.first_time) if time is not None]
        lasts = [time for time in (self.last_time, other.last_time) if time is not None]
        self.first_time, self.last_time = min(firsts, default=None), max(lasts, default=None)
        self.exemplars = (self.exemplars + other.exemplars)[:max_exemplars]


class LogAnalysis:
    """Patterns of a log while it is read; `records` streams, `patterns` answers at any moment."""

    def __init__(
        self,
        *,
        now: datetime,
        timezone: tzinfo = UTC,
        redact: Callable[[str], str] | None = None,
        catalogue: Iterable[Pattern] = (),
        new_id: Callable[[], UUID] = uuid4,
        bucket_seconds: int = 60,
        max_exemplars: int = 3,
    ) -> None:
        self._reader = LineReader()
        self._headers = HeaderDetector(now=now, timezone=timezone)
        self._miner = PatternMiner(catalogue, new_id=new_id)
        self._redact = redact
        self._stats: dict[UUID, PatternStats] = {}
        self._bucket_seconds = bucket_seconds
        self._max_exemplars = max_exemplars
        self.total = 0
        """Records read so far."""

    def records(self, chunks: Iterable[bytes]) -> Iterator[tuple[UUID, ParsedRecord]]:
        """Each record with the provisional id of its pattern, as the input comes in."""
        for chunk in chunks:
            yield from self._take(self._headers.feed(self._reader.feed(chunk)))
        yield from self._take(self._headers.feed(self._reader.close()))
        yield from self._take(self._headers.close())
        self._miner.finish()

    def _take(self, parsed: list[ParsedRecord]) -> Iterator[tuple[UUID, ParsedRecord]]:
        for record in parsed:
            if self._redact is not None:
                record = record._replace(body=self._redact(record.body))  # noqa: PLW2901 - the redacted one
            pattern_id = self._miner.add(record.body)
            stats = self._stats.get(pattern_id)
            if stats is None:
                stats = self._stats[pattern_id] = PatternStats(pattern_id, "")
            stats.observe(record.raw_line_number, record, bucket_seconds=self._bucket_seconds,
                          max_exemplars=self._max_exemplars)  # fmt: skip
            self.total += 1
            yield pattern_id, record

    def resolve(self, pattern_id: UUID) -> UUID:
        """The final id of a provisional one."""
        return self._miner.resolve(pattern_id)

    def patterns(self) -> list[PatternStats]:
        """The patterns so far, the most frequent first; their counts add up to `total`."""
        merged: dict[UUID, PatternStats] = {}
        for pattern_id, stats in self._stats.items():
            final = self._miner.resolve(pattern_id)
            kept = merged.setdefault(final, PatternStats(final, self._miner.template(final)))
            kept.absorb(stats, max_exemplars=self._max_exemplars)
        return sorted(merged.values(), key=lambda stats: (-stats.count, stats.template))
