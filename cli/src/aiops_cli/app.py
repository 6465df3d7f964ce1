"""The command tree of `aiops`, and how every command ends."""

import json
import sys
from typing import Annotated

import typer

from aiops_cli import account, logs, migrate, patterns, render
from aiops_cli.failure import ExitCode, Failure

EPILOG = "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not logged in, 4 unreachable, 5 no summary could be made."

app = typer.Typer(
    name="aiops",
    help="Logs into answers: patterns, and summaries whose every sentence cites its lines.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("patterns")(patterns.patterns)
app.command("login")(account.login)
app.command("logout")(account.logout)
app.command("whoami")(account.whoami)
app.add_typer(logs.app, name="logs")
app.add_typer(migrate.app, name="migrate")


@app.callback()
def root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Runs before every command."""
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 - 20 ms that only --version needs

        typer.echo(f"aiops {installed('aiops-cli')}")
        raise typer.Exit


def main() -> None:
    """Run the command; a failure is one line on stderr (JSON on stdout with --json) and an exit code."""
    try:
        app()
    except Failure as failure:
        if "--json" in sys.argv:
            typer.echo(json.dumps(failure.as_json()))
        trace = f" (trace {failure.trace_id})" if failure.trace_id else ""
        typer.echo(f"aiops: {render.inert(failure.message)}{trace}", err=True)
        sys.exit(failure.code)
    except BrokenPipeError:
        sys.stderr.close()  # the reader, head for example, has what it wanted
        sys.exit(ExitCode.OK)
