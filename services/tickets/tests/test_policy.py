"""Who gets in, and what the mask stops at the door when everything behind it failed."""

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from google.protobuf.message import Message
from services.tickets.tests.factories import ADMIN, HR, KEY, MACHINE, NOBODY, OPS, UNKNOWN, make_ticket
from services.tickets.tests.factories import Call as Ask

from aiops.common.v1.page_pb2 import PageRequest
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.clock import SystemClock
from chassis.errors import RemoteError
from chassis.identity import Call, Role, Viewer
from chassis.ids import uuid7
from chassis.testing.harness import Installation
from tickets_service import convert
from tickets_service.policy import build_policy
from tickets_service.values import Audience, Reporter, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = PageRequest(first=50)
CHANGE = {"idempotency_key": KEY, "ticket_id": UNKNOWN, "expected_version": 1}
SERVICE_WATCHER = Watcher("service", "tickets")
REQUESTS: dict[str, Message] = {
    "CreateTicket": pb.CreateTicketRequest(idempotency_key=KEY, title="Checkout is down"),
    "UpdateTicket": pb.UpdateTicketRequest(**CHANGE, title="x"),  # type: ignore[arg-type]
    "UpdateTicketStatus": pb.UpdateTicketStatusRequest(**CHANGE, status=ticket_pb.TICKET_STATUS_CLOSED),  # type: ignore[arg-type]
    "UpdateTicketAudience": pb.UpdateTicketAudienceRequest(**CHANGE, audience=ticket_pb.TICKET_AUDIENCE_PEOPLE),  # type: ignore[arg-type]
    "AssignTicket": pb.AssignTicketRequest(**CHANGE),  # type: ignore[arg-type]
    "AddTicketComment": pb.AddTicketCommentRequest(**CHANGE, body="x"),  # type: ignore[arg-type]
    "LinkTicketLogs": pb.LinkTicketLogsRequest(**CHANGE, log_ids=[UNKNOWN]),  # type: ignore[arg-type]
    "UnlinkTicketLogs": pb.UnlinkTicketLogsRequest(**CHANGE, log_ids=[UNKNOWN]),  # type: ignore[arg-type]
    "RetriageTicket": pb.RetriageTicketRequest(**CHANGE),  # type: ignore[arg-type]
    "AcceptTicketSuggestion": pb.AcceptTicketSuggestionRequest(**CHANGE),  # type: ignore[arg-type]
    "DismissTicketSuggestion": pb.DismissTicketSuggestionRequest(**CHANGE),  # type: ignore[arg-type]
    "RevealTicket": pb.RevealTicketRequest(idempotency_key=KEY, ticket_id=UNKNOWN, reason="to call them back"),
    "BatchGetTickets": pb.BatchGetTicketsRequest(ids=[UNKNOWN]),
    "ListTickets": pb.ListTicketsRequest(page=PAGE),
    "BatchListLogTickets": pb.BatchListLogTicketsRequest(log_ids=[UNKNOWN], first=1),
    "BatchListSimilarTickets": pb.BatchListSimilarTicketsRequest(ticket_ids=[UNKNOWN], first=1),
    "BatchListTicketComments": pb.BatchListTicketCommentsRequest(ticket_ids=[UNKNOWN], first=1),
    "ListTicketOptions": pb.ListTicketOptionsRequest(),
    "SaveTicketOption": pb.SaveTicketOptionRequest(
        idempotency_key=KEY, option=ticket_pb.TicketOption(kind=ticket_pb.OPTION_KIND_TEAM, key="night", name="Night")
    ),
}
ANYBODY = {
    "RevealTicket",
    "CreateTicket", "UpdateTicketAudience", "AddTicketComment", "BatchGetTickets", "ListTickets", "BatchListLogTickets",
    "BatchListSimilarTickets", "BatchListTicketComments", "ListTicketOptions",
}  # fmt: skip
ADMINS = {"SaveTicketOption"}


def test_every_rpc_has_a_rule() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["TicketsService"].methods}

    assert set(build_policy().rules) == methods == set(REQUESTS)


