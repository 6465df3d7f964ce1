"""What can be done to a ticket: one function for each write, inside the caller's transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from chassis.db import WriteTx, guard_version
from chassis.errors import Forbidden, Internal, InvalidArgument
from chassis.ids import uuid7
from chassis.redaction import RedactionFailed, Redactor
from tickets_service import screening, similar, texts
from tickets_service.commands import (
    AddTicketComment,
    Assignee,
    AssignTicket,
    Change,
    ChangeTicketLogs,
    CreateTicket,
    RevealTicket,
    SaveTicketOption,
    UpdateTicket,
    UpdateTicketAudience,
    UpdateTicketStatus,
)
from tickets_service.domain import Ticket, TicketOption
from tickets_service.errors import (
    TicketAssigneeInvalid,
    TicketOptionNotFound,
    TicketOptionTaken,
    TicketReferenceTaken,
)
from tickets_service.facts import TicketOptionSaved
from tickets_service.store import OptionStore, TicketStore
from tickets_service.values import (
    Audience,
    Comment,
    OptionKind,
    PriorityLevel,
    Reporter,
    RevealedTicket,
    Value,
    ValueSource,
    Watcher,
)


async def create_ticket(cmd: CreateTicket, watcher: Watcher, tx: WriteTx, redactor: Redactor) -> Ticket:
    """Store a ticket; triage follows in the background. What looks like a matter for hr is hidden from ops at once.

    Raises:
        Forbidden: he may not name another reporter.
        TicketOptionNotFound: no such category, priority or team is offered.
        TicketReferenceTaken: a ticket with this source and external reference exists.
        Internal: a text could not be redacted.
    """
    title, description = _redacted(cmd.title, redactor), _redacted(cmd.description, redactor)
    reference = _redacted(cmd.external_reference, redactor)
    values = await _with_level(cmd.values, cmd.priority_level, tx)
    narrows = await narrow(values.items(), tx)
    audience = Audience.PEOPLE if narrows else cmd.audience
    ticket = Ticket(
        id=uuid7(),
        version=1,
        title=title,
        description=description,
        reporter=_reporter(cmd.reporter, watcher, redactor),
        source=cmd.source,
        external_reference=reference,
        service=_redacted(cmd.service, redactor),
        audience=audience,
        people_suspected=audience is Audience.GENERAL and screening.is_suspicious(title, description),
        category=_given(values, OptionKind.CATEGORY),
        priority=_given(values, OptionKind.PRIORITY),
        team=_given(values, OptionKind.TEAM),
        log_ids=cmd.log_ids,
        created_by_kind=tx.actor.kind,
        created_by_id=tx.actor.id,
        created_at=tx.now,
        updated_at=tx.now,
        triage_requested_at=tx.now,
    )
    store = TicketStore(tx)
    if reference and await store.is_reference_taken(cmd.source, reference, watcher):
        raise TicketReferenceTaken(
            f"a ticket with the reference {reference} exists already; look it up by its reference",
            source=cmd.source,
            external_reference=reference,
        )
    ticket = await store.add(ticket)
    await texts.keep_ticket(ticket, {"title": cmd.title, "description": cmd.description}, tx, new=True)
    await similar.add_words(ticket, tx)
    tx.changed(None, ticket, ticket.created())
    return ticket


async def update_ticket(cmd: UpdateTicket, watcher: Watcher, tx: WriteTx, redactor: Redactor) -> Ticket:
    """Replace what is given; a choice for hr narrows the audience too.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        InvalidArgument: nothing was given.
        Forbidden: he sees it only since he reported it.
        TicketOptionNotFound: no such category, priority or team is offered.
        Internal: a text could not be redacted.
    """
    if cmd.title is None and cmd.description is None and cmd.service is None and not (cmd.values or cmd.priority_level):
        raise InvalidArgument(
            "give title, description, category, priority_level, team or service to change", field="title"
        )
    before = await workable(cmd, watcher, tx)
    title = before.title if cmd.title is None else _redacted(cmd.title, redactor)
    description = before.description if cmd.description is None else _redacted(cmd.description, redactor)
    values = await _with_level(cmd.values, cmd.priority_level, tx)
    new = [(kind, key) for kind, key in values.items() if key and key != before.value(kind).key]
    ticket, fact = before.updated(
        title=title,
        description=description,
        service=before.service if cmd.service is None else _redacted(cmd.service, redactor),
        values=values,
        narrows=await narrow(new, tx),
        suspicious=(title, description) != (before.title, before.description)
        and screening.is_suspicious(title, description),
        at=tx.now,
    )
    # Also where the redacted words are those of before: what redaction takes out may have changed.
    await texts.keep_ticket(ticket, {"title": cmd.title, "description": cmd.description}, tx, new=False)
    if fact is None:
        return ticket
    return await saved(ticket, before, fact, tx)


async def update_ticket_status(cmd: UpdateTicketStatus, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Move the status.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
        TicketStatusTransitionInvalid: the state machine knows no such move.
    """
    before = await workable(cmd, watcher, tx)
    ticket, fact = before.moved_to(cmd.status, at=tx.now)
    return await saved(ticket, before, fact, tx)


