"""The product's own code paths in the form that the figures are measured with."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime

from chassis.redaction import Kind, Redactor
from logs_service.patterns.analysis import LogAnalysis

_LABELS = {
    Kind.EMAIL: "EMAIL_ADDRESS",
    Kind.IP: "IP_ADDRESS",
    Kind.HOST: "HOST",
    Kind.PHONE: "PHONE_NUMBER",
    Kind.CARD: "CREDIT_CARD",
    Kind.IBAN: "IBAN_CODE",
    Kind.SSN: "US_SSN",
    Kind.URL: "URL",
    Kind.USER: "USERNAME",
}
_SECRET = "SECRET"


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


def redact(texts: list[str]) -> list[list[tuple[int, int, str]]]:
    """Spans that are taken out of tickets: what people write, and the log lines that they paste into it.

    Log text as such goes through the same detectors, except that web addresses stay in it: there they are evidence.
    """
    return _spans(Redactor().for_prose(), texts)


def redact_log(lines: list[str]) -> list[list[tuple[int, int, str]]]:
    """Spans that are taken out of log lines before they are stored."""
    return _spans(Redactor(), lines)


def _spans(redactor: Redactor, texts: list[str]) -> list[list[tuple[int, int, str]]]:
    return [[(f.start, f.end, _LABELS.get(f.kind, _SECRET)) for f in redactor.find(text)] for text in texts]
