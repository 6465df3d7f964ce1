"""Logs with their summaries: what logs owns, and how to read it. Records and patterns are in `log_records`."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry import federation

from aiops.logs.v1 import log_pb2
from aiops.logs.v1 import logs_service_pb2 as pb
from chassis.errors import DomainError
from gateway.clients.batching import load_each
from gateway.context import Info
from gateway.graph import edges
from gateway.graph.actors import Actor, user_id_of
from gateway.graph.enums import name_or_none
from gateway.graph.log_histogram import DEFAULT_BUCKETS, LogHistogram, get_log_histogram
from gateway.graph.log_records import (
    LogPatternCount,
    LogRecord,
    LogRecordFilter,
    Severity,
    SeverityCount,
    list_log_patterns,
    list_log_records,
    load_log_records,
)
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Connection, connection, page_request
from gateway.graph.scalars import time_or_none


@strawberry.enum
class LogSource(Enum):
    """How the records of a log arrived."""

    PASTE = log_pb2.LOG_SOURCE_PASTE
    """Text pasted into a mutation."""
    UPLOAD = log_pb2.LOG_SOURCE_UPLOAD
    """A file sent to the upload door."""
    STREAM = log_pb2.LOG_SOURCE_STREAM
    """A window of one service's stream."""


@strawberry.enum
class LogState(Enum):
    """How far the machine is with a log."""

    RECEIVED = log_pb2.LOG_STATE_RECEIVED
    """Stored and waiting for its summary."""
    SUMMARIZED = log_pb2.LOG_STATE_SUMMARIZED
    """Has a summary."""
    FAILED = log_pb2.LOG_STATE_FAILED
    """The summary could not be made; `resummarizeLog` tries again."""


@strawberry.enum
class LogStatus(Enum):
    """How far people are with a log."""

    OPEN = log_pb2.LOG_STATUS_OPEN
    """Nobody has said that he looks after it."""
    ACKNOWLEDGED = log_pb2.LOG_STATUS_ACKNOWLEDGED
    """Somebody looks after it."""
    RESOLVED = log_pb2.LOG_STATUS_RESOLVED
    """Done."""


@strawberry.type
class SummarySentence:
    """One statement about a log that can be checked."""

    text: str
    """The statement."""
    record_ids: list[strawberry.ID]
    """Ids of the records that it rests on."""
    entry_keys: list[str]
    """Keys of the evidence entries that it words."""
    engine: str
    """Engine that wrote it: `builtin` or `openai`."""

    @strawberry.field
    async def records(self, info: Info) -> list[LogRecord] | None:
        """The records that it rests on; those that retention has deleted are left out."""
        return await load_log_records(info, self.record_ids)

    @classmethod
    def of(cls, sentence: log_pb2.SummarySentence) -> "SummarySentence":
        """The sentence as logs stored it."""
        return cls(
            text=sentence.text,
            record_ids=[strawberry.ID(record_id) for record_id in sentence.record_ids],
            entry_keys=list(sentence.entry_keys),
            engine=sentence.engine,
        )


@strawberry.type
class LogSummary:
    """What a log says, with its proof."""

    sentences: list[SummarySentence]
    """The statements, most important first."""
    engine: str
    """Engine that answered: `builtin` or `openai`."""
    model: str | None
    """Model that answered; null for the built-in engine."""
    fallback_reason: str | None
    """Why the built-in engine answered in place of the configured model; null when it did not."""
    replaced_sentence_count: int
    """Sentences of a model that failed the check and were replaced by the built-in ones."""
    evidence_digest: str
    """SHA-256 of the evidence, in hex: equal evidence, equal digest."""
    read_version: int | None
    """Version of the log that it was made from; null where that was not noted."""
    created_at: Timestamp
    """When it was stored."""
    run_id: strawberry.Private[str | None]
    run = strawberry.field(resolver=edges.log_summary_run, description="The run of the engine that wrote it.")

    @classmethod
    def of(cls, summary: log_pb2.Summary) -> "LogSummary":
        """The summary as logs stored it."""
        return cls(
            sentences=[SummarySentence.of(sentence) for sentence in summary.sentences],
            engine=summary.engine,
            model=summary.model or None,
            fallback_reason=summary.fallback_reason or None,
            replaced_sentence_count=summary.replaced_sentence_count,
            evidence_digest=summary.evidence_digest,
            read_version=summary.read_version or None,
            created_at=summary.created_at,
            run_id=summary.run_id or None,
        )


