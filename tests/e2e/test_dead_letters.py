"""Dead letters on a real stack: a poisonous event is kept, seen by an admin, and handled again by command."""

import asyncio
import json
from uuid import uuid4

import nats
import pytest
from tests.e2e.conftest import ONE_PROCESS, RunningStack
from tests.e2e.operating import owner, until

from aiops.events.v1.envelope_pb2 import Envelope
from aiops.tickets.v1.events_pb2 import TicketCreated
from aiops_cli import graph

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)
SUBJECT = "aiops.tickets.ticket.created.v1"


def published(stack: RunningStack, data: bytes) -> None:
    password = json.loads((stack.folder / "secrets.json").read_text())["nats_tickets"]

    async def publish() -> None:
        client = await nats.connect(
            f"nats://127.0.0.1:{8422 + stack.offset}",
            user="tickets",
            password=password,
            inbox_prefix=b"_INBOX_tickets",
        )
        await client.jetstream().publish(SUBJECT, data)
        await client.close()

    asyncio.run(publish())


def letters(stack: RunningStack, *options: str) -> list[dict[str, object]]:
    listed = stack.aiops("deadletters", "list", "--service", "tickets", "--json", *options)
    assert listed.returncode == 0, listed.stderr
    found: list[dict[str, object]] = json.loads(listed.stdout)
    return found


def test_a_poisonous_event_is_listed_shown_and_redriven_in_vain_until_it_is_mended(
    stack: RunningStack, graphql: graph.Graph
) -> None:
    nobody, event = str(uuid4()), str(uuid4())
    envelope = Envelope(
        id=event,
        type="aiops.tickets.v1.TicketCreated",
        aggregate_type="ticket",
        aggregate_id=nobody,
        aggregate_version=1,
        payload=TicketCreated(ticket_id=nobody).SerializeToString(),
    )
    published(stack, envelope.SerializeToString())
    until(lambda: any(letter["eventId"] == event for letter in letters(stack)), seconds=20)
    (letter,) = [each for each in letters(stack) if each["eventId"] == event]
    assert (letter["consumer"], letter["errorClass"], letter["redrives"]) == ("tickets-triage", "TicketNotFound", 0)

    shown = stack.aiops("deadletters", "show", str(letter["id"]))
    assert shown.returncode == 0, shown.stderr
    assert nobody in shown.stdout

    asked = stack.aiops("deadletters", "redrive", str(letter["id"]))
    assert asked.returncode == 0, asked.stderr
    assert "Asked for 1 letter; 0 had taken effect before." in asked.stdout

    def tried() -> bool:
        (now,) = [each for each in letters(stack) if each["id"] == letter["id"]]
        return now["redrives"] == 1 and now["redriveRequestedAt"] is None

    until(tried, seconds=20)

    # Mended: the event is about a ticket that exists.
    ticket = graphql.mutate(
        "mutation Create($input: CreateTicketInput!) { createTicket(input: $input) { __typename"
        " ... on CreateTicketSuccess { ticket { id } } ... on UserError { code message } } }",
        {"title": "Checkout answers 502", "message": "since 10:05, every order"},
    )["ticket"]["id"]
    envelope.aggregate_id, envelope.payload = ticket, TicketCreated(ticket_id=ticket).SerializeToString()
    with owner(stack, "tickets") as connection:
        connection.execute(
            "UPDATE dead_letters SET payload = %s WHERE id = %s", (envelope.SerializeToString(), letter["id"])
        )
    assert stack.aiops("deadletters", "redrive", "--all", "--service", "tickets").returncode == 0
    until(lambda: all(each["id"] != letter["id"] for each in letters(stack)), seconds=20)

    (done,) = [each for each in letters(stack, "--all") if each["id"] == letter["id"]]
    assert (done["redrives"], done["redrivenAt"] is not None) == (2, True)
    again = stack.aiops("deadletters", "redrive", str(letter["id"]))
    assert "Asked for 0 letters; 1 had taken effect before." in again.stdout
    with owner(stack, "tickets") as connection:
        row = connection.execute("SELECT count(*) FROM inbox WHERE event_id = %s", (event,)).fetchone()
    assert row == (1,)


def test_a_letter_that_nobody_keeps_and_a_service_that_is_none_are_said(
    stack: RunningStack, graphql: graph.Graph
) -> None:
    missing = stack.aiops("deadletters", "show", "0198c0de-0000-7000-8000-000000000001")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "No service keeps a dead letter 0198c0de" in missing.stderr
    for arguments in (("list", "--service", "shop"), ("redrive",), ("redrive", "--all", "x"), ("list", "--after", "x")):
        assert stack.aiops("deadletters", *arguments).returncode == 2
