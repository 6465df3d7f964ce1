"""Telling facts again: marks published rows of the outbox as unpublished, and the relay does the rest.

For a stream that was lost: the outbox is the truth, and holds what was published in the last seven days. Consumers drop
what they have handled. Run by an operator as the schema's owner; it speaks to Postgres alone.
"""

from collections.abc import Iterator
from datetime import datetime

import psycopg
from psycopg import sql

BATCH_ROWS = 5000

_COUNT = "SELECT count(*) FROM outbox WHERE published_at >= %(since)s AND published_at < %(until)s"
_MARK = """
    UPDATE outbox SET published_at = NULL, republished = republished + 1 WHERE seq IN (
        SELECT seq FROM outbox WHERE published_at >= %(since)s AND published_at < %(until)s
        ORDER BY seq LIMIT %(rows)s FOR UPDATE SKIP LOCKED)
"""


class Republication:
    """The facts of one service that were published since a moment, up to now by the database's clock."""

    def __init__(self, connection: psycopg.Connection, schema: str, since: datetime) -> None:
        self._connection = connection
        connection.autocommit = True
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        # What the relay publishes from now on is told already, and must not be marked once more.
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        self._range = {"since": since, "until": row[0] if row else None}

    def count(self) -> int:
        """How many facts there are to tell again."""
        row = self._connection.execute(_COUNT, self._range).fetchone()
        return int(row[0]) if row else 0

    def mark(self) -> Iterator[int]:
        """Mark them, the oldest first; yields the number of each batch, which is committed by then."""
        while marked := self._connection.execute(_MARK, {**self._range, "rows": BATCH_ROWS}).rowcount:
            yield marked
