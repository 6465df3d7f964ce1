"""From a service's refusal to the union member that a client reads.

Resolvers have no `try`: every mutation's result union holds the errors that it can end in, and `RefusalHandler` turns
the refusal into that member. What is in no union (not logged in, a service away, a defect) stays a top-level error.
"""

from typing import Any, TypeAlias

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion
from strawberry.utils.str_converters import to_camel_case

from chassis.errors import DomainError, ErrorKind
from chassis.errors import IdempotencyKeyReused as KeyReused
from gateway.graph import edges


@strawberry.interface
class UserError:
    """Something that the caller can put right. End every mutation with `... on UserError { code message }`."""

    code: str
    """Stable name of the error, for programs: a name of the ErrorReason list."""
    message: str
    """What to do, for people."""


@strawberry.type
class InvalidField:
    """One field of the input that cannot stay as it is."""

    path: str
    """Where it is in the input, such as `expectedVersion`."""
    message: str
    """What is wrong with it."""


@strawberry.type
class ValidationError(UserError):
    """The input can never succeed as it is."""

    fields: list[InvalidField]
    """The fields to change; empty when the error is about the input as a whole."""


@strawberry.type
class NotFoundError(UserError):
    """The thing does not exist, or the caller may not see it."""

    fields: list[InvalidField]
    """The fields that name what is not there; empty when it is the thing itself."""


@strawberry.type
class ConflictError(UserError):
    """The present state forbids the change."""

    fields: list[InvalidField]
    """The fields that are in the way; empty when it is the state of the thing."""


@strawberry.type
class VersionConflict(UserError):
    """Somebody changed the thing since it was read, and nothing was written: decide again on what it is now."""

    expected: int
    """The version that the caller had read."""
    actual: int
    """The version that it has now."""
    aggregate_type: strawberry.Private[str]
    aggregate_id: strawberry.Private[str]
    current = strawberry.field(
        resolver=edges.conflict_current,
        description="The thing as it is now, for this caller: null when it may not be seen, or is of a sort that "
        "cannot be read by its id.",
    )
    changes_since = strawberry.field(
        resolver=edges.conflict_changes_since,
        description="What happened to it since, oldest first, at most 50 changes; null where `current` is.",
    )


@strawberry.type
class VersionConflictError(UserError):
    """The former name of VersionConflict. Nothing is answered with it: documents that name it stay valid, no more."""

    expected: int
    """The version that the caller had read."""
    actual: int
    """The version that it has now."""


@strawberry.type
class IdempotencyKeyReused(UserError):
    """The idempotency key came before with other arguments, and nothing was written: send a new key with new ones."""


@strawberry.type
class IdempotencyInProgress(UserError):
    """The first request with this idempotency key is still running: wait, and repeat it with the same key."""

    retry_after_seconds: int
    """How long to wait."""


@strawberry.type
class ForbiddenError(UserError):
    """The caller is known and may not do this."""


@strawberry.type
class AuthenticationError(UserError):
    """The credentials were not accepted."""


@strawberry.type
class RateLimitedError(UserError):
    """Too many attempts: wait."""

    retry_after_seconds: int
    """How long to wait."""


WriteRefusal: TypeAlias = ValidationError | ConflictError | IdempotencyKeyReused | IdempotencyInProgress
"""How any write can be refused."""
ChangeRefusal: TypeAlias = WriteRefusal | NotFoundError | VersionConflict | VersionConflictError | ForbiddenError
"""How the change of an existing thing can be refused."""

RETRY_SECONDS = 1
"""Told where a service does not say how long to wait."""

_INPUT_NAMES = {"repository_name": "repository", "version_name": "version", "bucket_count": "buckets"}
"""Fields that have another name in the graph than at the service."""


def path_in_graph(field: str) -> str:
    """A field's path as the graph's clients write it."""
    path = ".".join(_INPUT_NAMES.get(part, to_camel_case(part)) for part in field.split("."))
    return path.removeprefix("option.")


def _fields(error: DomainError) -> list[InvalidField]:
    path = path_in_graph(error.metadata.get("field", ""))
    return [InvalidField(path=path, message=error.message)] if path else []


_NAMED: dict[str, type[UserError]] = {
    ErrorKind.FORBIDDEN: ForbiddenError,
    ErrorKind.UNAUTHENTICATED: AuthenticationError,
    KeyReused.reason: IdempotencyKeyReused,
}
"""Kinds and reasons that say nothing but their code and message."""
_ABOUT_FIELDS = {
    ErrorKind.INVALID: ValidationError,
    ErrorKind.EXHAUSTED: ValidationError,
    ErrorKind.NOT_FOUND: NotFoundError,
    ErrorKind.CONFLICT: ConflictError,
}
"""Kinds that say which fields they are about."""


def user_error(error: DomainError) -> UserError | None:
    """The union member for a refusal; None for what no client can put right by changing its input."""
    code, message, metadata = error.reason, error.message, error.metadata
    named = _NAMED.get(error.reason) or _NAMED.get(error.kind)
    if named is not None:
        return named(code=code, message=message)
    if error.kind is ErrorKind.VERSION_CONFLICT:
        return VersionConflict(
            code=code,
            message=message,
            expected=int(metadata["expected"]),
            actual=int(metadata["actual"]),
            aggregate_type=metadata.get("aggregate_type", ""),
            aggregate_id=metadata.get("aggregate_id", ""),
        )
    seconds = metadata.get("retry_after_seconds")
    if error.kind is ErrorKind.IN_PROGRESS:
        return IdempotencyInProgress(code=code, message=message, retry_after_seconds=int(seconds or RETRY_SECONDS))
    if error.kind is ErrorKind.EXHAUSTED and seconds is not None:
        return RateLimitedError(code=code, message=message, retry_after_seconds=int(seconds))
    if error.kind in _ABOUT_FIELDS:
        return _ABOUT_FIELDS[error.kind](code=code, message=message, fields=_fields(error))
    return None


class RefusalHandler(strawberry.ExceptionHandler[DomainError, ValidationError]):
    """Turns refusals into union members. Every result union holds ValidationError, so the handler sees them all."""

    def handle(self, exception: DomainError, *, field: StrawberryField, info: strawberry.Info) -> Any:
        """The member for the refusal, or None when the field's union does not hold it."""
        del info
        error = user_error(exception)
        union = field.type
        members = union.types if isinstance(union, StrawberryUnion) else ()
        return error if error is not None and type(error) in members else None
