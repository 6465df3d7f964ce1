"""Tickets as people work through them: triage with its reasons, keys, conflicts."""

import re
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Page, expect
from tests.dashboard.browser import Account
from tests.dashboard.content import Content
from tests.dashboard.tickets import AsRole, Make, SignIn, State, expect_soon, headings, make, state
from tests.e2e.client import Client, session_of
from tests.e2e.conftest import RunningStack

__all__ = ["make", "state"]  # fixtures: pytest finds them here

SOURCES = ("categorySource", "prioritySource", "teamSource")
SOCKET = re.compile(r"/graphql$")


def words_of(page: Page, reason: str) -> str:
    return "".join(page.locator(f'[data-reasons~="words-{reason}"]').all_inner_texts())


def test_a_new_ticket_is_triaged_while_one_looks_with_each_reason_at_its_words(sign_in: SignIn, state: State) -> None:
    person = sign_in("ops")
    page = person.open("/tickets?new=1")
    form = page.get_by_role("dialog")
    form.get_by_label("Title").fill("Outage 😀: shop answers 502")
    form.get_by_label("Message").fill("👩‍🚒🔥 Every order ends in bad gateway.\nThis is urgent.")

    form.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/tickets/[0-9a-f-]{36}$"))
    page.get_by_role("button", name="Accept all (a)").wait_for()

    decision = state(page.url.rsplit("/", 1)[-1])["triage"]
    told = {
        f"{kind}-{number}": reason["quote"]
        for kind in ("category", "priority", "team")
        for number, reason in enumerate(decision[kind]["reasons"])
    }
    assert {"Outage", "502", "bad gateway"} <= set(told.values())
    assert {reason: words_of(page, reason) for reason in told} == told
    assert page.get_by_label("Message", exact=True).locator("mark").all_inner_texts() == ["bad gateway", "urgent"]


def test_a_reason_and_its_words_point_at_each_other(sign_in: SignIn, make: Make) -> None:
    ticket = make(message="🔥 Everything ends in bad gateway.")
    page = sign_in("ops").open(f"/tickets/{ticket}")
    mark = page.get_by_label("Message", exact=True).locator("mark", has_text="bad gateway")
    reason = page.get_by_label("Why this category").get_by_role("button", name="“bad gateway”")

    reason.hover()
    expect(mark).to_have_attribute("data-active", "true")
    page.get_by_role("heading", name="Triage").hover()
    expect(mark).not_to_have_attribute("data-active", "true")
    mark.hover()
    expect(reason).to_have_attribute("data-active", "true")
    reason.click()

    expect(mark).to_be_focused()
    page.keyboard.press("Enter")
    expect(reason).to_be_focused()


def test_a_correction_is_a_persons_word_and_stays_after_a_reload(sign_in: SignIn, make: Make, state: State) -> None:
    ticket = make()
    person = sign_in("ops")
    page = person.open(f"/tickets/{ticket}")
    triage = page.get_by_role("region", name="Triage")
    expect(triage.get_by_label("Category", exact=True)).to_have_value("incident")

    triage.get_by_label("Category", exact=True).select_option("billing")
    triage.get_by_text("Triage suggests Incident").wait_for()
    person.open(f"/tickets/{ticket}")

    expect(triage.get_by_label("Category", exact=True)).to_have_value("billing")
    expect(triage.get_by_text("by a person")).to_have_count(1)
    assert (state(ticket)["category"], state(ticket)["categorySource"]) == ("billing", "PERSON")


def test_one_key_accepts_all_and_one_takes_it_back(sign_in: SignIn, make: Make, state: State) -> None:
    ticket = make(message="Urgent: bad gateway for every customer.")
    before = state(ticket)
    page = sign_in("ops").open(f"/tickets/{ticket}")
    page.get_by_role("button", name="Accept all (a)").wait_for()

    page.keyboard.press("a")
    page.get_by_text("Accepted: category incident").wait_for()

    accepted = state(ticket)
    assert [accepted[source] for source in SOURCES] == ["PERSON"] * 3
    assert [accepted[kind] for kind in ("category", "priority", "team")] == [
        before[kind] for kind in ("category", "priority", "team")
    ]
    page.keyboard.press("z")
    expect_soon(lambda: [state(ticket)[source] for source in SOURCES], ["TRIAGE"] * 3)
    assert state(ticket)["category"] == before["category"]


