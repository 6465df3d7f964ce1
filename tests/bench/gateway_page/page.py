"""The page that is measured: 20 tickets, each with the person who reported it and three logs; three RPCs."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiops.auth.v1 import auth_service_pb2, user_pb2
from aiops.common.v1.actor_pb2 import ACTOR_KIND_USER, Actor
from aiops.common.v1.page_pb2 import PageInfo
from aiops.logs.v1 import log_pb2, logs_service_pb2
from aiops.tickets.v1 import ticket_pb2, tickets_service_pb2

PAGE_SIZE = 20
LOGS_PER_TICKET = 3
PEOPLE = 7

QUERY = """
query Page {
  tickets(first: 20) {
    nodes {
      id version title service status category priority team commentCount createdAt
      reporter { user { id displayName role } }
      logs { id name service source state status severity recordCount patternCount createdAt }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def an_id(number: int) -> str:
    return str(UUID(int=(0x0198C0DE << 96) | (0x7000 << 64) | (0x8 << 60) | number))


def tickets() -> tickets_service_pb2.ListTicketsResponse:
    rows = [
        ticket_pb2.Ticket(
            id=an_id(number),
            version=4,
            title=f"Checkout refuses card payments since {number} o'clock",
            message="Every third payment ends with a time-out; the provider says that it sees nothing of us.",
            reporter=ticket_pb2.Reporter(user_id=an_id(1000 + number % PEOPLE)),
            service="checkout",
            audience=ticket_pb2.TICKET_AUDIENCE_GENERAL,
            status=ticket_pb2.TICKET_STATUS_IN_PROGRESS,
            triage_state=ticket_pb2.TRIAGE_STATE_TRIAGED,
            category="incident",
            priority="high",
            team="payments",
            log_ids=[an_id(2000 + number * LOGS_PER_TICKET + each) for each in range(LOGS_PER_TICKET)],
            comment_count=number,
            created_by=Actor(kind=ACTOR_KIND_USER, id=an_id(1000)),
        )
        for number in range(PAGE_SIZE)
    ]
    for row in rows:
        row.created_at.FromDatetime(NOON)
        row.updated_at.FromDatetime(NOON)
    cursors = [f"c{number}" for number in range(PAGE_SIZE)]
    return tickets_service_pb2.ListTicketsResponse(
        tickets=rows, cursors=cursors, page_info=PageInfo(has_next_page=True, end_cursor=cursors[-1])
    )


def people() -> auth_service_pb2.BatchGetUsersResponse:
    return auth_service_pb2.BatchGetUsersResponse(
        users=[
            user_pb2.User(
                id=an_id(1000 + number),
                version=1,
                display_name=f"Person {number}",
                role=user_pb2.ROLE_OPS,
                status=user_pb2.USER_STATUS_ACTIVE,
            )
            for number in range(PEOPLE)
        ]
    )


def logs() -> logs_service_pb2.BatchGetLogsResponse:
    rows = [
        log_pb2.Log(
            id=an_id(2000 + number),
            version=3,
            name=f"checkout-{number}.log",
            service="checkout",
            source=log_pb2.LOG_SOURCE_UPLOAD,
            state=log_pb2.LOG_STATE_SUMMARIZED,
            status=log_pb2.LOG_STATUS_OPEN,
            severity=log_pb2.SEVERITY_ERROR,
            record_count=2000 + number,
            pattern_count=34,
            created_by=Actor(kind=ACTOR_KIND_USER, id=an_id(1000)),
        )
        for number in range(PAGE_SIZE * LOGS_PER_TICKET)
    ]
    for row in rows:
        row.created_at.FromDatetime(NOON)
    return logs_service_pb2.BatchGetLogsResponse(logs=rows)


def by_hand(
    page: tickets_service_pb2.ListTicketsResponse,
    users: auth_service_pb2.BatchGetUsersResponse,
    found: logs_service_pb2.BatchGetLogsResponse,
) -> dict[str, Any]:
    """The answer's data, as one writes it without a graph."""
    user_by_id = {user.id: user for user in users.users}
    log_by_id = {log.id: _log(log) for log in found.logs}
    nodes = [
        {
            "id": ticket.id,
            "version": ticket.version,
            "title": ticket.title,
            "service": ticket.service or None,
            "status": ticket_pb2.TicketStatus.Name(ticket.status)[14:],
            "category": ticket.category or None,
            "priority": ticket.priority or None,
            "team": ticket.team or None,
            "commentCount": ticket.comment_count,
            "createdAt": ticket.created_at.ToJsonString(),
            "reporter": {"user": _user(user_by_id[ticket.reporter.user_id])},
            "logs": [log_by_id[id_] for id_ in ticket.log_ids],
        }
        for ticket in page.tickets
    ]
    info = {"hasNextPage": page.page_info.has_next_page, "endCursor": page.page_info.end_cursor or None}
    return {"tickets": {"nodes": nodes, "pageInfo": info}}


def _user(user: user_pb2.User) -> dict[str, Any]:
    return {"id": user.id, "displayName": user.display_name, "role": user_pb2.Role.Name(user.role)[5:]}


def _log(log: log_pb2.Log) -> dict[str, Any]:
    return {
        "id": log.id,
        "name": log.name,
        "service": log.service or None,
        "source": log_pb2.LogSource.Name(log.source)[11:],
        "state": log_pb2.LogState.Name(log.state)[10:],
        "status": log_pb2.LogStatus.Name(log.status)[11:],
        "severity": log_pb2.Severity.Name(log.severity)[9:],
        "recordCount": log.record_count,
        "patternCount": log.pattern_count,
        "createdAt": log.created_at.ToJsonString(),
    }
