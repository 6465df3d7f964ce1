"""The rows of a history: what a change writes, in which transaction, and with how many statements."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from parcels import HISTORIES, Parcel, Sent, fact_to_event, move
from parcels import store as put
from surroundings import Published

from chassis.db import UnitOfWork
from chassis.history.chain import NO_HASH, row_hash
from chassis.history.recorder import Recorder
from chassis.history.tables import changes, snapshots
from chassis.identity import Call, acting_as
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import MigratedSchemas, QueryCounter, ServiceDatabase

PARCEL = UUID("0198c0de-0000-7000-8000-000000000001")
OTHER = UUID("0198c0de-0000-7000-8000-000000000002")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(HISTORIES, b"r" * 32, "parcels")


@pytest.fixture
def uow(store: ServiceDatabase, clock: FrozenClock, recorder: Recorder) -> UnitOfWork:
    return UnitOfWork(store.database, clock, fact_to_event, "parcels", recorder)


async def rows_of(store: ServiceDatabase, parcel_id: UUID = PARCEL) -> list[Any]:
    async with store.database.read() as tx:
        return await changes(tx, "parcel", parcel_id, after=0)


async def test_a_new_thing_begins_its_chain(store: ServiceDatabase, uow: UnitOfWork, published: Published) -> None:
    with acting_as(Call("gateway", method="SendParcel")):
        async with uow.begin() as tx:
            await move(tx, None, Parcel(PARCEL, city="Oslo"))

    (row,) = await rows_of(store)
    assert (row.version, row.event, row.reason, row.previous_hash) == (1, "Sent", "SendParcel", NO_HASH)
    assert (row.actor_kind, row.actor_id) == ("service", "gateway")
    assert row.changed_at == uow.clock.now()
    assert '{"op": "add", "path": "/city", "value": "Oslo"}' in row.patch
    assert row.hash == row_hash("parcel", row)
    assert [envelope.aggregate_version for _, envelope in await published(store.database)] == [1]


async def test_a_change_names_what_it_changed_and_what_undoes_it(store: ServiceDatabase, uow: UnitOfWork) -> None:
    first = Parcel(PARCEL, city="Oslo")
    async with uow.begin() as tx:
        await move(tx, None, first)

    async with uow.begin() as tx:
        await move(tx, first, first.changed(city="Bergen"))

    begun, row = await rows_of(store)
    assert row.patch == '[{"op": "replace", "path": "/city", "value": "Bergen"}]'
    assert row.inverse == '[{"op": "replace", "path": "/city", "value": "Oslo"}]'
    assert (row.version, row.previous_hash) == (2, begun.hash)
    assert row.hash == row_hash("parcel", row)


async def test_a_refused_transaction_leaves_no_row(store: ServiceDatabase, uow: UnitOfWork) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - a transaction is a block
        async with uow.begin() as tx:
            await move(tx, None, Parcel(PARCEL, city="Oslo"))
            raise ZeroDivisionError

    assert await rows_of(store) == []


async def test_a_change_costs_two_statements_and_a_batch_no_more(
    store: ServiceDatabase, uow: UnitOfWork, query_counter: QueryCounter
) -> None:
    parcels = [Parcel(UUID(int=n), city="Oslo", receiver="anna@example.org") for n in range(1, 21)]
    async with uow.begin() as tx:
        for parcel in parcels:
            await move(tx, None, parcel)

    with query_counter(store.database) as one:
        async with uow.begin() as tx:
            await move(tx, parcels[0], parcels[0].changed(note="left at the door"))
    with query_counter(store.database) as many:
        async with uow.begin() as tx:
            for parcel in parcels[1:]:
                await move(tx, parcel, parcel.changed(note="left at the door"))

    touching = ("parcel_changes", "parcel_snapshots", "subject_keys")
    assert sum(any(table in statement for table in touching) for statement in one) == 2
    assert sum(any(table in statement for table in touching) for statement in many) == 2


async def test_every_fiftieth_version_has_a_snapshot(store: ServiceDatabase, uow: UnitOfWork) -> None:
    parcel = Parcel(PARCEL, city="0")
    async with uow.begin() as tx:
        await move(tx, None, parcel)
        for n in range(1, 100):
            await move(tx, parcel, parcel := parcel.changed(city=str(n)))

    async with store.database.read() as tx:
        found = await snapshots(tx, "parcel", PARCEL, upto=1000)
    assert [(each.version, each.state) for each in found] == [
        (100, '{"city": "99", "note": "", "stamps": [], "receiver": ""}'),
        (50, '{"city": "49", "note": "", "stamps": [], "receiver": ""}'),
    ]


async def test_what_is_older_than_its_history_begins_with_a_whole_document(
    store: ServiceDatabase, uow: UnitOfWork
) -> None:
    old = Parcel(PARCEL, version=7, city="Oslo")
    async with uow.begin() as tx:
        await put(tx, old)

    async with uow.begin() as tx:
        await move(tx, old, old.changed(city="Bergen"))

    genesis, change = await rows_of(store)
    assert (genesis.version, genesis.event, genesis.actor_kind, genesis.actor_id) == (
        7,
        "Genesis",
        "service",
        "parcels",
    )
    assert (change.version, change.event, change.previous_hash) == (8, "Sent", genesis.hash)


async def test_versions_written_without_history_are_caught_up_with(store: ServiceDatabase, uow: UnitOfWork) -> None:
    first = Parcel(PARCEL, city="Oslo", receiver="anna@example.org")
    async with uow.begin() as tx:
        await move(tx, None, first)
    unseen = Parcel(PARCEL, version=4, city="Bergen", receiver="anna@example.org")
    async with uow.begin() as tx:
        await put(tx, unseen)

    async with uow.begin() as tx:
        await move(tx, unseen, unseen.changed(city="Bodo"))

    rows = await rows_of(store)
    assert [(row.version, row.event) for row in rows] == [(1, "Sent"), (4, "Resumed"), (5, "Sent")]
    assert rows[1].patch == '[{"op": "replace", "path": "/city", "value": "Bergen"}]'
    assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]


async def test_a_version_that_does_not_follow_is_refused(store: ServiceDatabase, uow: UnitOfWork) -> None:
    first = Parcel(PARCEL, city="Oslo")
    async with uow.begin() as tx:
        await move(tx, None, first)

    with pytest.raises(RuntimeError, match="version 3 does not follow"):
        async with uow.begin() as tx:
            await move(tx, first, Parcel(PARCEL, version=3, city="Bergen"))

    assert [row.version for row in await rows_of(store)] == [1]


async def test_an_object_without_declared_history_is_refused_at_once(uow: UnitOfWork) -> None:
    async with uow.begin() as tx:
        with pytest.raises(TypeError, match="no history is declared for str"):
            tx.changed(None, "a parcel", Sent(PARCEL, 1, "Oslo"))


@pytest.mark.parametrize("statement", ["UPDATE {} SET version = 9", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["parcel_changes", "parcel_snapshots"])
@pytest.mark.parametrize("owner", [False, True])
async def test_nobody_changes_what_was_written(
    store: ServiceDatabase, uow: UnitOfWork, *, statement: str, table: str, owner: bool
) -> None:

    async with uow.begin() as tx:
        await move(tx, None, Parcel(PARCEL, city="Oslo"))

    words = "append-only" if owner else "permission denied"
    with (
        psycopg.connect(store.owner_url if owner else store.app_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match=words),
    ):
        connection.execute(statement.format(table).encode())

    assert len(await rows_of(store)) == 1


async def test_right_and_trigger_each_refuse_and_without_both_a_row_can_be_changed(
    store: ServiceDatabase, uow: UnitOfWork, migrated_schemas: MigratedSchemas
) -> None:
    async with uow.begin() as tx:
        await move(tx, None, Parcel(PARCEL, city="Oslo"))
    statement = "UPDATE parcels.parcel_changes SET reason = 'x'"

    with psycopg.connect(migrated_schemas.admin_url) as connection:
        connection.execute("GRANT UPDATE ON parcels.parcel_changes TO parcels_app")
        connection.execute("SET LOCAL ROLE parcels_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"), connection.transaction():
            connection.execute(statement)
        connection.execute("RESET ROLE")
        connection.execute("DROP TRIGGER append_only ON parcels.parcel_changes")
        connection.execute("SET LOCAL ROLE parcels_app")
        changed = connection.execute(statement).rowcount
        connection.execute("RESET ROLE")
        connection.execute("REVOKE UPDATE ON parcels.parcel_changes FROM parcels_app")
        connection.execute("SET LOCAL ROLE parcels_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"), connection.transaction():
            connection.execute(statement)
        connection.rollback()

    assert changed == 1