def test_a_status_that_somebody_else_moved_is_shown_beside_ones_own(
    sign_in: SignIn, as_role: AsRole, make: Make, state: State
) -> None:
    ticket = make()
    person = sign_in("ops")
    person.page.route_web_socket(SOCKET, lambda _: None)  # what others do is not told
    page = person.open(f"/tickets/{ticket}")
    version = state(ticket)["version"]
    as_role("admin").mutate("updateTicketStatus", ticketId=ticket, expectedVersion=version, status="WAITING")

    page.keyboard.press("e")
    conflict = page.get_by_role("alert")
    conflict.get_by_text("There now: status waiting").wait_for()

    expect(conflict.get_by_text("Yours, not saved yet: status resolved")).to_have_count(1)
    assert state(ticket)["status"] == "WAITING"
    conflict.get_by_role("button", name="Save mine over it").click()
    expect_soon(lambda: state(ticket)["status"], "RESOLVED")
    expect(conflict.get_by_text("There now")).to_have_count(0)


def test_a_comment_survives_that_somebody_else_was_faster(
    sign_in: SignIn, as_role: AsRole, make: Make, state: State
) -> None:
    ticket = make()
    person = sign_in("ops")
    person.page.route_web_socket(SOCKET, lambda _: None)
    page = person.open(f"/tickets/{ticket}")
    field = page.get_by_label("Add a comment")
    field.fill("Rolled back to 1.9.")
    as_role("admin").mutate(
        "addTicketComment", ticketId=ticket, expectedVersion=state(ticket)["version"], body="I look at it."
    )

    field.press("Control+Enter")
    page.get_by_text("There now: one more comment").wait_for()

    expect(page.get_by_text("Yours, not saved yet: comment “Rolled back to 1.9.”")).to_have_count(1)
    expect(field).to_have_value("Rolled back to 1.9.")
    page.get_by_role("button", name="Save mine over it").click()
    page.get_by_label("Comment of").nth(1).wait_for()
    assert [each["body"] for each in state(ticket)["comments"]["nodes"]] == ["I look at it.", "Rolled back to 1.9."]
    expect(field).to_have_value("")


def test_a_typed_comment_survives_a_reload_and_the_end_of_the_session(
    sign_in: SignIn, make: Make, state: State, make_account: Callable[[str | None], Account], stack: RunningStack
) -> None:
    ticket, account = make(), make_account("OPS")
    person = sign_in(account)
    page = person.open(f"/tickets/{ticket}")
    page.get_by_label("Add a comment").fill("The provider is back.")
    page.get_by_label("Internal: the reporter does not see it").check()
    person.open(f"/tickets/{ticket}")
    elsewhere = session_of(stack, account.email, account.password)
    done = Client(stack.url, elsewhere["session"]["accessToken"]).mutate(
        "changePassword",
        expectedVersion=elsewhere["user"]["version"],
        currentPassword=account.password,
        newPassword="another password of mine",
    )
    assert done["__typename"] == "ChangePasswordSuccess"

    again = page.get_by_role("dialog", name="Your session has ended")
    again.locator("input[autocomplete=current-password]").fill("another password of mine")
    again.get_by_role("button", name="Sign in").click()
    expect(again).to_have_count(0)

    expect(page.get_by_label("Add a comment")).to_have_value("The provider is back.")
    page.get_by_label("Add a comment").press("Control+Enter")
    page.get_by_label("Comment of Ops Person").wait_for()
    assert state(ticket)["comments"]["nodes"] == [{"body": "The provider is back.", "internal": True}]


def test_later_comments_are_a_click_away(sign_in: SignIn, as_role: AsRole, make: Make, state: State) -> None:
    ticket = make()
    version = state(ticket)["version"]
    for number in range(33):
        as_role("ops").mutate(
            "addTicketComment", ticketId=ticket, expectedVersion=version + number, body=f"Step {number}"
        )
    page = sign_in("ops").open(f"/tickets/{ticket}")
    expect(page.get_by_label("Comment of")).to_have_count(30)

    page.get_by_role("button", name="Show later comments").click()
    page.get_by_text("Step 32", exact=True).wait_for()

    expect(page.get_by_label("Comment of")).to_have_count(33)


def test_tickets_away_is_told_with_what_to_do_and_the_rest_stays(
    sign_in: SignIn, gateway_without: Callable[..., str], make: Make
) -> None:
    ticket = make()
    away, partly = gateway_without("tickets"), gateway_without("changelog", "logs")
    person = sign_in("ops", url=away)

    listed = person.open("/tickets").get_by_role("alert")
    expect(listed.get_by_text("The list cannot be read just now")).to_have_count(1)
    expect(listed.get_by_role("button", name="Try again")).to_have_count(1)
    expect(listed.get_by_text(re.compile(r"^trace [0-9a-f]{32}$"))).to_have_count(1)
    alone = person.open(f"/tickets/{ticket}").get_by_role("alert")
    expect(alone.get_by_text("The ticket cannot be read just now")).to_have_count(1)
    whole = sign_in("ops", url=partly).open(f"/tickets/{ticket}")
    whole.get_by_text("What was changed cannot be shown just now").wait_for()
    assert headings(whole)[0] == "Outage: checkout answers 502"


