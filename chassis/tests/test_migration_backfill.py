"""Backfills: batch by batch, each row once whatever happens, giving way to the traffic."""

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from homes import Home

from chassis import migration_backfill
from chassis.db import Database
from chassis.instances import Instance
from chassis.migration_backfill import Progress, backfill
from chassis.migrations import MigrationError

# Not idempotent by itself on purpose: a row that is done twice shows.
IN_SQL = """-- Things get their tenfold.
WITH batch AS (
    SELECT id FROM things WHERE id > coalesce(nullif(:cursor, ''), '0')::int ORDER BY id LIMIT :rows
), filled AS (
    UPDATE things SET tenfold = tenfold + 10 * things.id FROM batch WHERE things.id = batch.id RETURNING things.id
)
SELECT coalesce(max(id)::text, ''), count(*) FROM filled
"""
IN_PYTHON = '''
def batch(connection, cursor, rows):
    """Things get their hundredfold."""
    done = connection.execute(
        "UPDATE things SET hundredfold = hundredfold + 100 * id WHERE id > %s AND id <= %s RETURNING id",
        (int(cursor or 0), int(cursor or 0) + rows),
    ).fetchall()
    return (str(max(id for id, in done)) if done else "", len(done))
'''


@pytest.fixture
def things(home: Home) -> Home:
    home.write(
        "0001_things.expand.sql",
        "CREATE TABLE things (id int PRIMARY KEY, tenfold int DEFAULT 0, hundredfold int DEFAULT 0);\n"
        "INSERT INTO things (id) SELECT * FROM generate_series(1, 2500);\n",
    )
    home.migrate()
    return home


def wrong(home: Home) -> list[tuple[object, ...]]:
    return home.ask("SELECT id, tenfold, hundredfold FROM things WHERE tenfold <> 10 * id OR hundredfold <> 100 * id")


def test_a_statement_and_a_function_do_every_row_once(things: Home) -> None:
    things.write("0002_tenfold.backfill.sql", IN_SQL)
    things.write("0003_hundredfold.backfill.py", IN_PYTHON)
    shown: list[Progress] = []

    applied = backfill(things.owner_url, things.schema, things.package, progress=shown.append)
    again = things.backfill()

    assert [(each.version, each.phase, each.rows) for each in applied] == [
        ("0002", "backfill", 2500),
        ("0003", "backfill", 2500),
    ]
    assert again == []
    assert wrong(things) == []
    assert [each.rows_done for each in shown if each.version == "0002"][-1] == 2500
    assert things.ask("SELECT state, cursor, rows_done FROM migration_versions WHERE phase = 'backfill'") == [
        ("done", "", 2500),
        ("done", "", 2500),
    ]


def test_a_run_that_ended_in_the_middle_is_taken_up_where_it_was(things: Home) -> None:
    things.write("0002_tenfold.backfill.sql", IN_SQL)
    things.write("0003_hundredfold.backfill.py", IN_PYTHON)

    class Ended(Exception):
        pass

    def end(progress: Progress) -> None:
        if progress.version == "0003":
            raise Ended

    with pytest.raises(Ended):
        backfill(things.owner_url, things.schema, things.package, progress=end)
    middle = things.ask("SELECT state, rows_done FROM migration_versions WHERE phase = 'backfill' ORDER BY version")
    applied = things.backfill()

    assert middle == [("done", 2500), ("running", 1000)]
    assert applied == [("0003", "backfill")]
    assert wrong(things) == []


def test_a_batch_that_fails_leaves_the_ones_before_and_says_what_is_wrong(things: Home) -> None:
    things.write("0002_tenfold.backfill.sql", IN_SQL.replace("+ 10 * things.id", "/ (things.id - 1700)"))

    with pytest.raises(MigrationError, match=r"migration 0002 \(backfill\) failed: division by zero"):
        things.backfill()

    rows = things.ask("SELECT state, rows_done FROM migration_versions WHERE version = '0002'")
    assert [(state, 1000 <= done < 1700) for state, done in rows] == [("running", True)]


@pytest.mark.parametrize(
    ("answer", "told"),
    [("SELECT :cursor", "must answer one row"), ("SELECT 'x', :rows", "does not get on: it stays at x")],
)
def test_a_file_that_is_no_backfill_is_refused(things: Home, answer: str, told: str) -> None:
    things.write("0002_wrong.backfill.sql", answer)

    with pytest.raises(MigrationError, match=told):
        things.backfill()


def test_expansions_come_first(things: Home) -> None:
    things.write("0002_more.expand.sql", "ALTER TABLE things ADD COLUMN more text")
    things.write("0002_more.backfill.sql", IN_SQL)

    with pytest.raises(MigrationError, match=r"migration 0002 .expand. comes first; run `aiops migrate expand"):
        things.backfill()

    assert things.ask("SELECT count(*) FROM things WHERE tenfold <> 0") == [(0,)]


