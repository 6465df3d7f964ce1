"""The history of changes: every version of an aggregate as a row that can be replayed, proved, and made to forget.

A service declares a `History` for each kind in its `documents.py`, and calls `tx.changed(before, after, fact)` where it
would have called `tx.publish(fact)`. The tables are made by the service's own migration (ADR 0036).
"""

from chassis.history.document import (
    ERASED,
    GENESIS,
    RESUMED,
    Change,
    Document,
    Hiding,
    History,
    Json,
    Op,
    subject_of_email,
    subject_of_user,
    unchanged,
)

__all__ = [
    "ERASED",
    "GENESIS",
    "RESUMED",
    "Change",
    "Document",
    "Hiding",
    "History",
    "Json",
    "Op",
    "subject_of_email",
    "subject_of_user",
    "unchanged",
]
