"""Who is at the other end: tokens of people and machines, and what a stranger may ask."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1.user_pb2 import USER_STATUS_ACTIVE, User
from chassis.clock import SystemClock
from chassis.errors import ErrorKind, RemoteError, Unauthenticated, Unavailable
from chassis.identity import sign_access_token
from gateway.testing.stack import Script, Stack

ME = "{ me { id displayName } }"
API_TOKEN = "aiops_0123456789abcdef"


def exchange(script: Script, *, seconds: float = 60) -> pb.ExchangeApiTokenResponse:
    response = pb.ExchangeApiTokenResponse(access_token=script.token(seconds=seconds, kind="service_account"))
    response.access_token_expires_at.FromDatetime(SystemClock().now() + timedelta(seconds=seconds))
    return response


async def test_stranger_may_not_read(script: Script) -> None:
    response = await script.gateway.post(ME)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert error["message"] == "log in first, then send the access token as Authorization: Bearer <token>"
    assert script.gateway.rpcs() == {}


@pytest.mark.parametrize(
    "document",
    [
        "{ ...F } fragment F on Query { me { id } }",
        "{ __typename ... { users { nodes { id } } } }",
        "{ x: me { id } }",
        "{ _entities(representations: []) { __typename } }",
        "{ _service { sdl } }",
        'mutation { logOut(input: {refreshToken: "a"}) { __typename } inviteUser(input: {email: "c"}) { __typename } }',
    ],
)
async def test_stranger_finds_no_way_around(script: Script, document: str) -> None:
    response = await script.gateway.post(document)

    assert response.status_code == 401
    assert script.gateway.rpcs() == {}


async def test_wrong_token_is_refused_even_where_none_is_needed(script: Script) -> None:
    expired = script.token(seconds=-1)
    foreign = sign_access_token(Ed25519PrivateKey.generate(), "test", {"sub": "x"})

    for authorization in (f"Bearer {expired}", f"Bearer {foreign}", "Bearer x", "Bearer", "Basic YTpi", expired):
        response = await script.gateway.post("{ __typename }", authorization=authorization)

        (error,) = response.json()["errors"]
        assert (response.status_code, error["extensions"]["code"]) == (401, "UNAUTHENTICATED")
        assert expired not in response.text
        assert "data" not in response.json()


async def test_viewers_token_goes_along_to_the_service(script: Script) -> None:
    script.auth.answers["GetMe"] = pb.GetMeResponse(user=User(id="1", display_name="Ada", status=USER_STATUS_ACTIVE))

    assert await script.gateway.data(ME, token=script.token()) == {"me": {"id": "1", "displayName": "Ada"}}


async def test_api_token_is_traded_once_for_many_requests(script: Script) -> None:
    script.auth.answers["ExchangeApiToken"] = exchange(script)

    for _ in range(3):
        await script.gateway.data("{ _service { __typename } }", token=API_TOKEN)

    assert script.auth.calls["ExchangeApiToken"] == 1


async def test_api_token_is_traded_again_ten_seconds_before_the_end(script: Script) -> None:
    script.auth.answers["ExchangeApiToken"] = exchange(script, seconds=9)

    for _ in range(2):
        await script.gateway.data("{ _service { __typename } }", token=API_TOKEN)

    assert script.auth.calls["ExchangeApiToken"] == 2


async def test_refused_api_token_is_401_and_never_repeated(script: Script) -> None:
    script.auth.answers["ExchangeApiToken"] = RemoteError(
        ErrorKind.UNAUTHENTICATED, "API_TOKEN_INVALID", "this API token is unknown", {}
    )

    response = await script.gateway.post(ME, token=API_TOKEN)

    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "API_TOKEN_INVALID"
    assert API_TOKEN not in response.text


async def test_auth_that_is_away_is_503_for_machines(script: Script) -> None:
    script.auth.answers["ExchangeApiToken"] = Unavailable(dependency="postgres")

    response = await script.gateway.post(ME, token=API_TOKEN)

    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert "postgres" not in response.text


async def test_service_that_finds_the_token_expired_is_a_top_level_error(script: Script) -> None:
    script.logs.answers["SummarizeLog"] = Unauthenticated()

    body = await script.gateway.ask(
        'mutation { summarizeLog(input: {name: "a", text: "b"}) { __typename } }', token=script.token()
    )

    (error,) = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["summarizeLog"], "UNAUTHENTICATED")


async def test_real_sign_up_log_in_refresh_and_log_out(stack: Stack) -> None:
    async with stack.gateway(environment="production", documents="any") as gateway:
        admin = await stack.admin(gateway)

        refreshed = await gateway.mutate(
            "refresh", "session { accessToken } user { role }", refreshToken=admin.refresh_token
        )
        again = await gateway.mutate("refresh", "session { accessToken }", refreshToken=admin.refresh_token)
        unknown = await gateway.mutate("refresh", "session { accessToken }", refreshToken="never heard of")
        me = await gateway.data("{ me { email role } }", token=refreshed["session"]["accessToken"])
        gone = await gateway.mutate("logOut", "loggedOut", refreshToken=admin.refresh_token)

        assert refreshed["user"] == {"role": "ADMIN"}
        assert (again["__typename"], again["code"]) == ("VersionConflict", "VERSION_CONFLICT")
        assert (unknown["__typename"], unknown["code"]) == ("AuthenticationError", "UNAUTHENTICATED")
        assert gone == {"__typename": "LogOutSuccess", "loggedOut": True}
        assert me == {"me": {"email": "ada@example.com", "role": "ADMIN"}}


async def test_real_machine_pushes_logs_and_reads_nothing(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        made = await gateway.mutate(
            "createApiToken",
            "token apiToken { id version prefix scopes }",
            token=admin.token,
            serviceAccountName="fluent-bit",
            scopes=["logs:write"],
        )

        pushed = await gateway.mutate(
            "summarizeLog",
            "log { id state createdByActor { kind } createdBy { id } }",
            token=made["token"],
            name="a.log",
            text="INFO started",
        )
        body = await gateway.ask("{ logs { nodes { id } } }", token=made["token"])
        revoked = await gateway.mutate(
            "revokeApiToken",
            "apiToken { revokedAt }",
            token=admin.token,
            apiTokenId=made["apiToken"]["id"],
            expectedVersion=made["apiToken"]["version"],
        )

        assert made["apiToken"]["scopes"] == ["logs:write"]
        assert made["token"].startswith(made["apiToken"]["prefix"])
        assert pushed["log"]["createdByActor"] == {"kind": "SERVICE_ACCOUNT"}
        assert pushed["log"]["createdBy"] is None
        assert (body["data"], body["errors"][0]["extensions"]["code"]) == ({"logs": None}, "FORBIDDEN")
        assert revoked["apiToken"]["revokedAt"] is not None
