"""Batches that fail: a bad key alone carries the error, and what that may cost is bounded."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from strawberry.dataloader import DataLoader

from chassis.errors import DeadlineExceeded, DomainError, Forbidden, Internal, InvalidArgument, Overloaded, Unavailable
from gateway.clients.batching import MAX_EXTRA_CALLS, ByArguments, fetch_apart, key_loader


class Service:
    """Answers n for key n, and refuses every batch that holds a bad key."""

    def __init__(self, bad: Sequence[int] = (), error: DomainError | None = None) -> None:
        self.calls: list[Sequence[int]] = []
        self._bad = set(bad)
        self._error = error or Internal()

    async def fetch(self, keys: Sequence[int], _seconds: float) -> dict[int, int]:
        self.calls.append(list(keys))
        await asyncio.sleep(0)
        if self._bad.intersection(keys):
            raise self._error
        return {key: key for key in keys if key < 1_000_000}


async def test_whole_batch_is_one_call_and_what_is_not_there_is_none() -> None:
    service = Service()

    answers = await fetch_apart(service.fetch, [1, 2, 1_000_000])

    assert answers == {1: 1, 2: 2, 1_000_000: None}
    assert service.calls == [[1, 2, 1_000_000]]


@pytest.mark.parametrize("error", [Internal(), InvalidArgument("no", field="ids")], ids=lambda error: error.reason)
async def test_one_bad_key_of_fifty_fails_alone(error: DomainError) -> None:
    service = Service(bad=[17], error=error)

    answers = await fetch_apart(service.fetch, range(50))

    assert answers == {key: error if key == 17 else key for key in range(50)}
    assert len(service.calls) == 1 + 2 * 6  # halves of 50, 25, 13, 6, 3 and 2


async def test_three_bad_keys_of_fifty_fail_alone() -> None:
    service = Service(bad=[3, 24, 40])

    answers = await fetch_apart(service.fetch, range(50))

    assert {key for key, answer in answers.items() if isinstance(answer, DomainError)} == {3, 24, 40}
    assert len(service.calls) <= 1 + MAX_EXTRA_CALLS


@pytest.mark.parametrize(
    "error",
    [Unavailable(dependency="auth"), DeadlineExceeded(), Overloaded(retry_after_seconds=1), Forbidden()],
    ids=lambda error: error.reason,
)
async def test_error_that_is_not_about_the_keys_is_not_asked_for_again(error: DomainError) -> None:
    service = Service(bad=[17], error=error)

    answers = await fetch_apart(service.fetch, range(50))

    assert answers == dict.fromkeys(range(50), error)
    assert len(service.calls) == 1


async def test_service_that_refuses_everything_is_given_up_after_three_rounds() -> None:
    service = Service(bad=range(1_000))

    answers = await fetch_apart(service.fetch, range(1_000))

    assert all(isinstance(answer, Internal) for answer in answers.values())
    assert len(service.calls) == 1 + 2 + 4 + 8


async def test_calls_are_bounded_and_what_was_not_told_apart_carries_the_error() -> None:
    service = Service(bad=range(0, 1_000, 250))

    answers = await fetch_apart(service.fetch, range(1_000))

    assert len(service.calls) == 1 + MAX_EXTRA_CALLS
    assert len(answers) == 1_000
    assert all(isinstance(answers[bad], Internal) for bad in range(0, 1_000, 250))
    assert sum(not isinstance(answer, DomainError) for answer in answers.values()) > 500


async def test_halves_end_with_the_time_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.clients.batching.BATCH_SECONDS", 0.2)
    given: list[float] = []

    async def slow(_keys: Sequence[int], seconds: float) -> dict[int, int]:
        given.append(seconds)
        await asyncio.sleep(0.15)
        raise Internal

    started = time.monotonic()

    answers = await fetch_apart(slow, range(64))

    assert len(given) == 3  # the batch and its halves; the quarters would come too late
    assert given[0] > given[1] > 0
    assert time.monotonic() - started < 0.6
    assert all(isinstance(answer, Internal) for answer in answers.values())


async def test_equal_arguments_share_a_batch_and_different_ones_do_not() -> None:
    asked: list[tuple[int, list[str]]] = []

    def make(first: int) -> DataLoader[str, int | None]:
        async def fetch(keys: Sequence[str], _seconds: float) -> dict[str, int]:
            asked.append((first, list(keys)))
            return dict.fromkeys(keys, first)

        return key_loader(fetch)

    loaders: ByArguments[int, str, int] = ByArguments(make)

    answers = await asyncio.gather(loaders[3].load("a"), loaders[5].load("a"), loaders[3].load("b"))

    assert list(answers) == [3, 5, 3]
    assert asked == [(3, ["a", "b"]), (5, ["a"])]
