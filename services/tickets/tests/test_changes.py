"""Changes of a ticket over real gRPC: one version, one event, once per key, on the version that was read."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from services.tickets.tests.factories import KEY, UNKNOWN, Call, Create, KnownLogs, KnownUsers, Published, reason_of

from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.db import Database
from chassis.errors import DomainError, ErrorKind, RemoteError
from chassis.identity import Viewer
from chassis.testing.harness import Installation
from tickets_service.tables import TICKET_COMMENTS, TICKETS

PEOPLE = ticket_pb.TICKET_AUDIENCE_PEOPLE


@pytest.fixture(autouse=True)
def ops(installation: Installation) -> Iterator[Viewer]:
    """Calls are made for a person of ops, where a test does not say otherwise."""
    with installation.as_viewer("ops") as viewer:
        yield viewer


async def rows(database: Database) -> int:
    async with database.read() as tx:
        return len(await tx.fetch_all(TICKETS.select()))


def changes_of(ticket_id: str, *, log_id: str, version: int) -> dict[str, Any]:
    values: dict[str, Any] = {"idempotency_key": KEY, "ticket_id": ticket_id, "expected_version": version}
    return {
        "UpdateTicket": pb.UpdateTicketRequest(**values, title="Printer on fire", priority="urgent", service="print"),
        "UpdateTicketStatus": pb.UpdateTicketStatusRequest(**values, status=ticket_pb.TICKET_STATUS_WAITING),
        "UpdateTicketAudience": pb.UpdateTicketAudienceRequest(**values, audience=PEOPLE),
        "AssignTicket": pb.AssignTicketRequest(**values),
        "AddTicketComment": pb.AddTicketCommentRequest(**values, body="on my way", internal=True),
        "LinkTicketLogs": pb.LinkTicketLogsRequest(**values, log_ids=[log_id]),
        "UnlinkTicketLogs": pb.UnlinkTicketLogsRequest(**values, log_ids=[log_id]),
        "RetriageTicket": pb.RetriageTicketRequest(**values),
        "AcceptTicketSuggestion": pb.AcceptTicketSuggestionRequest(**values),
        "DismissTicketSuggestion": pb.DismissTicketSuggestionRequest(**values),
    }


def test_every_rpc_that_changes_a_ticket_is_among_the_changes() -> None:
    methods = pb.DESCRIPTOR.services_by_name["TicketsService"].methods
    changing = {method.name for method in methods if "expected_version" in method.input_type.fields_by_name}

    assert changing - {"SaveTicketOption"} == set(changes_of(UNKNOWN, log_id=UNKNOWN, version=1))


async def test_every_change_is_one_version_one_event_and_happens_once(
    create: Create, ask: Call, users: KnownUsers, known_logs: KnownLogs, database: Database, published: Published
) -> None:
    ticket, log_id = await create("Printer"), known_logs.add()
    subjects = {
        "UpdateTicket": "updated",
        "UpdateTicketStatus": "status_updated",
        "AssignTicket": "assigned",
        "AddTicketComment": "commented",
        "LinkTicketLogs": "logs_linked",
        "UnlinkTicketLogs": "logs_unlinked",
        "UpdateTicketAudience": "audience_updated",
    }
    assignee = users.add("ops")

    last = ticket
    for version, method in enumerate(subjects, start=1):
        request = changes_of(ticket.id, log_id=log_id, version=version)[method]
        if method == "AssignTicket":
            request.assignee_id = assignee
        answer = await ask(method, request)
        if method != "UpdateTicketAudience":
            assert await ask(method, request) == answer
            last = answer.ticket
            assert last.version == version + 1

    assert (last.title, last.service, last.priority) == ("Printer on fire", "print", "urgent")
    assert last.priority_source == ticket_pb.VALUE_SOURCE_PERSON
    assert (last.status, last.assignee_id) == (ticket_pb.TICKET_STATUS_WAITING, assignee)
    assert (last.comment_count, list(last.log_ids)) == (1, [])
    told = [(subject, envelope.aggregate_version) for subject, envelope in await published(database)]
    assert told == [("aiops.tickets.ticket.created.v1", 1)] + [
        (f"aiops.tickets.ticket.{subject}.v1", version) for version, subject in enumerate(subjects.values(), start=2)
    ]


@pytest.mark.parametrize("version", [2, 7])
async def test_a_stale_version_is_refused_by_every_change_and_nothing_happens(
    create: Create, ask: Call, known_logs: KnownLogs, database: Database, published: Published, version: int
) -> None:
    log_id = known_logs.add()
    ticket = await create("Printer")

    for method, request in changes_of(ticket.id, log_id=log_id, version=version).items():
        reason, metadata = await reason_of(ask(method, request))
        which = {"aggregate_type": "ticket", "aggregate_id": ticket.id}
        assert (method, reason, metadata) == (
            method, "VERSION_CONFLICT", {"expected": str(version), "actual": "1", **which},
        )  # fmt: skip

    assert list((await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[ticket.id]))).tickets) == [ticket]
    assert len(await published(database)) == 1
    async with database.read() as tx:
        assert await tx.fetch_all(TICKET_COMMENTS.select()) == []


async def test_of_two_at_once_on_one_version_one_is_refused(create: Create, ask: Call) -> None:
    ticket = await create("Printer")
    requests = [
        pb.AddTicketCommentRequest(idempotency_key=f"{KEY}-{n}", ticket_id=ticket.id, expected_version=1, body=f"{n}")
        for n in range(2)
    ]

    results = await asyncio.gather(*(ask("AddTicketComment", request) for request in requests), return_exceptions=True)

    (error,) = [result for result in results if isinstance(result, RemoteError)]
    assert error.reason == "VERSION_CONFLICT"
    (now,) = (await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[ticket.id]))).tickets
    assert (now.version, now.comment_count) == (2, 1)


@pytest.mark.parametrize("ticket_id", [UNKNOWN, "nonsense", ""])
async def test_unknown_and_malformed_ids_are_told_apart(ask: Call, known_logs: KnownLogs, ticket_id: str) -> None:
    for method, request in changes_of(ticket_id, log_id=known_logs.add(), version=1).items():
        reason, metadata = await reason_of(ask(method, request))
        expected = (
            ("TICKET_NOT_FOUND", {"id": UNKNOWN})
            if ticket_id == UNKNOWN
            else ("INVALID_ARGUMENT", {"field": "ticket_id"})
        )
        assert (method, reason, metadata) == (method, *expected)


@pytest.mark.parametrize(
    ("method", "values", "reason", "metadata"),
    [
        ("UpdateTicket", {}, "INVALID_ARGUMENT", {"field": "title"}),
        ("UpdateTicket", {"title": ""}, "INVALID_ARGUMENT", {"field": "title"}),
        ("UpdateTicket", {"team": "nobody"}, "TICKET_OPTION_NOT_FOUND", {"field": "team", "key": "nobody"}),
        ("UpdateTicketStatus", {"status": 0}, "INVALID_ARGUMENT", {"field": "status"}),
        ("UpdateTicketStatus", {"status": 99}, "INVALID_ARGUMENT", {"field": "status"}),
        ("UpdateTicketStatus", {"status": 1}, "TICKET_STATUS_TRANSITION_INVALID",
         {"from": "OPEN", "to": "OPEN", "allowed": "IN_PROGRESS, WAITING, RESOLVED, CLOSED"}),
        ("UpdateTicketAudience", {"audience": 0}, "INVALID_ARGUMENT", {"field": "audience"}),
        ("UpdateTicketAudience", {"audience": 1}, "TICKET_AUDIENCE_UNCHANGED", {}),
        ("AssignTicket", {"assignee_id": UNKNOWN}, "USER_NOT_FOUND", {"field": "assignee_id", "id": UNKNOWN}),
        ("AddTicketComment", {"body": " \n"}, "INVALID_ARGUMENT", {"field": "body"}),
        ("AddTicketComment", {"body": "b" * 10_001}, "INVALID_ARGUMENT", {"field": "body"}),
        ("LinkTicketLogs", {"log_ids": []}, "INVALID_ARGUMENT", {"field": "log_ids"}),
        ("LinkTicketLogs", {"log_ids": [UNKNOWN]}, "LOG_NOT_FOUND", {"field": "log_ids.0", "id": UNKNOWN}),
        ("UnlinkTicketLogs", {"log_ids": [UNKNOWN]}, "TICKET_LOG_NOT_LINKED", {}),
        ("RetriageTicket", {}, "TICKET_TRIAGE_IN_PROGRESS", {}),
    ],
)  # fmt: skip
async def test_bad_changes_are_refused_and_nothing_happens(
    create: Create, ask: Call, database: Database, published: Published, method: str, values: dict[str, Any],
    reason: str, metadata: dict[str, str],
) -> None:  # fmt: skip
    ticket = await create("Printer")
    request = getattr(pb, f"{method}Request")(idempotency_key=KEY, ticket_id=ticket.id, expected_version=1, **values)

    assert await reason_of(ask(method, request)) == (reason, metadata)

    assert list((await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[ticket.id]))).tickets) == [ticket]
    assert len(await published(database)) == 1


async def test_a_ticket_is_assigned_to_somebody_active_who_may_see_it(
    create: Create, ask: Call, users: KnownUsers, installation: Installation
) -> None:
    with installation.as_viewer("admin"):
        general = await create("Printer", reporter={"external_name": "Ada"})
        hidden = await create("Conduct", reporter={"external_name": "Ada"}, audience=PEOPLE)
        outcomes = {}
        for name, ticket in (("general", general), ("hidden", hidden)):
            for role in ("admin", "ops", "hr", "unspecified", "gone"):
                user_id = users.add("ops" if role == "gone" else role, active=role != "gone")
                request = pb.AssignTicketRequest(
                    idempotency_key=f"{KEY}-{user_id}", ticket_id=ticket.id, assignee_id=user_id, expected_version=99
                )
                request.expected_version = (
                    (await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=[ticket.id]))).tickets[0].version
                )
                try:
                    outcomes[name, role] = (await ask("AssignTicket", request)).ticket.assignee_id == user_id
                except RemoteError as error:
                    outcomes[name, role] = error.reason

    invalid = "TICKET_ASSIGNEE_INVALID"
    assert outcomes == {
        ("general", "admin"): True, ("general", "ops"): True, ("general", "hr"): invalid,
        ("general", "unspecified"): invalid, ("general", "gone"): invalid,
        ("hidden", "admin"): True, ("hidden", "ops"): invalid, ("hidden", "hr"): True,
        ("hidden", "unspecified"): invalid, ("hidden", "gone"): invalid,
    }  # fmt: skip


async def test_a_change_that_changes_nothing_makes_no_version(
    create: Create, ask: Call, known_logs: KnownLogs, database: Database, published: Published
) -> None:
    log_id = known_logs.add()
    ticket = await create("Printer", priority="low", log_ids=[log_id])
    values: dict[str, Any] = {"idempotency_key": KEY, "ticket_id": ticket.id, "expected_version": 1}

    answers = [
        await ask("UpdateTicket", pb.UpdateTicketRequest(**values, title="Printer", priority="low")),
        await ask("AssignTicket", pb.AssignTicketRequest(**values)),
        await ask("LinkTicketLogs", pb.LinkTicketLogsRequest(**values, log_ids=[log_id])),
    ]

    assert [answer.ticket for answer in answers] == [ticket] * 3
    assert len(await published(database)) == 1


async def test_without_logs_or_auth_nothing_that_names_them_is_stored(
    create: Create, ask: Call, database: Database, published: Published, users: KnownUsers,
    known_logs: KnownLogs,
) -> None:  # fmt: skip
    ticket = await create("Printer")
    await users.stop()
    await known_logs.stop()

    values: dict[str, Any] = {"idempotency_key": KEY, "ticket_id": ticket.id, "expected_version": 1}
    requests: list[tuple[str, Any]] = [
        ("CreateTicket", pb.CreateTicketRequest(idempotency_key=KEY, title="Scanner", log_ids=[UNKNOWN])),
        (
            "CreateTicket",
            pb.CreateTicketRequest(idempotency_key=KEY, title="Scanner", reporter=ticket_pb.Reporter(user_id=UNKNOWN)),
        ),
        ("AssignTicket", pb.AssignTicketRequest(**values, assignee_id=UNKNOWN)),
        ("LinkTicketLogs", pb.LinkTicketLogsRequest(**values, log_ids=[UNKNOWN])),
    ]
    for method, request in requests:
        with pytest.raises(DomainError) as refused:
            await ask(method, request)
        assert (refused.value.kind, refused.value.reason) == (ErrorKind.UNAVAILABLE, "UNAVAILABLE")
    others = await create("Scanner")

    assert (others.version, await rows(database), len(await published(database))) == (1, 2, 2)
