"""Two columns for a ticket's text and for its priority: equal whichever is written, before, during and after."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any
from uuid import UUID

import psycopg
import pytest
from services.tickets.tests.factories import ADMIN, KEY, Call, Create, Store, reason_of

from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.db import Database, UnitOfWork
from chassis.ids import uuid7
from chassis.migration_files import all_migrations
from chassis.paging import Page
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase
from tickets_service import queries
from tickets_service.columns import Reading, read_with
from tickets_service.commands import TicketFilter
from tickets_service.domain import Ticket, TicketOption
from tickets_service.store import OptionStore, TicketStore
from tickets_service.values import Audience, OptionKind, PriorityLevel, Value, ValueSource

PERSON = ValueSource.PERSON
Owner = psycopg.Connection[Any]
MIGRATIONS = files("tickets_service") / "migrations"
EQUAL = """
    SELECT count(*) FROM tickets WHERE description IS DISTINCT FROM message
    OR priority_rank IS DISTINCT FROM ticket_priority_rank(priority)
"""


@pytest.fixture
def owner(service_database: ServiceDatabase) -> Iterator[Owner]:
    """The schema's owner, each statement at once; it plays the old process, which writes the old columns."""
    url = service_database.owner_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True, options="-c search_path=tickets,extensions") as connection:
        yield connection


@pytest.fixture
def contracted(owner: Owner, service_database: ServiceDatabase) -> Iterator[None]:
    """The schema without the old columns; they come back after the test."""
    owner.execute((MIGRATIONS / "0006_ticket_description.contract.sql").read_bytes())
    yield
    definition = (MIGRATIONS / "0006_ticket_description.expand.sql").read_text()
    function = definition[definition.index("CREATE FUNCTION sync_ticket_description") :]
    owner.execute("ALTER TABLE tickets ADD COLUMN message text, ADD COLUMN priority text NOT NULL DEFAULT ''")
    owner.execute(
        "UPDATE tickets SET message = description, priority = coalesce(ticket_priority_key(priority_rank), '')"
    )
    owner.execute("ALTER TABLE tickets ALTER COLUMN message SET NOT NULL")
    owner.execute(
        "CREATE INDEX ix_tickets_text ON tickets USING gin ((title || E'\\n' || message) extensions.gin_trgm_ops)"
    )
    owner.execute(function.encode())


async def read(database: Database, ticket_id: UUID) -> Ticket:
    async with database.read() as tx:
        return await queries.get_ticket(ticket_id, ADMIN, tx)


def one(owner: Owner, statement: str) -> Any:
    row = owner.execute(statement.encode()).fetchone()
    assert row is not None
    return row


async def test_what_an_old_process_writes_stands_in_the_new_columns(store: Store, owner: Owner) -> None:
    await store(description="502", priority=Value("high", PERSON))
    inserted = one(owner, "SELECT description, priority_rank FROM tickets")

    owner.execute("UPDATE tickets SET message = 'other', priority = 'urgent'")

    assert inserted == ("502", 3)
    assert one(owner, "SELECT description, priority_rank FROM tickets") == ("other", 4)


async def test_what_a_later_process_writes_stands_in_the_old_columns(store: Store, owner: Owner) -> None:
    await store(description="502", priority=Value("high", PERSON))

    owner.execute("UPDATE tickets SET description = 'other', priority_rank = 1")
    owner.execute("UPDATE tickets SET status = 'WAITING'")

    assert one(owner, "SELECT message, priority FROM tickets") == ("other", "low")
    owner.execute("UPDATE tickets SET priority_rank = NULL, priority_source = 'UNSPECIFIED'")
    assert one(owner, "SELECT priority FROM tickets") == ("",)


@pytest.mark.parametrize("change", ["message = 'a', description = 'b'", "priority = 'low', priority_rank = 4"])
async def test_two_values_in_one_write_are_refused(store: Store, owner: Owner, change: str) -> None:
    await store(priority=Value("high", PERSON))
    before = one(owner, "SELECT message, description, priority, priority_rank FROM tickets")

    with pytest.raises(psycopg.errors.CheckViolation, match="in one write"):
        owner.execute(f"UPDATE tickets SET {change}".encode())  # noqa: S608

    assert one(owner, "SELECT message, description, priority, priority_rank FROM tickets") == before


async def test_rows_of_before_are_filled_by_the_backfill(store: Store, owner: Owner) -> None:
    for priority in ("", "low", "high"):
        await store(priority=Value(priority, PERSON if priority else ValueSource.UNSPECIFIED))
    owner.execute("ALTER TABLE tickets DROP CONSTRAINT ck_tickets_priority_given")
    owner.execute("ALTER TABLE tickets DROP CONSTRAINT ck_tickets_description")
    owner.execute("ALTER TABLE tickets DISABLE TRIGGER sync_ticket_description")
    owner.execute("UPDATE tickets SET description = NULL, priority_rank = NULL")
    owner.execute("ALTER TABLE tickets ENABLE TRIGGER sync_ticket_description")
    (migration,) = [found for found in all_migrations("tickets_service") if found.key == "0006.backfill"]
    batch = migration.batch()
    assert batch is not None

    cursor, rows = batch(owner, "", 2)
    end = batch(owner, cursor, 2)

    assert (rows, end) == (2, ("", 1))
    assert one(owner, EQUAL) == (0,)
    owner.execute("ALTER TABLE tickets ADD CONSTRAINT ck_tickets_description CHECK (description IS NOT NULL)")
    owner.execute(
        "ALTER TABLE tickets ADD CONSTRAINT ck_tickets_priority_given"
        " CHECK ((priority_rank IS NULL) = (priority_source = 'UNSPECIFIED'))"
    )


