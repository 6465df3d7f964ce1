"""The inbox: one row per (consumer, event), written in the transaction of the effect, so that the effect is single.

Nats-Msg-Id only saves work within its window; this table is the guarantee.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Column, DateTime, Table, Text, Uuid, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.outbox import foundation

KEPT = timedelta(days=30)
"""Longer than any stream keeps a message, and than an outbox row can be published again."""

inbox = Table(
    "inbox",
    foundation,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False),
)


async def seen(connection: AsyncConnection, consumer: str, event_id: UUID) -> bool:
    """Whether the consumer has taken effect of this event."""
    statement = select(inbox.c.event_id).where(inbox.c.consumer == consumer, inbox.c.event_id == event_id)
    return (await connection.execute(statement)).first() is not None


async def remember(connection: AsyncConnection, consumer: str, event_id: UUID, *, at: datetime) -> bool:
    """Note that the effect is in this transaction; False when another transaction had it first."""
    statement = insert(inbox).values(consumer=consumer, event_id=event_id, handled_at=at).on_conflict_do_nothing()
    return (await connection.execute(statement.returning(inbox.c.event_id))).first() is not None


async def prune(connection: AsyncConnection, *, now: datetime) -> int:
    """Forget rows that no redelivery can ask for any more."""
    return (await connection.execute(delete(inbox).where(inbox.c.handled_at < now - KEPT))).rowcount
