from dataclasses import replace

import pytest
from services.logs.tests.evidence.factories import (
    DEBUG,
    ERROR,
    FATAL,
    INFO,
    NANOSECONDS,
    START,
    WARN,
    entry_of,
    every,
    evidence_of,
    facts,
    kinds,
    pattern,
    timeless,
    traffic,
)

from logs_service.evidence import EntryKind, Exemplar, LogStats, build_evidence


def test_a_new_error_is_told_with_its_onset_its_count_and_its_proof() -> None:
    refused = pattern(
        "connection refused to <*>", every(1, since=600, until=812), ERROR, body="connection refused to db"
    )

    evidence = evidence_of(traffic(), refused)

    overview, entry = evidence.entries[:2]
    assert (overview.key, overview.kind, overview.count) == ("E1", EntryKind.OVERVIEW, 2012)
    assert facts(overview)["error_count"] == "212"
    assert facts(overview)["error_percent"] == "10.5"
    assert facts(overview)["first_error_time"] == "2027-01-15 08:10:00 UTC"
    assert (entry.key, entry.kind, entry.severity_number, entry.count) == ("E2", EntryKind.ERROR, ERROR, 212)
    assert entry.onset_time == (START + 600) * NANOSECONDS
    assert facts(entry)["duration"] == "3 minutes 31 seconds"
    assert facts(entry)["novelty"] == "not seen before in this log"
    assert [record.record_id for record in entry.exemplars] == [record.record_id for record in refused.exemplars]


def test_both_faults_of_a_service_log_become_entries() -> None:
    body = "log-in failed for <EMAIL:ab12cd34> from <IP:ab12cd34>"
    log_in = pattern(
        "log-in failed for <*> from <*>", every(0.4, since=60, until=68), WARN, body=body, bucket_seconds=1
    )
    lost = pattern("NATS connection lost", [30.0], WARN, bucket_seconds=1)
    back = pattern("NATS reconnected after <*> s", [40.2], INFO, body="NATS reconnected after 10.2 s", bucket_seconds=1)
    normal = pattern("answered <*>", every(0.5, until=120), bucket_seconds=1)

    evidence = evidence_of(normal, log_in, lost, back, bucket_seconds=1)

    burst = entry_of(evidence, log_in.template)
    assert burst is not None
    assert burst.kind is EntryKind.BURST
    assert facts(burst)["burst_count"] == "20"
    assert facts(burst)["burst_duration"] == "8 seconds"
    keys = {entry.template: entry.key for entry in evidence.entries}
    assert (keys[lost.template], keys[back.template]) == ("E3", "E4")
    recovered = entry_of(evidence, back.template)
    assert recovered is not None
    assert facts(recovered)["state"] == "recovered"


def test_a_failure_of_one_line_and_its_recovery_stand_together() -> None:
    away = pattern("NATS is away; reconnecting", [30.0, 30.1, 30.3], WARN)
    back = pattern("NATS is back", [40.0, 40.2, 40.4])

    evidence = evidence_of(pattern("answered <*>", every(0.5, until=120)), away, back)

    assert [entry.template for entry in evidence.entries[1:3]] == [away.template, back.template]


def test_a_recovery_without_its_failure_is_not_told() -> None:
    evidence = evidence_of(traffic(), pattern("NATS reconnected after <*> s", [40.2], INFO))

    assert entry_of(evidence, "NATS reconnected after <*> s") is None


def test_one_late_line_changes_nothing_that_is_told_of_the_others() -> None:
    late = pattern("goodbye", [86_400.0 * 30])

    with_late, without = evidence_of(traffic(), late), evidence_of(traffic())

    assert kinds(with_late) == kinds(without)
    overview = with_late.entries[0]
    assert facts(overview)["outside_count"] == "1"
    assert facts(overview)["duration"] == "15 minutes"


def test_growth_a_stop_and_silence() -> None:
    def awake(seconds: list[float]) -> list[float]:
        return [second for second in seconds if not 600 <= second < 720]

    normal = pattern("served <*>", awake(every(0.5, until=1800)))
    grows = pattern("slow query <*>", awake(every(30, until=1200) + every(2, since=1200, until=1800)))
    stops = pattern("heartbeat", every(5, until=500))

    evidence = evidence_of(normal, grows, stops)

    assert kinds(evidence) == [
        EntryKind.OVERVIEW,
        EntryKind.GAP,
        EntryKind.STOPPED,
        EntryKind.GREW,
        EntryKind.DOMINANT,
    ]
    gap, stopped, grew = evidence.entries[1:4]
    assert (gap.onset_time, facts(gap)["duration"]) == ((START + 600) * NANOSECONDS, "2 minutes")
    assert stopped.onset_time == (START + 495) * NANOSECONDS
    assert grew.onset_time == (START + 1200) * NANOSECONDS
    assert facts(grew)["rate_after_per_minute"] == "30"


def test_new_needs_a_baseline_or_a_late_start() -> None:
    from_the_start = pattern("loaded <*>", every(10, until=900))
    new_for_service = replace(pattern("deprecated call to <*>", [10.0, 20.0, 30.0]), new_for_service=True)

    evidence = evidence_of(traffic(), from_the_start, new_for_service)

    assert entry_of(evidence, from_the_start.template) is None
    new = entry_of(evidence, new_for_service.template)
    assert new is not None
    assert new.kind is EntryKind.NEW
    assert facts(new)["novelty"] == "not seen before in this service"


