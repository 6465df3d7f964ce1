"""The product's own code paths in the form that the figures are measured with."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime

from logs_service.patterns.analysis import LogAnalysis


def cluster(lines: list[str]) -> list[tuple[str, str]]:
    """Pattern id and template of each line; a line that was joined to a record has the pattern of that record."""
    analysis = LogAnalysis(now=datetime.now(UTC))
    starts: list[int] = []
    ids = []
    for pattern_id, record in analysis.records(("\n".join(lines).encode(),)):
        starts.append(record.raw_line_number)
        ids.append(pattern_id)
    templates = {stats.pattern_id: stats.template for stats in analysis.patterns()}
    results = []
    for number in range(1, len(lines) + 1):
        final = analysis.resolve(ids[max(bisect_right(starts, number) - 1, 0)])
        results.append((str(final), templates[final]))
    return results
