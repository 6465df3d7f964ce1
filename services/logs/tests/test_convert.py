"""Facts, records and evidence as they travel: nothing is lost on the way."""

import dataclasses
from datetime import UTC, datetime
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.ai.v1.evidence_pb2 import EntryKind
from aiops.logs.v1 import events_pb2 as events
from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.log_pb2 import LogSource, LogState, LogStatus, Severity
from chassis.errors import InvalidArgument
from logs_service import convert, convert_evidence, domain, evidence, facts
from logs_service.patterns.record import Severity as DomainSeverity

ID = UUID("0198c0de-0000-7000-8000-000000000001")
OTHER_ID = UUID("0198c0de-0000-7000-8000-000000000002")


@pytest.mark.parametrize(
    ("fact", "subject", "payload"),
    [
        (
            facts.LogReceived(ID, 1, "shop", 5),
            "aiops.logs.log.received.v1",
            events.LogReceived(log_id=str(ID), service="shop", record_count=5),
        ),
        (
            facts.LogSummarized(ID, 2, "shop", "openai", DomainSeverity.FATAL),
            "aiops.logs.log.summarized.v1",
            events.LogSummarized(log_id=str(ID), service="shop", engine="openai", severity=Severity.SEVERITY_FATAL),
        ),
        (
            facts.LogSummaryFailed(ID, 3, "ai is away"),
            "aiops.logs.log.summary_failed.v1",
            events.LogSummaryFailed(log_id=str(ID), failure="ai is away"),
        ),
        (
            facts.LogSummarySuggested(ID, 4, OTHER_ID, "openai"),
            "aiops.logs.log.summary_suggested.v1",
            events.LogSummarySuggested(log_id=str(ID), suggestion_id=str(OTHER_ID), engine="openai"),
        ),
        (
            facts.LogSuggestionAccepted(ID, 4, OTHER_ID),
            "aiops.logs.log.suggestion_accepted.v1",
            events.LogSuggestionAccepted(log_id=str(ID), suggestion_id=str(OTHER_ID)),
        ),
        (
            facts.LogSuggestionDismissed(ID, 4, OTHER_ID),
            "aiops.logs.log.suggestion_dismissed.v1",
            events.LogSuggestionDismissed(log_id=str(ID), suggestion_id=str(OTHER_ID)),
        ),
        (
            facts.LogStatusUpdated(ID, 4, domain.LogStatus.OPEN, domain.LogStatus.ACKNOWLEDGED),
            "aiops.logs.log.status_updated.v1",
            events.LogStatusUpdated(
                log_id=str(ID),
                previous_status=LogStatus.LOG_STATUS_OPEN,
                status=LogStatus.LOG_STATUS_ACKNOWLEDGED,
            ),
        ),
        (
            facts.LogUpdated(ID, 5, ("tags", "notes")),
            "aiops.logs.log.updated.v1",
            events.LogUpdated(log_id=str(ID), changed_fields=["tags", "notes"]),
        ),
    ],
)
def test_each_fact_has_its_subject_and_message(fact: object, subject: str, payload: object) -> None:
    event = convert.fact_to_event(fact)

    assert (event.subject, event.payload) == (subject, payload)
    assert (event.aggregate_type, event.aggregate_id) == ("log", ID)
    assert event.aggregate_version == fact.version  # type: ignore[attr-defined]


def test_what_is_no_fact_is_refused() -> None:
    with pytest.raises(TypeError, match="str is no fact of logs"):
        convert.fact_to_event("received")


def test_enums_have_the_same_names_on_both_sides() -> None:
    for ours, theirs, prefix in (
        (domain.LogSource, LogSource, "LOG_SOURCE_"),
        (domain.LogState, LogState, "LOG_STATE_"),
        (domain.LogStatus, LogStatus, "LOG_STATUS_"),
    ):
        assert {f"{prefix}{value}" for value in ours} == set(theirs.keys()) - {f"{prefix}UNSPECIFIED"}
    assert {f"SEVERITY_{s.name}": s.value for s in DomainSeverity} == dict(Severity.items())
    assert {f"ENTRY_KIND_{kind.name}": kind.value for kind in evidence.EntryKind} == {
        name: value for name, value in EntryKind.items() if value
    }


