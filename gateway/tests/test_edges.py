"""Every edge of the graph: what it asks, in how few calls, and what is left when a service is dead, slow or broken."""

import time
from typing import Any

import pytest

from aiops.changelog.v1 import changelog_service_pb2
from gateway.testing.answers import an_id
from gateway.testing.stack import Script

TICKET = """
id
title
reporter { user { displayName } }
assignee { displayName }
createdBy { displayName }
triage { run { task } }
logs { name createdBy { displayName } tickets { title } changesBefore { truncated } }
similar { similarity ticket { title } }
comments { nodes { body author { displayName } } }
changesBefore {
  changes {
    change {
      __typename
      ... on Deployment { version createdBy { displayName } }
      ... on Commit { sha author { displayName } repository { name } }
    }
  }
}
"""
CHANGELOG = """
repository { name }
createdBy { displayName }
publishedBy { displayName }
highlights { run { task } highlights { references } }
commits { author { displayName } }
deployments { createdBy { displayName } }
"""
ONE = f'{{ ticket(id: "{an_id(21)}") {{ {TICKET} }} }}'
ADA = {"displayName": "Ada"}


async def test_every_edge_of_a_page_is_answered_in_one_call_for_each_kind(full: Script) -> None:
    query = f"{{ tickets {{ nodes {{ {TICKET} }} }} changelogs {{ nodes {{ {CHANGELOG} }} }} }}"

    data = await full.gateway.data(query, token=full.token())

    assert data["tickets"]["nodes"][1] == {
        "id": an_id(22),
        "title": "checkout is slow",
        "reporter": {"user": ADA},
        "assignee": ADA,
        "createdBy": ADA,
        "triage": {"run": {"task": "triage_ticket"}},
        "logs": [
            {
                "name": "app.log",
                "createdBy": ADA,
                "tickets": [{"title": "checkout is slow"}],
                "changesBefore": {"truncated": False},
            }
        ],
        "similar": [{"similarity": 0.5, "ticket": {"title": "checkout is slow"}}],
        "comments": {"nodes": [{"body": "looking", "author": ADA}]},
        "changesBefore": {
            "changes": [
                {"change": {"__typename": "Deployment", "version": "1.2.3", "createdBy": ADA}},
                {
                    "change": {
                        "__typename": "Commit",
                        "sha": "a" * 40,
                        "author": ADA,
                        "repository": {"name": "shop/checkout"},
                    }
                },
            ]
        },
    }
    assert data["changelogs"]["nodes"] == [
        {
            "repository": {"name": "shop/checkout"},
            "createdBy": ADA,
            "publishedBy": ADA,
            "highlights": {"run": {"task": "triage_ticket"}, "highlights": [{"references": ["#12", "#7"]}]},
            "commits": [{"author": ADA}],
            "deployments": [{"createdBy": ADA}],
        }
    ]
    assert full.gateway.rpcs() == {
        "ListTickets": 1,
        "ListChangelogs": 1,
        "BatchGetUsers": 1,
        "BatchGetUsersByEmail": 1,
        "BatchGetLogs": 1,
        "BatchGetRuns": 1,
        "BatchGetRepositories": 1,
        "BatchListLogTickets": 1,
        "BatchListSimilarTickets": 1,
        "BatchListTicketComments": 1,
        "BatchListChangelogCommits": 1,
        "BatchListChangelogDeployments": 1,
        # A log has no service here and a ticket has one: the logs' moments are known one wave later.
        "BatchListChangesBefore": 2,
    }


