"""`aiops history verify` and `aiops person erase`: what an operator is told, and how the command ends."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

SERVICES = ("auth", "logs", "tickets", "changelog")
ROW = (
    "INSERT INTO changelog_changes VALUES ('0198c0de-0000-7000-8000-000000000001', 1, 1, 'Genesis', '', 'service', '',"
    " now(), '', '[]', '[]', '', '')"
)


@pytest.fixture
def owners(
    make_database: Callable[[str, str], ServiceDatabase],
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> dict[str, ServiceDatabase]:
    """Four empty schemas, and all that an operator's environment holds."""
    made = {service: make_database(service, f"{service}_service") for service in SERVICES}
    for service, schema in made.items():
        monkeypatch.setenv(f"{service.upper()}_OWNER_DATABASE_URL", schema.owner_url)
    monkeypatch.setenv("AIOPS_REDACTION_KEY_FILE", str(installation.folder / "redaction.key"))
    monkeypatch.setenv("AIOPS_TRUST_FILE", str(installation.folder / "trust.json"))
    monkeypatch.setenv("AIOPS_ANCHOR_URL", f"file:{tmp_path / 'anchors'}")
    return made


@pytest.mark.usefixtures("owners")
def test_histories_that_hold_are_counted(runner: CliRunner) -> None:
    done = runner.invoke(app, ["history", "verify"])

    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            "auth user: 0 chains, 0 rows, 0 anchors: all hold",
            "logs log: 0 chains, 0 rows, 0 anchors: all hold",
            "tickets ticket: 0 chains, 0 rows, 0 anchors: all hold",
            "changelog changelog: 0 chains, 0 rows, 0 anchors: all hold",
        ],
    )


def test_the_first_row_that_does_not_hold_is_named(runner: CliRunner, owners: dict[str, ServiceDatabase]) -> None:
    with psycopg.connect(owners["changelog"].owner_url) as connection:
        connection.execute(ROW)

    told = runner.invoke(app, ["history", "verify", "--service", "changelog"])
    as_json = runner.invoke(app, ["history", "verify", "--service", "changelog", "--json"])

    where = "0198c0de-0000-7000-8000-000000000001 version 1"
    assert isinstance(told.exception, Failure)
    assert (told.exception.code, told.exception.reason) == (ExitCode.REFUSED, "HISTORY_BROKEN")
    assert f"First: changelog changelog {where}: " in told.exception.message
    assert "is not what its hash says" in told.exception.message
    assert json.loads(as_json.stdout)[0]["faults"][0]["where"] == where


@pytest.mark.usefixtures("owners")
def test_anchors_behind_an_address_have_to_be_fetched(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIOPS_ANCHOR_URL", "https://anchors.example.org/")

    refused = runner.invoke(app, ["history", "verify", "--service", "changelog"])
    fetched = runner.invoke(app, ["history", "verify", "--service", "changelog", "--anchors", str(tmp_path)])

    assert isinstance(refused.exception, Failure)
    assert (refused.exception.code, "--anchors FOLDER" in refused.exception.message) == (ExitCode.USAGE, True)
    assert fetched.exit_code == 0


def test_a_person_is_erased_everywhere_and_noted(
    runner: CliRunner, owners: dict[str, ServiceDatabase], tmp_path: Path
) -> None:
    done = runner.invoke(app, ["person", "erase", "--email", "Anna@example.org", "--yes"])
    again = runner.invoke(app, ["person", "erase", "--email", "anna@example.org", "--yes"])

    lines = (tmp_path / "anchors" / "erasures.jsonl").read_text().splitlines()
    subjects = {json.loads(line)["subject"] for line in lines}
    assert (done.exit_code, again.exit_code, len(lines), len(subjects)) == (0, 0, 2, 1)
    assert "anna" not in "".join(lines)
    assert done.stdout.splitlines() == [f"{name}: the key is destroyed, 0 rows were blanked" for name in SERVICES]
    for schema in owners.values():
        with psycopg.connect(schema.app_url) as connection:
            kept = connection.execute("SELECT subject, sealed_key FROM subject_keys").fetchall()
        assert kept == [(*subjects, None)]
    assert runner.invoke(app, ["history", "verify"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"), [([], "Say who"), (["--email", "anna"], "is no e-mail address"), (["--user", "x"], "")]
)
def test_nobody_is_erased_by_mistake(
    runner: CliRunner, owners: dict[str, ServiceDatabase], tmp_path: Path, arguments: list[str], says: str
) -> None:
    refused = runner.invoke(app, ["person", "erase", *arguments, "--yes"])

    assert (refused.exit_code != 0, says in str(refused.exception)) == (True, True)
    assert not (tmp_path / "anchors").exists()


@pytest.mark.usefixtures("owners")
def test_whoever_does_not_agree_erases_nothing(runner: CliRunner, tmp_path: Path) -> None:
    refused = runner.invoke(app, ["person", "erase", "--email", "anna@example.org"], input="n\n")

    assert (refused.exit_code, (tmp_path / "anchors").exists()) == (1, False)


def test_a_database_that_is_away_says_to_run_it_again(
    runner: CliRunner, owners: dict[str, ServiceDatabase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_OWNER_DATABASE_URL", "postgresql://logs_owner:geheim@127.0.0.1:1/aiops")

    away = runner.invoke(app, ["person", "erase", "--email", "anna@example.org", "--yes"])

    assert isinstance(away.exception, Failure)
    assert away.exception.code == ExitCode.UNREACHABLE
    assert "Run the command again." in away.exception.message
    assert "geheim" not in away.exception.message + away.output
