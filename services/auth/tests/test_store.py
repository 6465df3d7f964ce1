"""What the database itself promises, and what upkeep does in it."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from services.auth.tests.factories import Auth, refusal

from aiops.auth.v1 import auth_service_pb2 as pb
from auth_service import queries
from auth_service.convert import fact_to_event
from auth_service.credentials import upkeep, vault
from auth_service.credentials.signing import KeySealer, KeyState
from auth_service.queries import KeyRing
from chassis.db import UnitOfWork
from chassis.errors import Unavailable
from chassis.history.recorder import Recorder
from chassis.identity import AccessTokens
from chassis.paging import Page
from chassis.revocations import Revocations, from_auth
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import QueryCounter, ServiceDatabase

MONTH = timedelta(days=30)


@pytest.fixture
def uow(schema: ServiceDatabase, clock: FrozenClock, recorder: Recorder) -> UnitOfWork:
    return UnitOfWork(schema.database, clock, fact_to_event, "auth", recorder)


@pytest.fixture
def sealer(key_encryption_file: Path) -> KeySealer:
    return KeySealer.from_file(key_encryption_file)


async def rotate(uow: UnitOfWork, sealer: KeySealer) -> dict[str, str]:
    """Run the upkeep; the keys by state."""
    async with uow.begin() as tx:
        await upkeep.keep_signing_keys(sealer, MONTH, tx)
    async with uow.begin() as tx:
        keys = await vault.published_signing_keys(tx, retired_after=tx.now - timedelta(days=1))
    return {key.state.value: key.kid for key in keys}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_trail SET kind = 'nothing'",
        "DELETE FROM audit_trail",
        "TRUNCATE audit_trail",
        "ALTER TABLE audit_trail DISABLE TRIGGER ALL",
        "GRANT UPDATE ON audit_trail TO auth_app; UPDATE audit_trail SET kind = 'nothing'",
        "DROP TABLE users",
    ],
)
async def test_service_can_only_add_to_the_audit_and_owns_nothing(auth: Auth, statement: str) -> None:
    await auth.first_admin()
    before = auth.rows("audit_trail")

    with psycopg.connect(auth.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)

    assert auth.rows("audit_trail") == before


async def test_starting_at_once_makes_one_current_and_one_next_key(
    uow: UnitOfWork, sealer: KeySealer, schema: ServiceDatabase, clock: FrozenClock
) -> None:
    await asyncio.gather(*(rotate(uow, sealer) for _ in range(4)))

    async with schema.database.read() as tx:
        keys = await vault.published_signing_keys(tx, retired_after=clock.now())
    assert sorted(key.state for key in keys) == [KeyState.CURRENT, KeyState.NEXT]


async def test_next_key_was_known_before_it_signs_and_the_retired_one_stays_known(
    uow: UnitOfWork, sealer: KeySealer, clock: FrozenClock, schema: ServiceDatabase
) -> None:
    first = await rotate(uow, sealer)
    clock.advance(MONTH)

    second = await rotate(uow, sealer)
    third = await rotate(uow, sealer)

    assert second["current"] == first["next"]
    assert second["retired"] == first["current"]
    assert third == second
    ring = KeyRing(schema.database, sealer, clock)
    assert await published(ring) == {second["retired"], second["current"], second["next"]}
    clock.advance(timedelta(minutes=15))
    assert await published(ring) == {second["current"], second["next"]}


async def published(ring: KeyRing) -> set[str]:
    return {key["kid"] for key in json.loads(await ring.jwks())["keys"]}


async def test_retired_key_has_lost_its_private_half(uow: UnitOfWork, sealer: KeySealer, clock: FrozenClock) -> None:
    await rotate(uow, sealer)
    clock.advance(MONTH)
    await rotate(uow, sealer)

    async with uow.begin() as tx:
        keys = await vault.published_signing_keys(tx, retired_after=tx.now - MONTH)

    assert {key.state.value: key.sealed_private_key is None for key in keys} == {
        "retired": True,
        "current": False,
        "next": False,
    }


async def test_tokens_stay_good_over_five_rotations(auth: Auth, sealer: KeySealer, uow: UnitOfWork) -> None:
    admin = await auth.first_admin()

    for _ in range(5):
        await rotate(uow, sealer)
        auth.clock.advance(timedelta(days=29))
        admin = await auth.logged_in("ada@example.com")
        auth.clock.advance(timedelta(days=1))
        admin = await auth.logged_in("ada@example.com")
        await rotate(uow, sealer)
        await auth.me(admin)
        auth.clock.advance(timedelta(seconds=31))
        await auth.me(await auth.logged_in("ada@example.com"))

    assert len(auth.rows("signing_keys")) == 7


async def test_signer_without_a_key_says_so(schema: ServiceDatabase, sealer: KeySealer, clock: FrozenClock) -> None:
    with pytest.raises(Unavailable):
        await KeyRing(schema.database, sealer, clock).signer()


async def test_verifier_elsewhere_takes_the_tokens(auth: Auth) -> None:
    admin = await auth.first_admin()

    revocations = Revocations(from_auth(auth.running.client("logs"), "logs"))
    await revocations.ask()

    tokens = AccessTokens.over_http(f"{auth.running.http_url}/.well-known/jwks.json", revocations, auth.clock)
    viewer = await tokens.verify(admin.token)

    assert (str(viewer.id), viewer.kind, viewer.role) == (admin.user.id, "user", "admin")


async def test_expired_sessions_and_idle_throttles_are_forgotten_after_a_while(auth: Auth, uow: UnitOfWork) -> None:
    await auth.first_admin()
    auth.clock.advance(timedelta(days=30) + upkeep.SESSIONS_KEPT_AFTER_EXPIRY)
    await auth.log_in("ada@example.com")
    auth.clock.advance(timedelta(seconds=1))

    async with uow.begin() as tx:
        await upkeep.forget_expired(tx)

    assert len(auth.rows("sessions")) == len(auth.rows("refresh_tokens")) == 1
    assert len(auth.rows("throttles")) == 1


async def test_address_is_stored_once_however_many_race(auth: Auth) -> None:
    admin = await auth.first_admin()

    answers = await asyncio.gather(
        *(auth.invite(admin, spelling) for spelling in ("bob@x.com", "BOB@x.com", "Bob@X.com")), return_exceptions=True
    )

    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    assert [row["email_key"] for row in auth.rows("users")] == ["ada@example.com", "bob@x.com"]
    assert len(auth.rows("invitations")) == 1


async def test_page_of_users_is_one_statement(auth: Auth, query_counter: QueryCounter) -> None:
    admin = await auth.first_admin()
    for number in range(3):
        await auth.invite(admin, f"guest{number}@example.com")

    with query_counter(auth.database) as statements:
        async with auth.database.read() as tx:
            page = await queries.list_users(Page(first=3, after=""), tx)

    assert [user.email for user in page.items] == ["ada@example.com", "guest0@example.com", "guest1@example.com"]
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1


async def test_accounts_are_found_by_any_spelling_of_their_address_in_one_statement(
    auth: Auth, query_counter: QueryCounter
) -> None:
    admin = await auth.first_admin()
    bob = await auth.joined(admin, "bob@example.com")
    await auth.deactivate(admin, bob.user.id, bob.user.version)
    await auth.invite(admin, "guest@example.com")
    wanted = [
        "ADA@example.com",
        "ada@example.com",
        "Bob@Example.com",
        "guest@example.com",
        "nobody@example.com",
        "\x00",
    ]
    request = pb.BatchGetUsersByEmailRequest(emails=wanted)

    answer = await auth.call("BatchGetUsersByEmail", request, token=admin.token)
    with query_counter(auth.database) as statements:
        async with auth.database.read() as tx:
            found = await queries.batch_get_users_by_email(wanted, tx)

    people = {each.requested_email: each.user.id for each in answer.users}
    assert people == {
        "ADA@example.com": admin.user.id,
        "ada@example.com": admin.user.id,
        "Bob@Example.com": bob.user.id,
    }
    assert {email: str(user.id) for email, user in found.items()} == people
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1


async def test_too_many_addresses_are_refused(auth: Auth) -> None:
    admin = await auth.first_admin()
    request = pb.BatchGetUsersByEmailRequest(emails=[f"{number}@example.com" for number in range(1001)])

    with refusal("INVALID_ARGUMENT") as caught:
        await auth.call("BatchGetUsersByEmail", request, token=admin.token)

    assert caught.value.metadata["field"] == "emails"
