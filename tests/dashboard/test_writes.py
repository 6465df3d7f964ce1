"""Writes whose answer is lost on the way, and writes that somebody else was faster with."""

import json
from collections.abc import Callable

from playwright.sync_api import Request, Route, expect
from tests.dashboard.browser import Person
from tests.dashboard.tickets import Make, State, make, state

SignIn = Callable[..., Person]

__all__ = ["make", "state"]  # fixtures: pytest finds them here


def test_comment_whose_answer_was_lost_is_said_once_after_a_reload(sign_in: SignIn, make: Make, state: State) -> None:
    ticket = make()
    page = sign_in("ops").open(f"/tickets/{ticket}")
    keys: list[str] = []

    def lose_answer(route: Route, request: Request) -> None:
        body = json.loads(request.post_data or "{}")
        if "addTicketComment" not in body["query"]:
            route.fallback()
            return
        keys.append(body["variables"]["input"]["idempotencyKey"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.fallback()

    page.route("**/graphql", lose_answer)
    field = page.get_by_role("textbox", name="Add a comment")
    field.fill("Rolled back.")
    field.press("Control+Enter")
    page.get_by_role("alert").filter(has_text="The comment is not sent").wait_for()
    said = state(ticket)["comments"]["nodes"]
    page.reload()
    # The ticket is in its next version by now; the comment is still the one whose answer was lost.
    expect(field).to_have_value("Rolled back.")
    field.press("Control+Enter")
    expect(field).to_have_value("")

    assert said == [{"body": "Rolled back.", "internal": False}]
    assert state(ticket)["comments"]["nodes"] == said
    assert len(set(keys)) == 1
