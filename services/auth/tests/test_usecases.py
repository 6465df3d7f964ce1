"""Accounts: who gets one, with which role, and who may change that; also when two try at once."""

import asyncio
import stat
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from services.auth.tests.conftest import StartAuth
from services.auth.tests.factories import ADMIN_EMAIL, Auth, for_person, refusal

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from auth_service import usecases
from auth_service.convert import fact_to_event
from auth_service.domain import DeactivateUser, Role, SetUserRole
from chassis.db import UnitOfWork
from chassis.errors import DomainError
from chassis.history.recorder import Recorder


async def test_setup_token_is_told_in_a_file_for_its_owner_alone(auth: Auth) -> None:
    token = auth.setup_token_file.read_text().strip()

    assert stat.S_IMODE(auth.setup_token_file.stat().st_mode) == 0o600
    assert len(token) == 43
    assert token not in auth.dump()


async def test_setup_token_survives_a_restart_before_its_use(start_auth: StartAuth) -> None:
    async with start_auth() as auth:
        token = auth.setup_token_file.read_text()

    async with start_auth() as auth:
        assert auth.setup_token_file.read_text() == token
        await auth.first_admin()


async def test_lost_setup_token_is_replaced_at_the_next_start(start_auth: StartAuth) -> None:
    async with start_auth() as auth:
        lost = auth.setup_token_file.read_text().strip()
        auth.setup_token_file.unlink()

    async with start_auth() as auth:
        with refusal("SETUP_TOKEN_INVALID"):
            await auth.sign_up(ADMIN_EMAIL, setup_token=lost)
        await auth.first_admin()


async def test_setup_token_is_gone_after_the_first_account(start_auth: StartAuth) -> None:
    async with start_auth() as auth:
        token = auth.setup_token_file.read_text().strip()
        await auth.first_admin()
        before = auth.snapshot()

        with refusal("SETUP_TOKEN_INVALID"):
            await auth.sign_up("second@example.com", setup_token=token)

        assert not auth.setup_token_file.exists()
        assert auth.snapshot() == before
        auth.setup_token_file.write_text(token)

    async with start_auth() as auth:
        assert not auth.setup_token_file.exists()


@pytest.mark.parametrize("token", ["", "guessed-guessed-guessed-guessed-guessed-guess"])
@pytest.mark.parametrize("signup", ["invite", "open", "closed"])
async def test_first_account_needs_the_setup_token(start_auth: StartAuth, signup: str, token: str) -> None:
    async with start_auth(signup=signup) as auth:
        before = auth.snapshot()

        with refusal("SETUP_TOKEN_INVALID"):
            await auth.sign_up(ADMIN_EMAIL, setup_token=token)

        assert auth.snapshot() == before
        assert auth.setup_token_file.exists()


async def test_of_racing_first_sign_ups_one_becomes_admin(auth: Auth) -> None:
    token = auth.setup_token_file.read_text().strip()

    answers = await asyncio.gather(
        *(auth.sign_up(f"racer{number}@example.com", setup_token=token) for number in range(8)),
        return_exceptions=True,
    )

    assert [answer.reason for answer in answers if isinstance(answer, DomainError)] == ["SETUP_TOKEN_INVALID"] * 7
    assert [(row["role"], row["status"]) for row in auth.rows("users")] == [("admin", "active")]
    assert auth.events() == [("aiops.auth.user.signed_up.v1", 1)]


async def test_invited_person_signs_up_with_the_role_of_the_invitation(auth: Auth) -> None:
    admin = await auth.first_admin()
    invited = await auth.invite(admin, "Bob@example.com", user_pb2.ROLE_HR)

    user = await auth.sign_up("bob@EXAMPLE.com", invitation_token=invited.invitation_token, display_name="Bob")

    assert (invited.user.status, invited.user.version) == (user_pb2.USER_STATUS_INVITED, 1)
    assert (user.id, user.version, user.display_name) == (invited.user.id, 2, "Bob")
    assert (user.role, user.status) == (user_pb2.ROLE_HR, user_pb2.USER_STATUS_ACTIVE)
    assert user.email == "Bob@example.com"


