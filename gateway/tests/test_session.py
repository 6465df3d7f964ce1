"""The browser's door: log-in, refresh and log-out with a cookie that no script reads, against the real auth service."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.user_pb2 import ROLE_HR, Session, User
from chassis.clock import SystemClock
from chassis.errors import IdempotencyInProgress
from gateway.testing.harness import RunningGateway
from gateway.testing.stack import PASSWORD, Person, Script, Stack

StartScript = Callable[..., AbstractAsyncContextManager[Script]]
StartStack = Callable[..., AbstractAsyncContextManager[Stack]]

EMAIL = "ada@example.com"
CREDENTIALS = {"email": EMAIL, "password": PASSWORD}
OURS = {"x-aiops-csrf": "1"}
DELETED = 'aiops_refresh=""; HttpOnly; Max-Age=0; Path=/v1/session; SameSite=strict'
MONTH_SECONDS = 30 * 24 * 3600


class Browser:
    """A cookie jar, and requests as the dashboard's page sends them."""

    def __init__(self, gateway: RunningGateway, cookie: str = "") -> None:
        self._gateway = gateway
        self.cookie = cookie

    async def send(
        self, method: str, path: str = "", *, key: str = "", keep: bool = True, **more: Any
    ) -> httpx.Response:
        """One request with our cookie; the answer's cookie replaces it, unless the answer is lost on its way."""
        headers = {**OURS, **({"idempotency-key": key} if key else {}), **more.pop("headers", {})}
        if self.cookie:
            headers["cookie"] = f"aiops_refresh={self.cookie}"
        response = await self._gateway.client.request(
            method, f"{self._gateway.url}/v1/session{path}", headers=headers, **more
        )
        self._gateway.client.cookies.clear()
        if keep and "set-cookie" in response.headers:
            self.cookie = token_in(response)
        return response

    async def log_in(self, **more: Any) -> httpx.Response:
        """Log in as Ada."""
        return await self.send("POST", json=CREDENTIALS, **more)

    async def refresh(self, **more: Any) -> httpx.Response:
        """Trade the cookie in."""
        return await self.send("POST", "/refresh", **more)

    async def log_out(self, **more: Any) -> httpx.Response:
        """End the session."""
        return await self.send("DELETE", **more)


def token_in(response: httpx.Response) -> str:
    """The refresh token that the answer puts into the jar; nothing when it deletes the one that is there."""
    return response.headers["set-cookie"].partition(";")[0].partition("=")[2].strip('"')


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and the cookie that a refusal sets."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["traceId"] == response.headers["x-aiops-trace-id"]
    return response.status_code, response.json()["code"], response.headers.get("set-cookie")


@pytest_asyncio.fixture
async def front(start_stack: StartStack) -> AsyncIterator[tuple[Stack, RunningGateway, Person]]:
    """The real services without their workers, a gateway in development, and Ada, the admin."""
    async with start_stack("serve") as stack, stack.gateway() as gateway:
        yield stack, gateway, await stack.admin(gateway)


@pytest.fixture
def browser(front: tuple[Stack, RunningGateway, Person]) -> Browser:
    """Ada's browser."""
    return Browser(front[1])


async def test_log_in_gives_the_access_token_and_hides_the_refresh_token(
    front: tuple[Stack, RunningGateway, Person], browser: Browser
) -> None:
    _, gateway, ada = front

    response = await browser.log_in()

    body = response.json()
    assert response.status_code == 200
    assert body["user"] == {"id": ada.id, "version": 1, "email": EMAIL, "displayName": "Ada", "role": "ADMIN"}
    assert set(body) == {"accessToken", "accessTokenExpiresAt", "user"}
    assert await gateway.data("{ me { id } }", token=body["accessToken"]) == {"me": {"id": ada.id}}
    assert browser.cookie
    assert browser.cookie not in response.text
    assert (response.headers["cache-control"], response.headers["x-content-type-options"]) == ("no-store", "nosniff")


async def test_cookie_is_bound_to_the_door_and_out_of_reach(
    front: tuple[Stack, RunningGateway, Person], browser: Browser
) -> None:
    stack, _, _ = front
    pattern = r"aiops_refresh=[\w-]{43}; HttpOnly; Max-Age=(\d+); Path=/v1/session; SameSite=strict"

    in_development = re.fullmatch(pattern, (await browser.log_in()).headers["set-cookie"])
    async with stack.gateway(environment="production") as gateway:
        production = Browser(gateway)
        in_production = re.fullmatch(f"{pattern}; Secure", (await production.log_in()).headers["set-cookie"])
        rotated = re.fullmatch(f"{pattern}; Secure", (await production.refresh()).headers["set-cookie"])
        gone = (await production.log_out()).headers["set-cookie"]

    assert in_development
    assert in_production
    assert rotated
    for found in (in_development, in_production, rotated):
        assert MONTH_SECONDS - 60 < int(found[1]) <= MONTH_SECONDS
    assert gone == f"{DELETED}; Secure"


