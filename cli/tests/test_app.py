import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version as installed
from pathlib import Path

import pytest
import typer
from cli.tests.conftest import Gateway
from typer.testing import CliRunner

from aiops_cli.app import COMMANDS, app, main
from aiops_cli.failure import ExitCode, Failure


@pytest.mark.parametrize("name", COMMANDS)
def test_the_root_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    place, said = COMMANDS[name]
    module, _, attribute = place.partition(":")

    found = getattr(import_module(f"aiops_cli.{module}"), attribute)

    own = found.info.help if isinstance(found, typer.Typer) else inspect.cleandoc(found.__doc__ or "")
    assert " ".join(str(own).split("\n\n")[0].split()) == said


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_its_help(runner: CliRunner, name: str) -> None:
    done = runner.invoke(app, [name, "-h"])

    assert done.exit_code == 0, done.output
    assert f"Usage: aiops {name}" in done.output


def test_the_version_needs_no_command(runner: CliRunner) -> None:
    done = runner.invoke(app, ["--version"])

    assert (done.exit_code, done.stdout) == (0, f"aiops {installed('aiops-cli')}\n")


def test_help_loads_no_command() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from aiops_cli.app import app; "
        "done = CliRunner().invoke(app, ['--help']); assert 'tickets' in done.output, done.output; "
        "print({'httpx', 'logs_service', 'changelog_service', 'ai_service', 'aiops_cli.graph'} & set(sys.modules))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "set()"


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(runner: CliRunner) -> None:
    done = runner.invoke(app, ["tikets"])

    assert done.exit_code == 2
    assert "Did you mean 'tickets'?" in done.output


@pytest.mark.parametrize("arguments", [["changelog"], ["changelogs", "generate", "--repository", "shop"]])
def test_a_range_that_begins_with_a_dash_is_told_where_it_goes(runner: CliRunner, arguments: list[str]) -> None:
    done = runner.invoke(app, [*arguments, "-evil..HEAD"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.USAGE
    assert done.exception.message == (
        "-evil..HEAD begins with a dash, as options do. Write it last, behind two dashes: -- -evil..HEAD"
    )


def test_a_reader_that_has_enough_is_no_failure(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    log.write_text("one line\n")
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run([sys.executable, "-m", "aiops_cli", "patterns", str(log)], stdout=writing, check=False)
    os.close(writing)

    assert done.returncode == 0


def test_a_script_reads_one_json_document_of_an_import_that_ended_early(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("title,message\na,b\n")
    refusal = {"message": "log in", "extensions": {"code": "UNAUTHENTICATED"}}
    gateway.answers = [(200, {"data": None, "errors": [refusal]})]
    monkeypatch.setenv("AIOPS_TOKEN", "aiops_token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)
    monkeypatch.setattr(sys, "argv", ["aiops", "tickets", "import", str(file), "--json"])

    with pytest.raises(SystemExit) as ended:
        main()

    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code, told["rows"], told["created"], told["error"]["code"]) == (3, 1, [], "UNAUTHENTICATED")
