"""How things became what they are: their changes, what they were, and how two versions differ."""

import json
from typing import Any

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry.scalars import JSON

from aiops.common.v1 import page_pb2
from aiops.history.v1 import history_service_pb2 as pb
from chassis.errors import DomainError, ErrorKind, HistoryNotFound
from gateway.context import Info
from gateway.graph import edges, versioned
from gateway.graph.actors import Actor, user_id_of
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Connection, Edge, PageInfo, page_request

MAX_CHANGES_SINCE = 50


@strawberry.input(one_of=True)
class ReplayTarget:
    """Whose history: exactly one of these."""

    log_id: strawberry.ID | None = strawberry.UNSET
    """That of a log."""
    ticket_id: strawberry.ID | None = strawberry.UNSET
    """That of a ticket."""
    changelog_id: strawberry.ID | None = strawberry.UNSET
    """That of a changelog."""
    user_id: strawberry.ID | None = strawberry.UNSET
    """That of an account."""

    def named(self) -> tuple[str, str]:
        """Kind and id of the thing."""
        given = {"log": self.log_id, "ticket": self.ticket_id, "changelog": self.changelog_id, "user": self.user_id}
        return next((kind, id_) for kind, id_ in given.items() if id_ is not strawberry.UNSET and id_ is not None)


@strawberry.input(one_of=True)
class AsOf:
    """A moment in the life of a thing: exactly one of these."""

    version: int | None = strawberry.UNSET
    """When it had this version."""
    time: Timestamp | None = strawberry.UNSET
    """At this time."""

    def moment(self) -> int | Timestamp:
        """The version or the time."""
        return self.time or self.version or 0


@strawberry.type
class PatchOperation:
    """One step of a JSON Patch (RFC 6902), with the value before it, so that it can also be read backwards."""

    op: str
    """`add`, `replace` or `remove`."""
    path: str
    """JSON Pointer (RFC 6901) into the document, such as `/status`."""
    from_: str | None = strawberry.field(
        name="from", description="Where the value was before, for `move` and `copy`; histories have neither: null."
    )
    value: JSON | None
    """The new value; null for `remove`. `{"erased": true}` stands for what was erased with a person's key."""
    previous: JSON | None
    """The value before; null for `add`."""

    @classmethod
    def of(cls, operation: pb.Operation) -> "PatchOperation":
        """The operation as history keeps it."""
        return cls(
            op=operation.op,
            path=operation.path,
            from_=None,
            value=_value(operation.value_json),
            previous=_value(operation.previous_json),
        )


def _value(text: str) -> Any:
    return json.loads(text) if text else None


@strawberry.type
class RecordedChange:
    """One version of a thing: who made it, when and why, and what it changed."""

    version: int
    """The version that it made."""
    changed_at: Timestamp
    """When."""
    changed_by_actor: Actor
    """Who, person or machine."""
    event: str
    """What happened, such as `TicketAssigned`. `Genesis` holds all that a thing was when its history began; `Resumed`
    what happened to it unrecorded; `Erased` that personal values were blanked."""
    reason: str
    """What asked for it, such as `AssignTicket`, and behind `: ` the reason that was given."""
    operations: list[PatchOperation]
    """What it changed, as far as the caller may see it."""
    hash: str
    """SHA-256 over the stored row and the hash before it, in hex: proof that nothing was altered."""
    trace_id: str | None
    """Finds the log lines of the request that did it."""
    changed_by_user_id: strawberry.Private[str | None]
    changed_by = strawberry.field(
        resolver=edges.change_changed_by, description="The person who did it; null for a machine."
    )

    @classmethod
    def of(cls, change: pb.Change) -> "RecordedChange":
        """The change as history keeps it."""
        return cls(
            version=change.version,
            changed_at=change.time,
            changed_by_actor=Actor.of(change.actor),
            event=change.event,
            reason=change.reason,
            operations=[PatchOperation.of(operation) for operation in change.operations],
            hash=change.hash.hex(),
            trace_id=change.trace_id or None,
            changed_by_user_id=user_id_of(change.actor),
        )


@strawberry.type
class ReplayedState:
    """What a thing was."""

    version: int
    """The version that it had."""
    changed_at: Timestamp
    """When that version was made."""
    document: JSON
    """Its fields, without those that the caller may not see; `{"erased": true}` in place of what was erased."""


@strawberry.type
class Replay:
    """The history of one thing."""

    version: int
    """The version that it has now."""
    kind: strawberry.Private[str]
    id_: strawberry.Private[str]
    target: edges.Versioned
    """The thing as it is now."""

    @strawberry.field
    async def changes(
        self, info: Info, first: int = DEFAULT_PAGE_SIZE, after: str | None = None
    ) -> Connection[RecordedChange] | None:
        """Its changes, oldest first, 1 to 100 a page; the cursor of a change is its version."""
        page = page_request(first, after)
        response = await info.context.history.changes(self.kind, self.id_, page)
        edges_ = [Edge(node=RecordedChange.of(each), cursor=str(each.version)) for each in response.changes]
        return Connection(
            edges=edges_,
            page_info=PageInfo(
                has_next_page=response.page_info.has_next_page,
                has_previous_page=bool(after),
                start_cursor=edges_[0].cursor if edges_ else None,
                end_cursor=edges_[-1].cursor if edges_ else None,
            ),
        )

    @strawberry.field
    async def state(self, info: Info, as_of: AsOf) -> ReplayedState | None:
        """What it was at a version or a time."""
        response = await info.context.history.state(self.kind, self.id_, as_of.moment())
        return ReplayedState(
            version=response.version, changed_at=response.time, document=json.loads(response.state_json)
        )

    @strawberry.field
    async def difference(self, info: Info, from_version: int, to_version: int) -> list[PatchOperation] | None:
        """How two of its versions differ: what leads from the one to the other, which may be the earlier one."""
        found = await info.context.history.difference(self.kind, self.id_, from_version, to_version)
        return [PatchOperation.of(operation) for operation in found]


async def load_changes_since(info: Info, kind: str, id_: str, version: int) -> list[RecordedChange] | None:
    """What happened to a thing after a version, at most 50 changes; None where that is not for the caller."""
    if not info.context.history.keeps(kind):
        return None
    page = page_pb2.PageRequest(first=MAX_CHANGES_SINCE, after=str(version))
    try:
        return [RecordedChange.of(each) for each in (await info.context.history.changes(kind, id_, page)).changes]
    except DomainError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise


@strawberry.type
class HistoryQuery:
    """Reads of histories."""

    @strawberry.field
    async def replay_changes(self, info: Info, target: ReplayTarget) -> Replay | None:
        """The history of a thing, for whoever the thing exists for; for anybody else it is HISTORY_NOT_FOUND."""
        kind, id_ = target.named()
        thing = await versioned.load(info, kind, id_)
        if thing is None:
            raise HistoryNotFound(f"there is no {kind} with this id that you may see", field="target")
        return Replay(version=thing.version, kind=kind, id_=thing.id, target=thing)
