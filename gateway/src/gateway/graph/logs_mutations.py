"""What changes logs."""

from typing import Annotated, TypeAlias

import strawberry

from aiops.logs.v1 import logs_service_pb2 as pb
from gateway.context import Info
from gateway.graph.errors import ChangeRefusal, ForbiddenError, WriteRefusal
from gateway.graph.log_records import Severity
from gateway.graph.logs import Log, LogStatus
from gateway.graph.writes import WriteInput, idempotency_key


@strawberry.input
class SummarizeLogInput(WriteInput):
    """Text to store and summarise."""

    name: str
    """Name of the log, 1 to 200 characters."""
    text: str
    """The lines, at most 1,000,000 bytes in UTF-8; send more to `POST /v1/logs/upload`."""
    service: str | None = None
    """Service that wrote it; found in the lines when absent."""
    timezone: str | None = None
    """IANA zone of times without one; UTC when absent."""


@strawberry.type
class SummarizeLogSuccess:
    """The log is stored; its summary follows. `logUpdates` tells when."""

    log: Log
    """The log, in state RECEIVED."""


SummarizeLogResult: TypeAlias = Annotated[
    SummarizeLogSuccess | WriteRefusal | ForbiddenError,
    strawberry.union("SummarizeLogResult", description="How `summarizeLog` ends."),
]


@strawberry.input
class ResummarizeLogInput(WriteInput):
    """The log to summarise anew."""

    log_id: strawberry.ID
    """Which log."""
    expected_version: int
    """Version of it that was read."""


@strawberry.type
class ResummarizeLogSuccess:
    """The log waits for its next summary."""

    log: Log
    """The log, in state RECEIVED."""


ResummarizeLogResult: TypeAlias = Annotated[
    ResummarizeLogSuccess | ChangeRefusal,
    strawberry.union("ResummarizeLogResult", description="How `resummarizeLog` ends."),
]


@strawberry.input
class UpdateLogStatusInput(WriteInput):
    """The next status of a log."""

    log_id: strawberry.ID
    """Which log."""
    expected_version: int
    """Version of it that was read."""
    status: LogStatus
    """The new status."""
    reason: str | None = None
    """Why; at most 500 characters."""


@strawberry.type
class UpdateLogStatusSuccess:
    """The status is moved."""

    log: Log
    """The changed log."""


UpdateLogStatusResult: TypeAlias = Annotated[
    UpdateLogStatusSuccess | ChangeRefusal,
    strawberry.union("UpdateLogStatusResult", description="How `updateLogStatus` ends."),
]


@strawberry.input
class UpdateLogInput(WriteInput):
    """What to replace; what is absent stays."""

    log_id: strawberry.ID
    """Which log."""
    expected_version: int
    """Version of it that was read."""
    tags: list[str] | None = None
    """The new tags: lower-case labels of 1 to 50 characters, at most 20."""
    notes: str | None = None
    """The new notes, at most 10,000 characters."""
    severity: Severity | None = None
    """The new severity."""


@strawberry.type
class UpdateLogSuccess:
    """The log is changed."""

    log: Log
    """The changed log."""


UpdateLogResult: TypeAlias = Annotated[
    UpdateLogSuccess | ChangeRefusal,
    strawberry.union("UpdateLogResult", description="How `updateLog` ends."),
]


@strawberry.input
class LogSuggestionInput(WriteInput):
    """A summary that waits for a person."""

    log_id: strawberry.ID
    """Which log."""
    expected_version: int
    """Version of it that was read."""
    suggestion_id: strawberry.ID
    """Which of its suggestions."""


@strawberry.input
class AcceptLogSuggestionInput(LogSuggestionInput):
    """The summary to take."""


@strawberry.type
class AcceptLogSuggestionSuccess:
    """The suggested summary is the log's."""

    log: Log
    """The log, in state SUMMARIZED."""


AcceptLogSuggestionResult: TypeAlias = Annotated[
    AcceptLogSuggestionSuccess | ChangeRefusal,
    strawberry.union("AcceptLogSuggestionResult", description="How `acceptLogSuggestion` ends."),
]


@strawberry.input
class DismissLogSuggestionInput(LogSuggestionInput):
    """The summary to put away."""


