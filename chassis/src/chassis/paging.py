"""Keyset pages: a cursor names the last row that was seen by its sort values, so a page is stable while rows come in.

A cursor is opaque to clients but not secret, and it is checked like any other input. It does no SQL.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from aiops.common.v1.page_pb2 import PageInfo, PageRequest
from chassis.errors import CursorInvalid, PageSizeOutOfRange

MAX_PAGE_SIZE = 100
_MAX_CURSOR_CHARACTERS = 1024
_BIGINT_END = 2**63

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """One page that was asked for: `first` items after the cursor `after` ("" = from the start)."""

    first: int
    after: str


@dataclass(frozen=True)
class Slice(Generic[T]):
    """One page that was read, with the cursor of each item."""

    items: tuple[T, ...]
    cursors: tuple[str, ...]
    has_next_page: bool


def page_from(request: PageRequest) -> Page:
    """The page that a request asks for.

    Raises:
        PageSizeOutOfRange: it wants fewer than 1 or more than 100 items.
    """
    if not 1 <= request.first <= MAX_PAGE_SIZE:
        raise PageSizeOutOfRange(
            f"a page has 1 to {MAX_PAGE_SIZE} items; {request.first} were asked for",
            field="page.first",
            minimum="1",
            maximum=str(MAX_PAGE_SIZE),
        )
    return Page(first=request.first, after=request.after)


def encode_cursor(*values: str | int) -> str:
    """A cursor that holds the sort values of one row."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The sort values in a cursor, each of the type that this list gave it: str, int, or UUID for an id as text.

    Raises:
        CursorInvalid: the cursor was not made by this list.
    """
    try:
        return _decoded(cursor, types)
    except ValueError:
        raise CursorInvalid(
            "this is no cursor of this list; pass the end cursor of the page before, or nothing",
            field="page.after",
        ) from None


def _decoded(cursor: str, types: tuple[type, ...]) -> tuple[Any, ...]:
    values = _values(cursor)
    travelling = [str if kind is UUID else kind for kind in types]
    # One spelling per cursor: whatever else decodes was made by somebody else.
    if values is None or [type(value) for value in values] != travelling or encode_cursor(*values) != cursor:
        raise ValueError("another list's")
    return tuple(map(_read, values, types))


def _read(value: str | int, kind: type) -> str | int | UUID:
    """The value as a list compares it.

    Raises:
        ValueError: no column can hold it.
    """
    if isinstance(value, int):
        if not -_BIGINT_END <= value < _BIGINT_END:
            raise ValueError("beyond bigint")
        return value
    if kind is UUID:
        return UUID(value)
    if "\x00" in value:
        raise ValueError("NUL")
    value.encode()  # half a surrogate pair is no text
    return value


def _values(cursor: str) -> list[Any] | None:
    if len(cursor) > _MAX_CURSOR_CHARACTERS:
        return None
    try:
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, list) else None


def page_info(slice_: Slice[Any]) -> PageInfo:
    """What a client needs to go on: whether more follows, and from where."""
    return PageInfo(has_next_page=slice_.has_next_page, end_cursor=slice_.cursors[-1] if slice_.cursors else "")
