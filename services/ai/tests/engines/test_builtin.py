import subprocess
import sys

import pytest
from services.ai.tests.factories import at, entry, evidence, overview, refused

from ai_service.domain import Entry, EntryKind, Exemplar
from ai_service.engines import builtin
from ai_service.engines.summary import summary_task


def worded(*entries: Entry) -> list[str]:
    return [sentence.text for sentence in builtin.word_entries(evidence(*entries))]


def overview_with(**facts: str) -> str:
    return worded(overview(facts={"record_count": "2,000", **facts}))[0]


def test_the_whole_and_what_failed_since_when() -> None:
    whole = "The log has 2,000 records over 15 minutes (2027-01-15 08:00:00 to 08:15:00 UTC)"
    failed = "Errors such as `connection refused to db-7` came 84 times in 3 minutes, from 08:10:00 UTC."

    assert worded(overview(), refused()) == [f"{whole}: 84 (4.2 %) are errors, the first at 08:10:00 UTC.", failed]


@pytest.mark.parametrize(
    ("facts", "ending"),
    [
        ({}, "none reports a failure."),
        ({"error_count": "0", "failure_count": "0", "warning_count": "0"}, "none reports a failure."),
        ({"error_count": "1", "error_percent": "0.05"}, "1 (0.05 %) is an error."),
        (
            {"error_count": "1", "failure_count": "1", "first_error_time": "2027-01-15 08:10:00 UTC"},
            "1 is an error, at 08:10:00 UTC.",
        ),
        (
            {"error_count": "3", "failure_count": "9", "failure_percent": "0.4", "warning_count": "1"},
            "3 are errors, and 9 (0.4 %) report failures in all; 1 is a warning.",
        ),
        ({"error_count": "0", "failure_count": "1"}, "1 reports a failure."),
        ({"error_count": "0", "failure_count": "20", "failure_percent": "1"}, "20 (1 %) report failures."),
        (
            {
                "error_count": "0",
                "failure_count": "0",
                "warning_count": "2",
                "most_frequent_warning": "disk filling up",
            },
            "2 are warnings, most often `disk filling up`; none is an error.",
        ),
        ({"outside_count": "1"}, "none reports a failure; 1 with a time far from the rest."),
    ],
)
def test_trouble_is_told_in_the_right_number(facts: dict[str, str], ending: str) -> None:
    assert overview_with(**facts).split("UTC): ")[1] == ending


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"count": 1, "facts": {"count": "1"}, "last_time": at(600)},
            "The error `connection refused to db-7` came once, at 2027-01-15 08:10:00 UTC.",
        ),
        (
            {"count": 2, "facts": {"count": "2", "duration": "3 minutes"}},
            "Errors such as `connection refused to db-7` came twice in 3 minutes, from 2027-01-15 08:10:00 UTC.",
        ),
        (
            {"severity_number": 21, "facts": {"count": "84", "novelty": "not seen before in this log"}},
            (
                "Fatal errors such as `connection refused to db-7` came 84 times, from 2027-01-15 08:10:00 UTC;"
                " they were not seen before in this log."
            ),
        ),
        (
            {"facts": {"count": "84", "error_count": "2", "duration": "3 minutes"}},
            (
                "Errors such as `connection refused to db-7` came 84 times (2 as errors) in 3 minutes,"
                " from 2027-01-15 08:10:00 UTC."
            ),
        ),
        (
            {"first_time": None, "last_time": None, "facts": {"count": "84", "first_line": "1,001"}},
            "Errors such as `connection refused to db-7` came 84 times, first in line 1,001.",
        ),
        (
            {"facts": {"count": "84", "rate_before_per_minute": "2", "rate_after_per_minute": "20"}},
            (
                "Errors such as `connection refused to db-7` came 84 times, from 2027-01-15 08:10:00 UTC;"
                " their rate rose from 2 to 20 per minute at 2027-01-15 08:10:00 UTC."
            ),
        ),
    ],
)
def test_an_error_is_told_with_what_is_known_of_it(values: dict[str, object], sentence: str) -> None:
    assert worded(refused(**values)) == [sentence]


