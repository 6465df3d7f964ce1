"""A migrator that is killed at any moment: run again, it ends in the schema and the data of a run that nobody cut."""

import multiprocessing
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from homes import Home

from chassis.embedded.postgres import PostgresServer

KILLS = 20
LOADED = ["chassis.bootstrap", "chassis.embedded.postgres", "chassis.migration_backfill", "chassis.migration_contract"]
EXPAND = """
CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL DEFAULT 'a', tenfold int NOT NULL DEFAULT 0);
INSERT INTO things (id) SELECT * FROM generate_series(1, 2400);
CREATE FUNCTION upper_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name := upper(NEW.name);
    RETURN NEW;
END;
$$;
CREATE TRIGGER things_upper BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION upper_name();
"""
INDEX = """-- aiops: no transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_things_tenfold ON things (tenfold);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix_things_name ON things (name, id);
"""
# Neither backfill is idempotent by itself: a batch that is done twice, or never, shows in the data.
IN_SQL = """
WITH batch AS (
    SELECT id FROM things WHERE id > coalesce(nullif(:cursor, ''), '0')::int ORDER BY id LIMIT least(:rows, 400)
), filled AS (
    UPDATE things SET tenfold = tenfold + 10 * things.id FROM batch WHERE things.id = batch.id RETURNING things.id
)
SELECT coalesce(max(id)::text, ''), count(*) FROM filled
"""
IN_PYTHON = '''
def batch(connection, cursor, rows):
    """Names get longer by one letter."""
    after, until = int(cursor or 0), int(cursor or 0) + min(rows, 400)
    done = connection.execute(
        "UPDATE things SET name = name || 'b' WHERE id > %s AND id <= %s", (after, until)
    ).rowcount
    return (str(until) if done else "", done)
'''


@pytest.fixture
def things(home: Home) -> Home:
    home.write("0001_things.expand.sql", EXPAND)
    home.write("0002_index.expand.sql", INDEX)
    home.write("0003_tenfold.backfill.sql", IN_SQL)
    home.write("0004_names.backfill.py", IN_PYTHON)
    home.write("0005_name.contract.sql", "ALTER TABLE things DROP COLUMN name;\n")
    return home


def result(home: Home) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The schema, and the data of every table."""
    return home.catalog(), home.ask("SELECT md5(string_agg(t::text, ',' ORDER BY id)), count(*) FROM things t")


def how_far(home: Home) -> tuple[Any, ...]:
    """Which step a kill has hit."""
    with psycopg.connect(home.owner_url) as connection:
        if connection.execute("SELECT to_regclass('migration_versions')").fetchone() == (None,):
            return ("nothing",)
        rows = connection.execute("SELECT version, phase, state FROM migration_versions ORDER BY started_at DESC")
        return rows.fetchone() or ("nothing",)


@pytest.mark.timeout(300)
def test_a_run_after_a_kill_ends_as_one_that_was_not_cut(
    things: Home, postgres_server: PostgresServer, record_property: Callable[[str, object], None]
) -> None:
    # Forked from a process that has loaded it all: a kill hits the migrator, and not its imports.
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(LOADED)
    first = forks.Process(target=time.sleep, args=(0,))
    first.start()
    first.join()
    started = time.monotonic()
    things.through_all_phases()
    takes = time.monotonic() - started
    clean = result(things)
    seed = secrets.randbits(32)
    dice = random.Random(seed)  # noqa: S311 - no secret
    hit: Counter[tuple[Any, ...]] = Counter()
    wrong = []

    for _ in range(KILLS):
        things.use_schema(postgres_server, f"m{secrets.token_hex(4)}")
        migrator = forks.Process(target=things.through_all_phases)
        migrator.start()
        time.sleep(dice.uniform(0.0, takes))
        cut = migrator.is_alive()
        migrator.kill()
        migrator.join()
        hit[how_far(things) if cut else ("ended",)] += 1
        things.through_all_phases()
        if result(things) != clean:
            wrong.append(how_far(things))

    record_property("seed", seed)
    record_property("hit", {" ".join(step): times for step, times in hit.items()})
    assert wrong == []
    assert hit[("ended",)] <= KILLS / 2, hit
    assert len(hit) >= 4, f"the kills all hit the same steps, which proves little: {hit}"


def test_an_index_that_a_cut_build_left_behind_is_built_anew(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int);\nINSERT INTO things VALUES (1), (1);\n")
    home.migrate()
    with psycopg.connect(home.owner_url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_things ON things (id)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_of_others ON things (id)")
    home.write(
        "0002_index.expand.sql",
        "-- aiops: no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ix_things ON things (id);\n",
    )

    home.migrate()

    valid = home.ask(
        "SELECT c.relname, i.indisvalid, i.indisunique FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relname IN ('ix_things', 'ix_of_others') AND c.relnamespace = %s::regnamespace ORDER BY 1",
        (home.schema,),
    )
    assert valid == [("ix_of_others", False, True), ("ix_things", True, False)]
