"""What the page shows: people, a log, a ticket and a changelog that name one another, with what ai made of them."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from gateway.testing.harness import RunningGateway

PASSWORD = "correct horse battery"
READY_SECONDS = 45.0
OPTIONS = (
    ("CATEGORY", "payment-failure", "Payment failure", "Customers cannot pay by card."),
    ("PRIORITY", "at-once", "At once", "Customers cannot buy, or data is being lost."),
    ("TEAM", "till", "Till", "Checkout, cards and invoices."),
)
LINES = "\n".join(
    [f"2026-03-01T10:00:{second:02d}Z INFO checkout order {second} taken" for second in range(40)]
    + [f"2026-03-01T10:00:{second:02d}Z ERROR checkout card provider refused connection" for second in range(40, 50)]
)
TICKET = """
    title
    reporter { user { displayName } }
    assignee { displayName }
    logs { name }
    triage { engine run { id } }
    similar { ticket { title } }
    changesBefore { truncated changes { change { __typename } } }
"""
PAGE = f"""
query Page($log: ID!, $ticket: ID!, $earlier: ID!, $changelog: ID!) {{
  me {{ id displayName }}
  log(id: $log) {{
    name
    createdBy {{ displayName }}
    summary {{ engine run {{ id }} }}
    tickets {{ title }}
    changesBefore {{ truncated changes {{ change {{ __typename }} }} }}
  }}
  ticket(id: $ticket) {{ {TICKET} }}
  earlier: ticket(id: $earlier) {{ title changesBefore {{ truncated }} }}
  changelog(id: $changelog) {{
    bump
    createdBy {{ displayName }}
    commits {{ sha author {{ displayName }} }}
    deployments {{ version }}
    highlights {{ engine run {{ id }} }}
  }}
}}
"""
"""One page that all five services feed."""

STATES = """
query States($log: ID!, $ticket: ID!, $changelog: ID!) {
  log(id: $log) {
    state
    summary { run { id } }
    records(first: 1) { nodes { id } }
    patterns(first: 1) { nodes { pattern { id } } }
  }
  ticket(id: $ticket) { triageState version triage { run { id } } }
  changelog(id: $changelog) {
    highlightState
    repository { id }
    commits { id }
    deployments { id }
  }
}
"""


@dataclass(frozen=True)
class Things:
    """Ids of what there is, and the token of the admin who made it all and may see it all."""

    token: str
    ada: str
    """The admin."""
    grace: str
    """Who does the ticket."""
    log: str
    other_log: str
    """The second log of the ticket."""
    ticket: str
    earlier: str
    """A ticket like it, of another service."""
    changelog: str
    summary_run: str
    triage_run: str
    log_record: str
    log_pattern: str
    repository: str
    commit: str
    other_commit: str
    deployment: str

    @property
    def page(self) -> dict[str, str]:
        """Variables of the page."""
        return {"log": self.log, "ticket": self.ticket, "earlier": self.earlier, "changelog": self.changelog}


async def make_things(gateway: RunningGateway, setup_token: str) -> Things:
    """Bring it all in through the graph, and wait until ai has had its say."""
    await gateway.mutate(
        "signUp",
        "user { id }",
        email="ada@example.com",
        password=PASSWORD,
        displayName="Ada",
        setupToken=setup_token,
    )
    logged_in = await gateway.mutate(
        "logIn", "session { accessToken } user { id }", email="ada@example.com", password=PASSWORD
    )
    token, ada = logged_in["session"]["accessToken"], logged_in["user"]["id"]

    async def made(field: str, selection: str, **fields: Any) -> dict[str, Any]:
        result = await gateway.mutate(field, selection, token=token, **fields)
        assert result["__typename"].endswith("Success"), result
        return result

    invited = await made("inviteUser", "invitationToken", email="grace@example.com", role="OPS")
    joined = await made(
        "signUp",
        "user { id }",
        email="grace@example.com",
        password=PASSWORD,
        displayName="Grace",
        invitationToken=invited["invitationToken"],
    )
    grace = joined["user"]["id"]
    for kind, key, name, description in OPTIONS:  # those of a new installation may have gone with another test's data
        words = {"key": key, "name": name, "description": description}
        await made("saveTicketOption", "option { key }", kind=kind, position=50, **words)
    await made(
        "pushCommits",
        "newCommitCount",
        repository="shop",
        services=["checkout"],
        commits=[_commit("a", "feat: pay by card", "ada"), _commit("b", "fix: round the total", "grace")],
    )
    await made(
        "recordDeployment", "deployment { id }", service="checkout", version="1.1", repository="shop", sha="b" * 40
    )
    generated = await made("generateChangelog", "changelog { id }", repository="shop", range={"toRef": "b" * 40})
    logs = [
        (await made("summarizeLog", "log { id }", name=f"{name}.log", service="checkout", text=LINES))["log"]["id"]
        for name in ("checkout", "other")
    ]
    story = {"message": "Customers cannot pay by card.", "audience": "GENERAL"}
    earlier, ticket = [
        (await made("createTicket", "ticket { id }", **story, **fields))["ticket"]["id"]
        for fields in (
            {"title": "Card payments failed before", "service": "billing"},
            {"title": "Card payments fail at checkout", "service": "checkout", "logIds": logs},
        )
    ]
    ids = {"log": logs[0], "ticket": ticket, "changelog": generated["changelog"]["id"]}
    states = await _decided(gateway, token, ids)
    assigned = {"ticketId": ticket, "expectedVersion": states["ticket"]["version"], "assigneeId": grace}
    await made("assignTicket", "ticket { id }", **assigned)
    return Things(
        token=token,
        ada=ada,
        grace=grace,
        **ids,
        other_log=logs[1],
        earlier=earlier,
        summary_run=states["log"]["summary"]["run"]["id"],
        triage_run=states["ticket"]["triage"]["run"]["id"],
        log_record=states["log"]["records"]["nodes"][0]["id"],
        log_pattern=states["log"]["patterns"]["nodes"][0]["pattern"]["id"],
        repository=states["changelog"]["repository"]["id"],
        commit=states["changelog"]["commits"][0]["id"],
        other_commit=states["changelog"]["commits"][1]["id"],
        deployment=states["changelog"]["deployments"][0]["id"],
    )


def _commit(letter: str, message: str, author: str) -> dict[str, Any]:
    return {
        "sha": letter * 40,
        "message": message,
        "authorName": author.title(),
        "authorEmail": f"{author}@example.com",
        "committedAt": f"2026-03-01T09:0{ord(letter) - ord('a')}:00Z",
        "parentShas": ["a" * 40] if letter == "b" else [],
    }


async def _decided(gateway: RunningGateway, token: str, page: dict[str, str]) -> dict[str, Any]:
    """The things' states once the background work is done."""
    until = time.monotonic() + READY_SECONDS
    while True:
        states = await gateway.data(STATES, page, token=token)
        reached = (
            states["log"]["state"],
            states["ticket"]["triageState"],
            states["changelog"]["highlightState"],
        )
        if reached == ("SUMMARIZED", "TRIAGED", "READY"):
            return states
        assert "FAILED" not in reached, states
        assert time.monotonic() < until, states
        await asyncio.sleep(0.1)
