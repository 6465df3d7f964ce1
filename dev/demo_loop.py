"""The second half of the demo: a ticket about the logs, a changelog of this repository, a deployment, and one query.

Each step says what is missing, and the demo fails when something is.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from aiops_cli import change_documents, change_view, commits, ticket_documents, ticket_view
from aiops_cli.failure import Failure
from aiops_cli.git import count_commits, is_shallow, read_commits, resolve_range, version_at
from aiops_cli.graph import Graph
from aiops_cli.render import clock, inert

REPOSITORY = "aiops/aiops"
SERVICE = "aiops"
TITLE = "Outage: the message broker NATS was down, and log-ins fail"
TEXT = (
    "For ten seconds no service could reach NATS; all of them logged connection errors and warnings. "
    "In the same minute somebody tried passwords: twenty log-ins were refused, which looks like an attack. "
    "The log of the stack is linked."
)
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.2
BATCH = 500

LOOP = """
query TheLoop($log: ID!) {
  log(id: $log) {
    name
    severity
    summary { sentences { text } }
    tickets(first: 1) {
      title
      status
      category
      priority
      team
      triage {
        category { confidence reasons { quote explanation } }
        priority { confidence reasons { quote explanation } }
      }
      reporter { user { displayName email } }
      assignee { displayName email }
      similar(first: 3) { similarity ticket { title } }
    }
    changesBefore(hours: 720, first: 5) {
      before
      windowStart
      truncated
      changes {
        at
        change {
          __typename
          ... on Deployment { service deployed: version environment }
          ... on Commit { sha subject authorName author { displayName } }
        }
      }
    }
  }
}
"""


def ticket_about(graph: Graph, log: Mapping[str, Any]) -> dict[str, Any]:
    """Create a ticket with the log linked, take it, and return it once it is triaged."""
    given = {"title": TITLE, "message": TEXT, "source": "demo", "service": SERVICE, "logIds": [log["id"]]}
    created = graph.mutate(ticket_documents.CREATE, given)["ticket"]
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        ticket = read_ticket(graph, created["id"])
        if ticket["triageState"] != "PENDING":
            break
        if time.monotonic() > deadline:
            raise Failure(f"The triage of {created['id']} took more than {WAIT_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)
    me = graph.query(ticket_documents.ME)["me"]["id"]
    taken = {"ticketId": ticket["id"], "expectedVersion": ticket["version"], "assigneeId": me}
    graph.mutate(ticket_documents.change("assignTicket"), taken)
    return read_ticket(graph, created["id"])


def read_ticket(graph: Graph, ticket_id: str) -> dict[str, Any]:
    """All about a ticket, as it is now."""
    ticket: dict[str, Any] = graph.query(ticket_documents.TICKET, {"id": ticket_id})["ticket"]
    return ticket


def ticket_lines(ticket: Mapping[str, Any]) -> Iterable[RenderableType]:
    """The ticket as `aiops tickets show` prints it."""
    yield Text("\nA ticket about them", style="bold")
    yield from ticket_view.whole(ticket, ())


def ticket_faults(ticket: Mapping[str, Any], log_id: str) -> list[str]:
    """What is missing on the ticket."""
    faults = []
    if ticket["triageState"] != "TRIAGED":
        return [f"the ticket was not triaged: {ticket['triageFailure']}"]
    text = {"TITLE": ticket["title"], "MESSAGE": ticket["message"]}
    choices = [ticket["triage"][name] for name in ("category", "priority", "team")]
    reasons = [reason for choice in choices for reason in choice["reasons"]]
    if not reasons:
        faults.append("triage gave no reason")
    if any(text[each["field"]][each["start"] : each["end"]] != each["quote"] for each in reasons):
        faults.append("a reason of the triage quotes words that are not in the ticket")
    if [log["id"] for log in ticket["logs"] or ()] != [log_id]:
        faults.append("the log is not linked to the ticket")
    if not ticket["assignee"]:
        faults.append("the ticket has no assignee")
    if not (ticket["changesBefore"] or {"changes": []})["changes"]:
        faults.append("the ticket knows of no change before it")
    return faults


def history(graph: Graph, folder: Path) -> tuple[dict[str, Any] | None, list[str], str]:
    """Push the history of this checkout and make a changelog of it.

    Returns the changelog, the hashes of its range, and a note about a history that is not whole. Without git: nothing.
    """
    try:
        chosen = resolve_range(folder, "")
    except Failure as failure:
        return None, [], f"This checkout has no history ({failure.message}), so there is no changelog of it."
    if count_commits(folder, chosen) == 0:
        chosen = resolve_range(folder, "", since_version=False)
    given = list(read_commits(folder, chosen))
    whole = resolve_range(folder, "", since_version=False)
    for batch in commits.batches(read_commits(folder, whole), count_commits(folder, whole), BATCH):
        graph.mutate(change_documents.PUSH, {"repository": REPOSITORY, "services": [], "commits": batch})
    wanted: dict[str, Any] = {
        "repository": REPOSITORY,
        "previousVersion": version_at(folder, chosen.from_sha) or version("aiops-cli"),
    }
    note = ""
    if is_shallow(folder):
        note = "This clone is shallow: the changelog is about the commits that are in it."
        given = given[:1000]
        wanted["commits"] = [commits.commit_input(commit) for commit in given]
    else:
        wanted["range"] = {"fromRef": chosen.from_sha or None, "toRef": chosen.to_sha}
    changelog = graph.mutate(change_documents.GENERATE, wanted)["changelog"]
    deadline = time.monotonic() + WAIT_SECONDS
    while changelog["highlightState"] == "PENDING" and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        changelog = graph.query(change_documents.CHANGELOG, {"id": changelog["id"]})["changelog"]
    return changelog, [commit.sha for commit in given], note


def changelog_lines(changelog: Mapping[str, Any]) -> Iterable[Text]:
    """The changelog's accounts, what decided its version, and its highlights."""
    yield Text("\nThis repository's history as a changelog", style="bold")
    yield Text("  ") + change_view.accounts(changelog)
    reasons = Counter(each["reason"] for each in changelog["excluded"])
    left_out = ", ".join(f"{count} {change_view.EXCLUSION.get(reason, reason)}" for reason, count in reasons.items())
    yield Text(f"  left out: {left_out or 'nothing'}")
    yield Text("  ") + change_view.bump(changelog)
    for each in (changelog["highlights"] or {"highlights": []})["highlights"][:5]:
        yield Text.assemble("  • ", inert(each["text"]))
    yield Text(f"  all of it: aiops changelogs show {changelog['id']}", style="dim")


