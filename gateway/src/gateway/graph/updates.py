"""Things as they change: read anew for the one who watches, each time that they may have changed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol, TypeVar

from chassis.errors import DomainError, ErrorKind, NotFound
from gateway.context import Info

AWAY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.DEADLINE})
RETRY_SECONDS = 1.0


class Versioned(Protocol):
    """What rises its version with each change."""

    version: int


Watched = TypeVar("Watched", bound=Versioned)


async def updates(
    info: Info, id_: str, load: Callable[[Info, str], Awaitable[Watched | None]], missing: NotFound
) -> AsyncGenerator[Watched, None]:
    """It as it is, then again after each change; `missing` when it is not there, or no longer for this viewer."""
    told_version = 0
    async with aclosing(info.context.change_feed.changes(id_)) as changes:
        async for _ in changes:
            found = await _read(info, id_, load, patient=told_version > 0)
            if found is None:
                raise missing
            if found.version != told_version:
                told_version = found.version
                yield found


async def _read(
    info: Info, id_: str, load: Callable[[Info, str], Awaitable[Watched | None]], *, patient: bool
) -> Watched | None:
    """It as the viewer may see it now; a patient reader waits for a service that is away."""
    while True:
        info.context.forget_loaded()
        try:
            return await load(info, id_)
        except DomainError as error:
            if not patient or error.kind not in AWAY:
                raise
            await asyncio.sleep(RETRY_SECONDS)