def test_only_the_gateway_calls_and_nobody_without_a_viewer() -> None:
    rules = build_policy().rules.values()

    assert {caller for rule in rules for caller in rule.callers} == {"gateway"}
    assert not any(rule.anonymous or rule.background for rule in rules)


@pytest.mark.parametrize("method", sorted(REQUESTS))
async def test_each_rpc_lets_its_people_in(ask: Ask, installation: Installation, method: str) -> None:
    admitted = []
    for role in ("admin", "ops", "hr", None):
        with installation.as_viewer(role):
            if await reason_of(ask, method) != "FORBIDDEN":
                admitted.append(role)

    expected = ["admin", "ops", "hr", None] if method in ANYBODY else ["admin", "ops", "hr"]
    assert admitted == (["admin"] if method in ADMINS else expected)


@pytest.mark.parametrize("method", sorted(REQUESTS))
async def test_a_machine_creates_with_its_scope_and_does_nothing_else(
    ask: Ask, installation: Installation, method: str
) -> None:
    with installation.as_viewer(kind="service_account", scopes=["tickets:write"]):
        right_scope = await reason_of(ask, method)
    with installation.as_viewer(kind="service_account", scopes=["logs:write", "changes:write"]):
        wrong_scope = await reason_of(ask, method)

    assert right_scope == ("" if method == "CreateTicket" else "FORBIDDEN")
    assert wrong_scope == "FORBIDDEN"


async def reason_of(ask: Ask, method: str) -> str:
    try:
        await ask(method, REQUESTS[method])
    except RemoteError as error:
        return error.reason
    return ""


# The mask alone: messages as they would be if no query had left anything out.

GENERAL = make_ticket(id=uuid7())
PEOPLE = make_ticket(id=uuid7(), audience=Audience.PEOPLE)
SUSPECTED = make_ticket(id=uuid7(), people_suspected=True)
REPORTED = make_ticket(id=uuid7(), audience=Audience.PEOPLE, reporter=Reporter(UUID(OPS.id)))
ALL = (GENERAL, PEOPLE, SUSPECTED, REPORTED)
TO_PROTO = [convert.ticket_to_proto(ticket, SERVICE_WATCHER) for ticket in ALL]
SEEN = [(ADMIN, ALL), (OPS, (GENERAL, REPORTED)), (HR, (PEOPLE, SUSPECTED, REPORTED)), (NOBODY, ()), (MACHINE, ())]


def masked(watcher: Watcher, message: Message) -> Message:
    viewer = Viewer(
        id=UUID(watcher.id),
        kind="service_account" if watcher.kind == "service_account" else "user",
        role=Role(watcher.role) if watcher.role else None,
        scopes=frozenset({"tickets:write"}),
        session_id=None,
        token_id="t",
        expires_at=SystemClock().now(),
    )
    return build_policy().mask(Call("gateway", viewer), message)


@pytest.mark.parametrize(("watcher", "seen"), SEEN)
def test_the_mask_keeps_lists_to_what_exists_for_the_caller(watcher: Watcher, seen: tuple[object, ...]) -> None:
    ids = [str(ticket.id) for ticket in ALL if ticket in seen]
    cursors = [f"cursor-{ticket.id}" for ticket in ALL]
    messages: list[tuple[Message, Callable[[Message], list[str]]]] = [
        (pb.BatchGetTicketsResponse(tickets=TO_PROTO), lambda m: [t.id for t in m.tickets]),  # type: ignore[attr-defined]
        (
            pb.BatchListLogTicketsResponse(logs=[pb.LogTickets(log_id=UNKNOWN, tickets=TO_PROTO)]),
            lambda m: [t.id for t in m.logs[0].tickets],  # type: ignore[attr-defined]
        ),
        (
            pb.BatchListSimilarTicketsResponse(
                tickets=[pb.SimilarTickets(similar_tickets=[pb.SimilarTicket(ticket=ticket) for ticket in TO_PROTO])]
            ),
            lambda m: [s.ticket.id for s in m.tickets[0].similar_tickets],  # type: ignore[attr-defined]
        ),
    ]

    page = masked(watcher, pb.ListTicketsResponse(tickets=TO_PROTO, cursors=cursors))

    assert isinstance(page, pb.ListTicketsResponse)
    assert [ticket.id for ticket in page.tickets] == ids
    assert list(page.cursors) == [f"cursor-{id_}" for id_ in ids]
    for message, ids_of in messages:
        assert ids_of(masked(watcher, message)) == ids


