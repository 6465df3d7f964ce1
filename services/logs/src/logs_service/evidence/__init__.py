"""Evidence of a log, and the check that a summary says nothing else. Pure: standard library only."""

from logs_service.evidence.build import build_evidence
from logs_service.evidence.check import check_sentences
from logs_service.evidence.model import (
    CheckedSentence,
    CheckedSummary,
    Entry,
    EntryKind,
    Evidence,
    Exemplar,
    Fact,
    LogStats,
    PatternStats,
    Sentence,
)

__all__ = [
    "CheckedSentence",
    "CheckedSummary",
    "Entry",
    "EntryKind",
    "Evidence",
    "Exemplar",
    "Fact",
    "LogStats",
    "PatternStats",
    "Sentence",
    "build_evidence",
    "check_sentences",
]
