"""Transactions: who may write, what commits together, and how a missing Postgres is named."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from parcels import Sent, fact_to_event, parcels
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from surroundings import Published

from chassis.db import Database, UnitOfWork, among, guard_version
from chassis.errors import InvalidArgument, Overloaded, Unavailable, VersionConflict
from chassis.identity import Call, acting_as
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import QueryCounter, ServiceDatabase

PARCEL = UUID("0198c0de-0000-7000-8000-000000000001")


async def test_a_write_commits_at_the_end_of_the_block(store: ServiceDatabase, uow: UnitOfWork) -> None:
    async with uow.begin() as tx:
        await tx.execute(insert(parcels).values(id=PARCEL, city="Oslo"))

    async with store.database.read() as read:
        assert (await read.fetch_all(select(parcels.c.city)))[0].city == "Oslo"


async def test_a_raising_block_leaves_neither_row_nor_fact(
    store: ServiceDatabase, uow: UnitOfWork, published: Published
) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - a transaction is a block
        async with uow.begin() as tx:
            await tx.execute(insert(parcels).values(id=PARCEL, city="Oslo"))
            tx.publish(Sent(PARCEL, 1, "Oslo"))
            raise ZeroDivisionError

    async with store.database.read() as read:
        assert await read.fetch_all(select(parcels)) == []
    assert await published(store.database) == []
    assert not uow.committed.is_set()


async def test_postgres_refuses_a_write_in_a_read(store: ServiceDatabase) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with store.database.read() as tx:
            await tx.execute(insert(parcels).values(id=PARCEL, city="Oslo"))

    async with store.database.read() as tx:
        assert await tx.fetch_one(select(parcels)) is None


async def test_a_pooled_connection_writes_after_it_read(store: ServiceDatabase, clock: FrozenClock) -> None:
    database = Database(store.app_url, name="parcels", pool_size=1, max_overflow=0)
    uow = UnitOfWork(database, clock, fact_to_event, "parcels")
    async with database.read() as tx:
        await tx.fetch_all(select(parcels))

    async with uow.begin() as write:
        await write.execute(insert(parcels).values(id=PARCEL, city="Oslo"))

    async with database.read() as tx:
        assert len(await tx.fetch_all(select(parcels))) == 1
    await database.close()


async def test_who_and_when_come_from_the_call_and_the_clock(uow: UnitOfWork, clock: FrozenClock) -> None:
    with acting_as(Call("gateway", method="SendParcel")):
        async with uow.begin() as tx:
            assert (tx.actor.kind, tx.actor.id, tx.now) == ("service", "gateway", clock.now())

    async with uow.begin() as tx:
        assert (tx.actor.kind, tx.actor.id) == ("service", "parcels")


async def test_copy_writes_many_rows_in_the_transaction(store: ServiceDatabase, uow: UnitOfWork) -> None:
    rows = [(UUID(int=n), f"city\t{n}\n\\N") for n in range(1000)]

    async with uow.begin() as tx:
        written = await tx.copy("parcels", ["id", "city"], rows)

    assert written == 1000
    async with store.database.read() as read:
        stored = await read.fetch_all(select(parcels.c.id, parcels.c.city).order_by(parcels.c.id))
    assert [tuple(row) for row in stored] == rows


async def test_a_copy_is_undone_with_its_transaction(store: ServiceDatabase, uow: UnitOfWork) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - a transaction is a block
        async with uow.begin() as tx:
            await tx.copy("parcels", ["id", "city"], [(PARCEL, "Oslo")])
            raise ZeroDivisionError

    async with store.database.read() as read:
        assert await read.fetch_all(select(parcels)) == []


async def test_the_query_counter_counts_statements(store: ServiceDatabase, query_counter: QueryCounter) -> None:
    with query_counter(store.database) as statements:
        async with store.database.read() as tx:
            await tx.fetch_all(select(parcels))
            await tx.fetch_all(select(parcels))

    assert len(statements) == 2


async def test_a_missing_postgres_is_unavailable_and_names_no_password(clock: FrozenClock) -> None:
    database = Database("postgresql://parcels_app:geheim@127.0.0.1:1/aiops", name="parcels")

    with pytest.raises(Unavailable) as refused:
        async with database.read():
            pass
    with pytest.raises(Unavailable):
        async with UnitOfWork(database, clock, fact_to_event, "parcels").begin():
            pass

    assert refused.value.metadata == {"dependency": "postgres"}
    assert "geheim" not in f"{refused.value} {refused.value.__cause__}"


async def test_a_session_ended_by_the_server_is_unavailable_and_the_pool_recovers(
    store: ServiceDatabase, uow: UnitOfWork
) -> None:
    with pytest.raises(Unavailable):  # noqa: PT012 - a transaction is a block
        async with uow.begin() as tx:
            await tx.execute(insert(parcels).values(id=PARCEL, city="Oslo"))
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    async with store.database.read() as read:
        assert await read.fetch_all(select(parcels)) == []


@pytest.mark.parametrize("past_sqlalchemy", [False, True])
async def test_a_full_disk_is_unavailable_and_says_what_to_do(
    store: ServiceDatabase, uow: UnitOfWork, *, past_sqlalchemy: bool
) -> None:
    full = "DO $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"

    with pytest.raises(Unavailable, match="the disk of the database is full") as refused:  # noqa: PT012 - a transaction is a block
        async with uow.begin() as tx:
            await tx.execute(insert(parcels).values(id=PARCEL, city="Oslo"))
            if past_sqlalchemy:
                driver: Any = (await tx.connection.get_raw_connection()).driver_connection
                await driver.execute(full)
            await tx.execute(text(full))

    assert refused.value.metadata == {"dependency": "postgres"}
    async with store.database.read() as read:
        assert await read.fetch_all(select(parcels)) == []


async def test_a_full_pool_is_overloaded(store: ServiceDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.db.POOL_WAIT_SECONDS", 0.1)
    database = Database(store.app_url, name="parcels", pool_size=1, max_overflow=0)

    async with database.read():
        with pytest.raises(Overloaded) as refused:
            async with database.read():
                pass

    assert refused.value.metadata == {"retry_after_seconds": "1"}
    await database.close()


async def test_an_exception_shows_no_parameters(uow: UnitOfWork) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with uow.begin() as tx:
            await tx.execute(text("SELECT CAST(:secret AS uuid)"), {"secret": "geheim"})

    assert "parameters" in str(raised.value)
    assert "hidden" in str(raised.value)


async def test_a_cancelled_write_is_rolled_back(store: ServiceDatabase, uow: UnitOfWork) -> None:
    entered = asyncio.Event()

    async def write() -> None:
        async with uow.begin() as tx:
            await tx.execute(insert(parcels).values(id=PARCEL, city="Oslo"))
            entered.set()
            await asyncio.sleep(30)

    task = asyncio.ensure_future(write())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with store.database.read() as read:
        assert await read.fetch_all(select(parcels)) == []


def test_the_present_version_passes() -> None:
    guard_version(expected=3, actual=3)


def test_a_stale_version_is_a_conflict_that_names_both() -> None:
    with pytest.raises(VersionConflict) as refused:
        guard_version(expected=3, actual=4)

    assert refused.value.metadata == {"expected": "3", "actual": "4"}


def test_a_stale_version_names_the_thing_where_its_kind_is_given() -> None:
    with pytest.raises(VersionConflict) as refused:
        guard_version(expected=3, actual=4, kind="parcel", id=PARCEL)

    assert refused.value.metadata == {
        "expected": "3",
        "actual": "4",
        "aggregate_type": "parcel",
        "aggregate_id": str(PARCEL),
    }


@pytest.mark.parametrize("expected", [0, -1])
def test_a_missing_version_is_an_invalid_argument(expected: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        guard_version(expected=expected, actual=4)

    assert refused.value.metadata == {"field": "expected_version"}


async def test_a_column_is_looked_for_among_more_ids_than_a_statement_takes_parameters(
    store: ServiceDatabase, uow: UnitOfWork
) -> None:
    async with uow.begin() as tx:
        await tx.execute(insert(parcels), [{"id": UUID(int=n), "city": "Oslo"} for n in (1, 2, 3)])

    async with store.database.read() as read:
        many = [UUID(int=1), UUID(int=3), *(UUID(int=n) for n in range(4, 70_000))]
        found = await read.fetch_all(select(parcels.c.id).where(among(parcels.c.id, many)).order_by(parcels.c.id))
        none = await read.fetch_all(select(parcels.c.id).where(among(parcels.c.id, [])))

    assert ([row.id for row in found], none) == ([UUID(int=1), UUID(int=3)], [])