@strawberry.type
class DismissLogSuggestionSuccess:
    """The suggestion waits no more."""

    log: Log
    """The changed log."""


DismissLogSuggestionResult: TypeAlias = Annotated[
    DismissLogSuggestionSuccess | ChangeRefusal,
    strawberry.union("DismissLogSuggestionResult", description="How `dismissLogSuggestion` ends."),
]


@strawberry.type
class LogsMutation:
    """Changes of logs."""

    @strawberry.mutation
    async def summarize_log(self, info: Info, input: SummarizeLogInput) -> SummarizeLogResult:  # noqa: A002
        """Store pasted text as a log, whole or not at all; its summary follows in the background."""
        logs = info.context.logs
        request = pb.SummarizeLogRequest(
            idempotency_key=idempotency_key(info, input),
            name=input.name,
            text=input.text,
            service=input.service or "",
            timezone=input.timezone or "",
        )
        return SummarizeLogSuccess(log=Log.of((await logs.call(logs.rpc.SummarizeLog, request)).log))

    @strawberry.mutation
    async def resummarize_log(self, info: Info, input: ResummarizeLogInput) -> ResummarizeLogResult:  # noqa: A002
        """Send a log back to be summarised anew."""
        logs = info.context.logs
        request = pb.ResummarizeLogRequest(
            idempotency_key=idempotency_key(info, input),
            log_id=input.log_id,
            expected_version=input.expected_version,
        )
        return ResummarizeLogSuccess(log=Log.of((await logs.call(logs.rpc.ResummarizeLog, request)).log))

    @strawberry.mutation
    async def update_log_status(self, info: Info, input: UpdateLogStatusInput) -> UpdateLogStatusResult:  # noqa: A002
        """Move the human status: OPEN to ACKNOWLEDGED to RESOLVED, and back to OPEN from either."""
        logs = info.context.logs
        request = pb.UpdateLogStatusRequest(
            idempotency_key=idempotency_key(info, input),
            log_id=input.log_id,
            expected_version=input.expected_version,
            status=input.status.value,
            reason=input.reason or "",
        )
        return UpdateLogStatusSuccess(log=Log.of((await logs.call(logs.rpc.UpdateLogStatus, request)).log))

    @strawberry.mutation
    async def update_log(self, info: Info, input: UpdateLogInput) -> UpdateLogResult:  # noqa: A002
        """Replace tags, notes or severity."""
        logs = info.context.logs
        request = pb.UpdateLogRequest(
            idempotency_key=idempotency_key(info, input),
            log_id=input.log_id,
            expected_version=input.expected_version,
            tags=pb.TagList(tags=input.tags) if input.tags is not None else None,
            notes=input.notes,
            severity=input.severity.value if input.severity else None,
        )
        return UpdateLogSuccess(log=Log.of((await logs.call(logs.rpc.UpdateLog, request)).log))

    @strawberry.mutation
    async def accept_log_suggestion(
        self,
        info: Info,
        input: AcceptLogSuggestionInput,  # noqa: A002
    ) -> AcceptLogSuggestionResult:
        """Make a suggested summary that of its log, in place of the one that it had or waited for."""
        logs = info.context.logs
        request = pb.AcceptLogSuggestionRequest(
            idempotency_key=idempotency_key(info, input),
            log_id=input.log_id,
            expected_version=input.expected_version,
            suggestion_id=input.suggestion_id,
        )
        return AcceptLogSuggestionSuccess(log=Log.of((await logs.call(logs.rpc.AcceptLogSuggestion, request)).log))

    @strawberry.mutation
    async def dismiss_log_suggestion(
        self,
        info: Info,
        input: DismissLogSuggestionInput,  # noqa: A002
    ) -> DismissLogSuggestionResult:
        """Put a suggested summary away; the log's history keeps it."""
        logs = info.context.logs
        request = pb.DismissLogSuggestionRequest(
            idempotency_key=idempotency_key(info, input),
            log_id=input.log_id,
            expected_version=input.expected_version,
            suggestion_id=input.suggestion_id,
        )
        return DismissLogSuggestionSuccess(log=Log.of((await logs.call(logs.rpc.DismissLogSuggestion, request)).log))
