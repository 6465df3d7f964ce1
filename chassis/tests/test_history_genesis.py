"""Things that are older than their history get a first row, once, whatever happens beside it."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from histories import REDACTION_KEY, parcel_id, report_of, rows_of, unit_of_work
from parcels import PARCELS, Parcel, move
from parcels import store as put

from chassis.db import UnitOfWork
from chassis.history.declared import declared_histories
from chassis.history.genesis import begin_histories
from chassis.migration_files import MigrationError
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels",))


@pytest.fixture
def uow(store: ServiceDatabase, clock: FrozenClock) -> UnitOfWork:
    return unit_of_work(store.database, clock)


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "redaction.key").write_bytes(REDACTION_KEY)
    monkeypatch.setenv("AIOPS_REDACTION_KEY_FILE", str(tmp_path / "redaction.key"))


async def old_parcels(uow: UnitOfWork, count: int) -> None:
    async with uow.begin() as tx:
        for number in range(1, count + 1):
            await put(tx, Parcel(parcel_id(number), version=number, city="Oslo", receiver="anna@example.org"))


def batch(store: ServiceDatabase, cursor: str, rows: int) -> tuple[str, int]:
    with psycopg.connect(store.owner_url) as connection:
        return begin_histories(connection, cursor, rows, PARCELS, service="parcels")


async def test_batches_go_through_the_table_and_end(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.history.genesis.LOCKED_AT_ONCE", 2)
    await old_parcels(uow, 5)
    young = Parcel(parcel_id(6), city="Bodo")
    async with uow.begin() as tx:
        await move(tx, None, young)

    one, first = batch(store, "", 3)
    two, second = batch(store, one, 3)
    end = batch(store, two, 3)

    assert (one, first) == (str(parcel_id(3)), 3)
    assert (two, second) == (str(parcel_id(6)), 3)
    assert end == ("", 0)
    for number in range(1, 6):
        (row,) = await rows_of(store, number)
        assert (row.version, row.event, row.actor_id, row.reason) == (
            number,
            "Genesis",
            "parcels",
            "aiops migrate backfill",
        )
    assert [row.event for row in await rows_of(store, 6)] == ["Sent"]
    assert (await report_of(store, installation, None)).faults == []


async def test_a_batch_that_comes_twice_writes_one_row(store: ServiceDatabase, uow: UnitOfWork) -> None:
    await old_parcels(uow, 2)

    again = [batch(store, "", 10) for _ in range(2)]

    assert again == [("", 2), ("", 2)]
    assert [len(await rows_of(store, number)) for number in (1, 2)] == [1, 1]


async def test_a_change_at_the_same_moment_waits_for_the_first_row(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation
) -> None:
    await old_parcels(uow, 1)
    old = Parcel(parcel_id(1), version=1, city="Oslo", receiver="anna@example.org")

    async def change() -> None:
        async with uow.begin() as tx:
            await move(tx, old, old.changed(city="Bergen"))

    await asyncio.gather(asyncio.to_thread(batch, store, "", 10), change())

    assert [(row.version, row.event) for row in await rows_of(store)] == [(1, "Genesis"), (2, "Sent")]
    assert (await report_of(store, installation, None)).faults == []


async def test_an_empty_table_needs_no_key(store: ServiceDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIOPS_REDACTION_KEY_FILE")

    assert batch(store, "", 10) == ("", 0)


async def test_rows_without_a_key_are_left_as_they_are(
    store: ServiceDatabase, uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await old_parcels(uow, 1)
    monkeypatch.delenv("AIOPS_REDACTION_KEY_FILE")

    with pytest.raises(MigrationError, match="AIOPS_REDACTION_KEY_FILE is not set"):
        batch(store, "", 10)

    assert await rows_of(store) == []


def test_histories_are_found_by_the_name_of_the_package() -> None:
    assert declared_histories("parcels") == (PARCELS,)
    assert declared_histories("aiops") == ()
