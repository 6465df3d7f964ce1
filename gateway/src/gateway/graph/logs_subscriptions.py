"""Logs as they change."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from chassis.errors import DomainError, ErrorKind, NotFound
from chassis.ids import parse_id
from gateway.context import Info
from gateway.graph.logs import Log, load_log

AWAY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.DEADLINE})
RETRY_SECONDS = 1.0


class LogNotFound(NotFound):
    """No log has this id, or the caller may not see it."""

    reason = "LOG_NOT_FOUND"


@strawberry.type
class LogsSubscription:
    """Logs as they change."""

    @strawberry.subscription
    async def log_updates(self, info: Info, log_id: strawberry.ID) -> AsyncGenerator[Log, None]:
        """The log as it is, then again after each change. Changes that come together are told once."""
        id_ = str(parse_id(log_id, field="log_id"))
        told_version = 0
        async with aclosing(info.context.log_feed.changes(id_)) as changes:
            async for _ in changes:
                log = await _read(info, id_, patient=told_version > 0)
                if log.version != told_version:
                    told_version = log.version
                    yield log


async def _read(info: Info, log_id: str, *, patient: bool) -> Log:
    """The log as the viewer may see it now; a patient reader waits for a service that is away.

    Raises:
        LogNotFound: there is none, or no longer for this viewer.
    """
    while True:
        info.context.forget_loaded()
        try:
            log = await load_log(info, log_id)
        except DomainError as error:
            if not patient or error.kind not in AWAY:
                raise
            await asyncio.sleep(RETRY_SECONDS)
        else:
            if log is None:
                raise LogNotFound("no log has this id, or you may not see it", id=log_id)
            return log
