import inspect
import subprocess
import sys
from importlib import import_module

import pytest
import typer
from typer.testing import CliRunner

from aiops_cli.app import COMMANDS, app


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
