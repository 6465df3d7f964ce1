"""Between protos and domain: pure and total."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.timestamp_pb2 import Timestamp

from aiops.logs.v1 import events_pb2 as events
from aiops.logs.v1 import log_histogram_pb2 as histogram_pb
from aiops.logs.v1 import log_pattern_pb2 as pattern_pb
from aiops.logs.v1 import log_pb2 as log_pb
from aiops.logs.v1 import log_record_pb2 as record_pb
from aiops.logs.v1 import logs_service_pb2 as pb
from chassis.cleaning import clean_line
from chassis.errors import InvalidArgument
from chassis.events import Event
from chassis.ids import parse_id
from chassis.protos import actor_to_proto, moment_to_proto
from logs_service import domain, facts
from logs_service.commands import (
    DecideSuggestion,
    LogFilter,
    LogRecordFilter,
    ReceiveLog,
    ResummarizeLog,
    UpdateLog,
    UpdateLogStatus,
)
from logs_service.domain import MAXIMUM_NAME_CHARACTERS, MAXIMUM_SERVICE_CHARACTERS
from logs_service.patterns.record import Severity

_NANOSECONDS = 1_000_000_000
_LAST_NANOSECOND = 2**63 - 1

_Fact = (
    facts.LogReceived
    | facts.LogSummarized
    | facts.LogSummaryFailed
    | facts.LogSummarySuggested
    | facts.LogSuggestionAccepted
    | facts.LogSuggestionDismissed
    | facts.LogStatusUpdated
    | facts.LogUpdated
)
_Payload = (
    events.LogReceived
    | events.LogSummarized
    | events.LogSummaryFailed
    | events.LogSummarySuggested
    | events.LogSuggestionAccepted
    | events.LogSuggestionDismissed
    | events.LogStatusUpdated
    | events.LogUpdated
)


def receive_command(request: pb.SummarizeLogRequest | pb.UploadLogHeader, source: domain.LogSource) -> ReceiveLog:
    """The wish to bring in a log.

    Raises:
        InvalidArgument: name, service or timezone is missing or malformed.
    """
    return ReceiveLog(
        name=clean_line(request.name, field="name", minimum=1, maximum=MAXIMUM_NAME_CHARACTERS),
        service=clean_line(request.service, field="service", minimum=0, maximum=MAXIMUM_SERVICE_CHARACTERS),
        source=source,
        timezone=_timezone(request.timezone),
    )


def resummarize_command(request: pb.ResummarizeLogRequest) -> ResummarizeLog:
    """The wish for a new summary."""
    return ResummarizeLog(parse_id(request.log_id, field="log_id"), request.expected_version)


def suggestion_command(request: pb.AcceptLogSuggestionRequest | pb.DismissLogSuggestionRequest) -> DecideSuggestion:
    """The wish to take a suggestion, or to dismiss it."""
    return DecideSuggestion(
        log_id=parse_id(request.log_id, field="log_id"),
        expected_version=request.expected_version,
        suggestion_id=parse_id(request.suggestion_id, field="suggestion_id"),
    )


def update_status_command(request: pb.UpdateLogStatusRequest) -> UpdateLogStatus:
    """The wish for another human status."""
    return UpdateLogStatus(
        log_id=parse_id(request.log_id, field="log_id"),
        expected_version=request.expected_version,
        status=_status(request.status, field="status"),
        reason=request.reason,
    )


def update_command(request: pb.UpdateLogRequest) -> UpdateLog:
    """The wish for other tags, notes or severity."""
    return UpdateLog(
        log_id=parse_id(request.log_id, field="log_id"),
        expected_version=request.expected_version,
        tags=tuple(request.tags.tags) if request.HasField("tags") else None,
        notes=request.notes if request.HasField("notes") else None,
        severity=_severity(request.severity, field="severity") if request.HasField("severity") else None,
    )


def log_filter(wanted: pb.LogFilter) -> LogFilter:
    """What a list of logs is narrowed to."""
    return LogFilter(
        states=tuple(_state(state, field="filter.states") for state in dict.fromkeys(wanted.states)),
        statuses=tuple(_status(status, field="filter.statuses") for status in dict.fromkeys(wanted.statuses)),
        service=_searchable(wanted.service, field="filter.service"),
        text=wanted.text,
        tag=_searchable(wanted.tag, field="filter.tag"),
    )


def record_filter(wanted: pb.LogRecordFilter) -> LogRecordFilter:
    """What a list of records is narrowed to."""
    return LogRecordFilter(
        log_id=parse_id(wanted.log_id, field="filter.log_id") if wanted.log_id else None,
        service=_searchable(wanted.service, field="filter.service"),
        start_nanoseconds=_bound(wanted.start_time) if wanted.HasField("start_time") else None,
        end_nanoseconds=_bound(wanted.end_time) if wanted.HasField("end_time") else None,
        minimum_severity=_severity(wanted.minimum_severity, field="filter.minimum_severity"),
        pattern_id=parse_id(wanted.pattern_id, field="filter.pattern_id") if wanted.pattern_id else None,
        text=wanted.text,
    )


def log_to_proto(log: domain.Log) -> log_pb.Log:
    """A log as others see it."""
    contents = log.contents
    return log_pb.Log(
        id=str(log.id),
        version=log.version,
        name=log.name,
        service=log.service,
        source=log_pb.LogSource.Value(f"LOG_SOURCE_{log.source}"),
        state=log_pb.LogState.Value(f"LOG_STATE_{log.state}"),
        status=log_pb.LogStatus.Value(f"LOG_STATUS_{log.status}"),
        severity=_severity_to_proto(log.severity),
        record_count=contents.record_count,
        line_count=contents.line_count,
        byte_count=contents.byte_count,
        pattern_count=log.pattern_count,
        severity_counts=_severity_counts(contents.severity_counts),
        first_record_time=nanoseconds_to_proto(contents.first_time_nanoseconds),
        last_record_time=nanoseconds_to_proto(contents.last_time_nanoseconds),
        tags=log.tags,
        notes=log.notes,
        summary=None if log.summary is None else _summary_to_proto(log.summary),
        failure=log.failure,
        summary_suggestions=map(_suggestion_to_proto, log.summary_suggestions),
        created_by=actor_to_proto(log.created_by_kind, log.created_by_id),
        created_at=moment_to_proto(log.created_at),
        updated_at=moment_to_proto(log.updated_at),
    )


def record_to_proto(record: domain.LogRecord) -> record_pb.LogRecord:
    """A record as others see it."""
    return record_pb.LogRecord(
        id=str(record.id),
        log_id=str(record.log_id),
        line_number=record.line_number,
        time=nanoseconds_to_proto(record.time_nanoseconds),
        observed_time=moment_to_proto(record.observed_time),
        severity=_severity_to_proto(record.severity),
        severity_text=record.severity_text,
        body=record.body,
        attributes=record.attributes,
        service=record.service,
        trace_id=record.trace_id,
        pattern_id=str(record.pattern_id),
        truncated=record.truncated,
    )


def histogram_to_proto(histogram: domain.LogHistogram) -> histogram_pb.LogHistogram:
    """Records over time as others see them."""
    return histogram_pb.LogHistogram(
        bucket_seconds=histogram.bucket_seconds,
        buckets=[
            histogram_pb.LogHistogramBucket(
                start_time=Timestamp(seconds=bucket.start_seconds),
                count=sum(bucket.severity_counts.values()),
                severity_counts=_severity_counts(bucket.severity_counts),
            )
            for bucket in histogram.buckets
        ],
        untimed_count=histogram.untimed_count,
    )


def pattern_to_proto(pattern: domain.LogPattern) -> pattern_pb.LogPattern:
    """A pattern as others see it."""
    return pattern_pb.LogPattern(
        id=str(pattern.id),
        version=pattern.version,
        template=pattern.template,
        service=pattern.service,
        first_log_id=str(pattern.first_log_id),
        created_at=moment_to_proto(pattern.created_at),
    )


def resolved_to_proto(resolved: Mapping[UUID, domain.LogPattern]) -> list[pb.ResolvedLogPattern]:
    """Patterns by the id that was asked for."""
    return [
        pb.ResolvedLogPattern(requested_id=str(requested), pattern=pattern_to_proto(pattern))
        for requested, pattern in resolved.items()
    ]


def pattern_count_to_proto(found: domain.LogPatternCount) -> pattern_pb.LogPatternCount:
    """A pattern and its numbers as others see them."""
    return pattern_pb.LogPatternCount(
        pattern=pattern_to_proto(found.pattern),
        count=found.count,
        severity_counts=_severity_counts(found.severity_counts),
        first_time=nanoseconds_to_proto(found.first_time_nanoseconds),
        last_time=nanoseconds_to_proto(found.last_time_nanoseconds),
        exemplar_record_ids=[str(record_id) for record_id in found.exemplar_record_ids],
        buckets=[
            pattern_pb.TimeBucketCount(start_time=Timestamp(seconds=start), count=count)
            for start, count in found.buckets.items()
        ],
        bucket_seconds=found.bucket_seconds,
        new_for_service=found.new_for_service,
    )


def fact_to_event(fact: object) -> Event:
    """A fact of the domain as it travels.

    Raises:
        TypeError: it is no fact of logs.
    """
    payload: _Payload
    match fact:
        case facts.LogReceived():
            name, payload = "received", events.LogReceived(service=fact.service, record_count=fact.record_count)
        case facts.LogSummarized():
            name, severity = "summarized", _severity_to_proto(fact.severity)
            payload = events.LogSummarized(service=fact.service, engine=fact.engine, severity=severity)
        case facts.LogSummaryFailed():
            name, payload = "summary_failed", events.LogSummaryFailed(failure=fact.failure)
        case facts.LogSummarySuggested():
            name, suggestion_id = "summary_suggested", str(fact.suggestion_id)
            payload = events.LogSummarySuggested(suggestion_id=suggestion_id, engine=fact.engine)
        case facts.LogSuggestionAccepted():
            name, payload = "suggestion_accepted", events.LogSuggestionAccepted(suggestion_id=str(fact.suggestion_id))
        case facts.LogSuggestionDismissed():
            name, payload = "suggestion_dismissed", events.LogSuggestionDismissed(suggestion_id=str(fact.suggestion_id))
        case facts.LogStatusUpdated():
            before = log_pb.LogStatus.Value(f"LOG_STATUS_{fact.previous_status}")
            now = log_pb.LogStatus.Value(f"LOG_STATUS_{fact.status}")
            name, payload = "status_updated", events.LogStatusUpdated(previous_status=before, status=now)
        case facts.LogUpdated():
            name, payload = "updated", events.LogUpdated(changed_fields=fact.changed_fields)
        case _:
            raise TypeError(f"{type(fact).__name__} is no fact of logs")
    return _event(name, fact, payload)


def _event(name: str, fact: _Fact, payload: _Payload) -> Event:
    payload.log_id = str(fact.log_id)
    return Event(f"aiops.logs.log.{name}.v1", "log", fact.log_id, fact.version, payload)


def _timezone(name: str) -> tzinfo:
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidArgument(
            "this must be the IANA name of a zone, such as Europe/Berlin, or empty for UTC", field="timezone"
        ) from error


def _searchable(text: str, *, field: str) -> str:
    """Text that can be looked for.

    Raises:
        InvalidArgument: it holds NUL, which no stored text does.
    """
    if "\x00" in text:
        raise InvalidArgument("this must not hold NUL characters", field=field)
    return text


def _bound(moment: Timestamp) -> int:
    """A moment in nanoseconds; one that is further away than records can be is moved to where the last ones are."""
    return max(-_LAST_NANOSECOND, min(moment.seconds * _NANOSECONDS + moment.nanos, _LAST_NANOSECOND))


def _state(number: int, *, field: str) -> domain.LogState:
    return domain.LogState(_known(log_pb.LogState.items(), number, field).removeprefix("LOG_STATE_"))


def _status(number: int, *, field: str) -> domain.LogStatus:
    return domain.LogStatus(_known(log_pb.LogStatus.items(), number, field).removeprefix("LOG_STATUS_"))


def _known(values: Sequence[tuple[str, int]], number: int, field: str) -> str:
    names = {value: name for name, value in values if value}
    if number not in names:
        raise InvalidArgument(f"this must be one of {', '.join(names.values())}", field=field)
    return names[number]


def _severity(number: int, *, field: str) -> Severity:
    try:
        return Severity(number)
    except ValueError as error:
        raise InvalidArgument("this must be a Severity, such as SEVERITY_WARN", field=field) from error


def _severity_to_proto(severity: Severity) -> "log_pb.Severity.ValueType":
    return log_pb.Severity.Value(f"SEVERITY_{severity.name}")


def _severity_counts(counts: Mapping[Severity, int]) -> Iterable[log_pb.SeverityCount]:
    return [
        log_pb.SeverityCount(severity=_severity_to_proto(severity), count=counts[severity])
        for severity in sorted(counts, reverse=True)
    ]


def _summary_to_proto(summary: domain.Summary) -> log_pb.Summary:
    return log_pb.Summary(
        sentences=[
            log_pb.SummarySentence(
                text=sentence.text,
                record_ids=[str(record_id) for record_id in sentence.record_ids],
                entry_keys=sentence.entry_keys,
                engine=sentence.engine,
            )
            for sentence in summary.sentences
        ],
        engine=summary.engine,
        model=summary.model,
        run_id=summary.run_id,
        evidence_digest=summary.evidence_digest,
        created_at=moment_to_proto(summary.created_at),
        fallback_reason=summary.fallback_reason,
        replaced_sentence_count=summary.replaced_sentence_count,
        read_version=summary.read_version,
    )


def _suggestion_to_proto(suggestion: domain.SummarySuggestion) -> log_pb.SummarySuggestion:
    return log_pb.SummarySuggestion(
        id=str(suggestion.id),
        summary=_summary_to_proto(suggestion.summary),
        suggested_at=moment_to_proto(suggestion.suggested_at),
    )


def nanoseconds_to_proto(nanoseconds: int | None) -> Timestamp | None:
    """A moment to the nanosecond; None stays absent."""
    if nanoseconds is None:
        return None
    seconds, nanos = divmod(nanoseconds, _NANOSECONDS)
    return Timestamp(seconds=seconds, nanos=nanos)
