"""Statistics over time buckets: did a pattern start late, grow, stop, burst; was there silence.

Every test asks two things: is the change more than chance (a likelihood ratio or a binomial tail, corrected for the
number of patterns looked at and for clumps), and is it large enough to be told. Changes of the whole traffic are no
change of a pattern.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_BUCKETS = 512
MIN_COUNT = 10
FALSE_ALARM_CHANCE = 0.05
"""Accepted chance of one false finding in a whole log, per test."""
_BURST_SHARE_OF_SPAN = 0.2


@dataclass(frozen=True, slots=True)
class Axis:
    """The common time axis of a log: equal buckets over the span in which nearly all of its records lie."""

    start_second: int
    bucket_seconds: int
    totals: tuple[int, ...]
    """Records of the whole log by bucket."""
    outside_count: int
    """Records so far from the rest in time that the axis leaves them out."""

    @property
    def end_second(self) -> int:
        """Where the axis ends, exclusive."""
        return self.start_second + self.bucket_seconds * len(self.totals)

    def place(self, buckets: Mapping[int, int]) -> list[int]:
        """The counts of one pattern on this axis."""
        counts = [0] * len(self.totals)
        for second, count in buckets.items():
            index = (second - self.start_second) // self.bucket_seconds
            if 0 <= index < len(counts):
                counts[index] += count
        return counts

    def time_of(self, index: int) -> int:
        """Start of a bucket in nanoseconds."""
        return (self.start_second + index * self.bucket_seconds) * 1_000_000_000

    def holds(self, time: int) -> bool:
        """True when a time in nanoseconds lies on the axis."""
        return self.start_second <= time // 1_000_000_000 < self.end_second


@dataclass(frozen=True, slots=True)
class Growth:
    """A rate that rose and stayed up."""

    onset_index: int
    count_before: int
    count_after: int
    rate_before_per_second: float
    rate_after_per_second: float


@dataclass(frozen=True, slots=True)
class Burst:
    """A short span with far more records than any other of its width."""

    onset_index: int
    bucket_count: int
    count: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Buckets without a record."""

    onset_index: int
    bucket_count: int


