"""What happens to a ticket that waits for triage, on real NATS: once, again, out of order, and when it cannot work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from nats.aio.client import Client as Nats
from services.tickets.tests.factories import KEY, UNKNOWN, Call, Create, Published, ScriptedAi, answer
from sqlalchemy import text

from aiops.ai.v1.ai_service_pb2 import TriageTicketRequest, TriageTicketResponse
from aiops.ai.v1.triage_pb2 import Choice
from aiops.events.v1.envelope_pb2 import Envelope
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from aiops.tickets.v1.events_pb2 import TicketCreated, TicketTriageRequested
from chassis.db import Database
from chassis.errors import Internal, InvalidArgument, Unavailable
from chassis.identity import Viewer
from chassis.ids import uuid7
from chassis.inbox import inbox
from chassis.rpc.client import Client
from chassis.testing.harness import Installation, RunningService
from chassis.testing.plugin import TestNats

Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
Settled = Callable[..., Awaitable[ticket_pb.Ticket]]
CREATED = "aiops.tickets.ticket.created.v1"
TRIAGED, FAILED = ticket_pb.TRIAGE_STATE_TRIAGED, ticket_pb.TRIAGE_STATE_FAILED


@pytest_asyncio.fixture
async def nats(nats_server: TestNats) -> AsyncIterator[Nats]:
    """A user who may do everything; the streams are empty at the start."""
    client = Nats()
    await client.connect(nats_server.url, user="operator", password=nats_server.operator_password)
    for stream in await client.jetstream().streams_info():
        await client.jetstream().delete_stream(str(stream.config.name))
    yield client
    await client.close()


@pytest.fixture
def eventually() -> Eventually:
    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await condition():  # noqa: ASYNC110 - what is waited for happens in the database
                await asyncio.sleep(0.05)

    return wait


@pytest.fixture(autouse=True)
def admin(installation: Installation) -> Iterator[Viewer]:
    """Calls are made for an admin, who sees every ticket."""
    with installation.as_viewer("admin") as viewer:
        yield viewer


@pytest.fixture
def client(nats: Nats, working: RunningService) -> Client:
    return working.client()


@pytest.fixture
def settled(ask: Call, eventually: Eventually) -> Settled:
    """Waits until a ticket is in a triage state and a version, and gives it."""

    async def settled_(ticket_id: str, state: int, *, version: int = 2) -> ticket_pb.Ticket:
        async def read() -> ticket_pb.Ticket:
            ticket: ticket_pb.Ticket = (
                await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[ticket_id]))
            ).tickets[0]
            return ticket

        async def is_there() -> bool:
            ticket = await read()
            return ticket.triage_state == state and ticket.version >= version

        await eventually(is_there)
        return await read()

    return settled_


async def test_a_created_ticket_gets_a_decision_with_reasons(
    create: Create, settled: Settled, ai: ScriptedAi, database: Database, published: Published
) -> None:
    created = await create("Checkout is down", message="502", service="shop", team="support")

    ticket = await settled(created.id, TRIAGED)

    assert (ticket.version, ticket.category, ticket.priority, ticket.team) == (2, "bug", "normal", "support")
    assert (ticket.category_source, ticket.team_source) == (
        ticket_pb.VALUE_SOURCE_TRIAGE, ticket_pb.VALUE_SOURCE_PERSON,
    )  # fmt: skip
    assert (ticket.triage.engine, ticket.triage.ticket_version) == ("builtin", 1)
    assert (ticket.triage.team.value, list(ticket.triage.kept)) == ("development", ["team"])
    (reason,) = ticket.triage.category.reasons
    assert (reason.field, reason.start, reason.end, reason.quote) == (ticket_pb.TICKET_FIELD_TITLE, 0, 8, "Checkout")
    (request,) = ai.requests
    assert request.idempotency_key.startswith("tickets-triage:")
    assert (request.ticket.title, request.ticket.message, request.ticket.service) == ("Checkout is down", "502", "shop")
    assert [option.key for option in request.priorities] == ["urgent", "high", "normal", "low"]
    assert all(option.description for option in (*request.categories, *request.teams))
    assert [(subject, envelope.aggregate_version) for subject, envelope in await published(database)] == [
        (CREATED, 1), ("aiops.tickets.ticket.triaged.v1", 2),
    ]  # fmt: skip


async def test_a_redelivered_event_has_no_second_effect(
    create: Create, settled: Settled, nats: Nats, ai: ScriptedAi, database: Database, published: Published,
    eventually: Eventually,
) -> None:  # fmt: skip
    ticket = await settled((await create()).id, TRIAGED)
    ((_, envelope), _) = await published(database)
    stream = nats.jetstream()

    again = await stream.publish(CREATED, envelope.SerializeToString(), headers={"Nats-Msg-Id": "again"})

    async def is_acknowledged() -> bool:
        info = await stream.consumer_info("TICKETS", "tickets-triage")
        return info.ack_floor is not None and info.ack_floor.stream_seq >= again.seq

    await eventually(is_acknowledged)
    assert await settled(ticket.id, TRIAGED) == ticket
    assert (len(ai.requests), len(await published(database))) == (1, 2)


async def test_an_older_event_that_comes_late_changes_nothing(
    create: Create, settled: Settled, nats: Nats, ai: ScriptedAi, database: Database, eventually: Eventually,
    published: Published,
) -> None:  # fmt: skip
    ticket = await settled((await create()).id, TRIAGED)
    late = event(ticket.id, TicketCreated(ticket_id=ticket.id))

    await nats.jetstream().publish(CREATED, late.SerializeToString())

    async def is_handled() -> bool:
        async with database.read() as tx:
            return await tx.fetch_one(inbox.select().where(inbox.c.event_id == UUID(late.id))) is not None

    await eventually(is_handled)
    assert await settled(ticket.id, TRIAGED) == ticket
    assert (len(ai.requests), len(await published(database))) == (1, 2)


@pytest.mark.parametrize("unknown", [False, True])
async def test_poison_is_buried_and_the_stream_goes_on(
    *, create: Create, settled: Settled, nats: Nats, database: Database, eventually: Eventually, unknown: bool
) -> None:
    first = await settled((await create("First")).id, TRIAGED)
    data = event(UNKNOWN, TicketCreated(ticket_id=UNKNOWN)).SerializeToString() if unknown else b"\xff\xff\xff"

    await nats.jetstream().publish(CREATED, data)

    async def is_buried() -> bool:
        async with database.read() as tx:
            rows = await tx.fetch_all(text("SELECT consumer FROM dead_letters"))
        return [row.consumer for row in rows] == ["tickets-triage"]

    await eventually(is_buried)
    second = await settled((await create("Second")).id, TRIAGED)
    assert (first.version, second.version) == (2, 2)


async def test_a_ticket_is_triaged_again_and_keeps_what_a_person_gave(
    create: Create, settled: Settled, ask: Call, ai: ScriptedAi, database: Database
) -> None:
    ticket = await settled((await create()).id, TRIAGED)
    values: dict[str, Any] = {"idempotency_key": KEY, "ticket_id": ticket.id}
    await ask("UpdateTicket", pb.UpdateTicketRequest(**values, expected_version=2, category="incident"))
    ai.answer = lambda request: answer(request, category="question", priority="low", team="support")

    waiting = (await ask("RetriageTicket", pb.RetriageTicketRequest(**values, expected_version=3))).ticket
    again = await settled(ticket.id, TRIAGED, version=5)

    assert (waiting.version, waiting.triage_state) == (4, ticket_pb.TRIAGE_STATE_PENDING)
    assert (again.version, again.category, again.priority, again.team) == (5, "incident", "low", "support")
    assert (again.triage.category.value, list(again.triage.kept)) == ("question", ["category"])
    async with database.read() as tx:
        assert len(await tx.fetch_all(text("SELECT id FROM triage_decisions"))) == 2


@pytest.mark.parametrize(
    ("category", "people", "audience", "suspected"),
    [
        ("bug", 0.0, ticket_pb.TICKET_AUDIENCE_GENERAL, False),
        ("bug", 0.5, ticket_pb.TICKET_AUDIENCE_GENERAL, True),
        ("bug", 0.9, ticket_pb.TICKET_AUDIENCE_PEOPLE, False),
        ("people", 0.0, ticket_pb.TICKET_AUDIENCE_PEOPLE, False),
    ],
)
async def test_triage_hides_what_it_takes_for_a_matter_of_hr(
    *, create: Create, settled: Settled, ask: Call, ai: ScriptedAi, installation: Installation,
    category: str, people: float, audience: int, suspected: bool,
) -> None:  # fmt: skip
    ai.answer = lambda request: answer(request, category=category, priority="low", team="support", people=people)

    ticket = await settled((await create(reporter={"external_name": "Ada"})).id, TRIAGED)

    assert (ticket.audience, ticket.people_suspected) == (audience, suspected)
    assert ticket.triage.people_suspected == bool(people)
    with installation.as_viewer("ops"):
        seen = (await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[ticket.id]))).tickets
    assert len(seen) == (audience == ticket_pb.TICKET_AUDIENCE_GENERAL and not suspected)


async def test_what_hr_decided_is_not_suspected_again(
    create: Create, settled: Settled, ask: Call, ai: ScriptedAi, installation: Installation
) -> None:
    ai.answer = lambda request: answer(request, category="people", priority="low", team="people", people=1.0)
    ticket = await settled((await create(reporter={"external_name": "Ada"})).id, TRIAGED)
    values: dict[str, Any] = {"idempotency_key": KEY, "ticket_id": ticket.id}

    with installation.as_viewer("hr"):
        general = ticket_pb.TICKET_AUDIENCE_GENERAL
        await ask(
            "UpdateTicketAudience", pb.UpdateTicketAudienceRequest(**values, expected_version=2, audience=general)
        )
    with installation.as_viewer("ops"):
        await ask("RetriageTicket", pb.RetriageTicketRequest(**values, expected_version=3))
    again = await settled(ticket.id, TRIAGED, version=5)

    assert (again.audience, again.people_suspected, again.category) == (general, False, "people")


async def test_what_the_ticket_does_not_bear_out_is_uncertain(create: Create, settled: Settled, ai: ScriptedAi) -> None:
    def inventive(request: TriageTicketRequest) -> TriageTicketResponse:
        response = answer(request, category="bug", priority="yesterday", team="development")
        response.category.reasons[0].quote = "words that nobody wrote"
        response.team.CopyFrom(Choice(uncertain=True, confidence=0.2))
        return response

    ai.answer = inventive

    ticket = await settled((await create()).id, TRIAGED)

    assert (ticket.category, ticket.priority, ticket.team) == ("", "", "")
    choices = (ticket.triage.category, ticket.triage.priority, ticket.triage.team)
    assert [(choice.value, choice.uncertain) for choice in choices] == [("", True)] * 3
    assert list(ticket.triage.category.reasons) == []


async def test_a_decision_about_a_title_that_changed_meanwhile_waits_for_a_person(
    create: Create, settled: Settled, ask: Call, ai: ScriptedAi, published: Published, database: Database
) -> None:
    arrived, may_answer = asyncio.Event(), asyncio.Event()
    answered = ai.answer_slowly(arrived, may_answer)
    ticket = await create("Checkout is down")

    await asyncio.wait_for(arrived.wait(), 20)
    values: dict[str, Any] = {"idempotency_key": KEY, "ticket_id": ticket.id}
    await ask("UpdateTicket", pb.UpdateTicketRequest(**values, expected_version=1, title="Printer hums"))
    may_answer.set()
    suggested = await settled(ticket.id, TRIAGED)
    accept = pb.AcceptTicketSuggestionRequest(**values, expected_version=3)
    accepted = (await ask("AcceptTicketSuggestion", accept)).ticket
    again = (await ask("AcceptTicketSuggestion", accept)).ticket

    assert (suggested.version, suggested.category, suggested.HasField("triage")) == (3, "", False)
    assert (list(suggested.suggestion.changed), suggested.suggestion.decision.ticket_version) == (["title"], 1)
    assert suggested.suggestion.decision.category.reasons[0].quote == "Checkout"
    assert [request.ticket.title for request in answered] == ["Checkout is down"]
    assert (accepted.version, accepted.category, accepted.category_source) == (4, "bug", ticket_pb.VALUE_SOURCE_PERSON)
    assert (accepted.HasField("suggestion"), accepted.triage.run_id) == (False, suggested.suggestion.decision.run_id)
    assert again == accepted
    assert [subject.rsplit(".", 2)[1] for subject, _ in await published(database)] == [
        "created", "updated", "triage_suggested", "suggestion_accepted",
    ]  # fmt: skip


async def test_a_failing_ai_is_asked_again(create: Create, settled: Settled, ai: ScriptedAi) -> None:
    ai.errors = [Internal(), Internal()]

    ticket = await settled((await create()).id, TRIAGED)

    assert (ticket.version, len(ai.requests)) == (2, 3)
    assert len({request.idempotency_key for request in ai.requests}) == 1


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (Unavailable(dependency="model"),
         "The ai service could not be reached; have the ticket triaged again once it is back."),
        (InvalidArgument("no", field="ticket"),
         ("No decision could be made (INVALID_ARGUMENT); have the ticket triaged again, "
          "or look for its id in the logs.")),
    ],
)  # fmt: skip
async def test_without_any_decision_the_ticket_says_why_and_can_be_triaged_again(
    create: Create, settled: Settled, ask: Call, ai: ScriptedAi, database: Database, published: Published,
    error: Any, failure: str,
) -> None:  # fmt: skip
    ai.errors = [error]

    failed = await settled((await create()).id, FAILED)
    retry = pb.RetriageTicketRequest(idempotency_key=KEY, ticket_id=failed.id, expected_version=2)
    await ask("RetriageTicket", retry)
    triaged = await settled(failed.id, TRIAGED, version=4)

    assert (failed.version, failed.triage_failure, failed.HasField("triage")) == (2, failure, False)
    assert (triaged.version, triaged.triage_failure, triaged.category) == (4, "", "bug")
    assert [subject.rsplit(".", 2)[1] for subject, _ in await published(database)] == [
        "created", "triage_failed", "triage_requested", "triaged",
    ]  # fmt: skip


def event(ticket_id: str, payload: TicketCreated | TicketTriageRequested) -> Envelope:
    """An event as it would travel for version 1 of a ticket."""
    return Envelope(
        id=str(uuid7()), type=payload.DESCRIPTOR.full_name, schema_version=1, aggregate_type="ticket",
        aggregate_id=ticket_id, aggregate_version=1, payload=payload.SerializeToString(),
    )  # fmt: skip
