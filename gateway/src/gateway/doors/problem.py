"""Errors of the doors, as RFC 9457 has them."""

import orjson
from starlette.responses import Response

from chassis.errors import DomainError, ErrorKind
from chassis.telemetry import current_trace_id
from gateway.graph.errors import RETRY_SECONDS
from gateway.masking import FOR_OPERATORS

STATUS = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.VERSION_CONFLICT: 409,
    ErrorKind.IN_PROGRESS: 409,
    ErrorKind.EXHAUSTED: 429,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.DEADLINE: 504,
    ErrorKind.INTERNAL: 500,
}
STATUS_BY_REASON = {
    "LOG_TOO_LARGE": 413,
    "LOG_NOT_TEXT": 415,
    "CONTENT_UNSUPPORTED": 415,
    "IDEMPOTENCY_KEY_REUSED": 422,
}


def problem(error: DomainError, *, camel_case: bool = False) -> Response:
    """The refusal as a problem document; `camel_case` for clients whose other names come from the graph."""
    status = STATUS_BY_REASON.get(error.reason) or STATUS[error.kind]
    trace_id, retry_after = ("traceId", "retryAfterSeconds") if camel_case else ("trace_id", "retry_after_seconds")
    body: dict[str, str | int] = {
        "type": "about:blank",
        "title": error.reason.replace("_", " ").capitalize(),
        "status": status,
        "code": error.reason,
        "detail": FOR_OPERATORS.get(error.kind) or error.message,
        trace_id: current_trace_id(),
    }
    headers = {}
    if status == STATUS[ErrorKind.UNAUTHENTICATED]:
        headers["www-authenticate"] = "Bearer"
    seconds = error.metadata.get("retry_after_seconds")
    if error.kind is ErrorKind.IN_PROGRESS:
        seconds = seconds or str(RETRY_SECONDS)
    if seconds is not None:
        headers["retry-after"] = seconds
        body[retry_after] = int(seconds)
    return Response(orjson.dumps(body), status, headers, "application/problem+json")
