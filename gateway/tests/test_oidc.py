"""The door to the OpenID provider and back: what the browser is told, given and made to forget."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.user_pb2 import Session, User
from chassis.clock import SystemClock
from chassis.errors import DomainError, ErrorKind, RemoteError, Unavailable
from gateway.testing.stack import Script

StartScript = Callable[..., AbstractAsyncContextManager[Script]]

PUBLIC = "https://aiops.example.com"
AT_PROVIDER = "https://id.example.com/authorize?state=s-1"
LEFT_MINUTES = timedelta(minutes=10)


def answer_begun() -> pb.BeginSignInResponse:
    begun = pb.BeginSignInResponse(authorization_url=AT_PROVIDER, browser_secret="of-this-browser")
    begun.expires_at.FromDatetime(SystemClock().now() + LEFT_MINUTES)
    return begun


def answer_done() -> pb.CompleteSignInResponse:
    session = Session(refresh_token="refresh-1", access_token="access-1")
    session.refresh_token_expires_at.FromDatetime(SystemClock().now() + timedelta(hours=12))
    return pb.CompleteSignInResponse(session=session, user=User(id="u-1"), next_path="/logs?status=open")


def refused(kind: ErrorKind, reason: str) -> DomainError:
    return RemoteError(kind, reason, "no", {})


@pytest_asyncio.fixture
async def script(start_script: StartScript) -> AsyncIterator[Script]:
    async with start_script(public_url=PUBLIC) as running:
        yield running


async def ask(script: Script, path: str, *, cookie: str = "", method: str = "GET", body: bytes = b"") -> httpx.Response:
    headers = {"cookie": cookie} if cookie else {}
    response = await script.gateway.client.request(
        method, f"{script.gateway.url}/v1/session/oidc{path}", headers=headers, content=body, follow_redirects=False
    )
    script.gateway.client.cookies.clear()
    return response


async def test_the_log_in_page_learns_the_providers_name(script: Script) -> None:
    script.auth.answers["GetSignInProvider"] = pb.GetSignInProviderResponse(name="Example Inc.")

    assert (await ask(script, "")).json() == {"name": "Example Inc."}


async def test_without_an_address_of_its_own_there_is_no_provider(start_script: StartScript) -> None:
    async with start_script() as script:
        script.auth.answers["GetSignInProvider"] = pb.GetSignInProviderResponse(name="Example Inc.")

        assert (await ask(script, "")).json() == {"name": None}
        assert (await ask(script, "/start")).headers["location"] == "/login?refused=SIGN_IN_NOT_SET_UP"


async def test_the_browser_goes_to_the_provider_with_a_secret_of_ten_minutes(script: Script) -> None:
    script.auth.answers["BeginSignIn"] = answer_begun()

    response = await ask(script, "/start?next=/logs%3Fstatus%3Dopen")

    assert (response.status_code, response.headers["location"]) == (303, AT_PROVIDER)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-aiops_sign_in=of-this-browser; ")
    kept = set(cookie.split("; ")[1:])
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} < kept
    assert kept & {"Max-Age=600", "Max-Age=599"}
    assert (response.headers["cache-control"], response.headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_the_way_back_gives_the_session_cookie_and_forgets_the_secret(script: Script) -> None:
    script.auth.answers["CompleteSignIn"] = answer_done()

    response = await ask(script, "/callback?state=s-1&code=c-1", cookie="__Host-aiops_sign_in=of-this-browser")

    assert (response.status_code, response.headers["location"]) == (303, "/logs?status=open")
    session, forgotten = response.headers.get_list("set-cookie")
    assert session.startswith("aiops_refresh=refresh-1; HttpOnly; ")
    assert "Path=/v1/session; SameSite=strict; Secure" in session
    assert forgotten.startswith('__Host-aiops_sign_in=""; HttpOnly; Max-Age=0; ')
    assert "access-1" not in response.text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused(ErrorKind.UNAUTHENTICATED, "SIGN_IN_EXPIRED"), "SIGN_IN_EXPIRED"),
        (refused(ErrorKind.FORBIDDEN, "NO_ROLE_FOR_GROUPS"), "NO_ROLE_FOR_GROUPS"),
        (Unavailable(dependency="provider"), "UNAVAILABLE"),
    ],
)
async def test_a_refusal_leads_to_the_log_in_page_without_a_session(
    script: Script, error: DomainError, reason: str
) -> None:
    script.auth.answers["CompleteSignIn"] = error

    response = await ask(script, "/callback?state=s-1&code=c-1", cookie="__Host-aiops_sign_in=of-this-browser")

    assert (response.status_code, response.headers["location"]) == (303, f"/login?refused={reason}")
    assert "aiops_refresh" not in response.headers["set-cookie"]


async def test_what_the_provider_says_of_an_error_is_not_repeated(script: Script) -> None:
    response = await ask(script, "/callback?error=%3Cscript%3E&state=s-1")

    assert response.headers["location"] == "/login?refused=SIGN_IN_REJECTED"
    assert script.gateway.rpcs().get("CompleteSignIn", 0) == 0


async def test_a_logout_token_is_handed_on(script: Script) -> None:
    script.auth.answers["EndProviderSessions"] = pb.EndProviderSessionsResponse(ended=1)

    response = await ask(script, "/logout", method="POST", body=b"logout_token=a.b.c")

    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("body", [b"", b"logout_token=", b"logout_token=a&logout_token=b", b"\xff", b"x" * 80_000])
async def test_a_logout_without_one_token_is_refused(script: Script, body: bytes) -> None:
    response = await ask(script, "/logout", method="POST", body=body)

    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})
    assert script.gateway.rpcs().get("EndProviderSessions", 0) == 0


async def test_a_logout_token_that_is_no_good_is_refused_as_the_standard_says(script: Script) -> None:
    script.auth.answers["EndProviderSessions"] = refused(ErrorKind.INVALID, "LOGOUT_TOKEN_INVALID")

    response = await ask(script, "/logout", method="POST", body=b"logout_token=a.b.c")

    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})
