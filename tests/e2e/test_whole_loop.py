"""The whole product once: a log, a ticket about it with reasons, a changelog, a deployment, one query for all."""

import time
from typing import Any
from uuid import uuid4

from tests.e2e.client import Client, person
from tests.e2e.conftest import RunningStack

LINES = "\n".join(
    [f"2026-11-20T10:{i // 60:02d}:{i % 60:02d}Z INFO checkout: order {i} paid in {i % 7 + 3} ms" for i in range(120)]
    + [f"2026-11-20T10:02:{i:02d}Z ERROR checkout: payment provider refused connection" for i in range(40)]
)
TICKET = """
query Ticket($id: ID!) {
  ticket(id: $id) {
    id version title message triageState category priority team categorySource
    triage {
      engine kept run { task engine }
      category { value confidence uncertain reasons { field start end quote explanation } }
    }
  }
}
"""
EVERYTHING = """
query Everything($id: ID!) {
  ticket(id: $id) {
    title
    assignee { id displayName }
    createdBy { id }
    logs { name createdBy { id } tickets { id } }
    changesBefore(hours: 1) {
      truncated
      changes { at change { __typename ... on Deployment { version service } ... on Commit { sha subject } } }
    }
  }
}
"""
CHANGELOG = """
query Changelog($id: ID!) {
  changelog(id: $id) {
    version highlightState commitCount
    entries { key commitShas } excluded { sha }
    highlights { engine run { task } highlights { text entryKeys } }
    commits { sha } deployments { version }
  }
}
"""


def until(client: Client, document: str, log_id: str, field: str, over: str) -> dict[str, Any]:
    """The thing once its machine part is over."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.data(document, {"id": log_id})[field]
        if found[over] != "PENDING":
            return found
        time.sleep(0.1)
    raise AssertionError(f"{field} {log_id} was still pending after 60 s")


def test_log_ticket_people_and_changes_meet_in_one_query(stack: RunningStack, admin: Client) -> None:
    service, tail = f"checkout-{uuid4().hex[:6]}", uuid4().hex
    ops, _, _ = person(stack, admin, "OPS", name="Olga Ops")
    me = ops.data("{ me { id } }")["me"]["id"]
    log_id = admin.stored(LINES.encode(), name="checkout.log")
    admin.summarized(log_id)
    first, second = f"{tail}{1:08x}", f"{tail}{2:08x}"
    now = time.time()
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago)) for ago in (1200, 600, 300)]
    commits = [
        {"sha": second, "message": "fix: pay twice no more (#7)", "committedAt": stamp[1], "parentShas": [first]},
        {"sha": first, "message": "feat: pay by invoice", "committedAt": stamp[0]},
    ]
    repository = f"shop/{service}"
    pushed = admin.mutate("pushCommits", "newCommitCount", repository=repository, services=[service], commits=commits)
    deployed = admin.mutate(
        "recordDeployment", "deployment { id }", service=service, version="1.1.0", repository=repository, sha=second,
        deployedAt=stamp[2],
    )  # fmt: skip

    created = ops.mutate(
        "createTicket", "ticket { id }", title="Payments fail: outage of the checkout since ten",
        message="Every payment is refused with an error, production is down for all users.", service=service,
        logIds=[log_id],
    )["ticket"]  # fmt: skip
    ticket = until(ops, TICKET, created["id"], "ticket", "triageState")
    assigned = ops.mutate(
        "assignTicket", "ticket { version }", ticketId=ticket["id"], expectedVersion=ticket["version"], assigneeId=me
    )
    answer = ops.data(EVERYTHING, {"id": ticket["id"]})["ticket"]

    assert pushed["newCommitCount"] == 2
    assert deployed["__typename"] == "RecordDeploymentSuccess"
    assert assigned["ticket"]["version"] == ticket["version"] + 1
    assert (ticket["triageState"], ticket["categorySource"]) == ("TRIAGED", "TRIAGE")
    choice = ticket["triage"]["category"]
    assert (ticket["category"], choice["uncertain"]) == (choice["value"], False)
    assert choice["reasons"]
    for reason in choice["reasons"]:
        text = ticket["title"] if reason["field"] == "TITLE" else ticket["message"]
        assert text[reason["start"] : reason["end"]] == reason["quote"]
    assert ticket["triage"]["run"]["task"] == "triage_ticket"
    assert answer["assignee"] == {"id": me, "displayName": "Olga Ops"}
    assert answer["createdBy"] == {"id": me}
    assert [log["name"] for log in answer["logs"]] == ["checkout.log"]
    assert answer["logs"][0]["tickets"] == [{"id": ticket["id"]}]
    assert [change["change"] for change in answer["changesBefore"]["changes"]] == [
        {"__typename": "Deployment", "version": "1.1.0", "service": service},
        {"__typename": "Commit", "sha": second, "subject": "fix: pay twice no more (#7)"},
        {"__typename": "Commit", "sha": first, "subject": "feat: pay by invoice"},
    ]


def test_range_of_pushed_commits_becomes_a_changelog_with_highlights(admin: Client) -> None:
    tail = uuid4().hex
    shas = [f"{tail}{number:08x}" for number in range(4)]
    messages = ["chore: begin", "feat: pay by invoice", "fix: totals", "docs: how to pay"]
    commits = [
        {"sha": shas[i], "message": messages[i], "parentShas": shas[i - 1 : i], "tags": ["v1.0.0"] if i == 0 else []}
        for i in (3, 2, 1, 0)
    ]
    repository = f"shop/{tail[:8]}"
    admin.mutate("pushCommits", "newCommitCount", repository=repository, commits=commits)

    member = admin.mutate(
        "generateChangelog", "changelog { id bump nextVersion previousVersion }", repository=repository,
        range={"fromRef": "v1.0.0", "toRef": shas[3]},
    )  # fmt: skip
    changelog = until(admin, CHANGELOG, member["changelog"]["id"], "changelog", "highlightState")

    made = member["changelog"]
    assert (made["previousVersion"], made["bump"], made["nextVersion"]) == ("v1.0.0", "MINOR", "v1.1.0")
    accounted = [sha for entry in changelog["entries"] for sha in entry["commitShas"]]
    assert sorted(accounted + [each["sha"] for each in changelog["excluded"]]) == sorted(shas[1:])
    assert {commit["sha"] for commit in changelog["commits"]} == set(shas[1:])
    assert changelog["highlightState"] == "READY"
    assert changelog["highlights"]["run"]["task"] == "word_highlights"
    keys = {entry["key"] for entry in changelog["entries"]}
    assert {key for each in changelog["highlights"]["highlights"] for key in each["entryKeys"]} <= keys