async def test_tickets_follow_the_level_of_their_priority(
    store: Store, uow: UnitOfWork, database: Database, owner: Owner
) -> None:
    option = TicketOption(uuid7(), 1, OptionKind.PRIORITY, "p1", "P1", "Now.", 5, Audience.GENERAL, archived=False)
    async with uow.begin() as tx:
        await OptionStore(tx).add(option)
    ticket = await store(priority=Value("p1", PERSON))
    first = (await read(database, ticket.id)).priority_level

    async with uow.begin() as tx:
        await OptionStore(tx).save(replace(option, version=2, level=PriorityLevel.URGENT))

    after = await read(database, ticket.id)
    assert (first, after.priority_level, after.priority.key) == (PriorityLevel.NORMAL, PriorityLevel.URGENT, "p1")
    assert one(owner, EQUAL) == (0,)


@pytest.mark.parametrize("is_new", [False, True])
async def test_the_flag_says_which_column_is_believed_and_a_difference_is_counted(
    *, store: Store, database: Database, owner: Owner, is_new: bool
) -> None:
    ticket = await store(description="502", priority=Value("high", PERSON))
    differing: list[str] = []
    read_with(database.engine, Reading(lambda: is_new, differing.append))
    same = await read(database, ticket.id)
    told = list(differing)

    owner.execute("ALTER TABLE tickets DISABLE TRIGGER sync_ticket_description")
    owner.execute("UPDATE tickets SET description = 'other', priority_rank = 1")
    owner.execute("ALTER TABLE tickets ENABLE TRIGGER sync_ticket_description")
    now = await read(database, ticket.id)

    assert (same.description, same.priority_level, told) == ("502", PriorityLevel.HIGH, [])
    assert (now.description, now.priority_level) == (
        ("other", PriorityLevel.LOW) if is_new else ("502", PriorityLevel.HIGH)
    )  # fmt: skip
    assert differing == ["description", "priority_rank"]


@pytest.mark.usefixtures("contracted")
async def test_the_same_code_works_without_the_old_columns(
    create: Create, ask: Call, installation: Installation, uow: UnitOfWork, database: Database
) -> None:
    with installation.as_viewer("admin"):
        created = await create("Checkout", description="It returns 502.", priority="urgent")
        values: dict[str, Any] = {"ticket_id": created.id}
        changed = pb.UpdateTicketRequest(
            **values, idempotency_key=KEY, expected_version=1, description="It returns 503.",
            priority_level=ticket_pb.TICKET_PRIORITY_LOW,
        )  # fmt: skip
        updated = (await ask("UpdateTicket", changed)).ticket

    async with database.read() as tx:
        wanted = TicketFilter(text="503 returns", priorities=("low",), priority_levels=(PriorityLevel.LOW,))
        found = await queries.list_tickets(wanted, Page(5, ""), ADMIN, tx)
    async with uow.begin() as tx:
        locked = await TicketStore(tx).get_for_update(UUID(created.id), ADMIN)

    assert (created.priority, created.priority_level) == ("urgent", ticket_pb.TICKET_PRIORITY_URGENT)
    assert (updated.message, updated.description, updated.priority) == ("It returns 503.", "It returns 503.", "low")
    assert [ticket.id for ticket in found.items] == [UUID(created.id)]
    assert (locked.version, locked.description, locked.priority_level) == (2, "It returns 503.", PriorityLevel.LOW)


async def test_a_list_is_ordered_by_urgency_and_narrowed_to_it(
    store: Store, ask: Call, installation: Installation
) -> None:
    titles = ["low", "", "urgent", "high", "urgent"]
    ids = [
        str((await store(title=key or "none", priority=Value(key, PERSON if key else ValueSource.UNSPECIFIED))).id)
        for key in titles
    ]
    request = pb.ListTicketsRequest(order=pb.TICKET_ORDER_MOST_URGENT)
    request.page.first = 2
    pages = []
    with installation.as_viewer("admin"):
        for _ in range(3):
            page = await ask("ListTickets", request)
            pages.append([ids.index(ticket.id) for ticket in page.tickets])
            request.page.after = page.page_info.end_cursor
        other = pb.ListTicketsRequest(page=request.page)
        refused = await reason_of(ask("ListTickets", other))
        levels = pb.TicketFilter(priority_levels=[ticket_pb.TICKET_PRIORITY_LOW, ticket_pb.TICKET_PRIORITY_HIGH])
        narrow = pb.ListTicketsRequest(filter=levels)
        narrow.page.first = 5
        narrowed = [ids.index(ticket.id) for ticket in (await ask("ListTickets", narrow)).tickets]

    assert pages == [[4, 2], [3, 0], [1]]
    assert refused == ("CURSOR_INVALID", {"field": "page.after"})
    assert narrowed == [3, 0]


@pytest.mark.parametrize(
    ("values", "reason", "field"),
    [
        ({"message": "a", "description": "b"}, "INVALID_ARGUMENT", "description"),
        ({"priority": "low", "priority_level": 4}, "INVALID_ARGUMENT", "priority_level"),
        ({"priority_level": 9}, "INVALID_ARGUMENT", "priority_level"),
    ],
)
async def test_old_and_new_fields_of_a_request_must_agree(
    create: Create, installation: Installation, values: dict[str, Any], reason: str, field: str
) -> None:
    with installation.as_viewer("ops"):
        refused, metadata = await reason_of(create("Printer", **values))

    assert (refused, metadata["field"]) == (reason, field)
