"""What a stack holds when pages are looked at: a log with an outbreak, tickets, a published and a drafted changelog."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.e2e.client import Client

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SERVICE = "checkout"
REPOSITORY = "shop/checkout"
MESSAGES = (
    "feat(pay): pay with vouchers (#12)",
    "fix: fix rounding of discounts",
    "feat!: close idle connections after 5 s\n\nBREAKING CHANGE: set PROVIDER_IDLE_SECONDS=60 for the old behaviour",
    "chore(deps): bump httpx from 0.27 to 0.28",
    "docs: explain vouchers",
    "Merge branch 'main' into release",
)


@dataclass(frozen=True)
class Content:
    """Ids of what was stored."""

    log: str
    ticket: str
    people_ticket: str
    draft: str
    published: str


def log_lines(records: int = 600) -> str:
    """A log in which the payment provider goes away in the last tenth."""
    lines = []
    for number in range(records):
        at = (START + timedelta(seconds=number)).isoformat()
        if number > records * 0.9 and number % 2:
            lines.append(f"{at} ERROR payment provider refused connection to 10.0.0.{number % 9}:443")
        else:
            lines.append(f"{at} INFO order {number} paid in {number % 90} ms")
    return "\n".join(lines)


def commits() -> list[dict[str, object]]:
    """Six commits, the newest first."""
    shas = [hashlib.sha1(message.encode()).hexdigest() for message in MESSAGES]  # noqa: S324 - as git has them
    return [
        {
            "sha": sha,
            "message": message,
            "authorName": "Ada Lovelace",
            "authorEmail": "ada@example.com",
            "committedAt": (START - timedelta(hours=number)).isoformat(),
            "parentShas": shas[number + 1 : number + 2],
            "tags": ["v2.0.0"] if number == 0 else [],
        }
        for number, (sha, message) in enumerate(zip(shas, MESSAGES, strict=True))
    ]


def fill(as_role: Callable[[str], Client]) -> Content:
    """Store it all, and wait until the machine has done its part."""
    ops, hr = as_role("ops"), as_role("hr")
    log = ops.mutate("summarizeLog", "log { id }", name="checkout.log", text=log_lines(), service=SERVICE)["log"]["id"]
    ops.summarized(log)
    ops.mutate("pushCommits", "newCommitCount", repository=REPOSITORY, services=[SERVICE], commits=commits())
    ops.mutate(
        "recordDeployment",
        "deployment { id }",
        service=SERVICE,
        version="2.0.0",
        repository=REPOSITORY,
        sha=commits()[0]["sha"],
        deployedAt=(START - timedelta(minutes=12)).isoformat(),
    )
    ticket = ops.mutate(
        "createTicket",
        "ticket { id version }",
        title="Outage: checkout answers 502 🔥 for every customer",
        message="Since 10:09 the checkout is down: payment provider refused connection. Customers cannot pay at all.",
        service=SERVICE,
        logIds=[log],
    )["ticket"]
    _triaged(ops, ticket["id"])
    version = ops.data("query T($id: ID!) { ticket(id: $id) { version } }", {"id": ticket["id"]})["ticket"]["version"]
    ops.mutate(
        "addTicketComment", "comment { id }", ticketId=ticket["id"], expectedVersion=version, body="Rolling back 2.0.0."
    )
    people = hr.mutate(
        "createTicket",
        "ticket { id }",
        title="My payslip of October is wrong",
        message="The overtime is missing on my payslip.",
        audience="PEOPLE",
    )["ticket"]["id"]
    _triaged(hr, people)
    range_ = {"toRef": "v2.0.0"}
    made = [
        ops.mutate(
            "generateChangelog", "changelog { id version }", repository=REPOSITORY, range=range_, previousVersion=before
        )["changelog"]
        for before in ("v1.4.0", "v1.5.0")
    ]
    published = _highlighted(ops, made[1]["id"])
    done = ops.mutate(
        "publishChangelog", "changelog { id }", changelogId=published["id"], expectedVersion=published["version"]
    )
    assert done["__typename"] == "PublishChangelogSuccess", done
    return Content(log, ticket["id"], people, made[0]["id"], published["id"])


def _triaged(client: Client, ticket: str) -> None:
    _wait(client, "query T($id: ID!) { ticket(id: $id) { triageState } }", ticket, "ticket", ("triageState", "PENDING"))


def _highlighted(client: Client, changelog: str) -> dict[str, str]:
    document = "query C($id: ID!) { changelog(id: $id) { id version highlightState } }"
    return _wait(client, document, changelog, "changelog", ("highlightState", "PENDING"))


def _wait(client: Client, document: str, thing: str, field: str, pending: tuple[str, str]) -> dict[str, str]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: dict[str, str] = client.data(document, {"id": thing})[field]
        if found[pending[0]] != pending[1]:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{field} {thing} is still {pending[1]}")
