"""Whole texts: sealed beside the redacted ones, opened for a reason that the audit keeps, and gone with a person."""

import json
from uuid import UUID

import pytest
from services.tickets.tests.factories import ADMIN, HR, KEY, NOBODY, OPS, UNKNOWN, Call, Create, reason_of
from services.tickets.tests.histories import Erase, wish
from sqlalchemy import text, update

from aiops.common.v1.page_pb2 import PageRequest
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.db import Database, UnitOfWork
from chassis.errors import Forbidden
from chassis.redaction import Redactor
from chassis.testing.harness import Installation
from tickets_service import texts, usecases
from tickets_service.commands import AddTicketComment, RevealTicket, UpdateTicket
from tickets_service.domain import Ticket
from tickets_service.tables import TICKETS
from tickets_service.values import Audience, Comment, RevealedText, RevealedTicket, TextState, Watcher

WHOLE, REDACTED, ERASED = TextState.WHOLE, TextState.REDACTED, TextState.ERASED
TITLE, DESCRIPTION, BODY = (
    "Mail from bob@example.com",
    "use password=correct-horse-9",
    "his card is 4111 1111 1111 1111",
)
REASON = "to call them back"
SECRETS = ("bob@example.com", "correct-horse-9", "4111 1111 1111 1111")


async def everything(database: Database) -> str:
    async with database.read() as tx:
        names = [
            row[0] for row in await tx.fetch_all(text("SELECT tablename FROM pg_tables WHERE schemaname='tickets'"))
        ]
        return "".join([str(await tx.fetch_all(text(f"SELECT t::text FROM {name} t"))) for name in names])  # noqa: S608


async def written(
    uow: UnitOfWork, redactor: Redactor, *, by: Watcher = NOBODY, audience: Audience = Audience.GENERAL
) -> tuple[Ticket, Comment]:
    """A ticket that NOBODY reports, with a comment."""
    async with uow.begin() as tx:
        tx.actor = type(tx.actor)("user", NOBODY.id)
        told = wish(title=TITLE, description=DESCRIPTION, reporter=None, audience=audience)
        ticket = await usecases.create_ticket(told, NOBODY, tx, redactor)
        tx.actor = type(tx.actor)("user", by.id)
        comment = AddTicketComment(ticket.id, 1, BODY, internal=False)
        return await usecases.add_ticket_comment(comment, by, tx, redactor)


async def revealed(uow: UnitOfWork, redactor: Redactor, ticket: Ticket, watcher: Watcher = ADMIN) -> RevealedTicket:
    async with uow.begin() as tx:
        return await usecases.reveal_ticket(RevealTicket(ticket.id, REASON), watcher, tx, redactor)


async def test_what_was_written_is_revealed_and_stands_in_no_table(
    uow: UnitOfWork, database: Database, redactor: Redactor
) -> None:
    ticket, comment = await written(uow, redactor)

    told = await revealed(uow, redactor, ticket)

    assert (told.title, told.description) == (RevealedText(TITLE, WHOLE), RevealedText(DESCRIPTION, WHOLE))
    assert [(each.comment.id, each.body) for each in told.comments] == [(comment.id, RevealedText(BODY, WHOLE))]
    assert not told.has_older_comments
    dump = await everything(database)
    assert "correct-horse-9" not in redactor.redact(DESCRIPTION)
    assert [secret for secret in SECRETS if secret in dump] == []


async def test_a_text_that_redaction_left_alone_is_not_stored_twice(
    uow: UnitOfWork, database: Database, redactor: Redactor
) -> None:
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(wish(), ADMIN, tx, redactor)

    told = await revealed(uow, redactor, ticket)

    async with database.read() as tx:
        assert await tx.fetch_all(text("SELECT 1 FROM ticket_texts")) == []
    assert (told.title, told.description) == (RevealedText("Checkout is down", WHOLE), RevealedText("502", WHOLE))


async def test_a_new_text_takes_the_place_of_the_old_one_also_where_only_the_secret_is_new(
    uow: UnitOfWork, database: Database, redactor: Redactor
) -> None:
    ticket, _ = await written(uow, redactor)
    async with uow.begin() as tx:
        change = UpdateTicket(ticket.id, 2, None, None, {}, description="use password=battery-staple-7")
        same = await usecases.update_ticket(change, ADMIN, tx, redactor)
        await usecases.update_ticket(UpdateTicket(ticket.id, 2, "Plain", None, {}), ADMIN, tx, redactor)

    told = await revealed(uow, redactor, ticket)

    assert same.version == 2
    assert told.title == RevealedText("Plain", WHOLE)
    assert told.description == RevealedText("use password=battery-staple-7", WHOLE)
    async with database.read() as tx:
        rows = await tx.fetch_all(text("SELECT field FROM ticket_texts ORDER BY field"))
    assert [row.field for row in rows] == ["body", "description"]


