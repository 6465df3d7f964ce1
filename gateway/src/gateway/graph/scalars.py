"""The scalars that GraphQL lacks."""

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry.types.scalar import ScalarDefinition


def _parse_time(value: object) -> Timestamp:
    """Read RFC 3339 text.

    Raises:
        ValueError: it is no such text; GraphQL reports it as a request error.
    """
    time = Timestamp()
    if not isinstance(value, str):
        raise ValueError("a DateTime is a string such as 2026-01-31T12:00:00Z")  # noqa: TRY004 - GraphQL asks for it
    try:
        time.FromJsonString(value)
    except ValueError:
        raise ValueError("a DateTime is RFC 3339 with a zone, such as 2026-01-31T12:00:00Z") from None
    return time


def _time_text(value: Timestamp) -> str:
    return value.ToJsonString()


DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description="A moment in UTC as RFC 3339 text, to the nanosecond where the source was that exact.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    serialize=_time_text,
    parse_value=_parse_time,
)
"""Timestamps stay protobuf until they are written: most are never asked for, and none loses its nanoseconds."""


def time_or_none(value: Timestamp, *, present: bool) -> Timestamp | None:
    """`value` when the message has it."""
    return value if present else None
