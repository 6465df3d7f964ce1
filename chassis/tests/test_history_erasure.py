"""Personal values in histories: sealed for whoever they are about, and gone when he is erased."""

import json
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from histories import parcel_id, recorder, report_of, rows_of, unit_of_work
from parcels import PARCELS, Parcel, move
from surroundings import Published

from chassis.db import Database, UnitOfWork
from chassis.errors import HistoryBroken
from chassis.history import replay, subject_of_email, subject_of_user
from chassis.history.erasure import LEDGER, Erasure, erase, note_erasure, operator_work, read_ledger
from chassis.history.sealing import Key, Place, Vault
from chassis.history.store import FolderStore
from chassis.identity import Call, Viewer, acting_as
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

ANNA, BO = "Anna@Example.org", "bo@example.org"
KEYS = {"user:1": Key(1, b"k" * 32)}


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels",))


@pytest.fixture
def uow(store: ServiceDatabase, clock: FrozenClock) -> UnitOfWork:
    return unit_of_work(store.database, clock)


async def sent_to(uow: UnitOfWork, number: int, receiver: str, note: str = "ring twice") -> Parcel:
    parcel = Parcel(parcel_id(number), city="Oslo", receiver=receiver, note=note)
    async with uow.begin() as tx:
        await move(tx, None, parcel)
    return parcel


async def erased(store: ServiceDatabase, folder: Path, address: str, times: int = 1) -> list[int]:
    """How many rows each erasure of this address blanked."""
    owner = Database(store.owner_url, name="parcels", pool_size=1)
    try:
        noted = await note_erasure(FolderStore(folder), recorder(), subject_of_email(address), owner)
        return [await erase(operator_work(owner, recorder()), recorder(), noted) for _ in range(times)]
    finally:
        await owner.close()


async def state_of(store: ServiceDatabase, number: int, version: int) -> dict[str, Any]:
    vault = recorder().vault
    async with store.database.read() as tx:
        state = await replay.state_at(tx, PARCELS, parcel_id(number), version)
        return state.opened(vault, await vault.load(tx, state.subjects.values()))


async def test_no_personal_value_stands_in_a_history(store: ServiceDatabase, uow: UnitOfWork) -> None:
    parcel = await sent_to(uow, 1, ANNA)
    async with uow.begin() as tx:
        for number in range(2, 51):
            await move(tx, parcel, parcel := parcel.changed(note=f"ring {number} times"))

    with psycopg.connect(store.app_url) as connection:
        kept = "".join(
            str(row)
            for table in ("parcel_changes", "parcel_snapshots", "subject_keys")
            for row in connection.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()  # noqa: S608 - named here
        ).lower()
    assert [word for word in ("anna", "example.org", "ring") if word in kept] == []
    assert (await state_of(store, 1, 1))["note"] == "ring twice"
    assert (await state_of(store, 1, 50))["note"] == "ring 50 times"


async def test_without_sealing_the_same_look_finds_them(
    store: ServiceDatabase, uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Vault, "seal", lambda _self, value, *_: value)

    await sent_to(uow, 1, ANNA)

    (row,) = await rows_of(store)
    assert ANNA in row.patch


async def test_an_erased_person_is_gone_from_rows_and_history_and_the_chain_holds(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, tmp_path: Path, published: Published
) -> None:
    first = await sent_to(uow, 1, ANNA)
    async with uow.begin() as tx:
        await move(tx, first, first.changed(city="Bergen"))
    await sent_to(uow, 2, BO)

    blanked = await erased(store, tmp_path, ANNA)

    assert blanked == [1]
    assert await state_of(store, 1, 2) == {
        "city": "Bergen",
        "receiver": {"erased": True},
        "note": {"erased": True},
        "stamps": [],
    }
    assert await state_of(store, 1, 3) == {"city": "Bergen", "receiver": "", "note": "", "stamps": []}
    assert (await state_of(store, 2, 1))["receiver"] == BO
    assert [row.event for row in await rows_of(store)] == ["Sent", "Sent", "Erased"]
    assert [envelope.aggregate_version for _, envelope in await published(store.database)] == [1, 2, 1, 3]
    async with store.database.read() as tx:
        current = await PARCELS.current(tx, parcel_id(1), Call("gateway"))
    assert current == Parcel(parcel_id(1), version=3, city="Bergen")
    assert (await report_of(store, installation, tmp_path)).faults == []


async def test_erasing_again_changes_nothing(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, tmp_path: Path
) -> None:
    await sent_to(uow, 1, ANNA)

    blanked = await erased(store, tmp_path, ANNA, times=3)

    assert blanked == [1, 0, 0]
    assert [row.version for row in await rows_of(store)] == [1, 2]
    assert (await report_of(store, installation, tmp_path)).faults == []


