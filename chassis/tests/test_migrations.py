"""Migrations: each once, in order, as the owner; a killed run is taken up again; a changed file is refused."""

import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.db import Database
from chassis.embedded.postgres import PostgresServer
from chassis.errors import Unavailable
from chassis.migrations import MigrationError, all_migrations, migrate, schema_ready

DATABASE = "aiops_migrations"


@dataclass
class Home:
    """A fresh schema and a package whose migrations a test writes."""

    admin_url: str
    owner_url: str
    app_url: str
    schema: str
    package: str
    folder: Path

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content)

    def migrate(self, *phases: str) -> list[tuple[str, str]]:
        applied = migrate(self.owner_url, self.schema, self.package, phases=phases or ("expand",))
        return [(a.version, a.phase) for a in applied if not a.version.startswith("chassis/")]

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.owner_url) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture
def home(postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    name = f"m{secrets.token_hex(4)}"
    package = tmp_path / f"package_{name}"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    admin_url = postgres_server.create_database(DATABASE)
    credentials = SchemaCredentials(name, secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    bootstrap(admin_url, [credentials])
    return Home(
        admin_url,
        postgres_server.url(f"{name}_owner", credentials.owner_password, DATABASE),
        postgres_server.url(f"{name}_app", credentials.app_password, DATABASE),
        name,
        package.name,
        package / "migrations",
    )


def test_files_are_applied_once_in_the_order_of_number_and_phase(home: Home) -> None:
    home.write("0002_more.expand.sql", "ALTER TABLE things ADD COLUMN name text")
    home.write("0001_things.contract.sql", "ALTER TABLE things DROP COLUMN old")
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int, old int)")
    home.write("0001_things.backfill.sql", "INSERT INTO things (id) VALUES (1)")

    first, second = home.migrate("expand", "backfill", "contract"), home.migrate()

    assert first == [
        ("0001", "expand"),
        ("0001", "backfill"),
        ("0001", "contract"),
        ("0002", "expand"),
    ]
    assert second == []
    assert home.ask("SELECT id, name FROM things") == [(1, None)]
    rows = home.ask(
        "SELECT count(*), count(finished_at), min(state) FROM migration_versions WHERE version NOT LIKE 'chassis/%'"
    )
    assert rows == [(4, 4, "done")]


def test_objects_belong_to_the_owner_and_lie_in_the_schema(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int)")

    home.migrate()

    owners = home.ask(
        "SELECT DISTINCT relowner::regrole::text, relnamespace::regnamespace::text FROM pg_class"
        " WHERE oid IN ('things'::regclass, 'outbox'::regclass)"
    )
    assert owners == [(f"{home.schema}_owner", home.schema)]


def test_a_changed_file_is_refused(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int)")
    home.migrate()
    home.write("0001_things.expand.sql", "CREATE TABLE things (id bigint)")
    home.write("0002_more.expand.sql", "CREATE TABLE more (id int)")

    with pytest.raises(MigrationError, match=r"0001 .expand. was changed after it was applied; restore the file"):
        home.migrate()

    assert home.ask("SELECT to_regclass('more')") == [(None,)]


def test_a_failing_file_leaves_nothing_and_names_itself(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int);\nSELECT 1 / 0;")

    with pytest.raises(MigrationError, match=r"migration 0001 .expand. failed: division by zero"):
        home.migrate()

    assert home.ask("SELECT to_regclass('things')") == [(None,)]
    assert home.ask("SELECT version FROM migration_versions WHERE version NOT LIKE 'chassis/%'") == []


def test_a_file_without_transaction_that_was_cut_short_is_run_again(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int)")
    home.write(
        "0002_index.expand.sql",
        "-- aiops: no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ix_things ON things (id);\nSELECT 1 / 0;\n",
    )
    with pytest.raises(MigrationError, match="division by zero"):
        home.migrate()
    assert home.ask("SELECT state FROM migration_versions WHERE version = '0002'") == [("running",)]

    home.write(
        "0002_index.expand.sql",
        "-- aiops: no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ix_things ON things (id);\n",
    )

    assert home.migrate() == [("0002", "expand")]
    assert home.ask("SELECT state FROM migration_versions WHERE version = '0002'") == [("done",)]


def test_a_long_reader_delays_a_migration_but_not_the_readers_behind_it(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int)")
    home.migrate()
    home.write("0002_more.expand.sql", "ALTER TABLE things ADD COLUMN name text")
    waits: list[float] = []

    with psycopg.connect(home.app_url) as reader, psycopg.connect(home.app_url, autocommit=True) as others:
        reader.execute("SELECT * FROM things")
        migrator = threading.Thread(target=home.migrate)
        migrator.start()
        for _ in range(20):
            started = time.monotonic()
            others.execute("SELECT * FROM things")
            waits.append(time.monotonic() - started)
            time.sleep(0.1)
        reader.rollback()
        migrator.join(30)

    assert max(waits) > 0.05, "nobody waited behind the migration: the test proved nothing"
    assert max(waits) < 1.0
    assert home.ask("SELECT name FROM things") == []


def test_a_lock_that_never_comes_is_given_up_with_advice(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int)")
    home.migrate()
    home.write("0002_more.expand.sql", "ALTER TABLE things ADD COLUMN name text")
    monkeypatch.setattr("chassis.migrations.LOCK_TRIES", 2)

    with psycopg.connect(home.app_url) as reader:
        reader.execute("SELECT * FROM things")
        with pytest.raises(MigrationError, match="could not get its lock in 2 tries; end the long transactions"):
            home.migrate()

    assert home.migrate() == [("0002", "expand")]


def test_two_migrators_at_once_apply_each_file_once(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int);\nSELECT pg_sleep(0.3);")
    applied: list[tuple[str, str]] = []

    threads = [threading.Thread(target=lambda: applied.extend(home.migrate())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert applied == [("0001", "expand")]


@pytest.mark.parametrize("name", ["1_x.expand.sql", "0001_x.sql", "0001_x.undo.sql", "0001-x.expand.sql"])
def test_a_misnamed_file_is_refused(home: Home, name: str) -> None:
    home.write(name, "SELECT 1")

    with pytest.raises(MigrationError, match="is not named NNNN_name"):
        all_migrations(home.package)


def test_two_files_of_one_number_and_phase_are_refused(home: Home) -> None:
    home.write("0001_a.expand.sql", "SELECT 1")
    home.write("0001_b.expand.sql", "SELECT 1")

    with pytest.raises(MigrationError, match="the same number and phase"):
        all_migrations(home.package)


async def test_a_contraction_waits_to_be_asked_for_and_no_process_waits_for_it(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int, name text)")
    home.write("0002_name.contract.sql", "ALTER TABLE things DROP COLUMN name")
    database = Database(home.app_url, name=home.schema)

    assert home.migrate() == [("0001", "expand")]
    await schema_ready(database, home.package)
    assert home.ask("SELECT id, name FROM things") == []

    assert home.migrate("contract") == [("0002", "contract")]
    await schema_ready(database, home.package)

    await database.close()


async def test_a_process_is_not_ready_until_its_schema_is_there(home: Home) -> None:
    home.write("0001_things.expand.sql", "CREATE TABLE things (id int)")
    database = Database(home.app_url, name=home.schema)

    with pytest.raises(Unavailable, match=r"lacks migration 0001 .expand.; run `aiops migrate expand`"):
        await schema_ready(database, home.package)
    home.migrate()
    await schema_ready(database, home.package)
    home.write("0002_more.expand.sql", "ALTER TABLE things ADD COLUMN name text")
    with pytest.raises(Unavailable, match="lacks migration 0002"):
        await schema_ready(database, home.package)

    await database.close()
