"""Changelogs in the browser: the list and its filters, a draft that adds up, publishing, and what each role sees."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from tests.dashboard.browser import Person
from tests.e2e.client import Client

SignIn = Callable[..., Person]
AsRole = Callable[[str], Client]
MESSAGES = (
    ("feat: begin the shop", "v1.4.0"),
    ("feat(pay): pay with vouchers (#12)", None),
    ("fix: rounding of discounts\n\nFixes shop/api#7", None),
    ("wip", None),
    ("ci: cache the build", None),
    ("docs: name the voucher settings", None),
    (
        "feat(pay)!: close idle connections to the provider\n\nBREAKING CHANGE: set PROVIDER_IDLE=60 for the old way",
        "v2.0.0",
    ),
)


def sha_of(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Shop:
    """A repository with the commits above, of a name that no other test uses."""

    name: str
    shas: tuple[str, ...]


@pytest.fixture
def shop(as_role: AsRole) -> Shop:
    name = f"shop/till-{uuid4().hex[:6]}"
    shas = tuple(sha_of(f"{name} {number}") for number in range(len(MESSAGES)))
    commits = [
        {
            "sha": shas[number],
            "message": message,
            "authorName": "Bo Builder",
            "authorEmail": "bo@example.com",
            "committedAt": f"2026-11-20T0{number}:00:00Z",
            "parentShas": [shas[number - 1]] if number else [],
            "tags": [tag] if tag else [],
        }
        for number, (message, tag) in enumerate(MESSAGES)
    ]
    pushed = as_role("ops").mutate("pushCommits", "newCommitCount", repository=name, commits=commits[::-1])
    assert pushed == {"__typename": "PushCommitsSuccess", "newCommitCount": 7}
    return Shop(name, shas)


@pytest.fixture
def draft(as_role: AsRole, shop: Shop) -> dict[str, Any]:
    made = as_role("ops").mutate(
        "generateChangelog",
        "changelog { id version }",
        repository=shop.name,
        range={"fromRef": "v1.4.0", "toRef": "v2.0.0"},
    )
    assert made["__typename"] == "GenerateChangelogSuccess", made
    changelog: dict[str, Any] = made["changelog"]
    return changelog


def state_of(client: Client, changelog_id: str) -> str:
    asked = "query State($id: ID!) { changelog(id: $id) { state } }"
    return str(client.data(asked, {"id": changelog_id})["changelog"]["state"])


def publish(client: Client, changelog_id: str) -> None:
    asked = "query Version($id: ID!) { changelog(id: $id) { version highlightState } }"
    deadline = time.monotonic() + 30
    while (now := client.data(asked, {"id": changelog_id})["changelog"])["highlightState"] == "PENDING":
        assert time.monotonic() < deadline, "the highlights were never worded"
        time.sleep(0.1)
    done = client.mutate(
        "publishChangelog", "changelog { id }", changelogId=changelog_id, expectedVersion=now["version"]
    )
    assert done["__typename"] == "PublishChangelogSuccess", done


def test_a_draft_is_made_from_suggested_tags_and_tells_where_each_commit_went(sign_in: SignIn, shop: Shop) -> None:
    person = sign_in("ops")
    page = person.open(f"/changelogs?repository={shop.name}")
    assert person.operations == ["Changelogs"]
    page.get_by_role("heading", name="No changelog fits the filters").wait_for()

    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="New draft")
    dialog.get_by_role("combobox", name="From, not included").click()
    page.get_by_role("option", name="v1.4.0").click()
    dialog.get_by_role("combobox", name="To, included").click()
    page.get_by_role("option", name="v2.0.0").click()
    dialog.get_by_role("button", name="Make the draft").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{shop.name} v2.0.0")
    expect(page.get_by_test_id("accounting")).to_have_text(
        "6 commits: 3 in 3 entries, 3 left out. Each one is accounted for."
    )
    expect(page.get_by_role("main")).to_contain_text(f"v1.4.0 → v2.0.0, decided by {shop.shas[6][:8]}")
    entries = page.get_by_role("region", name="Entries")
    assert entries.locator("li p:first-child").all_text_contents() == [
        "breakingpay: Close idle connections to the provider",
        "pay: Pay with vouchers",
        "Rounding of discounts",
    ]
    assert "Bo Builder <bo@example.com>" in entries.inner_text()
    left_out = page.get_by_role("region", name="Left out").get_by_role("listitem").all_inner_texts()
    assert [text.split("\n")[0] for text in left_out] == [
        "docs: name the voucher settings",
        "ci: cache the build",
        "wip",
    ]
    assert "Documentation: documentation alone" in left_out[0]


def test_a_draft_that_is_refused_says_why_and_keeps_what_was_typed(sign_in: SignIn, shop: Shop) -> None:
    page = sign_in("ops").open(f"/changelogs?repository={shop.name}")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="New draft")
    dialog.get_by_role("combobox", name="From, not included").fill("v9.9.9")
    dialog.get_by_role("button", name="Make the draft").click()

    expect(dialog.get_by_role("alert")).to_contain_text("REVISION_NOT_FOUND")
    expect(dialog.get_by_role("combobox", name="From, not included")).to_have_value("v9.9.9")
    page.reload()
    page.get_by_role("button", name="New draft").click()
    expect(page.get_by_role("combobox", name="From, not included")).to_have_value("v9.9.9")


def test_a_highlight_leads_to_the_entry_that_it_stands_for(sign_in: SignIn, draft: dict[str, Any]) -> None:
    person = sign_in("ops")
    page = person.open(f"/changelogs/{draft['id']}?view=json")
    highlights = page.get_by_role("region", name="Highlights")
    expect(highlights.get_by_role("listitem")).to_have_count(3)
    assert "built-in engine" in highlights.inner_text()

    highlights.get_by_role("button", name="c3 show the entry: Rounding").click()

    focused = page.locator("#entry-c3")
    expect(focused).to_be_focused()
    expect(focused).to_contain_text("Rounding of discounts")
    assert set(person.operations) == {"Changelog"}


def test_the_notes_can_be_previewed_copied_and_taken_along(
    sign_in: SignIn, as_role: AsRole, shop: Shop, draft: dict[str, Any]
) -> None:
    person = sign_in("ops")
    asked = "query Notes($id: ID!) { changelog(id: $id) { markdown json } }"
    notes = as_role("ops").data(asked, {"id": draft["id"]})["changelog"]
    page = person.open(f"/changelogs/{draft['id']}?view=preview")
    expect(page.get_by_role("heading", name="[v2.0.0] - 2026-11-20")).to_be_visible()

    page.get_by_role("tab", name="Markdown").click()
    page.get_by_role("button", name="Copy Markdown").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == notes["markdown"]
    page.get_by_role("tab", name="JSON").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert download.value.suggested_filename == f"{shop.name.replace('/', '-')}-v2.0.0.json"
    assert download.value.path().read_text() == notes["json"]


def test_what_a_commit_says_stays_text_in_the_preview(sign_in: SignIn, as_role: AsRole) -> None:
    name = f"shop/evil-{uuid4().hex[:6]}"
    evil = (
        "feat: greet <img src=x onerror=\"document.title='taken'\"> [here](javascript:alert(1)) ![](http://x.invalid/p)"
    )
    made = as_role("ops").mutate(
        "generateChangelog", "changelog { id }", repository=name, commits=[{"sha": sha_of(name), "message": evil}]
    )
    assert made["__typename"] == "GenerateChangelogSuccess", made

    page = sign_in("ops").open(f"/changelogs/{made['changelog']['id']}?view=preview")
    panel = page.get_by_role("tabpanel")
    panel.get_by_role("heading", name="Added").wait_for()

    expect(panel.locator("img, script, iframe, a[href^='javascript']")).to_have_count(0)
    assert page.title() == f"{name} Changelog · AI Ops Assistant"


def test_publishing_asks_once_more_and_freezes(sign_in: SignIn, as_role: AsRole, draft: dict[str, Any]) -> None:
    page = sign_in("ops").open(f"/changelogs/{draft['id']}")
    expect(page.get_by_role("region", name="Highlights").get_by_role("listitem")).to_have_count(3)
    page.keyboard.press("p")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Publishing freezes it")
    dialog.get_by_role("button", name="Cancel").click()
    assert state_of(as_role("ops"), draft["id"]) == "DRAFT"

    page.get_by_role("button", name="Publish").click()
    page.get_by_role("button", name="Publish for good").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    expect(page.get_by_text("published by Ops Person")).to_be_visible()
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    assert state_of(as_role("ops"), draft["id"]) == "PUBLISHED"


def test_a_draft_that_somebody_else_published_meanwhile_is_shown_so(
    sign_in: SignIn, as_role: AsRole, draft: dict[str, Any]
) -> None:
    page = sign_in("ops").open(f"/changelogs/{draft['id']}")
    expect(page.get_by_role("region", name="Highlights").get_by_role("listitem")).to_have_count(3)
    page.get_by_role("button", name="Publish").click()
    publish(as_role("admin"), draft["id"])

    page.get_by_role("button", name="Publish for good").click()

    expect(page.get_by_text("published by Admin Person")).to_be_visible()
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)


def test_filters_live_in_the_address_and_the_keyboard_walks_the_list(
    sign_in: SignIn, as_role: AsRole, shop: Shop, draft: dict[str, Any]
) -> None:
    publish(as_role("ops"), draft["id"])
    page = sign_in("ops").open(f"/changelogs?repository={shop.name}")
    listed = page.get_by_role("list", name="Changelogs")
    expect(listed.get_by_role("listitem")).to_have_count(1)

    page.keyboard.press("/")
    expect(page.get_by_label("Repository")).to_be_focused()
    page.get_by_label("State").select_option("DRAFT")
    expect(page.get_by_role("heading", name="No changelog fits the filters")).to_be_visible()
    assert page.url.endswith("&state=DRAFT")
    page.go_back()
    expect(listed.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/changelogs/{draft['id']}")


def test_hr_reads_what_is_published_without_addresses_and_finds_no_draft(
    sign_in: SignIn, as_role: AsRole, shop: Shop, draft: dict[str, Any]
) -> None:
    person = sign_in("hr")
    page = person.open(f"/changelogs/{draft['id']}")
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["There is no such changelog"]
    unknown = page.get_by_role("main").inner_text()
    page = person.open(f"/changelogs/{uuid4()}")
    assert page.get_by_role("main").inner_text() == unknown
    publish(as_role("ops"), draft["id"])

    page = person.open(f"/changelogs?repository={shop.name}")
    expect(page.get_by_label("State")).to_have_count(0)
    expect(page.get_by_role("button", name="New draft")).to_have_count(0)
    page.get_by_role("list", name="Changelogs").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{shop.name} v2.0.0")

    expect(page.get_by_text("the author's address is hidden from your role")).to_have_count(3)
    assert "bo@example.com" not in page.content()
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)


@pytest.mark.parametrize("view", ["notes", "preview", "markdown", "json"])
def test_a_changelog_is_accessible_and_fits_a_phone(sign_in: SignIn, draft: dict[str, Any], view: str) -> None:
    person = sign_in("ops")
    page = person.open(f"/changelogs/{draft['id']}?view={view}")
    expect(page.get_by_role("region", name="Highlights").get_by_role("listitem")).to_have_count(3)

    assert person.faults(f"changelog-{view}") == {}


def test_the_list_and_its_dialog_are_accessible_and_fit_a_phone(sign_in: SignIn, draft: dict[str, Any]) -> None:
    person = sign_in("ops")
    person.open(f"/changelogs?id={draft['id']}")
    assert person.faults("changelogs") == {}

    person.page.keyboard.press("n")
    person.page.get_by_role("combobox", name="From, not included").wait_for()
    person.page.wait_for_timeout(300)

    assert person.faults("changelog-new") == {}


def test_a_changelog_service_that_is_away_is_told(sign_in: SignIn, gateway_without: Callable[..., str]) -> None:
    person = sign_in("ops", url=gateway_without("changelog"))

    page = person.open("/changelogs")

    expect(page.get_by_role("alert")).to_contain_text("The changelogs cannot be shown")
    expect(page.get_by_role("alert")).to_contain_text("trace ")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
