import json
import stat
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = ("auth", "logs", "tickets", "changelog", "ai", "gateway")


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_each_container_gets_a_folder_with_what_it_alone_needs(runner: CliRunner, tmp_path: Path) -> None:
    made = runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path / "s"), "--database-host", "db"])

    assert made.exit_code == 0
    assert made.stdout == f"{tmp_path / 's'}: 26 keys and passwords made, 0 kept; readable by you alone.\n"
    files = contents(tmp_path / "s")
    assert {name for name in files if name.startswith(("auth/", "gateway/"))} == {
        "auth/AUTH_DATABASE_URL",
        "auth/AUTH_NATS_PASSWORD",
        "auth/key-encryption.key",
        "auth/key.pem",
        "auth/redaction.key",
        "auth/setup-token",
        "auth/trust.json",
        "gateway/GATEWAY_NATS_PASSWORD",
        "gateway/key.pem",
        "gateway/redaction.key",
        "gateway/trust.json",
    }
    password = json.loads(files["installation.json"])["auth_app"]
    assert files["auth/AUTH_DATABASE_URL"] == f"postgresql://auth_app:{password}@db:5432/aiops"
    assert files["migrate/AUTH_DATABASE_URL"] == files["auth/AUTH_DATABASE_URL"]
    assert set(json.loads(files["logs/trust.json"])) == set(MEMBERS)
    assert len({files[f"{member}/key.pem"] for member in MEMBERS}) == 6
    assert f'"{files["logs/LOGS_NATS_PASSWORD"]}"' in files["nats/authorization.conf"]


def test_what_is_written_is_readable_by_its_owner_alone(runner: CliRunner, tmp_path: Path) -> None:
    runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path / "s")])

    modes = {
        (path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "s", *(tmp_path / "s").rglob("*"))
    }
    assert modes == {(True, 0o700), (False, 0o600)}


def test_a_second_run_changes_nothing_and_brings_no_used_setup_token_back(runner: CliRunner, tmp_path: Path) -> None:
    runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path)])
    before = contents(tmp_path)
    (tmp_path / "auth" / "setup-token").unlink()

    again = runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path)])

    assert again.stdout == f"{tmp_path}: 0 keys and passwords made, 26 kept; readable by you alone.\n"
    assert contents(tmp_path) == {name: text for name, text in before.items() if name != "auth/setup-token"}


def test_what_follows_from_the_secrets_is_brought_up_to_date(runner: CliRunner, tmp_path: Path) -> None:
    runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path)])
    before = contents(tmp_path)
    (tmp_path / "nats" / "authorization.conf").write_text("of an older version")

    runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path), "--database-port", "6543"])

    after = contents(tmp_path)
    assert after["nats/authorization.conf"] == before["nats/authorization.conf"]
    assert after["ai/key.pem"] == before["ai/key.pem"]
    assert after["ai/AI_DATABASE_URL"] == before["ai/AI_DATABASE_URL"].replace(":5432/", ":6543/")


def test_where_the_database_is_need_not_be_told_again(runner: CliRunner, tmp_path: Path) -> None:
    options = ["--database-host", "db.example.com", "--database-port", "6543", "--database-name", "ops"]
    options += ["--database-parameters", "sslmode=verify-full&sslrootcert=system", "--database-admin", "root"]
    runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path), *options])
    before = contents(tmp_path)

    again = runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path)])
    unchanged = contents(tmp_path)
    printed = runner.invoke(app, ["secrets", "generate", "--kubernetes", "--out", str(tmp_path)])
    moved = runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path), "--database-host", "other"])

    urls = {each["metadata"]["name"]: each.get("stringData", {}) for each in yaml.safe_load_all(printed.stdout)}
    tail = "@db.example.com:6543/ops?sslmode=verify-full&sslrootcert=system"
    assert again.stdout == f"{tmp_path}: 0 keys and passwords made, 26 kept; readable by you alone.\n"
    assert unchanged == before
    assert urls["aiops-logs"]["database-url"] == before["logs/LOGS_DATABASE_URL"]
    assert before["logs/LOGS_DATABASE_URL"].endswith(tail)
    assert before["migrate/AIOPS_ADMIN_DATABASE_URL"].startswith("postgresql://root:")
    assert moved.exit_code == 0
    assert contents(tmp_path)["ai/AI_DATABASE_URL"].endswith(tail.replace("db.example.com", "other"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--database-host", "db:5432"], "--database-host is 'db:5432'; it is a host name or an address"),
        (["--database-host", "postgresql://db"], "without a port: db.example.com. Nothing was written."),
        (["--database-name", "a/b"], "--database-name is 'a/b'; it is the name of a database: aiops."),
        (["--database-parameters", "?sslmode=require"], "it is like sslmode=verify-full"),
        (["--database-admin", "root:pw"], "it is the name of a role"),
        (["--namespace", "Bad Name"], "'Bad Name' is no name of a namespace"),
        (["--database-admin-password-file", "/dev/null"], "/dev/null is empty. Nothing was written."),
    ],
)
def test_an_option_that_would_make_urls_that_nobody_can_use_is_refused(
    runner: CliRunner, tmp_path: Path, options: list[str], said: str
) -> None:
    refused = runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path / "s"), *options]).exception

    assert isinstance(refused, Failure)
    assert refused.code == ExitCode.USAGE
    assert said in refused.message
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"auth_app": 1}'])
def test_a_damaged_file_of_secrets_is_left_as_it_is(runner: CliRunner, tmp_path: Path, text: str) -> None:
    (tmp_path / "installation.json").write_text(text)

    refused = runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path)]).exception

    assert isinstance(refused, Failure)
    assert "put the copy of it back. Nothing was written." in refused.message
    assert contents(tmp_path) == {"installation.json": text}