async def test_arguments_go_along_and_each_set_of_them_is_one_call(full: Script) -> None:
    query = """{ tickets { nodes {
      one: changesBefore(hours: 1, first: 7) { windowStart before }
      month: changesBefore(hours: 720, first: 7) { windowStart }
      few: similar(first: 2) { similarity } many: similar(first: 20) { similarity }
    } } }"""

    data = await full.gateway.data(query, token=full.token())

    node = data["tickets"]["nodes"][0]
    assert node["one"] == {"windowStart": "2026-05-28T19:26:40Z", "before": "2026-05-28T20:26:40Z"}
    assert node["month"] == {"windowStart": "2026-04-28T20:26:40Z"}
    (asked,) = [each for each in full.changelog.requests if "BeforeRequest" in type(each).__name__]
    assert isinstance(asked, changelog_service_pb2.BatchListChangesBeforeRequest)
    assert asked.first == 7
    # Three tickets of one service and one moment: two windows are two questions.
    assert [(each.service, each.window_seconds) for each in asked.queries] == [
        ("checkout", 3_600),
        ("checkout", 2_592_000),
    ]
    similar = [each for each in full.tickets.requests if "Similar" in type(each).__name__]
    assert sorted(getattr(each, "first", 0) for each in similar) == [2, 20]


@pytest.mark.parametrize(
    ("field", "code", "maximum"),
    [
        ("changesBefore(hours: 0) { truncated }", "INVALID_ARGUMENT", "720"),
        ("changesBefore(hours: 721) { truncated }", "INVALID_ARGUMENT", "720"),
        ("changesBefore(first: 0) { truncated }", "PAGE_SIZE_OUT_OF_RANGE", "100"),
        ("changesBefore(first: 101) { truncated }", "PAGE_SIZE_OUT_OF_RANGE", "100"),
        ("similar(first: 21) { similarity }", "PAGE_SIZE_OUT_OF_RANGE", "20"),
        ("comments(first: 101) { nodes { id } }", "PAGE_SIZE_OUT_OF_RANGE", "100"),
        ("logs { tickets(first: 0) { id } }", "PAGE_SIZE_OUT_OF_RANGE", "100"),
    ],
)
async def test_edge_out_of_bounds_is_refused_by_name_and_asks_nobody(
    full: Script, field: str, code: str, maximum: str
) -> None:
    body = await full.gateway.ask(f'{{ ticket(id: "{an_id(21)}") {{ title {field} }} }}', token=full.token())

    (error,) = body["errors"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["metadata"]["maximum"] == maximum
    assert body["data"]["ticket"]["title"] == "checkout is slow"
    assert set(full.gateway.rpcs()) <= {"BatchGetTickets", "BatchGetLogs"}


EDGES = {
    "auth": {
        "reporter.user",
        "assignee",
        "createdBy",
        "logs.0.createdBy",
        "comments.nodes.0.author",
        "changesBefore.changes.0.change.createdBy",
        "changesBefore.changes.1.change.author",
    },
    "logs": {"logs"},
    "changelog": {"changesBefore", "logs.0.changesBefore"},
    "ai": {"triage.run"},
}


@pytest.mark.parametrize("name", EDGES)
async def test_dead_service_costs_its_edges_alone(full: Script, name: str) -> None:
    await full.service(name).stop()
    started = time.monotonic()

    body = await full.gateway.ask(ONE, token=full.token())

    assert time.monotonic() - started < 3
    assert {".".join(map(str, error["path"][1:])) for error in body["errors"]} == EDGES[name]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"UNAVAILABLE"}
    assert all(at(body["data"]["ticket"], path) is None for path in EDGES[name])
    assert body["data"]["ticket"]["similar"] == [{"similarity": 0.5, "ticket": {"title": "checkout is slow"}}]


@pytest.mark.parametrize("name", EDGES)
async def test_stalled_service_costs_its_edges_and_a_bounded_time(
    full: Script, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.clients.batching.BATCH_SECONDS", 0.5)
    full.service(name).delay_seconds = 30
    started = time.monotonic()

    body = await full.gateway.ask(ONE, token=full.token())

    assert 0.5 <= time.monotonic() - started < 3
    assert {".".join(map(str, error["path"][1:])) for error in body["errors"]} == EDGES[name]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"DEADLINE_EXCEEDED"}


def at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value[int(part)] if part.isdigit() else value[part]
    return value
