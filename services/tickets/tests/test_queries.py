"""Lists, filters and batches, and what they cost: a constant number of statements, whatever is asked for."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from services.tickets.tests.factories import ADMIN, OPS, Store
from sqlalchemy import select
from sqlalchemy import text as sql

from chassis.db import Database, ReadTx
from chassis.ids import uuid7
from chassis.paging import Page, Slice
from chassis.testing.plugin import QueryCounter, ServiceDatabase
from tickets_service import queries
from tickets_service.commands import TicketFilter
from tickets_service.domain import Ticket
from tickets_service.tables import MESSAGE_TEXT, TICKETS
from tickets_service.values import (
    Audience,
    Reporter,
    TicketStatus,
    TriageState,
    Value,
    ValueSource,
)

PERSON = ValueSource.PERSON


@pytest_asyncio.fixture
async def fifty(store: Store) -> list[Ticket]:
    """Fifty tickets with logs, comments and two decisions each."""
    log_ids = [uuid7() for _ in range(3)]
    return [
        await store(
            comments=[("internal", True), ("public", False)],
            decisions=2,
            title=f"Checkout of shop {n} returns errors",
            log_ids=tuple(log_ids),
            internal_comment_count=1,
            public_comment_count=1,
        )
        for n in range(50)
    ]


async def found(database: Database, **wanted: Any) -> list[str]:
    async with database.read() as tx:
        page = await queries.list_tickets(TicketFilter(**wanted), Page(100, ""), ADMIN, tx)
    return [ticket.title for ticket in page.items]


def reads_of(
    ids: Sequence[Any], log_ids: Sequence[Any], *, page: Page
) -> dict[str, Callable[[ReadTx], Awaitable[Any]]]:
    return {
        "BatchGetTickets": lambda tx: queries.batch_get_tickets(ids, OPS, tx),
        "ListTickets": lambda tx: queries.list_tickets(TicketFilter(), page, OPS, tx),
        "BatchListLogTickets": lambda tx: queries.batch_list_log_tickets(log_ids, 50, OPS, tx),
        "BatchListTicketComments": lambda tx: queries.batch_list_comments(ids, 10, None, OPS, tx),
        "BatchListSimilarTickets": lambda tx: queries.batch_list_similar(ids, 5, OPS, tx),
    }


async def test_every_read_of_fifty_is_a_small_constant_number_of_statements(
    fifty: list[Ticket], database: Database, query_counter: QueryCounter
) -> None:
    counts: dict[str, dict[int, int]] = {}
    for size in (1, 50):
        ids = [ticket.id for ticket in fifty[:size]]
        reads = reads_of(ids, fifty[0].log_ids, page=Page(size, ""))
        for name, read in reads.items():
            async with database.read() as tx:
                with query_counter(database) as statements:
                    answer = await read(tx)
                assert len(answer.items if isinstance(answer, Slice) else answer) > 0
            counts.setdefault(name, {})[size] = len(statements)

    assert counts == {
        "BatchGetTickets": {1: 1, 50: 1},
        "ListTickets": {1: 1, 50: 1},
        "BatchListLogTickets": {1: 1, 50: 1},
        "BatchListTicketComments": {1: 1, 50: 1},
        "BatchListSimilarTickets": {1: 6, 50: 6},
    }


async def test_a_list_brings_logs_comment_numbers_and_the_newest_decision(
    fifty: list[Ticket], database: Database
) -> None:
    async with database.read() as tx:
        page = await queries.list_tickets(TicketFilter(), Page(50, ""), OPS, tx)

    assert [ticket.id for ticket in page.items] == [ticket.id for ticket in reversed(fifty)]
    assert not page.has_next_page
    for ticket in page.items:
        assert ticket.triage is not None
        assert ticket.triage.ticket_version == 2
        assert (ticket.log_ids, ticket.public_comment_count, ticket.internal_comment_count) == (fifty[0].log_ids, 1, 1)


async def test_pages_go_on_after_the_cursor(fifty: list[Ticket], database: Database) -> None:
    seen: list[object] = []
    after, sizes = "", []
    async with database.read() as tx:
        for _ in range(3):
            page = await queries.list_tickets(TicketFilter(), Page(20, after), OPS, tx)
            seen += [ticket.id for ticket in page.items]
            sizes.append((len(page.items), page.has_next_page))
            after = page.cursors[-1]

    assert seen == [ticket.id for ticket in reversed(fifty)]
    assert sizes == [(20, True), (20, True), (10, False)]


async def test_each_filter_narrows(store: Store, database: Database) -> None:
    reporter, assignee = uuid7(), uuid7()
    await store(title="plain", description="")
    await store(title="waiting", description="", status=TicketStatus.WAITING)
    await store(title="closed", description="", status=TicketStatus.CLOSED)
    await store(title="bug", description="", category=Value("bug", PERSON), team=Value("development", PERSON))
    await store(title="urgent", description="", priority=Value("urgent", PERSON))
    await store(title="assigned", description="", assignee_id=assignee)
    await store(title="failed", description="", triage_state=TriageState.FAILED, triage_failure="away")
    await store(title="people", description="", audience=Audience.PEOPLE)
    await store(title="suspected", description="", people_suspected=True)
    await store(title="reported", description="", reporter=Reporter(reporter))
    await store(title="service", description="", service="billing")
    await store(title="source", description="", source="csv", external_reference="INC-7")
    everything = await found(database)

    assert len(everything) == 12
    assert await found(database, statuses=(TicketStatus.WAITING, TicketStatus.CLOSED)) == ["closed", "waiting"]
    assert await found(database, categories=("bug", "incident")) == ["bug"]
    assert await found(database, priorities=("urgent",)) == ["urgent"]
    assert await found(database, teams=("development",)) == ["bug"]
    assert await found(database, assignee_id=assignee) == ["assigned"]
    assert await found(database, unassigned=True) == [title for title in everything if title != "assigned"]
    assert await found(database, triage_states=(TriageState.FAILED,)) == ["failed"]
    assert await found(database, audience=Audience.PEOPLE) == ["people"]
    assert await found(database, people_suspected=True) == ["suspected"]
    assert await found(database, reporter_id=reporter) == ["reported"]
    assert await found(database, service="billing") == ["service"]
    assert await found(database, source="csv") == ["source"]
    assert await found(database, source="csv", external_reference="INC-7") == ["source"]
    assert await found(database, source="csv", external_reference="INC-8") == []
    assert await found(database, statuses=(TicketStatus.OPEN,), priorities=("low",)) == []


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("checkout", ["Checkout is down"]),
        ("502 CHECK", ["Checkout is down"]),
        ("payroll", ["Printer"]),
        ("roll-serv", ["Printer"]),
        ("down printer", []),
        ("100%", ["Disk at 100%"]),
        ("at_100", []),
        ("\\", []),
        ("  ", ["Disk at 100%", "Printer", "Checkout is down"]),
    ],
)
async def test_text_finds_all_of_its_words_in_title_or_message(
    store: Store, database: Database, text: str, titles: list[str]
) -> None:
    await store(title="Checkout is down", description="It returns 502.")
    await store(title="Printer", description="The payroll-service cannot print.")
    await store(title="Disk at 100%", description="")

    assert await found(database, text=text) == titles


async def test_text_is_looked_up_in_the_index(database: Database, store: Store) -> None:
    await store()
    async with database.read() as tx:
        await tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        statement = select(TICKETS.c.id).where(MESSAGE_TEXT.ilike("%checkout%"))
        sql = statement.compile(database.engine, compile_kwargs={"literal_binds": True})
        plan = await tx.connection.exec_driver_sql(f"EXPLAIN {sql}")
        lines = "\n".join(row[0] for row in plan)

    assert "ix_tickets_text" in lines


async def test_tickets_of_a_log_are_the_newest_ones(store: Store, database: Database) -> None:
    log_id, other, unused = uuid7(), uuid7(), uuid7()
    tickets = [await store(title=f"{n}", log_ids=(log_id, other) if n == 1 else (log_id,)) for n in range(3)]

    async with database.read() as tx:
        answer = await queries.batch_list_log_tickets([log_id, other, unused], 2, OPS, tx)

    assert {key: [ticket.title for ticket in value] for key, value in answer.items()} == {
        log_id: ["2", "1"], other: ["1"],
    }  # fmt: skip
    assert answer[other][0] == tickets[1]


async def test_tickets_of_a_log_cost_no_look_at_all_the_others(
    store: Store, database: Database, service_database: ServiceDatabase
) -> None:
    log_id = uuid7()
    ticket = await store(log_ids=(log_id,))
    columns = ", ".join(column.name for column in TICKETS.c if column.name not in {"id", "log_ids", "hidden"})
    others = f"SELECT gen_random_uuid(), ARRAY[gen_random_uuid()], {columns} FROM tickets, generate_series(1, 5000)"  # noqa: S608
    read = sql("SELECT seq_tup_read + idx_tup_fetch AS rows FROM pg_stat_xact_user_tables WHERE relname = 'tickets'")
    with psycopg.connect(service_database.owner_url.replace("+psycopg", "")) as connection:
        connection.execute(f"INSERT INTO tickets (id, log_ids, {columns}) {others}")
        connection.execute("ANALYZE tickets")

    async with database.read() as tx:
        answer = await queries.batch_list_log_tickets([log_id], 1, OPS, tx)
        row = await tx.fetch_one(read)

    assert [found.id for found in answer[log_id]] == [ticket.id]
    assert row is not None
    assert row.rows <= 10


async def test_comments_come_oldest_first_and_go_on_after_one(store: Store, database: Database) -> None:
    ticket = await store(comments=[("a", True), ("b", False), ("c", True)])
    silent = await store()

    async with database.read() as tx:
        answer = await queries.batch_list_comments([ticket.id, silent.id, uuid7()], 2, None, OPS, tx)
        (first, second), more = answer[ticket.id]
        rest = await queries.batch_list_comments([ticket.id], 2, second.id, OPS, tx)

    assert ([first.body, second.body], more) == (["a", "b"], True)
    assert answer.keys() == {ticket.id, silent.id}
    assert answer[silent.id] == ([], False)
    assert ([comment.body for comment in rest[ticket.id][0]], rest[ticket.id][1]) == (["c"], False)
