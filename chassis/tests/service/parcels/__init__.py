"""A service small enough to test the chassis with: parcels that are sent and arrive."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from google.protobuf.wrappers_pb2 import StringValue
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from chassis.db import ReadTx, WriteTx
from chassis.events import Event
from chassis.history import Document, History, subject_of_email, unchanged
from chassis.identity import Call, Role

metadata = MetaData(schema="parcels")

parcels = Table(
    "parcels",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("city", Text, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("receiver", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("stamps", JSONB, nullable=False, server_default="[]"),
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("parcel_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("city", Text, nullable=False),
)


@dataclass(frozen=True)
class Sent:
    """A parcel was sent on to a city."""

    parcel_id: UUID
    version: int
    city: str


def fact_to_event(fact: object) -> Event:
    assert isinstance(fact, Sent)
    payload = StringValue(value=fact.city)
    return Event("aiops.parcels.parcel.sent.v1", "parcel", fact.parcel_id, fact.version, payload)


async def send(tx: WriteTx, parcel_id: UUID, city: str) -> int:
    """Send a parcel on, making it at the first time; its new version."""
    row = insert(parcels).values(id=parcel_id, city=city)
    again = row.on_conflict_do_update(
        index_elements=[parcels.c.id], set_={"city": city, "version": parcels.c.version + 1}
    )
    version: int = (await tx.execute(again.returning(parcels.c.version))).scalar_one()
    tx.publish(Sent(parcel_id, version, city))
    return version


@dataclass(frozen=True)
class Parcel:
    """A parcel with history; its receiver, and what is noted about him, are personal."""

    id: UUID
    version: int = 1
    city: str = ""
    receiver: str = ""
    note: str = ""
    stamps: list[Any] = field(default_factory=list)

    def changed(self, **fields: Any) -> "Parcel":
        return replace(self, version=self.version + 1, **fields)


def document(parcel: Parcel) -> Document:
    personal = {name: subject_of_email(parcel.receiver) for name in ("receiver", "note")} if parcel.receiver else {}
    fields = {"city": parcel.city, "receiver": parcel.receiver, "note": parcel.note, "stamps": parcel.stamps}
    return Document(parcel.id, parcel.version, fields, personal)


def _parcel(row: Any) -> Parcel:
    return Parcel(row.id, row.version, row.city, row.receiver, row.note, row.stamps)


async def current(tx: ReadTx, parcel_id: UUID, call: Call) -> Parcel | None:
    """Parcels to Troll exist for admins alone."""
    row = await tx.fetch_one(select(parcels).where(parcels.c.id == parcel_id))
    admin = call.viewer is not None and call.viewer.role is Role.ADMIN
    return None if row is None or (row.city == "Troll" and not admin) else _parcel(row)


async def iterate(tx: ReadTx, after_id: UUID | None, limit: int) -> Sequence[Parcel]:
    found = select(parcels).order_by(parcels.c.id).limit(limit)
    return [
        _parcel(row) for row in await tx.fetch_all(found if after_id is None else found.where(parcels.c.id > after_id))
    ]


async def erase(tx: WriteTx, subject: str) -> list[tuple[Parcel, Parcel, Event]]:
    rows = await tx.fetch_all(select(parcels).where(parcels.c.receiver != "").with_for_update())
    found = [parcel for parcel in map(_parcel, rows) if subject_of_email(parcel.receiver) == subject]
    pairs = [(parcel, parcel.changed(receiver="", note="")) for parcel in found]
    for _, after in pairs:
        await store(tx, after)
    return [(before, after, fact_to_event(Sent(after.id, after.version, after.city))) for before, after in pairs]


async def store(tx: WriteTx, parcel: Parcel) -> None:
    values = {"city": parcel.city, "receiver": parcel.receiver, "note": parcel.note, "stamps": parcel.stamps}
    row = insert(parcels).values(id=parcel.id, version=parcel.version, **values)
    again = {**values, "version": parcel.version}
    await tx.execute(row.on_conflict_do_update(index_elements=[parcels.c.id], set_=again))


async def move(tx: WriteTx, before: Parcel | None, after: Parcel) -> None:
    """Store a change with its history and its fact."""
    if before is not None:
        await tx.execute(update(parcels).where(parcels.c.id == before.id).values(version=parcels.c.version))  # the lock
    await store(tx, after)
    tx.changed(before, after, Sent(after.id, after.version, after.city))


def _everybody(_call: Call) -> bool:
    return True


def _admins_and_hr(call: Call) -> bool:
    return call.viewer is not None and call.viewer.role in {Role.ADMIN, Role.HR}


PARCELS = History(
    kind="parcel",
    domain=Parcel,
    document=document,
    schema_version=1,
    upcast=unchanged,
    current=current,
    visible={"city": _everybody, "receiver": _everybody, "note": _admins_and_hr, "stamps": _everybody},
    iterate=iterate,
    erase=erase,
)
HISTORIES = (PARCELS,)
