"""The two columns of a ticket's text and of its priority, while both are there (ADR 0038).

This code works on the schema before and after the contraction, and while it comes. What is read names no column that
may be gone; what has to name one asks first, in its own transaction: from then on until its end, none goes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, func, literal_column, null, select
from sqlalchemy import text as sql

from chassis.db import ReadTx
from tickets_service.tables import DESCRIPTION_TEXT, MESSAGE_TEXT, TICKET_OPTIONS, TICKETS
from tickets_service.values import PriorityLevel

OLD = ("message", "priority")
"""Columns that the contraction drops."""
_READING = "tickets_reading"


@dataclass(frozen=True)
class Reading:
    """Which column is believed while there are two, and who hears that they differ."""

    is_new: Callable[[], bool]
    differs: Callable[[str], None]


def read_with(engine: Any, reading: Reading) -> None:
    """Have all transactions of a pool read in this way; without it the old columns are believed."""
    engine.sync_engine.update_execution_options(**{_READING: reading})


def reading_of(tx: ReadTx) -> Reading | None:
    """How this transaction reads."""
    connection = tx.connection.sync_connection
    return None if connection is None else connection.get_execution_options().get(_READING)


async def has_old_columns(tx: ReadTx) -> bool:
    """Whether the old columns are there; no contraction gets in between until the transaction ends."""
    row = await tx.fetch_one(_LOOK)
    return row is not None and bool(row.found)


# Whoever reads a table holds it: the second column is there for that.
_LOOK = sql("""
    SELECT
        EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = 'tickets'::regclass AND attname = 'message' AND NOT attisdropped
        ) AS found,
        EXISTS (SELECT FROM tickets LIMIT 0) AS held
""")


def current_columns() -> list[ColumnElement[Any]]:
    """Every column of a ticket, the old ones by a way that leads to null once they are gone."""
    row: ColumnElement[Any] = func.to_jsonb(literal_column("tickets"))
    old_key: ColumnElement[Any] = row.op("->>", return_type=Text())("priority")
    levels = TICKET_OPTIONS.alias("levels")
    old_rank = (
        select(func.coalesce(levels.c.priority_level, PriorityLevel.NORMAL.value))
        .where(levels.c.kind == "PRIORITY", levels.c.key == old_key)
        .scalar_subquery()
    )
    return [
        *(column for column in TICKETS.c if column.name not in OLD),
        row.op("->>", return_type=Text())("message").label("old_text"),
        func.coalesce(old_key, func.ticket_priority_key(TICKETS.c.priority_rank), "").label("priority"),
        old_rank.label("old_rank"),
        old_key.is_not(None).label("has_old"),
    ]


def text_of(row: Row[Any], reading: Reading | None) -> str:
    """The text of a ticket: from the column that is believed, or from the one that is there."""
    old, new = row.old_text, row.description
    if reading is not None and old is not None and new is not None and old != new:
        reading.differs("description")
    chosen = new if old is None or (new is not None and _believes_new(reading)) else old
    return str(chosen)


def level_of(row: Row[Any], reading: Reading | None) -> PriorityLevel | None:
    """The level of a ticket's priority, in the same way."""
    old, new = row.old_rank, row.priority_rank
    if row.has_old and row.priority and old is None:
        old = PriorityLevel.NORMAL.value
    if reading is not None and row.has_old and new is not None and old != new:
        reading.differs("priority_rank")
    chosen = new if not row.has_old or (new is not None and _believes_new(reading)) else old
    return None if chosen is None else PriorityLevel(chosen)


def searched_text(reading: Reading | None, *, old_columns: bool) -> ColumnElement[str]:
    """Title and text as the index on them spells it."""
    return DESCRIPTION_TEXT if _believes_new(reading) or not old_columns else MESSAGE_TEXT


def key_column(*, old_columns: bool) -> ColumnElement[str]:
    """The key of a ticket's priority, to narrow a list by."""
    return TICKETS.c.priority if old_columns else func.ticket_priority_key(TICKETS.c.priority_rank)


def rank_of_key(key: str) -> ColumnElement[Any]:
    """The level that a key stands for, to be written."""
    known = select(TICKET_OPTIONS.c.priority_level).where(
        TICKET_OPTIONS.c.kind == "PRIORITY", TICKET_OPTIONS.c.key == key
    )
    return func.coalesce(known.scalar_subquery(), PriorityLevel.NORMAL.value) if key else null()


def _believes_new(reading: Reading | None) -> bool:
    return reading is not None and reading.is_new()