def test_the_keyboard_alone_clears_a_queue(sign_in: SignIn, make: Make, state: State) -> None:
    service = f"keys-{uuid4().hex[:8]}"
    tickets = [make(title=f"Outage {number}", service=service) for number in range(3)]
    person = sign_in("ops")
    page = person.open(f"/tickets?service={service}")
    expect(page.get_by_text("3 tickets", exact=True)).to_have_count(1)

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("e")
    page.get_by_text("Resolved: Outage 2").wait_for()
    page.keyboard.press("z")
    expect_soon(lambda: state(tickets[2])["status"], "OPEN")
    page.keyboard.press("j")
    page.keyboard.press("i")
    expect_soon(lambda: state(tickets[1])["assignee"], {"id": person.account.user_id})
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Outage 1").wait_for()
    page.get_by_role("button", name="Resolve (e)").wait_for()
    page.keyboard.press("e")
    expect_soon(lambda: state(tickets[1])["status"], "RESOLVED")
    page.get_by_role("button", name="Close (C)").wait_for()
    page.keyboard.press("Shift+C")

    expect_soon(lambda: [state(ticket)["status"] for ticket in tickets], ["OPEN", "CLOSED", "OPEN"])


def test_a_draft_survives_a_reload_and_the_servers_word_stands_at_its_field(sign_in: SignIn) -> None:
    person = sign_in("ops")
    page = person.open("/tickets?new=1")
    form = page.get_by_role("dialog")
    form.get_by_label("Title").fill("Printer is on fire")
    form.get_by_label("Reporter's name").fill("Carl")
    form.get_by_label("Reporter's e-mail").fill("carl at home")
    person.open("/tickets?new=1")

    expect(form.get_by_label("Title")).to_have_value("Printer is on fire")
    form.get_by_role("button", name="Create").click()
    form.get_by_text("this must be an e-mail address such as name@example.com").wait_for()

    assert form.get_by_label("Reporter's e-mail").get_attribute("aria-invalid") == "true"
    expect(form.get_by_label("Title")).to_have_value("Printer is on fire")
    expect(form.get_by_role("alert")).to_have_count(0)
    form.get_by_label("Reporter's e-mail").fill("carl@example.com")
    form.get_by_role("button", name="Create").click()
    page.get_by_role("heading", level=1, name="Printer is on fire").wait_for()
    person.open("/tickets?new=1")
    expect(form.get_by_label("Title")).to_have_value("")


def test_text_of_others_is_inert(sign_in: SignIn, make: Make) -> None:
    attack = "<img src=x onerror=window.hacked=1> <script>window.hacked=1</script>"
    ticket = make(title=attack, message=attack, externalReference=f"javascript:window.hacked=1//{uuid4()}")
    page = sign_in("ops").open(f"/tickets/{ticket}")

    reporter = page.get_by_role("region", name="Reporter")

    assert headings(page)[0] == attack
    assert page.get_by_label("Message", exact=True).inner_text() == attack
    expect(reporter.get_by_text("javascript:window.hacked=1")).to_have_count(1)
    expect(reporter.get_by_role("link")).to_have_count(0)
    assert page.evaluate("() => window.hacked") is None


def test_a_log_is_linked_by_its_address_and_taken_away_with_an_undo(
    sign_in: SignIn, make: Make, state: State, content: Content
) -> None:
    ticket = make()
    person = sign_in("ops")
    page = person.open(f"/tickets/{ticket}")
    logs = page.get_by_role("region", name="Logs")

    logs.get_by_label("Link a log").fill(f"{person.url}/logs/{content.log}?line=3")
    logs.get_by_role("button", name="Link", exact=True).click()
    logs.get_by_role("link", name="checkout.log").wait_for()
    assert state(ticket)["logs"] == [{"id": content.log}]
    logs.get_by_role("button", name="Unlink checkout.log").click()
    expect(logs.get_by_role("link", name="checkout.log")).to_have_count(0)
    assert state(ticket)["logs"] == []
    page.keyboard.press("z")
    logs.get_by_role("link", name="checkout.log").wait_for()

    assert state(ticket)["logs"] == [{"id": content.log}]


def test_a_ticket_page_asks_once(sign_in: SignIn, content: Content) -> None:
    person = sign_in("admin")

    person.open(f"/tickets/{content.ticket}")
    page = list(person.operations)
    person.open("/tickets")

    assert page == ["TicketPage"]
    assert sorted(person.operations) == ["TicketOptions", "Tickets"]
