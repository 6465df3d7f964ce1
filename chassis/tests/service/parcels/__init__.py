"""A service small enough to test the chassis with: parcels that are sent and arrive."""

from dataclasses import dataclass
from uuid import UUID

from google.protobuf.wrappers_pb2 import StringValue
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import insert

from chassis.db import WriteTx
from chassis.events import Event

metadata = MetaData(schema="parcels")

parcels = Table(
    "parcels",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("city", Text, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
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
