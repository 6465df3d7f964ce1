"""Log records and the patterns that they have: the parts of a log, owned by logs."""

from enum import Enum
from typing import TYPE_CHECKING

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry import federation

from aiops.logs.v1 import log_pattern_pb2, log_pb2, log_record_pb2
from aiops.logs.v1 import logs_service_pb2 as pb
from gateway.context import Info
from gateway.graph.enums import name_or_none
from gateway.graph.pagination import Connection, connection, page_request
from gateway.graph.scalars import time_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable


@strawberry.enum
class Severity(Enum):
    """How bad it is, as in the OpenTelemetry log data model."""

    TRACE = log_pb2.SEVERITY_TRACE
    """Fine-grained debugging."""
    DEBUG = log_pb2.SEVERITY_DEBUG
    """Debugging."""
    INFO = log_pb2.SEVERITY_INFO
    """An event."""
    WARN = log_pb2.SEVERITY_WARN
    """Not an error, but of more importance."""
    ERROR = log_pb2.SEVERITY_ERROR
    """Something went wrong."""
    FATAL = log_pb2.SEVERITY_FATAL
    """The application or system is going down."""


@strawberry.type
class SeverityCount:
    """How many records have a severity."""

    severity: Severity | None
    """The severity; null for lines that do not say."""
    count: int
    """Number of records."""

    @classmethod
    def of(cls, count: log_pb2.SeverityCount) -> "SeverityCount":
        """The count as logs told it."""
        return cls(severity=name_or_none(Severity, count.severity), count=count.count)


@strawberry.type
class Attribute:
    """One thing that the header of a line, or a structured line, holds besides its message."""

    key: str
    """Its name."""
    value: str
    """Its value as text."""


@federation.type(keys=["id"])
class LogPattern:
    """A mined template. Its id stays when the template becomes more general; the version counts that."""

    id: strawberry.ID
    """UUIDv7."""
    version: int
    """Version of the template."""
    template: str
    """The template; `<*>` stands for a value."""
    service: str | None
    """Service whose records have it; null where unknown."""
    first_log_id: strawberry.ID
    """Log in which it was first seen."""
    created_at: Timestamp
    """When it was first stored."""

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "LogPattern | None":  # noqa: A002 - the key's name
        """The pattern that another subgraph names."""
        return await load_log_pattern(info, id)

    @classmethod
    def of(cls, pattern: log_pattern_pb2.LogPattern) -> "LogPattern":
        """The pattern as logs mined it."""
        return cls(
            id=strawberry.ID(pattern.id),
            version=pattern.version,
            template=pattern.template,
            service=pattern.service or None,
            first_log_id=strawberry.ID(pattern.first_log_id),
            created_at=pattern.created_at,
        )


@federation.type(keys=["id"])
class LogRecord:
    """One immutable line (or stack trace), redacted before it was stored."""

    id: strawberry.ID
    """UUIDv7. Ids of one log rise with its lines."""
    log_id: strawberry.ID
    """Log that it belongs to."""
    line_number: int
    """Number of its first line in the input, from 1."""
    time: Timestamp | None
    """When it happened; null when the line does not say."""
    observed_time: Timestamp
    """When it arrived."""
    severity: Severity | None
    """Normalised severity; null when the line does not say."""
    severity_text: str | None
    """The severity as the line has it."""
    body: str
    """The message, without the header of the line."""
    attributes: list[Attribute]
    """What the header and a structured line hold besides."""
    service: str | None
    """Service that wrote it; null where unknown."""
    trace_id: str | None
    """Trace id in hex; null where unknown."""
    pattern_id: strawberry.ID | None
    """Pattern that it has."""
    truncated: bool
    """Whether the record was longer than 64 KiB and was cut."""

    @strawberry.field
    async def pattern(self, info: Info) -> LogPattern | None:
        """Pattern that it has, as it stands today."""
        return await load_log_pattern(info, self.pattern_id) if self.pattern_id else None

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "LogRecord | None":  # noqa: A002 - the key's name
        """The record that another subgraph names."""
        record = await info.context.logs.log_records.load(id)
        return cls.of(record) if record is not None else None

    @classmethod
    def of(cls, record: log_record_pb2.LogRecord) -> "LogRecord":
        """The record as logs stored it."""
        return cls(
            id=strawberry.ID(record.id),
            log_id=strawberry.ID(record.log_id),
            line_number=record.line_number,
            time=time_or_none(record.time, present=record.HasField("time")),
            observed_time=record.observed_time,
            severity=name_or_none(Severity, record.severity),
            severity_text=record.severity_text or None,
            body=record.body,
            attributes=[Attribute(key=key, value=value) for key, value in sorted(record.attributes.items())],
            service=record.service or None,
            trace_id=record.trace_id or None,
            pattern_id=strawberry.ID(record.pattern_id) if record.pattern_id else None,
            truncated=record.truncated,
        )


