# ruff: noqa: S311 - chance makes test data here, no secrets
"""The miner: counts add up, ids stay, templates match, and its own catalogue teaches it nothing new."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from services.logs.tests.factories import instance_of

from logs_service.patterns.miner import MinerChanges, Pattern, PatternMiner

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = (
    *("user", "alice", "bob", "carol", "opened", "session", "for", "from", "error:", "disk", "/var/log", "10.0.0.1"),
    *("42", "id=7", "name=", "(x)", "()", "<EMAIL>", "0xff", "'a b'", "timeout", "a-b-c", "x.y.z", "state", "UP"),
)


def counting_ids() -> Callable[[], UUID]:
    """Ids 1, 2, 3, so that two runs can be compared."""
    number = 0

    def new_id() -> UUID:
        nonlocal number
        number += 1
        return UUID(int=number)

    return new_id


def catalogue_after(changes: MinerChanges, before: tuple[Pattern, ...] = ()) -> tuple[Pattern, ...]:
    """The catalogue that a store holds once it applied the changes."""
    patterns = {pattern.id: pattern for pattern in (*before, *changes.created)}
    patterns.update({pattern.id: pattern for pattern in changes.generalised})
    for source, target in changes.merged:
        patterns[source] = patterns[source]._replace(merged_into=target)
    return tuple(patterns.values())


lines_of_words = st.lists(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=7).map(" ".join), max_size=120)


@settings(max_examples=150, deadline=None)
@given(lines_of_words)
def test_every_line_is_matched_by_its_pattern_and_counts_add_up(lines: list[str]) -> None:
    miner = PatternMiner(new_id=counting_ids())

    ids = [miner.add(line) for line in lines]
    changes = miner.finish()

    live = {pattern.id for pattern in changes.created if pattern.merged_into is None}
    counts = Counter(miner.resolve(pattern_id) for pattern_id in ids)
    assert sum(counts.values()) == len(lines)
    assert set(counts) == live
    for line, pattern_id in zip(lines, ids, strict=True):
        assert instance_of(miner.template(pattern_id), line), (miner.template(pattern_id), line)


@settings(max_examples=150, deadline=None)
@given(lines_of_words)
def test_a_miner_rebuilt_from_its_catalogue_learns_nothing_from_the_same_lines(lines: list[str]) -> None:
    first = PatternMiner(new_id=counting_ids())
    for line in lines:
        first.add(line)
    catalogue = catalogue_after(first.finish())

    again = PatternMiner(catalogue, new_id=counting_ids())
    ids = [again.add(line) for line in lines]
    changes = again.finish()

    assert changes == MinerChanges((), (), ())
    live = {pattern.id for pattern in catalogue if pattern.merged_into is None}
    assert {again.resolve(pattern_id) for pattern_id in ids} <= live


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_matched_by_its_pattern(text: str) -> None:
    miner = PatternMiner(new_id=counting_ids())

    pattern_id = miner.add(text)
    miner.finish()

    template = miner.template(pattern_id)
    assert instance_of(template, text)


def test_a_pattern_that_becomes_more_general_keeps_its_id_at_the_next_version() -> None:
    first = PatternMiner(new_id=counting_ids())
    first.add("session opened for user alice by uid=0")
    catalogue = catalogue_after(first.finish())

    second = PatternMiner(catalogue, new_id=lambda: UUID(int=99))
    second.add("session opened for user bob by uid=0")
    changes = second.finish()

    old = UUID(int=1)
    assert changes.generalised == (Pattern(old, "session opened for user <*> by uid=<*>", 2),)
    assert changes.merged == ((UUID(int=99), old),)
    assert [pattern.merged_into for pattern in changes.created] == [old]
    assert second.resolve(UUID(int=99)) == old


def test_two_stored_patterns_are_merged_only_when_a_new_line_shows_that_they_are_one() -> None:
    stored = tuple(
        Pattern(UUID(int=i), f"cache entry {word} evicted now")
        for i, word in enumerate(["ash", "oak", "elm", "fir"], 1)
    )
    quiet = PatternMiner(stored, new_id=lambda: UUID(int=99))
    quiet.add("cache entry oak evicted now")
    speaking = PatternMiner(stored, new_id=lambda: UUID(int=99))
    speaking.add("cache entry yew evicted now")

    assert quiet.finish() == MinerChanges((), (), ())
    changes = speaking.finish()

    assert changes.generalised == (Pattern(UUID(int=1), "cache entry <*> evicted now", 2),)
    assert changes.merged == tuple((UUID(int=i), UUID(int=1)) for i in (2, 3, 4, 99))


def test_the_order_of_equal_runs_gives_equal_patterns() -> None:
    lines = [
        f"worker {i % 7} took job {random.Random(i).random()} from queue {name}"
        for i, name in enumerate("abcdefgh" * 20)
    ]

    runs = []
    for _ in range(2):
        miner = PatternMiner(new_id=counting_ids())
        runs.append(([miner.add(line) for line in lines], miner.finish()))

    assert runs[0] == runs[1]


def test_redaction_tokens_are_parameters() -> None:
    miner = PatternMiner(new_id=counting_ids())

    first = miner.add("mail from <EMAIL> via <IP> for <USER:ab12> failed")
    second = miner.add("mail from <EMAIL> via <IP> for <USER:cd34> failed")

    assert first == second
    assert miner.template(first) == "mail from <*> via <*> for <*> failed"


def test_names_that_differ_in_a_letter_and_a_number_are_values() -> None:
    miner = PatternMiner(new_id=counting_ids())

    ids = [miner.add(f"no answer from any [Cluster_{letter}{n}] source") for n, letter in enumerate("ABABA")]
    miner.finish()

    assert {miner.template(pattern_id) for pattern_id in ids} == {"no answer from any [Cluster_<*>] source"}


def test_a_digit_of_a_name_is_a_value_once_another_line_has_another() -> None:
    miner = PatternMiner(new_id=counting_ids())

    kept = miner.add("jk2_init() ok")
    first, second, third = miner.add("eth0 up"), miner.add("eth1 up"), miner.add("eth0 up")
    provisional = len({first, second, third})
    miner.finish()

    assert miner.template(kept) == "jk2_init() ok"
    assert provisional == 2
    assert {miner.template(pattern_id) for pattern_id in (first, second, third)} == {"eth<*> up"}


def test_messages_that_differ_in_their_words_stay_apart() -> None:
    miner = PatternMiner(new_id=counting_ids())
    bodies = [
        "cupsd startup succeeded",
        "cupsd shutdown succeeded",
        "Transitioned from NEW to RUNNING",
        "Transitioned from RUNNING to DONE",
        "Failed password for root from 1.2.3.4 port 22",
        "Failed password for invalid user root from 1.2.3.4 port 22",
    ]

    ids = {miner.resolve(miner.add(body)) for body in bodies}
    miner.finish()

    assert len({miner.resolve(pattern_id) for pattern_id in ids}) == 6


def test_thirty_thousand_distinct_lines_stay_within_the_limit_and_the_count() -> None:
    rng = random.Random(5)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5000)]
    miner = PatternMiner(new_id=counting_ids(), max_patterns=2000)

    started = time.process_time()
    ids = [miner.add(" ".join(rng.choices(words, k=rng.randint(3, 9)))) for _ in range(30_000)]
    changes = miner.finish()

    live = [pattern for pattern in changes.created if pattern.merged_into is None]
    assert len(ids) == 30_000
    assert len(live) <= 2001
    assert time.process_time() - started < 60


def test_several_free_words_in_one_message_make_one_pattern() -> None:
    rng = random.Random(3)
    names = ["".join(rng.choices("abcdefghijklmnop", k=7)) for _ in range(500)]
    miner = PatternMiner(new_id=counting_ids())

    ids = [
        miner.add(f"user {rng.choice(names)} moved {rng.choice(names)} to project {rng.choice(names)}")
        for _ in range(2000)
    ]
    changes = miner.finish()

    assert {miner.template(pattern_id) for pattern_id in ids} == {"user <*> moved <*> to project <*>"}
    assert len(changes.created) <= 64


def test_a_stack_trace_is_mined_by_its_first_line_and_its_exception() -> None:
    miner = PatternMiner(new_id=counting_ids())
    java = "Job 7 failed\njava.io.IOException: disk 3 full\n\tat a.B.c(B.java:{line})\n\tat a.B.d(B.java:2)"
    python = 'Traceback (most recent call last):\n  File "a.py", line {line}, in f\nValueError: bad id {line}'

    first, second = miner.add(java.replace("{line}", "1")), miner.add(java.replace("{line}", "99"))
    third, fourth = miner.add(python.replace("{line}", "1")), miner.add(python.replace("{line}", "22"))

    assert (first, third) == (second, fourth)
    assert miner.template(first) == "Job <*> failed java.io.IOException: disk <*> full <*>"
    assert miner.template(third) == "Traceback (most recent call last): <*> ValueError: bad id <*>"


def test_a_very_long_message_is_mined_by_its_start() -> None:
    miner = PatternMiner(new_id=counting_ids())
    body = "payload " + " ".join(f"w{i}x" for i in range(30_000))

    template = miner.template(miner.add(body))

    assert template.startswith("payload ")
    assert len(template) < 2100
    assert instance_of(template, body)
