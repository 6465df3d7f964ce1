"""GraphQL over HTTP: one operation in a POST of JSON, one JSON answer (https://graphql.github.io/graphql-over-http/)."""

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types.execution import ExecutionResult, PreExecutionError

from chassis.errors import DomainError, ErrorKind, InvalidArgument, Overloaded
from chassis.telemetry import current_trace_id
from gateway.auth import Authenticator
from gateway.context import Caller
from gateway.masking import present
from gateway.operations import Operations
from gateway.rates import RateLimited
from gateway.transports.body import BodyTooLarge, bounded, refuse_announced
from gateway.trusted import Asked

MAX_BODY_BYTES = 1_500_000
"""Room for a pasted log of 1 MB and the escapes of JSON."""

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

TOO_MUCH = frozenset({Overloaded.reason, RateLimited.reason})

STATUS = {
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.EXHAUSTED: 429,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.DEADLINE: 504,
    ErrorKind.INTERNAL: 500,
}


class GraphQLOverHttp:
    """POST /graphql."""

    def __init__(self, operations: Operations, authenticator: Authenticator) -> None:
        self._operations = operations
        self._authenticator = authenticator

    async def post(self, request: Request) -> Response:
        """Answer one operation."""
        media_type = GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("accept", "") else JSON
        # Only this type: a page on another site cannot send it without asking first (CORS), so it cannot forge calls.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            return _answer(_error("send the operation as JSON, with Content-Type: application/json"), 415, media_type)
        try:
            self._operations.refuse_if_hopeless()
            proof = await self._authenticator.authenticate(request.headers.get("authorization"))
            refuse_announced(request, MAX_BODY_BYTES)
            body = b"".join([chunk async for chunk in bounded(request.stream(), MAX_BODY_BYTES)])
            asked, variables, operation_name = _parameters(body)
        except BodyTooLarge:
            message = (
                f"an operation may have at most {MAX_BODY_BYTES:,} bytes; send commits in smaller batches, "
                "and longer logs to POST /v1/logs/upload"
            )
            return _answer(_error(message, "BODY_TOO_LARGE"), 413, media_type)
        except DomainError as error:
            masked = present(GraphQLError(error.message, original_error=error))
            return _answer(_body([masked]), STATUS.get(error.kind, 400), media_type)
        caller = Caller(
            viewer=proof.viewer if proof else None,
            token=proof.token if proof else None,
            address=request.client.host if request.client else "",
            idempotency_key=request.headers.get("idempotency-key"),
            agent=request.headers.get("apollographql-client-name", request.headers.get("user-agent", "")),
        )
        result = await self._operations.execute(asked, variables, operation_name, caller)
        executed = {} if _request_failed(result) else {"data": result.data}
        answer = _answer(_body(result.errors, **executed), _status(result, media_type), media_type)
        answer.headers.update(self._operations.rates.headers(caller))
        return answer


def _parameters(body: bytes) -> tuple[Asked, Mapping[str, Any] | None, str | None]:
    """Document, variables and operation name of a request.

    Raises:
        InvalidArgument: it is no such request.
    """
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument("the body is not valid JSON", field="body") from error
    if isinstance(given, list):
        raise InvalidArgument("batches are not taken; send each operation by itself", field="body")
    if not isinstance(given, dict):
        raise InvalidArgument("the body must be an object with the document as the string `query`", field="query")
    variables, operation_name, extensions = (given.get(key) for key in ("variables", "operationName", "extensions"))
    if not isinstance(variables, dict | None):
        raise InvalidArgument("variables must be an object", field="variables")
    if not isinstance(operation_name, str | None):
        raise InvalidArgument("operationName must be a string", field="operationName")
    if not isinstance(extensions, dict | None):
        raise InvalidArgument("extensions must be an object", field="extensions")
    return Asked.of(given), variables, operation_name


def _request_failed(result: ExecutionResult) -> bool:
    """Whether the errors are about the request, such as its document or variables: nothing was executed."""
    return isinstance(result, PreExecutionError) or (
        result.data is None and bool(result.errors) and all(error.path is None for error in result.errors or ())
    )


def _status(result: ExecutionResult, media_type: str) -> int:
    if result.errors and _overloaded(result.data, result.errors):
        return 429
    if result.data is not None or not result.errors:
        return 200
    if any((error.extensions or {}).get("code") == "UNAUTHENTICATED" for error in result.errors):
        return 401
    # Clients of plain JSON take any 2xx body for GraphQL's answer and no other; the newer media type has no such past.
    return 400 if media_type == GRAPHQL_JSON and _request_failed(result) else 200


def _overloaded(data: Mapping[str, Any] | None, errors: list[GraphQLError]) -> bool:
    """Whether there is nothing in the answer but that too much is going on."""
    nothing = data is None or all(field is None for field in data.values())
    return nothing and all((error.extensions or {}).get("code") in TOO_MUCH for error in errors)


def _retry_after(body: Mapping[str, Any]) -> str:
    """Seconds until it is worth trying again: the longest that an error asks for."""
    asked = (error.get("extensions", {}).get("metadata", {}) for error in body.get("errors", ()))
    return str(max((int(metadata.get("retry_after_seconds", 1)) for metadata in asked), default=1))


def _error(message: str, code: str = "BAD_REQUEST") -> dict[str, Any]:
    return _body([GraphQLError(message, extensions={"code": code, "traceId": current_trace_id()})])


def _body(errors: list[GraphQLError] | None, **executed: Any) -> dict[str, Any]:
    failed = {"errors": [error.formatted for error in errors]} if errors else {}
    return {**failed, **executed, "extensions": {"traceId": current_trace_id()}}


def _answer(body: Mapping[str, Any], status: int, media_type: str) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if status == 401:  # noqa: PLR2004
        headers["www-authenticate"] = "Bearer"
    elif status == 429:  # noqa: PLR2004
        headers["retry-after"] = _retry_after(body)
    return Response(orjson.dumps(body), status, headers, f"{media_type}; charset=utf-8")
