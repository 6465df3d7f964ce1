"""Writes over real gRPC: what is stored and told, once per key, on the version that was read, or not at all."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from services.tickets.tests.factories import KEY, UNKNOWN, Call, Create, KnownLogs, KnownUsers, Published, reason_of

from aiops.common.v1.actor_pb2 import ActorKind
from aiops.common.v1.page_pb2 import PageRequest
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.db import Database
from chassis.errors import RemoteError
from chassis.identity import Viewer
from chassis.testing.harness import Installation
from tickets_service.tables import TICKETS

PEOPLE = ticket_pb.TICKET_AUDIENCE_PEOPLE


@pytest.fixture(autouse=True)
def ops(installation: Installation) -> Iterator[Viewer]:
    """Calls are made for a person of ops, where a test does not say otherwise."""
    with installation.as_viewer("ops") as viewer:
        yield viewer


async def rows(database: Database) -> int:
    async with database.read() as tx:
        return len(await tx.fetch_all(TICKETS.select()))


async def test_a_created_ticket_waits_for_triage_and_is_told(
    create: Create, ops: Viewer, known_logs: KnownLogs, database: Database, published: Published
) -> None:
    logs = [known_logs.add(), known_logs.add()]

    ticket = await create(
        " Checkout is down ",
        message="502\n",
        service="shop",
        category="incident",
        log_ids=[*logs, logs[0]],
        source="web",
    )

    assert (ticket.version, ticket.title, ticket.message, ticket.service) == (1, "Checkout is down", "502\n", "shop")
    assert (ticket.status, ticket.triage_state) == (ticket_pb.TICKET_STATUS_OPEN, ticket_pb.TRIAGE_STATE_PENDING)
    assert (ticket.audience, ticket.people_suspected) == (ticket_pb.TICKET_AUDIENCE_GENERAL, False)
    assert (ticket.category, ticket.category_source) == ("incident", ticket_pb.VALUE_SOURCE_PERSON)
    assert (ticket.priority, ticket.priority_source) == ("", ticket_pb.VALUE_SOURCE_UNSPECIFIED)
    assert ticket.reporter == ticket_pb.Reporter(user_id=str(ops.id))
    assert (ticket.created_by.kind, ticket.created_by.id) == (ActorKind.ACTOR_KIND_USER, str(ops.id))
    assert (list(ticket.log_ids), ticket.comment_count, ticket.HasField("triage")) == (logs, 0, False)
    ((subject, envelope),) = await published(database)
    assert (subject, envelope.aggregate_id, envelope.aggregate_version) == (
        "aiops.tickets.ticket.created.v1", ticket.id, 1,
    )  # fmt: skip


async def test_texts_are_redacted_and_outsiders_stay_in_their_columns(
    create: Create, ask: Call, database: Database, published: Published
) -> None:
    outsider = {"external_name": "Ada Lovelace", "external_email": "ada@example.com"}

    ticket = await create("Mail from bob@example.com", message="password=hunter2hunter2", reporter=outsider)
    said = await ask(
        "AddTicketComment",
        pb.AddTicketCommentRequest(
            idempotency_key=KEY, ticket_id=ticket.id, expected_version=1, body="ask bob@example.com"
        ),
    )

    assert ticket.title.startswith("Mail from <EMAIL")
    assert "hunter2" not in ticket.message
    assert said.comment.body.startswith("ask <EMAIL")
    async with database.read() as tx:
        (row,) = await tx.fetch_all(TICKETS.select())
    assert (row.reporter_name, row.reporter_email) == ("Ada Lovelace", "ada@example.com")
    told = "".join(str(envelope) for _, envelope in await published(database))
    assert not any(word in told for word in ("Ada", "ada@", "bob@", "hunter2"))


async def test_the_same_key_gives_the_same_ticket_once_and_another_request_is_refused(
    create: Create, database: Database, published: Published
) -> None:
    first = await create("Printer", key=KEY)

    again = await create("Printer", key=KEY)
    reused, _ = await reason_of(create("Scanner", key=KEY))

    assert again == first
    assert reused == "IDEMPOTENCY_KEY_REUSED"
    assert (await rows(database), len(await published(database))) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"title": ""}, "INVALID_ARGUMENT", "title"),
        ({"title": "t" * 201}, "INVALID_ARGUMENT", "title"),
        ({"title": "two\nlines"}, "INVALID_ARGUMENT", "title"),
        ({"message": "m" * 20_001}, "INVALID_ARGUMENT", "message"),
        ({"message": "m" * 200_000}, "INVALID_ARGUMENT", "message"),
        ({"message": "nul\x00"}, "INVALID_ARGUMENT", "message"),
        ({"service": "s" * 201}, "INVALID_ARGUMENT", "service"),
        ({"source": "E-Mail!"}, "INVALID_ARGUMENT", "source"),
        ({"external_reference": "r" * 201}, "INVALID_ARGUMENT", "external_reference"),
        ({"audience": 7}, "INVALID_ARGUMENT", "audience"),
        ({"reporter": {"external_email": "nobody"}}, "INVALID_ARGUMENT", "reporter.external_email"),
        ({"reporter": {"user_id": "me"}}, "INVALID_ARGUMENT", "reporter.user_id"),
        ({"reporter": {"user_id": UNKNOWN, "external_name": "Ada"}}, "INVALID_ARGUMENT", "reporter"),
        ({"reporter": {"user_id": UNKNOWN}}, "USER_NOT_FOUND", "reporter.user_id"),
        ({"log_ids": ["nonsense"]}, "INVALID_ARGUMENT", "log_ids.0"),
        ({"log_ids": [UNKNOWN]}, "LOG_NOT_FOUND", "log_ids.0"),
        ({"log_ids": [UNKNOWN] * 51}, "INVALID_ARGUMENT", "log_ids"),
        ({"category": "nonsense"}, "TICKET_OPTION_NOT_FOUND", "category"),
        ({"priority": "nul\x00"}, "INVALID_ARGUMENT", "priority"),
        ({"team": "bug"}, "TICKET_OPTION_NOT_FOUND", "team"),
        ({"key": "short"}, "IDEMPOTENCY_KEY_INVALID", "idempotency_key"),
    ],
)
async def test_bad_tickets_are_refused_with_the_path_of_the_field_and_leave_nothing(
    create: Create, database: Database, published: Published, changes: dict[str, Any], reason: str, field: str
) -> None:
    refused, metadata = await reason_of(create(**{"title": "Printer", "key": KEY} | changes))

    assert (refused, metadata.get("field")) == (reason, field)
    assert (await rows(database), await published(database)) == (0, [])


async def test_markup_is_kept_as_text(create: Create) -> None:
    ticket = await create("<script>alert(1)</script>", message="<img src=x onerror=alert(1)> ]]> {{x}} ' OR 1=1 --")

    assert ticket.title == "<script>alert(1)</script>"
    assert ticket.message == "<img src=x onerror=alert(1)> ]]> {{x}} ' OR 1=1 --"


async def test_the_second_unknown_log_is_named_by_its_place(create: Create, known_logs: KnownLogs) -> None:
    refused, metadata = await reason_of(create("Printer", log_ids=[known_logs.add(), UNKNOWN]))

    assert (refused, metadata) == ("LOG_NOT_FOUND", {"field": "log_ids.1", "id": UNKNOWN})


@pytest.mark.parametrize("role", ["hr", None])
async def test_for_whoever_may_see_no_log_none_exists(
    create: Create, known_logs: KnownLogs, installation: Installation, role: str | None
) -> None:
    with installation.as_viewer(role):
        refused, metadata = await reason_of(create("Printer", log_ids=[known_logs.add()]))

    assert (refused, metadata["field"]) == ("LOG_NOT_FOUND", "log_ids.0")


async def test_people_without_a_role_report_for_themselves_alone(
    create: Create, installation: Installation, users: KnownUsers
) -> None:
    other = users.add("ops")
    with installation.as_viewer() as viewer:
        for reporter in ({"user_id": other}, {"external_name": "Ada"}):
            assert (await reason_of(create("Printer", reporter=reporter)))[0] == "FORBIDDEN"
        own = await create("Printer", reporter={"user_id": str(viewer.id)})

    assert own.reporter.user_id == str(viewer.id)


async def test_a_machine_names_a_user_and_hears_a_receipt(
    create: Create, ask: Call, installation: Installation, users: KnownUsers
) -> None:
    user_id = users.add("ops")

    with installation.as_viewer(kind="service_account", scopes=["tickets:write"]):
        receipt = await create("Printer", reporter={"user_id": user_id}, source="alertmanager", external_reference="a1")
        again = await create("Printer", reporter={"user_id": user_id}, source="alertmanager", external_reference="a1")
        taken, _ = await reason_of(create("Twin", source="alertmanager", external_reference="a1"))

    assert again == receipt
    assert (receipt.title, receipt.external_reference, receipt.HasField("reporter")) == ("", "a1", False)
    assert taken == "TICKET_REFERENCE_TAKEN"
    assert users.callers == ["service"]
    (ticket,) = (await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[receipt.id]))).tickets
    assert (ticket.title, ticket.reporter.user_id) == ("Printer", user_id)


async def test_two_at_once_with_one_reference_store_one(create: Create, database: Database) -> None:
    results = await asyncio.gather(
        *(create(f"Printer {n}", source="csv", external_reference="7") for n in range(4)), return_exceptions=True
    )

    refused = [result for result in results if isinstance(result, RemoteError)]
    assert [error.reason for error in refused] == ["TICKET_REFERENCE_TAKEN"] * 3
    assert await rows(database) == 1


async def test_options_are_made_changed_and_archived_by_admins(
    create: Create, ask: Call, installation: Installation, database: Database, published: Published
) -> None:
    option = ticket_pb.TicketOption(
        kind=ticket_pb.OPTION_KIND_TEAM, key="night", name="Night", description="Who is awake.", position=9
    )
    save = pb.SaveTicketOptionRequest(idempotency_key=KEY, option=option)

    with installation.as_viewer("admin"):
        made = (await ask("SaveTicketOption", save)).option
        again = (await ask("SaveTicketOption", save)).option
        save.idempotency_key = KEY + "-2"
        taken = await reason_of(ask("SaveTicketOption", save))
        save.expected_version, save.idempotency_key = 7, KEY + "-3"
        stale = await reason_of(ask("SaveTicketOption", save))
        save.option.key, save.idempotency_key = "day", KEY + "-4"
        absent = await reason_of(ask("SaveTicketOption", save))
        save.option.key, save.option.archived, save.expected_version = "night", True, 1
        save.idempotency_key = KEY + "-5"
        archived = (await ask("SaveTicketOption", save)).option

    assert (made, made.version, made.audience) == (again, 1, ticket_pb.TICKET_AUDIENCE_GENERAL)
    assert taken == ("TICKET_OPTION_TAKEN", {"key": "night"})
    assert (stale[0], stale[1]["expected"], stale[1]["actual"]) == ("VERSION_CONFLICT", "7", "1")
    assert stale[1]["aggregate_type"] == "ticket_option"
    assert absent[0] == "TICKET_OPTION_NOT_FOUND"
    assert (archived.archived, archived.version) == (True, 2)
    refused, metadata = await reason_of(create("Printer", team="night"))
    assert (refused, metadata["field"]) == ("TICKET_OPTION_NOT_FOUND", "team")
    listed = (await ask("ListTicketOptions", pb.ListTicketOptionsRequest())).options
    assert [found.key for found in listed if found.kind == ticket_pb.OPTION_KIND_TEAM] == [
        "operations", "development", "support", "security", "people", "night",
    ]  # fmt: skip
    saved = [(s, e.aggregate_version) for s, e in await published(database)]
    assert saved == [("aiops.tickets.ticket_option.saved.v1", 1), ("aiops.tickets.ticket_option.saved.v1", 2)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": 0}, "option.kind"),
        ({"kind": 9}, "option.kind"),
        ({"key": "Über"}, "option.key"),
        ({"name": ""}, "option.name"),
        ({"name": "n" * 61}, "option.name"),
        ({"description": "d" * 301}, "option.description"),
        ({"position": -1}, "option.position"),
        ({"audience": 5}, "option.audience"),
    ],
)
async def test_bad_options_are_refused(
    ask: Call, installation: Installation, changes: dict[str, Any], field: str
) -> None:
    values: dict[str, Any] = {"kind": 1, "key": "night", "name": "Night"}
    option = ticket_pb.TicketOption(**values | changes)

    with installation.as_viewer("admin"):
        request = pb.SaveTicketOptionRequest(idempotency_key=KEY, option=option)
        assert await reason_of(ask("SaveTicketOption", request)) == ("INVALID_ARGUMENT", {"field": field})


@pytest.mark.parametrize(
    ("method", "request_", "reason", "field"),
    [
        ("ListTickets", pb.ListTicketsRequest(page=PageRequest(first=0)), "PAGE_SIZE_OUT_OF_RANGE", "page.first"),
        ("ListTickets", pb.ListTicketsRequest(page=PageRequest(first=101)), "PAGE_SIZE_OUT_OF_RANGE", "page.first"),
        ("ListTickets", pb.ListTicketsRequest(page=PageRequest(first=1, after="x")), "CURSOR_INVALID", "page.after"),
        ("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[UNKNOWN] * 1001), "INVALID_ARGUMENT", "ids"),
        ("BatchGetTickets", pb.BatchGetTicketsRequest(ids=["x"]), "INVALID_ARGUMENT", "ids"),
        ("BatchListLogTickets", pb.BatchListLogTicketsRequest(first=0), "PAGE_SIZE_OUT_OF_RANGE", "first"),
        ("BatchListLogTickets", pb.BatchListLogTicketsRequest(first=1, log_ids=["x"]), "INVALID_ARGUMENT", "log_ids"),
        ("BatchListSimilarTickets", pb.BatchListSimilarTicketsRequest(first=21), "PAGE_SIZE_OUT_OF_RANGE", "first"),
        ("BatchListSimilarTickets", pb.BatchListSimilarTicketsRequest(first=1, ticket_ids=[UNKNOWN] * 101),
         "INVALID_ARGUMENT", "ticket_ids"),
        ("BatchListTicketComments", pb.BatchListTicketCommentsRequest(first=101), "PAGE_SIZE_OUT_OF_RANGE", "first"),
        ("BatchListTicketComments", pb.BatchListTicketCommentsRequest(first=1, after_id=UNKNOWN),
         "INVALID_ARGUMENT", "after_id"),
    ],
)  # fmt: skip
async def test_reads_are_bounded(ask: Call, method: str, request_: Any, reason: str, field: str) -> None:
    refused, metadata = await reason_of(ask(method, request_))

    assert (refused, metadata["field"]) == (reason, field)