@pytest.mark.parametrize(
    ("entry_", "sentence"),
    [
        (
            entry(
                EntryKind.BURST,
                "log-in failed for <*> from <*>",
                body="log-in failed for <EMAIL:ab12> from <IP:cd34>",
                count=20,
                severity_number=13,
                onset_time=at(60),
                facts={"count": "20", "burst_count": "20", "burst_duration": "8 seconds"},
            ),
            (
                "Warnings such as `log-in failed for <EMAIL:ab12> from <IP:cd34>` came 20 times within 8 seconds,"
                " from 2027-01-15 08:01:00 UTC."
            ),
        ),
        (
            entry(
                EntryKind.BURST,
                "cache miss",
                count=90,
                onset_time=at(60),
                facts={"count": "90", "burst_count": "50", "burst_duration": "less than a second"},
            ),
            "`cache miss` came 90 times, 50 of them in less than a second from 2027-01-15 08:01:00 UTC.",
        ),
        (
            entry(
                EntryKind.NEW,
                "NATS reconnected after <*> s",
                body="NATS reconnected after 10.2 s",
                facts={"state": "recovered"},
            ),
            "`NATS reconnected after 10.2 s` followed at 2027-01-15 08:00:00 UTC.",
        ),
        (
            entry(
                EntryKind.GREW,
                "slow query",
                count=138,
                severity_number=13,
                onset_time=at(540),
                facts={"rate_before_per_minute": "2", "rate_after_per_minute": "20", "count_after": "120"},
            ),
            "The warning `slow query` rose from 2 to 20 per minute at 2027-01-15 08:09:00 UTC, 120 times since.",
        ),
        (
            entry(EntryKind.STOPPED, "heartbeat", count=80, onset_time=at(395), facts={"count": "80"}),
            "`heartbeat` came 80 times up to 2027-01-15 08:06:35 UTC and then stopped, while the log went on.",
        ),
        (
            entry(EntryKind.GAP, last_time=at(120), facts={"duration": "2 minutes"}),
            "Nothing was logged for 2 minutes (2027-01-15 08:00:00 to 08:02:00 UTC).",
        ),
        (
            entry(EntryKind.DOMINANT, "served", count=1800, facts={"count": "1,800", "share_percent": "79.9"}),
            "`served` makes up 79.9 % of the log (1,800 records).",
        ),
        (entry(EntryKind.DOMINANT, "started", facts={"count": "1"}), "The record says `started`."),
    ],
)
def test_every_kind_has_its_sentence(entry_: Entry, sentence: str) -> None:
    assert worded(entry_) == [sentence]


def test_a_long_example_gives_way_to_its_template() -> None:
    long = refused(template="cannot write to volume <*>", body="cannot write to volume " + "x" * 100)

    assert worded(long)[0].startswith("The error `cannot write to volume …` came 84 times")


def test_a_template_without_words_gives_way_to_an_example_cut_between_words() -> None:
    text = worded(refused(template="<*> <*>", body="word " * 60))[0]

    assert text.startswith("Errors such as `word word")
    assert "word …` came 84 times" in text


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        ("see http://evil.example/x", "`see evil.example/x`"),
        ("say `rm -rf`", "`say 'rm -rf'`"),
        ("[click](evil)", "`[click] (evil)`"),
        ("<script>alert(1)</script>", "` script>alert(1) /script>`"),
        ("javascript:alert(1)", "`alert(1)`"),
        ("two\nlines", "`two lines`"),
        ("", "an empty text"),
        ("x" * 400, "a long text without spaces"),
    ],
)
def test_quotes_hold_nothing_that_acts(body: str, quoted: str) -> None:
    said = worded(refused(template="text", body=body, facts={"count": "84"}))[0]

    assert (
        said.replace("  ", " ") == f"The error {quoted.replace('` ', '`')} came 84 times, from 2027-01-15 08:10:00 UTC."
    )


def test_each_entry_has_one_sentence_in_order_and_the_answer_has_the_first_eight() -> None:
    entries = [overview(), *(refused(key=f"E{rank}") for rank in range(2, 21))]

    sentences = builtin.word_entries(evidence(*entries))
    task = summary_task(evidence(*entries))

    assert [sentence.entry_keys for sentence in sentences] == [(f"E{rank}",) for rank in range(1, 21)]
    assert all(sentence.record_ids for sentence in sentences)
    assert (task.builtin, task.fallback) == (sentences, sentences[:8])


def test_at_most_three_records_are_cited() -> None:
    records = tuple(Exemplar(f"r{index}", at(index), "connection refused to db-7") for index in range(5))

    assert builtin.word_entries(evidence(refused(exemplars=records)))[0].record_ids == ("r0", "r1", "r2")


def test_a_log_of_several_days_gets_its_days_told() -> None:
    both = worded(overview(last_time=at(200_000)), refused())

    assert "2027-01-15 08:00:00 to 2027-01-17 15:33:20 UTC" in both[0]
    assert both[1].endswith("from 2027-01-15 08:10:00 UTC.")


def test_a_time_outside_the_calendar_is_left_out() -> None:
    assert worded(refused(first_time=10**30, facts={"count": "84"})) == [
        "Errors such as `connection refused to db-7` came 84 times."
    ]


def test_equal_evidence_gets_equal_words() -> None:
    assert builtin.word_entries(evidence()) == builtin.word_entries(evidence())


def test_importing_it_pulls_in_no_server() -> None:
    program = (
        "import sys, ai_service.engines.builtin;"
        "print(sorted({'openai', 'grpc', 'sqlalchemy', 'pydantic', 'google', 'httpx2'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
