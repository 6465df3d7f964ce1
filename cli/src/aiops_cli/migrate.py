"""`aiops migrate`: bring the database to the schema that this version needs. For operators; it needs no gateway."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from aiops_cli.bootstrap import bootstrap
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.members import SERVICES, setting

if TYPE_CHECKING:
    from chassis.migration_backfill import Progress
    from chassis.migration_contract import Status
    from chassis.migration_files import Applied

T = TypeVar("T")

PACKAGE = "{}_service"

app = typer.Typer(help="Bring the database to the schema that this version needs.", no_args_is_help=True)
app.command("bootstrap")(bootstrap)

Services = Annotated[list[str] | None, typer.Argument(help=f"Services; all of {', '.join(SERVICES)} when none.")]


@app.command("status")
def status(
    service: Services = None, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show every migration with its phase and state, and the processes that live. Changes nothing."""
    # SQLAlchemy takes longer to load than most commands run, here and below.
    from chassis.migration_contract import status  # noqa: PLC0415

    found = [_on(name, status) for name in _chosen(service)]
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(each) for each in found], default=str, indent=1))
        return
    for each in found:
        _show(each)


@app.command("expand")
def expand(service: Services = None) -> None:
    """Apply the expand phase: additions that the running version does not mind. Run before the new version starts."""
    from chassis.migrations import migrate  # noqa: PLC0415

    for name in _chosen(service):
        _tell(name, _on(name, migrate))


@app.command("backfill")
def backfill(service: Services = None) -> None:
    """Fill what was added for rows of before, in small steps that give way to the traffic. Run after the promotion.

    Ctrl-C, or a kill, loses nothing: the next run goes on from there. Steps in Python read AIOPS_REDACTION_KEY_FILE.
    """
    from chassis.migration_backfill import backfill  # noqa: PLC0415

    for name in _chosen(service):
        with _progress(name) as show:
            applied = _on(name, partial(backfill, progress=show))
        _tell(name, applied)


@app.command("contract")
def contract(
    service: Annotated[list[str] | None, typer.Argument(help=f"Services, of {', '.join(SERVICES)}.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All services.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. Needed where nobody can be asked.")] = False,
) -> None:
    """Take away what no version needs any more. It cannot be undone, and the version before cannot come back.

    Refused while a process runs that does not know of it, and while a backfill is not finished.
    """
    from chassis.migration_contract import contract, status  # noqa: PLC0415

    if every == bool(service):
        raise Failure("Name the services to contract, or say --all.", ExitCode.USAGE)
    for name in _chosen(service):
        steps = _on(name, status).steps
        pending = [step.version for step in steps if step.phase == "contract" and step.state != "done"]
        if not pending:
            typer.echo(f"{name}: nothing to do")
            continue
        if not yes:
            _ask(name, pending)
        _tell(name, _on(name, contract))


def _chosen(service: list[str] | None) -> list[str]:
    unknown = set(service or ()) - set(SERVICES)
    if unknown:
        raise Failure(
            f"There is no service {', '.join(sorted(unknown))}. Known: {', '.join(SERVICES)}.", ExitCode.USAGE
        )
    return service or list(SERVICES)


def _on(name: str, work: Callable[[str, str, str], T]) -> T:
    """Do something on a service's schema with its package, as its owner; what can go wrong in words."""
    import psycopg  # noqa: PLC0415

    from chassis.migration_files import MigrationError  # noqa: PLC0415

    variable = f"{name.upper()}_OWNER_DATABASE_URL"
    url = setting(variable, f"It is the URL of the role {name}_owner, which owns the schema.")
    try:
        return work(url, name, PACKAGE.format(name))
    except MigrationError as error:
        raise Failure(str(error)) from error
    except psycopg.OperationalError as error:
        raise Failure(f"The database of {name} cannot be reached; check {variable}.", ExitCode.UNREACHABLE) from error


def _ask(name: str, pending: list[str]) -> None:
    if not sys.stdin.isatty():
        raise Failure(
            f"{name}: contraction {', '.join(pending)} takes away columns or tables for good. "
            "Say --yes where nobody can be asked.",
            ExitCode.USAGE,
        )
    typer.confirm(f"{name}: contraction {', '.join(pending)} takes away columns or tables for good. Go on?", abort=True)


def _tell(name: str, applied: "list[Applied]") -> None:
    told = (f"{each.version}{f' ({each.rows:,} rows)' if each.phase == 'backfill' else ''}" for each in applied)
    typer.echo(f"{name}: {', '.join(told) or 'nothing to do'}")


@contextmanager
def _progress(name: str) -> "Iterator[Callable[[Progress], None]]":
    """A line that moves on a terminal; elsewhere nothing until the end."""
    console = Console(stderr=True)
    with console.status(f"{name}: backfill") as line:

        def show(progress: "Progress") -> None:
            waits = f", gives way to {progress.waits_for}" if progress.waits_for else ""
            line.update(f"{name}: backfill {progress.version}, {progress.rows_done:,} rows{waits}")

        yield show


def _show(status: "Status") -> None:
    table = Table("migration", "phase", "state", "rows", "finished", title=status.schema, title_justify="left")
    for step in status.steps:
        rows = f"{step.rows_done:,}" if step.phase == "backfill" else ""
        finished = f"{step.finished_at:%Y-%m-%d %H:%M:%S}" if step.finished_at else ""
        table.add_row(step.version, step.phase, step.state, rows, finished)
    console = Console(soft_wrap=True)
    console.print(table)
    for instance in status.instances:
        lacks = f", does not know {', '.join(instance.lacks)}" if instance.lacks else ""
        console.print(f"  lives: {instance.told}{lacks}", highlight=False)
