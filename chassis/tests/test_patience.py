"""When a reaction tries again, and when it has tried enough."""

from datetime import timedelta
from unittest.mock import Mock

import pytest

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.consumer import Delivery
from chassis.errors import Internal, InvalidArgument, Unavailable
from chassis.patience import Patience, is_away
from chassis.testing.clock import FrozenClock

AWAY = Unavailable(dependency="ai")


def delivery(attempt: int = 1, id_: str = "one") -> Delivery:
    return Delivery(Envelope(id=id_), None, attempt=attempt, durable="logs-summarize", unit_of_work=Mock())


@pytest.fixture
def patience(clock: FrozenClock) -> Patience:
    return Patience(clock, seconds=300, attempts=3)


def test_what_is_away_is_waited_for_however_often_it_was_delivered(patience: Patience, clock: FrozenClock) -> None:
    first = patience.is_at_an_end(AWAY, delivery(attempt=9))
    clock.advance(timedelta(seconds=299))
    before = patience.is_at_an_end(AWAY, delivery(attempt=9))
    clock.advance(timedelta(seconds=1))
    after = patience.is_at_an_end(AWAY, delivery(attempt=9))

    assert (first, before, after) == (False, False, True)


def test_each_event_has_its_own_time_until_it_is_forgotten(patience: Patience, clock: FrozenClock) -> None:
    patience.is_at_an_end(AWAY, delivery())
    clock.advance(timedelta(seconds=300))

    assert not patience.is_at_an_end(AWAY, delivery(id_="two"))
    assert patience.is_at_an_end(AWAY, delivery())
    patience.forget(delivery())
    assert not patience.is_at_an_end(AWAY, delivery())


@pytest.mark.parametrize("error", [Internal(), RuntimeError("boom")])
def test_what_fails_is_tried_a_few_times(patience: Patience, error: Exception) -> None:
    assert [patience.is_at_an_end(error, delivery(attempt)) for attempt in (1, 2, 3)] == [False, False, True]


def test_what_is_refused_is_not_asked_again(patience: Patience) -> None:
    assert patience.is_at_an_end(InvalidArgument("too long", field="message"), delivery())


@pytest.mark.parametrize(("error", "away"), [(AWAY, True), (Internal(), False), (TimeoutError(), False)], ids=str)
def test_only_errors_that_say_nothing_of_the_event_are_absence(error: Exception, *, away: bool) -> None:
    assert is_away(error) is away
