"""Loaders: many single reads of one operation become one BatchGet call."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from strawberry.dataloader import DataLoader

from chassis.errors import DomainError, InvalidArgument
from chassis.ids import parse_id

MAX_BATCH_SIZE = 1000
"""What every BatchGet call accepts."""

Row = TypeVar("Row")


def _canonical(text: str) -> str | InvalidArgument:
    try:
        return str(parse_id(text, field="id"))
    except InvalidArgument as error:
        return error


def loader(
    fetch: Callable[[list[str]], Awaitable[Iterable[Row]]], id_of: Callable[[Row], str]
) -> DataLoader[str, Row | None]:
    """Loads rows by id: None for an id that does not exist, an error for a text that is no id, each for itself."""

    async def load(keys: list[str]) -> list[Row | DomainError | None]:
        ids = [_canonical(key) for key in keys]
        wanted = list(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str)))
        found = {id_of(row): row for row in await fetch(wanted)} if wanted else {}
        return [found.get(id_) if isinstance(id_, str) else id_ for id_ in ids]

    return DataLoader(load, max_batch_size=MAX_BATCH_SIZE)
