"""Heartbeats: who lives is known by the database's clock, who left is gone, who is too old does not start."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from office import ParcelsSettings, build
from surroundings import until

from chassis import instances
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.instances import LOCK, Instance
from chassis.migrations import all_migrations, schema_ready
from chassis.testing.harness import Installation, running_service
from chassis.testing.plugin import ServiceDatabase

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "gateway"))


@pytest.fixture
def ask(store: ServiceDatabase) -> Ask:
    def ask(query: str, **values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(store.owner_url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    return ask


@pytest_asyncio.fixture
async def instance(store: ServiceDatabase) -> AsyncIterator[Instance]:
    instance = Instance(store.database, "parcels", ("work", "serve"))
    yield instance
    await instance.leave()


@contextmanager
def contracted(store: ServiceDatabase) -> Iterator[None]:
    """The schema as a later version leaves it."""
    with psycopg.connect(store.owner_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO migration_versions (version, phase, checksum, state, started_at, finished_at)"
            " VALUES ('0009', 'contract', '', 'done', now(), now())"
        )
        try:
            yield
        finally:
            connection.execute("DELETE FROM migration_versions WHERE version = '0009'")


async def test_a_process_is_known_with_what_its_code_knows(instance: Instance, ask: Ask) -> None:
    await instance.join()

    rows = ask("SELECT instance_id, service, role, schema_knows, now() - seen_at < '5s' FROM service_instances")
    assert rows == [(instance.id, "parcels", "serve work", [m.key for m in all_migrations("parcels")], True)]
    assert "chassis/0003.expand" in rows[0][3]


async def test_it_is_seen_again_and_again_and_comes_back_when_it_was_forgotten(
    store: ServiceDatabase, instance: Instance, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instances, "BEAT_SECONDS", 0.1)
    await instance.join()
    beating = asyncio.ensure_future(instance.run())

    async def is_seen_later() -> bool:
        return ask("SELECT seen_at > started_at FROM service_instances") == [(True,)]

    await until(is_seen_later)
    ask("DELETE FROM service_instances RETURNING 1")
    await until(is_seen_later)
    with psycopg.connect(store.app_url) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'aiops-parcels/2-heartbeat'"
        )
    ask("UPDATE service_instances SET seen_at = started_at RETURNING 1")
    await until(is_seen_later)

    beating.cancel()


async def test_a_process_that_was_frozen_joins_anew(instance: Instance, ask: Ask) -> None:
    await instance.join()
    assert await instance._beat()

    # Longer than a contraction counts it as alive: what it knows may be gone by now.
    ask("UPDATE service_instances SET seen_at = now() - interval '31 s' RETURNING 1")

    assert not await instance._beat()


async def test_a_killed_process_is_forgotten_after_an_hour(
    store: ServiceDatabase, instance: Instance, ask: Ask
) -> None:
    for minutes in (59, 61):
        killed = Instance(store.database, "parcels", ("work",))
        await killed.join()
        await killed._hang_up()
        ask(
            "UPDATE service_instances SET version = %(minutes)s, seen_at = now() - make_interval(mins => %(minutes)s)"
            " WHERE instance_id = %(id)s RETURNING 1",
            minutes=minutes,
            id=killed.id,
        )

    await instance.join()

    assert ask("SELECT count(*), count(*) FILTER (WHERE version = '59') FROM service_instances") == [(2, 1)]


async def test_nobody_joins_while_the_schema_is_contracted(
    store: ServiceDatabase, instance: Instance, ask: Ask
) -> None:
    with psycopg.connect(store.owner_url) as migrator:
        migrator.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext('parcels'))", (LOCK,))
        with pytest.raises(Unavailable, match="the schema of parcels is being contracted"):
            await instance.join()
        assert ask("SELECT count(*) FROM service_instances") == [(0,)]

    await instance.join()

    assert ask("SELECT count(*) FROM service_instances") == [(1,)]


async def test_a_process_that_is_too_old_for_the_schema_does_not_start(
    store: ServiceDatabase, instance: Instance, ask: Ask
) -> None:
    told = "contracted by migration 0009, which this version does not know: it is too old for this database"
    with contracted(store):
        with pytest.raises(Unavailable, match=told):
            await schema_ready(store.database, "parcels")
        with pytest.raises(Unavailable, match=told):
            await instance.join()

        assert ask("SELECT count(*) FROM service_instances") == [(0,)]


async def test_without_postgres_joining_says_so() -> None:
    with pytest.raises(Unavailable):
        await Instance(Database("postgresql://u:p@127.0.0.1:9/none", name="parcels"), "parcels", ("work",)).join()


async def test_a_running_service_lives_until_it_has_drained(
    installation: Installation, store: ServiceDatabase, ask: Ask
) -> None:
    settings = ParcelsSettings(**installation.settings("parcels", database_url=store.app_url, drain_seconds=0.3))
    service = build(settings, access_tokens=installation.access_tokens())

    async with running_service(service, installation) as running:
        alive = ask("SELECT role FROM service_instances")
        await running.process._finish_work()
        while_draining = ask("SELECT role FROM service_instances")

    assert (alive, while_draining) == ([("serve",)], [("serve",)])
    assert ask("SELECT role FROM service_instances") == []
