"""Each service's running role on the real schemas: rows of its own schema, and nothing else anywhere."""

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import psycopg
import pytest

from chassis.testing.plugin import ServiceDatabase

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists())
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename"


@pytest.fixture
def stores(make_database: Callable[[str, str], ServiceDatabase]) -> dict[str, ServiceDatabase]:
    return {service: make_database(service, f"{service}_service") for service in SERVICES}


@pytest.fixture
def sessions(stores: dict[str, ServiceDatabase]) -> Iterator[dict[str, psycopg.Connection]]:
    opened = {service: psycopg.connect(store.app_url, autocommit=True) for service, store in stores.items()}
    yield opened
    for session in opened.values():
        session.close()


def tables(store: ServiceDatabase, schema: str) -> list[str]:
    with psycopg.connect(store.owner_url) as owner:
        return [name for (name,) in owner.execute(TABLES, (schema,)).fetchall()]


async def test_the_services_are_those_of_the_tree() -> None:
    assert {"auth", "logs", "tickets", "changelog", "ai"} <= set(SERVICES)


@pytest.mark.parametrize(("who", "where"), list(permutations(SERVICES, 2)))
async def test_a_role_is_refused_in_every_other_schema(
    stores: dict[str, ServiceDatabase], sessions: dict[str, psycopg.Connection], who: str, where: str
) -> None:
    names = tables(stores[where], where)
    assert {"outbox", "inbox", "idempotency_keys", "dead_letters"} <= set(names)

    for name in names:
        for statement in (
            f'SELECT FROM {where}."{name}"',
            f'DELETE FROM {where}."{name}"',  # noqa: S608 - names of our own tables
            f'INSERT INTO {where}."{name}" DEFAULT VALUES',
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                sessions[who].execute(statement)


@pytest.mark.parametrize("who", SERVICES)
async def test_at_home_a_role_may_not_change_what_a_table_is_or_who_may_use_it(
    stores: dict[str, ServiceDatabase], sessions: dict[str, psycopg.Connection], who: str
) -> None:
    for name in tables(stores[who], who):
        for statement in (
            f'ALTER TABLE {who}."{name}" ADD COLUMN intruder int',
            f'ALTER TABLE {who}."{name}" DISABLE TRIGGER ALL',
            f'DROP TABLE {who}."{name}"',
            f'TRUNCATE {who}."{name}"',
            f'CREATE INDEX ON {who}."{name}" ((1))',
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                sessions[who].execute(statement)
    for statement in (
        f"CREATE TABLE {who}.intruder (x int)",
        f"SET ROLE {who}_owner",
        f"GRANT {who}_owner TO {who}_app",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sessions[who].execute(statement)


@pytest.mark.parametrize(("who", "other"), list(permutations(SERVICES, 2)))
async def test_a_grant_gives_nothing_away(
    stores: dict[str, ServiceDatabase], sessions: dict[str, psycopg.Connection], who: str, other: str
) -> None:
    """Postgres answers a GRANT without grant option with a warning; what counts is that nothing was granted."""
    name = tables(stores[who], who)[0]

    sessions[who].execute(f'GRANT ALL ON {who}."{name}" TO {other}_app')

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sessions[other].execute(f'SELECT FROM {who}."{name}"')


@pytest.mark.parametrize("who", SERVICES)
async def test_a_role_owns_nothing(stores: dict[str, ServiceDatabase], who: str) -> None:
    with psycopg.connect(stores[who].owner_url) as owner:
        owned = owner.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", (f"{who}_app",)).fetchone()

    assert owned == (0,)
