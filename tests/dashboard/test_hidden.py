"""What one may not see looks as if it did not exist: the same words, after the same requests, by any address."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.dashboard.browser import Person

if TYPE_CHECKING:
    from playwright.sync_api import Response
    from tests.dashboard.content import Content

SignIn = Callable[..., Person]
TRACE = re.compile(r'"traceId":\s*"[0-9a-f]{32}"')


@pytest.mark.parametrize(
    ("role", "place", "thing"),
    [
        ("ops", "tickets", "people_ticket"),
        ("hr", "tickets", "ticket"),
        ("hr", "changelogs", "draft"),
        ("hr", "logs", "log"),
    ],
)
def test_what_is_not_for_a_role_cannot_be_told_from_what_is_not_there(
    sign_in: SignIn, content: Content, role: str, place: str, thing: str
) -> None:
    person = sign_in(role)
    answers: list[Response] = []
    person.page.on("response", lambda response: answers.append(response) if response.url.endswith("/graphql") else None)
    told, bodies = [], []

    for name in (vars(content)[thing], str(uuid4()), "nonsense"):
        answers.clear()
        page = person.open(f"/{place}/{name}")
        page.wait_for_load_state("networkidle")
        told.append((page.title(), page.get_by_role("main").inner_text(), list(person.operations)))
        bodies.append([(answer.status, TRACE.sub("", answer.text())) for answer in answers])

    assert told[1:] == [told[0]] * 2
    assert bodies[0] == bodies[1]