def changelog_faults(changelog: Mapping[str, Any], shas: Sequence[str]) -> list[str]:
    """What does not add up: every commit of the range is in one entry or left out."""
    inside = [sha for entry in changelog["entries"] for sha in entry["commitShas"]]
    accounted = Counter([*inside, *(each["sha"] for each in changelog["excluded"])])
    faults = []
    if accounted != Counter(shas) or changelog["commitCount"] != len(shas):
        faults.append(f"the changelog accounts for {accounted.total()} commits, git has {len(shas)}")
    if changelog["bump"] != "NONE" and changelog["bumpSha"] not in shas:
        faults.append("the commit that decided the version is none of the range")
    if changelog["highlightState"] != "READY":
        faults.append(f"the highlights are {changelog['highlightState']}")
    return faults


def record_deployment(graph: Graph, log: Mapping[str, Any], sha: str) -> None:
    """Record that this version of the stack was live when its log began."""
    began = log["firstRecordTime"] or log["createdAt"]
    build = f"+{sha[:8]}" if sha else ""
    deployment = {
        "service": log["service"] or SERVICE,
        "environment": "local",
        "version": f"{version('aiops-cli')}{build}",
        "deployedAt": began,
        "externalReference": f"demo-{began}",
    }
    if sha:
        deployment |= {"repository": REPOSITORY, "sha": sha}
    try:
        graph.mutate(change_documents.RECORD, deployment)
    except Failure as failure:
        if failure.reason != "DEPLOYMENT_REFERENCE_TAKEN":  # an earlier demo of this stack told of it
            raise


def ask(graph: Graph, log_id: str) -> dict[str, Any]:
    """One query for all of it."""
    log: dict[str, Any] = graph.query(LOOP, {"log": log_id})["log"]
    return log


def answer_lines(log: Mapping[str, Any]) -> Iterable[RenderableType]:
    """The answer of the one query, for people."""
    yield Text.assemble(("\nOne query: the log, its ticket, its people, the changes before it", "bold"))
    yield Text.assemble(("  log       ", "dim"), inert(log["name"]))
    for sentence in (log["summary"] or {"sentences": []})["sentences"][:2]:
        yield Text(f"            {inert(sentence['text'])}", style="dim")
    for ticket in log["tickets"] or ():
        known = ", ".join(inert(ticket[name] or f"{name} uncertain") for name in ("category", "priority", "team"))
        yield Text.assemble(("  ticket    ", "dim"), inert(ticket["title"]), f" ({known})")
        for name in ("category", "priority"):
            for reason in (ticket["triage"] or {name: {"reasons": []}})[name]["reasons"][:2]:
                why = f'"{inert(reason["quote"])}" {inert(reason["explanation"])}'
                yield Text(f"            {name}: {why}", style="dim")
        yield Text.assemble(("  reporter  ", "dim"), ticket_view.person(ticket["reporter"]["user"]))
        yield Text.assemble(("  assignee  ", "dim"), ticket_view.person(ticket["assignee"]))
    before = log["changesBefore"]
    if before:
        yield Text(f"  changes before {clock(before['before'])} UTC, newest first", style="dim")
        yield from ticket_view.changes(before)


def answer_faults(log: Mapping[str, Any]) -> list[str]:
    """What the one query does not show."""
    [ticket] = log["tickets"] or [None]
    shown = {
        "its summary": log["summary"],
        "its ticket": ticket,
        "the ticket's reporter": ticket and ticket["reporter"]["user"],
        "the ticket's assignee": ticket and ticket["assignee"],
        "a deployment before it": [
            each
            for each in (log["changesBefore"] or {"changes": []})["changes"]
            if (each["change"] or {}).get("__typename") == "Deployment"
        ],
    }
    return [f"the query does not show {name}" for name, value in shown.items() if not value]


def print_query(console: Console, log_id: str) -> None:
    """The query and its variables, to paste into GraphiQL."""
    console.print("\n[bold]The GraphQL query that fetched it[/bold]", f"(variables: {json.dumps({'log': log_id})})")
    console.print(LOOP.strip(), markup=False, style="dim")
