"""Every page of every role: nothing for axe to find, no sideways scrolling, at most two requests; and its pictures."""

from collections.abc import Callable

import pytest
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
    "account": "/account",
}
SEEN = {
    "admin": list(PAGES),
    "ops": ["logs", "log", "tickets", "ticket", "changelogs", "changelog-draft", "changelog", "account"],
    "hr": ["tickets", "people-ticket", "changelogs", "changelog", "account"],
}
MOST_OPERATIONS = 2


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in SEEN.items() for name in names])
def test_a_page_is_accessible_narrow_and_frugal(sign_in: SignIn, content: Content, role: str, name: str) -> None:
    person = sign_in(role)

    person.open(PAGES[name].format(**vars(content)))

    operations = list(person.operations)
    found = {}
    for scheme in ("light", "dark"):
        person.scheme(scheme)
        found[scheme] = person.violations()
    person.screenshot(f"{role}-{name}")
    assert found == {"light": [], "dark": []}
    assert person.sideways() == 0
    assert len(operations) <= MOST_OPERATIONS, operations


def test_the_sign_in_page_is_accessible_and_narrow(sign_in: SignIn) -> None:
    person = sign_in("ops")
    person.context.clear_cookies()

    person.page.goto(person.url + "/login")
    person.page.get_by_label("E-mail").wait_for()

    person.screenshot("login")
    assert person.violations() == []
    assert person.sideways() == 0
