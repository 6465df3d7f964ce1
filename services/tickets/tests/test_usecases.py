"""What triage stores, beside what people do at the same time."""

import asyncio
from dataclasses import replace

import pytest
from services.tickets.tests.factories import ADMIN, MOMENT, Published, decision, make_ticket

from chassis.db import Database, UnitOfWork
from chassis.errors import VersionConflict
from tickets_service import queries, usecases
from tickets_service.domain import Ticket
from tickets_service.store import TicketStore
from tickets_service.values import Audience, Choice, TriageState, Value, ValueSource


async def stored(uow: UnitOfWork, ticket: Ticket) -> Ticket:
    async with uow.begin() as tx:
        await TicketStore(tx).add(ticket)
    return ticket


async def read(database: Database, ticket: Ticket) -> Ticket:
    async with database.read() as tx:
        return await queries.get_ticket(ticket.id, ADMIN, tx)


@pytest.mark.parametrize("state", [TriageState.TRIAGED, TriageState.FAILED])
async def test_a_ticket_that_does_not_wait_takes_no_decision_and_no_failure(
    uow: UnitOfWork, database: Database, published: Published, state: TriageState
) -> None:
    failure = "away" if state is TriageState.FAILED else ""
    ticket = await stored(uow, make_ticket(triage_state=state, triage_failure=failure))

    async with uow.begin() as tx:
        await usecases.store_decision(decision(), ticket, tx)
        await usecases.store_failure(ticket.id, "other", tx)

    assert await read(database, ticket) == ticket
    assert await published(database) == []


async def test_a_decision_is_laid_over_what_people_changed_meanwhile(uow: UnitOfWork, database: Database) -> None:
    ticket = await stored(uow, make_ticket())
    meanwhile = replace(ticket, version=2, priority=Value("low", ValueSource.PERSON), assignee_id=ticket.id)
    async with uow.begin() as tx:
        await TicketStore(tx).save(meanwhile, expected_version=1)

    async with uow.begin() as tx:
        await usecases.store_decision(decision(), ticket, tx)
    after = await read(database, ticket)

    assert (after.version, after.priority, after.assignee_id) == (3, meanwhile.priority, ticket.id)
    assert (after.category.key, after.team.key) == ("bug", "development")
    assert after.triage is not None
    assert (after.triage.ticket_version, after.triage.kept) == (1, ("priority",))


@pytest.mark.parametrize("change", [{"title": "Other"}, {"message": "Other"}])
async def test_a_decision_about_other_words_is_refused_and_nothing_is_stored(
    uow: UnitOfWork, database: Database, published: Published, change: dict[str, str]
) -> None:
    ticket = await stored(uow, make_ticket())

    with pytest.raises(VersionConflict):
        async with uow.begin() as tx:
            await usecases.store_decision(decision(), replace(ticket, **change), tx)  # type: ignore[arg-type]

    assert await read(database, ticket) == ticket
    assert await published(database) == []


@pytest.mark.parametrize(
    ("source", "audience"), [(ValueSource.TRIAGE, Audience.PEOPLE), (ValueSource.PERSON, Audience.GENERAL)]
)
async def test_a_choice_for_people_narrows_unless_a_person_chose_otherwise(
    uow: UnitOfWork, database: Database, source: ValueSource, audience: Audience
) -> None:
    ticket = await stored(uow, make_ticket(category=Value("bug", source)))
    given = decision(category=Choice("people", 0.6, uncertain=False))

    async with uow.begin() as tx:
        await usecases.store_decision(given, ticket, tx)

    assert (await read(database, ticket)).audience is audience


async def test_two_decisions_at_once_leave_one(uow: UnitOfWork, database: Database, published: Published) -> None:
    ticket = await stored(uow, make_ticket())

    async def store() -> None:
        async with uow.begin() as tx:
            await usecases.store_decision(decision(created_at=MOMENT), ticket, tx)

    await asyncio.gather(*(store() for _ in range(4)))

    assert (await read(database, ticket)).version == 2
    assert len(await published(database)) == 1