@strawberry.type
class TimeBucketCount:
    """How many records fall into one time bucket."""

    start_time: Timestamp
    """Start of the bucket, inclusive."""
    count: int
    """Number of records."""

    @classmethod
    def of(cls, bucket: log_pattern_pb2.TimeBucketCount) -> "TimeBucketCount":
        """The bucket as logs counted it."""
        return cls(start_time=bucket.start_time, count=bucket.count)


@strawberry.type
class LogPatternCount:
    """A pattern with its numbers inside one log."""

    pattern: LogPattern
    """The pattern."""
    count: int
    """Number of records."""
    severity_counts: list[SeverityCount]
    """Records by severity."""
    first_time: Timestamp | None
    """Earliest event time; null when no record has one."""
    last_time: Timestamp | None
    """Latest event time; null when no record has one."""
    exemplar_record_ids: list[strawberry.ID]
    """Ids of up to three records: the first, the middle and the last."""
    buckets: list[TimeBucketCount]
    """Records over time in buckets of `bucketSeconds`; empty buckets are left out."""
    bucket_seconds: int
    """Width of a bucket."""
    new_for_service: bool
    """Whether the pattern was never seen before in this service, which had logs before."""

    @strawberry.field
    async def exemplars(self, info: Info) -> list[LogRecord] | None:
        """Up to three records: the first, the middle and the last; those that retention has deleted are left out."""
        return await load_log_records(info, self.exemplar_record_ids)

    @classmethod
    def of(cls, count: log_pattern_pb2.LogPatternCount) -> "LogPatternCount":
        """The numbers as logs counted them."""
        return cls(
            pattern=LogPattern.of(count.pattern),
            count=count.count,
            severity_counts=[SeverityCount.of(severity) for severity in count.severity_counts],
            first_time=time_or_none(count.first_time, present=count.HasField("first_time")),
            last_time=time_or_none(count.last_time, present=count.HasField("last_time")),
            exemplar_record_ids=[strawberry.ID(record_id) for record_id in count.exemplar_record_ids],
            buckets=[TimeBucketCount.of(bucket) for bucket in count.buckets],
            bucket_seconds=count.bucket_seconds,
            new_for_service=count.new_for_service,
        )


@strawberry.input
class LogRecordFilter:
    """Narrows a list of records; what is absent does not narrow."""

    service: str | None = None
    """This service."""
    start_time: Timestamp | None = None
    """Event time at or after this."""
    end_time: Timestamp | None = None
    """Event time before this."""
    minimum_severity: Severity | None = None
    """This severity or worse."""
    pattern_id: strawberry.ID | None = None
    """This pattern, and those that were merged into it."""
    text: str | None = None
    """This text in the body, regardless of case; at most 200 characters."""


async def load_log_pattern(info: Info, pattern_id: str) -> LogPattern | None:
    """The pattern with this id, batched with the operation's other patterns."""
    pattern = await info.context.logs.log_pattern(pattern_id)
    return LogPattern.of(pattern) if pattern is not None else None


async def load_log_records(info: Info, record_ids: "Iterable[str]") -> list[LogRecord]:
    """The records that are still there among the ids, in their order, batched with the operation's other records."""
    records = await info.context.logs.log_records.load_many(record_ids)
    return [LogRecord.of(record) for record in records if record is not None]


def record_filter(narrow: LogRecordFilter | None, log_id: str) -> pb.LogRecordFilter:
    """The filter as logs reads it, for one log or, without an id, for all."""
    narrow = narrow or LogRecordFilter()
    return pb.LogRecordFilter(
        log_id=log_id,
        service=narrow.service or "",
        start_time=narrow.start_time,
        end_time=narrow.end_time,
        minimum_severity=narrow.minimum_severity.value if narrow.minimum_severity else log_pb2.SEVERITY_UNSPECIFIED,
        pattern_id=narrow.pattern_id or "",
        text=narrow.text or "",
    )


async def list_log_records(
    info: Info, narrow: LogRecordFilter | None, first: int, after: str | None, *, log_id: str = ""
) -> Connection[LogRecord]:
    """One page of records, of one log or of all."""
    logs = info.context.logs
    request = pb.ListLogRecordsRequest(page=page_request(first, after), filter=record_filter(narrow, log_id))
    response = await logs.call(logs.rpc.ListLogRecords, request)
    return connection(response.log_records, response, LogRecord.of, after)


async def list_log_patterns(info: Info, log_id: str, first: int, after: str | None) -> Connection[LogPatternCount]:
    """One page of a log's patterns."""
    logs = info.context.logs
    request = pb.ListLogPatternsRequest(page=page_request(first, after), log_id=log_id)
    response = await logs.call(logs.rpc.ListLogPatterns, request)
    return connection(response.log_patterns, response, LogPatternCount.of, after)
