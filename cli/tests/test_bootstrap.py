import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
from chassis.embedded.postgres import PostgresServer

SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
BOOTSTRAP = ["migrate", "bootstrap", "--create-database"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[PostgresServer]:
    """A PostgreSQL of these tests alone: roles belong to a server, not to a database."""
    started = PostgresServer.start(
        tmp_path_factory.mktemp("cluster") / "data", free_port, password=secrets.token_urlsafe(24), throwaway=True
    )
    yield started
    started.stop()


@pytest.fixture(scope="module")
def free_port() -> int:
    from chassis.embedded.process import free_port as find  # noqa: PLC0415

    return find()


@pytest.fixture
def mounted(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of secrets as the container of the command mounts it."""
    urls = {"AIOPS_ADMIN_DATABASE_URL": server.admin_url.removesuffix("/postgres") + "/aiops"}
    for service in SERVICES:
        for role, name in (("app", "DATABASE_URL"), ("owner", "OWNER_DATABASE_URL")):
            urls[f"{service.upper()}_{name}"] = server.url(f"{service}_{role}", secrets.token_urlsafe(24), "aiops")
    for name, url in urls.items():
        (tmp_path / name).write_text(url + "\n")
    monkeypatch.setenv("AIOPS_SECRETS_FOLDER", str(tmp_path))
    return tmp_path


def test_a_new_database_is_made_and_migrated_with_what_a_folder_holds(runner: CliRunner, mounted: Path) -> None:
    made = runner.invoke(app, BOOTSTRAP)
    migrated = runner.invoke(app, ["migrate", "expand"])

    assert (made.exit_code, made.stdout) == (0, "roles and schemas: auth, logs, tickets, changelog, ai\n")
    assert (migrated.exit_code, len(migrated.stdout.splitlines())) == (0, 5)
    with psycopg.connect((mounted / "LOGS_DATABASE_URL").read_text().strip()) as connection:
        assert connection.execute("SELECT count(*) FROM logs.log_records").fetchone() == (0,)


def test_a_second_run_changes_nothing(runner: CliRunner, mounted: Path) -> None:
    runner.invoke(app, BOOTSTRAP)

    again = runner.invoke(app, BOOTSTRAP)

    assert (again.exit_code, again.stdout) == (0, "roles and schemas: auth, logs, tickets, changelog, ai\n")
    with psycopg.connect((mounted / "AUTH_OWNER_DATABASE_URL").read_text().strip()) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("auth_owner",)


def test_a_missing_setting_is_named_with_its_meaning(runner: CliRunner, mounted: Path) -> None:
    (mounted / "AIOPS_ADMIN_DATABASE_URL").unlink()

    refused = runner.invoke(app, BOOTSTRAP).exception

    assert isinstance(refused, Failure)
    assert refused.code == ExitCode.USAGE
    assert refused.message == (
        "AIOPS_ADMIN_DATABASE_URL is not set. It is the URL of the database's admin, who may make roles and schemas."
    )


def test_a_url_of_another_role_is_refused_before_anything_is_made(
    runner: CliRunner, mounted: Path, server: PostgresServer
) -> None:
    (mounted / "AI_DATABASE_URL").write_text(server.url("ai_owner", "a-password-long-enough", "aiops"))

    refused = runner.invoke(app, BOOTSTRAP).exception

    assert isinstance(refused, Failure)
    assert refused.message == "AI_DATABASE_URL must be a URL of the role ai_app with its password in it."


def test_a_database_that_is_away_is_named_without_its_password(runner: CliRunner, mounted: Path) -> None:
    (mounted / "AIOPS_ADMIN_DATABASE_URL").write_text("postgresql://postgres:geheim@127.0.0.1:1/aiops")

    away = runner.invoke(app, BOOTSTRAP)

    assert isinstance(away.exception, Failure)
    assert away.exception.code == ExitCode.UNREACHABLE
    assert "geheim" not in away.exception.message + away.output
