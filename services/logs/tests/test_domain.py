"""The two state machines of a log, and what people may write on it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.errors import InvalidArgument
from logs_service.domain import (
    Contents,
    Log,
    LogSource,
    LogState,
    LogStatus,
    Summary,
    SummarySuggestion,
    clean_tags,
    guard_size,
)
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

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ID = UUID("0198c0de-0000-7000-8000-000000000001")
SUMMARY = Summary((), "builtin", "", "run", "digest", NOW, "", 0)


@pytest.fixture
def log() -> Log:
    contents = Contents(3, 4, 99, {Severity.INFO: 2, Severity.ERROR: 1}, None, None, ID, ID)
    return Log(
        id=ID, version=1, name="app.log", service="shop", source=LogSource.PASTE, contents=contents,
        created_by_kind="user", created_by_id=str(ID), created_at=NOW, updated_at=NOW,
        severity=contents.worst_severity,
    )  # fmt: skip


@pytest.mark.parametrize("before", LogStatus)
@pytest.mark.parametrize("after", LogStatus)
def test_the_human_status_moves_along_its_machine_alone(log: Log, before: LogStatus, after: LogStatus) -> None:
    allowed = {
        (LogStatus.OPEN, LogStatus.ACKNOWLEDGED),
        (LogStatus.ACKNOWLEDGED, LogStatus.RESOLVED),
        (LogStatus.ACKNOWLEDGED, LogStatus.OPEN),
        (LogStatus.RESOLVED, LogStatus.OPEN),
    }
    if before is not LogStatus.OPEN:
        log, _ = log.moved_to(LogStatus.ACKNOWLEDGED, "", at=NOW)
    if before is LogStatus.RESOLVED:
        log, _ = log.moved_to(LogStatus.RESOLVED, "", at=NOW)

    if (before, after) in allowed:
        moved, fact = log.moved_to(after, "why", at=LATER)
        assert (moved.status, moved.status_reason, moved.version, moved.updated_at) == (
            after, "why", log.version + 1, LATER,
        )  # fmt: skip
        assert fact == LogStatusUpdated(ID, log.version + 1, before, after)
    else:
        with pytest.raises(LogStatusTransitionInvalid) as refused:
            log.moved_to(after, "", at=LATER)
        assert refused.value.metadata == {"from": before, "to": after}


def test_a_log_waits_is_summarised_and_sent_back(log: Log) -> None:
    assert log.received() == LogReceived(ID, 1, "shop", 3)
    with pytest.raises(LogSummaryInProgress):
        log.resummarized(at=LATER)

    summarized, fact = log.summarized(SUMMARY, at=LATER)
    assert (summarized.state, summarized.summary, summarized.version) == (LogState.SUMMARIZED, SUMMARY, 2)
    assert fact == LogSummarized(ID, 2, "shop", "builtin", Severity.ERROR)

    again, received = summarized.resummarized(at=LATER)
    assert (again.state, again.summary, again.version) == (LogState.RECEIVED, None, 3)
    assert received == LogReceived(ID, 3, "shop", 3)

    failed, failure = again.summary_failed("ai is away", at=LATER)
    assert (failed.state, failed.failure, failed.version) == (LogState.FAILED, "ai is away", 4)
    assert failure == LogSummaryFailed(ID, 4, "ai is away")

    repaired, _ = failed.resummarized(at=LATER)
    assert (repaired.state, repaired.failure, repaired.version) == (LogState.RECEIVED, "", 5)


def test_a_log_whose_event_must_be_lost_is_sent_again(log: Log) -> None:
    with pytest.raises(LogSummaryInProgress):
        log.resummarized(at=NOW + timedelta(minutes=10, microseconds=-1))

    again, received = log.resummarized(at=NOW + timedelta(minutes=10))

    assert (again.state, again.version, received) == (LogState.RECEIVED, 2, LogReceived(ID, 2, "shop", 3))


def test_a_log_waits_for_a_summary_of_what_it_was_since_it_was_asked_for(log: Log) -> None:
    tagged, _ = log.updated(tags=("a",), at=LATER)
    assert (log.awaits_summary_of(1), tagged.awaits_summary_of(1), tagged.awaits_summary_of(2)) == (True, True, True)

    asked_again, _ = tagged.resummarized(at=NOW + timedelta(hours=1))
    assert (asked_again.awaits_summary_of(2), asked_again.awaits_summary_of(3)) == (False, True)

    summarized, _ = asked_again.summarized(SUMMARY, at=LATER)
    failed, _ = asked_again.summary_failed("ai is away", at=LATER)
    assert (summarized.awaits_summary_of(3), failed.awaits_summary_of(3)) == (False, False)


def test_a_suggested_summary_changes_nothing_until_a_person_takes_it(log: Log) -> None:
    late = replace(SUMMARY, engine="openai", read_version=1)
    log, _ = log.summarized(SUMMARY, at=NOW)

    suggested, fact = log.summary_suggested(ID, late, at=LATER)
    assert (suggested.state, suggested.summary, suggested.version) == (LogState.SUMMARIZED, SUMMARY, 3)
    assert suggested.summary_suggestions == (SummarySuggestion(ID, late, LATER),)
    assert fact == LogSummarySuggested(ID, 3, ID, "openai")

    accepted, taken = suggested.suggestion_accepted(ID, at=LATER)
    assert (accepted.summary, accepted.summary_suggestions, accepted.version) == (late, (), 4)
    assert taken == LogSuggestionAccepted(ID, 4, ID)


def test_a_failed_log_is_repaired_by_a_suggestion(log: Log) -> None:
    failed, _ = log.summary_failed("ai is away", at=NOW)
    suggested, _ = failed.summary_suggested(ID, SUMMARY, at=LATER)

    accepted, _ = suggested.suggestion_accepted(ID, at=LATER)

    assert (accepted.state, accepted.summary, accepted.failure) == (LogState.SUMMARIZED, SUMMARY, "")


def test_a_dismissed_suggestion_is_gone_and_others_stay(log: Log) -> None:
    other = UUID(int=ID.int + 1)
    suggested, _ = log.summary_suggested(ID, SUMMARY, at=NOW)
    suggested, _ = suggested.summary_suggested(other, SUMMARY, at=LATER)

    dismissed, fact = suggested.suggestion_dismissed(ID, at=LATER)
    assert dismissed.summary_suggestions == (SummarySuggestion(other, SUMMARY, LATER),)
    assert fact == LogSuggestionDismissed(ID, 4, ID)

    for decide in (dismissed.suggestion_accepted, dismissed.suggestion_dismissed):
        with pytest.raises(LogSuggestionNotFound) as refused:
            decide(ID, at=LATER)
        assert refused.value.metadata == {"id": str(ID)}


def test_what_changes_is_named_and_what_does_not_makes_no_version(log: Log) -> None:
    updated, fact = log.updated(tags=("a",), notes="", severity=Severity.FATAL, at=LATER)
    assert (updated.tags, updated.severity, updated.version) == (("a",), Severity.FATAL, 2)
    assert fact == LogUpdated(ID, 2, ("tags", "severity"))

    assert updated.updated(tags=("a",), severity=Severity.FATAL, at=LATER) == (updated, None)


def test_tags_are_in_lower_case_and_each_once() -> None:
    assert clean_tags((" Night  Shift", "night shift", "DB")) == ("night shift", "db")
    assert len(clean_tags(tuple(f"tag {n}" for n in range(20)))) == 20
    for tags in (("",), ("t" * 51,), tuple(f"tag {n}" for n in range(21)), ("a\x00b",)):
        with pytest.raises(InvalidArgument) as refused:
            clean_tags(tags)
        assert refused.value.metadata == {"field": "tags"}


def test_sizes_are_allowed_to_the_byte() -> None:
    guard_size(1_000_000, maximum_bytes=1_000_000)
    with pytest.raises(LogTooLarge) as refused:
        guard_size(1_000_001, maximum_bytes=1_000_000)
    assert refused.value.metadata == {"maximum_bytes": "1000000"}
    assert "upload it as a file" in refused.value.message
