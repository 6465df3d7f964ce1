"""Logs as they change."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from chassis.errors import NotFound
from chassis.ids import parse_id
from gateway.context import Info
from gateway.graph.logs import Log, load_log
from gateway.graph.updates import updates


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
        missing = LogNotFound("no log has this id, or you may not see it", id=id_)
        async with aclosing(updates(info, id_, load_log, missing)) as logs:
            async for log in logs:
                yield log
