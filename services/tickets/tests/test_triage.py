"""What triage stores, beside what people do at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from services.tickets.tests.factories import ADMIN, MOMENT, OPS, Published, decision, make_ticket
from sqlalchemy import text

from chassis.db import Database, UnitOfWork
from chassis.errors import Forbidden, VersionConflict
from chassis.redaction import Redactor
from tickets_service import queries, triage, usecases
from tickets_service.commands import Change, UpdateTicket
from tickets_service.domain import Ticket, TicketOption
from tickets_service.errors import TicketOptionNotFound, TicketSuggestionNotFound
from tickets_service.store import OptionStore, TicketStore
from tickets_service.values import (
    Audience,
    Choice,
    OptionKind,
    Reporter,
    Suggestion,
    TicketStatus,
    TriageDecision,
    TriageState,
    Value,
    ValueSource,
    Watcher,
)

Decide = Callable[..., Awaitable[None]]
PERSON, TRIAGE = ValueSource.PERSON, ValueSource.TRIAGE


async def stored(uow: UnitOfWork, ticket: Ticket) -> Ticket:
    async with uow.begin() as tx:
        return await TicketStore(tx).add(ticket)


async def changed(uow: UnitOfWork, ticket: Ticket, **changes: Any) -> Ticket:
    """The ticket as somebody left it meanwhile."""
    meanwhile = replace(ticket, version=ticket.version + 1, **changes)
    async with uow.begin() as tx:
        return await TicketStore(tx).save(meanwhile, expected_version=ticket.version)


async def read(database: Database, ticket: Ticket) -> Ticket:
    async with database.read() as tx:
        return await queries.get_ticket(ticket.id, ADMIN, tx)


@pytest_asyncio.fixture
async def offered(database: Database) -> list[TicketOption]:
    async with database.read() as tx:
        return await queries.list_options(tx)


@pytest.fixture
def decide(uow: UnitOfWork, offered: list[TicketOption]) -> Decide:
    """Stores what an engine decided about a ticket as it was read."""

    async def decide_(given: TriageDecision, read: Ticket) -> None:
        async with uow.begin() as tx:
            await triage.store_decision(given, read, offered, tx)

    return decide_


@pytest.mark.parametrize(("state", "failure"), [(TriageState.TRIAGED, ""), (TriageState.FAILED, "away")])
async def test_a_ticket_that_does_not_wait_takes_no_failure(
    uow: UnitOfWork, database: Database, published: Published, state: TriageState, failure: str
) -> None:
    ticket = await stored(uow, make_ticket(triage_state=state, triage_failure=failure))

    async with uow.begin() as tx:
        await triage.store_failure(ticket.id, "other", tx)

    assert await read(database, ticket) == ticket
    assert await published(database) == []


async def test_a_triaged_ticket_takes_no_decision_that_says_nothing_new(
    uow: UnitOfWork, database: Database, published: Published, decide: Decide
) -> None:
    keys = {kind.field: Value(decision().choice(kind).value, PERSON) for kind in OptionKind}
    ticket = await stored(uow, make_ticket(triage_state=TriageState.TRIAGED, **keys))

    await decide(decision(), ticket)

    assert await read(database, ticket) == ticket
    assert await published(database) == []


@pytest.mark.parametrize(
    "change",
    [
        {"assignee_id": make_ticket().id},
        {"status": TicketStatus.IN_PROGRESS},
        {"public_comment_count": 1},
        {"log_ids": (make_ticket().id,)},
    ],
)
async def test_a_decision_is_laid_over_what_has_nothing_to_do_with_it(
    uow: UnitOfWork, database: Database, decide: Decide, change: dict[str, Any]
) -> None:
    ticket = await stored(uow, make_ticket(priority=Value("low", PERSON)))
    meanwhile = await changed(uow, ticket, **change)

    await decide(decision(), ticket)
    after = await read(database, ticket)

    assert {name: getattr(after, name) for name in change} == {name: getattr(meanwhile, name) for name in change}
    assert (after.version, after.category, after.priority.key, after.team.key) == (
        3, Value("bug", TRIAGE), "low", "development",
    )  # fmt: skip
    assert after.triage is not None
    assert (after.triage.ticket_version, after.triage.kept, after.suggestion) == (1, ("priority",), None)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"description": "Other"},
        {"service": "other"},
        {"category": Value("question", PERSON)},
        {"priority": Value("low", PERSON)},
        {"team": Value("support", PERSON)},
        {"audience": Audience.PEOPLE},
        {"audience": Audience.GENERAL, "audience_decided": True},
        {"people_suspected": True},
    ],
)
async def test_a_decision_about_what_changed_since_is_a_suggestion(
    uow: UnitOfWork, database: Database, published: Published, decide: Decide, change: dict[str, Any]
) -> None:
    ticket = await stored(uow, make_ticket())
    meanwhile = await changed(uow, ticket, **change)
    given = decision()

    await decide(given, ticket)
    after = await read(database, ticket)

    name = "audience" if {"audience", "people_suspected"} & change.keys() else next(iter(change))
    assert after == replace(
        meanwhile,
        version=3,
        updated_at=after.updated_at,
        triage_state=TriageState.TRIAGED,
        suggestion=Suggestion(given, (name,)),
    )
    ((subject, envelope),) = await published(database)
    assert (subject, envelope.aggregate_version) == ("aiops.tickets.ticket.triage_suggested.v1", 3)
    async with database.read() as tx:
        assert await tx.fetch_all(text("SELECT id FROM triage_decisions")) == []


async def test_a_decision_from_other_options_is_a_suggestion(
    uow: UnitOfWork, database: Database, decide: Decide, offered: list[TicketOption]
) -> None:
    ticket = await stored(uow, make_ticket())
    async with uow.begin() as tx:
        await OptionStore(tx).save(replace(offered[0], version=2, description="Something else."))

    await decide(decision(), ticket)
    after = await read(database, ticket)

    assert after.suggestion is not None
    assert (after.suggestion.changed, after.category.key) == (("options",), "")


@pytest.mark.parametrize(
    ("given", "decided", "suspected"),
    [
        ({"people_suspected": True, "people_confidence": 1.0}, False, True),
        ({"people_suspected": True, "people_confidence": 1.0}, True, False),
        ({"category": Choice("people", 0.6, uncertain=False)}, False, True),
        ({}, False, False),
    ],
)
async def test_what_is_only_suggested_hides_a_matter_of_hr_all_the_same(
    *, uow: UnitOfWork, database: Database, decide: Decide, given: dict[str, Any], decided: bool, suspected: bool
) -> None:
    ticket = await stored(uow, make_ticket(audience_decided=decided))
    await changed(uow, ticket, title="Other")

    await decide(decision(**given), ticket)
    after = await read(database, ticket)

    assert (after.people_suspected, after.audience, after.category.key) == (suspected, Audience.GENERAL, "")


@pytest.mark.parametrize(("source", "audience"), [(TRIAGE, Audience.PEOPLE), (PERSON, Audience.GENERAL)])
async def test_a_choice_for_people_narrows_unless_a_person_chose_otherwise(
    uow: UnitOfWork, database: Database, decide: Decide, source: ValueSource, audience: Audience
) -> None:
    ticket = await stored(uow, make_ticket(category=Value("bug", source)))

    await decide(decision(category=Choice("people", 0.6, uncertain=False)), ticket)

    assert (await read(database, ticket)).audience is audience


async def test_the_same_decision_from_four_sides_is_stored_once(
    uow: UnitOfWork, database: Database, published: Published, decide: Decide
) -> None:
    ticket = await stored(uow, make_ticket())

    await asyncio.gather(*(decide(decision(created_at=MOMENT), ticket) for _ in range(4)))

    assert (await read(database, ticket)).version == 2
    assert len(await published(database)) == 1


@pytest.mark.parametrize("attempt", range(5))
async def test_a_race_of_persons_and_triage_loses_neither(
    uow: UnitOfWork, database: Database, published: Published, decide: Decide, redactor: Redactor, attempt: int
) -> None:
    ticket = await stored(uow, make_ticket())
    keys = ("incident", "question", "access", "billing")

    async def choose(key: str) -> str | None:
        wish = UpdateTicket(
            ticket.id,
            1,
            title=None,
            description=None,
            priority_level=None,
            service=None,
            values={OptionKind.CATEGORY: key},
        )
        try:
            async with uow.begin() as tx:
                await usecases.update_ticket(wish, OPS, tx, redactor)
        except VersionConflict:
            return None
        return key

    async def decided() -> None:
        await asyncio.sleep(0.002 * attempt)
        await decide(decision(), ticket)

    *chosen, _ = await asyncio.gather(*(choose(key) for key in keys), decided())
    after = await read(database, ticket)

    stayed = [key for key in chosen if key is not None]
    assert len(stayed) <= 1
    if stayed:
        assert after.category == Value(stayed[0], PERSON)
        assert after.suggestion is not None
        assert (after.version, after.suggestion.changed) == (3, ("category",))
    else:
        assert (after.version, after.category, after.suggestion) == (2, Value("bug", TRIAGE), None)
    assert [envelope.aggregate_version for _, envelope in await published(database)] == list(
        range(2, after.version + 1)
    )


async def test_a_person_accepts_a_suggestion_as_his_choice(uow: UnitOfWork, database: Database, decide: Decide) -> None:
    ticket = await stored(uow, make_ticket())
    await changed(uow, ticket, category=Value("question", PERSON))
    given = decision(team=Choice())
    await decide(given, ticket)

    async with uow.begin() as tx:
        await triage.accept_suggestion(Change(ticket.id, 3), OPS, tx)
    after = await read(database, ticket)

    assert (after.version, after.category, after.priority, after.team) == (
        4, Value("bug", PERSON), Value("high", PERSON), Value(),
    )  # fmt: skip
    assert after.triage is not None
    assert (after.suggestion, replace(after.triage, id=given.id)) == (None, given)


async def test_a_person_dismisses_a_suggestion(uow: UnitOfWork, database: Database, decide: Decide) -> None:
    ticket = await stored(uow, make_ticket())
    meanwhile = await changed(uow, ticket, category=Value("question", PERSON))
    await decide(decision(), ticket)

    async with uow.begin() as tx:
        await triage.dismiss_suggestion(Change(ticket.id, 3), OPS, tx)
    after = await read(database, ticket)

    assert after == replace(meanwhile, version=4, updated_at=after.updated_at, triage_state=TriageState.TRIAGED)


@pytest.mark.parametrize("verb", [triage.accept_suggestion, triage.dismiss_suggestion])
@pytest.mark.parametrize(
    ("version", "watcher", "refusal"),
    [(2, OPS, VersionConflict), (3, Watcher("user", OPS.id), Forbidden), (4, OPS, TicketSuggestionNotFound)],
)
async def test_who_may_not_or_comes_late_changes_nothing(
    uow: UnitOfWork, database: Database, published: Published, decide: Decide,
    verb: Any, version: int, watcher: Watcher, refusal: type[Exception],
) -> None:  # fmt: skip
    ticket = await stored(uow, make_ticket(reporter=Reporter(UUID(OPS.id))))
    await changed(uow, ticket, title="Other")
    await decide(decision(), ticket)
    if version == 4:
        await changed(uow, await read(database, ticket), suggestion=None)
    before, told = await read(database, ticket), await published(database)

    with pytest.raises(refusal):
        async with uow.begin() as tx:
            await verb(Change(ticket.id, version), watcher, tx)

    assert await read(database, ticket) == before
    assert await published(database) == told


async def test_a_suggestion_of_what_is_not_offered_any_more_is_refused(
    uow: UnitOfWork, database: Database, decide: Decide, offered: list[TicketOption]
) -> None:
    ticket = await stored(uow, make_ticket())
    await changed(uow, ticket, title="Other")
    await decide(decision(), ticket)
    before = await read(database, ticket)
    (bug,) = [option for option in offered if option.key == "bug"]
    async with uow.begin() as tx:
        await OptionStore(tx).save(replace(bug, version=2, archived=True))

    with pytest.raises(TicketOptionNotFound):
        async with uow.begin() as tx:
            await triage.accept_suggestion(Change(ticket.id, 3), OPS, tx)

    assert await read(database, ticket) == before


async def test_the_next_decision_that_is_applied_replaces_the_suggestion(
    uow: UnitOfWork, database: Database, decide: Decide
) -> None:
    ticket = await stored(uow, make_ticket())
    await changed(uow, ticket, title="Other")
    await decide(decision(), ticket)

    again = await read(database, ticket)
    waiting = await changed(uow, again, triage_state=TriageState.PENDING)
    await decide(decision(category=Choice("question", 0.9, uncertain=False)), waiting)
    after = await read(database, ticket)

    assert (after.suggestion, after.category) == (None, Value("question", TRIAGE))
