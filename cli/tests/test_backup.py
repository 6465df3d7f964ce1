"""Backup and restore on a real Postgres: whole or not at all, and no half of a refusal is written."""

import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from aiops_cli import dump_programs
from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.manifest import File
from aiops_cli.members import SERVICES
from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.embedded.postgres import PostgresServer
from chassis.migrations import migrate
from chassis.testing.harness import Installation

Point = Callable[[str], str]


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    return {f"{service}_{role}": secrets.token_urlsafe(24) for service in SERVICES for role in ("owner", "app")}


@pytest.fixture(scope="module")
def filled(own_postgres_server: PostgresServer, passwords: dict[str, str]) -> str:
    """The name of a database with all schemas and an outbox row."""
    admin_url = own_postgres_server.create_database("filled")
    bootstrap(
        admin_url, [SchemaCredentials(name, passwords[f"{name}_owner"], passwords[f"{name}_app"]) for name in SERVICES]
    )
    for name in SERVICES:
        owner_url = own_postgres_server.url(f"{name}_owner", passwords[f"{name}_owner"], "filled")
        migrate(owner_url, name, f"{name}_service")
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO logs.inbox (consumer, event_id, handled_at) SELECT 'x', gen_random_uuid(), now()"
            " FROM generate_series(1, 1000)"
        )
    return "filled"


