"""Relay connections over the keyset pages of the services."""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import strawberry

from aiops.common.v1 import page_pb2
from chassis.errors import PageSizeOutOfRange
from chassis.paging import MAX_PAGE_SIZE

DEFAULT_PAGE_SIZE = 20

Node = TypeVar("Node")
Row = TypeVar("Row")


class PageResponse(Protocol):
    """What every List response has beside its rows."""

    @property
    def page_info(self) -> page_pb2.PageInfo:
        """Where the list goes on."""

    @property
    def cursors(self) -> Sequence[str]:
        """The cursor of each row, in order."""


@strawberry.type
class PageInfo:
    """Where a list goes on."""

    has_next_page: bool
    """Whether at least one more item follows `endCursor`."""
    has_previous_page: bool
    """Whether this page was asked for with `after`."""
    start_cursor: str | None
    """Cursor of the first item; null when the page is empty."""
    end_cursor: str | None
    """Cursor of the last item, to pass as `after`; null when the page is empty."""


@strawberry.type
class Edge(Generic[Node]):
    """One item of a page."""

    node: Node
    """The item."""
    cursor: str
    """Names this item as the place to go on from."""


@strawberry.type
class Connection(Generic[Node]):
    """One page of a list."""

    edges: list[Edge[Node]]
    """The items with their cursors."""
    page_info: PageInfo
    """Where the list goes on."""

    @strawberry.field
    def nodes(self) -> list[Node]:
        """The items alone."""
        return [edge.node for edge in self.edges]


def page_request(first: int, after: str | None) -> page_pb2.PageRequest:
    """The page that was asked for; the service that owns the list checks the size and the cursor."""
    return page_pb2.PageRequest(first=first, after=after or "")


def connection(
    rows: Sequence[Row], response: PageResponse, to_node: Callable[[Row], Node], after: str | None
) -> Connection[Node]:
    """The page as Relay has it."""
    cursors = response.cursors
    return Connection(
        edges=[Edge(node=to_node(row), cursor=cursor) for row, cursor in zip(rows, cursors, strict=True)],
        page_info=PageInfo(
            has_next_page=response.page_info.has_next_page,
            has_previous_page=bool(after),
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
    )


def check_first(first: int, *, maximum: int = MAX_PAGE_SIZE) -> None:
    """Refuse a list of a size that is not served.

    Raises:
        PageSizeOutOfRange: it is to have fewer than 1 or more than `maximum` items.
    """
    if not 1 <= first <= maximum:
        raise PageSizeOutOfRange(
            f"a list has 1 to {maximum} items; {first} were asked for",
            field="first",
            minimum="1",
            maximum=str(maximum),
        )
