"""What is left of a person who is erased: nothing that names him, and no word of a matter for hr that is his."""

from dataclasses import replace

import pytest
from services.tickets.tests.factories import (
    ADMIN,
    HR,
    NOBODY,
    Published,
    decision,
)
from services.tickets.tests.histories import REPORTER, SECRET, Erase, Opened, rows_of, stored, wish
from sqlalchemy import text

from chassis.db import Database, UnitOfWork
from chassis.history import Document, replay
from chassis.history.recorder import Recorder
from chassis.history.sealing import erased
from chassis.history.verify import verify
from chassis.identity import Trust
from chassis.redaction import Redactor
from chassis.testing.harness import Installation
from tickets_service import queries, triage, usecases
from tickets_service.commands import AddTicketComment, UpdateTicket, UpdateTicketAudience
from tickets_service.documents import TICKET_HISTORY, document
from tickets_service.domain import Ticket
from tickets_service.values import ERASED, Audience, Reporter, Watcher


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


async def test_words_of_a_matter_that_was_recognised_later_go_from_every_version(
    uow: UnitOfWork, database: Database, redactor: Redactor, opened: Opened, recorder: Recorder, erase: Erase
) -> None:
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(wish(title="Before", description=SECRET), ADMIN, tx, redactor)
    async with uow.begin() as tx:
        await usecases.update_ticket_audience(UpdateTicketAudience(ticket.id, 1, Audience.PEOPLE), ADMIN, tx)
    async with uow.begin() as tx:
        change = UpdateTicket(ticket.id, 2, title="After", service=None, values={})
        await usecases.update_ticket(change, ADMIN, tx, redactor)
    async with database.read() as tx:
        dump = str(await tx.fetch_all(text("SELECT c::text FROM ticket_changes c")))
    assert not any(word in dump for word in ("Before", "After", SECRET))

    assert await erase("email:ada@example.org") == 1

    rows = await rows_of(database, ticket.id)
    for version, row in enumerate(rows[:3], start=1):
        state = replay.fold(TICKET_HISTORY, ticket.id, rows[:version])
        async with database.read() as tx:
            keys = await recorder.vault.load(tx, state.subjects.values())
        words = state.opened(recorder.vault, keys)
        assert (words["title"], words["description"]) == (erased(), erased()), row.event
    now = await stored(database, ticket.id)
    assert await opened(ticket.id) == document(now).fields


@pytest.mark.parametrize("reporter", [REPORTER, None], ids=["outsider", "user"])
async def test_a_general_ticket_keeps_words_that_its_history_forgot_and_verifies(
    *, reporter: Reporter | None, uow: UnitOfWork, database: Database, redactor: Redactor, recorder: Recorder,
    erase: Erase, installation: Installation,
) -> None:  # fmt: skip
    him = Watcher("user", NOBODY.id)
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(wish(reporter=reporter), ADMIN if reporter else him, tx, redactor)

    await erase("email:ada@example.org" if reporter else f"user:{him.id}")

    now = await stored(database, ticket.id)
    assert (now.title, now.description) == ("Checkout is down", "502")
    trust = Trust.from_file(installation.folder / "trust.json")
    (report,) = await verify(database, recorder, trust, None)
    assert (report.chains, report.faults) == (1, [])


@pytest.mark.parametrize("erasing", [False, True], ids=["kept", "erased"])
async def test_words_that_an_older_version_left_in_clear_verify_beside_a_snapshot_that_seals_them(
    *, uow: UnitOfWork, database: Database, redactor: Redactor, recorder: Recorder, erase: Erase, erasing: bool,
    installation: Installation,
) -> None:  # fmt: skip
    def as_before(ticket: Ticket) -> Document:
        now = document(ticket)
        mine = {name: whose for name, whose in now.personal.items() if name.startswith("reporter_")}
        return replace(now, personal=mine)

    key = (installation.folder / "redaction.key").read_bytes().strip()
    uow.recorder = Recorder([replace(TICKET_HISTORY, document=as_before)], key, "tickets")
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(wish(), ADMIN, tx, redactor)
    uow.recorder = recorder
    for version in range(1, 50):
        async with uow.begin() as tx:
            change = UpdateTicket(ticket.id, version, title=None, service=f"shop {version}", values={})
            await usecases.update_ticket(change, ADMIN, tx, redactor)
    if erasing:
        await erase("email:ada@example.org")

    trust = Trust.from_file(installation.folder / "trust.json")
    (report,) = await verify(database, recorder, trust, None)

    assert (report.rows, report.faults) == (51 if erasing else 50, [])


async def everything(database: Database) -> str:
    """All that the schema says in clear text of tickets."""
    names = ("tickets", "ticket_comments", "triage_decisions", "ticket_changes", "ticket_snapshots", "ticket_words")
    async with database.read() as tx:
        return "".join([str(await tx.fetch_all(text(f"SELECT t::text FROM {name} t"))) for name in names])  # noqa: S608
