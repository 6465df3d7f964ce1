"""Ten minutes of requests that nobody thought of: none is a defect of ours, and none tells what is not its sender's.

AIOPS_FUZZ_SECONDS sets how long each role sends them, AIOPS_FUZZ_SEED which ones.
"""

from __future__ import annotations

import os
import re
import secrets
import string
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.attack.fuzzing import of_doors, operations
from tests.e2e.canary_search import process_logs
from tests.e2e.client import Client, admin_of, person
from tests.e2e.conftest import RunningStack, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.attack, pytest.mark.timeout(1200)]

SECONDS = float(os.environ.get("AIOPS_FUZZ_SECONDS", "200"))
SEED = int(os.environ.get("AIOPS_FUZZ_SEED", "0")) or secrets.randbelow(2**32)
ROUND = 100
NO_RATE = dict.fromkeys(("GATEWAY_PERSON_RATE", "GATEWAY_MACHINE_RATE", "GATEWAY_ANONYMOUS_RATE"), "0")
DEFECT = re.compile(r'"code":\s*"(INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED)"')
QUICKLY = settings(
    max_examples=ROUND,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


TOLD = """
query Told($matter: ID!, $reported: ID!, $log: ID!) {
  matter: ticket(id: $matter) { title description comments { nodes { body } } }
  reported: ticket(id: $reported) { reporter { externalEmail } }
  log(id: $log) { records { nodes { body } } }
}
"""


def word() -> str:
    return "hush" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))


@dataclass
class Planted:
    """Things with a word in them that not everybody may read."""

    people: list[str] = field(default_factory=lambda: [word() for _ in range(3)])
    """In a matter for hr: title, description, comment."""
    address: str = field(default_factory=lambda: f"{word()}@example.org")
    """Of who reported something to ops."""
    log: str = field(default_factory=word)
    ids: list[str] = field(default_factory=list)

    def hidden_from(self, role: str) -> list[str]:
        hidden = {"ops": [*self.people, self.address], "hr": [self.log], "admin": []}
        return hidden.get(role, [*self.people, self.address, self.log])


def planted(admin: Client) -> Planted:
    """New things, which the admin can read."""
    made = Planted()
    title, description, comment = made.people
    matter = admin.mutate(
        "createTicket",
        "ticket { id version }",
        title=f"about {title}",
        description=f"it is {description}",
        audience="PEOPLE",
    )["ticket"]
    admin.mutate("addTicketComment", ticketId=matter["id"], expectedVersion=matter["version"], body=f"said {comment}")
    reported = admin.mutate(
        "createTicket",
        "ticket { id }",
        title="the printer is out of paper",
        description="on the second floor",
        audience="GENERAL",
        reporter={"externalEmail": made.address},
    )["ticket"]
    log = admin.mutate("summarizeLog", "log { id }", name="app.log", text=f"ERROR worker found {made.log} instead\n")[
        "log"
    ]
    admin.summarized(log["id"])
    made.ids = [matter["id"], reported["id"], log["id"], "0198c0de-0000-7000-8000-000000000001"]
    told = admin.post(TOLD, {"matter": matter["id"], "reported": reported["id"], "log": log["id"]}).text
    assert [each for each in made.hidden_from("nobody") if each not in told] == [], told
    return made


def wrong(status: int, text: str, hidden: list[str]) -> list[str]:
    """What must not be in an answer."""
    found = [f"tells {each}" for each in hidden if each in text]
    return found + ([f"status {status}"] if status >= 500 else []) + DEFECT.findall(text)


@dataclass
class Fuzz:
    """Somebody who sends anything."""

    url: str
    token: str
    planted: Planted
    hidden: list[str]
    sent: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def graph(self, number: int) -> None:
        """A round of operations."""

        @QUICKLY
        @seed(number)
        @given(operations(self.planted.ids))
        def ask(body: dict[str, Any]) -> None:
            response = self.http.post("/graphql", json=body)
            self.sent["operations"] += 1
            self.sent["with data"] += any((response.json().get("data") or {}).values())
            assert wrong(response.status_code, response.text, self.hidden) == [], (body, response.text[:2_000])

        ask()

    def bytes(self, number: int) -> None:
        """A round of bodies that are not even JSON."""

        @QUICKLY
        @seed(number)
        @given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
        def ask(content: bytes) -> None:
            response = self.http.post("/graphql", content=content, headers={"content-type": "application/json"})
            self.sent["bodies"] += 1
            assert wrong(response.status_code, response.text, self.hidden) == [], (content, response.text[:2_000])

        ask()

    def doors(self, number: int) -> None:
        """A round of requests at the other doors."""

        @QUICKLY
        @seed(number)
        @given(of_doors())
        def ask(case: Any) -> None:
            response = case.call(base_url=self.url, headers=dict(self.http.headers) if self.token else None)
            self.sent["at doors"] += 1
            assert wrong(response.status_code, response.text, self.hidden) == [], (case, response.text[:2_000])

        ask()


def for_seconds(seconds: float, *rounds: Callable[[int], None]) -> None:
    """One round after the other until the time is over."""
    chance, until = Random(SEED), time.monotonic() + seconds  # noqa: S311 - to be repeated
    print(f"AIOPS_FUZZ_SEED={SEED}")  # noqa: T201 - to find the way back
    while time.monotonic() < until:
        for one in rounds:
            one(chance.getrandbits(32))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    running = start(tmp_path, extra=NO_RATE)
    try:
        yield running
    finally:
        running.command("reset")


@pytest.mark.parametrize("role", ["ops", "hr", "no role"])
def test_nothing_that_is_sent_is_a_defect_or_tells_what_is_hidden(
    stack: RunningStack, role: str, figures: dict[str, Any]
) -> None:
    admin = admin_of(stack)
    things = planted(admin)
    who, _, _ = person(stack, admin, {"ops": "OPS", "hr": "HR"}.get(role))
    fuzz = Fuzz(stack.url, who.token, things, things.hidden_from(role))

    for_seconds(SECONDS, fuzz.graph, fuzz.graph, fuzz.graph, fuzz.doors, fuzz.bytes)
    figures |= {"seed": SEED, **fuzz.sent}

    failed = [line for text in process_logs(stack).values() for line in text.splitlines() if b'"ERROR"' in line]
    assert failed == []
    assert fuzz.sent["with data"] > fuzz.sent["operations"] / 20


def test_control_what_is_planted_is_found_where_it_may_be_read(stack: RunningStack) -> None:
    admin = admin_of(stack)
    things = planted(admin)
    fuzz = Fuzz(stack.url, admin.token, things, things.hidden_from("nobody"))

    with pytest.raises(AssertionError, match="tells hush"):
        for_seconds(60, fuzz.graph)
