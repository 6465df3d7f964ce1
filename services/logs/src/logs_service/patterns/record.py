"""What one line of a log becomes: a raw record, then a parsed one."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Severity(IntEnum):
    """The first SeverityNumber of each range of the OpenTelemetry log model."""

    UNSPECIFIED = 0
    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARN = 13
    ERROR = 17
    FATAL = 21


class RawRecord(NamedTuple):
    """One record as it stood in the input: a line, or a line with the stack trace below it."""

    text: str
    line_number: int
    """Number of its first line, counted from 1."""
    line_count: int
    """How many lines of the input it took."""
    truncated: bool
    """True when text was cut at the reader's limit."""


class ParsedRecord(NamedTuple):
    """One record with its header told apart from its message."""

    body: str
    time: int | None
    """Event time in nanoseconds since 1970 UTC; None when the record states none."""
    severity: Severity
    severity_text: str
    """The level as it was written, empty when there is none."""
    service: str | None
    attributes: dict[str, str]
    raw_line_number: int
    line_count: int
    header: str
    truncated: bool
