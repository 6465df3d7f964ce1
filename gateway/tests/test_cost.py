"""What an operation may cost is known from its document and its variables, and what costs too much reaches nobody."""

from typing import Any

import pytest
from gateway.tests.conftest import StartScript

from gateway.cost import Given
from gateway.documents import Documents
from gateway.schema import Graph

TWO_LISTS = """
query Two($logs: Int = 50, $tickets: Int!) {
  logs(first: $logs) { nodes { id tickets(first: $tickets) { id } } }
}
"""
PUSH = "mutation M($input: PushCommitsInput!) { pushCommits(input: $input) { __typename } }"

COSTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "one object": ("{ me { id email } }", {}, 1),
    "a field that is no object": ("{ __typename }", {}, 0),
    "a page and its rows": ("{ logs(first: 30) { nodes { id } } }", {}, 1 + 30),
    "a page of the size it has by itself": ("{ logs { nodes { id } } }", {}, 1 + 20),
    "edges cost as much as nodes": ("{ logs(first: 30) { edges { cursor node { id } } } }", {}, 1 + 30),
    "page info": ("{ logs(first: 30) { pageInfo { endCursor } } }", {}, 1 + 30 + 1),
    "an object in each row": ("{ tickets(first: 30) { nodes { assignee { id } } } }", {}, 1 + 30 + 30),
    "lists in lists": ("{ logs(first: 30) { nodes { tickets(first: 7) { id } } } }", {}, 1 + 30 + 30 * 7),
    "a list of parts": ("{ logs(first: 30) { nodes { severityCounts { count } } } }", {}, 1 + 30 + 30 * 10),
    "variables": (TWO_LISTS, {"logs": 100, "tickets": 3}, 1 + 100 + 100 * 3),
    "defaults of variables": (TWO_LISTS, {"tickets": 3}, 1 + 50 + 50 * 3),
    "null": (TWO_LISTS, {"logs": None, "tickets": 3}, 1 + 50 + 50 * 3),
    "a size that is none": (TWO_LISTS, {"logs": "100", "tickets": True}, 1),
    "a size below nothing": (TWO_LISTS, {"logs": -5, "tickets": 3}, 1),
    "a size below nothing in the document": (
        "{ a: logs(first: -9) { nodes { id } } b: logs { nodes { id } } }",
        {},
        22,
    ),
    "a size below nothing by default": ("query Q($n: Int! = -9) { logs(first: $n) { nodes { id } } me { id } }", {}, 2),
    "fragments": (
        "{ logs(first: 5) { ...P } } fragment P on LogConnection { nodes { ... on Log { tickets(first: 4) { id } } } }",
        {},
        1 + 5 + 5 * 4,
    ),
    "the same fragment in two pages": (
        """
        query Q($n: Int!) { a: logs(first: $n) { ...P } b: logs(first: 2) { ...P } }
        fragment P on LogConnection { nodes { summary { createdAt } } }
        """,
        {"n": 3},
        (1 + 3 + 3) + (1 + 2 + 2),
    ),
    "a mutation": ("mutation M($input: LogOutInput!) { logOut(input: $input) { __typename } }", {}, 10 + 1),
    "two aliases of a mutation": (
        """
        mutation M($input: LogOutInput!) {
          a: logOut(input: $input) { __typename } b: logOut(input: $input) { __typename }
        }
        """,
        {},
        2 * (10 + 1),
    ),
    "items that are sent": (PUSH, {"input": {"commits": [{"paths": ["a", "b"]}] * 9, "services": ["x"]}}, 11 + 9 + 1),
    "items in the document": (
        'mutation { linkTicketLogs(input: {ticketId: "a", expectedVersion: 1, logIds: ["b", "c"]}) { __typename } }',
        {},
        11 + 2,
    ),
    "entities": (
        "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Log { tickets(first: 4) { id } } } }",
        {"r": [{"__typename": "Log", "id": "x"}] * 6},
        6 + 6 + 6 * 4,
    ),
}


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Documents(Graph().core, development=True)


@pytest.mark.parametrize("name", COSTS)
def test_cost_is_what_the_answer_may_hold(documents: Documents, name: str) -> None:
    text, variables, cost = COSTS[name]

    prepared = documents.prepare(text)

    assert [error.message for error in prepared.errors] == []
    assert prepared.operation(None).cost.of(variables) == cost


def test_doubling_fragments_are_counted_at_once_and_cost_what_they_say(documents: Documents) -> None:
    doubling = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(60))
    text = f"query Q($n: Int!) {{ ...F0 }} {doubling} fragment F60 on Query {{ logs(first: $n) {{ nodes {{ id }} }} }}"

    cost = documents.prepare(text).operation(None).cost

    assert cost.of({"n": 1}) == 2 * 2**60
    assert cost.products == {(): 2**60, (Given("n", counts_items=False, otherwise=20),): 2**60}


@pytest.mark.parametrize("first", [5_000, 2_147_483_647])
async def test_what_costs_too_much_reaches_no_service(start_script: StartScript, first: int) -> None:
    async with start_script() as script:
        before = script.gateway.rpcs()

        response = await script.gateway.post(
            "query Q($first: Int!) { logs(first: $first) { nodes { id } } }",
            {"first": first},
            token=script.token(),
            accept="application/graphql-response+json",
        )

        (error,) = response.json()["errors"]
        assert response.status_code == 400
        assert (error["extensions"]["code"], error["extensions"]["cost"], error["extensions"]["limit"]) == (
            "QUERY_TOO_COSTLY",
            first + 1,
            5_000,
        )
        assert error["message"] == (
            f"the operation may touch {first + 1:,} objects, 5,000 are allowed; ask for smaller pages or less of each"
        )
        assert "data" not in response.json()
        assert script.gateway.rpcs() == before


async def test_the_limit_is_a_setting(start_script: Any) -> None:
    async with start_script(max_cost=20) as script:
        refused = await script.gateway.ask("{ logs(first: 20) { nodes { id } } }", token=script.token())
        allowed = await script.gateway.ask("{ logs(first: 19) { nodes { id } } }", token=script.token())

    assert refused["errors"][0]["extensions"]["code"] == "QUERY_TOO_COSTLY"
    assert allowed["errors"][0]["extensions"]["code"] == "INTERNAL"  # the service has no script, so it was asked
    assert script.logs.calls == {"ListLogs": 1}
