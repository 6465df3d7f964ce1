"""Tickets that are no good, or only look so: refused by name, with the field's path and nothing left."""

from typing import Any
from uuid import uuid4

import pytest
from tests.e2e.client import Census, Client, person
from tests.e2e.conftest import ONE_PROCESS, RunningStack

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)

NOBODY = "0198c0de-0000-7000-8000-000000000001"
TICKET = "query T($id: ID!) { ticket(id: $id) { id version title message status category commentCount } }"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) \"'&"


def created(client: Client, **values: Any) -> dict[str, Any]:
    given = {"title": "Checkout answers 500", "message": "Since ten o'clock.", **values}
    member = client.mutate("createTicket", "ticket { id version title message service status }", **given)
    assert member["__typename"] == "CreateTicketSuccess", member
    ticket: dict[str, Any] = member["ticket"]
    return ticket


REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no title": ({"title": "   "}, "ValidationError", "INVALID_ARGUMENT", "title"),
    "a title of 201 characters": ({"title": "x" * 201}, "ValidationError", "INVALID_ARGUMENT", "title"),
    "a message of 200,000 characters": ({"message": "x" * 200_000}, "ValidationError", "INVALID_ARGUMENT", "message"),
    "a category nobody declared": ({"category": "nonsense"}, "NotFoundError", "TICKET_OPTION_NOT_FOUND", "category"),
    "a log that is not there": ({"logIds": [NOBODY]}, "NotFoundError", "LOG_NOT_FOUND", "logIds.0"),
    "a log id that is none": ({"logIds": ["seven"]}, "ValidationError", "INVALID_ARGUMENT", "logIds.0"),
    "51 logs": ({"logIds": [NOBODY] * 51}, "ValidationError", "INVALID_ARGUMENT", "logIds"),
    "a reporter who is not there": (
        {"reporter": {"userId": NOBODY}},
        "NotFoundError",
        "USER_NOT_FOUND",
        "reporter.userId",
    ),
    "a source that is no word": ({"source": "Two Words"}, "ValidationError", "INVALID_ARGUMENT", "source"),
    "an idempotency key too short": (
        {"idempotencyKey": "short"},
        "ValidationError",
        "IDEMPOTENCY_KEY_INVALID",
        "idempotencyKey",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_ticket_that_cannot_be_taken_is_refused_and_leaves_nothing(admin: Client, census: Census, name: str) -> None:
    values, member_name, code, path = REFUSED[name]
    before = census.take()

    member = admin.mutate("createTicket", "ticket { id }", **{"title": "A ticket", "message": "", **values})

    assert (member["__typename"], member["code"]) == (member_name, code), member
    assert [field["path"] for field in member["fields"]] == [path]
    assert census.take() == before


def test_unknown_enum_is_a_mistake_in_the_document_that_is_not_echoed(admin: Client, census: Census) -> None:
    before = census.take()

    body = admin.ask(
        "mutation M($input: CreateTicketInput!) { createTicket(input: $input) { __typename } }",
        {"input": {"title": "A ticket", "message": "", "audience": "EVERYBODY-a4f1"}},
    )

    assert body["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "EVERYBODY-a4f1" not in str(body)
    assert census.take() == before


def test_markup_is_kept_as_inert_text_in_every_field(admin: Client) -> None:
    ticket = created(admin, title=f"Title {MARKUP}", message=f"Message {MARKUP}", service="<b>shop</b>")
    member = admin.mutate(
        "addTicketComment", "comment { body }", ticketId=ticket["id"], expectedVersion=ticket["version"], body=MARKUP
    )

    if member["__typename"] == "VersionConflict":  # triage came in between
        member = admin.mutate(
            "addTicketComment", "comment { body }", ticketId=ticket["id"], expectedVersion=member["actual"], body=MARKUP
        )

    assert (ticket["title"], ticket["message"]) == (f"Title {MARKUP}", f"Message {MARKUP}")
    assert member["comment"]["body"] == MARKUP


@pytest.mark.parametrize(
    ("mutation", "values"),
    [
        ("updateTicket", {"title": "Another title"}),
        ("updateTicketStatus", {"status": "RESOLVED"}),
        ("updateTicketAudience", {"audience": "PEOPLE"}),
        ("assignTicket", {"assigneeId": None}),
        ("addTicketComment", {"body": "Seen."}),
        ("linkTicketLogs", {"logIds": [NOBODY]}),
        ("unlinkTicketLogs", {"logIds": [NOBODY]}),
        ("retriageTicket", {}),
    ],
)
def test_change_of_a_ticket_that_is_not_there_or_was_changed_is_refused(
    admin: Client, census: Census, mutation: str, values: dict[str, Any]
) -> None:
    ticket = created(admin)
    before = census.take()

    missing = admin.mutate(mutation, ticketId=str(uuid4()), expectedVersion=1, **values)
    stale = admin.mutate(mutation, ticketId=ticket["id"], expectedVersion=999, **values)

    assert (missing["__typename"], missing["code"]) in {
        ("NotFoundError", "TICKET_NOT_FOUND"),
        ("NotFoundError", "LOG_NOT_FOUND"),
    }, missing
    if mutation != "linkTicketLogs":  # the log is looked for first
        assert (stale["__typename"], stale["code"], stale["expected"]) == (
            "VersionConflict",
            "VERSION_CONFLICT",
            999,
        )
    after = census.take()
    for table in ("tickets.tickets", "tickets.ticket_comments"):
        assert after[table] == before[table]


def test_people_ticket_does_not_exist_for_ops_anywhere(stack: RunningStack, admin: Client) -> None:
    ops, _, _ = person(stack, admin, "OPS")
    hr, _, _ = person(stack, admin, "HR")
    word = f"zebra{uuid4().hex[:8]}"
    general = created(admin, title=f"Printer {word}", message="It prints nothing at all.")
    key = str(uuid4())
    secret = created(hr, title=f"Complaint {word}", message="About a colleague.", audience="PEOPLE", idempotencyKey=key)
    listed = "query L($f: TicketFilter) { tickets(filter: $f) { nodes { id similar { ticket { id } } } } }"

    seen_by_ops = ops.data(listed, {"f": {"text": word}})["tickets"]["nodes"]
    single = ops.data(TICKET, {"id": secret["id"]})["ticket"]
    entities = ops.data(
        "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Ticket { id } } }",
        {"r": [{"__typename": "Ticket", "id": secret["id"]}, {"__typename": "Ticket", "id": general["id"]}]},
    )["_entities"]
    change = ops.mutate("addTicketComment", ticketId=secret["id"], expectedVersion=999, body="Hm?")
    same_key = ops.mutate(
        "createTicket",
        "ticket { id }",
        title=f"Complaint {word}",
        message="About a colleague.",
        audience="PEOPLE",
        idempotencyKey=key,
    )["ticket"]["id"]

    assert [node["id"] for node in seen_by_ops] == [general["id"]]
    assert secret["id"] not in str(seen_by_ops)
    assert single is None
    assert entities == [None, {"id": general["id"]}]
    assert (change["__typename"], change["code"]) == ("NotFoundError", "TICKET_NOT_FOUND")
    assert same_key != secret["id"], "a key is its owner's"
    assert {node["id"] for node in hr.data(listed, {"f": {"text": word}})["tickets"]["nodes"]} == {
        same_key,
        secret["id"],
    }
    assert {node["id"] for node in admin.data(listed, {"f": {"text": word}})["tickets"]["nodes"]} == {
        general["id"],
        same_key,
        secret["id"],
    }
