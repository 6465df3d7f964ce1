"""What history keeps of a domain object: its fields as JSON values; and how a service declares a kind of them. Pure."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    from chassis.db import ReadTx, WriteTx
    from chassis.events import Event
    from chassis.identity import Call

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Op: TypeAlias = dict[str, Any]
"""One operation of RFC 6902: {"op": "add" | "replace" | "remove", "path": "/status", "value": ...}."""

Hiding: TypeAlias = Callable[[Mapping[str, Any]], frozenset[str]]
"""The fields whose values are hidden in a document such as this; what is personal is sealed in it."""

GENESIS = "Genesis"
"""The event of a row that tells the whole document of something that is older than its history."""
RESUMED = "Resumed"
"""The event of a row that catches up with versions which were written without history; it alone may skip versions."""
ERASED = "Erased"
"""The event of a row that blanked what was personal in the current row."""


@dataclass(frozen=True)
class Document:
    """One aggregate at one version. Ids and times are text, and integers beyond 2**53 too: JSON has no larger ones."""

    id: UUID
    version: int
    fields: Mapping[str, Json]
    personal: Mapping[str, str] = field(default_factory=dict)
    """Top-level field -> whose it is (`subject_of_user`, `subject_of_email`): sealed, and gone when he is erased."""


@dataclass(frozen=True)
class History:
    """One kind of aggregate whose every change is kept; declared in `documents.py` as a member of `HISTORIES`."""

    kind: str
    """In the singular, as in "ticket": tables `tickets`, `ticket_changes` and `ticket_snapshots`."""
    domain: type
    """The class whose objects are recorded."""
    document: Callable[[Any], Document]
    """What is kept of one. Never a password, a token, a key, or a hash of one of them."""
    schema_version: int
    """Of the document's shape: raise it with every change of the shape, and teach `upcast` the step."""
    upcast: Callable[[int, list[Op]], list[Op]]
    """Operations that were written with an older schema version, as the present shape has them."""
    current: "Callable[[ReadTx, UUID, Call], Awaitable[Any | None]]"
    """The aggregate if it exists for this caller, else None: its history exists for whoever it exists for."""
    visible: "Mapping[str, Callable[[Call], bool]]"
    """Who sees each field; one that is not listed is seen by nobody."""
    iterate: "Callable[[ReadTx, UUID | None, int], Awaitable[Sequence[Any]]]"
    """Up to so many objects with ids after this one, by id: every row of the table, seen or unseen."""
    erase: "Callable[[WriteTx, str], Awaitable[Sequence[tuple[Any, Any, Event]]]] | None" = None
    """Blank what is personal of this subject in every current row, as a next version; (before, after, what is told)."""
    veil: "Callable[[Any, Call], Hiding | None] | None" = None
    """What of the past this caller does not read, though the aggregate exists for him as it is now; None: nothing."""
    told: "Mapping[str, Callable[[Call], bool]]" = field(default_factory=dict)
    """Field -> who hears of rows that replace its value, where not everybody does for whom the aggregate exists."""


@dataclass(frozen=True)
class Change:
    """One version that a transaction makes."""

    before: object | None
    after: object
    event: str
    reason: str = ""


def subject_of_user(user_id: UUID | str) -> str:
    """Whose a value is: a user's."""
    return f"user:{user_id}"


def subject_of_email(address: str) -> str:
    """Whose a value is: of the person behind an address who has no account. Only a keyed digest of it is stored."""
    return f"email:{address.strip().lower()}"


def unchanged(_schema_version: int, operations: list[Op]) -> list[Op]:
    """The `upcast` of a document that has had one shape only."""
    return operations
