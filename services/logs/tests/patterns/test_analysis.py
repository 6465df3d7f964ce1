"""A whole log, read once: totals add up, whatever the chunks were."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.logs.tests.factories import analysed

from logs_service.patterns.record import Severity

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_LOG = b"".join(
    f"2024-01-02 03:{minute:02d}:00 {'INFO' if minute % 5 else 'ERROR'} job {minute} took {minute * 3}ms\n".encode()
    for minute in range(60)
)


def test_counts_levels_times_buckets_and_exemplars() -> None:
    analysis = analysed([_LOG, b"2024-01-02 04:00:00 WARN disk full\n"], now=_NOW, bucket_seconds=600)

    most, least = analysis.patterns()
    start = int(datetime(2024, 1, 2, 3, tzinfo=UTC).timestamp())
    assert analysis.total == 61
    assert (most.template, most.count) == ("job <*> took <*>", 60)
    assert most.severities == {Severity.ERROR: 12, Severity.INFO: 48}
    assert (most.first_time, most.last_time) == (start * 10**9, (start + 59 * 60) * 10**9)
    assert most.buckets == {start + 600 * i: 10 for i in range(6)}
    assert most.exemplars[0] == (1, start * 10**9, "job 0 took 0ms")
    assert len(most.exemplars) == 3
    assert (least.template, least.count, least.severities) == ("disk full", 1, {Severity.WARN: 1})


def test_the_size_of_the_chunks_makes_no_difference() -> None:
    whole = analysed([_LOG], now=_NOW).patterns()
    pieces = analysed([_LOG[i : i + 7] for i in range(0, len(_LOG), 7)], now=_NOW).patterns()

    assert [(p.template, p.count, p.buckets, p.exemplars) for p in pieces] == [
        (p.template, p.count, p.buckets, p.exemplars) for p in whole
    ]


def test_messages_are_redacted_before_they_are_mined_and_kept() -> None:
    log = b"user alice in\nuser bob in\n"

    analysis = analysed(
        [log], now=_NOW, redact=lambda text: text.replace("alice", "<USER:1>").replace("bob", "<USER:2>")
    )

    (pattern,) = analysis.patterns()
    assert (pattern.template, pattern.count) == ("user <*> in", 2)
    assert [text for _, _, text in pattern.exemplars] == ["user <USER:1> in", "user <USER:2> in"]


def test_an_empty_log_has_no_patterns() -> None:
    analysis = analysed([b"", b"\n\n"], now=_NOW)

    assert (analysis.total, analysis.patterns()) == (0, [])


_ALPHABET = b"\n\n\n \t[]()<>{}:=-\"'0123456789abXYZ|.,/\\\xff\xc3\xa4\x00\r%"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(_ALPHABET)), max_size=600).map(bytes))
def test_no_input_makes_it_fail_and_counts_always_add_up(log: bytes) -> None:
    analysis = analysed([log], now=_NOW)

    assert sum(pattern.count for pattern in analysis.patterns()) == analysis.total


@pytest.mark.parametrize("prefix", ["", "2024-01-01 00:00:00 INFO ", "<13>1 2024-01-01T00:00:00Z a b c d "])
@pytest.mark.parametrize(
    "piece", ["[", "a:", "(", "1.", '"', "=", "/a", '[a="', "<", "{", "a.", "- ", "Error", "12:00:00 "]
)
def test_no_line_makes_it_slow(piece: str, prefix: str) -> None:
    line = (prefix + piece * (65_536 // len(piece))).encode()
    started = time.process_time()

    analysed([line + b"\n" + line + b"x\n"], now=_NOW)

    assert time.process_time() - started < 2
