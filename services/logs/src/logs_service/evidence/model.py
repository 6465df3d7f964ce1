"""What goes into evidence, what comes out of it, and what a checked summary is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ERROR_SEVERITY = 17
WARN_SEVERITY = 13


class EntryKind(IntEnum):
    """What an entry is about; the numbers are those of aiops.ai.v1.EntryKind."""

    OVERVIEW = 1
    DOMINANT = 2
    ERROR = 3
    NEW = 4
    GREW = 5
    STOPPED = 6
    GAP = 7
    BURST = 8


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A record that stands for others."""

    record_id: str
    time: int | None
    """Event time in nanoseconds since 1970 UTC; None when the record states none."""
    body: str
    """Redacted text."""
    line_number: int | None = None
    """Its first line in the input, from 1; gives the order of a log without times."""


@dataclass(frozen=True, slots=True)
class PatternStats:
    """The numbers of one pattern inside one log."""

    pattern_id: str
    template: str
    count: int
    severities: Mapping[int, int]
    """Records by OpenTelemetry SeverityNumber."""
    first_time: int | None
    last_time: int | None
    """Earliest and latest event time in nanoseconds since 1970 UTC."""
    buckets: Mapping[int, int]
    """Records by bucket start in seconds since 1970 UTC; without empty buckets and records that have no time."""
    exemplars: Sequence[Exemplar]
    """At least one; the first record of the pattern comes first."""
    new_for_service: bool = False
    """True when the service has earlier logs and none of them has the pattern."""


@dataclass(frozen=True, slots=True)
class LogStats:
    """The numbers of one log."""

    name: str
    service: str
    """Empty when unknown."""
    record_count: int
    bucket_seconds: int
    patterns: Sequence[PatternStats]
    """All patterns; their counts add up to record_count."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One value, ready to be said."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing worth saying about a log, with its numbers and its proof."""

    key: str
    kind: EntryKind
    severity_number: int
    pattern_id: str
    template: str
    count: int
    first_time: int | None
    last_time: int | None
    onset_time: int | None
    facts: tuple[Fact, ...]
    exemplars: tuple[Exemplar, ...]

    def fact(self, name: str) -> str:
        """The value of a fact, empty when the entry has none of that name."""
        return next((fact.value for fact in self.facts if fact.name == name), "")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a summary of a log may say."""

    digest: str
    log_name: str
    service: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement, the entries that it words and the records that it cites."""

    text: str
    entry_keys: tuple[str, ...]
    record_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence that may be stored."""

    text: str
    entry_keys: tuple[str, ...]
    record_ids: tuple[str, ...]
    source: Literal["answer", "builtin"]
    """Whether it stood in the answer, or is the built-in one in place of a refused or missing sentence."""


@dataclass(frozen=True, slots=True)
class CheckedSummary:
    """What may be stored; no sentence at all means that even the built-in ones failed."""

    sentences: tuple[CheckedSentence, ...]
    replaced_count: int
    """Sentences of the answer that failed the check."""
