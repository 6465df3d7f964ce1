"""Every page, dialog, empty page and error: nothing for axe to find, no sideways scrolling, few requests; pictures."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect
from tests.dashboard.browser import Person
from tests.dashboard.content import Content

SignIn = Callable[..., Person]
PAGES = {
    "logs": "/logs",
    "log": "/logs/{log}",
    "tickets": "/tickets",
    "ticket": "/tickets/{ticket}",
    "people-ticket": "/tickets/{people_ticket}",
    "changelogs": "/changelogs",
    "changelog-draft": "/changelogs/{draft}",
    "changelog": "/changelogs/{published}",
    "people": "/people",
    "tokens": "/people?tab=tokens",
    "account": "/account",
}
SEEN = {
    "admin": list(PAGES),
    "ops": ["logs", "log", "tickets", "ticket", "changelogs", "changelog-draft", "changelog", "account"],
    "hr": ["tickets", "people-ticket", "changelogs", "changelog", "account"],
}
MOST_OPERATIONS = 2
FIRST_DAY = {
    ("ops", "logs"): "No logs yet",
    ("ops", "tickets"): "Nothing is to be done",
    ("ops", "changelogs"): "No commits yet",
    ("hr", "tickets"): "No people matter waits",
    ("hr", "changelogs"): "Nothing is published yet",
    ("admin", "tokens"): "No API token yet",
}
NOBODYS = "019ab000-0000-7000-8000-000000000000"
DIALOGS = {
    "ticket-new": ("/tickets", "c"),
    "log-new": ("/logs", "n"),
    "keyboard": ("/tickets", "?"),
}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in SEEN.items() for name in names])
def test_a_page_is_accessible_narrow_and_frugal(sign_in: SignIn, content: Content, role: str, name: str) -> None:
    person = sign_in(role)

    person.open(PAGES[name].format(**vars(content)))

    operations = list(person.operations)
    assert person.faults(f"{role}-{name}") == {}
    assert len(operations) <= MOST_OPERATIONS, operations


@pytest.mark.parametrize(("role", "name"), FIRST_DAY)
def test_a_page_without_anything_teaches_the_next_step(sign_in: SignIn, role: str, name: str) -> None:
    person = sign_in(role)

    def nothing(route: Route) -> None:
        answer = route.fetch()
        body = re.sub(r'"nodes":\s*\[.*?\](?=,\s*"pageInfo"|\})', '"nodes":[]', answer.text())
        route.fulfill(response=answer, json=json.loads(body))

    person.page.route("**/graphql", nothing)

    page = person.open(PAGES[name])

    expect(page.get_by_role("heading", level=2)).to_have_text(FIRST_DAY[role, name])
    assert person.faults(f"empty-{role}-{name}") == {}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"/logs?text={NOBODYS}", "No log passes these filters"),
        (f"/tickets?q={NOBODYS}", "No ticket is like that"),
        (f"/changelogs?repository={NOBODYS}", "No changelog fits the filters"),
        (f"/logs/{NOBODYS}", "There is no such log"),
        (f"/tickets/{NOBODYS}", "There is no such ticket"),
        (f"/changelogs/{NOBODYS}", "There is no such changelog"),
        ("/nothing", "There is no such page"),
    ],
)
def test_a_page_that_found_nothing_says_so_and_is_accessible(sign_in: SignIn, path: str, told: str) -> None:
    person = sign_in("ops")

    page = person.open(path)

    expect(page.get_by_role("heading", name=told)).to_be_visible()
    assert person.faults(told.lower().replace(" ", "-")) == {}


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_is_accessible_and_fits_a_phone(sign_in: SignIn, name: str) -> None:
    path, key = DIALOGS[name]
    person = sign_in("ops")
    page = person.open(path)

    page.keyboard.press(key)
    page.get_by_role("dialog").or_(page.get_by_role("region", name="Add a log")).wait_for()
    page.wait_for_timeout(300)

    assert person.faults(name) == {}


def test_every_view_of_a_dead_service_is_told_with_its_trace_and_accessible(
    sign_in: SignIn, content: Content, gateway_without: Callable[..., str]
) -> None:
    person = sign_in("ops", url=gateway_without("logs", "tickets", "changelog"))

    for name in ("logs", "log", "tickets", "ticket", "changelogs", "changelog-draft"):
        page = person.open(PAGES[name].format(**vars(content)))
        trouble = page.get_by_role("alert")
        expect(trouble).to_have_count(1)
        assert re.search(r"UNAVAILABLE\s+trace [0-9a-f]{32}", trouble.inner_text()), name
        expect(trouble.get_by_role("button", name="Try again")).to_have_count(1)
        assert person.faults(f"dead-{name}") == {}


def test_without_auth_nobody_knows_who_one_is_and_the_page_says_so(
    sign_in: SignIn, gateway_without: Callable[..., str]
) -> None:
    person = sign_in("admin")
    person.page.goto(gateway_without("auth") + "/people")  # cookies know hosts, not ports

    trouble = person.page.get_by_role("alert").filter(has_text="Nobody can be signed in just now")
    trouble.wait_for()

    assert re.search(r"trace [0-9a-f]{32}", trouble.inner_text())
    assert person.faults("dead-auth") == {}
    expect(person.open("/people").get_by_role("heading", level=1)).to_have_text("People")
