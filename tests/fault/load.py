"""Load with unique markers: people and machines who write through the gateway, alone and against each other."""

import asyncio
import hashlib
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from tests.fault.caller import Caller, Refused, Unanswered
from tests.fault.history import History, Op

REPOSITORY = "shop/checkout"
REPLAYED = 0.1
"""Share of acknowledged writes that are repeated with their key."""
FORSAKEN = 0.1
"""Share of writes that are not repeated when their end was not heard of."""
DAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
LINES = "\n".join(
    f"2026-03-01T10:00:{second:02d}Z {'ERROR' if second % 3 == 0 else 'INFO'} checkout order {second} of "
    for second in range(12)
)


@dataclass
class Load:
    """What the clients share."""

    http: httpx.AsyncClient
    history: History
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    run: str = field(default_factory=lambda: "".join(random.choices("bcdfghjklmnp", k=5)))  # noqa: S311 - no secret
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret
    tickets: list[str] = field(default_factory=list)
    """Ids that anybody may change; the newest are changed by several at once."""
    logs: list[str] = field(default_factory=list)
    changelogs: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    def marker(self) -> str:
        """A word that nothing else holds."""
        return f"{self.run}{next(self.numbers):06d}x"

    async def until(self, stop: asyncio.Event, workers: Sequence["Worker"]) -> None:
        """Write until told to stop."""
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.work(stop))


Action = Callable[["Worker"], Awaitable["Op | None"]]


@dataclass
class Worker:
    """A client that does random writes of some kinds, one after the other."""

    caller: Caller
    load: Load
    actions: Sequence["Action"]
    pause_seconds: float = 0.12
    """Between two writes: the machine that the load shares has to keep up with what follows from them."""

    async def work(self, stop: asyncio.Event) -> None:
        """Go on until told to stop; what cannot be read is left for later."""
        while not stop.is_set():
            action = self.load.dice.choice(self.actions)
            try:
                await action(self)
            except (Unanswered, Refused) as error:
                self.load.history.heard(f"read {error}")
            await asyncio.sleep(self.pause_seconds)

    async def write(self, op: Op, wanted: str, **values: Any) -> dict[str, Any] | None:
        """One write; some are repeated although they were acknowledged, some are never repeated."""
        key = str(uuid4())
        forsaken = self.load.dice.random() < FORSAKEN
        member = await self.caller.write(op, wanted, key=key, repeat=not forsaken, **values)
        if op.outcome == "ok" and self.load.dice.random() < REPLAYED:
            again = replace(op, outcome="info", replies=[], attempts=0)
            await self.caller.write(again, wanted, key=key, repeat=False, **values)
            op.replies += again.replies if again.outcome != "fail" else [f"refused with {again.code}"]
        return member

    def begin(self, action: str, kind: str, **values: Any) -> Op:
        """A new operation with a new marker."""
        marker = values.pop("marker", "") or self.load.marker()
        return self.load.history.begin(client=self.caller.name, action=action, kind=kind, marker=marker, **values)

    async def version(self, kind: str, target: str) -> int:
        """The version that everybody can read now."""
        return int((await self.read(kind, target, "version"))["version"])

    async def read(self, kind: str, target: str, wanted: str) -> dict[str, Any]:
        """What everybody can read of it now.

        Raises:
            Refused: it is not there.
        """
        query = f"query Read($id: ID!) {{ {kind}(id: $id) {{ {wanted} }} }}"
        found: dict[str, Any] | None = (await self.caller.ask(query, {"id": target}))[kind]
        if found is None:
            raise Refused("GONE")
        return found


async def create_ticket(worker: Worker) -> Op:
    """A ticket with the marker in its title."""
    op = worker.begin("createTicket", "ticket")
    text = "Customers wait at the till until the page gives up."
    member = await worker.write(
        op, "ticket { id version title }", title=f"Checkout is slow {op.marker}", message=text, service="checkout"
    )
    if member:
        op.target, op.version = member["ticket"]["id"], member["ticket"]["version"]
        worker.load.tickets.append(op.target)
    return op


async def update_ticket(worker: Worker) -> Op | None:
    """The marker as service of one of the newest tickets, against whoever does the same."""
    if not worker.load.tickets:
        return None
    target = worker.load.dice.choice(worker.load.tickets[-5:])
    version = await worker.version("ticket", target)
    op = worker.begin("updateTicket", "ticket", target=target, expected_version=version)
    member = await worker.write(
        op, "ticket { id version service }", ticketId=target, expectedVersion=version, service=op.marker
    )
    if member:
        op.version = member["ticket"]["version"]
    return op


