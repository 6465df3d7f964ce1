"""What somebody does not read of the past of a thing that exists for him now.

A thing that was hidden from him and is shown since keeps from him what it said until then: what is veiled at a version
is veiled at every earlier one, since what was taken out before it was shown may be older than its hiding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.history import patch, replay
from chassis.history.document import History, Json
from chassis.history.tables import changes

if TYPE_CHECKING:
    from chassis.db import ReadTx
    from chassis.identity import Call

HIDDEN: Mapping[str, Json] = {"hidden": True}
"""What is answered in place of a value that the caller may not read."""
_ROWS = 200


@dataclass
class Veil:
    """Up to which version the values of which fields are not to be read."""

    until: dict[str, int] = field(default_factory=dict)
    """Field -> the last version in which it is veiled."""
    crossed: dict[str, int] = field(default_factory=dict)
    """Field -> the version of the row behind that one, whose value is to be read, and the one before is not."""

    def over(self, name: str, version: int) -> bool:
        """Whether the value that a field has at a version is veiled."""
        return version <= self.until.get(name, 0)

    def state(self, fields: Mapping[str, Any], version: int) -> dict[str, Any]:
        """The document of a version, as far as it is to be read."""
        return {name: HIDDEN if self.over(name, version) else value for name, value in fields.items()}

    def steps(self, steps: Sequence[patch.Step], version: int) -> list[patch.Step]:
        """The steps of a row, as far as they are to be read; what changed inside of a veiled value is not told."""
        shown: list[patch.Step] = []
        told = set()
        for operation, undo in steps:
            name = patch.field_of(operation)
            if self.over(name, version):
                if name not in told:
                    shown.append(_veiled(name, {} if _begins(operation, undo) else {"value": HIDDEN}))
                    told.add(name)
            elif version <= self.crossed.get(name, 0):
                shown.append((operation, {**undo, "value": HIDDEN} if "value" in undo else undo))
            else:
                shown.append((operation, undo))
        return shown


async def veil_over(tx: "ReadTx", history: History, id_: UUID, thing: object, call: "Call") -> Veil:
    """What this caller does not read of the past of a thing.

    Raises:
        HistoryBroken: the chain does not hold together.
    """
    veil = Veil()
    hidden_in = history.veil(thing, call) if history.veil else None
    if hidden_in is None:
        return veil
    state = replay.State(history, id_)
    while rows := await changes(tx, history.kind, id_, after=state.version, limit=_ROWS):
        for row in rows:
            before = state.version
            state.advance(row)
            veil.crossed.update({name: row.version for name, last in veil.until.items() if last == before})
            veil.until.update(dict.fromkeys(hidden_in(state.fields), row.version))
    return veil


def _begins(operation: Mapping[str, Any], undo: Mapping[str, Any]) -> bool:
    """Whether the field was not there before."""
    return operation["op"] == "add" and operation["path"].count("/") == 1 and "value" not in undo


def _veiled(name: str, before: Mapping[str, Any]) -> patch.Step:
    path = patch.path_of(name)
    return {"op": "replace" if before else "add", "path": path, "value": HIDDEN}, {
        "op": "replace",
        "path": path,
        **before,
    }
