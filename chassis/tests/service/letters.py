"""What tests ask of dead letters, and how an admin's wish reaches them."""

from typing import Any

from sqlalchemy import Row, func, select, update

from chassis.dead_letters import dead_letters
from chassis.testing.plugin import ServiceDatabase


async def letters(store: ServiceDatabase) -> list[Row[Any]]:
    async with store.database.read() as read:
        return await read.fetch_all(select(dead_letters).order_by(dead_letters.c.created_at, dead_letters.c.id))


async def waiting(store: ServiceDatabase) -> int:
    async with store.database.read() as read:
        row = await read.fetch_one(select(func.count()).where(dead_letters.c.redriven_at.is_(None)))
    assert row is not None
    return int(row[0])


async def ask_for_all(store: ServiceDatabase) -> None:
    """Ask for every letter, those included that were redriven: their wish must change nothing."""
    async with store.database.connection() as connection, connection.begin():
        await connection.execute(
            update(dead_letters).values(redrive_requested_at=func.now(), redriven_at=None, redrive_requested_by="ada")
        )
