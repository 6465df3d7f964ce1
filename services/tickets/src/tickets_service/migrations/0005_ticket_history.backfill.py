# ruff: noqa: INP001 - a migration is loaded by its path
"""The first row of history for each ticket that is older than it."""

from typing import Any

import psycopg

from chassis.history import genesis
from tickets_service.documents import TICKET_HISTORY


def batch(connection: psycopg.Connection[Any], cursor: str, rows: int) -> tuple[str, int]:
    """Tickets after the cursor, in the order of their ids."""
    return genesis.begin_histories(connection, cursor, rows, TICKET_HISTORY, service="tickets")
