"""Every field that crosses services, and nothing else: read it top to bottom and you have the map of the graph.

Each edge is nullable: where the other service is down, the edge alone is null, with an error at its path.
"""

from typing import TYPE_CHECKING, Annotated, Protocol

import strawberry

from gateway.context import Info
from gateway.graph.ai import load_run
from gateway.graph.auth import load_user

if TYPE_CHECKING:
    from gateway.graph.ai import Run
    from gateway.graph.auth import User


class BroughtInByUser(Protocol):
    """What stores the person who brought it in."""

    created_by_user_id: str | None


class MadeByRun(Protocol):
    """What stores the run that made it."""

    run_id: str | None


async def log_created_by(
    root: strawberry.Parent[BroughtInByUser], info: Info
) -> Annotated["User", strawberry.lazy("gateway.graph.auth")] | None:
    """Log.createdBy: logs.created_by -> auth.BatchGetUsers."""
    return await load_user(info, root.created_by_user_id) if root.created_by_user_id else None


async def log_summary_run(
    root: strawberry.Parent[MadeByRun], info: Info
) -> Annotated["Run", strawberry.lazy("gateway.graph.ai")] | None:
    """LogSummary.run: logs.summary.run_id -> ai.BatchGetRuns."""
    return await load_run(info, root.run_id) if root.run_id else None
