"""What of tickets is noted in the audit: who saw a matter for hr or a reporter's address, on every way to it."""

from typing import Any

import pytest
from services.tickets.tests.factories import Call, Store
from sqlalchemy import select

from aiops.common.v1.page_pb2 import PageRequest
from aiops.history.v1 import history_service_pb2 as history
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceStub
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.audit import audit_trail
from chassis.db import Database
from chassis.rpc.client import Client
from chassis.testing.harness import Installation
from tickets_service.values import Audience, Reporter

PAGE = PageRequest(first=50)
LIST = pb.ListTicketsRequest(page=PAGE)
BY_EMAIL = Reporter(external_name="Ada", external_email="ada@example.com")


async def noted(database: Database, kind: str = "") -> list[tuple[str, str, list[Any]]]:
    statement = select(audit_trail).order_by(audit_trail.c.id)
    async with database.read() as tx:
        rows = await tx.fetch_all(statement.where(audit_trail.c.kind == kind) if kind else statement)
    return [(row.kind, row.operation, sorted(row.subject_ids)) for row in rows]


async def test_one_row_names_all_matters_for_hr_of_an_answer(
    ask: Call, store: Store, database: Database, installation: Installation
) -> None:
    hidden = await store(audience=Audience.PEOPLE)
    suspected = await store(people_suspected=True)
    await store()

    with installation.as_viewer("hr"):
        await ask("ListTickets", LIST)

    assert await noted(database, "people_ticket.seen") == [
        ("people_ticket.seen", "ListTickets", sorted([hidden.id, suspected.id]))
    ]


async def test_every_other_way_to_one_is_noted_as_well(
    ask: Call, client: Client, store: Store, database: Database, installation: Installation
) -> None:
    hidden = await store(comments=[("Please ring.", False)], audience=Audience.PEOPLE)
    id_ = str(hidden.id)

    with installation.as_viewer("hr"):
        await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[id_]))
        await ask("BatchListTicketComments", pb.BatchListTicketCommentsRequest(ticket_ids=[id_], first=5))
        past: Any = HistoryServiceStub(client.channel)
        await client.call(past.ListChanges, history.ListChangesRequest(kind="ticket", id=id_, page=PAGE))

    assert await noted(database) == [
        ("people_ticket.seen", "BatchGetTickets", [hidden.id]),
        ("people_ticket.comments_seen", "BatchListTicketComments", [hidden.id]),
        ("people_ticket.history_seen", "ListChanges", [hidden.id]),
    ]


@pytest.mark.parametrize("role", ["ops", "admin"])
async def test_what_everybody_sees_is_not_noted(
    ask: Call, store: Store, database: Database, installation: Installation, role: str
) -> None:
    ticket = await store(comments=[("Please ring.", False)])

    with installation.as_viewer(role):
        await ask("ListTickets", LIST)
        await ask("BatchListTicketComments", pb.BatchListTicketCommentsRequest(ticket_ids=[str(ticket.id)], first=5))

    assert await noted(database) == []


@pytest.mark.parametrize(("role", "rows"), [("ops", 0), ("admin", 1)])
async def test_who_saw_the_address_of_a_reporter_is_noted(
    ask: Call, store: Store, database: Database, installation: Installation, role: str, rows: int
) -> None:
    ticket = await store(reporter=BY_EMAIL)

    with installation.as_viewer(role):
        await ask("ListTickets", LIST)

    assert await noted(database) == [("reporter_email.seen", "ListTickets", [ticket.id])] * rows


async def test_a_change_of_the_audience_is_noted(
    ask: Call, store: Store, database: Database, installation: Installation
) -> None:
    ticket = await store()
    change = pb.UpdateTicketAudienceRequest(
        idempotency_key="key-0000000000000001",
        ticket_id=str(ticket.id),
        expected_version=ticket.version,
        audience=ticket_pb.TICKET_AUDIENCE_PEOPLE,
    )

    with installation.as_viewer("admin"):
        await ask("UpdateTicketAudience", change)

    assert await noted(database, "ticket.audience_changed") == [
        ("ticket.audience_changed", "UpdateTicketAudience", [ticket.id])
    ]
