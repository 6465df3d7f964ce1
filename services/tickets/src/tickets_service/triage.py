"""What triage writes, and what people make of its suggestions: inside the caller's transaction, never over a person."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from chassis.db import WriteTx
from chassis.ids import uuid7
from tickets_service.commands import Change
from tickets_service.domain import Ticket, TicketOption
from tickets_service.store import OptionStore, TicketStore
from tickets_service.usecases import narrow, saved, workable
from tickets_service.values import OptionKind, TriageDecision, TriageState, ValueSource, Watcher

_MACHINE = Watcher("service", "tickets")


async def store_decision(
    decision: TriageDecision, read: Ticket, offered: Sequence[TicketOption], tx: WriteTx
) -> Ticket | None:
    """Give a ticket what triage decided about it as it was read, with these options; None when that is nothing new.

    What the engine read or what the decision would write may have changed since. Then the decision stands beside the
    ticket as a suggestion. What has nothing to do with it, such as a comment, an assignee or a status, stays as it is.

    Raises:
        TicketNotFound: no ticket has this id.
    """
    store = TicketStore(tx)
    before = await store.get_for_update(read.id, _MACHINE)
    if before.triage_state is TriageState.TRIAGED and not before.differs_from(decision):
        return None
    options = [option for option in await OptionStore(tx).all() if not option.archived]
    changed = before.changed_since(read)
    if set(options) != set(offered):
        changed = (*changed, "options")
    if changed:
        people = await _is_for_people(decision, tx)
        ticket, suggested = before.suggested(decision, changed, narrows=people, at=tx.now)
        return await saved(ticket, before, suggested, tx)
    # A choice that a person's own replaces has no effect on who sees the ticket either.
    free = [kind for kind in OptionKind if before.value(kind).source is not ValueSource.PERSON]
    people = await _is_for_people(decision, tx, free)
    ticket, fact = before.triaged(decision, narrows=people, at=tx.now)
    assert ticket.triage is not None, "it was just given"
    await store.add_decision(ticket.id, ticket.triage)
    return await saved(ticket, before, fact, tx)


async def store_failure(ticket_id: UUID, failure: str, tx: WriteTx) -> None:
    """Say why a ticket has no decision; one that does not wait for it stays as it is.

    Raises:
        TicketNotFound: no ticket has this id.
    """
    before = await TicketStore(tx).get_for_update(ticket_id, _MACHINE)
    if before.triage_state is TriageState.PENDING:
        ticket, fact = before.triage_failed(failure, at=tx.now)
        await saved(ticket, before, fact, tx)


async def accept_suggestion(cmd: Change, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Take over what triage suggested, as a person's choice; a choice for hr narrows the audience too.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
        TicketSuggestionNotFound: none waits.
        TicketOptionNotFound: one of the choices is not offered any more.
    """
    before = await workable(cmd, watcher, tx)
    # A row of its own, the newest now: others may have been stored since the engine gave it.
    decision = replace(before.suggested_decision, id=uuid7())
    chosen = [(kind, key) for kind in OptionKind if (key := decision.choice(kind).value)]
    ticket, fact = before.with_decision(decision, narrows=await narrow(chosen, tx), at=tx.now)
    await TicketStore(tx).add_decision(ticket.id, decision)
    return await saved(ticket, before, fact, tx)


async def dismiss_suggestion(cmd: Change, watcher: Watcher, tx: WriteTx) -> Ticket:
    """Put what triage suggested away; history keeps it.

    Raises:
        TicketNotFound: no ticket has this id, or not for him.
        VersionConflict: the ticket changed since it was read.
        Forbidden: he sees it only since he reported it.
        TicketSuggestionNotFound: none waits.
    """
    before = await workable(cmd, watcher, tx)
    ticket, fact = before.without_suggestion(at=tx.now)
    return await saved(ticket, before, fact, tx)


async def _is_for_people(
    decision: TriageDecision, tx: WriteTx, kinds: Sequence[OptionKind] = tuple(OptionKind)
) -> bool:
    chosen = {kind: key for kind in kinds if (key := decision.choice(kind).value)}
    return bool(chosen) and await OptionStore(tx).is_one_for_people(chosen)