@strawberry.type
class SummarySuggestion:
    """A summary that came when the log did not wait for it any more. A person accepts or dismisses it."""

    id: strawberry.ID
    """UUIDv7."""
    summary: LogSummary
    """The summary; its `readVersion` is older than the log was when it came."""
    suggested_at: Timestamp
    """When it came."""

    @classmethod
    def of(cls, suggestion: log_pb2.SummarySuggestion) -> "SummarySuggestion":
        """The suggestion as logs stored it."""
        return cls(
            id=strawberry.ID(suggestion.id),
            summary=LogSummary.of(suggestion.summary),
            suggested_at=suggestion.suggested_at,
        )


@federation.type(keys=["id"])
class Log:
    """A named set of records that gets summarised."""

    id: strawberry.ID
    """UUIDv7."""
    version: int
    """Rises by one with each change; give it back as `expectedVersion`."""
    name: str
    """Name given by the uploader, or the file's name."""
    service: str | None
    """Service that wrote the records; null where unknown."""
    source: LogSource | None
    """How the records arrived; null for a way that the graph does not know."""
    state: LogState | None
    """How far the machine is; null for a state that the graph does not know."""
    status: LogStatus | None
    """How far people are; null for a status that the graph does not know."""
    severity: Severity | None
    """Set by a person, else the worst that was found in the records; null when no line says."""
    record_count: int
    """Records. A stack trace of many lines is one record."""
    line_count: int
    """Lines in the input, empty ones included."""
    byte_count: int
    """Size of the input, decompressed."""
    pattern_count: int
    """Patterns that the records have."""
    first_record_time: Timestamp | None
    """Earliest event time; null when no record has one."""
    last_record_time: Timestamp | None
    """Latest event time; null when no record has one."""
    tags: list[str]
    """Free labels."""
    notes: str
    """Notes of people."""
    failure: str | None
    """What went wrong, when `state` is FAILED."""
    created_at: Timestamp
    """When it arrived."""
    updated_at: Timestamp
    """When it was last changed."""
    told: strawberry.Private[log_pb2.Log]
    created_by_user_id: strawberry.Private[str | None]
    moment: strawberry.Private[Timestamp]
    created_by = strawberry.field(
        resolver=edges.log_created_by, description="The person who brought it in; null for a machine."
    )
    tickets = strawberry.field(
        resolver=edges.log_tickets, description="Tickets that it is linked to, newest first, 1 to 100."
    )
    changes_before = strawberry.field(
        resolver=edges.log_changes_before,
        description="What was changed in its service in the 1 to 720 hours before its first record, newest first, "
        "1 to 100. Without a service: what was changed anywhere.",
    )

    @strawberry.field
    def severity_counts(self) -> list[SeverityCount]:
        """Records by severity."""
        return [SeverityCount.of(count) for count in self.told.severity_counts]

    @strawberry.field
    def summary(self) -> LogSummary | None:
        """Present when `state` is SUMMARIZED."""
        return LogSummary.of(self.told.summary) if self.told.HasField("summary") else None

    @strawberry.field
    def created_by_actor(self) -> Actor:
        """Who brought it in, person or machine."""
        return Actor.of(self.told.created_by)

    @strawberry.field
    async def records(
        self,
        info: Info,
        filter: LogRecordFilter | None = None,  # noqa: A002 - the graph's name
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
    ) -> Connection[LogRecord] | None:
        """Its records by line, 1 to 100 a page."""
        return await list_log_records(info, filter, first, after, log_id=self.id)

    @strawberry.field
    async def histogram(
        self,
        info: Info,
        filter: LogRecordFilter | None = None,  # noqa: A002 - the graph's name
        buckets: int = DEFAULT_BUCKETS,
    ) -> LogHistogram | None:
        """Its records over time, in at most so many buckets (1 to 200) of a round width."""
        return await get_log_histogram(info, self.id, filter, buckets)

    @strawberry.field
    async def patterns(
        self, info: Info, first: int = DEFAULT_PAGE_SIZE, after: str | None = None
    ) -> Connection[LogPatternCount] | None:
        """Its patterns, most frequent first, 1 to 100 a page. The counts of all of them add up to `recordCount`."""
        return await list_log_patterns(info, self.id, first, after)

    @strawberry.field
    def summary_suggestions(self) -> list[SummarySuggestion]:
        """Summaries that came too late and wait for a person, the oldest first; mostly none."""
        return [SummarySuggestion.of(each) for each in self.told.summary_suggestions]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Log | None":  # noqa: A002 - the key's name
        """The log that another subgraph names."""
        return await load_log(info, id)

    @classmethod
    def of(cls, log: log_pb2.Log) -> "Log":
        """The log as the service told it."""
        first_record_time = time_or_none(log.first_record_time, present=log.HasField("first_record_time"))
        return cls(
            id=strawberry.ID(log.id),
            version=log.version,
            name=log.name,
            service=log.service or None,
            source=name_or_none(LogSource, log.source),
            state=name_or_none(LogState, log.state),
            status=name_or_none(LogStatus, log.status),
            severity=name_or_none(Severity, log.severity),
            record_count=log.record_count,
            line_count=log.line_count,
            byte_count=log.byte_count,
            pattern_count=log.pattern_count,
            first_record_time=first_record_time,
            last_record_time=time_or_none(log.last_record_time, present=log.HasField("last_record_time")),
            tags=list(log.tags),
            notes=log.notes,
            failure=log.failure or None,
            created_at=log.created_at,
            updated_at=log.updated_at,
            told=log,
            created_by_user_id=user_id_of(log.created_by),
            moment=first_record_time or log.created_at,
        )