def build_axis(buckets: Sequence[Mapping[int, int]], bucket_seconds: int) -> Axis | None:
    """The axis of a log; None when no record has a time.

    The axis spans the middle 98 % of the records and as much again on either side, so that a line with a wrong year
    does not flatten everything else into one bucket.
    """
    totals: Counter[int] = Counter()
    for counts in buckets:
        totals.update(counts)
    if not totals:
        return None
    seconds = sorted(totals)
    timed = sum(totals.values())
    low, high = _quantile(seconds, totals, timed * 0.01), _quantile(seconds, totals, timed * 0.99)
    margin = max(high - low, 60, 10 * bucket_seconds)
    kept = [second for second in seconds if low - margin <= second <= high + margin]
    width = bucket_seconds
    while (kept[-1] - kept[0]) // width + 1 > MAX_BUCKETS:
        width *= 2
    empty = Axis(kept[0], width, (0,) * ((kept[-1] - kept[0]) // width + 1), 0)
    placed = empty.place(totals)
    return Axis(empty.start_second, width, tuple(placed), timed - sum(placed))


def _quantile(seconds: Sequence[int], totals: Mapping[int, int], rank: float) -> int:
    seen = 0
    for second in seconds:
        seen += totals[second]
        if seen >= rank:
            return second
    return seconds[-1]


def starts_late(*, occurrences: int, share_before: float, tests: int) -> bool:
    """True when chance alone would not have kept so many occurrences out of the first part of the log.

    Binomial tail: (1 - share_before) ** occurrences, against the accepted chance divided by the number of patterns. One
    or two lines prove nothing: some line is always the last.
    """
    if share_before < 0.25 or occurrences < 3:  # noqa: PLR2004
        return False
    return occurrences * math.log1p(-min(share_before, 1 - 1e-12)) <= math.log(FALSE_ALARM_CHANCE / tests)


def find_growth(counts: Sequence[int], totals: Sequence[int], bucket_seconds: int, tests: int) -> Growth | None:
    """The point from which a pattern came at twice its rate or more, up to the end of the log.

    Poisson likelihood ratio over all split points, divided by the dispersion within the two parts, so that a job that
    writes fifty lines an hour in one go is not taken for growth.
    """
    size, count = len(counts), sum(counts)
    if size < 6 or count < MIN_COUNT:  # noqa: PLR2004 - fewer buckets hold no before and after
        return None
    sums, total_sums = [0, *accumulate(counts)], [0, *accumulate(totals)]
    best, split = 0.0, 0
    for index in range(2, size - 1):
        before, after = sums[index], count - sums[index]
        ratio = _split_likelihood(before, index, after, size - index)
        if after * index > before * (size - index) and ratio > best:
            best, split = ratio, index
    if not split:
        return None
    before, after = sums[split], count - sums[split]
    rate_before, rate_after = before / split, after / (size - split)
    dispersion = max(1.0, _dispersion(counts, split, rate_before, rate_after))
    others_before = total_sums[split] - before
    others_after = total_sums[size] - total_sums[split] - after
    followed_traffic = others_before > 0 and after * others_before < 1.5 * before * others_after
    spread = sum(1 for value in counts[split:] if value)
    if (
        best / dispersion < _threshold(size, tests)
        or before == 0
        or after < MIN_COUNT
        or rate_after < 2 * rate_before
        or spread < 3  # noqa: PLR2004 - one or two full buckets are a burst
        or followed_traffic
    ):
        return None
    return Growth(split, before, after, rate_before / bucket_seconds, rate_after / bucket_seconds)


def find_burst(counts: Sequence[int], totals: Sequence[int], tests: int, *, widest: int = MAX_BUCKETS) -> Burst | None:
    """The short window, of `widest` buckets at most, that stands out most: Kulldorff's scan statistic (1997).

    It must hold three times what any other window of its width holds, so that what comes in clumps is no burst, and
    twice what the traffic of that window explains.
    """
    size, count = len(counts), sum(counts)
    if size < 5 or count < MIN_COUNT:  # noqa: PLR2004 - a fifth of fewer buckets is no bucket
        return None
    sums = [0, *accumulate(counts)]
    best: tuple[float, int, int] | None = None
    width = 1
    while width <= max(1, min(int(size * _BURST_SHARE_OF_SPAN), widest)):
        start = max(range(size - width + 1), key=lambda index: sums[index + width] - sums[index])
        inside = sums[start + width] - sums[start]
        ratio = _window_likelihood(inside, count, width / size)
        if inside >= MIN_COUNT and (best is None or ratio > best[0] + 1e-9):
            best = (ratio, start, width)
        width = width + 1 if width < 4 else width * 3 // 2  # noqa: PLR2004 - every small width, then steps
    if best is None or best[0] < _threshold(size, tests):
        return None
    _, start, width = best
    while not counts[start]:
        start, width = start + 1, width - 1
    while not counts[start + width - 1]:
        width -= 1
    inside = sums[start + width] - sums[start]
    rivals = [
        sums[index + width] - sums[index]
        for index in range(size - width + 1)
        if index + width <= start or index >= start + width
    ]
    others_inside = sum(totals[start : start + width]) - inside
    others = sum(totals) - count
    explained = others > 0 and inside * others < 2 * count * others_inside
    if inside < 3 * max(rivals, default=0) or explained:
        return None
    return Burst(start, width, inside)


def find_stop(counts: Sequence[int], totals: Sequence[int], tests: int) -> int | None:
    """The bucket from which a regular pattern is silent while the rest of the log goes on; None when it goes on too."""
    filled = [index for index, value in enumerate(counts) if value]
    if len(filled) < 8 or len(counts) < 12:  # noqa: PLR2004 - too few occurrences to be called regular
        return None
    last = filled[-1]
    largest_pause = max(right - left for left, right in pairwise(filled))
    silent = len(counts) - 1 - last
    others = sum(totals) - sum(counts)
    others_after = sum(totals[last + 1 :])
    if silent < 3 * largest_pause or last - filled[0] < len(counts) / 4 or others_after < MIN_COUNT or not others:
        return None
    return last + 1 if starts_late(occurrences=len(filled), share_before=others_after / others, tests=tests) else None


def find_silence(totals: Sequence[int]) -> Silence | None:
    """The longest run of empty buckets in a log that otherwise writes into nearly every bucket."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for index, value in enumerate((*totals, 1)):
        if value == 0 and start is None:
            start = index
        elif value and start is not None:
            runs.append((index - start, start))
            start = None
    if not runs:
        return None
    runs.sort(reverse=True)
    length, start = runs[0]
    next_length = runs[1][0] if len(runs) > 1 else 0
    filled = sum(1 for value in totals if value)
    rest = len(totals) - length
    expected = sum(totals) / rest * length
    steady = filled >= 0.9 * rest and rest >= 10  # noqa: PLR2004 - nine of ten buckets hold a record
    if not steady or expected < 2 * MIN_COUNT or length < 3 or length < 4 * next_length:  # noqa: PLR2004
        return None
    return Silence(start, length)


def _threshold(size: int, tests: int) -> float:
    """Likelihood ratio that chance reaches in one log of twenty, corrected for all splits and patterns (Bonferroni)."""
    return math.log(size * tests / FALSE_ALARM_CHANCE)


def _split_likelihood(before: int, size_before: int, after: int, size_after: int) -> float:
    overall = (before + after) / (size_before + size_after)
    return sum(n * math.log(n / size / overall) for n, size in ((before, size_before), (after, size_after)) if n)


def _window_likelihood(inside: int, count: int, share: float) -> float:
    if inside <= count * share:
        return 0.0
    outside = count - inside
    result = inside * math.log(inside / (count * share))
    return result + (outside * math.log(outside / (count * (1 - share))) if outside else 0.0)


def _dispersion(counts: Sequence[int], split: int, rate_before: float, rate_after: float) -> float:
    """Pearson's chi-square by degrees of freedom around the two rates: 1 for a Poisson process, more for clumps."""
    squares = 0.0
    for index, value in enumerate(counts):
        rate = rate_before if index < split else rate_after
        if rate:
            squares += (value - rate) ** 2 / rate
    return squares / max(1, len(counts) - 2)
