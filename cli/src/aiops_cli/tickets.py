"""`aiops tickets`: create, find, read and import tickets."""

import json
import time
from typing import Annotated, Any

import typer
from rich.text import Text

from aiops_cli import render, session, ticket_changes, ticket_documents, ticket_reveal, ticket_view
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph
from aiops_cli.ticket_changes import Status, not_found, text_of, user_id
from aiops_cli.ticket_import import import_tickets

TRIAGE_WAIT_SECONDS = 60.0
POLL_SECONDS = 0.3
MAX_MESSAGE_CHARACTERS = 20_000

app = typer.Typer(help="Tickets: create, import, triage, comment, assign, link to logs.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Category = Annotated[str, typer.Option(help="Key of the category; triage decides when missing.")]
Priority = Annotated[str, typer.Option(help="Key of the priority; triage decides when missing.")]
Team = Annotated[str, typer.Option(help="Key of the team; triage decides when missing.")]


def _triaged(graph: Graph, ticket_id: str) -> tuple[dict[str, Any], list[str]]:
    """The ticket once triage is over, whichever way."""
    deadline = time.monotonic() + TRIAGE_WAIT_SECONDS
    with render.console_for(stderr=True).status("Waiting for triage"):
        while True:
            data, missing = graph.query_partial(ticket_documents.TRIAGED, {"id": ticket_id})
            ticket: dict[str, Any] | None = data["ticket"]
            if ticket is None:
                raise not_found(ticket_id)
            if ticket["triageState"] != "PENDING":
                return ticket, missing
            if time.monotonic() > deadline:
                raise Failure(
                    f"The ticket is stored, but its triage takes longer than {TRIAGE_WAIT_SECONDS:.0f} s. "
                    f"Look later: aiops tickets show {ticket_id}",
                    ExitCode.SUMMARY_FAILED,
                )
            time.sleep(POLL_SECONDS)


def _print_ticket(ticket: dict[str, Any], missing: list[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**ticket, "missing": missing} if missing else ticket, indent=2))
    else:
        console = render.console_for()
        for line in ticket_view.whole(ticket, missing):
            console.print(line)
    if ticket["triageState"] == "FAILED":
        raise Failure(
            f"Triage failed: {ticket['triageFailure']} Try again: aiops tickets retriage {ticket['id']}",
            ExitCode.SUMMARY_FAILED,
            answered=True,
        )


@app.command("create")
def create(
    title: Annotated[str, typer.Argument(help="What it is about, one line of at most 200 characters.")],
    *,
    message: Annotated[str, typer.Option("-m", "--message", help="The text, or - to read standard input.")] = "",
    service: Annotated[str, typer.Option(help="Service that it is about.")] = "",
    category: Category = "",
    priority: Priority = "",
    team: Team = "",
    reporter_name: Annotated[str, typer.Option(help="Somebody outside who told of it.")] = "",
    reporter_email: Annotated[str, typer.Option(help="E-mail address of that person.")] = "",
    reference: Annotated[str, typer.Option(help="Its name in the system that it comes from; unique.")] = "",
    log: Annotated[
        list[str] | None, typer.Option(help="Id of a log that belongs to it; give it again for more.")
    ] = None,
    people: Annotated[bool, typer.Option("--people", help="A matter for hr: ops does not see it.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait for triage and print it with its reasons.")] = False,
    as_json: Json = False,
) -> None:
    """Create a ticket; triage follows in the background. With --wait its category, priority, team and reasons.

    Example: aiops tickets create "Checkout answers 502" -m "since 10:05, every order" --service checkout --wait
    """
    reporter = {"externalName": reporter_name or None, "externalEmail": reporter_email or None}
    optional: dict[str, object] = {
        "service": service,
        "category": category,
        "priority": priority,
        "team": team,
        "externalReference": reference,
        "logIds": log or [],
        "audience": "PEOPLE" if people else "",
        "reporter": reporter if any(reporter.values()) else None,
    }
    values = {key: value for key, value in optional.items() if value}
    graph = Graph(session.current())
    given = {"title": title, "description": text_of(message, MAX_MESSAGE_CHARACTERS), "source": "cli", **values}
    ticket = graph.mutate(ticket_documents.CREATE, given)["ticket"]
    if wait:
        _print_ticket(*_triaged(graph, ticket["id"]), as_json=as_json)
    elif as_json:
        typer.echo(json.dumps(ticket, indent=2))
    else:
        typer.echo(f"Created {ticket['id']}. Its triage: aiops tickets show {ticket['id']}")


