"""HistoryService: what became of a thing, for whoever the thing exists for, field by field as he may see it.

Sealed values are opened here alone, and of the fields alone that the caller sees.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from aiops.common.v1.page_pb2 import PageInfo
from aiops.history.v1 import history_service_pb2 as pb
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceServicer
from chassis.db import Database, ReadTx
from chassis.errors import CursorInvalid, HistoryNotFound, InvalidArgument
from chassis.history import patch, replay
from chassis.history.chain import Row, dumps
from chassis.history.document import History, Op
from chassis.history.recorder import Recorder
from chassis.history.sealing import Keys, is_sealed
from chassis.history.tables import changes
from chassis.history.veil import Veil, veil_over
from chassis.identity import Call, current_call
from chassis.ids import parse_id
from chassis.masking import EVERYBODY, fields, rows, table
from chassis.paging import page_from
from chassis.policy import Rule, allow
from chassis.protos import actor_to_proto, moment_from, moment_to_proto

RULES: Mapping[str, Rule] = {
    name: allow("gateway", any_user=True) for name in ("ListChanges", "GetState", "CompareVersions")
}
"""Anybody who is logged in may ask; `History.current` and `History.visible` decide what he hears."""
TABLE = table(
    fields(
        "aiops.history.v1",
        {
            "Operation": rows(EVERYBODY, "op path value_json previous_json"),
            "Change": rows(EVERYBODY, "version time actor event reason operations hash trace_id"),
            "ListChangesResponse": rows(EVERYBODY, "changes page_info"),
            "GetStateResponse": rows(EVERYBODY, "state_json version time"),
            "CompareVersionsResponse": rows(EVERYBODY, "operations"),
        },
    )
)
"""Fields of what has a history are masked in here already, by the rows of that history."""


class HistoryServicer(HistoryServiceServicer):
    """Answers for every kind that the service declares."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._histories = recorder.histories
        self._vault = recorder.vault

    async def ListChanges(self, request: pb.ListChangesRequest, _context: Any) -> pb.ListChangesResponse:
        """One page of changes, the oldest first."""
        history, id_ = self._named(request.kind, request.id)
        page = page_from(request.page)
        async with self._database.read() as tx:
            veil = await _veil(tx, history, id_)
            rows = await changes(tx, history.kind, id_, after=_after(page.after), limit=page.first + 1)
            replay.check(history, rows)
            shown = [(row, veil.steps(steps, row.version)) for row, steps in _told(history, rows[: page.first])]
            keys = await self._vault.load(tx, _subjects(op for _, steps in shown for step in steps for op in step))
        answer = [self._change(history, row, steps, keys) for row, steps in shown]
        end = str(rows[: page.first][-1].version) if rows else ""
        info = PageInfo(has_next_page=len(rows) > page.first, end_cursor=end)
        return pb.ListChangesResponse(changes=answer, page_info=info)

    async def GetState(self, request: pb.GetStateRequest, _context: Any) -> pb.GetStateResponse:
        """The document at a version or a time."""
        history, id_ = self._named(request.kind, request.id)
        if request.WhichOneof("moment") is None:
            raise InvalidArgument("name the version or the time that you want to see", field="moment")
        async with self._database.read() as tx:
            veil = await _veil(tx, history, id_)
            version = request.version
            if request.HasField("time"):
                version = await replay.version_at(tx, history, id_, moment_from(request.time, field="time"))
            state, fields = await self._state(tx, history, id_, version, veil)
        moment = moment_to_proto(state.changed_at)
        return pb.GetStateResponse(state_json=dumps(fields), version=state.version, time=moment)

    async def CompareVersions(self, request: pb.CompareVersionsRequest, _context: Any) -> pb.CompareVersionsResponse:
        """The operations from one version to another."""
        history, id_ = self._named(request.kind, request.id)
        async with self._database.read() as tx:
            veil = await _veil(tx, history, id_)
            old, before = await self._state(tx, history, id_, request.from_version, veil)
            new, after = await self._state(tx, history, id_, request.to_version, veil)
        steps = patch.diff(before, after, whole={*old.subjects, *new.subjects, *veil.until})
        return pb.CompareVersionsResponse(operations=[_operation(to, back) for to, back in steps])

    async def _state(
        self, tx: ReadTx, history: History, id_: UUID, version: int, veil: Veil
    ) -> tuple[replay.State, dict[str, Any]]:
        state = await replay.state_at(tx, history, id_, version)
        call = current_call()
        seen = {name: value for name, value in state.fields.items() if _sees(history, name, call)}
        state.fields = veil.state(seen, version)
        return state, state.opened(self._vault, await self._vault.load(tx, state.subjects.values()))

    def _named(self, kind: str, id_: str) -> tuple[History, UUID]:
        history = self._histories.get(kind)
        if history is None:
            known = ", ".join(sorted(self._histories))
            raise HistoryNotFound(f"this service keeps no history of {kind!r}; it does of {known}", field="kind")
        return history, parse_id(id_, field="id")

    def _change(self, history: History, row: Row, steps: Sequence[patch.Step], keys: Keys) -> pb.Change:
        def opened(operation: Op) -> Op:
            if "value" not in operation:
                return operation
            name = patch.field_of(operation)
            return {**operation, "value": self._vault.open(operation["value"], history.kind, row.id, name, keys)}

        return pb.Change(
            version=row.version,
            time=moment_to_proto(row.changed_at),
            actor=actor_to_proto(row.actor_kind, row.actor_id),
            event=row.event,
            reason=row.reason,
            operations=[_operation(opened(to), opened(back)) for to, back in steps],
            hash=row.hash,
            trace_id=row.trace_id,
        )


def _after(cursor: str) -> int:
    """The version that a page begins behind.

    Raises:
        CursorInvalid: the cursor names none.
    """
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):  # noqa: PLR2004 - a bigint
        raise CursorInvalid("a cursor of changes is a version, such as 3", field="page.after")
    return int(cursor)


async def _veil(tx: ReadTx, history: History, id_: UUID) -> Veil:
    """What the caller does not read of a past that exists for him.

    Raises:
        HistoryNotFound: it does not.
    """
    call = current_call()
    thing = await history.current(tx, id_, call)
    if thing is None:
        raise HistoryNotFound(f"there is no {history.kind} with this id, or not for you", field="id")
    return await veil_over(tx, history, id_, thing, call)


def _sees(history: History, name: str, call: Call) -> bool:
    return name in history.visible and history.visible[name](call)


def _told(history: History, rows: Iterable[Row]) -> Iterator[tuple[Row, list[patch.Step]]]:
    """The rows that the caller hears of, each with what he sees of its steps."""
    call = current_call()
    silent = {name for name, tells in history.told.items() if not tells(call)}
    for row in rows:
        to, back = (replay.operations(history, row.schema_version, stored) for stored in (row.patch, row.inverse))
        if any(operation["op"] == "replace" and patch.field_of(operation) in silent for operation in to):
            continue
        seen = ([op for op in each if _sees(history, patch.field_of(op), call)] for each in (to, back))
        yield row, patch.paired(*seen)


def _subjects(operations: Iterable[Op]) -> set[str]:
    return {operation["value"]["subject"] for operation in operations if is_sealed(operation.get("value"))}


def _operation(operation: Op, undo: Op) -> pb.Operation:
    value = dumps(operation["value"]) if "value" in operation else None
    previous = dumps(undo["value"]) if "value" in undo else None
    return pb.Operation(op=operation["op"], path=operation["path"], value_json=value, previous_json=previous)
