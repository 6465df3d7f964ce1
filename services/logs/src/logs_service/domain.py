"""A log and what may happen to it: two state machines, one for the machine and one for people. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from chassis.cleaning import clean_line
from chassis.errors import InvalidArgument
from logs_service.errors import LogStatusTransitionInvalid, LogSummaryInProgress, LogTooLarge
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

    def may_become(self, status: Self) -> bool:
        """Whether a person may move a log from here to that status."""
        if self is LogStatus.OPEN:
            return status is LogStatus.ACKNOWLEDGED
        return status is LogStatus.OPEN or (self is LogStatus.ACKNOWLEDGED and status is LogStatus.RESOLVED)


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
class LogReceived:
    """A log was stored, or sent back, and waits for its summary."""

    log_id: UUID
    version: int
    service: str
    record_count: int


@dataclass(frozen=True, slots=True)
class LogSummarized:
    """A log got its summary."""

    log_id: UUID
    version: int
    service: str
    engine: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class LogSummaryFailed:
    """No summary could be made."""

    log_id: UUID
    version: int
    failure: str


@dataclass(frozen=True, slots=True)
class LogStatusUpdated:
    """A person moved the human status."""

    log_id: UUID
    version: int
    previous_status: LogStatus
    status: LogStatus


@dataclass(frozen=True, slots=True)
class LogUpdated:
    """A person changed tags, notes or severity."""

    log_id: UUID
    version: int
    changed_fields: tuple[str, ...]


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
        log = self._changed(at, state=LogState.RECEIVED, summary=None, failure="")
        return log, log.received()

    def summarized(self, summary: Summary, *, at: datetime) -> tuple[Self, LogSummarized]:
        """The log with its summary; only for one that waits for it."""
        log = self._changed(at, state=LogState.SUMMARIZED, summary=summary, failure="")
        return log, LogSummarized(log.id, log.version, log.service, summary.engine, log.severity)

    def summary_failed(self, failure: str, *, at: datetime) -> tuple[Self, LogSummaryFailed]:
        """The log without a summary and with the reason why; only for one that waits for it."""
        log = self._changed(at, state=LogState.FAILED, summary=None, failure=failure)
        return log, LogSummaryFailed(log.id, log.version, failure)

    def moved_to(self, status: LogStatus, reason: str, *, at: datetime) -> tuple[Self, LogStatusUpdated]:
        """The log in another human status.

        Raises:
            LogStatusTransitionInvalid: the state machine knows no such move.
        """
        if not self.status.may_become(status):
            allowed = " or ".join(other for other in LogStatus if self.status.may_become(other))
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
