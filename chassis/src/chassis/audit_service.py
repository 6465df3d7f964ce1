"""What every service offers to its admins: who saw or changed what is sensitive in it."""

import ipaddress
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import ColumnElement, Row, and_, select, true, tuple_

from aiops.audit.v1 import audit_service_pb2 as pb
from aiops.audit.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from chassis.audit import Seen, audit_trail
from chassis.db import Database
from chassis.identity import Role
from chassis.ids import parse_id
from chassis.masking import Kind, fields, rows, seen_by, table
from chassis.paging import Slice, decode_cursor, encode_cursor, page_from, page_info
from chassis.policy import allow
from chassis.protos import actor_to_proto, moment_from, moment_to_proto

RULES = {"ListAuditEvents": allow("gateway", roles=(Role.ADMIN,))}
_ADMINS = seen_by(Kind.ADMIN)
TABLE = table(
    fields(
        "aiops.audit.v1",
        {
            "AuditEvent": rows(
                _ADMINS,
                "id occurred_at kind actor subject_type subject_ids operation path client_address reason trace_id "
                "detail_json",
            ),
            "ListAuditEventsResponse": rows(_ADMINS, "events cursors page_info"),
        },
    )
)
"""Beside every service's own."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_BITS = {4: 24, 6: 48}


class AuditServicer:
    """The audit of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, server: grpc.aio.Server) -> None:
        """Answer on this server."""
        add_AuditServiceServicer_to_server(self, server)  # type: ignore[arg-type]  # answers alike, unsubclassed

    async def ListAuditEvents(  # noqa: N802 - the proto's name
        self, request: pb.ListAuditEventsRequest, _context: Any
    ) -> pb.ListAuditEventsResponse:
        """One page, the newest first."""
        page, trail = page_from(request.page), audit_trail.c
        query = select(audit_trail).where(_wanted(request)).order_by(trail.occurred_at.desc(), trail.id.desc())
        if page.after:
            microseconds, last = decode_cursor(page.after, int, UUID)
            before = _EPOCH + timedelta(microseconds=min(abs(microseconds), _LAST_MICROSECOND))
            query = query.where(tuple_(trail.occurred_at, trail.id) < tuple_(before, last))
        async with self._database.read() as tx:
            found = await tx.fetch_all(query.limit(page.first + 1))
        shown = tuple(found[: page.first])
        slice_ = Slice(shown, tuple(_cursor(row) for row in shown), len(found) > page.first)
        return pb.ListAuditEventsResponse(
            events=[_to_proto(row) for row in shown], cursors=slice_.cursors, page_info=page_info(slice_)
        )


def _filter_of(request: pb.ListAuditEventsRequest) -> dict[str, object]:
    return {name: value for name in ("kind", "actor_id", "subject_id") if (value := getattr(request, name))}


SIGHTINGS = {"ListAuditEvents": (Seen("audit.seen", "", lambda *_: (), always=True, detail=_filter_of),)}
"""Whoever reads the audit is in it."""
_LAST_MICROSECOND = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def shortened(address: str) -> str:
    """The network of an address: a /24 or a /48. "" for whatever is none."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((given, _SHOWN_BITS[given.version]), strict=False))


def _wanted(request: pb.ListAuditEventsRequest) -> ColumnElement[bool]:
    trail = audit_trail.c
    conditions: list[ColumnElement[bool]] = [true()]
    if request.HasField("since"):
        conditions.append(trail.occurred_at >= moment_from(request.since, field="since"))
    if request.HasField("until"):
        conditions.append(trail.occurred_at < moment_from(request.until, field="until"))
    if request.kind:
        conditions.append(trail.kind == request.kind)
    if request.actor_id:
        conditions.append(trail.actor_id == request.actor_id)
    if request.subject_id:
        conditions.append(trail.subject_ids.contains([parse_id(request.subject_id, field="subject_id")]))
    return and_(*conditions)


def _cursor(row: Row[Any]) -> str:
    return encode_cursor((row.occurred_at - _EPOCH) // timedelta(microseconds=1), str(row.id))


def _to_proto(row: Row[Any]) -> pb.AuditEvent:
    return pb.AuditEvent(
        id=str(row.id),
        occurred_at=moment_to_proto(row.occurred_at),
        kind=row.kind,
        actor=actor_to_proto(row.actor_kind, row.actor_id),
        subject_type=row.subject_type,
        subject_ids=[str(id_) for id_ in row.subject_ids],
        operation=row.operation,
        path=row.path,
        client_address=shortened(row.client_address),
        reason=row.reason,
        trace_id=row.trace_id,
        detail_json=json.dumps(row.detail, ensure_ascii=False),
    )
