"""Triage and changelogs on a whole stack: tickets created and triaged a second, commits pushed and accounted for.

Beside the changelog stands the same work as a plain function: what is between the two is delivery.
"""

import os
import random
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.stack import OFFSET, command, log_in

from aiops_cli import graph
from changelog_service.commits import Commit, make_notes

ROUNDS = 5
TICKETS = 200
SENDERS = 8
COMMITS = 1_000
CREATE = """
mutation Create($input: CreateTicketInput!) {
  createTicket(input: $input) {
    __typename
    ... on CreateTicketSuccess { ticket { id } }
    ... on UserError { code message }
  }
}
"""
WAITING = "query Waiting($filter: TicketFilter) { tickets(filter: $filter, first: 1) { nodes { id } } }"
GENERATE = """
mutation Generate($input: GenerateChangelogInput!) {
  generateChangelog(input: $input) {
    __typename
    ... on GenerateChangelogSuccess { changelog { commitCount entries { key } excluded { sha } } }
    ... on UserError { code message }
  }
}
"""
TITLES = ("Checkout answers 500 for everybody", "How do I rotate my token?", "Please add dark mode", "Search is slow")
SUBJECTS = (
    "feat(cart): pay by invoice (#{n})",
    "fix: total of order {n}",
    "chore(deps): bump x to {n}",
    "Improve page {n}",
)


def tickets_per_second(client: graph.Graph, source: str) -> float:
    """Tickets from the first one sent until none waits for triage."""

    def create(number: int) -> None:
        title = f"{TITLES[number % len(TITLES)]} ({number})"
        message = "It began at ten. Every user sees an error page after the last step of the checkout. " * 5
        client.mutate(CREATE, {"title": title, "message": message, "source": source})

    started = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(create, range(TICKETS)))
    while client.query(WAITING, {"filter": {"source": source, "triageStates": ["PENDING"]}})["tickets"]["nodes"]:
        time.sleep(0.02)
    return TICKETS / (time.perf_counter() - started)


def commits() -> list[dict[str, Any]]:
    """A made-up history, newest first."""
    source = random.Random(7)  # noqa: S311 - no secret
    return [
        {"sha": f"{number:040x}", "message": source.choice(SUBJECTS).format(n=number), "authorName": "Ada"}
        for number in range(COMMITS, 0, -1)
    ]


def generate_seconds(client: graph.Graph, history: list[dict[str, Any]], name: str) -> float:
    """Seconds from the mutation to the stored draft."""
    started = time.perf_counter()
    changelog = client.mutate(GENERATE, {"repository": name, "commits": history})["changelog"]
    seconds = time.perf_counter() - started
    if changelog["commitCount"] != COMMITS:
        raise SystemExit(f"{changelog['commitCount']} of {COMMITS} commits are accounted for")
    return seconds


def notes_seconds(history: list[dict[str, Any]]) -> float:
    """Seconds for the same notes as a function."""
    given = [Commit(sha=each["sha"], message=each["message"], author_name="Ada") for each in history]
    started = time.perf_counter()
    make_notes(given)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "state"
        os.environ["XDG_CONFIG_HOME"] = str(Path(temporary) / "config")
        environment = {**os.environ, "AIOPS_STATE_DIR": str(folder), "AIOPS_PORT_OFFSET": str(OFFSET)}
        command(environment, "up", "--detach")
        try:
            client = log_in(folder)
            tickets = [tickets_per_second(client, f"bench-{number}") for number in range(ROUNDS)]
            history = commits()
            stored = [generate_seconds(client, history, f"bench/{number}") for number in range(ROUNDS)]
            plain = [notes_seconds(history) for _ in range(ROUNDS)]
        finally:
            command(environment, "reset")
    print(f"tickets created and triaged: {statistics.median(tickets):.0f}/s  {[round(rate) for rate in tickets]}")
    print(f"changelog of {COMMITS:,} commits through the mutation: {statistics.median(stored):.2f} s")
    print(f"the same notes as a function: {statistics.median(plain):.3f} s")


if __name__ == "__main__":
    main()