@pytest.fixture
def point(
    own_postgres_server: PostgresServer,
    passwords: dict[str, str],
    installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Point:
    """Points the commands at a database; its admin's address."""

    def at(database: str) -> str:
        admin_url = own_postgres_server.admin_url.removesuffix("postgres") + database
        monkeypatch.setenv("AIOPS_ADMIN_DATABASE_URL", admin_url)
        for name in SERVICES:
            for role, variable in (("owner", "OWNER_DATABASE_URL"), ("app", "DATABASE_URL")):
                url = own_postgres_server.url(f"{name}_{role}", passwords[f"{name}_{role}"], database)
                monkeypatch.setenv(f"{name.upper()}_{variable}", url)
        monkeypatch.setenv("AIOPS_ANCHOR_URL", f"file:{tmp_path / 'anchors'}")
        monkeypatch.setenv("AIOPS_REDACTION_KEY_FILE", str(installation.folder / "redaction.key"))
        monkeypatch.setenv("AIOPS_TRUST_FILE", str(installation.folder / "trust.json"))
        return admin_url

    return at


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the one backup of these tests is, once it is made."""
    return tmp_path_factory.mktemp("once") / "saved"


@pytest.fixture
def saved(filled: str, point: Point, tmp_path: Path, runner: CliRunner, once: Path) -> Path:
    """A backup of the filled database, with an erasure; each test has a copy, and the ledger that it was made of."""
    point(filled)
    (tmp_path / "anchors").mkdir()
    (tmp_path / "anchors" / "erasures.jsonl").write_text(
        '{"at": "2026-11-20T10:00:00+00:00", "subject": "email:0123"}\n'
    )
    (tmp_path / "anchors" / "logs-log.jsonl").write_text("an anchor that landed after the moment of the backup\n")
    if not once.exists():
        made = runner.invoke(app, ["backup", "--out", str(once)])
        assert made.exit_code == 0, made.output
    return shutil.copytree(once, tmp_path / "saved")


def _named(own_postgres_server: PostgresServer) -> str:
    name = f"empty_{secrets.token_hex(4)}"
    own_postgres_server.create_database(name)
    return name


def _is_empty(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchone()
    return row == (1,)


def test_a_database_of_before_the_histories_is_saved(
    point: Point, own_postgres_server: PostgresServer, runner: CliRunner, tmp_path: Path
) -> None:
    point(_named(own_postgres_server))

    made = runner.invoke(app, ["backup", "--out", str(tmp_path / "early")])

    assert made.exit_code == 0, made.output
    assert (tmp_path / "early" / "manifest.json").exists()


def test_a_backup_comes_back_whole_with_its_roles_and_rights(
    saved: Path, point: Point, own_postgres_server: PostgresServer, passwords: dict[str, str], runner: CliRunner
) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest["rows"]["logs.inbox"] == 1000
    assert {each["name"] for each in manifest["files"]} == {"database.dump", "anchors/erasures.jsonl"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in saved.rglob("*") if path.is_file()} == {0o600}
    assert stat.S_IMODE(saved.stat().st_mode) == 0o700
    database = _named(own_postgres_server)
    point(database)

    done = runner.invoke(app, ["restore", str(saved), "--json"])

    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["erased"], told["verified"], told["rows"]) == (1, True, sum(manifest["rows"].values()))
    assert told["next"].startswith("aiops events republish --since ")
    app_url = own_postgres_server.url("logs_app", passwords["logs_app"], database)
    with psycopg.connect(app_url) as connection:
        assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (1000,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT count(*) FROM auth.users")


def test_a_database_that_is_not_empty_is_left_as_it_is(
    saved: Path, filled: str, point: Point, runner: CliRunner
) -> None:
    url = point(filled)

    refused = runner.invoke(app, ["restore", str(saved)])

    assert isinstance(refused.exception, Failure)
    assert "The database filled is not empty: it has the schema ai" in refused.exception.message
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM logs.inbox").fetchone() == (1000,)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("database.dump", b"x", "is damaged"),
        ("anchors/erasures.jsonl", b"", "is damaged"),
        ("anchors/erasures.jsonl", None, "is missing"),
        ("manifest.json", b"{", "holds no whole backup"),
        ("manifest.json", None, "holds no whole backup"),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_written(
    saved: Path,
    point: Point,
    own_postgres_server: PostgresServer,
    runner: CliRunner,
    name: str,
    content: bytes | None,
    said: str,
) -> None:
    url = point(_named(own_postgres_server))
    if content is None:
        (saved / name).unlink()
    else:
        (saved / name).write_bytes(content)

    refused = runner.invoke(app, ["restore", str(saved)])

    assert isinstance(refused.exception, Failure)
    assert said in refused.exception.message
    assert "Nothing was written" in refused.exception.message
    assert _is_empty(url)


def test_a_dump_that_breaks_off_leaves_the_database_empty(
    saved: Path, point: Point, own_postgres_server: PostgresServer, runner: CliRunner
) -> None:
    """What the checksums would have told: the transaction around the restore is the second net."""
    url = point(_named(own_postgres_server))
    dump, manifest = saved / "database.dump", saved / "manifest.json"
    whole = dump.read_bytes()
    content = json.loads(manifest.read_text())
    dump.write_bytes(whole[: len(whole) * 9 // 10])
    fresh = File.of(saved, dump)
    content["files"] = [
        {"name": fresh.name, "bytes": fresh.bytes, "sha256": fresh.sha256} if each["name"] == fresh.name else each
        for each in content["files"]
    ]
    manifest.write_text(json.dumps(content))

    refused = runner.invoke(app, ["restore", str(saved)])

    assert isinstance(refused.exception, Failure)
    assert "The database is as empty as before" in refused.exception.message
    assert _is_empty(url)


def test_programs_that_are_older_than_the_server_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 12.3'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert dump_programs.find("pg_dump", at_least=12).path == str(old)
    with pytest.raises(Failure, match=r"pg_dump of PostgreSQL 99 or newer is needed.*is of version 12"):
        dump_programs.find("pg_dump", at_least=99)


def test_a_folder_in_use_and_a_server_that_is_away_are_refused(
    saved: Path, filled: str, point: Point, runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken = runner.invoke(app, ["backup", "--out", str(saved)])
    assert isinstance(taken.exception, Failure)
    assert taken.exception.code is ExitCode.USAGE

    monkeypatch.setenv("AIOPS_ADMIN_DATABASE_URL", "postgresql://postgres:x@127.0.0.1:1/aiops")
    away = runner.invoke(app, ["backup", "--out", str(tmp_path / "other")])
    assert isinstance(away.exception, Failure)
    assert away.exception.code is ExitCode.UNREACHABLE
    assert not (tmp_path / "other").exists()
    assert not (tmp_path / "other.partial").exists()


def test_what_was_erased_after_the_backup_stays_in_the_ledger_and_newer_anchors_are_kept_aside(
    saved: Path, point: Point, own_postgres_server: PostgresServer, runner: CliRunner, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors"
    later = '{"at": "2026-11-21T10:00:00+00:00", "subject": "email:4567"}\n'
    (anchors / "erasures.jsonl").write_text((anchors / "erasures.jsonl").read_text() + later)
    (anchors / "tickets-ticket.jsonl").write_text("an anchor of what is gone\n")
    point(_named(own_postgres_server))

    done = runner.invoke(app, ["restore", str(saved)])

    assert done.exit_code == 0, done.output
    assert "erased again, as the ledger says: 2 people" in done.output
    assert len((anchors / "erasures.jsonl").read_text().splitlines()) == 2
    assert not (anchors / "tickets-ticket.jsonl").exists()
    (aside,) = anchors.glob("tickets-ticket.jsonl.before-restore-*")
    assert aside.read_text() == "an anchor of what is gone\n"


def test_ledger_whose_end_a_power_cut_tore_takes_what_the_backup_knows(
    saved: Path, point: Point, own_postgres_server: PostgresServer, runner: CliRunner, tmp_path: Path
) -> None:
    ledger = tmp_path / "anchors" / "erasures.jsonl"
    known, torn = ledger.read_text(), '{"at": "2026-11-21T1'
    ledger.write_text(torn)
    point(_named(own_postgres_server))

    done = runner.invoke(app, ["restore", str(saved)])

    assert done.exit_code == 0, done.output
    assert "erased again, as the ledger says: 1 person\n" in done.output
    assert ledger.read_text() == f"{torn}\n{known}"


def test_a_database_that_came_back_otherwise_forgets_whom_the_ledger_names(
    saved: Path, filled: str, point: Point, runner: CliRunner
) -> None:
    url = point(filled)

    done = runner.invoke(app, ["restore", "--erasures-only"])

    assert (done.exit_code, done.output) == (0, "erased again, as the ledger says: 1 person\n")
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT subject, sealed_key FROM tickets.subject_keys").fetchall()
    assert rows == [("email:0123", None)]
    for arguments in ([], [str(saved), "--erasures-only"]):
        refused = runner.invoke(app, ["restore", *arguments])
        assert isinstance(refused.exception, Failure)
        assert refused.exception.code is ExitCode.USAGE
