"""How things became what they are, as people read it, and what stands beside a change that came too late."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from tests.dashboard.browser import Person
from tests.dashboard.content import Content
from tests.dashboard.tickets import Make, State, make, state
from tests.e2e.client import Client

SignIn = Callable[..., Person]
AsRole = Callable[[str], Client]

SOCKET = re.compile(r"/graphql$")

__all__ = ["make", "state"]  # fixtures: pytest finds them here


def changes_of(page: Page) -> list[str]:
    page.locator("[data-version]").first.wait_for()
    return page.locator("[data-version]").all_inner_texts()


def test_history_of_a_ticket_says_who_changed_what_and_shows_it_as_it_was(
    sign_in: SignIn, as_role: AsRole, make: Make, state: State
) -> None:
    ticket = make(title="Outage: checkout answers 502")
    version = state(ticket)["version"]
    as_role("ops").mutate("updateTicket", ticketId=ticket, expectedVersion=version, title="Checkout is slow")
    person = sign_in("ops")
    page = person.open(f"/tickets/{ticket}")

    page.keyboard.press("h")
    newest = changes_of(page)[0]
    asked = [operation for operation in person.operations if operation in {"TicketPage", "History"}]
    faults = person.faults("ticket-history")
    page.get_by_role("button", name="As of version 1", exact=True).click()
    dialog = page.get_by_role("dialog", name="The ticket as of version 1")
    dialog.get_by_text("Outage: checkout answers 502").wait_for()
    violations = person.violations()

    assert re.search(r"Updated by Ops Person", newest), newest
    assert "from Outage: checkout answers 502 → to Checkout is slow" in " ".join(newest.split()), newest
    assert asked == ["TicketPage", "History"]
    assert (faults, violations) == ({}, [])
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Now").press("ArrowRight")
    expect(page.get_by_role("tab", name="History")).to_be_focused()


def test_history_shows_what_happens_while_one_looks_and_earlier_changes_on_demand(
    sign_in: SignIn, as_role: AsRole, content: Content
) -> None:
    ops = as_role("ops")
    read = "query L($id: ID!) { log(id: $id) { version } }"
    version = ops.data(read, {"id": content.log})["log"]["version"]
    for number in range(25):
        ops.mutate("updateLog", logId=content.log, expectedVersion=version + number, tags=[f"tag-{number}"])
    person = sign_in("ops")
    page = person.open(f"/logs/{content.log}?view=history")

    first = len(changes_of(page))
    ops.mutate("updateLog", logId=content.log, expectedVersion=version + 25, notes="Seen by ops.")
    page.get_by_text("Seen by ops.").last.wait_for()
    page.get_by_role("button", name="Show earlier changes").click()
    expect(page.get_by_role("button", name="Show earlier changes")).to_have_count(0)

    versions = [int(row.get_attribute("data-version") or 0) for row in page.locator("[data-version]").all()]
    assert first == 20
    assert versions == list(range(version + 26, 0, -1))


def test_history_of_a_changelog_is_a_tab_that_passes_axe(sign_in: SignIn, content: Content) -> None:
    person = sign_in("ops")
    page = person.open(f"/changelogs/{content.published}")

    page.get_by_role("tab", name="History").click()
    told = changes_of(page)

    assert re.match(r"(Published|Released) by Ops Person", told[0]), told[0]
    assert "draft → to published" in " ".join(told[0].split())
    assert person.faults("changelog-history") == {}


def test_history_that_cannot_be_read_says_so_and_can_be_asked_again(sign_in: SignIn, make: Make) -> None:
    ticket = make()
    person = sign_in("ops")
    page = person.open(f"/tickets/{ticket}")
    away = [True]
    page.route(
        "**/graphql",
        lambda route, request: (
            route.abort() if away[0] and "replayChanges" in (request.post_data or "") else route.fallback()
        ),
    )

    page.get_by_role("tab", name="History").click()
    trouble = page.get_by_role("alert").filter(has_text="The history cannot be shown just now")
    trouble.wait_for()
    away[0] = False
    trouble.get_by_role("button", name="Try again").click()

    assert len(changes_of(page)) >= 1


def test_conflict_shows_who_did_what_meanwhile_beside_what_was_typed(
    sign_in: SignIn, as_role: AsRole, content: Content
) -> None:
    person = sign_in("ops")
    person.page.route_web_socket(SOCKET, lambda _: None)  # what others do is not told
    page = person.open(f"/logs/{content.log}")
    notes = page.get_by_role("textbox", name="Notes")
    notes.fill("Mine: rolled back.")
    version = as_role("ops").data("query L($id: ID!) { log(id: $id) { version } }", {"id": content.log})["log"]
    as_role("admin").mutate(
        "updateLog", logId=content.log, expectedVersion=version["version"], notes="Theirs: restarted."
    )

    notes.press("Control+Enter")
    conflict = page.get_by_role("alert").filter(has_text="Somebody changed this while you were at it")
    conflict.wait_for()

    since = conflict.get_by_role("list", name="What was changed meanwhile").inner_text()
    assert "Theirs: restarted." in since
    assert re.search(r"Updated by \w+", since)
    assert (notes.input_value(), person.violations()) == ("Mine: rolled back.", [])
    conflict.get_by_role("button", name="Take theirs").click()
    expect(notes).to_have_value("Theirs: restarted.")
