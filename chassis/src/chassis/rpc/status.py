"""Errors on the wire: a DomainError as a gRPC status with google.rpc.ErrorInfo, and back."""

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis.errors import (
    DeadlineExceeded,
    DomainError,
    ErrorKind,
    Forbidden,
    Internal,
    InvalidArgument,
    RemoteError,
    Unauthenticated,
    Unavailable,
)
from chassis.rpc.keys import TRACE_ID_KEY

STATUS_DETAILS_KEY = "grpc-status-details-bin"

CODES = {
    ErrorKind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorKind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorKind.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorKind.VERSION_CONFLICT: grpc.StatusCode.ABORTED,
    ErrorKind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    ErrorKind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorKind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorKind.IN_PROGRESS: grpc.StatusCode.ABORTED,
    ErrorKind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorKind.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    ErrorKind.INTERNAL: grpc.StatusCode.INTERNAL,
}

# What a code means where the peer sent no ErrorInfo: gRPC itself refused, or a proxy did.
_WITHOUT_DETAILS = {
    grpc.StatusCode.INVALID_ARGUMENT: (ErrorKind.INVALID, InvalidArgument.reason),
    grpc.StatusCode.OUT_OF_RANGE: (ErrorKind.INVALID, InvalidArgument.reason),
    grpc.StatusCode.PERMISSION_DENIED: (ErrorKind.FORBIDDEN, Forbidden.reason),
    grpc.StatusCode.UNAUTHENTICATED: (ErrorKind.UNAUTHENTICATED, Unauthenticated.reason),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (ErrorKind.EXHAUSTED, "OVERLOADED"),
}

# gRPC's words for a message over the limit, its own or the peer's; its code is that of a peer with too much to do.
_OVER_THE_LIMIT = "message larger than max"


def trailing_metadata(error: DomainError, *, domain: str, trace_id: str) -> tuple[tuple[str, str | bytes], ...]:
    """What goes after the answer: the error's name and particulars, and the trace id."""
    details = status_pb2.Status(code=CODES[error.kind].value[0], message=error.message)
    details.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=domain, metadata=error.metadata))
    if error.kind is ErrorKind.EXHAUSTED and "retry_after_seconds" in error.metadata:
        retry_info = error_details_pb2.RetryInfo()
        retry_info.retry_delay.FromSeconds(int(error.metadata["retry_after_seconds"]))
        details.details.add().Pack(retry_info)
    return ((STATUS_DETAILS_KEY, details.SerializeToString()), (TRACE_ID_KEY, trace_id))


def from_rpc_error(error: grpc.aio.AioRpcError, *, audience: str) -> DomainError:
    """The error that the service `audience`, or gRPC on the way to it, meant."""
    code = error.code()
    info = _error_info(error)
    metadata = dict(info.metadata) if info else {}
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        return Unavailable(error.details() or "" if info else "", dependency=metadata.get("dependency", audience))
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded(f"{audience} took too long to answer; try again", dependency=audience)
    if info is not None:
        return RemoteError(_kind(code, info.reason), info.reason, error.details() or "", metadata)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _OVER_THE_LIMIT in (error.details() or ""):
        return RemoteError(
            ErrorKind.INVALID,
            InvalidArgument.reason,
            "question or answer is larger than one message may be; ask for less at once",
            {"dependency": audience},
        )
    kind, reason = _WITHOUT_DETAILS.get(code, (ErrorKind.INTERNAL, Internal.reason))
    message = Internal().message if kind is ErrorKind.INTERNAL else error.details() or ""
    return RemoteError(kind, reason, message, {"dependency": audience})


def is_unanswered(error: grpc.aio.AioRpcError) -> bool:
    """Whether gRPC itself says that nobody answered, as opposed to a service that says what it cannot reach."""
    # CANCELLED is what a call gets that comes in the moment in which a draining server closes its doors.
    return error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED} and _error_info(error) is None


def _error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo | None:
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # details that contradict the status: not written by us
        return None
    info = error_details_pb2.ErrorInfo()
    if status is None or not any(detail.Unpack(info) for detail in status.details):
        return None
    return info


def _kind(code: grpc.StatusCode, reason: str) -> ErrorKind:
    if code is grpc.StatusCode.ABORTED:  # the one code that two kinds share
        return ErrorKind.IN_PROGRESS if reason == "IDEMPOTENCY_IN_PROGRESS" else ErrorKind.VERSION_CONFLICT
    return next((kind for kind, of_kind in CODES.items() if of_kind is code), ErrorKind.INTERNAL)
