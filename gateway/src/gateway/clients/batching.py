"""Loaders: many single reads of one operation become one Batch call, and a key that breaks the call fails alone.

A batch that a service cannot answer is asked again in halves, until what is wrong stands by itself. That stops when the
calls or the time of a batch are used up: whatever has no answer by then carries the error of the batch that it was in.
A service that is away, slow or overloaded is not asked again, nor one that says who the caller may not be.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

from chassis.errors import DomainError, ErrorKind, InvalidArgument
from chassis.ids import parse_id

MAX_BATCH_SIZE = 1000
"""What every BatchGet call accepts."""
MAX_EXTRA_CALLS = 32
"""Calls after the first that a batch may cost: enough for one bad key in 65,000, or three in fifty."""
ROUNDS_WITHOUT_ANSWER = 3
"""After so many rounds of halves in which nothing was answered, it is the service that is broken, not a key."""
BATCH_SECONDS = 4.0
"""What an edge may hold up a page, halves included."""

ABOUT_THE_KEYS = frozenset(
    {ErrorKind.INTERNAL, ErrorKind.INVALID, ErrorKind.NOT_FOUND, ErrorKind.CONFLICT, ErrorKind.VERSION_CONFLICT}
)
"""Kinds of errors that asking for less may avoid."""

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")
Arguments = TypeVar("Arguments", bound=Hashable)

Fetch = Callable[[Sequence[Key], float], Awaitable[dict[Key, Row]]]
"""Asks for these keys, for so many seconds; a key that has no row is absent from the answer."""


def loader(
    fetch: Callable[[Sequence[str], float], Awaitable[Iterable[Row]]],
    id_of: Callable[[Row], str],
    *,
    max_batch_size: int = MAX_BATCH_SIZE,
) -> DataLoader[str, Row | None]:
    """Loads rows by id: None for an id that has none, an error for a text that is no id, each for itself."""

    async def by_id(ids: Sequence[str], seconds: float) -> dict[str, Row]:
        return {id_of(row): row for row in await fetch(ids, seconds)}

    async def load(keys: list[str]) -> list[Row | DomainError | None]:
        ids = [_canonical(key) for key in keys]
        answers = await fetch_apart(by_id, list(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str))))
        return [answers[id_] if isinstance(id_, str) else id_ for id_ in ids]

    return DataLoader(load, max_batch_size=max_batch_size)


def key_loader(fetch: Fetch[Key, Row]) -> DataLoader[Key, Row | None]:
    """Loads what is found by something else than an id."""

    async def load(keys: list[Key]) -> list[Row | DomainError | None]:
        answers = await fetch_apart(fetch, keys)
        return [answers[key] for key in keys]

    return DataLoader(load, max_batch_size=MAX_BATCH_SIZE)


class ByArguments(dict[Arguments, DataLoader[Key, Row | None]]):
    """One loader for each set of arguments: calls with equal arguments share a batch."""

    def __init__(self, make: Callable[[Arguments], DataLoader[Key, Row | None]]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, arguments: Arguments) -> DataLoader[Key, Row | None]:
        """The loader for arguments that come for the first time."""
        made = self[arguments] = self._make(arguments)
        return made


async def load_each(loader: DataLoader[Key, Row | None], keys: Iterable[Key]) -> list[Row | DomainError | None]:
    """What each key has, None where there is nothing, or the error that it alone carries."""
    loading = [loader.load(key) for key in keys]
    # All are in one batch, so the first wait is the only one.
    return [await _outcome(each) for each in loading]


async def _outcome(loading: Awaitable[Row | None]) -> Row | DomainError | None:
    try:
        return await loading
    except DomainError as error:
        return error


async def fetch_apart(fetch: Fetch[Key, Row], keys: Sequence[Key]) -> dict[Key, Row | DomainError | None]:
    """The row of each key, None where there is none, and an error for those that have to be left out."""
    answers: dict[Key, Row | DomainError | None] = {}
    until = time.monotonic() + BATCH_SECONDS
    groups, extra_calls, rounds, answered = [keys] if keys else [], 0, 0, False
    while groups:
        found = await asyncio.gather(*(_ask(fetch, group, until - time.monotonic()) for group in groups))
        halves: list[Sequence[Key]] = []
        for group, rows in zip(groups, found, strict=True):
            if isinstance(rows, DomainError):
                answers |= dict.fromkeys(group, rows)
                if rows.kind in ABOUT_THE_KEYS and len(group) > 1:
                    middle = len(group) // 2
                    halves += [group[:middle], group[middle:]]
            else:
                answered = True
                answers |= {key: rows.get(key) for key in group}
        # Pairs are dropped whole: a half by itself would not tell where the error is.
        groups = halves[: (MAX_EXTRA_CALLS - extra_calls) // 2 * 2]
        extra_calls += len(groups)
        rounds += 1
        if (not answered and rounds > ROUNDS_WITHOUT_ANSWER) or time.monotonic() >= until:
            break
    return answers


async def _ask(fetch: Fetch[Key, Row], keys: Sequence[Key], seconds: float) -> dict[Key, Row] | DomainError:
    try:
        return await fetch(keys, seconds)
    except DomainError as error:
        return error


def _canonical(text: str) -> str | InvalidArgument:
    try:
        return str(parse_id(text, field="id"))
    except InvalidArgument as error:
        return error