def test_a_folder_of_other_things_is_left_alone(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")

    refused = runner.invoke(app, ["secrets", "generate", "--out", str(tmp_path)]).exception

    assert isinstance(refused, Failure)
    assert (refused.code, "holds other things" in refused.message) == (ExitCode.USAGE, True)
    assert contents(tmp_path) == {"thesis.txt": "ten years of work"}


def test_without_a_destination_it_asks_for_one(runner: CliRunner) -> None:
    refused = runner.invoke(app, ["secrets", "generate"]).exception

    assert isinstance(refused, Failure)
    assert refused.code == ExitCode.USAGE


def test_the_manifests_have_the_names_and_keys_that_the_charts_mount(runner: CliRunner) -> None:
    printed = runner.invoke(app, ["secrets", "generate", "--kubernetes", "--namespace", "ops"])

    manifests = list(yaml.safe_load_all(printed.stdout))
    service = {"key.pem", "database-url", "owner-database-url", "nats-password"}
    assert {
        (each["kind"], each["metadata"]["name"]): set(each.get("stringData", each.get("data"))) for each in manifests
    } == {
        ("Secret", "aiops-auth"): service | {"key-encryption.key", "setup-token"},
        ("Secret", "aiops-logs"): service,
        ("Secret", "aiops-tickets"): service,
        ("Secret", "aiops-changelog"): service,
        ("Secret", "aiops-ai"): service,
        ("Secret", "aiops-gateway"): {"key.pem", "nats-password"},
        ("Secret", "aiops-shared"): {"redaction.key"},
        ("Secret", "aiops-database-admin"): {"admin-url"},
        ("Secret", "aiops-nats"): {"authorization.conf"},
        ("ConfigMap", "aiops-trust"): {"trust.json"},
    }
    assert {each["metadata"]["namespace"] for each in manifests} == {"ops"}


def test_manifests_of_a_folder_hold_its_secrets_and_the_password_that_the_admin_has_already(
    runner: CliRunner, tmp_path: Path
) -> None:
    (tmp_path / "admin").write_text("p@ss/word\n")
    options = ["secrets", "generate", "--kubernetes", "--out", str(tmp_path / "s")]
    options += ["--database-admin", "root", "--database-admin-password-file", str(tmp_path / "admin")]
    options += ["--database-host", "db.example", "--database-parameters", "sslmode=require"]

    first, second = (runner.invoke(app, options).stdout for _ in range(2))

    assert first == second
    texts = {each["metadata"]["name"]: each.get("stringData", {}) for each in yaml.safe_load_all(first)}
    kept = json.loads((tmp_path / "s" / "installation.json").read_text())
    assert texts["aiops-ai"]["nats-password"] == kept["ai_nats"]
    assert (
        texts["aiops-database-admin"]["admin-url"]
        == "postgresql://root:p%40ss%2Fword@db.example:5432/aiops?sslmode=require"
    )


def test_the_registry_of_the_command_is_the_one_of_the_protos() -> None:
    assert (ROOT / "cli/src/aiops_cli/events.yaml").read_text() == (ROOT / "proto/events.yaml").read_text()
