"""What is left of a person who is erased: nothing that names him, and no word of a matter for hr that is his."""

from collections.abc import Awaitable, Callable

import pytest
from services.tickets.tests.factories import (
    ADMIN,
    HR,
    NOBODY,
    Published,
    decision,
)
from services.tickets.tests.histories import REPORTER, SECRET, Opened, rows_of, stored, wish
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork
from chassis.history import erasure
from chassis.history.recorder import Recorder
from chassis.redaction import Redactor
from chassis.testing.plugin import ServiceDatabase
from tickets_service import queries, triage, usecases
from tickets_service.commands import AddTicketComment
from tickets_service.documents import document
from tickets_service.values import ERASED, Audience, Reporter, Watcher

Erase = Callable[[str], Awaitable[int]]


@pytest.fixture
def erase(service_database: ServiceDatabase, recorder: Recorder) -> Erase:
    """Erases somebody as `aiops person erase` does; how many tickets it changed."""

    async def erase_(subject: str) -> int:
        database = Database(service_database.owner_url, name="tickets")
        order = erasure.Erasure(recorder.vault.stored(subject), SystemClock().now())
        try:
            return await erasure.erase(erasure.operator_work(database, recorder), recorder, order)
        finally:
            await database.close()

    return erase_


async def test_an_erased_outsider_is_gone_from_tickets_and_from_their_history(
    uow: UnitOfWork,
    database: Database,
    opened: Opened,
    redactor: Redactor,
    published: Published,
    erase: Erase,
) -> None:
    async with uow.begin() as tx:
        general = await usecases.create_ticket(wish(), ADMIN, tx, redactor)
        other = await usecases.create_ticket(
            wish(reporter=Reporter(external_email="eva@example.org")), ADMIN, tx, redactor
        )
        people = await usecases.create_ticket(
            wish(title=SECRET, description=SECRET, audience=Audience.PEOPLE), HR, tx, redactor
        )
        offered = await queries.list_options(tx)
    async with uow.begin() as tx:
        await triage.store_decision(decision(ticket_version=1), people, offered, tx)
        await usecases.add_ticket_comment(AddTicketComment(people.id, 2, SECRET, internal=False), HR, tx, redactor)

    assert await erase("email:ada@example.org") == 2

    kept, gone = await stored(database, general.id), await stored(database, people.id)
    assert (kept.reporter, kept.title, kept.description) == (Reporter(), "Checkout is down", "502")
    assert (gone.reporter, gone.title, gone.description) == (Reporter(), ERASED, ERASED)
    assert gone.triage is not None
    assert (gone.triage.category.value, gone.triage.category.reasons) == ("bug", ())
    assert await stored(database, other.id) == other
    assert SECRET not in await everything(database)
    assert "Ada Lovelace" not in await everything(database)
    assert await opened(general.id) == document(kept).fields
    assert await opened(people.id) == document(gone).fields
    assert [(row.version, row.event) for row in await rows_of(database, people.id)][-1] == (4, "Erased")
    assert [subject for subject, _ in (await published(database))[-2:]] == ["aiops.tickets.ticket.erased.v1"] * 2
    assert await erase("email:ada@example.org") == 0


async def test_an_erased_user_takes_the_words_with_him_that_he_wrote_in_matters_for_hr(
    uow: UnitOfWork, database: Database, redactor: Redactor, erase: Erase
) -> None:
    him = Watcher("user", NOBODY.id)
    async with uow.begin() as tx:
        tx.actor = type(tx.actor)("user", him.id)
        own = await usecases.create_ticket(
            wish(title=SECRET, audience=Audience.PEOPLE, reporter=None), him, tx, redactor
        )
        await usecases.add_ticket_comment(AddTicketComment(own.id, 1, SECRET, internal=False), him, tx, redactor)
        general = await usecases.create_ticket(wish(reporter=None), him, tx, redactor)
        await usecases.add_ticket_comment(AddTicketComment(general.id, 1, "plain", internal=False), him, tx, redactor)

    assert await erase(f"user:{him.id}") == 1

    assert (await stored(database, own.id)).title == ERASED
    assert await stored(database, general.id) != general
    after = await everything(database)
    assert SECRET not in after
    assert "plain" in after


async def test_an_erased_user_who_only_wrote_on_a_matter_of_somebody_else_leaves_no_word(
    uow: UnitOfWork, database: Database, redactor: Redactor, opened: Opened, erase: Erase
) -> None:
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(wish(title="Own words", audience=Audience.PEOPLE), HR, tx, redactor)
        tx.actor = type(tx.actor)("user", HR.id)
        await usecases.add_ticket_comment(AddTicketComment(ticket.id, 1, SECRET, internal=False), HR, tx, redactor)

    assert await erase(f"user:{HR.id}") == 1

    now = await stored(database, ticket.id)
    assert (now.version, now.title, now.reporter) == (3, "Own words", REPORTER)
    assert SECRET not in await everything(database)
    assert await opened(ticket.id) == document(now).fields


async def everything(database: Database) -> str:
    """All that the schema says in clear text of tickets."""
    names = ("tickets", "ticket_comments", "triage_decisions", "ticket_changes", "ticket_snapshots", "ticket_words")
    async with database.read() as tx:
        return "".join([str(await tx.fetch_all(text(f"SELECT t::text FROM {name} t"))) for name in names])  # noqa: S608
