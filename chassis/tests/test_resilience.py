"""The breaker and the budget for retries, with a clock that stands still."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.errors import Unavailable
from chassis.resilience.breaker import FAILED_CALLS, LONGEST_OPEN_SECONDS, WINDOW_CALLS, Admission, Breaker, State
from chassis.resilience.retry import LONGEST_WAIT_SECONDS, MOST_SAVED_RETRIES, RetryBudget, full_jitter
from chassis.testing.clock import FrozenClock


class Calls(RuleBasedStateMachine):
    """Calls of all kinds, in any order, at any speed, checked against what the rules in words say of them."""

    @initialize(share=st.floats(0, 1))
    def begin(self, share: float) -> None:
        self.clock = FrozenClock()
        self.told: list[State] = []
        self.breaker = Breaker(
            "parcels",
            clock=self.clock,
            jitter=lambda low, high: low + share * (high - low),
            on_change=self.told.append,
        )
        self.in_flight: list[Admission] = []
        self.outdated: list[Admission] = []
        self.outcomes: list[tuple[float, str]] = []
        self.opened_at: float | None = None
        self.probing = False

    @rule()
    def call(self) -> None:
        before = self.breaker.state
        try:
            admission = self.breaker.admit()
        except Unavailable:
            assert before is not State.CLOSED
            assert self.opened_at is not None
            assert self.probing or self.clock.monotonic() - self.opened_at < LONGEST_OPEN_SECONDS
            return
        assert admission.probe is (before is not State.CLOSED)
        if admission.probe:
            assert not self.probing, "two probes at once"
            assert self.opened_at is not None
            assert self.clock.monotonic() - self.opened_at >= 1
            self.probing = True
        self.in_flight.append(admission)

    @precondition(lambda self: self.in_flight)
    @rule(which=st.integers(0, 1000), end=st.sampled_from(["answered", "failed", "in vain", "left"]))
    def end(self, which: int, end: str) -> None:
        admission = self.in_flight.pop(which % len(self.in_flight))
        before = self.breaker.state
        {
            "answered": admission.answered,
            "failed": admission.failed,
            "in vain": lambda: admission.failed(in_vain=True),
            "left": admission.left,
        }[end]()
        admission.left()
        if admission.probe:
            self.probing = False
            expected = State.CLOSED if end == "answered" else State.OPEN
            if end in {"failed", "in vain"}:
                self.opened_at = self.clock.monotonic()
            self.outcomes = []
        elif before is State.CLOSED and end != "left":
            self.outcomes.append((self.clock.monotonic(), end))
            expected = State.OPEN if self.bad() else State.CLOSED
            if expected is State.OPEN:
                self.opened_at = self.clock.monotonic()
        else:
            expected = before
        assert self.breaker.state is expected

    @rule(seconds=st.sampled_from([0.01, 0.5, 1, 3, 11]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def bad(self) -> bool:
        since = self.clock.monotonic() - 10
        recent = [end for at, end in self.outcomes[-WINDOW_CALLS:] if at >= since]
        after_the_last_answer: list[str] = []
        for _, end in self.outcomes:
            after_the_last_answer = [] if end == "answered" else [*after_the_last_answer, end]
        return sum(end != "answered" for end in recent) >= FAILED_CALLS or after_the_last_answer.count("in vain") >= 3

    @invariant()
    def says_each_change_once(self) -> None:
        if hasattr(self, "told"):
            assert all(one is not other for one, other in zip(self.told, self.told[1:], strict=False))
            assert (self.told[-1:] or [State.CLOSED]) == [self.breaker.state]


Calls.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestCalls = Calls.TestCase


@pytest.fixture
def breaker(clock: FrozenClock) -> Breaker:
    return Breaker("parcels", clock=clock, jitter=lambda _low, high: high)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.admit().failed()


def test_it_opens_when_half_of_twenty_failed(breaker: Breaker) -> None:
    for _ in range(9):
        breaker.admit().answered()
        breaker.admit().failed()
    before = breaker.state
    breaker.admit().answered()
    breaker.admit().failed()

    assert (before, breaker.state) == (State.CLOSED, State.OPEN)


def test_it_stays_closed_when_fewer_fail(breaker: Breaker) -> None:
    for _ in range(100):
        for _ in range(6):
            breaker.admit().answered()
        fail(breaker, 4)

    assert breaker.state is State.CLOSED


def test_failures_of_long_ago_do_not_count(breaker: Breaker, clock: FrozenClock) -> None:
    fail(breaker, 9)
    clock.advance(timedelta(seconds=10.1))
    fail(breaker, 9)

    assert breaker.state is State.CLOSED


def test_three_calls_in_a_row_that_were_waited_for_in_vain_open_it_at_any_pace(
    breaker: Breaker, clock: FrozenClock
) -> None:
    for _ in range(3):
        clock.advance(timedelta(minutes=1))
        breaker.admit().failed(in_vain=True)

    assert breaker.state is State.OPEN


def test_half_open_lets_exactly_one_through(breaker: Breaker, clock: FrozenClock) -> None:
    fail(breaker, 10)
    clock.advance(timedelta(seconds=2))
    probe = breaker.admit()

    for _ in range(50):
        with pytest.raises(Unavailable, match="parcels did not answer of late"):
            breaker.admit()

    assert probe.probe
    probe.answered()
    assert not breaker.admit().probe


def test_it_waits_longer_each_time_and_never_more_than_eight_seconds(breaker: Breaker, clock: FrozenClock) -> None:
    fail(breaker, 10)
    waited = []
    for _ in range(6):
        seconds = 0.0
        while True:
            try:
                breaker.admit().failed()
                break
            except Unavailable:
                clock.advance(timedelta(seconds=0.5))
                seconds += 0.5
        waited.append(seconds)

    assert waited == [2, 4, 8, 8, 8, 8]


def test_a_probe_that_is_given_up_leaves_the_look_to_the_next(breaker: Breaker, clock: FrozenClock) -> None:
    fail(breaker, 10)
    clock.advance(timedelta(seconds=2))
    breaker.admit().left()

    assert breaker.state is State.OPEN
    assert breaker.admit().probe


def test_retries_never_exceed_a_tenth_of_the_calls() -> None:
    budget, retries = RetryBudget(), 0
    for calls in range(1, 1001):
        budget.earn()
        while budget.spend():
            retries += 1
        assert retries <= calls / 10

    assert retries == 100


def test_a_quiet_year_saves_no_more_than_ten_retries() -> None:
    budget = RetryBudget()
    for _ in range(100_000):
        budget.earn()

    assert sum(budget.spend() for _ in range(100)) == MOST_SAVED_RETRIES == 10


@pytest.mark.parametrize(("tries", "longest"), [(1, 0.05), (2, 0.1), (3, 0.2), (9, LONGEST_WAIT_SECONDS)])
def test_waits_are_spread_from_nothing_to_a_bound_that_doubles(tries: int, longest: float) -> None:
    waits = [full_jitter(tries) for _ in range(1000)]

    assert max(waits) <= longest
    assert min(waits) < longest * 0.05
    assert sum(waits) / 1000 == pytest.approx(longest / 2, rel=0.1)
