"""`aiops changes before`: what was deployed and committed before a log or a ticket."""

import json
from typing import Annotated

import typer
from rich.text import Text

from aiops_cli import change_documents, render, session, ticket_view
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph

app = typer.Typer(help="What changed before something happened.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What changed before something happened."""


@app.command("before")
def before(
    subject_id: Annotated[str, typer.Argument(help="Id of a log or a ticket.", metavar="ID")],
    *,
    hours: Annotated[int, typer.Option(min=1, max=720, help="Length of the window before it.")] = 24,
    first: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the deployments and commits in the hours before a log or a ticket, newest first; never a later one."""
    variables = {"id": subject_id, "hours": hours, "first": first}
    data, missing = Graph(session.current()).query_partial(change_documents.BEFORE, variables)
    subject = data["ticket"] or data["log"]
    if subject is None:
        raise Failure(
            f"There is no log or ticket {subject_id}, or you may not see it. See: aiops tickets list, aiops logs list",
            reason="TICKET_NOT_FOUND",
        )
    changes = subject["changesBefore"]
    if changes is None:
        raise Failure(f"Nothing is known just now: {'; '.join(missing)}.", ExitCode.UNREACHABLE, reason="UNAVAILABLE")
    if as_json:
        typer.echo(json.dumps({"id": subject["id"], "service": subject["service"], **changes}, indent=2))
        return
    console = render.console_for()
    name = subject.get("title") or subject.get("name") or subject["id"]
    service = f" of {render.inert(subject['service'])}" if subject["service"] else " of all services"
    window = f"  {hours} h before {render.clock(changes['before'])} UTC"
    console.print(Text.assemble((f"Changes{service} before ", ""), (render.inert(name), "bold"), (window, "dim")))
    for line in ticket_view.changes(changes):
        console.print(line)
    if not changes["changes"]:
        typer.echo("Look further back with --hours 168, or tell of more: aiops deployments record, aiops commits push")
