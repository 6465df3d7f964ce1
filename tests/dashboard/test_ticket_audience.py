"""Who sees which ticket in the browser: people matters, masked addresses, decisions, lost roles."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from tests.dashboard.browser import Account
from tests.dashboard.tickets import NOT_THERE, AsRole, Make, SignIn, State, expect_soon, headings, make, state
from tests.e2e.client import Client

__all__ = ["make", "state"]  # fixtures: pytest finds them here


def test_ops_does_not_find_a_people_matter_by_list_link_or_search(sign_in: SignIn, make: Make, as_role: AsRole) -> None:
    word = f"payslip{uuid4().hex[:8]}"
    ticket = make("hr", title=f"My {word} is wrong", audience="PEOPLE")
    hr, ops = sign_in("hr"), sign_in("ops")

    listed = hr.open(f"/tickets?q={word}").get_by_role("link", name=word)
    expect(listed).to_have_count(1)
    searched = ops.open(f"/tickets?q={word}&status=ALL")
    assert headings(searched) == ["Tickets", "No ticket is like that"]
    expect(searched.get_by_text(word)).to_have_count(0)
    assert headings(ops.open(f"/tickets/{ticket}")) == NOT_THERE
    by_link = ops.page.get_by_role("main").inner_text()
    for wrong in (str(uuid4()), "17"):
        ops.open(f"/tickets/{wrong}")
        assert ops.page.get_by_role("main").inner_text() == by_link
    assert as_role("ops").data("query T($id: ID!) { ticket(id: $id) { id } }", {"id": ticket}) == {"ticket": None}


def test_hr_sees_people_matters_and_nothing_of_systems(sign_in: SignIn, make: Make) -> None:
    outage = make()
    people = make("hr", title="My leave was refused", audience="PEOPLE")
    hr = sign_in("hr")

    assert headings(hr.open(f"/tickets/{outage}")) == NOT_THERE
    hr.open(f"/tickets/{people}")

    assert "Logs" not in headings(hr.page)
    assert "Changed before it" not in headings(hr.page)
    assert headings(hr.page)[0] == "My leave was refused"


@pytest.mark.parametrize(("role", "shown", "masked"), [("ops", 0, 1), ("admin", 1, 0)])
def test_the_address_of_an_outside_reporter_is_masked_for_ops(
    sign_in: SignIn, make: Make, role: str, shown: int, masked: int
) -> None:
    ticket = make("admin", reporter={"externalName": "Carla", "externalEmail": "carla@example.com"})

    page = sign_in(role).open(f"/tickets/{ticket}")
    reporter = page.get_by_role("region", name="Reporter")

    expect(reporter.get_by_text("Carla (from outside)")).to_have_count(1)
    expect(reporter.get_by_text("carla@example.com")).to_have_count(shown)
    expect(reporter.get_by_text("the e-mail address is hidden from your role")).to_have_count(masked)


def test_hr_decides_a_suspicion_and_gives_up_what_is_no_people_matter(
    sign_in: SignIn, as_role: AsRole, state: State
) -> None:
    answer = as_role("ops").mutate(
        "createTicket", "ticket { id }", title="My manager refuses my payroll question", message="I feel harassed."
    )
    ticket = answer["ticket"]["id"]
    expect_soon(lambda: state(ticket)["triageState"], "TRIAGED")
    page = sign_in("hr").open(f"/tickets/{ticket}")
    if not state(ticket)["peopleSuspected"]:
        pytest.fail("the words were taken for certain; choose words that are only suspected")

    page.get_by_role("button", name="This is not").click()
    page.get_by_role("dialog").get_by_role("button", name="Give it to ops").click()
    page.get_by_role("heading", name="There is no such ticket").wait_for()

    assert (state(ticket)["audience"], state(ticket)["peopleSuspected"]) == ("GENERAL", False)


def test_what_becomes_hidden_leaves_an_open_page(sign_in: SignIn, as_role: AsRole, make: Make, state: State) -> None:
    ticket = make("admin", title="Complaint of the warehouse", message="Secret words of a complaint.")
    page = sign_in("ops").open(f"/tickets/{ticket}")
    page.get_by_text("Secret words of a complaint.").wait_for()

    done = as_role("admin").mutate(
        "updateTicketAudience", ticketId=ticket, expectedVersion=state(ticket)["version"], audience="PEOPLE"
    )
    assert done["__typename"] == "UpdateTicketAudienceSuccess"
    page.get_by_role("heading", name="There is no such ticket").wait_for()

    assert headings(page) == NOT_THERE
    assert "Secret words" not in page.content()
    page.get_by_role("link", name="Go to the tickets").click()
    page.get_by_role("heading", level=1, name="Tickets").wait_for()
    page.go_back()
    page.get_by_role("heading", name="There is no such ticket").wait_for()
    assert "Secret words" not in page.content()


def test_a_lost_role_takes_the_page_along(
    sign_in: SignIn, admin: Client, make_account: Callable[[str | None], Account], make: Make
) -> None:
    ticket = make(message="Words for ops alone.")
    account = make_account("OPS")
    page = sign_in(account).open(f"/tickets/{ticket}")
    page.get_by_text("Words for ops alone.").wait_for()
    users = admin.data("{ users(first: 100) { nodes { id version } } }")["users"]["nodes"]
    version = next(user["version"] for user in users if user["id"] == account.user_id)

    done = admin.mutate("setUserRole", userId=account.user_id, expectedVersion=version, role=None)
    assert done["__typename"] == "SetUserRoleSuccess"
    page.get_by_role("heading", name="There is no such page").wait_for()

    assert "Words for ops alone." not in page.content()
