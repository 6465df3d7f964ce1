"""POST /v1/logs/upload: a file becomes a log, handed on as it arrives and never written to disk.

curl --data-binary @app.log -H "Authorization: Bearer $TOKEN" "$URL/v1/logs/upload?name=app.log&timezone=Europe/Berlin"
"""

import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response

from aiops.logs.v1 import log_pb2
from aiops.logs.v1 import logs_service_pb2 as pb
from chassis.errors import DomainError, InvalidInput, Unauthenticated
from chassis.identity import Call, acting_as
from chassis.resilience.limiter import Limiter
from chassis.telemetry import current_trace_id
from gateway.auth import Authenticator
from gateway.clients.logs import LogsCalls
from gateway.context import Caller
from gateway.doors.problem import problem
from gateway.rates import DOOR_COST, Rates
from gateway.services import Services
from gateway.transports.body import bounded, gunzip, refuse_announced

logger = logging.getLogger(__name__)

MAX_LOG_BYTES = 52_428_800
PIECE_BYTES = 262_144


class ContentUnsupported(InvalidInput):
    """The body is packed in a way that this door does not open."""

    reason = "CONTENT_UNSUPPORTED"


class UploadDoor:
    """Takes files from people and machines."""

    def __init__(self, services: Services, authenticator: Authenticator, places: Limiter, rates: Rates) -> None:
        self._services = services
        self._authenticator = authenticator
        self._places = places
        self._rates = rates

    async def post(self, request: Request) -> Response:
        """Store the body as a log: 202 and the log, whose summary follows."""
        try:
            log = await self._store(request)
            logger.info("upload stored", extra={"log_id": log.id, "byte_count": log.byte_count})
            return _accepted(log)
        except DomainError as error:
            logger.info("upload refused", extra={"code": error.reason})
            return problem(error)

    async def _store(self, request: Request) -> log_pb2.Log:
        proof = await self._authenticator.authenticate(request.headers.get("authorization"))
        if proof is None:
            raise Unauthenticated("send an access token or an API token with scope logs:write as a bearer token")
        self._rates.take(Caller(proof.viewer), DOOR_COST)
        messages = _messages(_header(request), _pieces(request))
        async with self._places.place():
            with acting_as(Call("client", proof.viewer, proof.token, "UploadLog", path="door /v1/logs/upload")):
                return await LogsCalls(self._services.logs_client, self._services.logs).upload(messages)


def _header(request: Request) -> pb.UploadLogHeader:
    """Name, service and timezone from the query, or from headers where a sender can set nothing else."""

    def given(name: str) -> str:
        return request.query_params.get(name) or request.headers.get(f"x-aiops-{name}", "")

    return pb.UploadLogHeader(
        idempotency_key=request.headers.get("idempotency-key") or str(uuid4()),
        name=given("name"),
        service=given("service"),
        timezone=given("timezone"),
    )


async def _messages(header: pb.UploadLogHeader, pieces: AsyncIterator[bytes]) -> AsyncIterator[pb.UploadLogRequest]:
    yield pb.UploadLogRequest(header=header)
    async for piece in pieces:
        for start in range(0, len(piece), PIECE_BYTES):
            yield pb.UploadLogRequest(chunk=piece[start : start + PIECE_BYTES])


def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The decompressed body.

    Raises:
        ContentUnsupported: it is packed in a way that this door does not open.
        BodyTooLarge: it announces too much.
    """
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise ContentUnsupported("send the file as it is, not as a form: curl --data-binary @FILE")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise ContentUnsupported("Content-Encoding may be gzip or nothing")
    refuse_announced(request, MAX_LOG_BYTES)
    body = bounded(request.stream(), MAX_LOG_BYTES)
    return body if encoding == "identity" else bounded(gunzip(body, PIECE_BYTES), MAX_LOG_BYTES)


def _accepted(log: log_pb2.Log) -> Response:
    body: dict[str, Any] = {
        "log": {
            "id": log.id,
            "version": log.version,
            "name": log.name,
            "service": log.service or None,
            "state": log_pb2.LogState.Name(log.state).removeprefix("LOG_STATE_"),
            "status": log_pb2.LogStatus.Name(log.status).removeprefix("LOG_STATUS_"),
            "record_count": log.record_count,
            "line_count": log.line_count,
            "byte_count": log.byte_count,
            "created_at": log.created_at.ToJsonString(),
        },
        "trace_id": current_trace_id(),
    }
    return Response(orjson.dumps(body), 202, media_type="application/json")
