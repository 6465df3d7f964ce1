from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
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
