"""The rows of a history as a chain: each hash covers the row and the hash before it, in canonical JSON (RFC 8785).

A chain shows that a row was edited, dropped, added or moved. That its end was cut off, or all of it written anew, only
an anchor shows (`chassis.history.anchors`).
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785

NO_HASH = bytes(32)
"""What stands before the first row."""
_SAFE = 2**53 - 1
# With one of these Python's own JSON differs from RFC 8785, or may: a large number, a key beyond the basic plane.
_UNUSUAL = re.compile("[\U00010000-\U0010ffff]|[0-9]{16}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of `<kind>_changes`; the operations as JSON text."""

    id: UUID
    version: int
    schema_version: int
    event: str
    reason: str
    actor_kind: str
    actor_id: str
    changed_at: datetime
    trace_id: str
    patch: str
    inverse: str
    previous_hash: bytes
    hash: bytes = b""


class _Fraction(ValueError):
    """The text holds a number with a fraction, which the two kinds of JSON write differently."""


def _refused(text: str) -> float:
    raise _Fraction(text)


_WHOLE = json.JSONDecoder(parse_float=_refused)


def _parsed(text: str) -> tuple[Any, bool]:
    """The value, and whether Python's own JSON of it is canonical."""
    if _UNUSUAL.search(text) is None:
        try:
            return _WHOLE.decode(text), True
        except _Fraction:
            pass
    return json.loads(text, parse_int=_number), False


def loads(text: str) -> Any:
    """JSON as a history holds it: Postgres writes a large float as a long integer."""
    return _parsed(text)[0]


def dumps(value: Any) -> str:
    """JSON to be stored.

    Raises:
        ValueError: a number is none that JSON has.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def row_hash(kind: str, row: Row) -> bytes:
    """What the row's hash is, or has to be."""
    patch, plain = _parsed(row.patch)
    inverse, also = _parsed(row.inverse)
    content = {
        "kind": kind,
        "id": str(row.id),
        "version": row.version,
        "schema_version": row.schema_version,
        "event": row.event,
        "reason": row.reason,
        "actor_kind": row.actor_kind,
        "actor_id": row.actor_id,
        "changed_at": row.changed_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "trace_id": row.trace_id,
        "patch": patch,
        "inverse": inverse,
    }
    return hashlib.sha256(row.previous_hash + _canonical(content, plain=plain and also)).digest()


def snapshot_hash(change_hash: bytes, schema_version: int, state: str) -> bytes:
    """What binds a snapshot to the row whose version it is of."""
    fields, plain = _parsed(state)
    content = {"schema_version": schema_version, "state": fields}
    return hashlib.sha256(change_hash + _canonical(content, plain=plain)).digest()


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785).

    Raises:
        ValueError: it holds what JSON cannot say, such as an integer beyond 2**53.
    """
    return rfc8785.dumps(value)


def _canonical(value: Any, *, plain: bool) -> bytes:
    """The same, five times as fast where Python's own encoder writes the same bytes (a test holds it to that)."""
    if plain:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return canonical(value)


def _number(text: str) -> int | float:
    number = int(text)
    return number if -_SAFE <= number <= _SAFE else float(text)