async def test_an_operator_whose_clock_is_behind_erases_a_key_of_a_moment_ago(
    store: ServiceDatabase, uow: UnitOfWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uow.clock.advance(datetime.now(UTC) - uow.clock.now())  # type: ignore[attr-defined]  # the tests' clock
    await sent_to(uow, 1, ANNA)

    class Behind(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Behind":
            return super().now(tz) - timedelta(minutes=3)

    monkeypatch.setattr("chassis.history.erasure.datetime", Behind)
    blanked = await erased(store, tmp_path, ANNA)

    assert blanked == [1]
    assert (await state_of(store, 1, 1))["receiver"] == {"erased": True}


async def test_the_ledger_is_written_before_anything_is_destroyed(
    store: ServiceDatabase, uow: UnitOfWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent_to(uow, 1, ANNA)

    async def power_cut(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("chassis.history.erasure._blank", power_cut)
        with pytest.raises(ConnectionError):
            await erased(store, tmp_path, ANNA)

    (noted,) = read_ledger(FolderStore(tmp_path))
    assert (await state_of(store, 1, 1))["receiver"] == ANNA
    owner = Database(store.owner_url, name="parcels", pool_size=1)
    assert await erase(operator_work(owner, recorder()), recorder(), noted) == 1
    await owner.close()
    assert (await state_of(store, 1, 1))["receiver"] == {"erased": True}


async def test_a_restored_backup_forgets_as_well(store: ServiceDatabase, uow: UnitOfWork, tmp_path: Path) -> None:
    await sent_to(uow, 1, ANNA)
    owner = Database(store.owner_url, name="parcels", pool_size=1)
    known = recorder().vault.stored(subject_of_email(ANNA))
    (tmp_path / LEDGER).write_text(Erasure(known, uow.clock.now() + timedelta(days=1)).line() + "\n")

    replayed = [
        await erase(operator_work(owner, recorder()), recorder(), noted) for noted in read_ledger(FolderStore(tmp_path))
    ]

    await owner.close()
    assert replayed == [1]
    assert (await state_of(store, 1, 1))["receiver"] == {"erased": True}
    assert ANNA.lower() not in (tmp_path / LEDGER).read_text()


async def test_what_a_machine_goes_on_writing_of_him_is_not_kept(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, tmp_path: Path
) -> None:
    await sent_to(uow, 1, ANNA)
    await erased(store, tmp_path, ANNA)

    await sent_to(uow, 2, ANNA)

    assert (await state_of(store, 2, 1))["receiver"] == {"erased": True}
    assert (await report_of(store, installation, tmp_path)).faults == []


async def test_a_person_who_writes_of_him_anew_brings_him_back_and_not_what_was(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, tmp_path: Path
) -> None:
    await sent_to(uow, 1, ANNA)
    uow.clock.advance(timedelta(days=365 * 20))  # type: ignore[attr-defined]  # the tests' clock; erasures are dated by the real one
    await erased(store, tmp_path, ANNA)
    (noted,) = read_ledger(FolderStore(tmp_path))
    person = Viewer(UUID(int=1), "user", None, frozenset(), None, "", uow.clock.now())

    with acting_as(Call("gateway", person, method="Send")):
        await sent_to(uow, 2, ANNA)

    assert (await state_of(store, 2, 1))["receiver"] == ANNA
    assert (await state_of(store, 1, 1))["receiver"] == {"erased": True}
    owner = Database(store.owner_url, name="parcels", pool_size=1)
    assert await erase(operator_work(owner, recorder()), recorder(), noted) == 0
    await owner.close()
    assert (await state_of(store, 2, 1))["receiver"] == ANNA


async def test_a_value_that_changes_hands_is_sealed_anew(
    store: ServiceDatabase, uow: UnitOfWork, tmp_path: Path
) -> None:
    parcel = await sent_to(uow, 1, ANNA)
    async with uow.begin() as tx:
        await move(tx, parcel, parcel.changed(receiver=BO))

    await erased(store, tmp_path, ANNA)

    assert (await state_of(store, 1, 2))["note"] == "ring twice"
    assert (await state_of(store, 1, 1))["note"] == {"erased": True}


async def test_two_transactions_that_name_somebody_first_get_one_key(store: ServiceDatabase, uow: UnitOfWork) -> None:
    async with uow.begin() as one, uow.begin() as other:
        vault = recorder().vault
        first = await vault.make(one, ["user:1"], uow.clock.now())
        waiting = vault.make(other, ["user:1"], uow.clock.now())
        await one.connection.commit()
        second = await waiting

    assert first == second


@pytest.mark.parametrize(
    ("sealed", "opened"),
    [
        (Place("parcel", parcel_id(1), 1, "note"), "a secret"),
        (Place("parcel", parcel_id(2), 1, "note"), None),
        (Place("ticket", parcel_id(1), 1, "note"), None),
        (Place("parcel", parcel_id(1), 1, "receiver"), None),
    ],
)
def test_a_sealed_value_opens_in_its_place_alone(sealed: Place, opened: str | None) -> None:
    vault = Vault(b"r" * 32)
    value = vault.seal("a secret", sealed, "user:1", KEYS)

    if opened is not None:
        assert vault.open(value, "parcel", parcel_id(1), "note", KEYS) == opened
        return
    with pytest.raises(HistoryBroken):
        vault.open(value, "parcel", parcel_id(1), "note", KEYS)


def test_an_address_is_stored_as_a_digest_that_needs_the_key() -> None:
    one, other = Vault(b"r" * 32), Vault(b"s" * 32)

    assert one.stored(subject_of_email(" Anna@example.org ")) == one.stored(subject_of_email("anna@example.org"))
    assert one.stored(subject_of_email(ANNA)) != other.stored(subject_of_email(ANNA))
    assert one.stored(one.stored(subject_of_email(ANNA))) == one.stored(subject_of_email(ANNA))
    assert one.stored(subject_of_user(parcel_id(1))) == f"user:{parcel_id(1)}"


def test_a_ledger_with_a_strange_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_text(json.dumps({"at": "2026-11-02T09:00:00+00:00", "subject": "user:1"}) + "\nx\n")

    with pytest.raises(ValueError, match="line 2"):
        read_ledger(FolderStore(tmp_path))


async def test_a_line_that_a_power_cut_left_half_hides_no_other(store: ServiceDatabase, tmp_path: Path) -> None:
    torn = Erasure("user:1", datetime(2026, 11, 2, 9, tzinfo=UTC)).line()[:30]
    (tmp_path / LEDGER).write_text(torn)

    noted = await note_erasure(FolderStore(tmp_path), recorder(), "user:2", store.database)

    assert read_ledger(FolderStore(tmp_path)) == [noted]