@strawberry.input
class LogFilter:
    """Narrows a list of logs; what is absent does not narrow."""

    states: list[LogState] | None = None
    """Any of these states."""
    statuses: list[LogStatus] | None = None
    """Any of these statuses."""
    service: str | None = None
    """This service."""
    text: str | None = None
    """This text in the name, regardless of case."""
    tag: str | None = None
    """This tag."""


async def load_log(info: Info, log_id: str) -> Log | None:
    """The log with this id, batched with the operation's other logs."""
    log = await info.context.logs.logs.load(log_id)
    return Log.of(log) if log is not None else None


async def load_logs(info: Info, log_ids: Sequence[str]) -> list[Log | None]:
    """The logs that are there for the viewer among the ids, in their order; one that cannot be read fails alone."""
    found = await load_each(info.context.logs.logs, log_ids)
    failures = [each for each in found if isinstance(each, DomainError)]
    if failures and len(failures) == len(found):
        raise failures[0]
    # An error in a list of nullable items becomes a null with the error at its place.
    logs: list[Any] = [each if isinstance(each, DomainError) else Log.of(each) for each in found if each is not None]
    return logs


@strawberry.type
class LogsQuery:
    """Reads of logs and their records."""

    @strawberry.field
    async def log(self, info: Info, id: strawberry.ID) -> Log | None:  # noqa: A002 - the graph's name
        """One log; null when there is none with this id."""
        return await load_log(info, id)

    @strawberry.field
    async def logs(
        self,
        info: Info,
        filter: LogFilter | None = None,  # noqa: A002 - the graph's name
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
    ) -> Connection[Log] | None:
        """Logs, newest first, 1 to 100 a page."""
        logs, narrow = info.context.logs, filter or LogFilter()
        request = pb.ListLogsRequest(
            page=page_request(first, after),
            filter=pb.LogFilter(
                states=[state.value for state in narrow.states or ()],
                statuses=[status.value for status in narrow.statuses or ()],
                service=narrow.service or "",
                text=narrow.text or "",
                tag=narrow.tag or "",
            ),
        )
        response = await logs.call(logs.rpc.ListLogs, request)
        return connection(response.logs, response, Log.of, after)

    @strawberry.field
    async def log_records(
        self,
        info: Info,
        filter: LogRecordFilter | None = None,  # noqa: A002 - the graph's name
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
    ) -> Connection[LogRecord] | None:
        """Records of all logs in the order of their arrival, 1 to 100 a page."""
        return await list_log_records(info, filter, first, after)