async def comment(worker: Worker) -> Op | None:
    """A comment with the marker in its body; it is a change of its ticket."""
    if not worker.load.tickets:
        return None
    target = worker.load.dice.choice(worker.load.tickets[-5:])
    version = await worker.version("ticket", target)
    op = worker.begin("addTicketComment", "comment", target=target, expected_version=version)
    member = await worker.write(
        op,
        "ticket { id version } comment { id body }",
        ticketId=target,
        expectedVersion=version,
        body=f"Still so: {op.marker}",
    )
    if member:
        op.version = member["ticket"]["version"]
    return op


async def paste_log(worker: Worker) -> Op:
    """A log with the marker in its name."""
    op = worker.begin("summarizeLog", "log")
    text = LINES.replace(" of ", f" of {op.marker} ")
    member = await worker.write(op, "log { id version name }", name=op.marker, text=text, service="checkout")
    if member:
        op.target, op.version = member["log"]["id"], member["log"]["version"]
        worker.load.logs.append(op.target)
    return op


async def update_log(worker: Worker) -> Op | None:
    """The marker as notes of one of the newest logs."""
    if not worker.load.logs:
        return None
    target = worker.load.dice.choice(worker.load.logs[-5:])
    version = await worker.version("log", target)
    op = worker.begin("updateLog", "log", target=target, expected_version=version)
    member = await worker.write(
        op, "log { id version notes }", logId=target, expectedVersion=version, notes=f"seen {op.marker}"
    )
    if member:
        op.version = member["log"]["version"]
    return op


async def record_deployment(worker: Worker) -> Op:
    """A deployment whose version is the marker."""
    op = worker.begin("recordDeployment", "deployment")
    member = await worker.write(
        op, "deployment { id version }", service="checkout", version=op.marker, deployedAt=DAY.isoformat()
    )
    if member:
        op.target, op.version = member["deployment"]["id"], 1
    return op


async def push_commits(worker: Worker) -> Op:
    """A commit whose hash is the marker's."""
    marker = sha(worker.load.marker())
    op = worker.begin("pushCommits", "commit", marker=marker)
    member = await worker.write(
        op, "repository { id name } newCommitCount", repository=REPOSITORY, commits=[commit(marker)]
    )
    if member:
        op.version = 1
    return op


async def generate_changelog(worker: Worker) -> Op:
    """A draft that follows the marker as the version before."""
    number = next(worker.load.numbers)
    op = worker.begin("generateChangelog", "changelog", marker=f"1.0.{number}")
    member = await worker.write(
        op,
        "changelog { id version }",
        repository=REPOSITORY,
        commits=[commit(sha(f"{worker.load.run}{number}"))],
        previousVersion=op.marker,
    )
    if member:
        op.target, op.version = member["changelog"]["id"], member["changelog"]["version"]
        worker.load.changelogs.append(op.target)
    return op


async def publish_changelog(worker: Worker) -> Op | None:
    """One of the newest drafts, once; not before its highlights, which do not come to what is published."""
    if not worker.load.changelogs:
        return None
    target = worker.load.dice.choice(worker.load.changelogs[-5:])
    draft = await worker.read("changelog", target, "version highlightState")
    version = int(draft["version"])
    if draft["highlightState"] == "PENDING":
        return None
    op = worker.begin("publishChangelog", "changelog", target=target, expected_version=version)
    member = await worker.write(op, "changelog { id version }", changelogId=target, expectedVersion=version)
    if member:
        op.version = member["changelog"]["version"]
    return op


async def invite_user(worker: Worker) -> Op:
    """An account whose address is the marker's."""
    op = worker.begin("inviteUser", "user")
    member = await worker.write(op, "user { id version }", email=f"{op.marker}@example.com", role="OPS")
    if member:
        op.target, op.version = member["user"]["id"], member["user"]["version"]
        worker.load.users.append(op.target)
    return op


OF_OPS = (create_ticket, update_ticket, update_ticket, comment, comment, paste_log, update_log, update_log)
OF_ADMIN = (invite_user, generate_changelog, publish_changelog, update_ticket)
OF_MACHINE = (record_deployment, record_deployment, push_commits, push_commits, paste_log)


def sha(text: str) -> str:
    """A hash that looks like a commit's."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def commit(commit_sha: str) -> dict[str, Any]:
    """A commit as it is pushed."""
    return {
        "sha": commit_sha,
        "message": "fix(cart): keep the total when a coupon is removed",
        "authorName": "Grace",
        "authorEmail": "grace@example.com",
        "committedAt": DAY.isoformat(),
    }
