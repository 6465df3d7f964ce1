"""Apollo Federation 2, by Apollo's own composition and router: the graph as one subgraph of a larger one."""

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from aiops.auth.v1 import auth_service_pb2
from aiops.auth.v1.user_pb2 import ROLE_OPS, USER_STATUS_ACTIVE, User
from aiops.logs.v1 import logs_service_pb2
from aiops.tickets.v1 import tickets_service_pb2
from chassis.errors import Unavailable
from gateway.testing.answers import a_log, a_ticket

if TYPE_CHECKING:
    from tests.conformance.conftest import Front, RunNode

pytestmark = pytest.mark.timeout(300)  # the first test installs the packages

ADA, GRACE = "0198c0de-0000-7000-8000-0000000000a1", "0198c0de-0000-7000-8000-0000000000a2"
LOG_ID, TICKET_ID = "0198c0de-0000-7000-8000-0000000000b1", "0198c0de-0000-7000-8000-0000000000c1"
UNKNOWN = "0198c0de-0000-7000-8000-0000000000ff"

SECOND = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])

type Query { postmortems: [Postmortem!] }

type Postmortem @key(fields: "id") { id: ID! text: String! ticket: Ticket author: User }

type Ticket @key(fields: "id") {
  id: ID!
  title: String! @external
  postmortemNames: [String!] @requires(fields: "title")
}

type User @key(fields: "id", resolvable: false) { id: ID! }
"""
"""A subgraph of somebody else, which names our entities by key and adds a field to one of them."""

POSTMORTEMS = [
    {"id": "1", "text": "Checkout was down", "ticket": {"id": TICKET_ID}, "author": {"id": ADA}},
    {"id": "2", "text": "Nobody noticed", "ticket": {"id": UNKNOWN}, "author": {"id": GRACE}},
]
ENTITIES = """
query Entities($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename ... on Log { id name } ... on User { id displayName } ... on Ticket { id title }
  }
}
"""


def batch_get_users(request: Any) -> auth_service_pb2.BatchGetUsersResponse:
    names = {ADA: "Ada", GRACE: "Grace"}
    return auth_service_pb2.BatchGetUsersResponse(
        users=[
            User(id=id_, version=1, display_name=names[id_], role=ROLE_OPS, status=USER_STATUS_ACTIVE)
            for id_ in request.ids
            if id_ in names
        ]
    )


def batch_get_logs(request: Any) -> logs_service_pb2.BatchGetLogsResponse:
    return logs_service_pb2.BatchGetLogsResponse(logs=[a_log(id_) for id_ in request.ids if id_ == LOG_ID])


def batch_get_tickets(request: Any) -> tickets_service_pb2.BatchGetTicketsResponse:
    tickets = [a_ticket(id_, log_ids=[LOG_ID]) for id_ in request.ids if id_ == TICKET_ID]
    return tickets_service_pb2.BatchGetTicketsResponse(tickets=tickets)


@pytest_asyncio.fixture
async def scripted(front: "Front") -> "Front":
    front.services["auth"].answers["BatchGetUsers"] = batch_get_users
    front.services["logs"].answers["BatchGetLogs"] = batch_get_logs
    front.services["tickets"].answers["BatchGetTickets"] = batch_get_tickets
    return front


@pytest_asyncio.fixture
async def composed(scripted: "Front", run_node: "RunNode") -> dict[str, Any]:
    """Our subgraph, as the running gateway gives it, and the second one."""
    ours = (await scripted.gateway.data("{ _service { sdl } }"))["_service"]["sdl"]
    answer: dict[str, Any] = await run_node("compose.mjs", stdin={"aiops": ours, "postmortems": SECOND})
    return answer


async def test_live_sdl_composes_with_a_second_subgraph(composed: dict[str, Any]) -> None:
    assert composed["errors"] == []
    assert composed["hints"] == []
    assert 'type User\n  @join__type(graph: AIOPS, key: "id")' in composed["supergraph"]


async def test_composition_refuses_a_second_subgraph_that_contradicts_ours(
    scripted: "Front", run_node: "RunNode"
) -> None:
    ours = (await scripted.gateway.data("{ _service { sdl } }"))["_service"]["sdl"]
    other = SECOND.replace("resolvable: false) { id: ID! }", "resolvable: false) { id: ID! displayName: Int }")

    answer = await run_node("compose.mjs", stdin={"aiops": ours, "postmortems": other})

    assert any("User.displayName" in error for error in answer["errors"])


async def test_router_joins_both_and_an_unknown_id_stays_alone(
    scripted: "Front", composed: dict[str, Any], run_node: "RunNode"
) -> None:
    question = {
        "supergraph": composed["supergraph"],
        "url": scripted.url,
        "token": scripted.token,
        "second": {"sdl": SECOND, "answers": {"postmortems": POSTMORTEMS}},
        "query": "{ postmortems { text ticket { title postmortemNames logs { name } } author { displayName } } }",
    }

    answer = await run_node("route.mjs", stdin=question)

    assert answer.get("errors", []) == []
    assert answer["data"]["postmortems"] == [
        {
            "text": "Checkout was down",
            "ticket": {
                "title": "checkout is slow",
                "postmortemNames": ['On "checkout is slow"'],
                "logs": [{"name": "app.log"}],
            },
            "author": {"displayName": "Ada"},
        },
        {"text": "Nobody noticed", "ticket": None, "author": {"displayName": "Grace"}},
    ]
    calls = {name: dict(service.calls) for name, service in scripted.services.items() if service.calls}
    assert calls == {
        "tickets": {"BatchGetTickets": 1},
        "logs": {"BatchGetLogs": 1},
        "auth": {"BatchGetUsers": 1},
    }


async def test_each_representation_fails_alone(scripted: "Front") -> None:
    representations: list[Any] = [
        {"__typename": "User", "id": ADA},
        {"__typename": "Nonsense", "id": ADA},
        {"__typename": "User", "id": UNKNOWN},
        {"__typename": "User"},
        {"__typename": "User", "id": 7},
        {"id": ADA},
        "nonsense",
        {"__typename": "Log", "id": LOG_ID, "name": "what a router also sends"},
        {"__typename": "Ticket", "id": UNKNOWN},
        {"__typename": "Ticket", "id": TICKET_ID},
    ]

    body = await scripted.gateway.ask(ENTITIES, {"representations": representations}, token=scripted.token)

    assert body["data"]["_entities"] == [
        {"__typename": "User", "id": ADA, "displayName": "Ada"},
        *[None] * 6,
        {"__typename": "Log", "id": LOG_ID, "name": "app.log"},
        None,
        {"__typename": "Ticket", "id": TICKET_ID, "title": "checkout is slow"},
    ]
    failed = {error["path"][-1]: (error["extensions"]["code"], error["message"]) for error in body["errors"]}
    assert sorted(failed) == [1, 3, 4, 5, 6]
    assert {code for code, _ in failed.values()} == {"INVALID_ARGUMENT"}
    assert "KeyError" not in str(failed)


async def test_service_that_is_down_takes_only_its_own_entities(scripted: "Front") -> None:
    scripted.services["auth"].answers["BatchGetUsers"] = Unavailable("auth is away", dependency="auth")
    representations = [{"__typename": "User", "id": ADA}, {"__typename": "Log", "id": LOG_ID}]

    body = await scripted.gateway.ask(ENTITIES, {"representations": representations}, token=scripted.token)

    assert body["data"]["_entities"] == [None, {"__typename": "Log", "id": LOG_ID, "name": "app.log"}]
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [
        (["_entities", 0], "UNAVAILABLE")
    ]
