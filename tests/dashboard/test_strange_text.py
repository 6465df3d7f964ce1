"""Lines as long as a page, unbroken strings, and the way through a long page by thumb."""

from collections.abc import Callable
from hashlib import sha1
from uuid import uuid4

from playwright.sync_api import expect
from tests.dashboard.browser import NARROW, Person
from tests.dashboard.content import START, Content
from tests.e2e.client import Client

SignIn = Callable[..., Person]
AsRole = Callable[[str], Client]


def test_a_pattern_as_long_as_a_page_is_shortened_and_its_record_is_whole(sign_in: SignIn, as_role: AsRole) -> None:
    ops = as_role("ops")
    line = f"{START.isoformat()} ERROR {'x' * 1_999}z"
    log = ops.mutate("summarizeLog", "log { id }", name="long.log", text=line)["log"]["id"]
    ops.summarized(log)
    person = sign_in("ops")

    page = person.open(f"/logs/{log}")

    row = page.get_by_role("region", name="1 pattern").get_by_role("link")
    expect(row).to_have_text("x" * 300 + "…")
    page.get_by_role("region", name="Records by line").get_by_role("button").click()
    expect(page.get_by_role("region", name="Line 1 in full")).to_have_text("x" * 1_999 + "z")
    assert person.sideways() == 0


def test_a_subject_without_a_space_does_not_widen_its_changelog(sign_in: SignIn, as_role: AsRole) -> None:
    ops = as_role("ops")
    repository = f"shop/{uuid4().hex[:8]}"
    message = f"feat!: {'Z' * 180}"
    commit = {
        "sha": sha1(message.encode(), usedforsecurity=False).hexdigest(),
        "message": message,
        "authorName": "Ada Lovelace",
        "authorEmail": "ada@example.com",
        "committedAt": START.isoformat(),
        "parentShas": [],
        "tags": ["v2.0.0"],
    }
    ops.mutate("pushCommits", "newCommitCount", repository=repository, services=["shop"], commits=[commit])
    made = ops.mutate(
        "generateChangelog",
        "changelog { id }",
        repository=repository,
        range={"toRef": "v2.0.0"},
        previousVersion="v1.0.0",
    )
    person = sign_in("ops")

    for view in ("notes", "preview", "markdown", "json"):
        person.open(f"/changelogs/{made['changelog']['id']}?view={view}")
        assert person.sideways() == 0, view


def test_on_a_phone_tickets_and_changes_follow_the_summary_and_each_part_is_one_tap_away(
    sign_in: SignIn, content: Content
) -> None:
    person = sign_in("ops")
    person.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page = person.open(f"/logs/{content.log}")
    below_each_other = """() => [...document.querySelectorAll("main h2")]
        .sort((one, other) => one.getBoundingClientRect().y - other.getBoundingClientRect().y).map(({ id }) => id)"""

    order = page.evaluate(below_each_other)
    assert order == ["summary", "tickets", "changes", "tags", "notes", "histogram", "patterns", "records"]
    for name, part in (("Changes", "changes"), ("Records", "records"), ("Tickets", "tickets")):
        page.get_by_role("navigation", name="Parts of this page").get_by_role("button", name=name).click()
        expect(page.locator(f"#{part}")).to_be_focused()
        expect(page.locator(f"#{part}")).to_be_in_viewport()
    assert person.violations() == []


def test_a_ticket_without_a_word_has_no_similar_one(sign_in: SignIn, as_role: AsRole) -> None:
    made = as_role("ops").mutate("createTicket", "ticket { id }", title="A" * 200, message="B" * 5_000)
    person = sign_in("ops")

    page = person.open(f"/tickets/{made['ticket']['id']}")

    expect(page.get_by_role("region", name="Similar tickets")).to_contain_text("None: nobody told of the like before.")
    assert person.sideways() == 0
