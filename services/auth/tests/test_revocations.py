"""What makes access tokens void: each way in which an access ends, and that no commit comes too late to be told."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from services.auth.tests.factories import ADMIN_EMAIL, OTHER_PASSWORD, PASSWORD, Auth, Person, new_key, refusal
from sqlalchemy import text

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from aiops.identity.v1.identity_service_pb2 import ListRevocationsRequest, ListRevocationsResponse
from aiops.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from auth_service.convert import fact_to_event
from auth_service.credentials import voids
from chassis.db import Database, UnitOfWork
from chassis.errors import DomainError
from chassis.history import erasure, subject_of_user
from chassis.history.recorder import Recorder
from chassis.identity import Call, acting_as
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase

Ending = Callable[[Auth, UnitOfWork, Person, Person], Awaitable[None]]


async def told(auth: Auth, since: str = "", caller: str = "tickets") -> ListRevocationsResponse:
    client = auth.running.client(caller)
    answer = await client.call(IdentityServiceStub(client.channel).ListRevocations, ListRevocationsRequest(since=since))
    assert isinstance(answer, ListRevocationsResponse)
    return answer


async def refused_within_two_seconds(auth: Auth, token: str) -> None:
    until = time.monotonic() + 2
    while time.monotonic() < until:
        try:
            await auth.call("GetMe", pb.GetMeRequest(), token=token)
        except DomainError as error:
            if error.reason == "UNAUTHENTICATED":
                return
            raise
        await asyncio.sleep(0.05)
    pytest.fail("the token is still taken after two seconds")


async def void(auth: Auth) -> dict[str, int]:
    return {each.id: each.version for each in (await told(auth)).revocations}


async def log_out(auth: Auth, _uow: UnitOfWork, _admin: Person, person: Person) -> None:
    await auth.call("LogOut", pb.LogOutRequest(idempotency_key=new_key(), refresh_token=person.refresh_token))


async def reuse(auth: Auth, _uow: UnitOfWork, _admin: Person, person: Person) -> None:
    again = await auth.refresh(person.refresh_token)
    await auth.refresh(again.session.refresh_token)
    with refusal("SESSION_REVOKED"):
        await auth.refresh(person.refresh_token)


async def deactivate(auth: Auth, _uow: UnitOfWork, admin: Person, person: Person) -> None:
    request = pb.DeactivateUserRequest(
        idempotency_key=new_key(), user_id=person.user.id, expected_version=person.user.version
    )
    await auth.call("DeactivateUser", request, token=admin.token)


async def set_role(auth: Auth, _uow: UnitOfWork, admin: Person, person: Person) -> None:
    request = pb.SetUserRoleRequest(
        idempotency_key=new_key(),
        user_id=person.user.id,
        expected_version=person.user.version,
        role=user_pb2.ROLE_HR,
    )
    await auth.call("SetUserRole", request, token=admin.token)


async def erase_person(auth: Auth, uow: UnitOfWork, _admin: Person, person: Person) -> None:
    assert uow.recorder is not None
    database = Database(auth.owner_url, name="auth")
    order = erasure.Erasure(subject_of_user(person.user.id), datetime.now(UTC))
    assert await erasure.erase(erasure.operator_work(database, uow.recorder), uow.recorder, order) == 1
    await database.close()


@pytest.fixture
def uow(schema: ServiceDatabase, clock: FrozenClock, recorder: Recorder) -> UnitOfWork:
    return UnitOfWork(schema.database, clock, fact_to_event, "auth", recorder)


@pytest.mark.parametrize("end", [log_out, reuse, deactivate, set_role, erase_person])
async def test_a_token_is_void_however_its_access_ended(auth: Auth, uow: UnitOfWork, end: Ending) -> None:
    admin = await auth.first_admin()
    person = await auth.joined(admin, "bob@example.com")
    assert (await auth.call("GetMe", pb.GetMeRequest(), token=person.token)).user.id == person.user.id

    await end(auth, uow, admin, person)

    await refused_within_two_seconds(auth, person.token)
    assert (await auth.call("GetMe", pb.GetMeRequest(), token=admin.token)).user.id == admin.user.id


async def test_another_role_is_taken_from_tokens_alone_and_the_session_goes_on(auth: Auth, uow: UnitOfWork) -> None:
    admin = await auth.first_admin()
    person = await auth.joined(admin, "bob@example.com")

    await set_role(auth, uow, admin, person)

    assert await void(auth) == {person.user.id: person.user.version + 1}
    again = await auth.refresh(person.refresh_token)
    me = await auth.call("GetMe", pb.GetMeRequest(), token=again.session.access_token)
    assert me.user.role == user_pb2.ROLE_HR


async def test_a_new_password_ends_the_other_sessions_and_not_this_one(auth: Auth) -> None:
    admin = await auth.first_admin()
    other = await auth.log_in(ADMIN_EMAIL)
    request = pb.ChangePasswordRequest(
        idempotency_key=new_key(),
        expected_version=admin.user.version,
        current_password=PASSWORD,
        new_password=OTHER_PASSWORD,
    )

    await auth.call("ChangePassword", request, token=admin.token)

    await refused_within_two_seconds(auth, other.session.access_token)
    assert (await auth.call("GetMe", pb.GetMeRequest(), token=admin.token)).user.id == admin.user.id


async def test_an_api_token_takes_its_access_tokens_along(auth: Auth) -> None:
    admin = await auth.first_admin()
    made = await auth.create_api_token(admin)

    request = pb.RevokeApiTokenRequest(idempotency_key=new_key(), api_token_id=made.api_token.id, expected_version=1)
    await auth.call("RevokeApiToken", request, token=admin.token)

    assert await void(auth) == {made.api_token.id: 1}


async def test_the_next_answer_has_what_is_new_alone(auth: Auth, uow: UnitOfWork) -> None:
    await auth.first_admin()
    one, two = uuid4(), uuid4()
    await revoke(uow, one)
    before = await told(auth)

    await revoke(uow, two)
    after = await told(auth, before.cursor)

    assert [each.id for each in before.revocations] == [str(one)]
    assert [each.id for each in after.revocations] == [str(two)]
    assert list((await told(auth, after.cursor)).revocations) == []


async def test_a_commit_that_comes_late_is_told_all_the_same(auth: Auth, uow: UnitOfWork) -> None:
    await auth.first_admin()
    slow, quick = uuid4(), uuid4()
    with acting_as(Call("auth")):
        async with uow.begin() as tx:
            await voids.revoke(tx, slow)
            await revoke(uow, quick)
            before = await told(auth)

    after = await told(auth, before.cursor)

    assert [each.id for each in before.revocations] == [str(quick)]
    assert str(slow) in {each.id for each in after.revocations}


@pytest.mark.parametrize("cursor", ["9000000000000000000", "", "no cursor of ours"])
async def test_a_cursor_of_another_database_gets_everything(auth: Auth, uow: UnitOfWork, cursor: str) -> None:
    await auth.first_admin()
    id_ = uuid4()
    await revoke(uow, id_)

    assert [each.id for each in (await told(auth, cursor)).revocations] == [str(id_)]


async def test_what_concerns_no_token_any_more_is_not_told_and_forgotten(auth: Auth, uow: UnitOfWork) -> None:
    await auth.first_admin()
    old, new = uuid4(), uuid4()
    await revoke(uow, old)
    await revoke(uow, new)
    with acting_as(Call("auth")):
        async with uow.begin() as tx:
            ago = text("UPDATE revocations SET revoked_at = now() - make_interval(secs => 631) WHERE id = :id")
            await tx.execute(ago, {"id": old})
    assert [each.id for each in (await told(auth)).revocations] == [str(new)]

    with acting_as(Call("auth")):
        async with uow.begin() as tx:
            await voids.forget_old(tx)

    async with auth.database.read() as tx:
        assert [row.id for row in await tx.fetch_all(text("SELECT id FROM revocations"))] == [new]


async def test_people_may_not_ask(auth: Auth) -> None:
    admin = await auth.first_admin()
    client = auth.running.client("gateway")

    with refusal("FORBIDDEN"):
        await client.call(
            IdentityServiceStub(client.channel).ListRevocations, ListRevocationsRequest(), token=admin.token
        )


async def revoke(uow: UnitOfWork, id_: UUID) -> None:
    with acting_as(Call("auth")):
        async with uow.begin() as tx:
            await voids.revoke(tx, id_)