async def test_wrong_password_sets_no_cookie_and_leaves_the_old_one(browser: Browser) -> None:
    await browser.log_in()

    refused = await browser.send("POST", json={**CREDENTIALS, "password": "wrong horse battery"})

    assert refusal(refused) == (401, "CREDENTIALS_INVALID", None)
    assert refused.json()["detail"] == "e-mail address and password do not belong together; check both and try again"
    assert (await browser.refresh()).status_code == 200


async def test_refresh_rotates(front: tuple[Stack, RunningGateway, Person], browser: Browser) -> None:
    _, gateway, ada = front
    await browser.log_in()
    first = browser.cookie

    response = await browser.refresh()

    assert response.status_code == 200
    assert browser.cookie not in {"", first}
    assert response.json()["user"]["id"] == ada.id
    assert await gateway.data("{ me { id } }", token=response.json()["accessToken"]) == {"me": {"id": ada.id}}


async def test_other_tab_traded_it_a_moment_ago(front: tuple[Stack, RunningGateway, Person], browser: Browser) -> None:
    await browser.log_in()
    other_tab = Browser(front[1], browser.cookie)
    await browser.refresh()

    late = await other_tab.refresh()

    assert refusal(late) == (409, "VERSION_CONFLICT", None)
    other_tab.cookie = browser.cookie  # one jar for all tabs
    assert (await other_tab.refresh()).status_code == 200


async def test_spent_cookie_ends_the_session(front: tuple[Stack, RunningGateway, Person], browser: Browser) -> None:
    await browser.log_in()
    thief = Browser(front[1], browser.cookie)
    await browser.refresh()
    await browser.refresh()

    stolen = await thief.refresh()
    owner = await browser.refresh()

    assert refusal(stolen) == (401, "SESSION_REVOKED", DELETED)
    assert refusal(owner) == (401, "SESSION_REVOKED", DELETED)
    assert (thief.cookie, browser.cookie) == ("", "")


@pytest.mark.parametrize("cookie", ["", "never-heard-of"])
async def test_refresh_without_a_session(front: tuple[Stack, RunningGateway, Person], cookie: str) -> None:
    response = await Browser(front[1], cookie).refresh()

    assert refusal(response) == (401, "UNAUTHENTICATED", DELETED)


async def test_lost_answer_is_told_again(browser: Browser) -> None:
    await browser.log_in()
    key = str(uuid4())
    lost = await browser.refresh(key=key, keep=False)

    again = await browser.refresh(key=key)

    assert again.json() == lost.json()
    assert browser.cookie == token_in(lost)
    assert (await browser.refresh(key=str(uuid4()))).status_code == 200


async def test_answer_lost_after_the_browser_took_its_cookie(browser: Browser) -> None:
    await browser.log_in()
    key = str(uuid4())
    await browser.refresh(key=key)
    taken = browser.cookie

    again = await browser.refresh(key=key)

    assert again.status_code == 200
    assert browser.cookie != taken
    assert (await browser.refresh()).status_code == 200


async def test_log_in_is_repeated_by_its_key(browser: Browser) -> None:
    key = str(uuid4())
    lost = await browser.log_in(key=key, keep=False)

    again = await browser.log_in(key=key)

    assert again.json() == lost.json()
    assert browser.cookie == token_in(lost)


async def test_key_that_may_come_twice_by_chance_is_refused(browser: Browser) -> None:
    await browser.log_in()

    for response in (await browser.refresh(key="k" * 15), await browser.log_out(key="k" * 15)):
        assert refusal(response) == (400, "IDEMPOTENCY_KEY_INVALID", None)
    assert (await browser.refresh(key="k" * 16)).status_code == 200


FORGED = [
    {"x-aiops-csrf": ""},
    {"x-aiops-csrf": "true"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
]


async def test_forged_request_changes_nothing(browser: Browser) -> None:
    await browser.log_in()

    for headers in FORGED:
        for response in (
            await browser.log_in(headers=headers),
            await browser.refresh(headers=headers),
            await browser.log_out(headers=headers),
        ):
            assert refusal(response) == (403, "FORBIDDEN", None), headers
        assert (await browser.refresh()).status_code == 200, headers


async def test_own_page_is_let_in(front: tuple[Stack, RunningGateway, Person], browser: Browser) -> None:
    ours = {"origin": front[1].url, "sec-fetch-site": "same-origin"}

    assert (await browser.log_in(headers=ours)).status_code == 200
    assert (await browser.refresh(headers=ours)).status_code == 200
    proxied = {"host": "aiops.example.com", "origin": "https://AIOPS.example.com"}
    assert (await browser.log_out(headers=proxied)).status_code == 204


async def test_log_out_ends_the_session_and_works_twice(
    front: tuple[Stack, RunningGateway, Person], browser: Browser
) -> None:
    await browser.log_in()
    copy = Browser(front[1], browser.cookie)

    first, second = await browser.log_out(), await browser.log_out()

    assert (first.status_code, first.content, first.headers["set-cookie"]) == (204, b"", DELETED)
    assert (second.status_code, second.headers["set-cookie"]) == (204, DELETED)
    assert refusal(await copy.refresh()) == (401, "SESSION_REVOKED", DELETED)
    assert (await copy.log_out()).status_code == 204


async def test_too_many_attempts_say_when_to_come_again(browser: Browser) -> None:
    responses = [await browser.send("POST", json={"email": EMAIL, "password": f"guess number {n}"}) for n in range(12)]

    refused = responses[-1]
    assert refusal(refused) == (429, "TOO_MANY_ATTEMPTS", None)
    assert refused.json()["retryAfterSeconds"] == int(refused.headers["retry-after"])
    assert refused.json()["retryAfterSeconds"] > 0
    assert refusal(await browser.log_in())[:2] == (429, "TOO_MANY_ATTEMPTS")


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"{", "the body is not valid JSON"),
        (b"\xff", "the body is not valid JSON"),
        (b"[]", 'the body must be {"email": "...", "password": "..."}'),
        (b'{"email": "a", "password": 1}', 'the body must be {"email": "...", "password": "..."}'),
        (b"x" * 8_193, "the body may have at most 8,192 bytes"),
    ],
    ids=["cut", "no text", "list", "number", "long"],
)
async def test_body_without_credentials(script: Script, content: bytes, detail: str) -> None:
    response = await Browser(script.gateway).send("POST", content=content)

    assert refusal(response) == (400, "INVALID_ARGUMENT", None)
    assert response.json()["detail"] == detail
    assert script.auth.calls == {}