@pytest.mark.parametrize("how", ["used", "expired", "unknown", "for another address", "replaced", "deactivated"])
async def test_bad_invitation_is_refused(auth: Auth, how: str) -> None:
    admin = await auth.first_admin()
    invited = await auth.invite(admin, "bob@example.com")
    email, token = "bob@example.com", invited.invitation_token
    match how:
        case "used":
            await auth.sign_up(email, invitation_token=token)
        case "expired":
            auth.clock.advance(timedelta(days=7))
        case "unknown":
            token = "never-given"
        case "for another address":
            email = "eve@example.com"
        case "replaced":
            await auth.invite(admin, email)
        case _:
            await auth.deactivate(admin, invited.user.id, 1)
    before = auth.snapshot()

    with refusal("INVITATION_INVALID"):
        await auth.sign_up(email, invitation_token=token)

    assert auth.snapshot() == before


async def test_second_invitation_replaces_the_first_and_changes_nobody(auth: Auth) -> None:
    admin = await auth.first_admin()
    first = await auth.invite(admin, "bob@example.com")

    second = await auth.invite(admin, "bob@example.com")

    assert second.user == first.user
    assert auth.events()[1:] == [("aiops.auth.user.invited.v1", 1)]
    await auth.sign_up("bob@example.com", invitation_token=second.invitation_token)


async def test_taken_address_is_not_invited(auth: Auth) -> None:
    admin = await auth.first_admin()
    await auth.invite(admin, "bob@example.com", user_pb2.ROLE_OPS)
    before = auth.snapshot()

    for email, role in ((ADMIN_EMAIL, user_pb2.ROLE_ADMIN), ("BOB@example.com", user_pb2.ROLE_ADMIN)):
        with refusal("EMAIL_TAKEN"):
            await auth.invite(admin, email, role)

    assert auth.snapshot() == before


async def test_without_an_invitation_nobody_comes_in(auth: Auth) -> None:
    await auth.first_admin()
    before = auth.snapshot()

    with refusal("SIGN_UP_CLOSED") as caught:
        await auth.sign_up("eve@example.com")

    assert caught.value.metadata == {"signup": "invite"}
    assert auth.snapshot() == before


async def test_open_house_gives_an_account_without_a_role(start_auth: StartAuth) -> None:
    async with start_auth(signup="open") as auth:
        await auth.first_admin()

        user = await auth.sign_up("eve@example.com")
        eve = await auth.logged_in("eve@example.com")

        assert (user.role, user.display_name) == (user_pb2.ROLE_UNSPECIFIED, "eve")
        assert (await auth.me(eve)).id == user.id
        with refusal("EMAIL_TAKEN"):
            await auth.sign_up("EVE@example.com")
        with refusal("FORBIDDEN"):
            await auth.call("BatchGetUsers", pb.BatchGetUsersRequest(ids=[user.id]), token=eve.token)


async def test_closed_house_takes_no_invitation_either(start_auth: StartAuth) -> None:
    async with start_auth() as auth:
        admin = await auth.first_admin()
        invited = await auth.invite(admin, "bob@example.com")
    async with start_auth(signup="closed") as auth:
        before = auth.snapshot()

        with refusal("SIGN_UP_CLOSED"):
            await auth.sign_up("bob@example.com", invitation_token=invited.invitation_token)
        with refusal("SIGN_UP_CLOSED"):
            await auth.invite(admin, "carl@example.com")

        assert auth.snapshot() == before


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"password": "elevenchars"}, "PASSWORD_UNACCEPTABLE"),
        ({"password": "p" * 73}, "PASSWORD_UNACCEPTABLE"),
        ({"password": "é" * 37}, "PASSWORD_UNACCEPTABLE"),
        ({"email": "no-address"}, "INVALID_ARGUMENT"),
        ({"email": "a b@example.com"}, "INVALID_ARGUMENT"),
        ({"email": "two@at@example.com"}, "INVALID_ARGUMENT"),
        ({"email": "e" * 250 + "@x.de"}, "INVALID_ARGUMENT"),
        ({"display_name": "n" * 101}, "INVALID_ARGUMENT"),
        ({"display_name": "bell\a"}, "INVALID_ARGUMENT"),
    ],
)
async def test_malformed_sign_up_is_refused_and_the_setup_token_stays(
    auth: Auth, fields: dict[str, Any], reason: str
) -> None:
    before = auth.snapshot()
    token = auth.setup_token_file.read_text().strip()

    with refusal(reason):
        await auth.sign_up(**{"email": ADMIN_EMAIL, "setup_token": token, **fields})

    assert auth.snapshot() == before
    await auth.first_admin()