@pytest.mark.parametrize(("watcher", "seen"), SEEN)
@pytest.mark.parametrize("ticket", ALL)
def test_the_mask_empties_answers_of_writes_on_hidden_tickets(
    watcher: Watcher, seen: tuple[object, ...], ticket: object
) -> None:
    proto = TO_PROTO[ALL.index(ticket)]
    comment = ticket_pb.Comment(id=UNKNOWN, body="words")

    answers = [
        masked(watcher, kind(ticket=proto))
        for kind in (pb.UpdateTicketStatusResponse, pb.UpdateTicketAudienceResponse, pb.RetriageTicketResponse)
    ]
    said = masked(watcher, pb.AddTicketCommentResponse(ticket=proto, comment=comment))
    created = masked(watcher, pb.CreateTicketResponse(ticket=proto))
    updated = masked(watcher, pb.UpdateTicketResponse(ticket=proto))

    assert [message.HasField("ticket") for message in (*answers, said)] == [ticket in seen] * 4
    assert said.HasField("comment") == (ticket in seen)
    for message in (created, updated):
        assert isinstance(message, pb.CreateTicketResponse | pb.UpdateTicketResponse)
        assert message.ticket.id == proto.id
        assert (message.ticket.title, message.ticket.message) == (
            (proto.title, proto.message) if ticket in seen else ("", "")
        )
        assert message.ticket.people_suspected == (proto.people_suspected and ticket in seen)


@pytest.mark.parametrize(("watcher", "address"), [(ADMIN, "ada@example.com"), (OPS, "")])
def test_addresses_of_outsiders_are_for_admin_and_hr(watcher: Watcher, address: str) -> None:
    reporter = Reporter(external_name="Ada", external_email="ada@example.com")
    proto = convert.ticket_to_proto(make_ticket(reporter=reporter), SERVICE_WATCHER)

    answers = [
        masked(watcher, pb.CreateTicketResponse(ticket=proto)),
        masked(watcher, pb.AssignTicketResponse(ticket=proto)),
    ]
    listed = masked(watcher, pb.ListTicketsResponse(tickets=[proto], cursors=["c"]))
    similar = masked(
        watcher,
        pb.BatchListSimilarTicketsResponse(
            tickets=[pb.SimilarTickets(similar_tickets=[pb.SimilarTicket(ticket=proto)])]
        ),
    )

    assert isinstance(listed, pb.ListTicketsResponse)
    assert isinstance(similar, pb.BatchListSimilarTicketsResponse)
    found = [*(a.ticket for a in answers), listed.tickets[0], similar.tickets[0].similar_tickets[0].ticket]  # type: ignore[attr-defined]
    assert [ticket.reporter.external_email for ticket in found] == [address] * 4
    assert {ticket.reporter.external_name for ticket in found} == {"Ada"}


@pytest.mark.parametrize(("watcher", "bodies"), [(ADMIN, ["in", "out"]), (NOBODY, ["out"]), (MACHINE, ["out"])])
def test_internal_comments_do_not_leave_for_people_without_a_role(watcher: Watcher, bodies: list[str]) -> None:
    comments = [ticket_pb.Comment(body="in", internal=True), ticket_pb.Comment(body="out")]

    message = masked(
        watcher,
        pb.BatchListTicketCommentsResponse(tickets=[pb.TicketComments(ticket_id=UNKNOWN, comments=comments)]),
    )

    assert isinstance(message, pb.BatchListTicketCommentsResponse)
    assert [comment.body for comment in message.tickets[0].comments] == bodies
