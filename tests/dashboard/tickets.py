"""Tickets that tests of pages make, and what the server says of them."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.dashboard.browser import Person
from tests.e2e.client import Client

SignIn = Callable[..., Person]
AsRole = Callable[[str], Client]
Make = Callable[..., str]
State = Callable[[str], dict[str, Any]]

STATE = """
query State($id: ID!) {
  ticket(id: $id) {
    version status triageState category categorySource priority prioritySource team teamSource audience peopleSuspected
    assignee { id } logs { id } comments(first: 100) { nodes { body internal } }
    triage {
      category { reasons { field quote } } priority { reasons { field quote } } team { reasons { field quote } }
    }
  }
}
"""
NOT_THERE = ["Ticket", "There is no such ticket"]


@pytest.fixture
def state(admin: Client) -> State:
    """The ticket as the server has it now."""
    return lambda ticket: admin.data(STATE, {"id": ticket})["ticket"]


@pytest.fixture
def make(as_role: AsRole, state: State) -> Make:
    """Store a ticket and wait for its triage; answers its id."""

    def made(role: str = "ops", *, title: str = "Outage: checkout answers 502", message: str = "", **more: Any) -> str:
        answer = as_role(role).mutate("createTicket", "ticket { id }", title=title, message=message, **more)
        assert answer["__typename"] == "CreateTicketSuccess", answer
        ticket: str = answer["ticket"]["id"]
        expect_soon(lambda: state(ticket)["triageState"], "TRIAGED")
        return ticket

    return made


def expect_soon(read: Callable[[], object], wanted: object) -> None:
    """Wait until the server says so: what a page sends takes a moment."""
    deadline = time.monotonic() + 20
    while (found := read()) != wanted:
        assert time.monotonic() < deadline, (found, wanted)
        time.sleep(0.1)


def headings(page: Page) -> list[str]:
    return page.get_by_role("main").get_by_role("heading").all_inner_texts()