async def test_a_text_of_before_says_that_only_the_redacted_one_is_there(uow: UnitOfWork, redactor: Redactor) -> None:
    ticket, _ = await written(uow, redactor)
    async with uow.begin() as tx:
        await tx.execute(text("DELETE FROM ticket_texts WHERE field = 'title'"))
        await tx.execute(update(TICKETS).values(description="<PASSWORD> of before", message="<PASSWORD> of before"))

    told = await revealed(uow, redactor, ticket)

    assert told.title == RevealedText(ticket.title, REDACTED)
    assert told.description == RevealedText("<PASSWORD> of before", REDACTED)


async def test_a_placeholder_that_somebody_typed_is_whole(uow: UnitOfWork, redactor: Redactor) -> None:
    async with uow.begin() as tx:
        ticket = await usecases.create_ticket(wish(title="It shows <PASSWORD>"), ADMIN, tx, redactor)

    assert (await revealed(uow, redactor, ticket)).title == RevealedText("It shows <PASSWORD>", WHOLE)


@pytest.mark.parametrize("audience", list(Audience))
async def test_an_erased_reporter_takes_all_whole_texts_with_him(
    uow: UnitOfWork, redactor: Redactor, database: Database, erase: Erase, audience: Audience
) -> None:
    ticket, _ = await written(uow, redactor, by=ADMIN, audience=audience)
    async with database.read() as tx:
        sealed = await tx.fetch_all(text("SELECT ticket_id, thing_id, field, sealed FROM ticket_texts"))

    await erase(f"user:{NOBODY.id}")

    async with database.read() as tx:
        assert await tx.fetch_all(text("SELECT 1 FROM ticket_texts")) == []
    async with uow.begin() as tx:  # as from a backup
        for row in sealed:
            values = {**row._mapping, "sealed": json.dumps(row.sealed)}
            await tx.execute(text("INSERT INTO ticket_texts VALUES (:ticket_id, :thing_id, :field, :sealed)"), values)
    told = await revealed(uow, redactor, ticket)
    assert {told.title.state, told.description.state, *(each.body.state for each in told.comments)} == {ERASED}
    assert not any(secret in str(told) for secret in SECRETS)


async def test_an_erased_author_takes_his_comment_and_leaves_the_ticket(
    uow: UnitOfWork, redactor: Redactor, erase: Erase
) -> None:
    ticket, comment = await written(uow, redactor, by=HR, audience=Audience.PEOPLE)

    await erase(f"user:{HR.id}")

    told = await revealed(uow, redactor, ticket)
    assert told.title == RevealedText(TITLE, WHOLE)
    assert [each.body.state for each in told.comments] == [ERASED]
    assert comment.body not in str(told)


async def test_a_sealed_text_opens_at_its_own_place_alone(
    uow: UnitOfWork, redactor: Redactor, database: Database
) -> None:
    ticket, _ = await written(uow, redactor)
    async with uow.begin() as tx:
        await tx.execute(
            text(
                "UPDATE ticket_texts SET sealed = (SELECT sealed FROM ticket_texts WHERE field = 'description')"
                " WHERE field = 'title'"
            )
        )

    with pytest.raises(Exception, match="was not sealed for it"):
        await revealed(uow, redactor, ticket)


@pytest.mark.parametrize(
    ("watcher", "audience", "assigned", "passes"),
    [
        (ADMIN, Audience.GENERAL, False, True),
        (ADMIN, Audience.PEOPLE, False, True),
        (HR, Audience.PEOPLE, False, True),
        (NOBODY, Audience.GENERAL, False, True),
        (NOBODY, Audience.PEOPLE, False, True),
        (OPS, Audience.GENERAL, True, True),
        (OPS, Audience.GENERAL, False, False),
    ],
)
async def test_whole_texts_are_for_those_whose_words_or_work_it_is(
    *, uow: UnitOfWork, redactor: Redactor, database: Database, watcher: Watcher, audience: Audience, assigned: bool,
    passes: bool,
) -> None:  # fmt: skip
    ticket, _ = await written(uow, redactor, audience=audience)
    if assigned:
        async with uow.begin() as tx:
            await tx.execute(update(TICKETS).values(assignee_id=UUID(OPS.id)))

    if passes:
        assert (await revealed(uow, redactor, ticket, watcher)).title == RevealedText(TITLE, WHOLE)
    else:
        with pytest.raises(Forbidden, match="have it assigned to you first"):
            await revealed(uow, redactor, ticket, watcher)

    async with database.read() as tx:
        noted = await tx.fetch_all(text("SELECT kind, subject_ids, reason FROM audit_trail"))
    assert [tuple(row) for row in noted] == ([("ticket.revealed", [ticket.id], REASON)] if passes else [])


