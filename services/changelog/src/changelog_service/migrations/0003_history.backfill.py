# ruff: noqa: INP001 - a migration is loaded by its path
"""The first row of history for each changelog that is older than it."""

from typing import Any

import psycopg

from changelog_service.documents import HISTORIES
from chassis.history import genesis

(HISTORY,) = HISTORIES


def batch(connection: psycopg.Connection[Any], cursor: str, rows: int) -> tuple[str, int]:
    """Changelogs after the cursor, in the order of their ids."""
    return genesis.begin_histories(connection, cursor, rows, HISTORY, service="changelog")
