"""The statements on `<kind>_changes` and `<kind>_snapshots`; a service's migration makes the tables (ADR 0036)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row as SqlRow
from sqlalchemy import TextClause, text

from chassis.history.chain import Row

if TYPE_CHECKING:
    from chassis.db import ReadTx

SNAPSHOT_EVERY = 50
COLUMNS = (
    "id, version, schema_version, event, reason, actor_kind, actor_id, changed_at, trace_id,"
    " patch::text AS patch, inverse::text AS inverse, previous_hash, hash"
)


@dataclass(frozen=True)
class Head:
    """The last row of a chain."""

    version: int
    hash: bytes
    changed_at: datetime


def heads(kind: str) -> TextClause:
    """The last rows of `ids`, and the keys of `subjects`: one statement, since every change pays for it."""
    return text(
        "SELECT last.id, last.version, last.hash, last.changed_at,"  # noqa: S608 - kinds are declared in code
        " NULL::text AS subject, NULL::bytea AS sealed_key, NULL::integer AS generation"
        " FROM unnest(CAST(:ids AS uuid[])) AS wanted (id) CROSS JOIN LATERAL ("
        f"SELECT c.id, c.version, c.hash, c.changed_at FROM {kind}_changes c"
        " WHERE c.id = wanted.id ORDER BY c.version DESC LIMIT 1) AS last"
        " UNION ALL SELECT NULL, NULL, NULL, NULL, subject, sealed_key, generation"
        " FROM subject_keys WHERE subject = ANY(CAST(:subjects AS text[]))"
    )


def insert_changes(kind: str) -> TextClause:
    """One row for each set of `change_values`."""
    return text(
        f"INSERT INTO {kind}_changes (id, version, schema_version, event, reason, actor_kind, actor_id, changed_at,"  # noqa: S608 - as above
        " trace_id, patch, inverse, previous_hash, hash) VALUES (:id, :version, :schema_version, :event, :reason,"
        " :actor_kind, :actor_id, :changed_at, :trace_id, CAST(:patch AS jsonb), CAST(:inverse AS jsonb),"
        " :previous_hash, :hash)"
    )


def insert_snapshots(kind: str) -> TextClause:
    """One snapshot for each set of values."""
    return text(
        f"INSERT INTO {kind}_snapshots (id, version, schema_version, state, hash)"  # noqa: S608 - as above
        " VALUES (:id, :version, :schema_version, CAST(:state AS jsonb), :hash)"
    )


def change_values(row: Row) -> dict[str, Any]:
    """The row as `insert_changes` takes it."""
    return {name: getattr(row, name) for name in Row.__slots__}


def change_row(row: SqlRow[Any]) -> Row:
    """The row as it was read."""
    return Row(*tuple(row))


async def changes(
    tx: "ReadTx", kind: str, id_: UUID, *, after: int, upto: int | None = None, limit: int | None = None
) -> list[Row]:
    """The rows of one chain after a version, in order."""
    statement = text(
        f"SELECT {COLUMNS} FROM {kind}_changes WHERE id = :id AND version > :after"  # noqa: S608 - as above
        " AND version <= :upto ORDER BY version LIMIT :limit"
    )
    values: Mapping[str, Any] = {"id": id_, "after": after, "upto": 2**62 if upto is None else upto, "limit": limit}
    return [change_row(row) for row in (await tx.execute(statement, values)).all()]


async def every_change(tx: "ReadTx", kind: str) -> AsyncIterator[Row]:
    """All rows of a kind, chain by chain, without holding them all."""
    statement = text(f"SELECT {COLUMNS} FROM {kind}_changes ORDER BY id, version")  # noqa: S608 - as above
    async with tx.connection.stream(statement, execution_options={"yield_per": 1000}) as result:
        async for page in result.partitions():  # row by row would switch threads of control for each
            for row in page:
                yield change_row(row)


@dataclass(frozen=True)
class Snapshot:
    """A whole document at one version; the state as JSON text, what is personal sealed."""

    id: UUID
    version: int
    schema_version: int
    state: str
    hash: bytes


async def snapshots(tx: "ReadTx", kind: str, id_: UUID, *, upto: int, limit: int | None = None) -> Sequence[Snapshot]:
    """The snapshots of one chain up to a version, the newest first."""
    statement = text(
        f"SELECT id, version, schema_version, state::text AS state, hash FROM {kind}_snapshots"  # noqa: S608 - as above
        " WHERE id = :id AND version <= :upto ORDER BY version DESC LIMIT :limit"
    )
    rows = await tx.execute(statement, {"id": id_, "upto": upto, "limit": limit})
    return [Snapshot(*tuple(row)) for row in rows.all()]


async def every_snapshot(tx: "ReadTx", kind: str) -> AsyncIterator[Snapshot]:
    """All snapshots of a kind, in the order of `every_change`."""
    statement = text(
        "SELECT id, version, schema_version, state::text AS state, hash"  # noqa: S608 - as above
        f" FROM {kind}_snapshots ORDER BY id, version"
    )
    async with tx.connection.stream(statement, execution_options={"yield_per": 100}) as result:
        async for page in result.partitions():
            for row in page:
                yield Snapshot(*tuple(row))