def test_a_row_that_somebody_holds_is_waited_for_in_short_tries(things: Home) -> None:
    things.write("0002_tenfold.backfill.sql", IN_SQL)
    with psycopg.connect(things.owner_url) as holder:
        holder.execute("SELECT FROM things WHERE id = 1500 FOR UPDATE")
        ending = threading.Timer(1.0, holder.rollback)
        ending.start()

        assert things.backfill() == [("0002", "backfill")]
        ending.join()

    assert things.ask("SELECT count(*) FROM things WHERE tenfold <> 10 * id") == [(0,)]


async def test_it_gives_way_while_facts_of_a_living_service_wait(things: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_backfill, "PAUSE_SECONDS", 0.05)
    things.write("0002_tenfold.backfill.sql", IN_SQL)
    things.ask(
        "INSERT INTO outbox (event_id, aggregate_type, aggregate_id, aggregate_version, subject, payload, created_at)"
        " VALUES (gen_random_uuid(), 'thing', gen_random_uuid(), 1, 's', '', now() - interval '1 minute')"
    )
    database = Database(things.app_url, name=things.schema)
    instance = Instance(database, things.package, ("work",))
    await instance.join()
    shown: list[Progress] = []

    def publish_after_five_pauses(progress: Progress) -> None:
        shown.append(progress)
        if len(shown) == 5:
            things.ask("UPDATE outbox SET published_at = now()")

    backfill(things.owner_url, things.schema, things.package, progress=publish_after_five_pauses)
    await instance.leave()
    await database.close()

    assert [each.rows_done for each in shown[:5]] == [0] * 5
    assert all("facts that have waited" in each.waits_for for each in shown[:5])
    assert {each.waits_for for each in shown[5:]} == {""}
    assert shown[-1].rows_done == 2500


async def test_under_load_that_does_not_end_it_gets_on_slowly(things: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_backfill, "PROBE_SECONDS", -1.0)
    monkeypatch.setattr(migration_backfill, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(migration_backfill, "LONGEST_PAUSE_SECONDS", 0.2)
    things.write("0002_tenfold.backfill.sql", IN_SQL)
    shown: list[Progress] = []
    started = time.monotonic()

    backfill(things.owner_url, things.schema, things.package, progress=shown.append)

    assert time.monotonic() - started > 0.8
    assert "the database, which took" in shown[0].waits_for
    assert shown[-1].rows_done == 2500


def test_facts_of_a_stopped_service_stop_nothing(things: Home) -> None:
    things.write("0002_tenfold.backfill.sql", IN_SQL)
    things.ask(
        "INSERT INTO outbox (event_id, aggregate_type, aggregate_id, aggregate_version, subject, payload, created_at)"
        " VALUES (gen_random_uuid(), 'thing', gen_random_uuid(), 1, 's', '', now() - interval '1 minute')"
    )
    shown: list[Progress] = []

    backfill(things.owner_url, things.schema, things.package, progress=shown.append)

    assert {each.waits_for for each in shown} == {""}


def test_an_expansion_does_not_wait_for_a_backfill(things: Home) -> None:
    things.write("0002_tenfold.backfill.sql", IN_SQL)
    expanded: list[tuple[str, str]] = []

    def expand(_: Progress) -> None:
        if not expanded:
            things.write("0004_more.expand.sql", "CREATE TABLE more (id int)")
            expanded.extend(things.migrate())

    things.backfill(progress=expand)

    assert expanded == [("0004", "expand")]


@pytest.mark.fault
def test_what_the_traffic_feels_of_a_backfill(home: Home, record_property: Callable[[str, object], None]) -> None:
    """A figure, and no judgement: what a busy machine adds cannot be told apart."""
    home.write(
        "0001_things.expand.sql",
        "CREATE TABLE things (id int PRIMARY KEY, tenfold int DEFAULT 0, seen int DEFAULT 0);\n"
        "INSERT INTO things (id) SELECT * FROM generate_series(1, 100000);\n",
    )
    home.migrate()
    home.write("0002_tenfold.backfill.sql", IN_SQL)
    taken: list[float] = []

    def traffic(seconds: float) -> float:
        """The 99th percentile of updates of single rows, in seconds."""
        taken.clear()
        until = time.monotonic() + seconds
        with psycopg.connect(home.app_url, autocommit=True) as connection:
            while time.monotonic() < until:
                started = time.monotonic()
                connection.execute("UPDATE things SET seen = seen + 1 WHERE id = 1 + (random() * 99998)::int")
                taken.append(time.monotonic() - started)
                time.sleep(0.005)
        return sorted(taken)[int(len(taken) * 0.99)]

    before = traffic(5.0)
    filling = threading.Thread(target=home.backfill)
    filling.start()
    during = traffic(5.0)
    filling.join(100)

    record_property("p99_seconds", {"before": round(before, 4), "during": round(during, 4)})
    record_property("p99_ratio", round(during / before, 2))
    assert home.ask("SELECT count(*) FROM things WHERE tenfold <> 10 * id") == [(0,)]