async def test_body_that_does_not_announce_its_size_is_bounded_too(script: Script) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 1_000

    response = await Browser(script.gateway).send("POST", content=pieces())

    assert refusal(response) == (400, "INVALID_ARGUMENT", None)
    assert response.json()["detail"] == "the body may have at most 8,192 bytes"


async def test_auth_hears_where_the_log_in_came_from(script: Script) -> None:
    session = Session(access_token="a", refresh_token="r")
    session.refresh_token_expires_at.FromDatetime(SystemClock().now() + timedelta(seconds=90))
    script.auth.answers["LogIn"] = pb.LogInResponse(session=session, user=User(id="1", role=ROLE_HR))

    response = await Browser(script.gateway).log_in(key="key-of-the-log-in")

    request = script.auth.requests[-1]
    assert isinstance(request, pb.LogInRequest)
    assert (request.client_address, request.idempotency_key) == ("127.0.0.1", "key-of-the-log-in")
    assert re.search(r"Max-Age=(89|90);", response.headers["set-cookie"])
    assert response.json()["user"]["role"] == "HR"


async def test_dead_auth_takes_no_cookie_away(script: Script) -> None:
    await script.auth.stop()
    browser = Browser(script.gateway, "good-as-far-as-we-know")

    for response in (await browser.refresh(), await browser.log_out(), await browser.log_in()):
        assert refusal(response) == (503, "UNAVAILABLE", None)
        assert response.json()["detail"] == "a part of the system cannot be reached just now; try again in a moment"


async def test_refresh_that_still_runs_takes_no_cookie_away(script: Script) -> None:
    script.auth.answers["RefreshSession"] = IdempotencyInProgress("the first request is still running; try again")

    response = await Browser(script.gateway, "good-as-far-as-we-know").refresh()

    assert refusal(response) == (409, "IDEMPOTENCY_IN_PROGRESS", None)
    assert (response.headers["retry-after"], response.json()["retryAfterSeconds"]) == ("1", 1)


async def test_role_that_was_taken_away_is_null_and_the_session_goes_on(
    front: tuple[Stack, RunningGateway, Person],
) -> None:
    stack, gateway, admin = front
    bob = await stack.join(gateway, admin, "bob@example.com")
    browser = Browser(gateway, bob.refresh_token)

    await gateway.mutate("setUserRole", "user { id }", token=admin.token, userId=bob.id, expectedVersion=2, role=None)
    response = await browser.refresh()

    assert response.json()["user"] == {
        "id": bob.id,
        "version": 3,
        "email": "bob@example.com",
        "displayName": "bob",
        "role": None,
    }
    assert (await browser.refresh()).status_code == 200


async def test_deactivated_person_is_out(front: tuple[Stack, RunningGateway, Person]) -> None:
    stack, gateway, admin = front
    bob = await stack.join(gateway, admin, "bob@example.com")
    browser = Browser(gateway, bob.refresh_token)

    await gateway.mutate("deactivateUser", "user { id }", token=admin.token, userId=bob.id, expectedVersion=2)
    refreshed = await browser.refresh()
    entered = await browser.send("POST", json={"email": "bob@example.com", "password": PASSWORD})

    assert refusal(refreshed) == (401, "SESSION_REVOKED", DELETED)
    assert refusal(entered) == (409, "USER_DEACTIVATED", None)


async def test_cookie_is_no_key_to_anything_else(front: tuple[Stack, RunningGateway, Person], browser: Browser) -> None:
    _, gateway, _ = front
    await browser.log_in()

    response = await gateway.post("{ me { id } }", cookie=f"aiops_refresh={browser.cookie}", x_aiops_csrf="1")

    assert response.status_code == 401