async def test_the_reporter_reads_no_internal_comment(uow: UnitOfWork, redactor: Redactor) -> None:
    ticket, comment = await written(uow, redactor)
    async with uow.begin() as tx:
        said = AddTicketComment(ticket.id, 2, "he is mad: bob@example.com", internal=True)
        await usecases.add_ticket_comment(said, ADMIN, tx, redactor)

    his, theirs = await revealed(uow, redactor, ticket, NOBODY), await revealed(uow, redactor, ticket)

    assert [each.comment.id for each in his.comments] == [comment.id]
    assert [each.body.text for each in theirs.comments] == [BODY, "he is mad: bob@example.com"]


async def test_of_many_comments_the_newest_are_revealed(
    uow: UnitOfWork, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MAXIMUM_COMMENTS", 1)
    ticket, _ = await written(uow, redactor)
    async with uow.begin() as tx:
        await usecases.add_ticket_comment(AddTicketComment(ticket.id, 2, "last", internal=False), ADMIN, tx, redactor)

    told = await revealed(uow, redactor, ticket)

    assert ([each.body.text for each in told.comments], told.has_older_comments) == (["last"], True)


def wanted(ticket_id: str, *, key: str = KEY, reason: str = REASON) -> pb.RevealTicketRequest:
    return pb.RevealTicketRequest(idempotency_key=key, ticket_id=ticket_id, reason=reason)


async def test_each_delivery_is_audited_and_no_answer_is_kept_for_its_key(
    create: Create, ask: Call, database: Database, installation: Installation
) -> None:
    with installation.as_viewer("admin"):
        ticket = await create(TITLE, description=DESCRIPTION)

        first = await ask("RevealTicket", wanted(ticket.id, reason="asked by bob@example.com"))
        again = await ask("RevealTicket", wanted(ticket.id, reason="asked by bob@example.com"))
        refused, _ = await reason_of(ask("RevealTicket", wanted(ticket.id)))
    assert first == again
    assert first.revealed.description == ticket_pb.RevealedText(
        text=DESCRIPTION, state=ticket_pb.REVEALED_TEXT_STATE_WHOLE
    )
    assert refused == "IDEMPOTENCY_KEY_REUSED"
    async with database.read() as tx:
        rows = await tx.fetch_all(text("SELECT operation, reason FROM audit_trail"))
        kept = await tx.fetch_all(
            text("SELECT length(response) FROM idempotency_keys WHERE operation = 'RevealTicket'")
        )
    assert [row.operation for row in rows] == ["RevealTicket"] * 2
    assert all("bob" not in row.reason and row.reason.startswith("asked by <EMAIL") for row in rows)
    assert [row[0] for row in kept] == [12 + 16], "nonce and tag of an empty answer"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (wanted(UNKNOWN), "TICKET_NOT_FOUND"),
        (wanted(UNKNOWN, reason="too short"), "INVALID_ARGUMENT"),
        (wanted(UNKNOWN, reason="x" * 501), "INVALID_ARGUMENT"),
        (wanted("x"), "INVALID_ARGUMENT"),
        (wanted(UNKNOWN, key="short"), "IDEMPOTENCY_KEY_INVALID"),
    ],
)
async def test_bad_requests_are_refused_and_note_nothing(
    ask: Call, database: Database, installation: Installation, request_: pb.RevealTicketRequest, reason: str
) -> None:
    with installation.as_viewer("admin"):
        refused, _ = await reason_of(ask("RevealTicket", request_))

    assert refused == reason
    async with database.read() as tx:
        assert await tx.fetch_all(text("SELECT 1 FROM audit_trail WHERE kind = 'ticket.revealed'")) == []


async def test_a_hidden_ticket_does_not_exist_for_ops_here_either(
    create: Create, ask: Call, installation: Installation
) -> None:
    with installation.as_viewer("admin"):
        ticket = await create(TITLE, audience=ticket_pb.TICKET_AUDIENCE_PEOPLE)

    with installation.as_viewer("ops"):
        refused, _ = await reason_of(ask("RevealTicket", wanted(ticket.id)))

    assert refused == "TICKET_NOT_FOUND"


async def test_other_words_of_a_ticket_are_redacted_and_found_all_the_same(
    create: Create, ask: Call, installation: Installation, database: Database
) -> None:
    with installation.as_viewer("admin"):
        ticket = await create(
            service="shop of bob@example.com", source="web", external_reference="mail-bob@example.com"
        )
        narrowing = pb.TicketFilter(
            service="shop of bob@example.com", source="web", external_reference="mail-bob@example.com"
        )
        found = await ask("ListTickets", pb.ListTicketsRequest(page=PageRequest(first=5), filter=narrowing))

    assert [each.id for each in found.tickets] == [ticket.id]
    assert ticket.service.startswith("shop of <EMAIL")
    assert "bob@example.com" not in await everything(database)
