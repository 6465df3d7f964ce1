"""What was changed before a moment: deployments and commits in one row, owned by changelog."""

from typing import Annotated, TypeAlias

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.changelog.v1 import changelog_service_pb2 as pb
from chassis.errors import InvalidArgument
from gateway.clients.changelog import Moment
from gateway.context import Info
from gateway.graph.changelog_commits import Commit, Deployment
from gateway.graph.pagination import check_first

MAX_HOURS = 720
HOUR_SECONDS = 3_600
EARLIEST_SECONDS = -62_135_596_800
"""The year 1, before which there are no moments."""

ChangeItem: TypeAlias = Annotated[
    Deployment | Commit, strawberry.union("ChangeItem", description="Something that can be changed at a moment.")
]


@strawberry.type
class Change:
    """Something that was changed at a moment."""

    at: Timestamp
    """When: a deployment was live, a commit was committed."""
    change: ChangeItem | None
    """What; null for a sort of change that the graph does not know."""

    @classmethod
    def of(cls, change: pb.Change) -> "Change":
        """The change as changelog told it."""
        kind = change.WhichOneof("change")
        return cls(
            at=change.at,
            change=Deployment.of(change.deployment)
            if kind == "deployment"
            else Commit.of(change.commit)
            if kind == "commit"
            else None,
        )


@strawberry.type
class ChangesBefore:
    """What was changed in the window before a moment; never anything later."""

    before: Timestamp
    """The moment."""
    window_start: Timestamp
    """Where the window begins."""
    truncated: bool
    """Whether the window holds more."""
    changes: list[Change]
    """The changes, newest first."""


async def load_changes_before(
    info: Info, service: str | None, before: Timestamp, hours: int, first: int
) -> ChangesBefore:
    """The changes in a service, or anywhere, before a moment, batched with the operation's other moments.

    Raises:
        InvalidArgument: the window is too short or too long.
    """
    check_first(first)
    if not 1 <= hours <= MAX_HOURS:
        raise InvalidArgument(
            f"a window has 1 to {MAX_HOURS} hours; {hours} were asked for",
            field="hours",
            minimum="1",
            maximum=str(MAX_HOURS),
        )
    window_seconds = hours * HOUR_SECONDS
    moment = Moment(service or "", before.seconds, before.nanos, window_seconds)
    found = await info.context.changelog.changes_before[first].load(moment)
    return ChangesBefore(
        before=before,
        window_start=Timestamp(seconds=max(before.seconds - window_seconds, EARLIEST_SECONDS), nanos=before.nanos),
        truncated=found is not None and found.truncated,
        changes=[Change.of(change) for change in found.changes] if found is not None else [],
    )
