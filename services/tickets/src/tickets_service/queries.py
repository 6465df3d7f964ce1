"""Reads of tickets: keyset pages of what exists for whoever looks, and never one query per row."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Uuid, exists, func, literal, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, array

from chassis.db import ReadTx, among
from chassis.paging import Page, Slice, decode_cursor, encode_cursor
from tickets_service import similar
from tickets_service.columns import Reading, has_old_columns, key_column, reading_of, searched_text
from tickets_service.commands import TicketFilter
from tickets_service.domain import Ticket, TicketOption
from tickets_service.errors import TicketNotFound
from tickets_service.similarity import Alike, spellings
from tickets_service.store import (
    OptionStore,
    comment_of,
    ticket_of,
    tickets,
    visible_to,
    works_on,
)
from tickets_service.tables import TICKET_COMMENTS, TICKETS, URGENCY
from tickets_service.values import Comment, OptionKind, Watcher

T = TypeVar("T")


async def get_ticket(ticket_id: UUID, watcher: Watcher, tx: ReadTx) -> Ticket:
    """One ticket.

    Raises:
        TicketNotFound: there is none, or not for whoever looks.
    """
    row = await tx.fetch_one(tickets().where(TICKETS.c.id == ticket_id, visible_to(watcher)))
    if row is None:
        raise TicketNotFound(ticket_id)
    return ticket_of(row, tx)


async def is_visible(ticket_id: UUID, watcher: Watcher, tx: ReadTx) -> bool:
    """Whether a ticket exists for whoever looks, now."""
    found = exists().where(TICKETS.c.id == ticket_id, visible_to(watcher))
    row = await tx.fetch_one(select(found.label("visible")))
    return row is not None and bool(row.visible)


async def batch_get_tickets(ids: Sequence[UUID], watcher: Watcher, tx: ReadTx) -> list[Ticket]:
    """The tickets that exist for whoever looks among the ids."""
    rows = await tx.fetch_all(tickets().where(among(TICKETS.c.id, ids), visible_to(watcher)))
    return [ticket_of(row, tx) for row in rows]


async def list_tickets(wanted: TicketFilter, page: Page, watcher: Watcher, tx: ReadTx) -> Slice[Ticket]:
    """A page of tickets in the order that is wanted.

    Raises:
        CursorInvalid: the cursor is not of this list.
    """
    # Words and keys are looked for in columns that may be gone.
    old_columns = bool(wanted.text or wanted.priorities) and await has_old_columns(tx)
    statement = tickets().where(visible_to(watcher), *_conditions(wanted, reading_of(tx), old_columns=old_columns))
    place = (URGENCY, TICKETS.c.id) if wanted.most_urgent_first else (TICKETS.c.id,)
    if page.after:
        after = decode_cursor(page.after, *((int, UUID) if wanted.most_urgent_first else (UUID,)))
        statement = statement.where(tuple_(*place) < tuple_(*after))
    rows = await tx.fetch_all(statement.order_by(*(part.desc() for part in place)).limit(page.first + 1))
    shown = rows[: page.first]
    ranks = [(row.priority_rank or 0,) if wanted.most_urgent_first else () for row in shown]
    cursors = [encode_cursor(*rank, str(row.id)) for rank, row in zip(ranks, shown, strict=True)]
    return Slice(tuple(ticket_of(row, tx) for row in shown), tuple(cursors), len(rows) > page.first)


async def batch_list_log_tickets(
    log_ids: Sequence[UUID], first: int, watcher: Watcher, tx: ReadTx
) -> dict[UUID, list[Ticket]]:
    """The newest tickets of each log that has some for whoever looks."""
    asked = _asked(log_ids)
    # OFFSET 0 keeps the look-up apart from the order: the planner would rather read all tickets from the newest on.
    linked = (
        select(TICKETS.c.id)
        .where(TICKETS.c.log_ids.contains(array([asked.c.asked_id])), visible_to(watcher))
        .correlate(asked)
        .offset(0)
        .lateral("linked")
    )
    newest = select(linked.c.id).order_by(linked.c.id.desc()).limit(first).lateral("newest")
    found = asked.join(newest, true()).join(TICKETS, TICKETS.c.id == newest.c.id)
    statement = tickets().add_columns(asked.c.asked_id).select_from(found).order_by(TICKETS.c.id.desc())
    rows = await tx.fetch_all(statement)
    return _grouped(rows, partial(ticket_of, tx=tx))


async def batch_list_comments(
    ticket_ids: Sequence[UUID], first: int, after_id: UUID | None, watcher: Watcher, tx: ReadTx
) -> dict[UUID, tuple[list[Comment], bool]]:
    """The first comments that whoever looks may read, oldest first, and whether there are more.

    Each ticket that exists for him has an item, be it empty.
    """
    readable = (
        select(TICKET_COMMENTS)
        .where(TICKET_COMMENTS.c.ticket_id == TICKETS.c.id, or_(~TICKET_COMMENTS.c.internal, works_on(watcher)))
        .order_by(TICKET_COMMENTS.c.id)
        .limit(first + 1)
    )
    if after_id is not None:
        readable = readable.where(TICKET_COMMENTS.c.id > after_id)
    comments = readable.lateral("readable")
    statement = (
        select(TICKETS.c.id.label("asked_id"), comments)
        .join(comments, true(), isouter=True)
        .where(among(TICKETS.c.id, ticket_ids), visible_to(watcher))
        .order_by(comments.c.id)
    )
    rows = await tx.fetch_all(statement)
    found: dict[UUID, list[Comment]] = {row.asked_id: [] for row in rows}
    for row in rows:
        if row.id is not None:
            found[row.asked_id].append(comment_of(row))
    return {ticket_id: (comments[:first], len(comments) > first) for ticket_id, comments in found.items()}


async def batch_list_similar(
    ticket_ids: Sequence[UUID], first: int, watcher: Watcher, tx: ReadTx
) -> dict[UUID, list[Alike[Ticket]]]:
    """The tickets most like each of these, the most alike first, of those that exist for whoever looks."""
    found = await similar.batch_find_similar(ticket_ids, first, watcher, tx)
    wanted = {alike.ticket for alikes in found.values() for alike in alikes} | found.keys()
    read = {ticket.id: ticket for ticket in await batch_get_tickets(list(wanted), watcher, tx)}
    return {
        ticket_id: _spelled([alike for alike in alikes if alike.ticket in read], read[ticket_id], read)
        for ticket_id, alikes in found.items()
        if ticket_id in read
    }


async def list_options(tx: ReadTx) -> list[TicketOption]:
    """All categories, priorities and teams, by kind and position."""
    order = list(OptionKind)
    return sorted(
        await OptionStore(tx).all(), key=lambda option: (order.index(option.kind), option.position, option.key)
    )


def _spelled(alikes: Sequence[Alike[UUID]], asked: Ticket, read: Mapping[UUID, Ticket]) -> list[Alike[Ticket]]:
    """Similar tickets with the shared words as the ticket spells them, whose text is read once for all of them."""
    known = spellings(asked.title, asked.description) if alikes else {}
    return [
        Alike(read[alike.ticket], alike.similarity, tuple(known.get(word, word) for word in alike.shared_words))
        for alike in alikes
    ]


def _asked(ids: Sequence[UUID]) -> Any:
    return func.unnest(literal(list(ids), ARRAY(Uuid))).table_valued("asked_id").render_derived()


def _grouped(rows: Sequence[Row[Any]], read: Any) -> dict[UUID, list[T]]:
    found: dict[UUID, list[T]] = {}
    for row in rows:
        found.setdefault(row.asked_id, []).append(read(row))
    return found


def _conditions(wanted: TicketFilter, reading: Reading | None, *, old_columns: bool) -> list[ColumnElement[bool]]:
    columns = TICKETS.c
    any_of: Mapping[ColumnElement[str], Sequence[str]] = {
        columns.status: wanted.statuses,
        columns.category: wanted.categories,
        key_column(old_columns=old_columns): wanted.priorities,
        columns.team: wanted.teams,
        columns.triage_state: wanted.triage_states,
        columns.audience: (wanted.audience,) if wanted.audience else (),
    }
    equal: Mapping[ColumnElement[Any], object] = {
        columns.assignee_id: wanted.assignee_id,
        columns.reporter_user_id: wanted.reporter_id,
        columns.service: wanted.service,
        columns.source: wanted.source,
        columns.external_reference: wanted.external_reference,
    }
    conditions: list[ColumnElement[bool]] = [
        column.in_([str(value) for value in values]) for column, values in any_of.items() if values
    ]
    conditions += [column == value for column, value in equal.items() if value]
    if wanted.unassigned:
        conditions.append(columns.assignee_id.is_(None))
    if wanted.people_suspected:
        conditions.append(columns.people_suspected.is_(True))
    if wanted.priority_levels:
        conditions.append(columns.priority_rank.in_(wanted.priority_levels))
    searched = searched_text(reading, old_columns=old_columns)
    conditions += [searched.ilike(_containing(word), escape="\\") for word in wanted.text.split()]
    return conditions


def _containing(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