@app.command("list")
def list_tickets(
    *,
    status: Annotated[list[Status] | None, typer.Option(help="Any of these.", case_sensitive=False)] = None,
    category: Annotated[list[str] | None, typer.Option(help="Any of these keys.")] = None,
    priority: Annotated[list[str] | None, typer.Option(help="Any of these keys.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="Any of these keys.")] = None,
    assignee: Annotated[str, typer.Option(help="me, none, or a user id.")] = "",
    service: Annotated[str, typer.Option(help="About this service.")] = "",
    text: Annotated[str, typer.Option(help="Words in title or message.")] = "",
    source: Annotated[str, typer.Option(help="That came this way, such as cli or csv.")] = "",
    reference: Annotated[
        str, typer.Option(help="With this name in the system that it comes from; needs --source.")
    ] = "",
    first: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    after: Annotated[str, typer.Option(help="Go on behind this cursor.")] = "",
    people: Annotated[bool, typer.Option("--people", help="Only matters for hr.")] = False,
    suspected: Annotated[bool, typer.Option("--suspected", help="Only those that hr still has to decide.")] = False,
    as_json: Json = False,
) -> None:
    """List tickets, newest first."""
    graph = Graph(session.current())
    narrowing: dict[str, object] = {
        "statuses": [each.name for each in status or ()],
        "categories": category,
        "priorities": priority,
        "teams": team,
        "service": service,
        "text": text,
        "source": source,
        "externalReference": reference,
        "audience": "PEOPLE" if people else "",
        "peopleSuspected": suspected,
        "unassigned": assignee == "none",
        "assigneeId": "" if assignee == "none" else user_id(graph, assignee),
    }
    given = {key: value for key, value in narrowing.items() if value}
    data, missing = graph.query_partial(
        ticket_documents.TICKETS, {"filter": given or None, "first": first, "after": after or None}
    )
    page = data["tickets"]
    nodes = [edge["node"] for edge in page["edges"]]
    if as_json:
        typer.echo(json.dumps(nodes, indent=2))
        return
    if not nodes:
        narrowed = "No ticket fits. All of them: aiops tickets list"
        empty = 'There are no tickets yet. Make one: aiops tickets create "TITLE" -m "MESSAGE" --wait'
        typer.echo(narrowed if given or after else empty)
        return
    console = render.console_for()
    console.print(ticket_view.table(nodes, console.width))
    for line in ticket_view.missing_parts(missing):
        console.print(line)
    if page["pageInfo"]["hasNextPage"]:
        console.print(Text(f"There are more: add --after {page['pageInfo']['endCursor']}", style="dim"))


@app.command("show")
def show(ticket_id: Annotated[str, typer.Argument(help="Id of the ticket.")], *, as_json: Json = False) -> None:
    """Print all about a ticket: people, triage with reasons, comments, logs, similar ones and the changes before it."""
    data, missing = Graph(session.current()).query_partial(ticket_documents.TICKET, {"id": ticket_id})
    if data["ticket"] is None:
        raise not_found(ticket_id)
    _print_ticket(data["ticket"], missing, as_json=as_json)


@app.command("options")
def options(*, as_json: Json = False) -> None:
    """List the categories, priorities and teams of this installation."""
    found = Graph(session.current()).query(ticket_documents.OPTIONS)["ticketOptions"]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    console = render.console_for()
    for line in ticket_view.options(found):
        console.print(line)


app.add_typer(ticket_changes.app)
app.command("reveal")(ticket_reveal.reveal)
app.command("import")(import_tickets)
