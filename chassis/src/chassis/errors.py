"""What can go wrong, by name: every refusal that a caller may see is one class here or in a service's own `errors`.

A class has a kind, which decides the gRPC code, and a reason: a name of `aiops.errors.v1.ErrorReason` that stays the
same on the whole way to the person. This module imports the standard library alone, so that domains may stand on it.
"""

from enum import StrEnum
from typing import ClassVar


class ErrorKind(StrEnum):
    """How a caller should treat the error."""

    INVALID = "INVALID"
    """The request can never succeed as it is."""
    NOT_FOUND = "NOT_FOUND"
    """The thing does not exist, or not for this caller."""
    CONFLICT = "CONFLICT"
    """The state of the thing forbids it."""
    VERSION_CONFLICT = "VERSION_CONFLICT"
    """The thing changed since it was read: read again and decide again."""
    FORBIDDEN = "FORBIDDEN"
    """The caller may not do this."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """Nobody knows who the caller is."""
    EXHAUSTED = "EXHAUSTED"
    """A limit was reached: wait."""
    IN_PROGRESS = "IN_PROGRESS"
    """The same request is still running: try again."""
    UNAVAILABLE = "UNAVAILABLE"
    """A dependency is away: try again."""
    DEADLINE = "DEADLINE"
    """There was no time left for it."""
    INTERNAL = "INTERNAL"
    """A defect of ours."""


class DomainError(Exception):
    """A refusal with a name. The message tells a person what to do; metadata tells a program the particulars."""

    kind: ClassVar[ErrorKind]
    reason: ClassVar[str]

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata


class InvalidInput(DomainError):
    """Base of what is wrong with a request by itself."""

    kind = ErrorKind.INVALID


class NotFound(DomainError):
    """Base of what is not there, or not for this caller."""

    kind = ErrorKind.NOT_FOUND


class Conflict(DomainError):
    """Base of what the present state of a thing forbids."""

    kind = ErrorKind.CONFLICT


class PermissionDenied(DomainError):
    """Base of what this caller may not do."""

    kind = ErrorKind.FORBIDDEN


class Exhausted(DomainError):
    """Base of limits that were reached."""

    kind = ErrorKind.EXHAUSTED


class InvalidArgument(InvalidInput):
    """A field is missing or malformed; `field` is its path in the request."""

    reason = "INVALID_ARGUMENT"


class PageSizeOutOfRange(InvalidInput):
    """A page of this size is not served."""

    reason = "PAGE_SIZE_OUT_OF_RANGE"


class CursorInvalid(InvalidInput):
    """The cursor was not made by this list."""

    reason = "CURSOR_INVALID"


class IdempotencyKeyInvalid(InvalidInput):
    """The idempotency key is missing, or too short or long."""

    reason = "IDEMPOTENCY_KEY_INVALID"


class IdempotencyKeyReused(Conflict):
    """The idempotency key came before with another request."""

    reason = "IDEMPOTENCY_KEY_REUSED"


class IdempotencyInProgress(DomainError):
    """The first request with this idempotency key has not finished."""

    kind = ErrorKind.IN_PROGRESS
    reason = "IDEMPOTENCY_IN_PROGRESS"


class VersionConflict(DomainError):
    """The thing has another version than the caller read; with its kind and id, where it is one that can be read."""

    kind = ErrorKind.VERSION_CONFLICT
    reason = "VERSION_CONFLICT"

    def __init__(self, *, expected: int, actual: int, kind: str = "", id: object = "") -> None:  # noqa: A002 - its name everywhere
        whose = {"aggregate_type": kind, "aggregate_id": str(id)} if kind else {}
        super().__init__(
            f"this was changed in the meantime: you had read version {expected}, it is now version {actual}; "
            "read it again and repeat your change",
            expected=str(expected),
            actual=str(actual),
            **whose,
        )


class Forbidden(PermissionDenied):
    """The caller is known and may not do this."""

    reason = "FORBIDDEN"

    def __init__(self, message: str = "you are not allowed to do this; ask an admin", **metadata: str) -> None:
        super().__init__(message, **metadata)


class Unauthenticated(DomainError):
    """No valid token came with the call. The message never holds a token."""

    kind = ErrorKind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"

    def __init__(self, message: str = "log in again", **metadata: str) -> None:
        super().__init__(message, **metadata)


class Unavailable(DomainError):
    """A dependency cannot be reached."""

    kind = ErrorKind.UNAVAILABLE
    reason = "UNAVAILABLE"

    def __init__(self, message: str = "", *, dependency: str) -> None:
        super().__init__(message or f"{dependency} cannot be reached; try again in a moment", dependency=dependency)


class Overloaded(Exhausted):
    """No more work is taken just now."""

    reason = "OVERLOADED"

    def __init__(self, message: str = "", *, retry_after_seconds: int) -> None:
        super().__init__(
            message or f"too much work just now; try again in {retry_after_seconds} s",
            retry_after_seconds=str(retry_after_seconds),
        )


class DeadlineExceeded(DomainError):
    """The time that the caller gave is over."""

    kind = ErrorKind.DEADLINE
    reason = "DEADLINE_EXCEEDED"

    def __init__(self, message: str = "the answer took too long; try again", **metadata: str) -> None:
        super().__init__(message, **metadata)


class Internal(DomainError):
    """A defect of ours."""

    kind = ErrorKind.INTERNAL
    reason = "INTERNAL"

    def __init__(
        self, message: str = "something broke on our side; the trace id finds the details", **metadata: str
    ) -> None:
        super().__init__(message, **metadata)


class RemoteError(DomainError):
    """What another service answered, word for word; kind and reason are its, so the error passes through unchanged."""

    def __init__(self, kind: ErrorKind, reason: str, message: str, metadata: dict[str, str]) -> None:
        super().__init__(message)
        self.metadata = metadata
        # Class variables everywhere else: only here do they belong to one instance.
        vars(self).update(kind=kind, reason=reason)


class HistoryNotFound(NotFound):
    """There is no history of such a thing for this caller, or none at this version or time."""

    reason = "HISTORY_NOT_FOUND"


class HistoryBroken(DomainError):
    """The stored history does not hold together: a row was changed, dropped or added behind our back."""

    kind = ErrorKind.INTERNAL
    reason = "HISTORY_BROKEN"


class DeadLetterNotFound(NotFound):
    """No dead letter of this service has this id."""

    reason = "DEAD_LETTER_NOT_FOUND"
