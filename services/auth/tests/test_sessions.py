"""Log-ins and the chain of refresh tokens: who gets a session, and who ends one."""

import asyncio
import json
import logging
import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from services.auth.tests.conftest import StartAuth
from services.auth.tests.factories import (
    ADDRESS,
    ADMIN_EMAIL,
    OTHER_PASSWORD,
    PASSWORD,
    Auth,
    for_person,
    new_key,
    refusal,
)

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from auth_service import usecases
from auth_service.convert import fact_to_event
from auth_service.credentials.passwords import PasswordHasher
from auth_service.credentials.signing import Signer
from auth_service.credentials.verification import PasswordVerification
from auth_service.domain import AccountRules, LogIn, SignUpMode
from chassis.db import UnitOfWork
from chassis.errors import DomainError
from chassis.history.recorder import Recorder
from chassis.logging import JsonFormatter
from chassis.redaction import Redactor

LONG = "p" * 73


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ADMIN_EMAIL, "not the password"),
        (ADMIN_EMAIL, ""),
        (ADMIN_EMAIL, LONG),
        ("nobody@example.com", PASSWORD),
        ("nobody@example.com", LONG),
        ("invited@example.com", PASSWORD),
        ("closed@example.com", "not the password"),
        ("no address at all", PASSWORD),
    ],
)
async def test_every_wrong_pair_is_refused_alike_after_the_same_work(
    auth: Auth, email: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await auth.first_admin()
    await auth.invite(admin, "invited@example.com")
    closed = await auth.joined(admin, "closed@example.com")
    await auth.deactivate(admin, closed.user.id, 2)
    before, audited, work = auth.snapshot(), len(auth.audit()), count_bcrypt(monkeypatch)

    with refusal("CREDENTIALS_INVALID") as caught:
        await auth.log_in(email, password)

    assert caught.value.message == "e-mail address and password do not belong together; check both and try again"
    assert caught.value.metadata == {}
    assert work == [1]
    assert auth.snapshot() == before
    assert auth.audit()[audited:] == ["log_in.failed"]


def count_bcrypt(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bcrypt runs there were, in the one item of a list."""
    counted, run = [0], PasswordHasher._run

    async def counting(self: PasswordHasher, work: object) -> object:
        counted[0] += 1
        return await run(self, work)  # type: ignore[arg-type]

    monkeypatch.setattr(PasswordHasher, "_run", counting)
    return counted


async def test_deactivated_person_is_told_so_only_with_the_right_password(auth: Auth) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com")
    await auth.deactivate(admin, ops.user.id, 2)
    before = auth.snapshot()

    with refusal("USER_DEACTIVATED"):
        await auth.log_in("bob@example.com")

    assert auth.snapshot() == before


async def test_address_is_recognised_however_it_is_spelled(auth: Auth) -> None:
    await auth.first_admin()

    answer = await auth.log_in("  ADA@Example.COM ")

    assert answer.user.email == ADMIN_EMAIL


async def test_failed_log_in_leaves_one_warning_without_the_password(
    auth: Auth, caplog: pytest.LogCaptureFixture
) -> None:
    await auth.first_admin()
    caplog.set_level(logging.WARNING, logger="auth_service")

    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in(ADMIN_EMAIL, OTHER_PASSWORD)
    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in(OTHER_PASSWORD, OTHER_PASSWORD, address="not an address")

    warnings = [record for record in caplog.records if record.name.startswith("auth_service")]
    assert [record.getMessage() for record in warnings] == [
        f"log-in failed for {ADMIN_EMAIL} from {ADDRESS}",
        "log-in failed for malformed-address from unknown-address",
    ]
    assert [vars(record)["reason"] for record in warnings] == ["CREDENTIALS_INVALID"] * 2
    assert OTHER_PASSWORD not in caplog.text


async def test_warning_tells_neither_address_as_it_is_printed(auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="auth_service")
    for email in ("ada.lovelace+work@mail.example.co.uk", "admin@aiops.local", "a@localhost"):
        with refusal("CREDENTIALS_INVALID"):
            await auth.log_in(email, address="2001:db8::17")

    formatter = JsonFormatter("auth", Redactor(b"k" * 32))
    lines = [json.loads(formatter.format(each)) for each in caplog.records if each.name.startswith("auth_service")]

    shown = [re.sub(r":[0-9a-f]{8}>", ">", line["message"]) for line in lines]
    assert shown == ["log-in failed for <EMAIL> from <IP>"] * 2 + ["log-in failed for malformed-address from <IP>"]
    assert {(line["severity"], line["reason"]) for line in lines} == {("WARN", "CREDENTIALS_INVALID")}


@pytest.mark.parametrize("meanwhile", ["the password was changed", "the account was closed"])
async def test_what_changes_between_check_and_session_wins(auth: Auth, recorder: Recorder, meanwhile: str) -> None:
    admin = await auth.first_admin()
    ops = await auth.joined(admin, "bob@example.com")
    uow = UnitOfWork(auth.database, auth.clock, fact_to_event, "auth", recorder)
    lifetimes = AccountRules(SignUpMode.INVITE, timedelta(days=1), timedelta(days=1))
    verification = PasswordVerification(uow, PasswordHasher(4), lifetimes)
    with for_person(ops):
        verified = await verification.for_log_in(LogIn("bob@example.com", PASSWORD, ADDRESS))
    if meanwhile == "the account was closed":
        await auth.deactivate(admin, ops.user.id, 2)
    else:
        change = pb.ChangePasswordRequest(
            idempotency_key=new_key(), expected_version=2, current_password=PASSWORD, new_password=OTHER_PASSWORD
        )
        await auth.call("ChangePassword", change, token=ops.token)
    before = auth.snapshot()

    with for_person(ops), refusal("CREDENTIALS_INVALID"):
        async with uow.begin() as tx:
            await usecases.log_in(verified, Signer("kid", Ed25519PrivateKey.generate()), lifetimes, tx)

    assert auth.snapshot() == before


async def test_eleventh_attempt_on_an_account_waits_longer_each_time_and_never_for_good(auth: Auth) -> None:
    await auth.first_admin()
    for _ in range(10):
        with refusal("CREDENTIALS_INVALID"):
            await auth.log_in(ADMIN_EMAIL, "not the password")

    waits = []
    for _ in range(4):
        with refusal("TOO_MANY_ATTEMPTS") as caught:
            await auth.log_in(ADMIN_EMAIL, PASSWORD, address="203.0.113.9")
        waits.append(int(caught.value.metadata["retry_after_seconds"]))
        auth.clock.advance(timedelta(seconds=waits[-1]))
        with refusal("CREDENTIALS_INVALID"):
            await auth.log_in(ADMIN_EMAIL, "not the password", address="203.0.113.9")
    auth.clock.advance(timedelta(seconds=16))
    await auth.log_in(ADMIN_EMAIL)

    assert waits == [1, 2, 4, 8]


async def test_right_password_does_not_get_through_during_the_wait(auth: Auth) -> None:
    await auth.first_admin()
    for _ in range(10):
        with refusal("CREDENTIALS_INVALID"):
            await auth.log_in(ADMIN_EMAIL, "not the password")
    before = auth.snapshot()

    with refusal("TOO_MANY_ATTEMPTS"):
        await auth.log_in(ADMIN_EMAIL)

    assert auth.snapshot() == before


async def test_many_accounts_from_one_address_are_throttled_together(auth: Auth) -> None:
    await auth.first_admin()
    for number in range(50):
        with refusal("CREDENTIALS_INVALID"):
            await auth.log_in(f"guess{number}@example.com")

    with refusal("TOO_MANY_ATTEMPTS"):
        await auth.log_in(ADMIN_EMAIL)

    await auth.log_in(ADMIN_EMAIL, address="203.0.113.9")


async def test_throttle_counts_parallel_attempts_one_by_one(auth: Auth) -> None:
    await auth.first_admin()

    answers = await asyncio.gather(
        *(auth.log_in(ADMIN_EMAIL, "not the password") for _ in range(15)), return_exceptions=True
    )

    reasons = [answer.reason for answer in answers if isinstance(answer, DomainError)]
    assert sorted(reasons) == ["CREDENTIALS_INVALID"] * 10 + ["TOO_MANY_ATTEMPTS"] * 5


async def test_success_forgives_the_account(auth: Auth) -> None:
    await auth.first_admin()
    for _ in range(3):
        for _ in range(9):
            with refusal("CREDENTIALS_INVALID"):
                await auth.log_in(ADMIN_EMAIL, "not the password")
        await auth.log_in(ADMIN_EMAIL)


async def test_hash_follows_the_cost_at_log_in(start_auth: StartAuth) -> None:
    async with start_auth() as auth:
        await auth.first_admin()

    async with start_auth(bcrypt_cost=5) as auth:
        await auth.log_in(ADMIN_EMAIL)

        assert auth.rows("passwords")[0]["hash"].startswith("$2b$05$")
        assert auth.rows("users")[0]["version"] == 1
        await auth.log_in(ADMIN_EMAIL)


async def test_flood_of_passwords_is_refused_instead_of_queued() -> None:
    hasher = PasswordHasher(8, threads=1, queue=2)

    answers = await asyncio.gather(*(hasher.hash(PASSWORD) for _ in range(5)), return_exceptions=True)
    await asyncio.sleep(0)

    reasons = [answer.reason for answer in answers if isinstance(answer, DomainError)]
    assert reasons == ["OVERLOADED", "OVERLOADED"]
    assert await hasher.matches(PASSWORD, await hasher.hash(PASSWORD))


async def test_hashing_leaves_the_event_loop_free() -> None:
    hasher = PasswordHasher(12)
    hashing = asyncio.ensure_future(hasher.hash(PASSWORD))
    turns = 0

    while not hashing.done():
        await asyncio.sleep(0.005)
        turns += 1

    assert turns >= 10


async def test_of_twenty_racing_refreshes_one_gets_the_next_pair_and_the_session_lives(auth: Auth) -> None:
    admin = await auth.first_admin()

    answers = await asyncio.gather(*(auth.refresh(admin.refresh_token) for _ in range(20)), return_exceptions=True)

    reasons = [answer.reason for answer in answers if isinstance(answer, DomainError)]
    winners = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert reasons == ["VERSION_CONFLICT"] * 19
    assert [row["used_at"] is None for row in auth.rows("refresh_tokens")].count(True) == 1
    await auth.refresh(winners[0].session.refresh_token)


async def test_lost_answer_is_given_again_for_the_same_key_long_after(auth: Auth) -> None:
    admin = await auth.first_admin()
    key = new_key()
    first = await auth.refresh(admin.refresh_token, key=key)
    auth.clock.advance(timedelta(minutes=5))

    second = await auth.refresh(admin.refresh_token, key=key)

    assert second == first
    await auth.refresh(second.session.refresh_token)


async def test_reuse_of_the_previous_token_within_ten_seconds_harms_nobody(auth: Auth) -> None:
    admin = await auth.first_admin()
    traded = await auth.refresh(admin.refresh_token)
    auth.clock.advance(timedelta(seconds=10))
    before = auth.snapshot()

    with refusal("VERSION_CONFLICT") as caught:
        await auth.refresh(admin.refresh_token)

    assert (caught.value.metadata["expected"], caught.value.metadata["actual"]) == ("1", "2")
    assert auth.snapshot() == before
    await auth.refresh(traded.session.refresh_token)


@pytest.mark.parametrize(("trades", "seconds"), [(1, 11), (2, 0)])
async def test_reuse_of_an_older_token_ends_the_whole_session(auth: Auth, trades: int, seconds: int) -> None:
    admin = await auth.first_admin()
    stolen = newest = admin.refresh_token
    for _ in range(trades):
        newest = (await auth.refresh(newest)).session.refresh_token
    auth.clock.advance(timedelta(seconds=seconds))

    with refusal("SESSION_REVOKED"):
        await auth.refresh(stolen)

    with refusal("SESSION_REVOKED"):
        await auth.refresh(newest)
    assert [row["revocation_cause"] for row in auth.rows("sessions")] == ["refresh_token_reused"]
    assert auth.events()[1:] == [("aiops.auth.session.revoked.v1", 2)]


async def test_reuse_in_one_session_leaves_the_others(auth: Auth) -> None:
    admin = await auth.first_admin()
    other = await auth.logged_in(ADMIN_EMAIL)
    await auth.refresh(admin.refresh_token)
    auth.clock.advance(timedelta(seconds=11))

    with refusal("SESSION_REVOKED"):
        await auth.refresh(admin.refresh_token)

    await auth.refresh(other.refresh_token)


async def test_session_ends_after_its_days(auth: Auth) -> None:
    admin = await auth.first_admin()
    auth.clock.advance(timedelta(days=30))

    with refusal("UNAUTHENTICATED"):
        await auth.refresh(admin.refresh_token)

    assert auth.events()[1:] == []


async def test_unknown_refresh_token_is_refused(auth: Auth) -> None:
    await auth.first_admin()

    with refusal("UNAUTHENTICATED"):
        await auth.refresh("never-given")


async def test_demoted_admin_is_refused_at_once_whatever_his_token_says(auth: Auth) -> None:
    admin = await auth.first_admin()
    second = await auth.joined(admin, "eve@example.com", user_pb2.ROLE_ADMIN)
    await auth.set_role(admin, second.user.id, 2, user_pb2.ROLE_OPS)
    before = auth.snapshot()

    for attempt in (
        auth.invite(second, "friend@example.com", user_pb2.ROLE_ADMIN),
        auth.set_role(second, second.user.id, 3, user_pb2.ROLE_ADMIN),
        auth.create_api_token(second),
    ):
        with pytest.raises(DomainError) as caught:
            await attempt
        # By the table at once; a moment later the token is void altogether.
        assert caught.value.reason in {"FORBIDDEN", "UNAUTHENTICATED"}

    assert auth.snapshot() == before
