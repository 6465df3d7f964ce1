"""`aiops audit export`: who saw or changed what is sensitive, as NDJSON. For admins."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from aiops_cli import operation_documents, session
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph
from aiops_cli.members import SERVICES

app = typer.Typer(help="Take out, as NDJSON, who saw or changed what is sensitive.", no_args_is_help=True)

PAGE = 100


@app.callback()
def root() -> None:
    """Runs before every command."""


@app.command("export")
def export(
    *,
    since: Annotated[str, typer.Option(help="From this moment on, as 2026-11-01T00:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Before this moment.")] = "",
    service: Annotated[str, typer.Option(help=f"Of this service alone: {', '.join(SERVICES)}.")] = "",
    after: Annotated[str, typer.Option(help="Go on behind the line with this cursor.")] = "",
) -> None:
    """Print one JSON object a line, newest first; each has a cursor, and an export that broke off goes on behind it.

    Stops with an error where a service does not answer: an export with a hole is none. The reading itself is noted.
    """
    if service and service not in SERVICES:
        raise Failure(f"There is no service {service}. Known: {', '.join(SERVICES)}.", ExitCode.USAGE)
    wanted = {"since": since or None, "until": until or None, "service": service.upper() or None}
    for event in _events(Graph(session.current()), wanted, after):
        typer.echo(json.dumps(event, ensure_ascii=False, separators=(",", ":")))


def _events(graph: Graph, wanted: dict[str, Any], after: str) -> Iterator[dict[str, Any]]:
    more = True
    while more:
        page = graph.query(operation_documents.AUDIT, {**wanted, "first": PAGE, "after": after or None})["auditEvents"]
        if page["unavailable"]:
            away = ", ".join(name.lower() for name in page["unavailable"])
            again = f" Go on later with --after {after}" if after else ""
            raise Failure(f"{away} did not answer, so events would be missing.{again}", ExitCode.UNREACHABLE)
        for edge in page["edges"]:
            after = edge["cursor"]
            node = edge["node"]
            yield {**node, "detail": json.loads(node["detail"]), "cursor": after}
        more = page["pageInfo"]["hasNextPage"] and bool(page["edges"])
