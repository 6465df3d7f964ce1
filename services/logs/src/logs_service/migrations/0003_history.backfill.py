# ruff: noqa: INP001 - a migration is loaded by its path
"""The first row of history for each log that is older than it."""

from typing import Any

import psycopg

from chassis.history import genesis
from logs_service.documents import HISTORIES

(HISTORY,) = HISTORIES


def batch(connection: psycopg.Connection[Any], cursor: str, rows: int) -> tuple[str, int]:
    """Logs after the cursor, in the order of their ids."""
    return genesis.begin_histories(connection, cursor, rows, HISTORY, service="logs")
