"""The thin line through everything: push -> pattern -> cited sentence -> GraphQL, on real processes."""

import json
import time
from typing import Any

import pytest
from tests.e2e.conftest import RunningStack

from aiops_cli import documents, graph
from aiops_cli.failure import Failure
from aiops_cli.session import Session

LINES = [
    *(f"2026-11-20T10:{i // 60:02d}:{i % 60:02d}Z INFO shop: order {i} paid in {i % 7 + 3} ms" for i in range(300)),
    *(
        f"2026-11-20T10:05:{i:02d}Z ERROR shop: payment provider refused connection to 10.0.0.{i}:443"
        for i in range(40)
    ),
]
RECORDS = """
query Records($id: ID!, $filter: LogRecordFilter, $first: Int, $after: String) {
  log(id: $id) {
    records(filter: $filter, first: $first, after: $after) {
      edges { node { id lineNumber severity body pattern { id template } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


def summarized(graphql: graph.Graph, log_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        log: dict[str, Any] = graphql.query(documents.LOG, {"id": log_id})["log"]
        if log["state"] != "RECEIVED":
            return log
        time.sleep(0.1)
    pytest.fail("the summary took longer than 60 s")


def test_a_pushed_log_becomes_patterns_and_a_cited_summary(graphql: graph.Graph) -> None:
    stored = graphql.upload(iter(["\n".join(LINES).encode()]), {"name": "shop.log"})

    log = summarized(graphql, stored["id"])

    assert log["state"] == "SUMMARIZED"
    assert log["recordCount"] == 340
    assert log["lineCount"] == 340
    assert log["severity"] == "ERROR"
    sentences = log["summary"]["sentences"]
    assert log["summary"]["engine"].lower() == "builtin"
    assert all(sentence["records"] for sentence in sentences)
    errors = [sentence for sentence in sentences if "refused connection" in sentence["text"]]
    assert errors
    assert all("refused connection" in record["body"] for record in errors[0]["records"])


def test_the_counts_of_the_patterns_add_up(graphql: graph.Graph) -> None:
    stored = graphql.upload(iter(["\n".join(LINES).encode()]), {"name": "shop.log"})

    log = graphql.query(documents.PATTERNS, {"id": stored["id"], "first": 100})["log"]

    counts = sorted(edge["node"]["count"] for edge in log["patterns"]["edges"])
    assert counts == [40, 300]
    assert log["patternCount"] == 2


def test_records_are_found_by_level_and_text_page_by_page(graphql: graph.Graph) -> None:
    stored = graphql.upload(iter(["\n".join(LINES).encode()]), {"name": "shop.log"})
    variables = {"id": stored["id"], "filter": {"minimumSeverity": "ERROR", "text": "PROVIDER refused"}, "first": 25}

    first = graphql.query(RECORDS, variables)["log"]["records"]
    second = graphql.query(RECORDS, {**variables, "after": first["pageInfo"]["endCursor"]})["log"]["records"]

    numbers = [edge["node"]["lineNumber"] for page in (first, second) for edge in page["edges"]]
    assert numbers == list(range(301, 341))
    assert first["pageInfo"]["hasNextPage"] is True
    assert second["pageInfo"]["hasNextPage"] is False


def test_the_command_line_does_the_main_job(stack: RunningStack, graphql: graph.Graph) -> None:
    pushed = stack.aiops("logs", "push", "-", "--name", "from the shell", "--json", stdin="\n".join(LINES))

    assert pushed.returncode == 0, pushed.stderr
    log = json.loads(pushed.stdout)
    assert log["name"] == "from the shell"
    shown = stack.aiops("logs", "show", log["id"])
    assert "refused connection" in shown.stdout
    assert "line 30" in shown.stdout
    listed = json.loads(stack.aiops("logs", "list", "--json").stdout)
    assert listed[0]["id"] == log["id"]
    table = stack.aiops("logs", "patterns", log["id"])
    assert "2 patterns of 340 records" in table.stdout


def test_a_wrong_token_is_refused_and_nothing_is_stored(stack: RunningStack, graphql: graph.Graph) -> None:
    before = graphql.query(documents.LOGS, {"first": 1})["logs"]["edges"]
    stranger = graph.Graph(Session(url=stack.url, access_token="not-a-token"))

    with pytest.raises(Failure) as refused:
        stranger.upload(iter([b"2026-11-20T10:00:00Z ERROR x: y\n"]), {"name": "x"})

    assert refused.value.reason == "UNAUTHENTICATED"
    assert graphql.query(documents.LOGS, {"first": 1})["logs"]["edges"] == before
