"""What a page of another site can do with a visitor's browser, cell by cell, at every door that the gateway has.

The doors are those of the application: one that nobody declared here fails. A cell is a request as some page would have
a browser send it; declared is its status and which RPC, if any, it causes.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.user_pb2 import Session, User
from chassis.clock import SystemClock
from gateway.testing.stack import Script

COOKIE = "aiops_refresh=token-of-the-victim; __Host-aiops_sign_in=secret-of-the-browser"
TYPES = ("application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x")
ORIGINS = (None, "own", "https://evil.example", "null")
SITES = (None, "same-origin", "same-site", "cross-site", "none")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Cell(NamedTuple):
    """A request, as a page has a browser send it."""

    type: str
    origin: str | None
    site: str | None
    header: str | None
    cookie: bool

    @property
    def forged(self) -> bool:
        """Whether it may come of another page than ours, or of none."""
        foreign = self.origin not in {None, "own"} or self.site not in {None, "same-origin"}
        return foreign or self.header != "1"


Outcome = tuple[int, str | None]
"""Status, and the RPC that it causes."""


class Door(NamedTuple):
    """What is sent to it, and what comes of each cell."""

    content: bytes
    outcome: Callable[[Cell], Outcome]
    query: str = ""


def at_graph(cell: Cell) -> Outcome:
    # The cookie is no key to it, and JSON is what no other site can send: nobody answers its preflight.
    return (200, "LogOut") if cell.type == "application/json" else (415, None)


def at_refresh(cell: Cell) -> Outcome:
    if cell.forged:
        return 403, None
    return (200, "RefreshSession") if cell.cookie else (401, None)


def at_end(cell: Cell) -> Outcome:
    if cell.forged:
        return 403, None
    return 204, "LogOut" if cell.cookie else None


LOG_OUT = b'{"query": "mutation { logOut(input: {refreshToken: \\"a\\"}) { __typename } }"}'
CREDENTIALS = b'{"email": "ada@example.com", "password": "correct horse battery"}'
SESSION, OIDC = "/v1/session", "/v1/session/oidc"
DOORS = {
    ("POST", "/graphql"): Door(LOG_OUT, at_graph),
    # A bearer token is what no page of another site has.
    ("POST", "/v1/logs/upload"): Door(b"a line", lambda _: (401, None)),
    ("POST", SESSION): Door(CREDENTIALS, lambda cell: (403, None) if cell.forged else (200, "LogIn")),
    ("POST", f"{SESSION}/refresh"): Door(b"", at_refresh),
    ("DELETE", SESSION): Door(b"", at_end),
    # Browsers come here from other sites. What holds is the secret in the cookie, which auth checks.
    ("GET", OIDC): Door(b"", lambda _: (200, "GetSignInProvider")),
    ("GET", f"{OIDC}/start"): Door(b"", lambda _: (303, "BeginSignIn")),
    ("GET", f"{OIDC}/callback"): Door(b"", lambda _: (303, "CompleteSignIn"), "?state=s&code=c"),
    # The provider itself posts a token that it signed; no cookie is read.
    ("POST", f"{OIDC}/logout"): Door(b"logout_token=a.b.c", lambda _: (200, "EndProviderSessions")),
}


def cells() -> Iterator[Cell]:
    yield from (Cell(*each) for each in product(TYPES, ORIGINS, SITES, (None, "1"), (False, True)))


def answer_all(script: Script) -> None:
    session = Session(refresh_token="refresh-1", access_token="access-1")
    session.refresh_token_expires_at.FromDatetime(SystemClock().now() + timedelta(hours=12))
    user = User(id="u-1")
    begun = pb.BeginSignInResponse(authorization_url="https://id.example.com/authorize", browser_secret="s")
    begun.expires_at.FromDatetime(SystemClock().now() + timedelta(minutes=10))
    script.auth.answers |= {
        "LogIn": pb.LogInResponse(session=session, user=user),
        "RefreshSession": pb.RefreshSessionResponse(session=session, user=user),
        "LogOut": pb.LogOutResponse(),
        "GetSignInProvider": pb.GetSignInProviderResponse(name="Example Inc."),
        "BeginSignIn": begun,
        "CompleteSignIn": pb.CompleteSignInResponse(session=session, user=user, next_path="/"),
        "EndProviderSessions": pb.EndProviderSessionsResponse(ended=1),
    }


def calls(script: Script) -> dict[str, int]:
    services = (script.auth, script.logs, script.tickets, script.changelog, script.ai)
    every = {name: count for service in services for name, count in service.calls.items()}
    return {name: count for name, count in every.items() if name != "ListRevocations"}


async def sent(script: Script, method: str, path: str, cell: Cell, content: bytes = b"") -> httpx.Response:
    given = {
        "content-type": cell.type,
        "origin": script.gateway.url if cell.origin == "own" else cell.origin,
        "sec-fetch-site": cell.site,
        "x-aiops-csrf": cell.header,
        "cookie": COOKIE if cell.cookie else None,
    }
    headers = {name: value for name, value in given.items() if value is not None}
    response = await script.gateway.client.request(
        method, script.gateway.url + path, content=content, headers=headers, follow_redirects=False
    )
    script.gateway.client.cookies.clear()
    return response


async def differing(script: Script, method: str, path: str, door: Door) -> dict[Cell, tuple[Outcome, Outcome]]:
    """The cells that are not as declared."""
    found = {}
    for cell in cells():
        before = calls(script)
        response = await sent(script, method, path + door.query, cell, door.content)
        caused = [name for name, count in calls(script).items() if count != before.get(name, 0)]
        outcome = (response.status_code, caused[0] if caused else None)
        if outcome != door.outcome(cell) or len(caused) > 1:
            found[cell] = (outcome, door.outcome(cell))
        assert not [name for name in response.headers if name.startswith("access-control-")], (path, cell)
        if response.status_code == 403:
            assert "set-cookie" not in response.headers, (path, cell)
    return found


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"public_url": "https://aiops.example.com", "anonymous_rate": 0, "person_rate": 0}


async def test_each_door_is_declared(start_script: Any, settings: dict[str, Any]) -> None:
    async with start_script(**settings) as script:
        routes = script.gateway.gateway.app.router.routes
        found = {(method, route.path) for route in routes for method in getattr(route, "methods", None) or ()}
        sockets = [route.path for route in routes if isinstance(route, WebSocketRoute)]

    assert found == set(DOORS)
    assert sockets == ["/graphql"]
    assert len(routes) == len(found) + len(sockets)


async def test_each_cell_is_as_declared(start_script: Any, settings: dict[str, Any]) -> None:
    async with start_script(**settings) as script:
        answer_all(script)
        found = {key: differs for key, door in DOORS.items() if (differs := await differing(script, *key, door))}

    assert len(list(cells())) * len(DOORS) == 2_880
    assert found == {}


async def test_other_methods_do_nothing_at_any_door(start_script: Any, settings: dict[str, Any]) -> None:
    statuses = set()
    async with start_script(**settings) as script:
        for path in {path for _, path in DOORS}:
            for method in METHODS:
                if (method, path) not in DOORS:
                    cell = Cell("application/json", "own", "same-origin", "1", cookie=True)
                    statuses.add((await sent(script, method, path, cell)).status_code)
        caused = calls(script)

    assert statuses == {405}
    assert caused == {}


async def test_the_way_back_is_worth_nothing_without_the_secret_of_its_browser(
    start_script: Any, settings: dict[str, Any]
) -> None:
    secrets = []
    async with start_script(**settings) as script:
        answer_all(script)
        for cookie in (False, True):
            cell = Cell("text/plain", None, "cross-site", None, cookie)
            await sent(script, "GET", f"{OIDC}/callback?state=s&code=c", cell)
            secrets.append(script.auth.requests[-1].browser_secret)

    assert secrets == ["", "secret-of-the-browser"]


@pytest.mark.parametrize("site", SITES)
async def test_a_socket_is_opened_for_our_own_pages_and_programs(
    start_script: Any, settings: dict[str, Any], site: str | None
) -> None:
    statuses = {}
    async with start_script(**settings) as script:
        for origin in ORIGINS:
            given = script.gateway.url if origin == "own" else origin
            headers = {"cookie": COOKIE, **({"sec-fetch-site": site} if site else {})}
            try:
                async with connect(
                    script.gateway.websocket_url,
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                    origin=Origin(given) if given else None,
                    additional_headers=headers,
                ) as socket:
                    await socket.send('{"type": "connection_init"}')
                    await socket.wait_closed()
                    statuses[origin] = socket.close_code
            except InvalidStatus as refused:
                statuses[origin] = refused.response.status_code

    # The cookie is no key here either.
    assert statuses == {None: 4401, "own": 4401, "https://evil.example": 403, "null": 403}


@pytest.mark.parametrize(
    ("protection", "without", "key"),
    [
        ("gateway.doors.session._refuse_forged", lambda _: None, ("POST", SESSION)),
        ("gateway.doors.session.from_own_pages", lambda _: True, ("DELETE", SESSION)),
        ("gateway.doors.session.CSRF_HEADER", "host", ("POST", f"{SESSION}/refresh")),
        ("gateway.transports.http.JSON", "text/plain", ("POST", "/graphql")),
    ],
)
async def test_control_without_its_protection_a_cell_differs(
    start_script: Any,
    settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    protection: str,
    without: object,
    key: tuple[str, str],
) -> None:
    monkeypatch.setattr(protection, without)
    async with start_script(**settings) as script:
        answer_all(script)

        assert await differing(script, *key, DOORS[key]) != {}
