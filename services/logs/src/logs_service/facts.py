"""What happens to a log: each becomes one event and one row of its history. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from logs_service.domain import LogStatus
    from logs_service.patterns.record import Severity


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
class LogSummarySuggested:
    """A summary came that the log did not wait for any more; it was kept for people to decide."""

    log_id: UUID
    version: int
    suggestion_id: UUID
    engine: str


@dataclass(frozen=True, slots=True)
class LogSuggestionAccepted:
    """A person took a suggested summary; it is the log's summary now."""

    log_id: UUID
    version: int
    suggestion_id: UUID


@dataclass(frozen=True, slots=True)
class LogSuggestionDismissed:
    """A person does not want a suggested summary."""

    log_id: UUID
    version: int
    suggestion_id: UUID