@pytest.mark.parametrize("password", ["p" * 12, "p" * 72, "é" * 36, "nul\0is fine here"])
async def test_passwords_at_the_limits_are_read_to_their_end(auth: Auth, password: str) -> None:
    token = auth.setup_token_file.read_text().strip()
    await auth.sign_up(ADMIN_EMAIL, setup_token=token, password=password)

    await auth.log_in(ADMIN_EMAIL, password)
    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in(ADMIN_EMAIL, password[:-1] + "X")


async def test_role_that_is_there_already_is_refused(auth: Auth) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com", user_pb2.ROLE_OPS)
    await auth.deactivate(admin, (await auth.joined(admin, "carl@example.com")).user.id, 2)
    closed = str(auth.rows("users")[2]["id"])
    before = auth.snapshot()

    with refusal("USER_STATE_UNCHANGED"):
        await auth.set_role(admin, ops.user.id, 2, user_pb2.ROLE_OPS)
    with refusal("USER_STATE_UNCHANGED"):
        await auth.deactivate(admin, closed, 3)
    with refusal("USER_DEACTIVATED"):
        await auth.set_role(admin, closed, 3, user_pb2.ROLE_HR)
    with refusal("INVALID_ARGUMENT"):
        await auth.set_role(admin, ops.user.id, 2, user_pb2.Role.ValueType(9))

    assert auth.snapshot() == before


async def test_last_admin_stays(auth: Auth) -> None:
    admin = await auth.first_admin()
    await auth.invite(admin, "second@example.com", user_pb2.ROLE_ADMIN)
    before = auth.snapshot()

    with refusal("LAST_ADMIN"):
        await auth.set_role(admin, admin.user.id, 1, user_pb2.ROLE_OPS)
    with refusal("LAST_ADMIN"):
        await auth.deactivate(admin, admin.user.id, 1)

    assert auth.snapshot() == before


@pytest.mark.parametrize("second_step", ["resigns", "closes the account", "demotes the first"])
async def test_two_admins_at_once_leave_one(auth: Auth, recorder: Recorder, second_step: str) -> None:
    first = await auth.first_admin()
    second = await auth.joined(first, "eve@example.com", user_pb2.ROLE_ADMIN)
    uow = UnitOfWork(auth.database, auth.clock, fact_to_event, "auth", recorder)

    async def act() -> None:
        with for_person(second):
            async with uow.begin() as tx:
                match second_step:
                    case "resigns":
                        await usecases.set_user_role(SetUserRole(UUID(second.user.id), 2, Role.OPS), tx)
                    case "closes the account":
                        await usecases.deactivate_user(DeactivateUser(UUID(second.user.id), 2), tx)
                    case _:
                        await usecases.set_user_role(SetUserRole(UUID(first.user.id), 1, Role.OPS), tx)

    with for_person(first):
        async with uow.begin() as tx:
            target, version = (second, 2) if second_step == "demotes the first" else (first, 1)
            await usecases.set_user_role(SetUserRole(UUID(target.user.id), version, Role.HR), tx)
            racing = asyncio.ensure_future(act())
            await asyncio.sleep(0.2)
            waited = not racing.done()

    with refusal("FORBIDDEN" if second_step == "demotes the first" else "LAST_ADMIN"):
        await racing
    assert waited
    assert sorted(row["role"] for row in auth.rows("users") if row["status"] == "active") == ["admin", "hr"]
