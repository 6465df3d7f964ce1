"""Histories that older versions wrote: each replays to the state that it had, in the shape of today."""

import json
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from parcels import PARCELS

from chassis.errors import HistoryBroken
from chassis.history import Op, replay
from chassis.history.chain import Row
from chassis.history.tables import Snapshot

HISTORIES = Path(__file__).parent / "histories"


def upcast(schema_version: int, operations: list[Op]) -> list[Op]:
    """Version 1 had the town under another name, and no stamps."""
    assert schema_version == 1
    renamed = [{**op, "path": op["path"].replace("/town", "/city")} for op in operations]
    begins = any(op["op"] == "add" and op["path"] == "/city" for op in renamed)
    return [*renamed, {"op": "add", "path": "/stamps", "value": []}] if begins else renamed


TODAY = replace(PARCELS, schema_version=2, upcast=upcast)


def stored(content: dict[str, Any], kind: type[Any]) -> Any:
    values = {each.name: content[each.name] for each in fields(kind)}
    values["id"] = UUID(values["id"])
    if "changed_at" in values:
        values["changed_at"] = datetime.fromisoformat(values["changed_at"])
    for name in {"hash", "previous_hash"} & values.keys():
        values[name] = bytes.fromhex(values[name])
    return kind(**values)


@pytest.mark.parametrize("path", sorted(HISTORIES.glob("*.json")), ids=lambda path: path.stem)
def test_a_history_of_before_replays_to_its_state(path: Path) -> None:
    golden = json.loads(path.read_text())
    rows: list[Row] = [stored(row, Row) for row in golden["rows"]]
    snapshot: Snapshot = stored(golden["snapshot"], Snapshot)

    whole = replay.fold(TODAY, rows[0].id, rows)
    tail = replay.resumed_from(TODAY, rows[0].id, snapshot, rows[snapshot.version - 1])
    for row in rows[snapshot.version :]:
        tail.advance(row)

    assert whole.fields == golden["state"]
    assert (tail.version, tail.hash, tail.fields) == (whole.version, whole.hash, golden["state"])


def test_what_a_newer_version_wrote_is_not_guessed_at() -> None:
    golden = json.loads((HISTORIES / "parcel_v2.json").read_text())

    with pytest.raises(HistoryBroken, match="a newer version of the service wrote schema version 2"):
        replay.fold(PARCELS, UUID(golden["rows"][0]["id"]), [stored(row, Row) for row in golden["rows"]])
