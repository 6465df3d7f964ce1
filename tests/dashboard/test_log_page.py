"""The page of one log: records, notes, tickets and tags; conflicts, an ended session, dead services, long logs."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.dashboard.browser import Person
from tests.dashboard.content import Content, log_lines
from tests.e2e.client import Client

SignIn = Callable[..., Person]
AsRole = Callable[[str], Client]

NOW = "query Now($id: ID!) { log(id: $id) { version notes tags status state tickets(first: 5) { id title } } }"
RECORDS = """
query Records($id: ID!, $filter: LogRecordFilter) {
  log(id: $id) { records(filter: $filter, first: 100) { nodes { lineNumber } } }
}
"""
WHEEL_PIXELS = 900


@pytest.fixture
def log(as_role: AsRole) -> str:
    """A summarised log of 600 records of a service that no other test has."""
    ops = as_role("ops")
    service = f"svc-{uuid4().hex[:8]}"
    made = ops.mutate("summarizeLog", "log { id }", name="orders.log", text=log_lines(), service=service)
    log_id: str = made["log"]["id"]
    ops.summarized(log_id)
    return log_id


def lines(page: Page) -> list[int]:
    page.get_by_role("region", name="Records by line").locator("[data-line]").first.wait_for()
    rows = page.get_by_role("region", name="Records by line").locator("[data-line]").all()
    return [int(row.get_attribute("data-line") or 0) for row in rows]


def wait_for_count(page: Page, words: str) -> None:
    page.get_by_role("region", name="Records", exact=True).get_by_text(words, exact=True).wait_for()


def test_a_pattern_and_a_bar_narrow_the_records_and_the_address_keeps_it(
    sign_in: SignIn, admin: Client, log: str
) -> None:
    person = sign_in("ops")
    page = person.open(f"/logs/{log}")

    page.get_by_role("link", name="Records of the pattern payment provider refused connection to <*>").click()
    wait_for_count(page, "30 records of 600")
    page.reload()
    person.settle()
    by_pattern = lines(page)
    page.get_by_role("button", name="Do not narrow by pattern").click()
    page.get_by_text("The same as a table").click()
    page.get_by_role("region", name="Records over time as a table").get_by_role("link").nth(1).click()
    page.wait_for_url(re.compile(r"from=.*&to="))
    wait_for_count(page, "10 records of 600")
    by_time = lines(page)
    page.go_back()
    wait_for_count(page, "the first 100 are loaded; scroll for more")

    refused = {"text": "payment provider refused"}
    wanted = [
        node["lineNumber"] for node in admin.data(RECORDS, {"id": log, "filter": refused})["log"]["records"]["nodes"]
    ]
    assert len(wanted) == 30
    assert by_pattern == wanted[: len(by_pattern)]
    assert by_time == list(range(11, 21))


def test_notes_that_somebody_else_changed_meanwhile_are_shown_and_nothing_typed_is_lost(
    sign_in: SignIn, as_role: AsRole, admin: Client, log: str
) -> None:
    page = sign_in("ops").open(f"/logs/{log}")
    notes = page.get_by_role("textbox", name="Notes")

    notes.fill("Mine: rolled back.")
    version = admin.data(NOW, {"id": log})["log"]["version"]
    as_role("ops").mutate("updateLog", "log { id }", logId=log, expectedVersion=version, notes="Theirs: restarted.")
    notes.press("Control+Enter")
    conflict = page.get_by_role("alert").filter(has_text="Somebody changed this while you were at it")
    conflict.wait_for()
    told = conflict.inner_text()
    stored = admin.data(NOW, {"id": log})["log"]["notes"]
    page.reload()
    draft = page.get_by_role("textbox", name="Notes").input_value()
    page.get_by_role("button", name="Save the notes").click()
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_role("button", name="Save the notes")).to_have_count(0)

    assert "There now: Theirs: restarted." in told
    assert "Yours, not saved yet: Mine: rolled back." in told
    assert stored == "Theirs: restarted."
    assert draft == "Mine: rolled back."
    assert admin.data(NOW, {"id": log})["log"]["notes"] == "Mine: rolled back."


def test_what_somebody_changed_elsewhere_on_the_log_does_not_stop_notes_or_tags(
    sign_in: SignIn, as_role: AsRole, admin: Client, log: str
) -> None:
    person = sign_in("ops")
    person.context.route_web_socket(re.compile(r"/graphql$"), lambda socket: socket.close())
    page = person.open(f"/logs/{log}")
    version = admin.data(NOW, {"id": log})["log"]["version"]
    as_role("ops").mutate("updateLog", "log { id }", logId=log, expectedVersion=version, tags=["night"])

    page.get_by_role("textbox", name="New tag").fill("Payments")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Remove the tag payments").wait_for()
    as_role("ops").mutate(
        "updateLogStatus", "log { id }", logId=log, expectedVersion=version + 2, status="ACKNOWLEDGED"
    )
    page.get_by_role("textbox", name="Notes").fill("Seen.")
    page.get_by_role("button", name="Save the notes").click()
    expect(page.get_by_role("button", name="Save the notes")).to_have_count(0)

    now = admin.data(NOW, {"id": log})["log"]
    assert (now["tags"], now["notes"], now["status"]) == (["night", "payments"], "Seen.", "ACKNOWLEDGED")
    assert now["version"] == version + 4


def test_a_session_that_ends_while_notes_are_typed_keeps_them_and_saves_after_signing_in(
    sign_in: SignIn, admin: Client, log: str
) -> None:
    person = sign_in("ops")
    page = person.page
    page.clock.install()
    person.open(f"/logs/{log}")

    page.get_by_role("textbox", name="Notes").fill("Half a thought")
    person.context.clear_cookies()
    page.clock.fast_forward("00:11:00")
    page.get_by_role("dialog", name="Your session has ended").wait_for()
    before = admin.data(NOW, {"id": log})["log"]["notes"]
    page.get_by_role("dialog").locator("input[type=password]").fill(person.account.password)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    typed = page.get_by_role("textbox", name="Notes").input_value()
    page.get_by_role("button", name="Save the notes").click()
    expect(page.get_by_role("button", name="Save the notes")).to_have_count(0)

    assert (before, typed) == ("", "Half a thought")
    assert admin.data(NOW, {"id": log})["log"]["notes"] == "Half a thought"


def test_without_tickets_and_changelog_the_rest_of_the_page_stays(
    sign_in: SignIn, content: Content, gateway_without: Callable[..., str]
) -> None:
    person = sign_in("ops", url=gateway_without("tickets", "changelog"))

    page = person.open(f"/logs/{content.log}")

    page.get_by_text("The tickets cannot be shown just now").wait_for()
    page.get_by_text("What changed before cannot be shown just now").wait_for()
    expect(page.get_by_role("heading", level=1)).to_have_text("checkout.log")
    assert page.get_by_role("button", name=re.compile(r"\[\d+ lines?\]$")).count() > 1
    assert lines(page)[0] == 1
    expect(page.get_by_role("alert")).to_have_count(0)


def test_without_logs_the_page_says_so_with_a_trace_id_and_a_way_to_try_again(
    sign_in: SignIn, content: Content, gateway_without: Callable[..., str]
) -> None:
    person = sign_in("ops", url=gateway_without("logs"))

    page = person.open(f"/logs/{content.log}")

    trouble = page.get_by_role("alert").filter(has_text="The log cannot be shown")
    trouble.wait_for()
    assert re.search(r"trace [0-9a-f]{32}", trouble.inner_text())
    expect(trouble.get_by_role("button", name="Try again")).to_have_count(1)


def test_a_log_that_is_not_there_and_an_id_that_is_none_look_the_same(sign_in: SignIn) -> None:
    person = sign_in("ops")
    told = []

    for log_id in ("01900000-0000-7000-8000-000000000000", "nonsense"):
        page = person.open(f"/logs/{log_id}")
        page.get_by_role("heading", name="There is no such log").wait_for()
        told.append(page.get_by_role("main").inner_text())

    assert told[0] == told[1]


def test_a_ticket_is_made_from_the_log_and_linked_to_it(sign_in: SignIn, admin: Client, log: str) -> None:
    page = sign_in("ops").open(f"/logs/{log}")

    page.keyboard.press("t")
    title = page.get_by_role("form", name="New ticket").get_by_label("Title")
    prefilled = title.input_value()
    title.fill("Payments are refused")
    page.get_by_role("button", name="Create the ticket").click()
    page.get_by_role("link", name="Payments are refused").wait_for()

    tickets = admin.data(NOW, {"id": log})["log"]["tickets"]
    assert prefilled.startswith("orders.log: The log has 600 records")
    assert [ticket["title"] for ticket in tickets] == ["Payments are refused"]
    href = page.get_by_role("link", name="Payments are refused").get_attribute("href")
    assert href == f"/tickets/{tickets[0]['id']}"


def test_changes_before_the_first_record_say_how_long_before(sign_in: SignIn, content: Content) -> None:
    page = sign_in("ops").open(f"/logs/{content.log}")

    changes = page.get_by_role("region", name="Changes in the day before").get_by_role("listitem").all_inner_texts()

    assert "Deployment of checkout 2.0.0\n\n12 minutes before · production" in changes
    assert all(re.search(r"\d+ (second|minute|hour)s? before", change) for change in changes)


def test_a_log_is_summarised_again_and_the_page_shows_it_by_itself(sign_in: SignIn, admin: Client, log: str) -> None:
    page = sign_in("ops").open(f"/logs/{log}")
    version = admin.data(NOW, {"id": log})["log"]["version"]

    page.get_by_role("button", name="Summarise again").click()

    admin.summarized(log)
    page.get_by_role("button", name=re.compile(r"\[\d+ lines?\]$")).first.wait_for()
    page.get_by_role("button", name="Summarise again").wait_for()
    assert admin.data(NOW, {"id": log})["log"]["version"] == version + 2


def test_ten_thousand_records_scroll_without_a_task_over_100_ms(
    sign_in: SignIn, as_role: AsRole, browser: Browser, tmp_path: Path
) -> None:
    """Processor time of the page's tasks: what other processes of the machine take is not the page's."""
    stored = as_role("ops").stored(log_lines(10_000).encode(), name="long.log")
    as_role("ops").summarized(stored)
    page = sign_in("ops").open(f"/logs/{stored}")
    box = page.get_by_role("region", name="Records by line")
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)

    browser.start_tracing(page=page, path=tmp_path / "trace.json", categories=["toplevel", "devtools.timeline"])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        page.mouse.wheel(0, WHEEL_PIXELS)
        if page.locator("[data-line='10000']").count():
            break
    browser.stop_tracing()

    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    mains = {(event["pid"], event["tid"]) for event in events if event.get("args", {}).get("name") == "CrRendererMain"}
    tasks = [
        event["tdur"] / 1_000
        for event in events
        if event["name"].endswith("RunTask") and "tdur" in event and (event["pid"], event["tid"]) in mains
    ]
    expect(page.locator("[data-line='10000']")).to_have_count(1)
    assert page.locator("[data-line]").count() < 100
    assert len(tasks) > 1_000
    assert max(tasks) <= 100, sorted(tasks)[-5:]
