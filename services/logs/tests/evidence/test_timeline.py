import random

import pytest

from logs_service.evidence.timeline import (
    Axis,
    build_axis,
    find_burst,
    find_growth,
    find_silence,
    find_stop,
    starts_late,
)

TESTS = 50


def poisson(rate: float, rng: random.Random) -> int:
    """Knuth's way; rates here are small."""
    limit, product, count = 2.718281828459045**-rate, rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def steady(rate: float, size: int, seed: int) -> list[int]:
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return [poisson(rate, rng) for _ in range(size)]


def test_an_axis_holds_every_bucket_between_first_and_last() -> None:
    axis = build_axis([{100: 2, 130: 1}, {110: 4}], 10)

    assert axis == Axis(start_second=100, bucket_seconds=10, totals=(2, 4, 0, 1), outside_count=0)


def test_a_line_of_another_year_does_not_stretch_the_axis() -> None:
    buckets = {1_800_000_000 + 10 * index: 20 for index in range(60)}

    axis = build_axis([buckets, {1_100_000_000: 1}, {1_900_000_000: 1}], 10)

    assert axis is not None
    assert (axis.start_second, axis.end_second, axis.outside_count) == (1_800_000_000, 1_800_000_600, 2)


def test_a_long_log_is_put_into_at_most_512_buckets_without_losing_a_record() -> None:
    axis = build_axis([{60 * index: 1 for index in range(10_000)}], 60)

    assert axis is not None
    assert len(axis.totals) <= 512
    assert sum(axis.totals) == 10_000


def test_a_log_without_times_has_no_axis() -> None:
    assert build_axis([{}, {}], 10) is None


def test_growth_is_found_where_it_began() -> None:
    counts = [2] * 60 + [10] * 30

    growth = find_growth(counts, [100] * 90, 10, TESTS)

    assert growth is not None
    assert (growth.onset_index, growth.count_before, growth.count_after) == (60, 120, 300)
    assert (growth.rate_before_per_second, growth.rate_after_per_second) == (0.2, 1.0)


def test_one_late_line_is_no_growth() -> None:
    assert find_growth([1, 0, 0, 1] * 10 + [0] * 49 + [1], [50] * 90, 10, TESTS) is None


def test_a_job_that_writes_in_clumps_does_not_grow() -> None:
    hourly = ([50] + [0] * 11) * 4 + [50, 0, 0, 50] + [0] * 8

    assert find_growth(hourly, [100] * len(hourly), 300, TESTS) is None


def test_jobs_that_write_in_clumps_at_odd_times_do_not_grow() -> None:
    found = 0
    for seed in range(300):
        counts = [50 * count for count in steady(0.08, 60, seed)]
        found += find_growth(counts, [count + 50 for count in counts], 300, TESTS) is not None

    assert found <= 3


def test_what_rises_with_all_traffic_does_not_grow_by_itself() -> None:
    counts = [2] * 40 + [10] * 40
    totals = [100] * 40 + [500] * 40

    assert find_growth(counts, totals, 10, TESTS) is None


@pytest.mark.parametrize("rate", [0.3, 2.0, 10.0])
def test_chance_alone_hardly_ever_looks_like_a_finding(rate: float) -> None:
    """1,000 steady patterns, judged as 50 of one log each: five false findings would be one log in four."""
    found = 0
    for seed in range(1000):
        counts = steady(rate, 60, seed)
        totals = [count + 50 for count in counts]
        found += find_growth(counts, totals, 10, TESTS) is not None
        found += find_burst(counts, totals, TESTS) is not None
        found += find_stop(counts, totals, TESTS) is not None

    assert found <= 3


def test_a_burst_is_found_with_its_exact_buckets() -> None:
    counts = [0, 1, 0] * 10 + [12, 15] + [0, 0, 1] * 10

    burst = find_burst(counts, [30 + count for count in counts], TESTS)

    assert burst is not None
    assert (burst.onset_index, burst.bucket_count, burst.count) == (30, 2, 27)


def test_what_comes_in_equal_clumps_is_no_burst() -> None:
    counts = ([30] + [0] * 9) * 6

    assert find_burst(counts, [50 + count for count in counts], TESTS) is None


def test_a_burst_of_all_traffic_is_no_burst_of_one_pattern() -> None:
    counts = [1] * 30 + [20] + [1] * 30
    totals = [50] * 30 + [1000] + [50] * 30

    assert find_burst(counts, totals, TESTS) is None


def test_a_regular_pattern_that_falls_silent_has_stopped() -> None:
    counts = [1] * 40 + [0] * 40

    assert find_stop(counts, [20] * 80, TESTS) == 40


def test_a_pattern_does_not_stop_when_the_whole_log_does() -> None:
    counts = [1] * 40 + [0] * 40

    assert find_stop(counts, [20] * 40 + [0] * 40, TESTS) is None


def test_a_start_up_message_has_not_stopped() -> None:
    assert find_stop([3] * 8 + [0] * 72, [20] * 80, TESTS) is None


def test_silence_in_a_steady_log_is_found() -> None:
    silence = find_silence([5] * 30 + [0] * 12 + [5] * 30)

    assert silence is not None
    assert (silence.onset_index, silence.bucket_count) == (30, 12)


def test_a_log_that_is_often_silent_has_no_gap() -> None:
    assert find_silence(([5] + [0] * 3) * 10 + [0] * 12 + ([5] + [0] * 3) * 10) is None


def test_a_single_empty_bucket_is_no_gap() -> None:
    assert find_silence([5] * 30 + [0] + [5] * 30) is None


@pytest.mark.parametrize(
    ("occurrences", "share_before", "expected"),
    [(2, 1.0, False), (3, 0.89, False), (3, 0.9, True), (1000, 0.2, False), (20, 0.5, True)],
)
def test_late_starts_are_told_from_chance(occurrences: int, share_before: float, expected: bool) -> None:  # noqa: FBT001
    assert starts_late(occurrences=occurrences, share_before=share_before, tests=TESTS) is expected
