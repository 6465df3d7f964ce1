"""Sign-in through a provider on this machine: who comes in, as whom, and what ends it."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from joserfc.jwk import RSAKey
from services.auth.tests.conftest import StartAuth
from services.auth.tests.factories import ADDRESS, ADMIN_EMAIL, OTHER_PASSWORD, PASSWORD, Auth, Person, new_key, refusal
from services.auth.tests.provider import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, LocalProvider, running_provider

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from chassis.settings import SettingsInvalid
from chassis.testing.clock import FrozenClock

GROUPS = "staff-admins=admin,on-call=ops,people=hr"
GRACE = {
    "sub": "grace-1",
    "sid": "at-the-provider-1",
    "email": "grace@example.com",
    "email_verified": True,
    "name": "Grace Hopper",
    "groups": ["on-call", "everybody"],
}


@pytest.fixture
def provider(clock: FrozenClock) -> Iterator[LocalProvider]:
    with running_provider(clock.now) as running:
        yield running


@pytest.fixture
def oidc_settings(provider: LocalProvider, tmp_path: Path) -> dict[str, Any]:
    secret = tmp_path / "client-secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    return {
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret_file": secret,
        "oidc_name": "Example Inc.",
        "oidc_roles": GROUPS,
    }


@pytest_asyncio.fixture
async def auth(start_auth: StartAuth, oidc_settings: dict[str, Any]) -> AsyncIterator[Auth]:
    async with start_auth(**oidc_settings) as running:
        yield running


async def begin(auth: Auth, next_path: str = "/logs?status=open") -> pb.BeginSignInResponse:
    request = pb.BeginSignInRequest(
        idempotency_key=new_key(), redirect_uri=REDIRECT_URI, next_path=next_path, client_address=ADDRESS
    )
    response = await auth.call("BeginSignIn", request)
    assert isinstance(response, pb.BeginSignInResponse)
    return response


async def complete(auth: Auth, browser_secret: str, back: dict[str, str], key: str = "") -> pb.CompleteSignInResponse:
    request = pb.CompleteSignInRequest(
        idempotency_key=key or new_key(),
        state=back["state"],
        code=back["code"],
        issuer=back.get("iss", ""),
        browser_secret=browser_secret,
        client_address=ADDRESS,
    )
    response = await auth.call("CompleteSignIn", request)
    assert isinstance(response, pb.CompleteSignInResponse)
    return response


async def signed_in(auth: Auth, provider: LocalProvider, **claims: Any) -> pb.CompleteSignInResponse:
    begun = await begin(auth)
    return await complete(
        auth, begun.browser_secret, provider.authorize(begun.authorization_url, **{**GRACE, **claims})
    )


def person(answer: pb.CompleteSignInResponse) -> Person:
    return Person(answer.user, answer.session, "")


async def end_sessions(auth: Auth, token: str) -> int:
    request = pb.EndProviderSessionsRequest(idempotency_key=new_key(), logout_token=token)
    return int((await auth.call("EndProviderSessions", request)).ended)


async def test_a_newcomer_gets_an_account_with_the_role_of_his_groups(auth: Auth, provider: LocalProvider) -> None:
    answer = await signed_in(auth, provider)

    assert (answer.user.email, answer.user.display_name) == ("grace@example.com", "Grace Hopper")
    assert (answer.user.role, answer.user.status) == (user_pb2.ROLE_OPS, user_pb2.USER_STATUS_ACTIVE)
    assert answer.next_path == "/logs?status=open"
    assert (await auth.me(person(answer))).id == answer.user.id
    assert (await auth.refresh(answer.session.refresh_token)).user.id == answer.user.id
    assert auth.audit() == ["user.signed_up", "user.linked", "log_in.succeeded"]
    assert auth.rows("passwords") == []


async def test_the_provider_is_asked_for_a_code_of_this_browser_alone(auth: Auth, provider: LocalProvider) -> None:
    begun = await begin(auth)

    asked = dict(parse_qsl(urlsplit(begun.authorization_url).query))
    await complete(auth, begun.browser_secret, provider.authorize(begun.authorization_url, **GRACE))

    assert {name: asked[name] for name in ("tenant", "response_type", "client_id", "redirect_uri", "scope")} == {
        "tenant": "1",
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid email profile",
    }
    assert begun.expires_at.seconds == int(auth.clock.now().timestamp()) + 600
    assert provider.exchanges[0]["basic"] == "aiops-here:a+secret+%26+of+ours"
    assert len(provider.exchanges[0]["code_verifier"]) == 43


async def test_nothing_that_opens_a_door_or_names_a_subject_is_stored(auth: Auth, provider: LocalProvider) -> None:
    begun = await begin(auth)
    back = provider.authorize(begun.authorization_url, **GRACE)
    before = auth.dump()
    await complete(auth, begun.browser_secret, back)

    for secret in (begun.browser_secret, back["state"], back["code"], "grace-1", "at-the-provider-1"):
        assert secret not in before
        assert secret not in auth.dump()


async def test_a_session_of_the_provider_lasts_as_long_as_set(
    start_auth: StartAuth, oidc_settings: dict[str, Any], provider: LocalProvider
) -> None:
    async with start_auth(**oidc_settings, oidc_session_hours=8) as auth:
        answer = await signed_in(auth, provider)

    assert answer.session.refresh_token_expires_at.seconds == int(auth.clock.now().timestamp()) + 8 * 3600


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_each_kind_of_key_is_taken(auth: Auth, provider: LocalProvider, algorithm: str) -> None:
    provider.algorithm = algorithm

    assert (await signed_in(auth, provider)).user.role == user_pb2.ROLE_OPS


async def test_the_role_follows_the_groups_at_each_sign_in(auth: Auth, provider: LocalProvider) -> None:
    first = await signed_in(auth, provider, groups=["people", "on-call"])
    second = await signed_in(auth, provider, groups=["people"])
    third = await signed_in(auth, provider, groups="staff-admins")

    assert {each.user.id for each in (first, second, third)} == {first.user.id}
    roles = [(each.user.role, each.user.version) for each in (first, second, third)]
    assert roles == [(user_pb2.ROLE_OPS, 1), (user_pb2.ROLE_HR, 2), (user_pb2.ROLE_ADMIN, 3)]
    assert [row["event"] for row in auth.rows("user_changes")] == ["UserSignedUp", "UserRoleSet", "UserRoleSet"]
    assert auth.audit().count("user.role_set") == 2


async def test_the_last_admin_is_not_made_less(auth: Auth, provider: LocalProvider) -> None:
    await signed_in(auth, provider, groups=["staff-admins"])
    before = auth.snapshot()

    with refusal("LAST_ADMIN"):
        await signed_in(auth, provider, groups=["on-call"])

    assert auth.rows("users") == before["users"]
    assert auth.rows("sessions") == before["sessions"]


async def test_whoever_loses_his_groups_loses_access_and_gets_it_back_with_them(
    auth: Auth, provider: LocalProvider
) -> None:
    answer = await signed_in(auth, provider)

    with refusal("NO_ROLE_FOR_GROUPS"):
        await signed_in(auth, provider, groups=["everybody"])

    (user,) = auth.rows("users")
    assert user["status"] == "deactivated"
    with refusal("SESSION_REVOKED"):
        await auth.refresh(answer.session.refresh_token)
    assert [row["revocation_cause"] for row in auth.rows("sessions")] == ["user_deactivated"]
    assert auth.audit()[-3:] == ["log_in.failed", "user.deactivated", "session.revoked"]

    back = await signed_in(auth, provider, groups=["people"])

    assert (back.user.id, back.user.role) == (answer.user.id, user_pb2.ROLE_HR)
    assert back.user.status == user_pb2.USER_STATUS_ACTIVE


async def test_a_stranger_without_a_group_leaves_nothing_but_a_note(auth: Auth, provider: LocalProvider) -> None:
    with refusal("NO_ROLE_FOR_GROUPS"):
        await signed_in(auth, provider, groups=[])

    assert (auth.rows("users"), auth.rows("identities"), auth.rows("sessions")) == ([], [], [])
    assert auth.audit() == ["log_in.failed"]


async def test_an_account_that_an_admin_closed_stays_closed(auth: Auth, provider: LocalProvider) -> None:
    admin = await auth.first_admin()
    answer = await signed_in(auth, provider)
    await auth.deactivate(admin, answer.user.id, 1)

    with refusal("USER_DEACTIVATED"):
        await signed_in(auth, provider)

    assert [row["revoked_at"] is None for row in auth.rows("sessions")] == [True, False]


async def test_a_verified_address_takes_over_its_account_once(auth: Auth, provider: LocalProvider) -> None:
    admin = await auth.first_admin()
    invited = await auth.invite(admin, "grace@example.com", user_pb2.ROLE_HR)

    own = await signed_in(auth, provider)
    again = await signed_in(auth, provider, email="elsewhere@example.com", email_verified=False)

    assert (own.user.id, own.user.role) == (invited.user.id, user_pb2.ROLE_OPS)
    assert again.user.id == own.user.id
    assert again.user.email == "grace@example.com"
    with refusal("EMAIL_TAKEN"):
        await signed_in(auth, provider, sub="another-grace")
    with refusal("INVITATION_INVALID"):
        await auth.sign_up("grace@example.com", invitation_token=invited.invitation_token)


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": None}, {"email": "no address"}])
@pytest.mark.parametrize("email", [ADMIN_EMAIL, "nobody@example.com"])
async def test_an_address_that_nobody_vouches_for_takes_over_nothing(
    auth: Auth, provider: LocalProvider, claims: dict[str, Any], email: str
) -> None:
    await auth.first_admin()
    before = auth.snapshot()

    with refusal("EMAIL_UNVERIFIED"):
        await signed_in(auth, provider, **{"email": email, "groups": ["staff-admins"], **claims})

    assert auth.snapshot() == {**before, "idempotency_keys": auth.rows("idempotency_keys")}
    assert auth.rows("identities") == []


async def test_a_linked_account_without_a_group_keeps_its_password_only(auth: Auth, provider: LocalProvider) -> None:
    admin = await auth.first_admin()
    joined = await auth.joined(admin, "grace@example.com")
    await signed_in(auth, provider)

    with refusal("NO_ROLE_FOR_GROUPS"):
        await signed_in(auth, provider, groups=[])

    assert (await auth.logged_in("grace@example.com")).user.id == joined.user.id
    assert [row["revoked_at"] is None for row in auth.rows("sessions")] == [True, True, False, True]


async def test_people_of_the_provider_have_no_password_here(auth: Auth, provider: LocalProvider) -> None:
    answer = await signed_in(auth, provider)
    request = pb.ChangePasswordRequest(
        idempotency_key=new_key(), expected_version=1, current_password=PASSWORD, new_password=OTHER_PASSWORD
    )

    with refusal("PASSWORD_NOT_HERE"):
        await auth.call("ChangePassword", request, token=answer.session.access_token)
    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in("grace@example.com", "")

    assert auth.rows("passwords") == []


async def test_a_repeated_request_gets_the_same_session(auth: Auth, provider: LocalProvider) -> None:
    begun, key = await begin(auth), new_key()
    back = provider.authorize(begun.authorization_url, **GRACE)

    first = await complete(auth, begun.browser_secret, back, key)
    second = await complete(auth, begun.browser_secret, back, key)

    assert second == first
    assert len(auth.rows("sessions")) == 1


async def test_without_a_provider_there_is_no_sign_in(start_auth: StartAuth) -> None:
    async with start_auth() as auth:
        assert (await auth.call("GetSignInProvider", pb.GetSignInProviderRequest())).name == ""
        with refusal("SIGN_IN_NOT_SET_UP"):
            await begin(auth)
        with refusal("SIGN_IN_NOT_SET_UP"):
            await end_sessions(auth, "a.b.c")


async def test_passwords_go_on_while_the_provider_is_away(auth: Auth, provider: LocalProvider) -> None:
    provider.away = True
    await auth.first_admin()

    assert (await auth.call("GetSignInProvider", pb.GetSignInProviderRequest())).name == "Example Inc."
    with refusal("UNAVAILABLE"):
        await begin(auth)
    assert (await auth.logged_in(ADMIN_EMAIL)).user.role == user_pb2.ROLE_ADMIN

    provider.away = False
    assert (await signed_in(auth, provider)).user.role == user_pb2.ROLE_OPS
    provider.away = True
    auth.clock.advance(timedelta(hours=1))
    assert (await begin(auth)).authorization_url.startswith(f"{provider.url}/authorize")


async def test_a_key_that_the_provider_has_just_taken_up_is_found(auth: Auth, provider: LocalProvider) -> None:
    await signed_in(auth, provider)
    provider.keys["RS256"] = RSAKey.generate_key(2048, {"kid": "rsa-2", "use": "sig"})
    auth.clock.advance(timedelta(seconds=10))

    assert (await signed_in(auth, provider)).user.version == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_issuer": "http://id.example.com"},
        {"oidc_client_id": ""},
        {"oidc_roles": ""},
        {"oidc_roles": "on-call=root"},
        {"oidc_roles": "on-call=ops,on-call=hr"},
        {"oidc_scopes": "email"},
        {"oidc_client_secret_file": Path("/nowhere/secret")},
    ],
)
async def test_settings_that_cannot_work_are_named_at_start(
    start_auth: StartAuth, oidc_settings: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, SettingsInvalid), match=r"(?i)oidc"):
        async with start_auth(**{**oidc_settings, **wrong}):
            pass


async def test_an_erased_person_is_no_one_at_the_provider_any_more(auth: Auth, provider: LocalProvider) -> None:
    await signed_in(auth, provider)
    before = [str(row["user_id"]) for row in auth.rows("identities")]

    assert len(before) == 1
    assert len(auth.rows("provider_sessions")) == 1
