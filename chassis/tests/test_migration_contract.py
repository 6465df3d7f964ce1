"""Contractions: never while a process lives that does not know of them, and not before the backfill is finished."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio
from homes import Home
from surroundings import until

from chassis.db import Database
from chassis.errors import Unavailable
from chassis.instances import Instance
from chassis.migration_contract import status
from chassis.migrations import MigrationError, schema_ready

DROP = "ALTER TABLE things DROP COLUMN old"


@pytest.fixture
def things(home: Home) -> Home:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int, old text)")
    home.migrate()
    return home


@pytest_asyncio.fixture
async def database(things: Home) -> AsyncIterator[Database]:
    database = Database(things.app_url, name=things.schema)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def old(things: Home, database: Database) -> AsyncIterator[Instance]:
    """A process of the version before: its code has no contraction."""
    instance = Instance(database, things.package, ("serve",))
    await instance.join()
    yield instance
    await instance.leave()


def columns(home: Home) -> list[str]:
    return [name for kind, table, name, *_ in home.catalog() if (kind, table) == ("column", "things")]


async def test_it_waits_until_the_last_old_process_is_gone(things: Home, database: Database, old: Instance) -> None:
    things.write("0002_old.contract.sql", DROP)
    new = Instance(database, things.package, ("serve", "work"))
    await new.join()

    with pytest.raises(MigrationError) as refused:
        things.contract()

    assert f"0002.contract would take away what 1 running process needs: {old.id} (serve, version" in str(refused.value)
    assert "Stop them, or finish the deployment; a killed process counts for 30 s" in str(refused.value)
    assert columns(things) == ["id", "old"]
    assert things.ask("SELECT count(*) FROM migration_versions WHERE phase = 'contract'") == [(0,)]

    await old.leave()
    assert things.contract() == [("0002", "contract")]
    assert columns(things) == ["id"]
    await schema_ready(database, things.package)
    await new.leave()


async def test_a_killed_process_counts_for_30_seconds(things: Home, old: Instance) -> None:
    things.write("0002_old.contract.sql", DROP)

    await old._hang_up()
    things.ask("UPDATE service_instances SET seen_at = now() - interval '28 s'")
    with pytest.raises(MigrationError, match="seen 28 s ago"):
        things.contract()
    things.ask("UPDATE service_instances SET seen_at = now() - interval '31 s'")

    assert things.contract() == [("0002", "contract")]


async def test_an_old_process_that_comes_afterwards_does_not_start(
    things: Home, database: Database, old: Instance
) -> None:
    things.write("0002_old.contract.sql", DROP)
    await old.leave()
    things.contract()
    (things.folder / "0002_old.contract.sql").unlink()

    with pytest.raises(Unavailable, match="contracted by migration 0002"):
        await old.join()
    with pytest.raises(Unavailable, match="it is too old for this database"):
        await schema_ready(database, things.package)

    assert things.ask("SELECT count(*) FROM service_instances") == [(0,)]


async def test_nobody_joins_between_the_look_and_the_contraction(things: Home, database: Database) -> None:
    late = Instance(database, things.package, ("serve",))
    things.write("0002_old.contract.sql", f"DO $$ BEGIN PERFORM pg_sleep(0.6); END $$;\n{DROP}")
    contracting = asyncio.ensure_future(asyncio.to_thread(things.contract))
    await asyncio.sleep(0.3)
    with pytest.raises(Unavailable, match="is being contracted"):
        await late.join()

    assert await contracting == [("0002", "contract")]


def test_processes_without_heartbeats_are_seen_by_their_connections(things: Home) -> None:
    things.write("0002_old.contract.sql", DROP)

    with psycopg.connect(things.app_url, application_name=f"aiops-{things.schema}"):
        with pytest.raises(MigrationError, match=r"1 connection of .* that does not say"):
            things.contract()
        assert columns(things) == ["id", "old"]


@pytest.mark.parametrize("suffix", ["", "-leader"])
async def test_processes_without_heartbeats_are_seen_beside_those_that_have_them(
    things: Home, database: Database, suffix: str
) -> None:
    things.write("0002_old.contract.sql", DROP)
    new = Instance(database, things.package, ("serve", "work"))
    await new.join()
    name = f"aiops-{things.schema}{suffix}"

    leading = await database.dedicated()
    async with database.connection():
        with psycopg.connect(things.app_url, application_name=name):
            with pytest.raises(MigrationError, match=r"1 connection of .* that does not say"):
                things.contract()
            assert columns(things) == ["id", "old"]

        async def gone() -> bool:
            return things.ask("SELECT 1 FROM pg_stat_activity WHERE application_name = %s", (name,)) == []

        await until(gone)
        assert things.contract() == [("0002", "contract")]

    await leading.close()
    await new.leave()


def test_it_comes_after_every_expansion_and_backfill(things: Home) -> None:
    things.write("0002_old.contract.sql", DROP)
    things.write("0002_new.expand.sql", "ALTER TABLE things ADD COLUMN new text")
    with pytest.raises(MigrationError, match=r"0002 .expand. is not finished; run `aiops migrate expand"):
        things.contract()
    things.migrate()
    things.write("0002_new.backfill.sql", "SELECT '', 0 WHERE :cursor = '' AND :rows > 0")
    with pytest.raises(MigrationError, match=r"0002 .backfill. is not finished; run `aiops migrate backfill"):
        things.contract()
    assert columns(things) == ["id", "new", "old"]

    things.backfill()

    assert things.contract() == [("0002", "contract")]


async def test_the_status_tells_what_is_left_and_who_lives(things: Home, old: Instance) -> None:
    things.write("0002_old.contract.sql", DROP)
    things.write("0002_new.backfill.sql", "SELECT '', 0 WHERE :cursor = '' AND :rows > 0")

    found = status(things.owner_url, things.schema, things.package)

    own = [(step.version, step.phase, step.state) for step in found.steps if not step.version.startswith("chassis/")]
    assert own == [("0001", "expand", "done"), ("0002", "backfill", "pending"), ("0002", "contract", "pending")]
    assert [(each.id, each.role, each.lacks) for each in found.instances] == [(old.id, "serve", ("0002.contract",))]


def test_a_schema_that_was_never_migrated_has_a_status(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int)")

    found = status(home.owner_url, home.schema, home.package)

    assert ({step.state for step in found.steps}, found.instances) == ({"pending"}, ())
