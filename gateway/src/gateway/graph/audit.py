"""Who saw or changed what is sensitive, as every service keeps it of itself; for admins."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.audit.v1 import audit_service_pb2 as pb
from chassis.errors import DomainError, ErrorKind
from gateway.context import Info
from gateway.graph.actors import Actor
from gateway.graph.operations import ServiceName
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Edge, PageInfo, check_first, page_request

_AWAY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.DEADLINE, ErrorKind.EXHAUSTED, ErrorKind.INTERNAL})
"""What one service says of itself; any other refusal is about the request, and every service says it."""


@strawberry.type
class AuditEvent:
    """Who saw or changed what, when, why and through which path. It is never changed."""

    id: strawberry.ID
    """UUIDv7."""
    service: ServiceName
    """In which service."""
    occurred_at: Timestamp
    """When."""
    kind: str
    """What was done, such as `ticket.revealed`."""
    actor: Actor
    """Who did it."""
    subject_type: str
    """What it was done to, such as `ticket`; empty where it has no id."""
    subject_ids: list[strawberry.ID]
    """Which ones, the first 1,000."""
    operation: str
    """The operation of the service in which it happened."""
    path: str
    """Through what the actor came: the fields of his query, or a door."""
    client_address: str
    """The network that he came from, shortened; empty where it is not kept."""
    reason: str
    """What he gave as reason."""
    trace_id: str
    """Finds the log lines and the trace."""
    detail: str
    """What else belongs to it, as a JSON object."""

    @classmethod
    def of(cls, event: pb.AuditEvent, service: ServiceName) -> "AuditEvent":
        """The event as its service keeps it."""
        return cls(
            id=strawberry.ID(event.id),
            service=service,
            occurred_at=event.occurred_at,
            kind=event.kind,
            actor=Actor.of(event.actor),
            subject_type=event.subject_type,
            subject_ids=[strawberry.ID(id_) for id_ in event.subject_ids],
            operation=event.operation,
            path=event.path,
            client_address=event.client_address,
            reason=event.reason,
            trace_id=event.trace_id,
            detail=event.detail_json,
        )


@strawberry.type
class AuditEventConnection:
    """One page of the audits of all services."""

    edges: list[Edge[AuditEvent]]
    """The events with their cursors."""
    page_info: PageInfo
    """Where the list goes on."""
    unavailable: list[ServiceName]
    """Services that did not answer: their events are missing here."""

    @strawberry.field
    def nodes(self) -> list[AuditEvent]:
        """The events alone."""
        return [edge.node for edge in self.edges]


@dataclass(frozen=True)
class _Answer:
    service: ServiceName
    response: pb.ListAuditEventsResponse | None


@strawberry.type
class AuditQuery:
    """What admins see of who saw what."""

    @strawberry.field
    async def audit_events(
        self,
        info: Info,
        *,
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
        since: Timestamp | None = None,
        until: Timestamp | None = None,
        service: ServiceName | None = None,
        kind: str | None = None,
        actor_id: strawberry.ID | None = None,
        subject_id: strawberry.ID | None = None,
    ) -> AuditEventConnection | None:
        """Who saw or changed what is sensitive, newest first, 1 to 100 a page; for admins. To read it is noted too."""
        check_first(first)
        request = pb.ListAuditEventsRequest(
            page=page_request(first, after),
            since=since,
            until=until,
            kind=kind or "",
            actor_id=actor_id or "",
            subject_id=subject_id or "",
        )
        asked = [service] if service else list(ServiceName)
        answers = await asyncio.gather(*(_ask(info, each, request, alone=len(asked) == 1) for each in asked))
        return _merged(answers, first, after)


async def _ask(info: Info, service: ServiceName, request: pb.ListAuditEventsRequest, *, alone: bool) -> _Answer:
    calls = info.context.audit(service.value)
    try:
        response = await calls.call(calls.rpc.ListAuditEvents, request)
    except DomainError as error:
        if alone or error.kind not in _AWAY:
            raise
        return _Answer(service, None)
    return _Answer(service, response)


def _merged(answers: Sequence[_Answer], first: int, after: str | None) -> AuditEventConnection:
    """One page out of a page of each: all are in one order, and their cursors name a place in it."""
    found = [
        (event.occurred_at.ToNanoseconds(), event.id, cursor, event, answer.service)
        for answer in answers
        if answer.response is not None
        for event, cursor in zip(answer.response.events, answer.response.cursors, strict=True)
    ]
    found.sort(key=lambda each: each[:2], reverse=True)
    edges = [Edge(node=AuditEvent.of(event, service), cursor=cursor) for *_, cursor, event, service in found[:first]]
    more = len(found) > first or any(a.response is not None and a.response.page_info.has_next_page for a in answers)
    info = PageInfo(
        has_next_page=more,
        has_previous_page=bool(after),
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return AuditEventConnection(
        edges=edges, page_info=info, unavailable=[answer.service for answer in answers if answer.response is None]
    )
