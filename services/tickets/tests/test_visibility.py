"""A ticket that somebody may not see does not exist for him, in no RPC: what he hears is what he hears of any id."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from services.tickets.tests.factories import KEY, UNKNOWN, Call, Create, KnownLogs, Published

from aiops.common.v1.page_pb2 import PageRequest
from aiops.tickets.v1 import ticket_pb2 as ticket_pb
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.db import Database
from chassis.errors import RemoteError
from chassis.testing.harness import Installation

OPS = UUID("0198c0de-0000-7000-8000-00000000b001")
NOBODY = UUID("0198c0de-0000-7000-8000-00000000b004")
PAGE = PageRequest(first=50)
PEOPLE, GENERAL = ticket_pb.TICKET_AUDIENCE_PEOPLE, ticket_pb.TICKET_AUDIENCE_GENERAL
WORDS = "quarterly invoice mismatch ledger reconciliation"


@dataclass
class World:
    """Five tickets with the same words and the same log."""

    ids: dict[str, str]
    log_id: str

    def names(self, ids: Iterator[str]) -> list[str]:
        """The names of tickets, sorted."""
        known = {id_: name for name, id_ in self.ids.items()}
        return sorted(known[id_] for id_ in ids)


SEEN = {
    "admin": ["by_nobody", "by_ops", "general", "people", "suspected"],
    "ops": ["by_ops", "general"],
    "hr": ["by_nobody", "by_ops", "people", "suspected"],
    "": ["by_nobody"],
}
ROLES = [pytest.param(role, id=role or "no role") for role in SEEN]
As = Callable[[str], Iterator[object]]


@pytest_asyncio.fixture
async def world(create: Create, ask: Call, installation: Installation, known_logs: KnownLogs) -> World:
    log_id = known_logs.add()
    outsider = {"external_name": "Ada", "external_email": "ada@example.com"}
    common = {"message": WORDS, "log_ids": [log_id], "service": "shop", "reporter": outsider}
    with installation.as_viewer("admin"):
        general = await create("General " + WORDS, **common)
        people = await create("People " + WORDS, **common | {"audience": PEOPLE})
        suspected = await create("My salary was not paid, " + WORDS, **common)
        by = common | {"audience": PEOPLE}
    with installation.as_viewer("ops", viewer_id=OPS):
        by_ops = await create("Mine " + WORDS, **by | {"reporter": None})
    with installation.as_viewer(viewer_id=NOBODY):
        by_nobody = await create("Own " + WORDS, **by | {"reporter": None, "log_ids": []})
    ids = {
        "general": general.id, "people": people.id, "suspected": suspected.id, "by_ops": by_ops.id,
        "by_nobody": by_nobody.id,
    }  # fmt: skip
    with installation.as_viewer("admin"):
        for name, version in (("by_ops", 1), ("by_nobody", 1), ("people", 1)):
            for internal in (True, False):
                request = pb.AddTicketCommentRequest(
                    idempotency_key=f"{KEY}-{name}-{internal}", ticket_id=ids[name], body=f"internal {internal}",
                    expected_version=version + (not internal), internal=internal,
                )  # fmt: skip
                await ask("AddTicketComment", request)
    return World(ids, log_id)


@pytest.fixture
def viewing(installation: Installation) -> Callable[[str], object]:
    """Speaks for a role; ops and nobody are those who reported a ticket."""
    return lambda role: installation.as_viewer(role or None, viewer_id={"ops": OPS, "": NOBODY}.get(role))


@pytest.mark.parametrize("role", ROLES)
async def test_every_read_shows_what_the_role_may_see(
    world: World, ask: Call, viewing: Callable[..., Installation], role: str
) -> None:
    everything = list(world.ids.values())
    with viewing(role):  # type: ignore[attr-defined]
        listed = await ask("ListTickets", pb.ListTicketsRequest(page=PAGE))
        found = await ask("ListTickets", pb.ListTicketsRequest(page=PAGE, filter=pb.TicketFilter(text="ledger")))
        about = await ask("ListTickets", pb.ListTicketsRequest(page=PAGE, filter=pb.TicketFilter(service="shop")))
        got = await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=everything))
        linked = await ask("BatchListLogTickets", pb.BatchListLogTicketsRequest(log_ids=[world.log_id], first=100))
        alike = await ask("BatchListSimilarTickets", pb.BatchListSimilarTicketsRequest(ticket_ids=everything, first=20))
        comments = await ask(
            "BatchListTicketComments", pb.BatchListTicketCommentsRequest(ticket_ids=everything, first=100)
        )

    seen = SEEN[role]
    for tickets in (listed.tickets, found.tickets, about.tickets, got.tickets):
        assert world.names(ticket.id for ticket in tickets) == seen
    in_log = [ticket.id for log in linked.logs for ticket in log.tickets]
    assert world.names(iter(in_log)) == [name for name in seen if name != "by_nobody"]
    assert world.names(item.ticket_id for item in alike.tickets) == seen
    for item in alike.tickets:
        others = [found.ticket.id for found in item.similar_tickets]
        assert world.names(iter([item.ticket_id, *others])) == seen
    assert world.names(item.ticket_id for item in comments.tickets) == seen


@pytest.mark.parametrize("role", ROLES)
async def test_pages_are_full_and_end_where_the_visible_tickets_end(
    world: World, ask: Call, viewing: Callable[..., Installation], role: str
) -> None:
    names, after = [], ""
    with viewing(role):  # type: ignore[attr-defined]
        for _ in SEEN[role]:
            page = await ask("ListTickets", pb.ListTicketsRequest(page=PageRequest(first=1, after=after)))
            names += world.names(ticket.id for ticket in page.tickets)
            assert page.page_info.has_next_page == (len(names) < len(SEEN[role]))
            after = page.page_info.end_cursor

    assert sorted(names) == SEEN[role]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("audience", [GENERAL, PEOPLE])
async def test_filters_by_audience_and_suspicion_find_nothing_hidden(
    world: World,
    ask: Call,
    viewing: Callable[..., Installation],
    role: str,
    audience: "ticket_pb.TicketAudience.ValueType",
) -> None:
    with viewing(role):  # type: ignore[attr-defined]
        wanted = pb.TicketFilter(audience=audience)
        by_audience = await ask("ListTickets", pb.ListTicketsRequest(page=PAGE, filter=wanted))
        suspected = await ask(
            "ListTickets", pb.ListTicketsRequest(page=PAGE, filter=pb.TicketFilter(people_suspected=True))
        )

    of_audience = {GENERAL: {"general", "suspected"}, PEOPLE: {"people", "by_ops", "by_nobody"}}[audience]
    assert world.names(ticket.id for ticket in by_audience.tickets) == sorted(of_audience & set(SEEN[role]))
    assert world.names(ticket.id for ticket in suspected.tickets) == [n for n in SEEN[role] if n == "suspected"]


def changes_of(ticket_id: str, log_id: str, *, version: int) -> list[tuple[str, Message]]:
    values = {"idempotency_key": KEY, "ticket_id": ticket_id, "expected_version": version}
    return [
        ("UpdateTicket", pb.UpdateTicketRequest(**values, title="x")),  # type: ignore[arg-type]
        ("UpdateTicketStatus", pb.UpdateTicketStatusRequest(**values, status=ticket_pb.TICKET_STATUS_CLOSED)),  # type: ignore[arg-type]
        ("UpdateTicketAudience", pb.UpdateTicketAudienceRequest(**values, audience=GENERAL)),  # type: ignore[arg-type]
        ("UpdateTicketAudience", pb.UpdateTicketAudienceRequest(**values, audience=PEOPLE)),  # type: ignore[arg-type]
        ("AssignTicket", pb.AssignTicketRequest(**values)),  # type: ignore[arg-type]
        ("AddTicketComment", pb.AddTicketCommentRequest(**values, body="x")),  # type: ignore[arg-type]
        ("LinkTicketLogs", pb.LinkTicketLogsRequest(**values, log_ids=[log_id])),  # type: ignore[arg-type]
        ("UnlinkTicketLogs", pb.UnlinkTicketLogsRequest(**values, log_ids=[log_id])),  # type: ignore[arg-type]
        ("RetriageTicket", pb.RetriageTicketRequest(**values)),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("version", [1, 99])
@pytest.mark.parametrize(
    ("role", "name"), [("ops", "people"), ("ops", "suspected"), ("hr", "general"), ("", "general")]
)
async def test_changes_of_a_hidden_ticket_hear_what_an_unknown_id_hears(
    world: World, ask: Call, viewing: Callable[..., Installation], database: Database, published: Published,
    role: str, name: str, version: int,
) -> None:  # fmt: skip
    told = len(await published(database))
    outcomes = {}
    with viewing(role):  # type: ignore[attr-defined]
        for ticket_id in (world.ids[name], UNKNOWN):
            outcomes[ticket_id] = [
                await refusal(ask(method, request), ticket_id)
                for method, request in changes_of(ticket_id, world.log_id, version=version)
            ]

    assert outcomes[world.ids[name]] == outcomes[UNKNOWN]
    assert {reason for reason, _, _ in outcomes[UNKNOWN]} <= {"TICKET_NOT_FOUND", "FORBIDDEN", "LOG_NOT_FOUND"}
    assert len(await published(database)) == told


async def refusal(call: Awaitable[object], ticket_id: str) -> tuple[str, str, dict[str, str]]:
    """Reason, message and metadata, with the id that was asked for taken out."""
    with pytest.raises(RemoteError) as refused:
        await call
    metadata = {name: value.replace(ticket_id, "ID") for name, value in refused.value.metadata.items()}
    return refused.value.reason, refused.value.message.replace(ticket_id, "ID"), metadata


async def test_repeated_keys_show_nothing_that_was_hidden_since(
    ask: Call, create: Create, installation: Installation, known_logs: KnownLogs
) -> None:
    log_id = known_logs.add()
    title, outsider = "Printer on floor 2", {"external_name": "Ada"}
    with installation.as_viewer("ops", viewer_id=OPS):
        created = await create(title, message="It hums.", reporter=outsider)
        changes: list[tuple[str, Message]] = [
            ("UpdateTicket", pb.UpdateTicketRequest(priority="low")),
            ("UpdateTicketStatus", pb.UpdateTicketStatusRequest(status=ticket_pb.TICKET_STATUS_WAITING)),
            ("LinkTicketLogs", pb.LinkTicketLogsRequest(log_ids=[log_id])),
            ("UnlinkTicketLogs", pb.UnlinkTicketLogsRequest(log_ids=[log_id])),
            ("AddTicketComment", pb.AddTicketCommentRequest(body="seen", internal=True)),
            ("AssignTicket", pb.AssignTicketRequest()),
        ]
        for number, (method, request) in enumerate(changes):
            request.idempotency_key, request.ticket_id = f"{KEY}-{number}", created.id  # type: ignore[attr-defined]
            request.expected_version = number + 1  # type: ignore[attr-defined]
            await ask(method, request)
    with installation.as_viewer("admin"):
        hide = pb.UpdateTicketAudienceRequest(
            idempotency_key=KEY, ticket_id=created.id, expected_version=6, audience=PEOPLE
        )
        await ask("UpdateTicketAudience", hide)

    with installation.as_viewer("ops", viewer_id=OPS):
        receipt = await create(title, message="It hums.", reporter=outsider)
        refusals = [await refusal(ask(method, request), created.id) for method, request in changes]

    assert (receipt.id, receipt.version, receipt.title, receipt.message) == (created.id, 1, "", "")
    assert {reason for reason, _, _ in refusals} == {"TICKET_NOT_FOUND"}


async def test_whoever_hides_a_ticket_hears_that_it_is_done_and_no_more(
    ask: Call, create: Create, installation: Installation
) -> None:
    with installation.as_viewer("ops", viewer_id=OPS):
        first = await create("Printer", reporter={"external_name": "Ada"})
        second = await create("Scanner", reporter={"external_name": "Ada"})
        third = await create("My salary was not paid", reporter={"external_name": "Ada"})
        hide = pb.UpdateTicketAudienceRequest(
            idempotency_key=KEY, ticket_id=first.id, expected_version=1, audience=PEOPLE
        )
        choose = pb.UpdateTicketRequest(idempotency_key=KEY, ticket_id=second.id, expected_version=1, category="people")
        answers = [await ask("UpdateTicketAudience", hide) for _ in range(2)]
        chosen = [(await ask("UpdateTicket", choose)).ticket for _ in range(2)]
        listed = (await ask("ListTickets", pb.ListTicketsRequest(page=PAGE))).tickets

    assert [answer.HasField("ticket") for answer in answers] == [False, False]
    assert [(ticket.id, ticket.version, ticket.title) for ticket in chosen] == [(second.id, 2, "")] * 2
    assert (third.title, third.people_suspected, third.HasField("reporter")) == ("", False, False)
    assert list(listed) == []


async def test_a_reference_of_a_hidden_ticket_is_free_for_those_who_may_not_know(
    ask: Call, create: Create, installation: Installation
) -> None:
    reference = {"source": "csv", "external_reference": "INC-7"}
    with installation.as_viewer("hr"):
        hidden = await create("About a colleague", audience=PEOPLE, **reference)
        again = await refusal(create("Again", audience=PEOPLE, **reference), hidden.id)
    with installation.as_viewer("ops", viewer_id=OPS):
        other = await create("A printer", **reference)
        twice = await refusal(create("The printer", **reference), other.id)
        wanted = pb.TicketFilter(**reference)  # type: ignore[arg-type]
        found = (await ask("ListTickets", pb.ListTicketsRequest(page=PAGE, filter=wanted))).tickets

    assert again[0] == twice[0] == "TICKET_REFERENCE_TAKEN"
    assert again[2] == {"source": "csv", "external_reference": "INC-7"}
    assert [ticket.id for ticket in found] == [other.id]


async def test_whoever_reported_a_ticket_reads_no_internal_comments(
    world: World, ask: Call, viewing: Callable[..., Installation]
) -> None:
    counts: dict[str, dict[str, int]] = {}
    bodies: dict[str, dict[str, list[str]]] = {}
    for role in ("admin", "ops", "hr", ""):
        with viewing(role):  # type: ignore[attr-defined]
            ids = [world.ids[name] for name in ("by_ops", "by_nobody", "people")]
            tickets = (await ask("BatchGetTickets", pb.BatchGetTicketsRequest(ids=ids))).tickets
            request = pb.BatchListTicketCommentsRequest(ticket_ids=ids, first=10)
            comments = (await ask("BatchListTicketComments", request)).tickets
        names = {id_: name for name, id_ in world.ids.items()}
        counts[role] = {names[ticket.id]: ticket.comment_count for ticket in tickets}
        bodies[role] = {names[item.ticket_id]: [comment.body for comment in item.comments] for item in comments}

    both, public = ["internal True", "internal False"], ["internal False"]
    assert counts["admin"] == counts["hr"] == {"by_ops": 2, "by_nobody": 2, "people": 2}
    assert bodies["admin"] == bodies["hr"] == {"by_ops": both, "by_nobody": both, "people": both}
    assert (counts["ops"], bodies["ops"]) == ({"by_ops": 1}, {"by_ops": public})
    assert (counts[""], bodies[""]) == ({"by_nobody": 1}, {"by_nobody": public})


async def test_whoever_reported_a_hidden_ticket_may_comment_but_not_work_on_it(
    world: World, ask: Call, viewing: Callable[..., Installation]
) -> None:
    values = {"ticket_id": world.ids["by_ops"], "expected_version": 3}
    with viewing("ops"):  # type: ignore[attr-defined]
        requests: list[tuple[str, Message]] = [
            ("UpdateTicket", pb.UpdateTicketRequest(idempotency_key=KEY, title="x", **values)),  # type: ignore[arg-type]
            ("AssignTicket", pb.AssignTicketRequest(idempotency_key=KEY, **values)),  # type: ignore[arg-type]
            ("RetriageTicket", pb.RetriageTicketRequest(idempotency_key=KEY, **values)),  # type: ignore[arg-type]
            ("AddTicketComment", pb.AddTicketCommentRequest(idempotency_key=KEY, body="x", internal=True, **values)),  # type: ignore[arg-type]
        ]
        refusals = [await refusal(ask(method, request), UNKNOWN) for method, request in requests]
        said = await ask("AddTicketComment", pb.AddTicketCommentRequest(idempotency_key=KEY, body="please", **values))  # type: ignore[arg-type]

    assert [reason for reason, _, _ in refusals] == ["FORBIDDEN"] * 4
    assert (said.comment.body, said.ticket.version, said.ticket.comment_count) == ("please", 4, 2)
