"""The command tree of `aiops`, and how every command ends."""

import json
import re
import shlex
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from aiops_cli.failure import ExitCode, Failure

EPILOG = (
    "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not logged in, 4 unreachable, "
    "5 no summary or triage could be made, 130 stopped by Ctrl-C."
)
COMMANDS = {
    "patterns": (
        "patterns:patterns",
        "Print the patterns of a log, and a summary whose every sentence cites its lines. Needs no server.",
    ),
    "changelog": (
        "changelog:changelog",
        "Print the notes of a range of commits, each in one entry or left out with a reason. Needs no server.",
    ),
    "signup": ("account:signup", "Make an account: the first one with the setup token, later ones by invitation."),
    "login": ("account:login", "Log in, and keep the session for the commands that follow."),
    "logout": ("account:logout", "End the session, here and on the server."),
    "whoami": ("account:whoami", "Print who the commands act as, and where."),
    "logs": ("logs:app", "Logs on a stack: push a file, read its patterns and its cited summary."),
    "tickets": ("tickets:app", "Tickets: create, import, triage, comment, assign, link to logs."),
    "commits": ("commits:app", "Commits on a stack: push the history of a git repository."),
    "changelogs": ("changelogs:app", "Changelogs on a stack: generate, read and publish release notes."),
    "deployments": ("deployments:app", "Deployments: record what went live, and list it."),
    "changes": ("changes:app", "What changed before something happened."),
    "deadletters": ("deadletters:app", "Events that a consumer gave up: read them, have them handled again."),
    "audit": ("audit:app", "Take out, as NDJSON, who saw or changed what is sensitive."),
    "events": ("events:app", "Tell facts again whose stream was lost."),
    "secrets": ("secrets:app", "Make the keys and passwords of an installation."),
    "history": ("history_view:app", "The history of changes: read it, and prove that it holds."),
    "person": ("person:app", "People: erase what is kept about one."),
    "backup": ("backup:backup", "Write a backup of the database, the anchors and the ledger of erasures."),
    "restore": ("restore:restore", "Bring a backup back into an empty database, and prove it."),
    "migrate": ("migrate:app", "Bring the database to the schema that this version needs."),
}
"""Where each command is, and what `aiops --help` says of it: that needs none of their modules."""


OF_RANGES = frozenset({"changelog", "changelogs", "commits"})
DASHED_RANGE = re.compile(r"-{1,2}[^-\s=][^\s=]*\.\.[^\s=]*")


def _refuse_dashed_range(arguments: list[str]) -> None:
    """Say of a range that begins with a dash where it goes, before it is taken for options.

    Raises:
        Failure: there is one.
    """
    for each in arguments[: arguments.index("--")] if "--" in arguments else arguments:
        if DASHED_RANGE.fullmatch(each):
            message = f"{each} begins with a dash, as options do. Write it last, behind two dashes: -- {each}"
            raise Failure(message, ExitCode.USAGE)


class Commands(TyperGroup):
    """Loads the module of the command that is to run, and no other."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself in place of its line of help."""
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, None, rest
        if name in OF_RANGES:
            _refuse_dashed_range(rest)
        module, _, attribute = COMMANDS[name][0].partition(":")
        found = getattr(import_module(f"aiops_cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            return name, typer.main.get_group(found), rest
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        return name, typer.main.get_command(alone), rest


app = typer.Typer(
    name="aiops",
    cls=Commands,
    help="Logs, tickets and changes into answers that show what they rest on.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib.metadata import version as installed  # noqa: PLC0415 - 20 ms that only --version needs

        typer.echo(f"aiops {installed('aiops-cli')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Runs before every command."""


def _line_of_help() -> None:
    """Stands in the tree for a command that is not loaded."""


for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(_line_of_help)


def main() -> None:
    """Run the command; a failure is one line on stderr (JSON on stdout with --json) and an exit code."""
    try:
        app()
    except Failure as failure:
        from aiops_cli.render import inert  # noqa: PLC0415 - rich takes longer to load than the rest of this

        if "--json" in sys.argv and not failure.answered:
            typer.echo(json.dumps(failure.as_json()))
        trace = f" (trace {failure.trace_id})" if failure.trace_id else ""
        typer.echo(f"aiops: {inert(failure.told)}{trace}", err=True)
        if failure.since:
            told = [f"  {line}" for line in failure.since]
            again = f"To do it all the same: aiops {shlex.join(sys.argv[1:])}"
            typer.echo(inert("\n".join(["Since you read it:", *told, again])), err=True)
        sys.exit(failure.code)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            sys.exit(ExitCode.OK)  # the reader, head for example, has what it wanted
        raise
