"""SQL of tickets: rows to domain and back, and who sees which rows; never commits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.sql import Select

from chassis.db import ReadTx, WriteTx
from chassis.errors import VersionConflict
from tickets_service.columns import (
    current_columns,
    has_old_columns,
    key_column,
    level_of,
    rank_of_key,
    reading_of,
    text_of,
)
from tickets_service.domain import Ticket, TicketOption
from tickets_service.errors import TicketNotFound, TicketOptionNotFound
from tickets_service.tables import TICKET_COMMENTS, TICKET_OPTIONS, TICKETS, TRIAGE_DECISIONS
from tickets_service.triage_rows import decision_of, decision_values, suggestion_of, suggestion_values
from tickets_service.values import (
    Audience,
    Comment,
    OptionKind,
    PriorityLevel,
    Reporter,
    TicketStatus,
    TriageDecision,
    TriageState,
    Value,
    ValueSource,
    Watcher,
)


class TicketStore:
    """Tickets inside one write transaction."""

    def __init__(self, tx: WriteTx) -> None:
        self._tx = tx

    async def get_for_update(self, ticket_id: UUID, watcher: Watcher) -> Ticket:
        """The ticket, locked until the transaction ends.

        Raises:
            TicketNotFound: there is none, or not for whoever looks.
        """
        statement = tickets().where(TICKETS.c.id == ticket_id, visible_to(watcher)).with_for_update(of=TICKETS)
        row = await self._tx.fetch_one(statement)
        if row is None:
            raise TicketNotFound(ticket_id)
        return ticket_of(row, self._tx)

    async def add(self, ticket: Ticket) -> Ticket:
        """Insert a new ticket; it with the level of its priority."""
        values = _ticket_values(ticket, old_columns=await has_old_columns(self._tx))
        stored = await self._tx.execute(insert(TICKETS).values(values).returning(TICKETS.c.priority_rank))
        return _with_rank(ticket, stored.scalar_one())

    async def save(self, ticket: Ticket, *, expected_version: int) -> Ticket:
        """Write a changed ticket over the version that the change was made from; it with the level of its priority.

        Raises:
            VersionConflict: the row has another version; nothing was written.
        """
        values = _ticket_values(ticket, old_columns=await has_old_columns(self._tx))
        changed = update(TICKETS).where(TICKETS.c.id == ticket.id, TICKETS.c.version == expected_version)
        stored = (await self._tx.execute(changed.values(values).returning(TICKETS.c.priority_rank))).one_or_none()
        if stored is None:
            actual = await self._tx.fetch_one(select(TICKETS.c.version).where(TICKETS.c.id == ticket.id))
            version = actual.version if actual else 0
            raise VersionConflict(expected=expected_version, actual=version, kind="ticket", id=ticket.id)
        return _with_rank(ticket, stored.priority_rank)

    async def add_comment(self, comment: Comment) -> None:
        """Insert a comment."""
        values = {
            "id": comment.id,
            "ticket_id": comment.ticket_id,
            "body": comment.body,
            "internal": comment.internal,
            "author_kind": comment.author_kind,
            "author_id": comment.author_id,
            "created_at": comment.created_at,
        }
        await self._tx.execute(insert(TICKET_COMMENTS).values(values))

    async def add_decision(self, ticket_id: UUID, decision: TriageDecision) -> None:
        """Insert what triage decided."""
        values = {
            "id": decision.id,
            "ticket_id": ticket_id,
            "ticket_version": decision.ticket_version,
            "engine": decision.engine,
            "decision": decision_values(decision),
            "created_at": decision.created_at,
        }
        await self._tx.execute(insert(TRIAGE_DECISIONS).values(values))

    async def is_reference_taken(self, source: str, external_reference: str, watcher: Watcher) -> bool:
        """Whether a ticket with this reference exists for whoever asks, or was created by him.

        Asked under a lock for the reference, so that of two at the same moment one is told.
        """
        name = f"tickets.reference:{source}:{external_reference}"
        await self._tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
        his_own = (TICKETS.c.created_by_kind == watcher.kind) & (TICKETS.c.created_by_id == watcher.id)
        found = exists().where(
            TICKETS.c.source == source,
            TICKETS.c.external_reference == external_reference,
            or_(visible_to(watcher), his_own),
        )
        row = await self._tx.fetch_one(select(found.label("taken")))
        return row is not None and bool(row.taken)


class OptionStore:
    """The choices of this installation inside one transaction."""

    def __init__(self, tx: ReadTx) -> None:
        self._tx = tx

    async def all(self) -> list[TicketOption]:
        """All of them, by kind and position."""
        order = (TICKET_OPTIONS.c.kind, TICKET_OPTIONS.c.position, TICKET_OPTIONS.c.key)
        return [option_of(row) for row in await self._tx.fetch_all(select(TICKET_OPTIONS).order_by(*order))]

    async def chosen(self, kind: OptionKind, key: str) -> TicketOption:
        """The option that a person names.

        Raises:
            TicketOptionNotFound: there is none, or it is not offered any more.
        """
        option = await self.find(kind, key)
        if option is None or option.archived:
            raise TicketOptionNotFound(
                f"no {kind.field} has the key {key!r}; list the ticket options to find the right one",
                field=kind.field,
                key=key,
            )
        return option

    async def is_one_for_people(self, chosen: Mapping[OptionKind, str]) -> bool:
        """Whether one of these choices is a matter for hr."""
        columns = TICKET_OPTIONS.c
        choice = tuple_(columns.kind, columns.key).in_([(kind.value, key) for kind, key in chosen.items()])
        found = exists().where(columns.audience == Audience.PEOPLE.value, choice)
        row = await self._tx.fetch_one(select(found.label("found")))
        return row is not None and bool(row.found)

    async def find(self, kind: OptionKind, key: str, *, lock: bool = False) -> TicketOption | None:
        """The option with this key, if there is one; locked until the transaction ends when asked for."""
        statement = select(TICKET_OPTIONS).where(TICKET_OPTIONS.c.kind == kind.value, TICKET_OPTIONS.c.key == key)
        row = await self._tx.fetch_one(statement.with_for_update() if lock else statement)
        return None if row is None else option_of(row)

    async def add(self, option: TicketOption) -> None:
        """Insert a new option."""
        await self._tx.execute(insert(TICKET_OPTIONS).values(_option_values(option)))

    async def offered_for(self, level: PriorityLevel) -> str:
        """The key of the priority that stands for a level: of several the one that is offered first.

        Raises:
            TicketOptionNotFound: none does.
        """
        found = [option for option in await self.all() if option.level is level and not option.archived]
        if not found:
            raise TicketOptionNotFound(
                f"no priority stands for {level.name}; give one of the ticket options this level",
                field="priority_level",
                key=level.name,
            )
        return found[0].key

    async def save(self, option: TicketOption) -> None:
        """Write a changed option, which is locked; tickets with a priority follow its level."""
        await self._tx.execute(
            update(TICKET_OPTIONS).where(TICKET_OPTIONS.c.id == option.id).values(_option_values(option))
        )
        if option.level is not None:
            has_key = key_column(old_columns=await has_old_columns(self._tx)) == option.key
            follows = update(TICKETS).where(has_key, TICKETS.c.priority_rank != option.level)
            await self._tx.execute(follows.values(priority_rank=option.level))


def tickets() -> Select[Any]:
    """Tickets with their newest decision, in one statement."""
    newest = (
        select(TRIAGE_DECISIONS.c.decision)
        .where(TRIAGE_DECISIONS.c.ticket_id == TICKETS.c.id)
        .order_by(TRIAGE_DECISIONS.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("decision")
    )
    return select(*current_columns(), newest)


def visible_to(watcher: Watcher) -> ColumnElement[bool]:
    """Whether a row of tickets exists for whoever looks: the same as `Ticket.is_visible_to`, in SQL."""
    seen = works_on(watcher)
    if watcher.kind != "user":
        return seen
    return or_(seen, TICKETS.c.reporter_user_id == UUID(watcher.id))


def works_on(watcher: Watcher) -> ColumnElement[bool]:
    """Whether the role of whoever looks sees a row of tickets: the same as `Watcher.works_on`, in SQL."""
    hidden, general = watcher.works_on(hidden=True), watcher.works_on(hidden=False)
    if hidden and general:
        return true()
    if hidden:
        return TICKETS.c.hidden.is_(True)
    return TICKETS.c.hidden.is_(False) if general else false()


def ticket_of(row: Row[Any], tx: ReadTx) -> Ticket:
    """A ticket from its row."""
    reading = reading_of(tx)
    return Ticket(
        id=row.id,
        version=row.version,
        title=row.title,
        description=text_of(row, reading),
        reporter=Reporter(row.reporter_user_id, row.reporter_name, row.reporter_email),
        source=row.source,
        external_reference=row.external_reference,
        service=row.service,
        audience=Audience(row.audience),
        people_suspected=row.people_suspected,
        audience_decided=row.audience_decided,
        status=TicketStatus(row.status),
        triage_state=TriageState(row.triage_state),
        triage_failure=row.triage_failure,
        triage_requested_at=row.triage_requested_at,
        category=Value(row.category, ValueSource(row.category_source)),
        priority=Value(row.priority, ValueSource(row.priority_source)),
        priority_level=level_of(row, reading),
        team=Value(row.team, ValueSource(row.team_source)),
        triage=None if row.decision is None else decision_of(row.decision),
        suggestion=None if row.suggestion is None else suggestion_of(row.suggestion),
        assignee_id=row.assignee_id,
        log_ids=tuple(row.log_ids),
        public_comment_count=row.public_comment_count,
        internal_comment_count=row.internal_comment_count,
        created_by_kind=row.created_by_kind,
        created_by_id=row.created_by_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def comment_of(row: Row[Any]) -> Comment:
    """A comment from its row."""
    return Comment(row.id, row.ticket_id, row.body, row.internal, row.author_kind, row.author_id, row.created_at)


def option_of(row: Row[Any]) -> TicketOption:
    """An option from its row."""
    return TicketOption(
        id=row.id,
        version=row.version,
        kind=OptionKind(row.kind),
        key=row.key,
        name=row.name,
        description=row.description,
        position=row.position,
        audience=Audience(row.audience),
        archived=row.archived,
        level=PriorityLevel(row.priority_level or PriorityLevel.NORMAL) if row.kind == OptionKind.PRIORITY else None,
    )


def _ticket_values(ticket: Ticket, *, old_columns: bool) -> dict[str, object]:
    old = {"message": ticket.description, "priority": ticket.priority.key} if old_columns else {}
    return {
        **old,
        "id": ticket.id,
        "version": ticket.version,
        "title": ticket.title,
        "description": ticket.description,
        "reporter_user_id": ticket.reporter.user_id,
        "reporter_name": ticket.reporter.external_name,
        "reporter_email": ticket.reporter.external_email,
        "source": ticket.source,
        "external_reference": ticket.external_reference,
        "service": ticket.service,
        "audience": ticket.audience.value,
        "people_suspected": ticket.people_suspected,
        "audience_decided": ticket.audience_decided,
        "status": ticket.status.value,
        "triage_state": ticket.triage_state.value,
        "triage_failure": ticket.triage_failure,
        "triage_requested_at": ticket.triage_requested_at,
        "category": ticket.category.key,
        "category_source": ticket.category.source.value,
        "priority_rank": rank_of_key(ticket.priority.key),
        "priority_source": ticket.priority.source.value,
        "team": ticket.team.key,
        "team_source": ticket.team.source.value,
        "suggestion": None if ticket.suggestion is None else suggestion_values(ticket.suggestion),
        "assignee_id": ticket.assignee_id,
        "log_ids": list(ticket.log_ids),
        "public_comment_count": ticket.public_comment_count,
        "internal_comment_count": ticket.internal_comment_count,
        "created_by_kind": ticket.created_by_kind,
        "created_by_id": ticket.created_by_id,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
    }


def _with_rank(ticket: Ticket, rank: int | None) -> Ticket:
    return replace(ticket, priority_level=None if rank is None else PriorityLevel(rank))


def _option_values(option: TicketOption) -> dict[str, object]:
    return {
        "id": option.id,
        "version": option.version,
        "kind": option.kind.value,
        "key": option.key,
        "name": option.name,
        "description": option.description,
        "position": option.position,
        "audience": option.audience.value,
        "priority_level": option.level,
        "archived": option.archived,
    }
