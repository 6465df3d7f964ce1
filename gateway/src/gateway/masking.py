"""What an error may say to the outside: the same on every transport.

A refusal says its reason and its message, which was written for people. A mistake in the document says where it is, but
does not echo values. Anything else is a defect of ours: it is logged once, and the client gets the trace id.
"""

import logging
import re
from collections.abc import Iterable

from graphql import GraphQLError, GraphQLSyntaxError

from chassis.errors import DomainError, ErrorKind, Internal
from chassis.telemetry import current_trace_id
from gateway.graph.errors import path_in_graph

logger = logging.getLogger(__name__)

FOR_OPERATORS = {
    ErrorKind.UNAVAILABLE: "a part of the system cannot be reached just now; try again in a moment",
    ErrorKind.DEADLINE: "a part of the system took too long to answer; try again",
    ErrorKind.INTERNAL: Internal().message,
}
"""Kinds whose own message is about our insides."""

_FIGURES = frozenset({"cost", "limit"})
"""Extensions of our own refusals that clients may use."""

_ECHOES = (
    (re.compile(r"[,;.]? ?[Ff]ound: .*$", re.DOTALL), "."),
    (re.compile(r"(cannot represent [^:]*): .*$", re.DOTALL), r"\1."),
    (re.compile(r"Value '.*' does not exist", re.DOTALL), "The value does not exist"),
    (re.compile(r"(Name|Int|Float|String|BlockString) ['\"].*['\"]", re.DOTALL), r"\1"),
)
"""Where the library repeats a value that was sent: it may be a password, and errors end up in logs."""


def present_all(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """The errors of one answer as the client may see them; what many fields share is logged once."""
    told: set[int] = set()
    presented = []
    for error in errors:
        presented.append(present(error, log=id(error.original_error) not in told))
        told.add(id(error.original_error))
    return presented


def present(error: GraphQLError, *, log: bool = True) -> GraphQLError:
    """The error as the client may see it."""
    original = error.original_error
    if isinstance(original, DomainError):
        return _refusal(error, original, log=log)
    # A scalar that cannot be read is found by validation: it has a place in the document and no path in the answer.
    unreadable = isinstance(original, ValueError) and error.path is None and error.nodes
    if original is None or isinstance(original, GraphQLError) or unreadable:
        return _mistake(error)
    return _defect(error, original)


def _refusal(error: GraphQLError, refusal: DomainError, *, log: bool) -> GraphQLError:
    masked = FOR_OPERATORS.get(refusal.kind)
    if log and refusal.kind is ErrorKind.INTERNAL:
        logger.error("a service failed", extra={"code": refusal.reason, "path": _path(error)})
    metadata = {} if masked else dict(refusal.metadata)
    if "field" in metadata:
        metadata["field"] = path_in_graph(metadata["field"])
    return _outward(error, masked or refusal.message, refusal.reason, metadata)


def _mistake(error: GraphQLError) -> GraphQLError:
    code = "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
    given = (error.extensions or {}).get("code")
    message = error.message
    for echo, instead in _ECHOES:
        message = echo.sub(instead, message)
    presented = _outward(error, message, str(given or code), {})
    told = {name: value for name, value in (error.extensions or {}).items() if name in _FIGURES}
    presented.extensions = {**(presented.extensions or {}), **told}
    return presented


def _defect(error: GraphQLError, original: Exception) -> GraphQLError:
    logger.error("a resolver failed", exc_info=original, extra={"path": _path(error)})
    return _outward(error, Internal().message, Internal.reason, {})


def _outward(error: GraphQLError, message: str, code: str, metadata: dict[str, str]) -> GraphQLError:
    return GraphQLError(
        message,
        error.nodes,
        error.source,
        error.positions,
        error.path,
        extensions={"code": code, "traceId": current_trace_id(), **({"metadata": metadata} if metadata else {})},
    )


def _path(error: GraphQLError) -> str:
    return ".".join(map(str, error.path or ()))
