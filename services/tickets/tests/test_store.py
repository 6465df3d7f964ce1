"""What rows hold, who may change them, and that SQL and domain agree on who sees what."""

from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from services.tickets.tests.factories import ADMIN, HR, MACHINE, MOMENT, NOBODY, OPS, decision, make_ticket
from sqlalchemy import select

from chassis.db import Database, UnitOfWork
from chassis.errors import VersionConflict
from chassis.ids import uuid7
from chassis.testing.plugin import ServiceDatabase
from tickets_service import queries
from tickets_service.errors import TicketNotFound
from tickets_service.store import TicketStore, visible_to, works_on
from tickets_service.tables import TICKETS
from tickets_service.values import (
    Audience,
    PriorityLevel,
    Reporter,
    TicketStatus,
    TriageState,
    Value,
    ValueSource,
    Watcher,
)

MYSELF = Watcher("service", "tickets")
WATCHERS = [ADMIN, OPS, HR, NOBODY, MACHINE, MYSELF]


async def test_a_ticket_comes_back_as_it_was_stored(uow: UnitOfWork, database: Database) -> None:
    older = decision()
    given = decision(people_suspected=True, people_confidence=0.5, kept=("team",))
    ticket = make_ticket(
        version=7, reporter=Reporter(None, "Ada", "ada@example.com"), external_reference="INC-7",
        audience=Audience.PEOPLE,
        people_suspected=True, audience_decided=True, status=TicketStatus.WAITING, triage_state=TriageState.FAILED,
        triage_failure="away", category=Value("bug", ValueSource.TRIAGE), priority=Value("low", ValueSource.PERSON),
        priority_level=PriorityLevel.LOW, assignee_id=uuid7(), log_ids=(uuid7(), uuid7()), public_comment_count=2,
        internal_comment_count=3, triage=given,
    )  # fmt: skip

    async with uow.begin() as tx:
        await TicketStore(tx).add(ticket)
        await TicketStore(tx).add_decision(ticket.id, older)
        await TicketStore(tx).add_decision(ticket.id, given)
    async with database.read() as tx:
        read = await queries.get_ticket(ticket.id, ADMIN, tx)

    assert read == ticket


async def test_a_save_over_another_version_writes_nothing(uow: UnitOfWork, database: Database) -> None:
    ticket = make_ticket()
    async with uow.begin() as tx:
        await TicketStore(tx).add(ticket)

    with pytest.raises(VersionConflict):
        async with uow.begin() as tx:
            await TicketStore(tx).save(replace(ticket, version=3, title="new"), expected_version=2)

    async with database.read() as tx:
        assert await queries.get_ticket(ticket.id, ADMIN, tx) == ticket


@pytest.mark.parametrize("watcher", WATCHERS, ids=lambda watcher: watcher.role or watcher.kind)
async def test_sql_and_domain_agree_on_who_sees_and_works_on_what(
    uow: UnitOfWork, database: Database, watcher: Watcher
) -> None:
    reporters = [Reporter(), *(Reporter(UUID(other.id)) for other in (ADMIN, OPS, HR, NOBODY, MACHINE))]
    tickets = [
        make_ticket(id=uuid7(), reporter=reporter, audience=audience, people_suspected=suspected)
        for reporter in reporters
        for audience in Audience
        for suspected in (False, True)
    ]
    async with uow.begin() as tx:
        for ticket in tickets:
            await TicketStore(tx).add(ticket)

    async with database.read() as tx:
        seen = {row.id for row in await tx.fetch_all(select(TICKETS.c.id).where(visible_to(watcher)))}
        worked = {row.id for row in await tx.fetch_all(select(TICKETS.c.id).where(works_on(watcher)))}

    assert seen == {ticket.id for ticket in tickets if ticket.is_visible_to(watcher)}
    assert worked == {ticket.id for ticket in tickets if watcher.works_on(hidden=ticket.hidden)}


async def test_a_hidden_ticket_is_not_even_locked_for_others(uow: UnitOfWork) -> None:
    hidden = make_ticket(audience=Audience.PEOPLE)
    async with uow.begin() as tx:
        await TicketStore(tx).add(hidden)

        with pytest.raises(TicketNotFound):
            await TicketStore(tx).get_for_update(hidden.id, OPS)
        assert await TicketStore(tx).get_for_update(hidden.id, HR) == hidden


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE triage_decisions SET engine = 'x'",
        "DELETE FROM triage_decisions",
        "UPDATE ticket_comments SET body = 'x'",
        "DELETE FROM ticket_comments",
        "TRUNCATE ticket_comments",
        "DELETE FROM tickets",
        "DELETE FROM ticket_options",
    ],
)
def test_what_was_said_and_decided_cannot_be_changed_by_the_service(
    service_database: ServiceDatabase, statement: str
) -> None:
    url = service_database.app_url.replace("+psycopg", "")

    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


async def test_postgres_itself_refuses_a_person_beside_an_outsider(uow: UnitOfWork) -> None:
    both = make_ticket(reporter=Reporter(uuid7(), "Ada", ""))

    with pytest.raises(Exception, match="ck_tickets_reporter"):
        async with uow.begin() as tx:
            await TicketStore(tx).add(both)

    assert both.created_at == MOMENT
