"""`aiops tickets reveal`: what was written on a ticket, before redaction."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from aiops_cli import render, session, ticket_documents
from aiops_cli.graph import Graph
from aiops_cli.ticket_changes import Id, Json

_LESS = {
    "REDACTED": "written before whole texts were kept: only this is left",
    "ERASED": "somebody whose words it was is erased: only this is left",
}


def reveal(
    ticket_id: Id,
    reason: Annotated[str, typer.Option("--reason", help="Why you need it, 10 to 500 characters; the audit keeps it.")],
    *,
    as_json: Json = False,
) -> None:
    """Print title, description and comments of a ticket as they were written. That you read them is audited."""
    given = {"ticketId": ticket_id, "reason": reason}
    revealed = Graph(session.current()).mutate(ticket_documents.REVEAL, given)["revealed"]
    if as_json:
        typer.echo(json.dumps(revealed, indent=2))
        return
    console = render.console_for()
    for name, text in (("Title", revealed["title"]), ("Description", revealed["description"])):
        console.print(_told(name, text))
    if revealed["hasOlderComments"]:
        console.print(Text("There are older comments, which are not shown.", style="dim"))
    for comment in revealed["comments"]:
        console.print(_told(f"Comment {comment['id']}", comment["body"]))


def _told(name: str, text: Mapping[str, Any]) -> Text:
    told = Text.assemble((name, "bold"))
    if text["state"] in _LESS:
        told.append(f" ({_LESS[text['state']]})", style="yellow")
    return told.append(f"\n{render.inert(text['text'])}")
