"""The history of accounts: every change is a row, no credential is in one, and who is erased is gone from all."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from services.auth.tests.factories import OTHER_PASSWORD, PASSWORD, Auth, Person, new_key, refusal

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from auth_service.convert import fact_to_event
from auth_service.documents import HISTORIES, current, document, iterate
from auth_service.domain import User, UserStatus
from auth_service.store import add_user, get_user
from chassis.db import Database, UnitOfWork
from chassis.history import erasure, patch, subject_of_user
from chassis.history.chain import Row
from chassis.history.recorder import Recorder
from chassis.history.replay import fold, operations
from chassis.history.sealing import is_sealed
from chassis.history.tables import changes
from chassis.history.verify import verify
from chassis.identity import Call, Role, Trust, Viewer
from chassis.ids import uuid7
from chassis.migration_files import all_migrations
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

(HISTORY,) = HISTORIES
GOLDEN = Path(__file__).parent / "golden"
History = Callable[[str], Awaitable[list[Row]]]
Erase = Callable[[str], Awaitable[int]]
STRANGER = UUID(int=8)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def history(auth: Auth, recorder: Recorder) -> History:
    """The rows of an account; opened, they fold to what it is now."""

    async def history_(user_id: str) -> list[Row]:
        async with auth.database.read() as tx:
            rows = await changes(tx, "user", UUID(user_id), after=0)
            user = await get_user(tx, UUID(user_id))
            state = fold(HISTORY, user.id, rows)
            keys = await recorder.vault.load(tx, state.subjects.values())
        assert (state.version, state.opened(recorder.vault, keys)) == (user.version, document(user).fields)
        return rows

    return history_


@pytest.fixture
async def erase(schema: ServiceDatabase, recorder: Recorder) -> AsyncIterator[Erase]:
    """What `aiops person erase --user` does in this service; how many rows."""
    database = Database(schema.owner_url, name="auth")

    async def erase_(user_id: str) -> int:
        order = erasure.Erasure(subject_of_user(user_id), datetime.now(UTC))
        return await erasure.erase(erasure.operator_work(database, recorder), recorder, order)

    yield erase_
    await database.close()


async def lived(auth: Auth) -> tuple[Person, Person]:
    """An admin, and somebody who saw every change that an account can see."""
    admin = await auth.first_admin()
    person = await auth.joined(admin, "bob@example.com")
    await auth.set_role(admin, person.user.id, 2, user_pb2.ROLE_HR)
    change = pb.ChangePasswordRequest(
        idempotency_key=new_key(), expected_version=3, current_password=PASSWORD, new_password=OTHER_PASSWORD
    )
    await auth.call("ChangePassword", change, token=person.token)
    await auth.deactivate(admin, person.user.id, 4)
    return admin, person


async def test_every_change_is_one_version_one_event_and_one_row(auth: Auth, history: History) -> None:
    admin, person = await lived(auth)

    of_admin, of_person = await history(admin.user.id), await history(person.user.id)

    assert [(row.version, row.event) for row in of_admin] == [(1, "UserSignedUp")]
    assert [(row.version, row.event) for row in of_person] == [
        (1, "UserInvited"), (2, "UserSignedUp"), (3, "UserRoleSet"), (4, "UserPasswordChanged"),
        (5, "UserWasDeactivated"),
    ]  # fmt: skip
    told = [each for each in auth.events() if ".user." in each[0]]
    assert told == [
        ("aiops.auth.user.signed_up.v1", 1), ("aiops.auth.user.invited.v1", 1), ("aiops.auth.user.signed_up.v1", 2),
        ("aiops.auth.user.role_set.v1", 3), ("aiops.auth.user.password_changed.v1", 4),
        ("aiops.auth.user.deactivated.v1", 5),
    ]  # fmt: skip
    role_set, password = of_person[2], of_person[3]
    assert role_set.patch == '[{"op": "replace", "path": "/role", "value": "hr"}]'
    assert (role_set.actor_kind, role_set.actor_id, role_set.reason) == ("user", admin.user.id, "SetUserRole")
    assert (password.patch, password.inverse) == ("[]", "[]")


async def test_a_refused_change_leaves_no_row(auth: Auth, history: History) -> None:
    admin = await auth.first_admin()

    with refusal("LAST_ADMIN"):
        await auth.deactivate(admin, admin.user.id, 1)
    with refusal("VERSION_CONFLICT"):
        await auth.set_role(admin, admin.user.id, 7, user_pb2.ROLE_OPS)

    assert len(await history(admin.user.id)) == 1


async def test_no_credential_and_no_personal_value_stands_in_the_history(auth: Auth) -> None:
    admin = await auth.first_admin()
    invited = await auth.invite(admin, "eve@example.com")
    api_token = await auth.create_api_token(admin)
    person = await auth.joined(admin, "bob@example.com")
    kept = "".join(str(row) for table in ("user_changes", "user_snapshots", "subject_keys") for row in auth.rows(table))

    secrets = {PASSWORD, invited.invitation_token, api_token.token, person.token, person.refresh_token}
    hashes = {row["hash"] for row in auth.rows("passwords")}
    hashes |= {
        str(row["token_hash"]) for table in ("invitations", "refresh_tokens", "api_tokens") for row in auth.rows(table)
    }
    assert len(hashes) == 7
    assert [text for text in (*secrets, *hashes) if text in kept] == []
    assert [text for text in ("ada@example.com", "bob@example.com", "eve@example.com", "Ada") if text in kept] == []
    assert document(_user()).fields.keys() == {"email", "display_name", "role", "status", "created_at"}


def _user(**fields: Any) -> User:
    values: dict[str, Any] = {
        "id": UUID(int=7), "version": 1, "email": "bob@example.com", "display_name": "Bob", "role": None,
        "status": UserStatus.ACTIVE, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return User(**(values | fields))


def test_every_field_is_listed_with_who_sees_it() -> None:
    def seen(role: Role | None, kind: Any = "user") -> set[str]:
        call = Call("gateway", Viewer(UUID(int=8), kind, role, frozenset(), None, "t", NOW))
        return {name for name, visible in HISTORY.visible.items() if visible(call)}

    everything = set(document(_user()).fields)
    assert HISTORY.visible.keys() == everything
    assert (seen(Role.ADMIN), seen(Role.HR)) == (everything, everything)
    assert (seen(Role.OPS), seen(None)) == (everything - {"email"}, everything - {"email"})


async def test_a_history_exists_for_people_who_work_here_and_for_oneself(auth: Auth) -> None:
    admin = await auth.first_admin()
    user_id = UUID(admin.user.id)

    async def sees(role: Role | None, viewer_id: UUID = STRANGER, kind: Any = "user") -> bool:
        viewer = Viewer(viewer_id, kind, role, frozenset({"logs:write"}), None, "t", NOW)
        async with auth.database.read() as tx:
            return await current(tx, user_id, Call("gateway", viewer)) is not None

    assert [await sees(role) for role in (Role.ADMIN, Role.OPS, Role.HR, None)] == [True, True, True, False]
    assert await sees(None, user_id)
    assert not await sees(None, user_id, kind="service_account")
    async with auth.database.read() as tx:
        assert await current(tx, user_id, Call("gateway")) is None
        assert (
            await current(
                tx, UUID(int=9), Call("gateway", Viewer(user_id, "user", Role.ADMIN, frozenset(), None, "t", NOW))
            )
            is None
        )


async def test_all_users_are_found_by_id(auth: Auth) -> None:
    admin = await auth.first_admin()
    ids = [admin.user.id, *[(await auth.invite(admin, f"u{n}@example.com")).user.id for n in range(2)]]

    async with auth.database.read() as tx:
        first = await iterate(tx, None, 2)
        rest = await iterate(tx, first[-1].id, 2)

    assert [str(user.id) for user in (*first, *rest)] == sorted(ids)


async def test_an_erased_person_is_gone_from_account_sessions_and_history(auth: Auth, erase: Erase) -> None:
    admin = await auth.first_admin()
    person = await auth.joined(admin, "bob@example.com")

    assert await erase(person.user.id) == 1

    rows = auth.rows("users")
    row = next(row for row in rows if str(row["id"]) == person.user.id)
    assert row["email"] == row["email_key"] == f"erased-{person.user.id}@erased.invalid"
    assert (row["display_name"], row["status"], row["version"]) == ("Erased user", "deactivated", 3)
    with refusal("SESSION_REVOKED"):
        await auth.refresh(person.refresh_token)
    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in("bob@example.com")
    assert "bob@example.com" not in auth.dump()
    causes = {str(row["user_id"]): row["revocation_cause"] for row in auth.rows("sessions")}
    assert causes == {admin.user.id: None, person.user.id: "user_deactivated"}
    assert [str(row["user_id"]) for row in auth.rows("passwords")] == [admin.user.id]
    noted = [row for row in auth.rows("audit_trail") if person.user.id in map(str, row["subject_ids"])]
    assert {row["client_address"] for row in noted} == {""}
    told = [each for each in auth.events() if ".user." in each[0] or ".session." in each[0]]
    assert told[-2:] == [("aiops.auth.session.revoked.v1", 2), ("aiops.auth.user.erased.v1", 3)]


async def test_the_chain_of_an_erased_person_holds_and_tells_nothing_of_him(
    auth: Auth, erase: Erase, history: History, recorder: Recorder
) -> None:
    admin = await auth.first_admin()
    person = await auth.joined(admin, "bob@example.com")
    await erase(person.user.id)

    rows = await history(person.user.id)
    assert [row.event for row in rows] == ["UserInvited", "UserSignedUp", "Erased"]
    async with auth.database.read() as tx:
        before = fold(HISTORY, UUID(person.user.id), rows[:2])
        keys = await recorder.vault.load(tx, before.subjects.values())
    opened = before.opened(recorder.vault, keys)
    assert (opened["email"], opened["display_name"]) == ({"erased": True}, {"erased": True})
    assert opened["role"] == "ops"


async def test_erasing_again_changes_nothing(auth: Auth, erase: Erase, history: History) -> None:
    admin = await auth.first_admin()
    person = await auth.joined(admin, "bob@example.com")
    await erase(person.user.id)
    before = auth.snapshot()

    assert await erase(person.user.id) == 0

    assert auth.snapshot() == before
    assert len(await history(person.user.id)) == 3


async def test_the_address_of_an_erased_person_is_free_and_his_placeholder_is_nobodys(
    auth: Auth, erase: Erase, history: History
) -> None:
    admin = await auth.first_admin()
    person = await auth.joined(admin, "bob@example.com")
    await erase(person.user.id)

    again = await auth.joined(admin, "bob@example.com")
    with refusal("INVALID_ARGUMENT") as caught:
        await auth.invite(admin, "erased-1@Erased.invalid")

    assert again.user.id != person.user.id
    assert caught.value.metadata == {"field": "email"}
    assert len(await history(again.user.id)) == 2


async def test_an_installation_that_forgets_its_last_admin_takes_a_first_account_again(
    auth: Auth, erase: Erase
) -> None:
    admin = await auth.first_admin()

    await erase(admin.user.id)

    (setup,) = auth.rows("setup")
    assert (setup["consumed_at"], bytes(setup["token_hash"])) == (None, b"")


async def test_an_installation_that_keeps_an_admin_takes_no_first_account(auth: Auth, erase: Erase) -> None:
    admin = await auth.first_admin()
    other = await auth.joined(admin, "eve@example.com", user_pb2.ROLE_ADMIN)

    await erase(other.user.id)

    assert [row["consumed_at"] is None for row in auth.rows("setup")] == [False]


async def test_a_running_service_can_neither_alter_nor_drop_a_row(auth: Auth, schema: ServiceDatabase) -> None:
    await auth.first_admin()
    before = auth.rows("user_changes")

    for url in (schema.app_url, schema.owner_url):
        for statement in ("UPDATE user_changes SET reason = ''", "DELETE FROM user_changes", "TRUNCATE user_changes"):
            with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())

    assert auth.rows("user_changes") == before


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_history_replays_there_and_back(path: Path) -> None:
    golden = json.loads(path.read_text())
    rows = [
        Row(**row | {"id": UUID(row["id"]), "changed_at": datetime.fromisoformat(row["changed_at"]),
                     "previous_hash": bytes.fromhex(row["previous_hash"]), "hash": bytes.fromhex(row["hash"])})
        for row in golden["rows"]
    ]  # fmt: skip
    states = [fold(HISTORY, rows[0].id, rows[:count]).fields for count in range(1, len(rows) + 1)]

    assert states[-1] == golden["state"]
    for row, before in zip(reversed(rows), [*reversed(states[:-1]), {}], strict=True):
        undone = fold(HISTORY, row.id, rows[: row.version]).fields
        patch.apply(undone, operations(HISTORY, row.schema_version, row.inverse))
        # A value is sealed for its place, so what undoes it holds the same under another seal.
        assert _bare(undone) == _bare(before)


def _bare(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value["subject"] if is_sealed(value) else value for name, value in fields.items()}


async def test_users_of_before_get_their_first_row_by_the_backfill(
    auth: Auth, schema: ServiceDatabase, history: History, recorder: Recorder, installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("AIOPS_REDACTION_KEY_FILE", str(installation.folder / "redaction.key"))
    new = (await auth.first_admin()).user.id
    old = [_user(id=uuid7(), version=version, email=f"u{version}@example.com") for version in (1, 4, 9)]
    async with UnitOfWork(auth.database, auth.clock, fact_to_event, "auth", recorder).begin() as tx:
        for user in old:
            assert await add_user(tx, user)
    (migration,) = [found for found in all_migrations("auth_service") if found.key == "0002.backfill"]
    batch = migration.batch()
    assert batch is not None

    with psycopg.connect(schema.owner_url) as connection:
        first = batch(connection, "", 3)
        rest = batch(connection, first[0], 3)
        again = batch(connection, "", 1000)

    assert (first[1], rest, again) == (3, ("", 1), ("", 4))
    for user in old:
        (row,) = await history(str(user.id))
        assert (row.version, row.event, row.actor_id) == (user.version, "Genesis", "auth")
        assert user.email not in row.patch
    assert [row.event for row in await history(new)] == ["UserSignedUp"]


async def test_what_was_altered_past_the_history_is_named(
    auth: Auth, schema: ServiceDatabase, erase: Erase, recorder: Recorder, installation: Installation
) -> None:
    """Also where somebody was erased: his chain holds without his key."""
    admin, person = await lived(auth)
    await erase(person.user.id)
    trust = Trust.from_file(installation.folder / "trust.json")

    (sound,) = await verify(auth.database, recorder, trust, None)
    with psycopg.connect(schema.app_url) as connection:
        connection.execute("UPDATE users SET role = 'ops' WHERE role = 'admin'")
    (altered,) = await verify(auth.database, recorder, trust, None)

    assert (sound.chains, sound.rows, sound.faults) == (2, 7, [])
    (fault,) = altered.faults
    assert (fault.kind, admin.user.id in fault.where) == ("user", True)
