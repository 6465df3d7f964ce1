"""The inbox: one row per (consumer, event), written in the transaction of the effect, so that the effect is single.

Nats-Msg-Id only saves work within its window; this table is the guarantee. A second one keeps the newest version of
each aggregate that a consumer has taken effect of: an event that was overtaken by a newer one is told apart.
"""

from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Table, Text, Uuid, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.outbox import foundation

KEPT = timedelta(days=30)
"""Longer than any stream keeps a message, and than an outbox row can be published again."""

inbox = Table(
    "inbox",
    foundation,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False),
    Column("aggregate_id", Uuid),
    Column("aggregate_version", BigInteger),
)
inbox_versions = Table(
    "inbox_versions",
    foundation,
    Column("consumer", Text, primary_key=True),
    Column("aggregate_id", Uuid, primary_key=True),
    Column("aggregate_version", BigInteger, nullable=False),
    Column("handled_at", DateTime(timezone=True), nullable=False),
)


class Standing(Enum):
    """What a consumer has to do with an event that arrived."""

    NEW = "new"
    """To be handled."""
    REPEATED = "repeated"
    """Its effect was taken before."""
    SUPERSEDED = "superseded"
    """A newer event of its aggregate was handled: this one comes too late."""


async def standing(connection: AsyncConnection, consumer: str, event: Envelope, *, in_order: bool = True) -> Standing:
    """How the event stands as of now; only `take`, in the transaction of the effect, decides."""
    versions = inbox_versions.c
    repeated = select(literal(1)).where(inbox.c.consumer == consumer, inbox.c.event_id == UUID(event.id)).exists()
    overtaken = (
        select(literal(1))
        .where(
            versions.consumer == consumer,
            versions.aggregate_id == UUID(event.aggregate_id),
            versions.aggregate_version > event.aggregate_version,
        )
        .exists()
    )
    row = (await connection.execute(select(repeated, overtaken))).one()
    if row[0]:
        return Standing.REPEATED
    return Standing.SUPERSEDED if row[1] and in_order else Standing.NEW


async def take(
    connection: AsyncConnection, consumer: str, event: Envelope, *, at: datetime, in_order: bool = True
) -> Standing:
    """Note that the effect is in this transaction, unless another one had it or, `in_order`, a newer one, first.

    Of two transactions with events of one aggregate the second waits here until the first has ended.
    """
    if not await remember(connection, consumer, event, at=at):
        return Standing.REPEATED
    versions = inbox_versions.c
    row = insert(inbox_versions).values(
        consumer=consumer,
        aggregate_id=UUID(event.aggregate_id),
        aggregate_version=event.aggregate_version,
        handled_at=at,
    )
    newest = row.on_conflict_do_update(
        index_elements=[versions.consumer, versions.aggregate_id],
        set_={"aggregate_version": row.excluded.aggregate_version, "handled_at": at},
        where=versions.aggregate_version <= row.excluded.aggregate_version,
    )
    moved = (await connection.execute(newest.returning(versions.aggregate_version))).first() is not None
    return Standing.NEW if moved or not in_order else Standing.SUPERSEDED


async def remember(connection: AsyncConnection, consumer: str, event: Envelope, *, at: datetime) -> bool:
    """Note that the consumer is done with the event, with or without effect; False when it was noted before."""
    row = insert(inbox).values(
        consumer=consumer,
        event_id=UUID(event.id),
        handled_at=at,
        aggregate_id=UUID(event.aggregate_id),
        aggregate_version=event.aggregate_version,
    )
    noted = await connection.execute(row.on_conflict_do_nothing().returning(inbox.c.event_id))
    return noted.first() is not None


async def prune(connection: AsyncConnection, *, now: datetime) -> int:
    """Forget rows that no redelivery can ask for any more."""
    forgotten = 0
    for table in (inbox, inbox_versions):
        forgotten += (await connection.execute(delete(table).where(table.c.handled_at < now - KEPT))).rowcount
    return forgotten
