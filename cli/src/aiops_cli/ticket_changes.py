"""`aiops tickets` that change one: each reads the version itself, and never overwrites what somebody did meanwhile."""

import json
import re
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from aiops_cli import render, session, ticket_documents
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

app = typer.Typer()

Id = Annotated[str, typer.Argument(help="Id of the ticket.", metavar="ID")]
Logs = Annotated[list[str], typer.Argument(help="Ids of logs.", metavar="LOG...")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Status(StrEnum):
    """How far people are with a ticket."""

    OPEN = "open"
    IN_PROGRESS = "in-progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Audience(StrEnum):
    """Who may see a ticket."""

    GENERAL = "general"
    PEOPLE = "people"


def not_found(ticket_id: str) -> Failure:
    """The refusal for an id that leads to nothing."""
    return Failure(
        f"There is no ticket {ticket_id}, or you may not see it. See: aiops tickets list", reason="TICKET_NOT_FOUND"
    )


def user_id(graph: Graph, who: str) -> str:
    """The id of `me`, or the id that was given; nothing for nothing.

    Raises:
        Failure: a machine asks for itself, or it is no id.
    """
    if who != "me":
        if who and not ID.fullmatch(who):
            raise Failure(
                f"{render.inert(who)} is no user id. Write me, or an id. Those of the people of a ticket: "
                "aiops tickets show ID --json; of everybody, for admins, in the graph: "
                "{ users { edges { node { id email } } } }",
                ExitCode.USAGE,
            )
        return who
    me = graph.query(ticket_documents.ME)["me"]
    if me is None:
        raise Failure("An API token acts as a machine, which has no account. Name a user id.", ExitCode.USAGE)
    return str(me["id"])


def text_of(given: str, limit: int) -> str:
    """A text that was given, or standard input for `-`.

    Raises:
        Failure: nothing is piped in, or it is too long.
    """
    if given != "-":
        return given
    if sys.stdin.isatty():
        raise Failure('Nothing is piped in. Example: git diff | aiops tickets create "TITLE" -m -', ExitCode.USAGE)
    text = sys.stdin.read(limit + 1)
    if len(text) > limit:
        raise Failure(
            f"The text has more than {limit:,} characters. Push it as a log and link that: aiops logs push FILE",
            ExitCode.USAGE,
        )
    return text


def _change(mutation: str, ticket_id: str, done: str, *, as_json: bool, **values: object) -> None:
    """Run one mutation on the version that the ticket has now, and say what became of it."""
    graph = Graph(session.current())
    ticket = graph.query(ticket_documents.VERSION, {"id": ticket_id})["ticket"]
    if ticket is None:
        raise not_found(ticket_id)
    given = {"ticketId": ticket_id, "expectedVersion": ticket["version"], **values}
    try:
        changed: dict[str, Any] | None = graph.mutate(ticket_documents.change(mutation), given)["ticket"]
    except Failure as failure:
        failure.message = failure.message.replace(" ID", f" {ticket_id}")
        if failure.reason == "VERSION_CONFLICT":
            failure.message = f"{failure.message.rstrip('.')}. See: aiops tickets show {ticket_id}"
        raise
    if as_json:
        typer.echo(json.dumps(changed, indent=2))
    elif changed is None:
        typer.echo(f"{done}. You may not see the ticket any more.")
    else:
        title = render.inert(changed["title"])
        typer.echo(f"{done}: {title} (version {changed['version']}). Next: aiops tickets show {ticket_id}")


@app.command("comment")
def comment(
    ticket_id: Id,
    text: Annotated[str, typer.Argument(help="What to say, or - to read standard input.")],
    *,
    internal: Annotated[bool, typer.Option("--internal", help="The reporter shall not see it.")] = False,
    as_json: Json = False,
) -> None:
    """Say something on a ticket."""
    body = text_of(text, 10_000)
    _change("addTicketComment", ticket_id, "Commented", as_json=as_json, body=body, internal=internal)


@app.command("assign")
def assign(
    ticket_id: Id,
    who: Annotated[str, typer.Argument(help="me, nobody, or a user id.")] = "me",
    *,
    as_json: Json = False,
) -> None:
    """Hand a ticket to somebody, or to nobody."""
    assignee = None if who == "nobody" else user_id(Graph(session.current()), who)
    done = "Assigned to nobody" if assignee is None else f"Assigned to {who}"
    _change("assignTicket", ticket_id, done, as_json=as_json, assigneeId=assignee)


@app.command("status")
def status(
    ticket_id: Id,
    new: Annotated[Status, typer.Argument(help="The new status.", case_sensitive=False)],
    *,
    as_json: Json = False,
) -> None:
    """Move a ticket's status."""
    _change("updateTicketStatus", ticket_id, f"Now {new}", as_json=as_json, status=new.name)


@app.command("update")
def update(
    ticket_id: Id,
    *,
    title: Annotated[str | None, typer.Option(help="The new title.")] = None,
    category: Annotated[str | None, typer.Option(help="Key of the new category; triage keeps it.")] = None,
    priority: Annotated[str | None, typer.Option(help="Key of the new priority; triage keeps it.")] = None,
    team: Annotated[str | None, typer.Option(help="Key of the new team; triage keeps it.")] = None,
    service: Annotated[str | None, typer.Option(help="The new service; empty when unknown.")] = None,
    as_json: Json = False,
) -> None:
    """Correct title, category, priority, team or service; what is not named stays."""
    given = {"title": title, "category": category, "priority": priority, "team": team, "service": service}
    values = {key: value for key, value in given.items() if value is not None}
    if not values:
        raise Failure(
            "Nothing to change. Name --title, --category, --priority, --team or --service; "
            "their keys: aiops tickets options",
            ExitCode.USAGE,
        )
    _change("updateTicket", ticket_id, f"Changed {', '.join(values)}", as_json=as_json, **values)


@app.command("audience")
def audience(
    ticket_id: Id,
    who: Annotated[Audience, typer.Argument(help="Who may see it.", case_sensitive=False)],
    *,
    as_json: Json = False,
) -> None:
    """Decide who may see a ticket: everybody of operations, or hr alone. Ends a suspicion."""
    _change("updateTicketAudience", ticket_id, f"Audience is {who}", as_json=as_json, audience=who.name)


def _logs(given: list[str]) -> str:
    return "1 log" if len(given) == 1 else f"{len(given)} logs"


@app.command("link")
def link(ticket_id: Id, logs: Logs, *, as_json: Json = False) -> None:
    """Link logs to a ticket."""
    _change("linkTicketLogs", ticket_id, f"Linked {_logs(logs)}", as_json=as_json, logIds=logs)


@app.command("unlink")
def unlink(ticket_id: Id, logs: Logs, *, as_json: Json = False) -> None:
    """Take logs away from a ticket."""
    _change("unlinkTicketLogs", ticket_id, f"Unlinked {_logs(logs)}", as_json=as_json, logIds=logs)


@app.command("retriage")
def retriage(ticket_id: Id, *, as_json: Json = False) -> None:
    """Have a ticket triaged anew; what a person set stays."""
    _change("retriageTicket", ticket_id, "Waits for triage", as_json=as_json)
