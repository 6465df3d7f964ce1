"""What holds of every history: patches lead from any document to any other and back, and folding them makes the row."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from uuid import UUID

import jsonpatch
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from parcels import PARCELS

from chassis.history import chain, patch, replay
from chassis.history.chain import NO_HASH, Row, canonical, dumps, loads, row_hash, snapshot_hash
from chassis.history.tables import Snapshot

ID = UUID("0198c0de-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
MANY = settings(max_examples=520, deadline=None)

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=4), max_leaves=12
)
entries = st.lists(st.fixed_dictionaries({"id": st.integers(0, 6), "text": st.sampled_from("abc")}), max_size=8)
documents = st.fixed_dictionaries(
    {"city": text, "stamps": entries}, optional={"note": values, "a/b~c": values, "": values}
)
small = st.fixed_dictionaries({"city": text, "stamps": entries}, optional={"note": scalars})
lives = st.lists(small, min_size=1, max_size=7)


def same(one: Any, other: Any) -> bool:
    return canonical(one) == canonical(other)


@given(documents, documents)
@MANY
def test_operations_lead_there_and_back(before: dict[str, Any], after: dict[str, Any]) -> None:
    steps = patch.diff(before, after)

    there = copy.deepcopy(before)
    patch.apply(there, copy.deepcopy(patch.forward(steps)))
    back = copy.deepcopy(there)
    patch.apply(back, copy.deepcopy(patch.backward(steps)))

    assert same(there, after)
    assert same(back, before)
    assert bool(steps) == (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))


@given(documents, documents)
@MANY
def test_another_implementation_applies_them_alike(before: dict[str, Any], after: dict[str, Any]) -> None:
    steps = patch.diff(before, after, whole={"note"})

    there = jsonpatch.apply_patch(copy.deepcopy(before), patch.forward(steps))

    assert same(there, after)
    assert same(jsonpatch.apply_patch(there, patch.backward(steps)), before)


@given(values)
@MANY
def test_the_fast_canonical_form_is_the_slow_one(value: Any) -> None:
    row = a_row([{"op": "add", "path": "/note", "value": value}], version=1, previous=NO_HASH)

    with mock.patch.object(chain, "_canonical", slowly):
        assert row_hash("parcel", row) == row.hash
    assert rfc8785.dumps(loads(dumps(value))) == rfc8785.dumps(value)


@given(lives)
@MANY
def test_folding_makes_the_row_and_a_snapshot_anywhere_changes_nothing(life: list[dict[str, Any]]) -> None:
    rows: list[Row] = []
    before: dict[str, Any] = {}
    for version, document in enumerate(life, start=1):
        steps = patch.diff(before, document)
        previous = rows[-1].hash if rows else NO_HASH
        rows.append(a_row(patch.forward(steps), patch.backward(steps), version=version, previous=previous))
        before = document

    whole = replay.fold(PARCELS, ID, rows)

    assert same(whole.fields, life[-1])
    for row in rows:
        stored = dumps(life[row.version - 1])
        state = replay.resumed_from(
            PARCELS, ID, Snapshot(ID, row.version, 1, stored, snapshot_hash(row.hash, 1, stored)), row
        )
        for later in rows[row.version :]:
            state.advance(later)
        assert (state.version, state.hash) == (whole.version, whole.hash)
        assert same(state.fields, whole.fields)


def slowly(content: Any, **_: bool) -> bytes:
    return rfc8785.dumps(content)


def a_row(to: list[Any], back: list[Any] | None = None, *, version: int, previous: bytes) -> Row:
    row = Row(ID, version, 1, "Sent", "Send", "service", "parcels", AT, "", dumps(to), dumps(back or []), previous)
    return replace(row, hash=row_hash("parcel", row))
