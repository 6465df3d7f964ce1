"""What can be asked of logs, in domain words: the wishes that rpc hands to use cases and queries."""

from dataclasses import dataclass
from datetime import tzinfo
from uuid import UUID

from logs_service.domain import LogSource, LogState, LogStatus
from logs_service.patterns.record import Severity


@dataclass(frozen=True, slots=True)
class ReceiveLog:
    """Wanted: a log with the lines that come along."""

    name: str
    service: str
    """Empty when it is to be found in the lines."""
    source: LogSource
    timezone: tzinfo
    """Zone of times without one."""


@dataclass(frozen=True, slots=True)
class ResummarizeLog:
    """Wanted: a new summary."""

    log_id: UUID
    expected_version: int


@dataclass(frozen=True, slots=True)
class DecideSuggestion:
    """Wanted: an open suggestion taken, or dismissed."""

    log_id: UUID
    expected_version: int
    suggestion_id: UUID


@dataclass(frozen=True, slots=True)
class UpdateLogStatus:
    """Wanted: another human status."""

    log_id: UUID
    expected_version: int
    status: LogStatus
    reason: str


@dataclass(frozen=True, slots=True)
class UpdateLog:
    """Wanted: other tags, notes or severity; what is None stays."""

    log_id: UUID
    expected_version: int
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Narrows a list of logs; what is empty does not narrow."""

    states: tuple[LogState, ...] = ()
    statuses: tuple[LogStatus, ...] = ()
    service: str = ""
    text: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class LogRecordFilter:
    """Narrows a list of records; what is empty or None does not narrow. Times are nanoseconds since 1970 UTC."""

    log_id: UUID | None = None
    service: str = ""
    start_nanoseconds: int | None = None
    end_nanoseconds: int | None = None
    minimum_severity: Severity = Severity.UNSPECIFIED
    pattern_id: UUID | None = None
    text: str = ""
