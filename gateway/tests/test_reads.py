"""Pages, ids and batches on the real services: exact answers and an exact number of RPCs."""

import asyncio
from typing import Any

import pytest

from gateway.testing.harness import RunningGateway
from gateway.testing.stack import Person, Stack

UNKNOWN = "0198c0de-0000-7000-8000-000000000001"
PAGE = """
query Page($first: Int!, $after: String) {
  logs(first: $first, after: $after) {
    edges { cursor node { id name createdBy { email } summary { run { task } sentences { text records { body } } } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


async def fill(gateway: RunningGateway, person: Person, count: int) -> list[str]:
    ids = []
    for number in range(count):
        made = await gateway.mutate(
            "summarizeLog", "log { id }", token=person.token, name=f"{number}.log", text=f"ERROR disk {number} failed"
        )
        ids.append(made["log"]["id"])
    return ids


async def all_summarized(gateway: RunningGateway, person: Person, count: int) -> None:
    query = "{ logs(first: 100, filter: {states: [SUMMARIZED]}) { nodes { id } } }"
    async with asyncio.timeout(60):
        while True:
            if len((await gateway.data(query, token=person.token))["logs"]["nodes"]) == count:
                return
            await asyncio.sleep(0.2)


async def test_page_of_twenty_logs_with_people_runs_and_cited_lines_is_four_rpcs(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ops = await stack.join(gateway, admin, "ops@example.com")
        await fill(gateway, admin, 10)
        await fill(gateway, ops, 10)
        await all_summarized(gateway, admin, 20)
        before = gateway.rpcs()

        data = await gateway.data(PAGE, {"first": 20}, token=admin.token)

        made = {method: count - before.get(method, 0) for method, count in gateway.rpcs().items()}
        assert {method: count for method, count in made.items() if count} == {
            "ListLogs": 1,
            "BatchGetUsers": 1,
            "BatchGetRuns": 1,
            "BatchGetLogRecords": 1,
        }
        nodes = [edge["node"] for edge in data["logs"]["edges"]]
        assert len(nodes) == 20
        assert {node["createdBy"]["email"] for node in nodes} == {"ada@example.com", "ops@example.com"}
        assert all(node["summary"]["run"]["task"] == "summarize_evidence" for node in nodes)
        assert all(sentence["records"] for node in nodes for sentence in node["summary"]["sentences"])


async def test_pages_join_without_gap_or_repetition(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ids = await fill(gateway, admin, 5)
        query = (
            "query P($first: Int!, $after: String) { logs(first: $first, after: $after) { edges { cursor node { id } } "
        )
        query += "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id } } }"

        first = (await gateway.data(query, {"first": 3}, token=admin.token))["logs"]
        rest = (await gateway.data(query, {"first": 3, "after": first["pageInfo"]["endCursor"]}, token=admin.token))[
            "logs"
        ]

        assert [edge["node"]["id"] for edge in first["edges"] + rest["edges"]] == list(reversed(ids))
        assert [node["id"] for node in first["nodes"]] == [edge["node"]["id"] for edge in first["edges"]]
        assert first["pageInfo"] == {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": first["edges"][0]["cursor"],
            "endCursor": first["edges"][2]["cursor"],
        }
        assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


@pytest.mark.parametrize("first", [0, -1, 101, 1_000])
async def test_page_size_out_of_range_is_refused_by_name(stack: Stack, first: int) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        body = await gateway.ask(
            "query P($first: Int!) { logs(first: $first) { nodes { id } } users { nodes { id } } }",
            {"first": first},
            token=admin.token,
        )

        (error,) = body["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["logs"], "PAGE_SIZE_OUT_OF_RANGE")
        assert error["extensions"]["metadata"]["maximum"] == "100"
        assert body["data"] == {"logs": None, "users": {"nodes": [{"id": admin.id}]}}


async def test_foreign_cursor_is_refused_by_name(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        body = await gateway.ask('{ logs(after: "nonsense") { nodes { id } } }', token=admin.token)

        assert body["errors"][0]["extensions"]["code"] == "CURSOR_INVALID"


async def test_unknown_and_malformed_ids_fail_alone_in_one_batch(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        (known,) = await fill(gateway, admin, 1)
        query = """
        query L($a: ID!, $b: ID!, $c: ID!) { a: log(id: $a) { name } b: log(id: $b) { name } c: log(id: $c) { name } }
        """
        before = gateway.rpcs().get("BatchGetLogs", 0)

        body = await gateway.ask(query, {"a": known, "b": UNKNOWN, "c": "nonsense"}, token=admin.token)

        assert body["data"] == {"a": {"name": "0.log"}, "b": None, "c": None}
        (error,) = body["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["c"], "INVALID_ARGUMENT")
        assert gateway.rpcs()["BatchGetLogs"] - before == 1


async def test_entities_are_batched_and_fail_one_by_one(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        first, second = await fill(gateway, admin, 2)
        query = """
        query E($r: [_Any!]!) {
          _entities(representations: $r) { __typename ... on Log { name } ... on User { email } }
        }
        """
        representations: list[Any] = [
            {"__typename": "Log", "id": first},
            {"__typename": "Nonsense", "id": first},
            {"__typename": "Log", "id": UNKNOWN},
            {"__typename": "Log", "id": "nonsense"},
            {"__typename": "Log"},
            "nonsense",
            {"__typename": "User", "id": admin.id, "more": "than the key"},
            {"__typename": "Log", "id": second},
        ]
        before = gateway.rpcs()

        body = await gateway.ask(query, {"r": representations}, token=admin.token)

        assert body["data"]["_entities"] == [
            {"__typename": "Log", "name": "0.log"},
            None,
            None,
            None,
            None,
            None,
            {"__typename": "User", "email": "ada@example.com"},
            {"__typename": "Log", "name": "1.log"},
        ]
        assert sorted(error["path"] for error in body["errors"]) == [["_entities", index] for index in (1, 3, 4, 5)]
        assert {error["extensions"]["code"] for error in body["errors"]} == {"INVALID_ARGUMENT"}
        made = {method: count - before.get(method, 0) for method, count in gateway.rpcs().items()}
        assert (made["BatchGetLogs"], made["BatchGetUsers"]) == (1, 1)


async def test_records_and_patterns_of_a_log_can_be_narrowed(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        lines = "\n".join(
            [f"2026-03-01T10:00:{i:02d}.123456789Z INFO web request {i} served" for i in range(9)]
            + ["2026-03-01T10:00:30Z ERROR db connection refused"]
        )
        made = await gateway.mutate("summarizeLog", "log { id }", token=admin.token, name="a.log", text=lines)
        query = """
        query R($id: ID!) {
          log(id: $id) {
            records(first: 1) { nodes { lineNumber time body severity } pageInfo { hasNextPage } }
            patterns { nodes { count pattern { template } exemplars { lineNumber } severityCounts { severity count } } }
          }
          logRecords(filter: {minimumSeverity: ERROR, text: "REFUSED"}) { nodes { logId lineNumber } }
        }
        """

        data = await gateway.data(query, {"id": made["log"]["id"]}, token=admin.token)

        (record,) = data["log"]["records"]["nodes"]
        assert (record["lineNumber"], record["time"]) == (1, "2026-03-01T10:00:00.123456789Z")
        assert record["severity"] == "INFO"
        assert data["log"]["records"]["pageInfo"] == {"hasNextPage": True}
        assert [node["count"] for node in data["log"]["patterns"]["nodes"]] == [9, 1]
        assert [node["severityCounts"] for node in data["log"]["patterns"]["nodes"]] == [
            [{"severity": "INFO", "count": 9}],
            [{"severity": "ERROR", "count": 1}],
        ]
        assert data["log"]["patterns"]["nodes"][1]["exemplars"] == [{"lineNumber": 10}]
        assert data["logRecords"]["nodes"] == [{"logId": made["log"]["id"], "lineNumber": 10}]


async def test_hr_sees_no_log_and_ops_sees_no_foreign_address(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ops = await stack.join(gateway, admin, "ops@example.com")
        hr = await stack.join(gateway, admin, "hr@example.com", "HR")
        await fill(gateway, admin, 1)
        query = "{ logs { nodes { createdBy { displayName email } } } }"

        for_ops = await gateway.data(query, token=ops.token)
        for_hr = await gateway.ask(query, token=hr.token)
        refused = await gateway.mutate("summarizeLog", "log { id }", token=hr.token, name="a", text="b")

        assert for_ops == {"logs": {"nodes": [{"createdBy": {"displayName": "Ada", "email": None}}]}}
        assert for_hr["data"] == {"logs": None}
        assert for_hr["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert (refused["__typename"], refused["code"]) == ("ForbiddenError", "FORBIDDEN")
