"""The outbox: facts wait here, in the transaction of the change, until the relay has a broker's word for them.

Rows stay seven days after publishing, so that a lost stream can be filled again. It publishes nothing itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, MetaData, Table, Text, Uuid, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from aiops.events.v1.envelope_pb2 import Envelope

KEPT_AFTER_PUBLISHING = timedelta(days=7)

# No schema: each role's search_path holds its own service's schema alone.
foundation = MetaData()

outbox = Table(
    "outbox",
    foundation,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("aggregate_type", Text, nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("aggregate_version", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("published_at", DateTime(timezone=True)),
    Column("attempts", BigInteger, nullable=False, server_default="0"),
    Column("republished", BigInteger, nullable=False, server_default="0"),
)


async def append(
    connection: AsyncConnection, envelopes: Sequence[tuple[str, Envelope]], *, created_at: datetime
) -> None:
    """Store (subject, envelope) pairs in their order.

    Called last in a transaction, when the aggregates' rows are locked: so the order of `seq` is, for each aggregate,
    the order of commits.
    """
    rows = [
        {
            "event_id": UUID(envelope.id),
            "aggregate_type": envelope.aggregate_type,
            "aggregate_id": UUID(envelope.aggregate_id),
            "aggregate_version": envelope.aggregate_version,
            "subject": subject,
            "payload": envelope.SerializeToString(deterministic=True),
            "created_at": created_at,
        }
        for subject, envelope in envelopes
    ]
    if rows:
        await connection.execute(outbox.insert(), rows)


async def prune(connection: AsyncConnection, *, now: datetime) -> int:
    """Forget rows that were published more than seven days ago; rows that still wait are never touched."""
    result = await connection.execute(delete(outbox).where(outbox.c.published_at < now - KEPT_AFTER_PUBLISHING))
    return result.rowcount