@pytest.mark.parametrize("nanoseconds", [0, 1, -1, 1_767_520_800_123_456_789, -62_135_596_800_000_000_000])
def test_times_keep_their_nanoseconds(nanoseconds: int) -> None:
    timestamp = convert.nanoseconds_to_proto(nanoseconds)

    assert timestamp is not None
    assert timestamp.ToNanoseconds() == nanoseconds


def test_a_record_travels_whole() -> None:
    record = domain.LogRecord(
        id=ID, log_id=ID, pattern_id=ID, line_number=7, time_nanoseconds=5_000_000_001,
        observed_time=datetime(2026, 1, 5, tzinfo=UTC), severity=DomainSeverity.WARN, severity_text="warning", body="b",
        attributes={"k": "v"}, service="shop", trace_id="4bf92f3577b34da6a3ce929d0e0e4736", truncated=True,
    )  # fmt: skip

    message = convert.record_to_proto(record)

    assert {field.name for field, _ in message.ListFields()} == set(message.DESCRIPTOR.fields_by_name)
    assert (message.time.seconds, message.time.nanos) == (5, 1)
    assert message.severity == Severity.SEVERITY_WARN


def test_evidence_travels_whole() -> None:
    entry = evidence.Entry(
        key="E1", kind=evidence.EntryKind.BURST, severity_number=17, pattern_id=str(ID), template="a <*>", count=2,
        first_time=1, last_time=2, onset_time=3, facts=(evidence.Fact("count", "2"),),
        exemplars=(evidence.Exemplar(str(ID), 4, "a b", 9),),
    )  # fmt: skip

    message = convert_evidence.evidence_to_proto(evidence.Evidence("digest", "app.log", "shop", (entry,)))

    (sent,) = message.entries
    assert {field.name for field, _ in message.ListFields()} == set(message.DESCRIPTOR.fields_by_name)
    assert {field.name for field, _ in sent.ListFields()} == {field.name for field in dataclasses.fields(entry)}
    assert sent.kind == EntryKind.ENTRY_KIND_BURST
    assert (sent.first_time.nanos, sent.last_time.nanos, sent.onset_time.nanos) == (1, 2, 3)
    assert (sent.exemplars[0].record_id, sent.exemplars[0].time.nanos, sent.exemplars[0].body) == (str(ID), 4, "a b")


def test_bounds_of_time_that_no_record_can_reach_find_what_there_is() -> None:
    wanted = pb.LogRecordFilter(start_time=Timestamp(seconds=-62135596800), end_time=Timestamp(seconds=253402300799))

    found = convert.record_filter(wanted)

    assert (found.start_nanoseconds, found.end_nanoseconds) == (-(2**63) + 1, 2**63 - 1)


def test_filters_with_nul_are_refused_by_field() -> None:
    for field, convert_it in (
        ("filter.service", lambda: convert.log_filter(pb.LogFilter(service="\x00"))),
        ("filter.tag", lambda: convert.log_filter(pb.LogFilter(tag="a\x00"))),
        ("filter.service", lambda: convert.record_filter(pb.LogRecordFilter(service="\x00"))),
    ):
        with pytest.raises(InvalidArgument) as refused:
            convert_it()
        assert refused.value.metadata == {"field": field}


def test_a_filter_may_repeat_itself_at_will() -> None:
    wanted = pb.LogFilter(states=[LogState.LOG_STATE_FAILED] * 70_000, statuses=[LogStatus.LOG_STATUS_OPEN] * 70_000)

    read = convert.log_filter(wanted)

    assert (read.states, read.statuses) == ((domain.LogState.FAILED,), (domain.LogStatus.OPEN,))
