"""Takes a person out of tickets: what names him as the reporter, and the words of matters for hr that are his."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, update

from chassis.db import ReadTx, WriteTx, among
from chassis.events import Event
from chassis.history import subject_of_email
from tickets_service import convert, similar, texts
from tickets_service.domain import Ticket
from tickets_service.store import TicketStore, ticket_of, tickets
from tickets_service.tables import TICKET_COMMENTS, TICKETS, TRIAGE_DECISIONS
from tickets_service.triage_rows import decision_of, decision_values
from tickets_service.values import ERASED


async def erase(tx: WriteTx, subject: str) -> Sequence[tuple[Ticket, Ticket, Event]]:
    """Erase a user ("user:<id>") or somebody outside ("email:<address>"): the tickets before and after, and the facts.

    Name and address of the reporter go from each ticket. In matters for hr his title, description and the quotes of
    triage go too, with all comments; and the comments that he wrote in those of others. Done again, it finds nothing.
    It takes the rights of the schema's owner.
    """
    scheme, _, name = subject.partition(":")
    author = name if scheme == "user" else ""
    reported = await _reported_by(subject, tx)
    commented = exists().where(
        TICKET_COMMENTS.c.ticket_id == TICKETS.c.id,
        TICKET_COMMENTS.c.author_kind == "user",
        TICKET_COMMENTS.c.author_id == author,
        TICKET_COMMENTS.c.body != ERASED,
    )
    affected = or_(among(TICKETS.c.id, reported), TICKETS.c.hidden & commented)
    rows = await tx.fetch_all(tickets().where(affected).order_by(TICKETS.c.id).with_for_update(of=TICKETS))
    erased, his = [], frozenset(reported)
    for before in [ticket_of(row, tx) for row in rows]:
        changed, fact = before.erased(reported=before.id in his, at=tx.now)
        if fact is not None:
            after = await TicketStore(tx).save(changed, expected_version=before.version)
            await similar.change_words(after, before, tx)
            erased.append((before, after, convert.fact_to_event(fact)))
    await _erase_words(author, reported, tx)
    return erased


async def _erase_words(author: str, reported: Sequence[UUID], tx: WriteTx) -> None:
    """Blank rows that a running service never changes: only the schema's owner may."""
    written = select(TICKET_COMMENTS.c.id).where(
        TICKET_COMMENTS.c.author_kind == "user", TICKET_COMMENTS.c.author_id == author
    )
    await texts.forget(reported, [row.id for row in await tx.fetch_all(written)], tx)
    hidden = select(TICKETS.c.id).where(TICKETS.c.hidden)
    his = (TICKET_COMMENTS.c.author_kind == "user") & (TICKET_COMMENTS.c.author_id == author)
    comments = update(TICKET_COMMENTS).where(
        TICKET_COMMENTS.c.ticket_id.in_(hidden),
        TICKET_COMMENTS.c.body != ERASED,
        or_(his, among(TICKET_COMMENTS.c.ticket_id, reported)),
    )
    await tx.execute(comments.values(body=ERASED))
    found = select(TRIAGE_DECISIONS.c.id, TRIAGE_DECISIONS.c.decision).where(
        TRIAGE_DECISIONS.c.ticket_id.in_(hidden), among(TRIAGE_DECISIONS.c.ticket_id, reported)
    )
    for row in await tx.fetch_all(found):
        blank = decision_values(decision_of(row.decision).without_quotes())
        await tx.execute(update(TRIAGE_DECISIONS).where(TRIAGE_DECISIONS.c.id == row.id).values(decision=blank))


async def _reported_by(subject: str, tx: ReadTx) -> list[UUID]:
    """Tickets that the person reported."""
    scheme, _, name = subject.partition(":")
    found: ColumnElement[bool] = TICKETS.c.reporter_email != ""
    if scheme == "user":
        found = TICKETS.c.reporter_user_id == UUID(name)
    rows = await tx.fetch_all(select(TICKETS.c.id, TICKETS.c.reporter_email).where(found))
    return [row.id for row in rows if scheme == "user" or subject_of_email(row.reporter_email) == subject]
