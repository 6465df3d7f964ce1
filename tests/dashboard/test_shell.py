"""What is around every page: where each role can go, keyboard, themes, what axe finds, what a page costs."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from tests.dashboard.browser import Person

SignIn = Callable[..., Person]
PLACES = {
    "admin": ["Logs", "Tickets", "Changelogs", "People"],
    "ops": ["Logs", "Tickets", "Changelogs"],
    "hr": ["Tickets", "Changelogs"],
}


def places(page: Page) -> list[str]:
    return [text.split("\n")[0] for text in page.get_by_label("Pages").get_by_role("link").all_inner_texts()]


@pytest.mark.parametrize("role", PLACES)
def test_each_role_has_its_own_places_and_begins_at_the_first(sign_in: SignIn, role: str) -> None:
    person = sign_in(role)

    page = person.open("/")
    page.get_by_role("heading", level=1, name=PLACES[role][0]).wait_for()

    assert places(page) == PLACES[role]


@pytest.mark.parametrize(
    ("role", "path"), [("hr", "/logs"), ("hr", "/people"), ("ops", "/people"), ("admin", "/nothing")]
)
def test_a_page_of_another_role_looks_as_if_it_did_not_exist(sign_in: SignIn, role: str, path: str) -> None:
    person = sign_in(role)

    page = person.open(path)

    assert page.get_by_role("heading").all_inner_texts() == ["There is no such page"]
    assert person.operations == []


def test_the_keyboard_goes_places_and_tells_what_it_does(sign_in: SignIn) -> None:
    page = sign_in("admin").open("/logs")

    page.keyboard.type("gt")
    page.get_by_role("heading", level=1, name="Tickets").wait_for()
    page.keyboard.press("?")

    assert "Go to Changelogs" in page.get_by_role("dialog").inner_text()


def test_the_chosen_theme_stays(sign_in: SignIn) -> None:
    person = sign_in("ops")

    person.open("/logs").get_by_role("button", name="Use the dark theme").click()
    person.open("/tickets")

    assert person.page.evaluate("() => document.documentElement.dataset.mantineColorScheme") == "dark"


def test_a_link_that_leads_elsewhere_is_not_followed_after_signing_in(
    visit: Callable[..., tuple[BrowserContext, Page]], sign_in: SignIn
) -> None:
    person = sign_in("ops")

    person.page.goto(person.url + "/login?to=//example.com/logs")
    person.settle()

    assert person.page.url == person.url + "/logs"