def test_one_clump_of_healthy_lines_late_in_the_log_is_not_new() -> None:
    evidence = evidence_of(traffic(), pattern("report row <*>", [850.0, 850.1, 850.2, 850.3]))

    assert entry_of(evidence, "report row <*>") is None


def test_debugging_lines_are_no_failures() -> None:
    evidence = evidence_of(traffic(), pattern("cache lookup failed for <*>", every(100, until=900), DEBUG))

    assert entry_of(evidence, "cache lookup failed for <*>") is None


def test_a_pattern_with_some_errors_tells_how_many() -> None:
    mixed = replace(pattern("<*> done", every(10, until=900)), severities={INFO: 88, ERROR: 2})

    evidence = evidence_of(traffic(), mixed)

    entry = entry_of(evidence, "<*> done")
    assert entry is not None
    assert (entry.kind, facts(entry)["count"], facts(entry)["error_count"]) == (EntryKind.ERROR, "90", "2")
    # Its first record may be none of the two.
    assert "first_error_time" not in facts(evidence.entries[0])
    assert facts(evidence.entries[0])["failure_count"] == "2"


def test_the_worst_comes_first() -> None:
    evidence = evidence_of(
        traffic(),
        pattern("retry refused for <*>", every(2, until=900), WARN),
        pattern("query failed", every(10, until=900), ERROR),
        pattern("kernel panic", [450.0], FATAL),
    )

    assert [entry.template for entry in evidence.entries[1:4]] == [
        "kernel panic",
        "query failed",
        "retry refused for <*>",
    ]


def test_a_log_without_times_is_told_by_order() -> None:
    normal = timeless("step <*>", list(range(1, 1001)))
    failing = timeless("disk write failed on <*>", list(range(1001, 1031)))

    evidence = evidence_of(normal, failing)

    overview, entry, dominant = evidence.entries
    assert (overview.first_time, facts(overview)["failure_count"]) == (None, "30")
    assert (entry.kind, entry.first_time, facts(entry)["first_line"]) == (EntryKind.ERROR, None, "1,001")
    assert facts(entry)["novelty"] == "not seen before in this log"
    assert dominant.kind is EntryKind.DOMINANT


@pytest.mark.parametrize("count", [1, 3])
def test_a_small_healthy_log_has_an_overview_and_its_most_frequent_pattern(count: int) -> None:
    evidence = evidence_of(pattern("started", [float(second) for second in range(count)]))

    assert kinds(evidence) == [EntryKind.OVERVIEW, EntryKind.DOMINANT]
    assert evidence.entries[0].count == count


def test_a_single_error_line_is_told() -> None:
    evidence = evidence_of(pattern("cannot bind port", [0.0], ERROR))

    assert kinds(evidence) == [EntryKind.OVERVIEW, EntryKind.ERROR]
    assert evidence.entries[1].exemplars[0].body == "cannot bind port"


def test_the_most_frequent_warning_is_quoted_where_nothing_failed() -> None:
    evidence = evidence_of(
        traffic(), pattern("disk is filling up", [1.0, 2.0], WARN), pattern("old client", [3.0], WARN)
    )

    overview = evidence.entries[0]
    assert facts(overview)["most_frequent_warning"] == "disk is filling up"
    assert "disk is filling up" in [record.body for record in overview.exemplars]


def test_ten_thousand_patterns_give_at_most_twenty_entries_with_one_proof_each() -> None:
    patterns = [pattern(f"failure {index} of <*>", [index * 0.1], ERROR) for index in range(10_000)]

    evidence = evidence_of(*patterns)

    assert len(evidence.entries) <= 20
    assert facts(evidence.entries[0])["pattern_count"] == "10,000"
    assert all(entry.exemplars for entry in evidence.entries)
    assert [entry.key for entry in evidence.entries] == [f"E{rank}" for rank in range(1, len(evidence.entries) + 1)]


def test_equal_logs_have_equal_digests_whatever_their_ids_and_order() -> None:
    patterns = [traffic(), pattern("query failed", every(10, until=900), ERROR)]
    other_ids = [
        replace(
            each,
            pattern_id="another",
            exemplars=[Exemplar(f"new-{i}", record.time, record.body) for i, record in enumerate(each.exemplars)],
        )
        for each in reversed(patterns)
    ]

    first, second = evidence_of(*patterns), evidence_of(*other_ids, name="another name")

    assert first.digest == second.digest
    assert len(first.digest) == 64


def test_another_number_is_another_digest() -> None:
    one = evidence_of(traffic(), pattern("query failed", every(10, until=900), ERROR))
    other = evidence_of(traffic(), pattern("query failed", every(10, until=890), ERROR))

    assert one.digest != other.digest


def test_long_records_are_cut_to_one_line_of_500_characters() -> None:
    evidence = evidence_of(pattern("dump <*>", [0.0], ERROR, body="Error:\n  at x\n" + "y " * 5000))

    body = evidence.entries[1].exemplars[0].body
    assert len(body) == 500
    assert body.startswith("Error: at x y y")


def test_evidence_needs_a_record() -> None:
    with pytest.raises(ValueError, match="at least one pattern"):
        build_evidence(LogStats("log", "", 0, 10, []))