async def update_ticket_audience(cmd: UpdateTicketAudience, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Decide who may see it.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        TicketAudienceForbidden: it would be widened by somebody who may not.
        TicketAudienceUnchanged: it is so already.
    """
    before = await _locked(cmd, watcher, tx)
    ticket, fact = before.shown_to(cmd.audience, watcher, at=tx.now)
    return await saved(ticket, before, fact, tx)


async def assign_ticket(cmd: AssignTicket, assignee: Assignee | None, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Hand it to somebody who may see it, or to nobody.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
        TicketAssigneeInvalid: the assignee is not active, or may not see it.
    """
    before = await workable(cmd, watcher, tx)
    if assignee is not None and not (
        assignee.active and before.is_visible_to(Watcher("user", str(assignee.user_id), assignee.role))
    ):
        raise TicketAssigneeInvalid(
            "this user is not active, or may not see the ticket; choose somebody else", field="assignee_id"
        )
    ticket, fact = before.assigned_to(cmd.assignee_id, at=tx.now)
    return await saved(ticket, before, fact, tx) if fact is not None else ticket


async def add_ticket_comment(
    cmd: AddTicketComment, watcher: Watcher, tx: WriteTx, redactor: Redactor
) -> tuple[Ticket, Comment]:
    """Say something on it.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: it is internal, and he sees the ticket only since he reported it.
        Internal: the text could not be redacted.
    """
    before = await _locked(cmd, watcher, tx)
    if cmd.internal:
        before.guard_worker(watcher)
    comment = Comment(
        id=uuid7(),
        ticket_id=before.id,
        body=_redacted(cmd.body, redactor),
        internal=cmd.internal,
        author_kind=tx.actor.kind,
        author_id=tx.actor.id,
        created_at=tx.now,
    )
    ticket, fact = before.commented(comment, at=tx.now)
    await TicketStore(tx).add_comment(comment)
    await texts.keep_comment(before, comment, cmd.body, tx)
    return await saved(ticket, before, fact, tx), comment


async def link_ticket_logs(cmd: ChangeTicketLogs, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Link logs to it, which exist.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
        TicketLogsExceeded: they would be too many.
    """
    before = await workable(cmd, watcher, tx)
    ticket, fact = before.with_logs(cmd.log_ids, at=tx.now)
    return await saved(ticket, before, fact, tx) if fact is not None else ticket


async def unlink_ticket_logs(cmd: ChangeTicketLogs, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Take logs away from it.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
        TicketLogNotLinked: it has none of them.
    """
    before = await workable(cmd, watcher, tx)
    ticket, fact = before.without_logs(cmd.log_ids, at=tx.now)
    return await saved(ticket, before, fact, tx)


async def retriage_ticket(cmd: Change, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Send it back to where it waits for triage.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
        TicketTriageInProgress: it waits already.
    """
    before = await workable(cmd, watcher, tx)
    ticket, fact = before.retriaged(at=tx.now)
    return await saved(ticket, before, fact, tx)


async def reveal_ticket(cmd: RevealTicket, watcher: Watcher, tx: WriteTx, redactor: Redactor) -> RevealedTicket:
    """All that was written on a ticket, whole, for a reason that is kept with who asked for it.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        Forbidden: its words are not his to read whole.
        Internal: the reason could not be redacted.
    """
    ticket = await TicketStore(tx).get_for_update(cmd.ticket_id, watcher)
    ticket.guard_reveal(watcher)
    revealed = await texts.open_ticket(ticket, watcher, tx)
    reason = _redacted(cmd.reason, redactor)
    detail = {"comment_count": len(revealed.comments)}
    await tx.audit("ticket.revealed", subject_type="ticket", subject_id=ticket.id, reason=reason, detail=detail)
    return revealed


async def save_ticket_option(cmd: SaveTicketOption, tx: WriteTx, redactor: Redactor) -> TicketOption:
    """Make or change a category, priority or team.

    Raises:
        Internal: a text could not be redacted.
        TicketOptionTaken: a new one has a key that exists.
        TicketOptionNotFound: there is none to change.
        VersionConflict: the option changed since it was read.
    """
    store = OptionStore(tx)
    before = await store.find(cmd.kind, cmd.key, lock=True)
    if cmd.expected_version == 0 and before is not None:
        raise TicketOptionTaken(
            f"the {cmd.kind.field} {cmd.key} exists already; give its version to change it", key=cmd.key
        )
    if cmd.expected_version and before is None:
        raise TicketOptionNotFound(
            f"no {cmd.kind.field} has the key {cmd.key!r}; give version 0 to make it", field="option.key", key=cmd.key
        )
    if before is not None:
        guard_version(expected=cmd.expected_version, actual=before.version, kind="ticket_option", id=before.id)
    option = TicketOption(
        id=uuid7() if before is None else before.id,
        version=1 if before is None else before.version + 1,
        kind=cmd.kind,
        key=cmd.key,
        name=_redacted(cmd.name, redactor),
        description=_redacted(cmd.description, redactor),
        position=cmd.position,
        audience=cmd.audience,
        archived=cmd.archived,
        level=_level_of(cmd, before),
    )
    await (store.add(option) if before is None else store.save(option))
    tx.publish(TicketOptionSaved(option.id, option.version, option.kind, option.key))
    return option


async def count_words(tx: WriteTx) -> bool:
    """Take the words of some tickets that wait for it into the numbers that tell how rare each is; whether more wait.

    What a ticket says counts for those alone who may see it, also when that changes.
    """
    return await similar.count_new_words(tx) == similar.COUNTED_AT_ONCE


async def _locked(cmd: Change, watcher: Watcher, tx: WriteTx) -> Ticket:
    """The ticket in the version that was read; whether it exists for him comes before its version."""
    ticket = await TicketStore(tx).get_for_update(cmd.ticket_id, watcher)
    guard_version(expected=cmd.expected_version, actual=ticket.version, kind="ticket", id=ticket.id)
    return ticket


async def workable(cmd: Change, watcher: Watcher, tx: WriteTx) -> Ticket:
    """The ticket in the version that was read, for somebody whose work it is.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
    """
    ticket = await _locked(cmd, watcher, tx)
    ticket.guard_worker(watcher)
    return ticket


async def saved(ticket: Ticket, before: Ticket, fact: object, tx: WriteTx) -> Ticket:
    """Write a changed ticket over the one that it was made from, which is locked, and tell the fact."""
    ticket = await TicketStore(tx).save(ticket, expected_version=before.version)
    await similar.change_words(ticket, before, tx)
    tx.changed(before, ticket, fact)
    if ticket.audience is not before.audience:
        detail = {"previous_audience": before.audience.value, "audience": ticket.audience.value}
        await tx.audit("ticket.audience_changed", subject_type="ticket", subject_id=ticket.id, detail=detail)
    return ticket


async def narrow(chosen: Iterable[tuple[OptionKind, str]], tx: WriteTx) -> bool:
    """Whether one of the choices, all of which are offered, makes a ticket a matter for hr."""
    options = [await OptionStore(tx).chosen(kind, key) for kind, key in chosen]
    return any(option.audience is Audience.PEOPLE for option in options)


def _given(values: Mapping[OptionKind, str], kind: OptionKind) -> Value:
    return Value(values[kind], ValueSource.PERSON) if kind in values else Value()


def _level_of(cmd: SaveTicketOption, before: TicketOption | None) -> PriorityLevel | None:
    if cmd.kind is not OptionKind.PRIORITY:
        return None
    named = PriorityLevel.__members__.get(cmd.key.upper(), PriorityLevel.NORMAL)
    return cmd.level or (named if before is None else before.level)


async def _with_level(
    values: Mapping[OptionKind, str], level: PriorityLevel | None, tx: WriteTx
) -> Mapping[OptionKind, str]:
    """The choices with the key of a priority that was given by its level."""
    if level is None:
        return values
    options = OptionStore(tx)
    key = values.get(OptionKind.PRIORITY) or await options.offered_for(level)
    if (await options.chosen(OptionKind.PRIORITY, key)).level is not level:
        raise InvalidArgument(f"the priority {key} is not {level.name}; give one of them", field="priority_level")
    return {**values, OptionKind.PRIORITY: key}


def _reporter(named: Reporter | None, watcher: Watcher, redactor: Redactor) -> Reporter:
    himself = Reporter(UUID(watcher.id)) if watcher.kind == "user" else Reporter()
    if named is None or named == himself:
        return himself
    if watcher.kind == "user" and not watcher.role:
        raise Forbidden("you can report for yourself only; leave the reporter empty", field="reporter")
    return replace(named, external_name=_redacted(named.external_name, redactor))


def _redacted(text: str, redactor: Redactor) -> str:
    try:
        return redactor.redact(text)
    except RedactionFailed as error:
        raise Internal("the text could not be redacted, so nothing was stored; report this") from error
