"""What people wrote on a ticket, whole: sealed beside the redacted text, and opened for a reveal alone.

A text is sealed under the key of the ticket's reporter, and a comment of another person under that person's key too:
when either of them is erased, it opens no more. It is kept only where redaction changed it.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from chassis.db import WriteTx
from chassis.history import Json, subject_of_email, subject_of_user
from chassis.history.sealing import Keys, Place, erased, is_sealed
from tickets_service.domain import Ticket
from tickets_service.store import comment_of
from tickets_service.tables import TICKET_COMMENTS, TICKET_TEXTS
from tickets_service.values import (
    ERASED,
    Comment,
    Reporter,
    RevealedComment,
    RevealedText,
    RevealedTicket,
    TextState,
    Watcher,
)

MAXIMUM_COMMENTS = 100
_KIND = "ticket_text"
_REPLACED = re.compile(r"<[A-Z_]+(?::[0-9a-f]{8})?>")


def subject_of(ticket_id: UUID, reporter: Reporter) -> str:
    """Whose the words are; of somebody without account and address, the ticket is all that is known."""
    if reporter.user_id is not None:
        return subject_of_user(reporter.user_id)
    return subject_of_email(reporter.external_email) if reporter.external_email else f"ticket:{ticket_id}"


async def keep_ticket(ticket: Ticket, written: Mapping[str, str | None], tx: WriteTx, *, new: bool) -> None:
    """Keep title and description as they were written; one that is None was not written now, and stays."""
    given = {name: whole for name, whole in written.items() if whole is not None}
    kept = {name: whole for name, whole in given.items() if _is_to_be_kept(whole, getattr(ticket, name))}
    if not new and (gone := given.keys() - kept.keys()):
        found = (TICKET_TEXTS.c.ticket_id == ticket.id) & (TICKET_TEXTS.c.thing_id == ticket.id)
        await tx.execute(delete(TICKET_TEXTS).where(found, TICKET_TEXTS.c.field.in_(sorted(gone))))
    if kept:
        subject = tx.vault.stored(subject_of(ticket.id, ticket.reporter))
        keys = await _keys([subject], tx, renewing=[subject] if new else [])
        texts = {name: (whole, getattr(ticket, name)) for name, whole in kept.items()}
        await _keep(ticket, ticket.id, texts, keys, tx)


async def keep_comment(ticket: Ticket, comment: Comment, whole: str, tx: WriteTx) -> None:
    """Keep a comment as it was written."""
    if not _is_to_be_kept(whole, comment.body):
        return
    author = [f"user:{comment.author_id}"] if comment.author_kind == "user" else []
    subjects = list(dict.fromkeys([*author, tx.vault.stored(subject_of(ticket.id, ticket.reporter))]))
    keys = await _keys(subjects, tx, renewing=author)
    await _keep(ticket, comment.id, {"body": (whole, comment.body)}, keys, tx)


async def open_ticket(ticket: Ticket, watcher: Watcher, tx: WriteTx) -> RevealedTicket:
    """What was written on a ticket; without internal comments for whoever only reported it."""
    shown = select(TICKET_COMMENTS).where(TICKET_COMMENTS.c.ticket_id == ticket.id)
    if not watcher.works_on(hidden=ticket.hidden):
        shown = shown.where(~TICKET_COMMENTS.c.internal)
    newest = await tx.fetch_all(shown.order_by(TICKET_COMMENTS.c.id.desc()).limit(MAXIMUM_COMMENTS + 1))
    comments = [comment_of(row) for row in reversed(newest[:MAXIMUM_COMMENTS])]
    rows = await tx.fetch_all(select(TICKET_TEXTS).where(TICKET_TEXTS.c.ticket_id == ticket.id))
    sealed = {(row.thing_id, row.field): row.sealed for row in rows}
    subjects = {subject for value in sealed.values() for subject in value["subjects"]}
    keys = await tx.vault.load(tx, subjects)

    def opened(thing_id: UUID, field: str, stored: str) -> RevealedText:
        value = sealed.get((thing_id, field))
        if value is None:
            return _unsealed(stored)
        content = value["content"]
        for _ in value["subjects"]:
            content = tx.vault.open(content, _KIND, thing_id, field, keys)
        if content == erased() or is_sealed(content):
            return RevealedText(stored, TextState.ERASED)
        # A version of before this one changes the text and leaves the sealed one as it was.
        return (
            RevealedText(content["whole"], TextState.WHOLE) if content["of"] == _digest(stored) else _unsealed(stored)
        )

    return RevealedTicket(
        ticket_id=ticket.id,
        title=opened(ticket.id, "title", ticket.title),
        description=opened(ticket.id, "description", ticket.description),
        comments=tuple(RevealedComment(each, opened(each.id, "body", each.body)) for each in comments),
        has_older_comments=len(newest) > MAXIMUM_COMMENTS,
    )


async def forget(ticket_ids: Sequence[UUID], comment_ids: Sequence[UUID], tx: WriteTx) -> None:
    """Take the rows away that nobody can open any more: of these tickets, and of these comments."""
    for column, ids in ((TICKET_TEXTS.c.ticket_id, ticket_ids), (TICKET_TEXTS.c.thing_id, comment_ids)):
        if ids:
            await tx.execute(delete(TICKET_TEXTS).where(column.in_(ids)))


async def _keys(subjects: Sequence[str], tx: WriteTx, *, renewing: Iterable[str]) -> Keys:
    """The keys of these subjects, in their order; one of `renewing` that was destroyed is made anew for a person."""
    keys = await tx.vault.load(tx, subjects)
    if missing := set(subjects) - keys.keys():
        keys |= await tx.vault.make(tx, missing, tx.now)
    for subject in renewing:
        if keys[subject].secret is None and tx.actor.kind == "user":
            keys[subject] = await tx.vault.renew(tx, subject, keys[subject], tx.now)
    return {subject: keys[subject] for subject in subjects}


async def _keep(
    ticket: Ticket,
    thing_id: UUID,
    texts: Mapping[str, tuple[str, str]],
    keys: Keys,
    tx: WriteTx,
) -> None:
    """Seal texts, the whole and the stored one of each field, under one key after the other."""
    rows = []
    for field, (whole, stored) in texts.items():
        content: Json = {"whole": whole, "of": _digest(stored)}
        for subject in keys:
            content = tx.vault.seal(content, Place(_KIND, thing_id, ticket.version, field), subject, keys)
        sealed = {"subjects": list(keys), "content": content}
        rows.append({"ticket_id": ticket.id, "thing_id": thing_id, "field": field, "sealed": sealed})
    adding = insert(TICKET_TEXTS).values(rows)
    of_one = [TICKET_TEXTS.c.ticket_id, TICKET_TEXTS.c.thing_id, TICKET_TEXTS.c.field]
    await tx.execute(adding.on_conflict_do_update(index_elements=of_one, set_={"sealed": adding.excluded.sealed}))


def _is_to_be_kept(whole: str, stored: str) -> bool:
    """Whether the redacted text is not the whole one, or looks as if it were not."""
    return whole != stored or _REPLACED.search(whole) is not None


def _unsealed(stored: str) -> RevealedText:
    """A text of which nothing is sealed: whole, unless something in it was replaced before whole texts were kept."""
    if stored == ERASED:
        return RevealedText(stored, TextState.ERASED)
    return RevealedText(stored, TextState.REDACTED if _REPLACED.search(stored) else TextState.WHOLE)


def _digest(stored: str) -> str:
    return hashlib.sha256(stored.encode()).hexdigest()
