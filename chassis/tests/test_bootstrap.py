"""Two roles per service: what the role of a running service can do at home, and that it can do nothing elsewhere."""

import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.embedded.postgres import PostgresServer
from chassis.migrations import migrate
from chassis.testing.plugin import ServiceDatabase

Two = tuple[psycopg.Connection, psycopg.Connection]


@pytest.fixture
def two(make_database: Callable[[str, str], ServiceDatabase]) -> Iterator[Two]:
    """The app roles of two services, each in a session of its own."""
    parcels = make_database("parcels", "parcels")
    depot = make_database("depot", "chassis.embedded")
    with (
        psycopg.connect(parcels.app_url, autocommit=True) as one,
        psycopg.connect(depot.app_url, autocommit=True) as other,
    ):
        yield one, other


def run(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())


async def test_at_home_the_app_role_reads_and_writes(two: Two) -> None:
    one, _ = two

    run(one, "INSERT INTO parcels (id, city) VALUES (gen_random_uuid(), 'Oslo')")
    run(one, "UPDATE parcels SET city = 'Bergen'")

    assert one.execute("SELECT city FROM parcels").fetchall() == [("Bergen",)]
    run(one, "DELETE FROM parcels")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM parcels.parcels",
        "SELECT * FROM parcels.outbox",
        "SELECT * FROM parcels.migration_versions",
        "INSERT INTO parcels.parcels (id, city) VALUES (gen_random_uuid(), 'Oslo')",
        "UPDATE parcels.outbox SET published_at = now()",
        "DELETE FROM parcels.idempotency_keys",
        "TRUNCATE parcels.parcels",
        "SELECT parcels.forget_arrivals()",
        "CREATE TABLE parcels.intruder (x int)",
    ],
)
async def test_elsewhere_the_app_role_is_refused(two: Two, statement: str) -> None:
    _, depot = two

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema parcels"):
        run(depot, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE intruder (x int)",
        "CREATE TABLE public.intruder (x int)",
        "CREATE TABLE extensions.intruder (x int)",
        "CREATE TEMPORARY TABLE intruder (x int)",
        "CREATE SCHEMA intruder",
        "CREATE FUNCTION intruder() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE EXTENSION citext",
        "ALTER TABLE parcels ADD COLUMN intruder int",
        "ALTER TABLE parcels DISABLE TRIGGER ALL",
        "ALTER TABLE parcels OWNER TO parcels_app",
        "ALTER ROLE parcels_app SUPERUSER",
        "ALTER DATABASE aiops_test SET search_path = public",
        "CREATE TRIGGER intruder AFTER INSERT ON parcels EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE INDEX intruder ON parcels (city)",
        "DROP TABLE parcels",
        "DROP TABLE outbox",
        "DROP SCHEMA parcels",
        "TRUNCATE outbox",
        "UPDATE arrivals SET city = 'x'",
        "DELETE FROM arrivals",
        "INSERT INTO migration_versions VALUES ('9999', 'expand', '', 'done', '', now(), now())",
        "DELETE FROM migration_versions",
        "SET ROLE parcels_owner",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION parcels_owner",
        "SET session_replication_role = replica",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY parcels TO PROGRAM 'cat'",
        "SELECT rolpassword FROM pg_authid",
        "SELECT lo_import('/etc/passwd')",
    ],
)
async def test_at_home_the_app_role_is_refused_all_but_rows(two: Two, statement: str) -> None:
    one, _ = two

    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
        run(one, statement)


async def test_a_grant_by_the_app_role_gives_nothing(two: Two) -> None:
    """Postgres answers a GRANT without grant option with a warning; what counts is that nothing was granted."""
    one, depot = two

    for statement in ("GRANT ALL ON parcels TO depot_app", "GRANT ALL ON parcels TO PUBLIC"):
        run(one, statement)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(one, "GRANT parcels_owner TO parcels_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(one, "GRANT parcels_app TO depot_app")

    granted = one.execute("SELECT count(*) FROM information_schema.table_privileges WHERE grantee = 'depot_app'")
    assert granted.fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(depot, "SELECT * FROM parcels.parcels")


async def test_what_goes_beyond_rows_is_a_function_of_the_owner(two: Two) -> None:
    one, _ = two
    run(one, "INSERT INTO arrivals VALUES (gen_random_uuid(), 1, 'Oslo')")

    run(one, "SELECT forget_arrivals()")

    assert one.execute("SELECT count(*) FROM arrivals").fetchone() == (0,)


async def test_a_relation_of_the_caller_cannot_stand_in_for_one_of_the_function(two: Two) -> None:
    one, _ = two
    run(one, "INSERT INTO arrivals VALUES (gen_random_uuid(), 1, 'Oslo')")
    run(one, "SET search_path = pg_temp, extensions")

    run(one, "SELECT parcels.forget_arrivals()")

    assert one.execute("SELECT count(*) FROM parcels.arrivals").fetchone() == (0,)


async def test_the_owner_of_one_schema_is_refused_in_another(
    make_database: Callable[[str, str], ServiceDatabase],
) -> None:
    make_database("parcels", "parcels")
    depot = make_database("depot", "chassis.embedded")

    with (
        psycopg.connect(depot.owner_url, autocommit=True) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        run(owner, "SELECT * FROM parcels.parcels")


async def test_bootstrap_twice_changes_passwords_and_nothing_else(postgres_server: PostgresServer) -> None:
    admin_url = postgres_server.create_database("aiops_twice")
    first, second = (SchemaCredentials("twice", secrets.token_urlsafe(24), secrets.token_urlsafe(24)) for _ in range(2))
    bootstrap(admin_url, [first])
    migrate(postgres_server.url("twice_owner", first.owner_password, "aiops_twice"), "twice", "chassis.embedded")
    with psycopg.connect(admin_url) as admin:
        admin.execute("INSERT INTO twice.inbox VALUES ('kept', gen_random_uuid(), now())")

    bootstrap(admin_url, [second])

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.url("twice_app", first.app_password, "aiops_twice"))
    with psycopg.connect(postgres_server.url("twice_app", second.app_password, "aiops_twice")) as app:
        assert app.execute("SELECT consumer FROM inbox").fetchall() == [("kept",)]
        assert app.execute("SHOW search_path").fetchone() == ("twice, extensions",)
        assert app.execute("SHOW timezone").fetchone() == ("UTC",)
    with psycopg.connect(admin_url) as admin:
        stored = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'twice_app'").fetchone()
    assert stored is not None
    assert stored[0].startswith("SCRAM-SHA-256$")


@pytest.mark.parametrize("schema", ["", "Logs", "logs; DROP", "1logs", "x" * 42])
def test_other_names_than_a_services_are_refused(schema: str) -> None:
    with pytest.raises(ValueError, match="is no schema name"):
        bootstrap("postgresql://127.0.0.1:1/nowhere", [SchemaCredentials(schema, "o" * 16, "a" * 16)])


def test_short_passwords_are_refused_and_not_shown() -> None:
    credentials = SchemaCredentials("logs", "geheim", "a" * 16)

    with pytest.raises(ValueError, match="fewer than 16 characters") as refused:
        bootstrap("postgresql://127.0.0.1:1/nowhere", [credentials])

    assert "geheim" not in f"{refused.value} {credentials}"
