"""What tests of the history of tickets share: a wish for a ticket, and what is stored of it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from services.tickets.tests.factories import ADMIN

from chassis.db import Database
from chassis.history.chain import Row
from chassis.history.tables import changes
from tickets_service import queries
from tickets_service.commands import CreateTicket
from tickets_service.domain import Ticket
from tickets_service.values import Audience, Reporter

SECRET = "Ada was shouted at"
REPORTER = Reporter(external_name="Ada Lovelace", external_email="ada@example.org")
Opened = Callable[[UUID], Awaitable[dict[str, Any]]]
Erase = Callable[[str], Awaitable[int]]


async def rows_of(database: Database, ticket_id: UUID) -> list[Row]:
    async with database.read() as tx:
        return await changes(tx, "ticket", ticket_id, after=0)


async def stored(database: Database, ticket_id: UUID) -> Ticket:
    async with database.read() as tx:
        return await queries.get_ticket(ticket_id, ADMIN, tx)


def wish(**changes: Any) -> CreateTicket:
    values: dict[str, Any] = {
        "title": "Checkout is down", "description": "502", "reporter": REPORTER, "source": "web",
        "external_reference": "", "service": "shop", "audience": Audience.GENERAL, "values": {}, "log_ids": (),
    }  # fmt: skip
    return CreateTicket(**(values | changes))
