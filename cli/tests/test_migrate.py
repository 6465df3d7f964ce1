import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

import aiops_cli.migrate
from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.embedded.postgres import PostgresServer
from chassis.testing.plugin import ServiceDatabase


async def test_a_schema_that_is_current_needs_nothing(
    runner: CliRunner, make_database: Callable[[str, str], ServiceDatabase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_OWNER_DATABASE_URL", make_database("auth", "auth_service").owner_url)

    done = runner.invoke(app, ["migrate", "expand", "auth"])

    assert (done.exit_code, done.stdout) == (0, "auth: nothing to do\n")


def test_a_missing_url_and_an_unknown_service_are_named(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_OWNER_DATABASE_URL", raising=False)

    missing = runner.invoke(app, ["migrate", "expand", "auth"]).exception
    unknown = runner.invoke(app, ["migrate", "expand", "payroll"]).exception

    assert isinstance(missing, Failure)
    assert (missing.code, "AUTH_OWNER_DATABASE_URL is not set" in missing.message) == (ExitCode.USAGE, True)
    assert isinstance(unknown, Failure)
    assert "There is no service payroll" in unknown.message


def test_a_database_that_is_away_is_named_without_its_password(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_OWNER_DATABASE_URL", "postgresql://auth_owner:geheim@127.0.0.1:1/aiops")

    away = runner.invoke(app, ["migrate", "expand", "auth"])

    assert isinstance(away.exception, Failure)
    assert away.exception.code == ExitCode.UNREACHABLE
    assert "geheim" not in away.exception.message + away.output


async def test_the_status_is_shown_and_printed_as_json(
    runner: CliRunner, make_database: Callable[[str, str], ServiceDatabase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_OWNER_DATABASE_URL", make_database("auth", "auth_service").owner_url)

    shown = runner.invoke(app, ["migrate", "status", "auth"])
    printed = runner.invoke(app, ["migrate", "status", "auth", "--json"])

    assert shown.exit_code == 0
    assert "chassis/0001" in shown.stdout
    (auth,) = json.loads(printed.stdout)
    first = auth["steps"][0]
    assert (auth["schema"], auth["instances"]) == ("auth", [])
    assert (first["version"], first["phase"], first["state"]) == ("chassis/0001", "expand", "done")


@pytest.mark.parametrize("arguments", [[], ["auth", "--all"]])
def test_a_contraction_needs_a_name_or_all(runner: CliRunner, arguments: list[str]) -> None:
    refused = runner.invoke(app, ["migrate", "contract", *arguments]).exception

    assert isinstance(refused, Failure)
    assert (refused.code, refused.message) == (ExitCode.USAGE, "Name the services to contract, or say --all.")


@pytest.fixture
def later(own_postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service auth of another day, on a database of its own: its migrations are what the test writes."""
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "auth_later" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "0001_things.expand.sql").write_text("CREATE TABLE things (id int, old int)")
    (folder / "0002_things.backfill.sql").write_text(
        "WITH filled AS (INSERT INTO things SELECT i FROM generate_series(1, 3) i WHERE :cursor = '' AND :rows > 0"
        " RETURNING id) SELECT coalesce(max(id)::text, ''), count(*) FROM filled"
    )
    (folder / "0003_things.contract.sql").write_text("ALTER TABLE things DROP COLUMN old")
    monkeypatch.setattr(aiops_cli.migrate, "PACKAGE", "{}_later")
    admin = own_postgres_server.create_database("aiops_cli_migrate")
    credentials = SchemaCredentials("auth", secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    bootstrap(admin, [credentials])
    with psycopg.connect(admin) as connection:
        connection.execute("DROP SCHEMA auth CASCADE")
    bootstrap(admin, [credentials])
    url = own_postgres_server.url("auth_owner", credentials.owner_password, "aiops_cli_migrate")
    monkeypatch.setenv("AUTH_OWNER_DATABASE_URL", url)


@pytest.mark.usefixtures("later")
def test_the_phases_follow_each_other_each_on_its_word(runner: CliRunner) -> None:
    too_early = runner.invoke(app, ["migrate", "contract", "auth", "--yes"])
    expanded = runner.invoke(app, ["migrate", "expand", "auth"])
    filled = runner.invoke(app, ["migrate", "backfill", "auth"])
    unasked = runner.invoke(app, ["migrate", "contract", "auth"])
    contracted = runner.invoke(app, ["migrate", "contract", "auth", "--yes"])
    again = runner.invoke(app, ["migrate", "contract", "auth"])

    assert isinstance(too_early.exception, Failure)
    assert (too_early.exception.code, "run `aiops migrate expand auth` first" in too_early.exception.message) == (
        ExitCode.REFUSED,
        True,
    )
    assert expanded.stdout.endswith("0001\n")
    assert filled.stdout == "auth: 0002 (3 rows)\n"
    assert isinstance(unasked.exception, Failure)
    assert (unasked.exception.code, "Say --yes where nobody can be asked" in unasked.exception.message) == (
        ExitCode.USAGE,
        True,
    )
    assert contracted.stdout == "auth: 0003\n"
    assert again.stdout == "auth: nothing to do\n"


@pytest.mark.usefixtures("later")
def test_a_refused_contraction_names_who_stands_in_its_way(runner: CliRunner) -> None:
    for phase in ("expand", "backfill"):
        runner.invoke(app, ["migrate", phase, "auth"])
    with psycopg.connect(os.environ["AUTH_OWNER_DATABASE_URL"]) as connection:
        connection.execute(
            "INSERT INTO auth.service_instances"
            " VALUES (gen_random_uuid(), 'auth', 'serve', '0.1.0', '{}', now(), now())"
        )

    refused = runner.invoke(app, ["migrate", "contract", "auth", "--yes"]).exception

    assert isinstance(refused, Failure)
    assert refused.code == ExitCode.REFUSED
    assert "0003.contract would take away what 1 running process needs" in refused.message
    assert "(serve, version 0.1.0, seen 0 s ago)" in refused.message
