"""A log and what may happen to it: two state machines, one for the machine and one for people. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Self
from uuid import UUID

from chassis.cleaning import clean_line
from chassis.errors import InvalidArgument
from logs_service.errors import (
    LogStatusTransitionInvalid,
    LogSuggestionNotFound,
    LogSummaryInProgress,
    LogTooLarge,
)
from logs_service.facts import (
    LogReceived,
    LogStatusUpdated,
    LogSuggestionAccepted,
    LogSuggestionDismissed,
    LogSummarized,
    LogSummaryFailed,
    LogSummarySuggested,
    LogUpdated,
)
from logs_service.patterns.record import Severity

MAXIMUM_PASTE_BYTES = 1_000_000
MAXIMUM_UPLOAD_BYTES = 52_428_800
MAXIMUM_NAME_CHARACTERS = 200
MAXIMUM_SERVICE_CHARACTERS = 200
SUMMARY_LOST_AFTER = timedelta(minutes=10)
"""Longer than a summary is tried for. A broker that lost its disk has lost the event with it."""
MAXIMUM_NOTES_CHARACTERS = 10_000
MAXIMUM_REASON_CHARACTERS = 500
MAXIMUM_TAGS = 20
MAXIMUM_TAG_CHARACTERS = 50


class LogSource(StrEnum):
    """How the records of a log arrived."""

    PASTE = "PASTE"
    UPLOAD = "UPLOAD"
    STREAM = "STREAM"


class LogState(StrEnum):
    """How far the machine is with a log."""

    RECEIVED = "RECEIVED"
    SUMMARIZED = "SUMMARIZED"
    FAILED = "FAILED"


class LogStatus(StrEnum):
    """How far people are with a log."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


STATUS_MOVES: Mapping[LogStatus, tuple[LogStatus, ...]] = MappingProxyType({
    LogStatus.OPEN: (LogStatus.ACKNOWLEDGED,),
    LogStatus.ACKNOWLEDGED: (LogStatus.RESOLVED, LogStatus.OPEN),
    LogStatus.RESOLVED: (LogStatus.OPEN,),
})  # fmt: skip
"""Where a person may move a log from each status."""


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """One statement about a log with the records that it rests on."""

    text: str
    record_ids: tuple[UUID, ...]
    entry_keys: tuple[str, ...]
    engine: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a log says, with its proof."""

    sentences: tuple[SummarySentence, ...]
    engine: str
    model: str
    run_id: str
    evidence_digest: str
    created_at: datetime
    fallback_reason: str
    replaced_sentence_count: int
    read_version: int = 0
    """Version of the log that it was made from; 0 for one from before this was noted."""


@dataclass(frozen=True, slots=True)
class SummarySuggestion:
    """A summary that the log did not wait for any more when it came: people take it or dismiss it."""

    id: UUID
    summary: Summary
    suggested_at: datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """What was found in the input of a log. Times are nanoseconds since 1970 UTC."""

    record_count: int
    line_count: int
    byte_count: int
    severity_counts: Mapping[Severity, int]
    first_time_nanoseconds: int | None
    last_time_nanoseconds: int | None
    first_record_id: UUID
    last_record_id: UUID

    @property
    def worst_severity(self) -> Severity:
        """The worst severity that any record has."""
        return max(self.severity_counts, default=Severity.UNSPECIFIED)


@dataclass(frozen=True, slots=True)
class LogPattern:
    """A mined template; its id stays when it becomes more general, and its version counts that."""

    id: UUID
    version: int
    template: str
    service: str
    first_log_id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One immutable ingested line, or several that belong together; its text was redacted before it was stored."""

    id: UUID
    log_id: UUID
    pattern_id: UUID
    line_number: int
    time_nanoseconds: int | None
    observed_time: datetime
    severity: Severity
    severity_text: str
    body: str
    attributes: Mapping[str, str]
    service: str
    trace_id: str
    truncated: bool


