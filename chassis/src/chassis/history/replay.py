"""What something was: its state at any version or time, folded from the nearest snapshot; and the rows of its chain.

Every row that is folded is checked against its hash and against the row before it: a gap, a duplicate or an edit is
refused. That a chain lost its end, only an anchor tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from chassis.errors import HistoryBroken, HistoryNotFound
from chassis.history import patch
from chassis.history.chain import NO_HASH, Row, loads, row_hash, snapshot_hash
from chassis.history.document import RESUMED, History, Op
from chassis.history.sealing import Key, Vault, is_sealed
from chassis.history.tables import Snapshot, changes, snapshots

if TYPE_CHECKING:
    from chassis.db import ReadTx


@dataclass
class State:
    """A document at one version, what is personal sealed; it moves on row by row."""

    history: History
    id: UUID
    version: int = 0
    hash: bytes = NO_HASH
    changed_at: datetime | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def subjects(self) -> dict[str, str]:
        """Field -> whose sealed value it holds."""
        return {name: value["subject"] for name, value in self.fields.items() if is_sealed(value)}

    def opened(self, vault: Vault, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The document for a reader."""
        return {name: vault.open(value, self.history.kind, self.id, name, keys) for name, value in self.fields.items()}

    def advance(self, row: Row) -> None:
        """Take one row in.

        Raises:
            HistoryBroken: it is not the next one of this chain, or not what its hash says.
        """
        kind = self.history.kind
        begins = self.version == 0 and not self.fields
        follows = begins or row.version == self.version + 1 or (row.event == RESUMED and row.version > self.version)
        if row.id != self.id or not follows:
            raise HistoryBroken(f"{kind} {self.id}: version {row.version} stands after version {self.version}")
        if row.previous_hash != self.hash or row.hash != row_hash(kind, row):
            raise HistoryBroken(f"{kind} {self.id}: version {row.version} is not what its hash says")
        try:
            patch.apply(self.fields, operations(self.history, row.schema_version, row.patch))
        except patch.PatchMismatch as error:
            raise HistoryBroken(f"{kind} {self.id}: version {row.version}: {error}") from error
        self.version, self.hash, self.changed_at = row.version, row.hash, row.changed_at


def operations(history: History, schema_version: int, stored: str) -> list[Op]:
    """Stored operations in the present shape.

    Raises:
        HistoryBroken: a newer version of the service wrote them.
    """
    return _present(history, schema_version, loads(stored))


def _present(history: History, schema_version: int, found: list[Op]) -> list[Op]:
    if schema_version == history.schema_version:
        return found
    if schema_version > history.schema_version:
        raise HistoryBroken(
            f"{history.kind}: a newer version of the service wrote schema version {schema_version}; "
            f"this one knows {history.schema_version}"
        )
    return history.upcast(schema_version, found)


def resumed_from(history: History, id_: UUID, snapshot: Snapshot, row: Row) -> State:
    """The state that a snapshot holds, bound to the row of its version.

    Raises:
        HistoryBroken: it is not what its hash says.
    """
    if snapshot.hash != snapshot_hash(row.hash, snapshot.schema_version, snapshot.state) or row.hash != row_hash(
        history.kind, row
    ):
        raise HistoryBroken(f"{history.kind} {id_}: the snapshot of version {row.version} is not what its hash says")
    state = State(history, id_, row.version, row.hash, row.changed_at)
    whole = [
        {"op": "add", "path": patch.path_of(name), "value": value} for name, value in loads(snapshot.state).items()
    ]
    patch.apply(state.fields, _present(history, snapshot.schema_version, whole))
    return state


async def state_at(tx: "ReadTx", history: History, id_: UUID, version: int) -> State:
    """The state at a version.

    Raises:
        HistoryNotFound: the chain does not hold it.
        HistoryBroken: the chain does not hold together.
    """
    near = await snapshots(tx, history.kind, id_, upto=version, limit=1)
    begun = near[0].version if near else 0
    rows = await changes(tx, history.kind, id_, after=begun - 1, upto=version)
    state = State(history, id_)
    if near:
        if not rows or rows[0].version != begun:
            raise HistoryBroken(f"{history.kind} {id_}: version {begun} has a snapshot and no row")
        state = resumed_from(history, id_, near[0], rows[0])
        rows = rows[1:]
    for row in rows:
        state.advance(row)
    if version < 1 or state.version != version:
        raise HistoryNotFound(f"this {history.kind} has no version {version} in its history", field="version")
    return state


async def version_at(tx: "ReadTx", history: History, id_: UUID, moment: datetime) -> int:
    """The version that was the present one at a moment.

    Raises:
        HistoryNotFound: the history begins later.
    """
    statement = text(
        f"SELECT version FROM {history.kind}_changes WHERE id = :id AND changed_at <= :moment"  # noqa: S608 - a declared kind
        " ORDER BY version DESC LIMIT 1"
    )
    row = await tx.fetch_one(statement.bindparams(id=id_, moment=moment))
    if row is None:
        raise HistoryNotFound(f"the history of this {history.kind} begins later; ask for a later time", field="time")
    return int(row.version)


def check(history: History, rows: Sequence[Row]) -> None:
    """Pass if each of these rows is what its hash says, and follows the one before it.

    Raises:
        HistoryBroken: one does not.
    """
    for before, row in zip((None, *rows), rows, strict=False):
        if row.hash != row_hash(history.kind, row) or (before is not None and row.previous_hash != before.hash):
            raise HistoryBroken(f"{history.kind} {row.id}: version {row.version} is not what its hash says")


def fold(history: History, id_: UUID, rows: Sequence[Row]) -> State:
    """The state after a whole chain.

    Raises:
        HistoryBroken: it does not hold together.
    """
    state = State(history, id_)
    for row in rows:
        state.advance(row)
    return state
