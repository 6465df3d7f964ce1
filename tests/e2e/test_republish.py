"""Streams that are lost on a real stack: all goes on unaided, and the command brings back what was in them."""

import json

import pytest
from tests.e2e.conftest import ONE_PROCESS, RunningStack
from tests.e2e.operating import lose_streams, operate, owner, until
from tests.e2e.test_main_job import summarized

from aiops_cli import documents, graph

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)
LINE = b"2026-11-20T10:00:00Z ERROR shop: payment provider refused connection\n"
COMPLETE = """
    SELECT (SELECT count(*) FROM outbox WHERE subject = 'aiops.logs.log.received.v1'),
           (SELECT count(*) FROM inbox WHERE consumer = 'logs-summarize'),
           (SELECT count(*) FROM dead_letters), (SELECT count(*) FROM outbox WHERE published_at IS NULL)
"""


def counts(stack: RunningStack) -> tuple[int, ...]:
    with owner(stack, "logs") as connection:
        row = connection.execute(COMPLETE).fetchone()
    assert row is not None
    return tuple(row)


def test_what_was_lost_with_the_streams_is_told_again_and_nothing_twice(
    stack: RunningStack, graphql: graph.Graph
) -> None:
    before = graphql.upload(iter([LINE * 20]), {"name": "before the streams were lost"})
    version = summarized(graphql, before["id"])["version"]
    lost = graphql.upload(iter([LINE * 20]), {"name": "summarised before, forgotten after"})
    summarized(graphql, lost["id"])

    lose_streams(stack)
    after = graphql.upload(iter([LINE * 20]), {"name": "after the streams were lost"})
    assert summarized(graphql, after["id"])["state"] == "SUMMARIZED"

    # As if the consumer had not come to it yet when the stream was lost.
    with owner(stack, "logs") as connection:
        connection.execute(
            "DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM outbox WHERE aggregate_id = %s)", (lost["id"],)
        )
    received, handled, dead, _ = counts(stack)
    assert handled == received - 1

    told = operate(stack, "events", "republish", "--since", "2026-01-01T00:00:00Z", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["republished"]["logs"] >= received

    until(lambda: counts(stack) == (received, received, dead, 0))
    assert graphql.query(documents.LOG, {"id": before["id"]})["log"]["version"] == version
    nothing = operate(stack, "events", "republish", "--since", "2999-01-01T00:00:00Z", "--service", "logs")
    assert (nothing.returncode, nothing.stdout) == (0, "logs: 0 facts to be told again\n")


def test_a_moment_without_a_zone_is_refused(stack: RunningStack) -> None:
    refused = operate(stack, "events", "republish", "--since", "2026-01-01")

    assert refused.returncode == 2
    assert "--since 2026-01-01 is no moment with a zone" in refused.stderr
