"""What is on its way out still works, beside what takes its place, and its use is counted."""

from typing import Any

import orjson
import pytest

from aiops.tickets.v1 import ticket_pb2, tickets_service_pb2
from gateway.testing.answers import a_ticket, an_id
from gateway.testing.stack import Script

TICKET = an_id(21)
OLD = """
mutation Create($input: CreateTicketInput!) {
  createTicket(input: $input) {
    __typename
    ... on CreateTicketSuccess { ticket { id message priority } }
    ... on UserError { code message }
  }
}
"""
"""As clients sent it before `description` and `priorityLevel`."""


def told(**fields: Any) -> tickets_service_pb2.CreateTicketResponse:
    return tickets_service_pb2.CreateTicketResponse(ticket=a_ticket(TICKET, **fields))


def uses(script: Script) -> dict[str, int]:
    lines = script.gateway.gateway.metrics.exposition().decode().splitlines()
    counted = [line for line in lines if line.startswith("aiops_deprecated_field_total{")]
    return {line.split('"')[1]: int(float(line.rpartition(" ")[2])) for line in counted}


def sent(script: Script) -> Any:
    return script.tickets.requests[-1]


async def test_old_document_works_and_its_use_is_counted(script: Script) -> None:
    script.tickets.answers["CreateTicket"] = told(message="slow", description="slow", priority="high")
    values = {"title": "a", "message": "slow", "priority": "high"}
    data = await script.gateway.data(OLD, {"input": values}, token=script.token())

    assert data["createTicket"]["ticket"] == {"id": TICKET, "message": "slow", "priority": "high"}
    assert (sent(script).message, sent(script).description, sent(script).priority) == ("slow", "slow", "high")
    assert uses(script) == {
        "CreateTicketInput.message": 1,
        "CreateTicketInput.priority": 1,
        "Ticket.message": 1,
        "Ticket.priority": 1,
    }


async def test_old_document_with_the_former_name_of_a_conflict_stays_valid(script: Script) -> None:
    script.tickets.answers["UpdateTicket"] = tickets_service_pb2.UpdateTicketResponse(ticket=a_ticket(TICKET))
    document = """
    mutation U($input: UpdateTicketInput!) {
      updateTicket(input: $input) { __typename ... on VersionConflictError { code expected actual } }
    }
    """

    values = {"ticketId": TICKET, "expectedVersion": 1, "title": "b"}
    data = await script.gateway.data(document, {"input": values}, token=script.token())

    assert data == {"updateTicket": {"__typename": "UpdateTicketSuccess"}}


async def test_new_names_are_sent_told_and_not_counted(script: Script) -> None:
    script.tickets.answers["CreateTicket"] = told(
        description="slow", message="slow", priority_level=ticket_pb2.TICKET_PRIORITY_HIGH
    )

    result = await script.gateway.mutate(
        "createTicket",
        "ticket { description priorityLevel }",
        token=script.token(),
        title="a",
        description="slow",
        priorityLevel="HIGH",
    )

    assert result["ticket"] == {"description": "slow", "priorityLevel": "HIGH"}
    assert (sent(script).description, sent(script).message) == ("slow", "slow")
    assert sent(script).priority_level == ticket_pb2.TICKET_PRIORITY_HIGH
    assert uses(script) == {}


async def test_text_of_a_service_from_before_is_the_description(script: Script) -> None:
    script.tickets.answers["CreateTicket"] = told(message="slow")

    result = await script.gateway.mutate(
        "createTicket", "ticket { description }", token=script.token(), title="a", description="slow"
    )

    assert result["ticket"] == {"description": "slow"}


async def test_two_texts_under_two_names_are_refused_and_nothing_is_sent(script: Script) -> None:
    result = await script.gateway.mutate(
        "createTicket", "ticket { id }", token=script.token(), title="a", description="slow", message="fast"
    )

    assert (result["__typename"], result["code"]) == ("ValidationError", "INVALID_ARGUMENT")
    assert [field["path"] for field in result["fields"]] == ["description"]
    assert script.tickets.calls == {}


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ({}, None),
        ({"priorityLevel": "URGENT"}, ticket_pb2.TICKET_PRIORITY_URGENT),
        ({"priorityLevel": None}, ticket_pb2.TICKET_PRIORITY_UNSPECIFIED),
    ],
    ids=["absent", "given", "null"],
)
async def test_priority_is_kept_set_or_taken_away(script: Script, given: dict[str, Any], level: int | None) -> None:
    script.tickets.answers["UpdateTicket"] = tickets_service_pb2.UpdateTicketResponse(ticket=a_ticket(TICKET))

    await script.gateway.mutate(
        "updateTicket", "ticket { id }", token=script.token(), ticketId=TICKET, expectedVersion=1, **given
    )

    request = sent(script)
    assert (request.priority_level if request.HasField("priority_level") else None) == level


async def test_list_is_narrowed_to_priorities_and_ordered_by_them(script: Script) -> None:
    script.tickets.answers["ListTickets"] = tickets_service_pb2.ListTicketsResponse()
    document = """
    { tickets(order: MOST_URGENT, filter: {priorityLevels: [HIGH, URGENT], priorities: ["high"]}) { nodes { id } } }
    """

    await script.gateway.data(document, token=script.token())

    request = sent(script)
    assert request.order == tickets_service_pb2.TICKET_ORDER_MOST_URGENT
    assert list(request.filter.priority_levels) == [3, 4]
    assert uses(script) == {"TicketFilter.priorities": 1}


async def test_lists_that_are_nested_deep_are_refused_and_not_walked_into(script: Script) -> None:
    nested = b"[" * 1000 + b"]" * 1000

    response = await script.gateway.client.post(
        f"{script.gateway.url}/graphql",
        content=b'{"query": %b, "variables": {"input": %b}}' % (orjson.dumps(OLD), nested),
        headers={"content-type": "application/json", "authorization": f"Bearer {script.token()}"},
    )

    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (
        200,
        "GRAPHQL_VALIDATION_FAILED",
    )
    assert script.tickets.calls == {}
