"""Statements end with the call that they are for, and a service's own work leaves connections for its callers."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from answering import serving, unary
from google.protobuf.wrappers_pb2 import StringValue
from sqlalchemy import text
from surroundings import until

from chassis.db import Database, UnitOfWork
from chassis.errors import DeadlineExceeded, Overloaded
from chassis.identity import Call, acting_as
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

RUNNING = text("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%' || :mark || '%sleep%'")


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot", "gateway"))


async def running(store: ServiceDatabase, mark: str) -> int:
    watching = Database(store.app_url, name="watching")
    try:
        async with watching.read() as tx:
            # The watching statement has the mark as a parameter, and so not in its text.
            return int((await tx.execute(RUNNING, {"mark": mark})).scalar_one())
    finally:
        await watching.close()


@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
async def test_nothing_runs_half_a_second_after_the_deadline(
    installation: Installation, store: ServiceDatabase, uow: UnitOfWork, *, writes: bool
) -> None:
    mark = f"/* late {writes} */"

    async def slow(_request: StringValue, _context: Any) -> StringValue:
        async with uow.begin() if writes else store.database.read() as tx:
            await tx.execute(text(f"SELECT {mark} pg_sleep(30)"))
        return StringValue()

    async with serving(installation, slow) as parcels:
        client = parcels.client()
        started = time.monotonic()
        with installation.as_viewer("ops"):
            asking = asyncio.ensure_future(client.call(unary(client, "Send"), StringValue(), timeout_seconds=1.0))
            await asyncio.sleep(0.6)
            before = await running(store, mark)
            with pytest.raises(DeadlineExceeded):
                await asking
        await asyncio.sleep(started + 1.5 - time.monotonic())
        after = await running(store, mark)

    assert (before, after) == (1, 0)
    async with store.database.read() as tx:
        assert (await tx.execute(text("SELECT 1"))).scalar_one() == 1


SLEEPER = """
import asyncio, sys
import psycopg
from sqlalchemy import text
from chassis.db import Database

async def sleep() -> None:
    if sys.argv[2] == "database":
        async with Database(sys.argv[1], name="killed").read() as tx:
            await tx.execute(text(sys.argv[3]))
    else:
        connection = await psycopg.AsyncConnection.connect(sys.argv[1])
        await connection.execute(sys.argv[3])

asyncio.run(sleep())
"""


@pytest.mark.parametrize(("how", "left"), [("database", 0), ("driver", 1)], ids=["ours", "control"])
async def test_a_process_that_is_killed_leaves_no_statement_running(
    store: ServiceDatabase, tmp_path: Path, how: str, left: int
) -> None:
    mark = f"/* killed {how} */"
    program = tmp_path / "sleeper.py"
    program.write_text(SLEEPER)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), store.app_url, how, f"SELECT {mark} pg_sleep(15)"
    )

    async def runs() -> bool:
        return await running(store, mark) == 1

    try:
        await until(runs, seconds=20)
    finally:
        process.kill()
        await process.wait()
    await asyncio.sleep(2)

    assert await running(store, mark) == left


async def test_control_a_driver_that_cancels_nothing_leaves_the_statement_running(
    installation: Installation, store: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_connection: object, **_options: float) -> None:
        return

    monkeypatch.setattr("psycopg.AsyncConnection._try_cancel", nothing)
    monkeypatch.setattr("chassis.db.SERVING_OPTIONS", "-c statement_timeout=0")
    database = Database(store.app_url, name="parcels")

    async def slow(_request: StringValue, _context: Any) -> StringValue:
        async with database.read() as tx:
            await tx.execute(text("SELECT /* uncancelled */ pg_sleep(4)"))
        return StringValue()

    async with serving(installation, slow) as parcels:
        client = parcels.client()
        with installation.as_viewer("ops"), pytest.raises(DeadlineExceeded):
            await client.call(unary(client, "Send"), StringValue(), timeout_seconds=0.5)
        await asyncio.sleep(0.5)

        assert await running(store, "/* uncancelled */") == 1
    await database.close()


async def test_own_work_that_takes_all_its_connections_leaves_the_callers_theirs(store: ServiceDatabase) -> None:
    database = Database(store.app_url, name="parcels", pool_size=1, max_overflow=0)
    own, asked = Call("parcels", method="catching up"), Call("gateway", method="Send")
    try:
        with acting_as(own):
            async with database.read() as held:
                await held.execute(text("SELECT 1"))
                with acting_as(asked):
                    async with database.read() as tx:
                        answered = (await tx.execute(text("SELECT 2"))).scalar_one()
                second = asyncio.ensure_future(_one(database))
                await asyncio.sleep(0.2)
                waits = not second.done()
        assert (answered, waits) == (2, True)
        assert await second == 1
    finally:
        await database.close()


async def test_control_callers_that_share_one_pool_wait_for_each_other(
    store: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.db.POOL_WAIT_SECONDS", 0.2)
    database = Database(store.app_url, name="parcels", pool_size=1, max_overflow=0)
    try:
        with acting_as(Call("gateway", method="Send")):
            async with database.read() as held:
                await held.execute(text("SELECT 1"))
                with pytest.raises(Overloaded):
                    await _one(database)
    finally:
        await database.close()


async def _one(database: Database) -> int:
    async with database.read() as tx:
        return int((await tx.execute(text("SELECT 1"))).scalar_one())