@dataclass(frozen=True, slots=True)
class LogPatternCount:
    """A pattern with its numbers inside one log."""

    pattern: LogPattern
    count: int
    severity_counts: Mapping[Severity, int]
    first_time_nanoseconds: int | None
    last_time_nanoseconds: int | None
    exemplar_record_ids: tuple[UUID, ...]
    buckets: Mapping[int, int]
    """Number of records by the start of their bucket, in seconds since 1970 UTC; empty ones are left out."""
    bucket_seconds: int
    new_for_service: bool


@dataclass(frozen=True, slots=True)
class LogHistogramBucket:
    """The records of one span of time."""

    start_seconds: int
    """Since 1970 UTC, inclusive."""
    severity_counts: Mapping[Severity, int]


@dataclass(frozen=True, slots=True)
class LogHistogram:
    """How the records of a log are spread over time: adjacent buckets of one width."""

    bucket_seconds: int
    buckets: tuple[LogHistogramBucket, ...]
    untimed_count: int


@dataclass(frozen=True, slots=True)
class Log:
    """A named set of records that gets summarised."""

    id: UUID
    version: int
    name: str
    service: str
    source: LogSource
    contents: Contents
    created_by_kind: str
    created_by_id: str
    created_at: datetime
    updated_at: datetime
    severity: Severity
    state: LogState = LogState.RECEIVED
    status: LogStatus = LogStatus.OPEN
    status_reason: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    summary: Summary | None = None
    failure: str = ""
    summary_requested_version: int = 1
    """Version with which the log began to wait for a summary, the last time."""
    summary_suggestions: tuple[SummarySuggestion, ...] = ()
    """The oldest first."""

    pattern_count: int = 0
    """Patterns that the records have today; counted when read, so that merges of later logs are seen."""

    def received(self) -> LogReceived:
        """The fact that the log waits for its summary."""
        return LogReceived(self.id, self.version, self.service, self.contents.record_count)

    def resummarized(self, *, at: datetime) -> tuple[Self, LogReceived]:
        """The log waiting for a summary anew; also one that has waited so long that its event must be lost.

        Raises:
            LogSummaryInProgress: it waits already.
        """
        if self.state is LogState.RECEIVED and at - self.updated_at < SUMMARY_LOST_AFTER:
            minutes = SUMMARY_LOST_AFTER // timedelta(minutes=1)
            raise LogSummaryInProgress(
                f"the log is being summarised already; wait for its state to change, or ask again in {minutes} minutes"
            )
        log = self._changed(
            at, state=LogState.RECEIVED, summary=None, failure="", summary_requested_version=self.version + 1
        )
        return log, log.received()

    def awaits_summary_of(self, read_version: int) -> bool:
        """Whether the log waits for a summary made from that version: tags, notes and status may have changed since."""
        return self.state is LogState.RECEIVED and self.summary_requested_version <= read_version

    def summarized(self, summary: Summary, *, at: datetime) -> tuple[Self, LogSummarized]:
        """The log with its summary; only for one that waits for it."""
        log = self._changed(at, state=LogState.SUMMARIZED, summary=summary, failure="")
        return log, LogSummarized(log.id, log.version, log.service, summary.engine, log.severity)

    def summary_suggested(
        self, suggestion_id: UUID, summary: Summary, *, at: datetime
    ) -> tuple[Self, LogSummarySuggested]:
        """The log as it is, and beside it a summary that it does not wait for."""
        suggestions = (*self.summary_suggestions, SummarySuggestion(suggestion_id, summary, at))
        log = self._changed(at, summary_suggestions=suggestions)
        return log, LogSummarySuggested(log.id, log.version, suggestion_id, summary.engine)

    def suggestion_accepted(self, suggestion_id: UUID, *, at: datetime) -> tuple[Self, LogSuggestionAccepted]:
        """The log with a suggested summary in place of what it had, or waited for.

        Raises:
            LogSuggestionNotFound: no such suggestion is open.
        """
        taken, others = self._suggestion(suggestion_id)
        log = self._changed(
            at, state=LogState.SUMMARIZED, summary=taken.summary, failure="", summary_suggestions=others
        )
        return log, LogSuggestionAccepted(log.id, log.version, suggestion_id)

    def suggestion_dismissed(self, suggestion_id: UUID, *, at: datetime) -> tuple[Self, LogSuggestionDismissed]:
        """The log without a suggested summary.

        Raises:
            LogSuggestionNotFound: no such suggestion is open.
        """
        _, others = self._suggestion(suggestion_id)
        log = self._changed(at, summary_suggestions=others)
        return log, LogSuggestionDismissed(log.id, log.version, suggestion_id)

    def summary_failed(self, failure: str, *, at: datetime) -> tuple[Self, LogSummaryFailed]:
        """The log without a summary and with the reason why; only for one that waits for it."""
        log = self._changed(at, state=LogState.FAILED, summary=None, failure=failure)
        return log, LogSummaryFailed(log.id, log.version, failure)

    def moved_to(self, status: LogStatus, reason: str, *, at: datetime) -> tuple[Self, LogStatusUpdated]:
        """The log in another human status.

        Raises:
            LogStatusTransitionInvalid: the state machine knows no such move.
        """
        if status not in STATUS_MOVES[self.status]:
            allowed = " or ".join(STATUS_MOVES[self.status])
            raise LogStatusTransitionInvalid(
                f"the log is {self.status} and cannot become {status}; from here it may become {allowed}",
                **{"from": self.status, "to": status},
            )
        log = self._changed(at, status=status, status_reason=reason)
        return log, LogStatusUpdated(log.id, log.version, self.status, status)

    def updated(
        self,
        *,
        tags: tuple[str, ...] | None = None,
        notes: str | None = None,
        severity: Severity | None = None,
        at: datetime,
    ) -> tuple[Self, LogUpdated | None]:
        """The log with what is given replaced; no fact when that changes nothing."""
        wanted: dict[str, object] = {"tags": tags, "notes": notes, "severity": severity}
        changes = {name: new for name, new in wanted.items() if new is not None and new != getattr(self, name)}
        if not changes:
            return self, None
        log = self._changed(at, **changes)
        return log, LogUpdated(log.id, log.version, tuple(changes))

    def _suggestion(self, suggestion_id: UUID) -> tuple[SummarySuggestion, tuple[SummarySuggestion, ...]]:
        others = tuple(each for each in self.summary_suggestions if each.id != suggestion_id)
        for suggestion in self.summary_suggestions:
            if suggestion.id == suggestion_id:
                return suggestion, others
        raise LogSuggestionNotFound(suggestion_id)

    def _changed(self, at: datetime, **changes: object) -> Self:
        return replace(self, version=self.version + 1, updated_at=at, **changes)  # type: ignore[arg-type]


def guard_size(byte_count: int, *, maximum_bytes: int) -> None:
    """Let an input pass that is small enough for its way in.

    Raises:
        LogTooLarge: it is not.
    """
    if byte_count > maximum_bytes:
        hint = "upload it as a file" if maximum_bytes < MAXIMUM_UPLOAD_BYTES else "split it into several files"
        raise LogTooLarge(f"a log may have {maximum_bytes:,} bytes here; {hint}", maximum_bytes=str(maximum_bytes))


def clean_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Tags in lower case with single blanks, each once, in the order given.

    Raises:
        InvalidArgument: a tag is empty or too long, or there are too many.
    """
    cleaned = tuple(
        dict.fromkeys(
            clean_line(" ".join(tag.lower().split()), field="tags", minimum=1, maximum=MAXIMUM_TAG_CHARACTERS)
            for tag in tags
        )
    )
    if len(cleaned) > MAXIMUM_TAGS:
        raise InvalidArgument(f"a log has at most {MAXIMUM_TAGS} tags, these are {len(cleaned)}", field="tags")
    return cleaned
