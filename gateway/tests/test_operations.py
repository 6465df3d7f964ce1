"""What an admin sees of events that a service gave up, and asks of it."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from aiops.events.v1.envelope_pb2 import Envelope
from aiops.tickets.v1.events_pb2 import TicketCreated
from chassis.dead_letters import dead_letters
from chassis.ids import uuid7
from gateway.testing.stack import Stack

StartStack = Callable[..., AbstractAsyncContextManager[Stack]]

LETTERS = """
query Letters($after: String) {
  deadLetters(service: TICKETS, first: 1, after: $after) {
    nodes { id consumer aggregateId payload errorClass attempts redrives redriveRequestedBy redrivenAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def kept_letters(stack: Stack, count: int) -> list[str]:
    """Letters of triage about tickets that do not exist, as its consumer would have kept them."""
    ids = []
    async with stack.databases["tickets"].connection() as connection, connection.begin():
        for number in range(count):
            id_, ticket, event = uuid7(), uuid7(), uuid7()
            envelope = Envelope(
                id=str(event),
                type="aiops.tickets.v1.TicketCreated",
                aggregate_type="ticket",
                aggregate_id=str(ticket),
                aggregate_version=1,
                payload=TicketCreated(ticket_id=str(ticket)).SerializeToString(),
            )
            await connection.execute(
                insert(dead_letters).values(
                    id=id_,
                    consumer="tickets-triage",
                    stream="TICKETS",
                    stream_sequence=1000 + number,
                    subject="aiops.tickets.ticket.created.v1",
                    event_id=event,
                    payload=envelope.SerializeToString(),
                    error_class="ZeroDivisionError",
                    error_message="divided by zero",
                    attempts=6,
                    trace_id="0" * 32,
                    created_at=datetime.now(UTC),
                )
            )
            ids.append(str(id_))
    return ids


async def test_an_admin_reads_letters_by_page_and_asks_once_for_a_redrive(start_stack: StartStack) -> None:
    async with start_stack("serve") as stack, stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        older, newer = await kept_letters(stack, 2)

        first = (await gateway.data(LETTERS, token=admin.token))["deadLetters"]
        after = {"after": first["pageInfo"]["endCursor"]}
        second = (await gateway.data(LETTERS, after, token=admin.token))["deadLetters"]
        assert [node["id"] for node in first["nodes"] + second["nodes"]] == [newer, older]
        assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
        letter = first["nodes"][0]
        assert (letter["consumer"], letter["errorClass"], letter["attempts"]) == (
            "tickets-triage",
            "ZeroDivisionError",
            6,
        )
        assert json.loads(letter["payload"]) == {"ticketId": letter["aggregateId"]}

        wish: dict[str, Any] = {
            "token": admin.token,
            "service": "TICKETS",
            "ids": [older],
            "idempotencyKey": "one-wish-of-an-admin",
        }
        asked = await gateway.mutate("redriveDeadLetters", "deadLetters { id redriveRequestedBy }", **wish)
        again = await gateway.mutate("redriveDeadLetters", "deadLetters { id redriveRequestedBy }", **wish)
        assert asked["deadLetters"] == [{"id": older, "redriveRequestedBy": admin.id}]
        assert again == asked

        missing = await gateway.mutate(
            "redriveDeadLetters", "deadLetters { id }", token=admin.token, service="TICKETS", ids=[str(uuid7())]
        )
        assert (missing["__typename"], missing["code"]) == ("NotFoundError", "DEAD_LETTER_NOT_FOUND")
        other = await gateway.mutate(
            "redriveDeadLetters", "deadLetters { id }", token=admin.token, service="LOGS", ids=[newer]
        )
        assert other["code"] == "DEAD_LETTER_NOT_FOUND"


async def test_ops_and_hr_see_and_redrive_nothing(start_stack: StartStack) -> None:
    async with start_stack("serve") as stack, stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        (letter,) = await kept_letters(stack, 1)

        for role in ("OPS", "HR"):
            person = await stack.join(gateway, admin, f"{role.lower()}@example.com", role)
            body = await gateway.ask(LETTERS, token=person.token)
            assert body["data"] == {"deadLetters": None}
            assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            one = f'{{ deadLetter(service: TICKETS, id: "{letter}") {{ payload }} }}'
            assert (await gateway.ask(one, token=person.token))["data"] == {"deadLetter": None}
            refused = await gateway.mutate(
                "redriveDeadLetters", "deadLetters { id }", token=person.token, service="TICKETS", ids=[letter]
            )
            assert (refused["__typename"], refused["code"]) == ("ForbiddenError", "FORBIDDEN")

        async with stack.databases["tickets"].read() as tx:
            row = await tx.fetch_one(select(dead_letters.c.redrive_requested_at, dead_letters.c.redrives))
        assert row is not None
        assert tuple(row) == (None, 0)
