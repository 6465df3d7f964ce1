"""`aiops deployments`: record that a version went live, and list what did."""

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from aiops_cli import change_documents, change_view, render, session
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph

app = typer.Typer(help="Deployments: record what went live, and list it.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("record")
def record(
    service: Annotated[str, typer.Argument(help="Service, such as checkout.")],
    version: Annotated[str, typer.Argument(help="Version, as its makers name it.")],
    *,
    environment: Annotated[str, typer.Option(help="Where it is live.")] = "production",
    repository: Annotated[str, typer.Option(help="Name of the repository that it was built from.")] = "",
    sha: Annotated[str, typer.Option(help="Full hash of the commit that it was built from.")] = "",
    url: Annotated[str, typer.Option(help="Page that tells more.")] = "",
    at: Annotated[str, typer.Option(help="When, such as 2026-01-31T12:00:00Z; now when missing.")] = "",
    reference: Annotated[str, typer.Option(help="Its name where it comes from; tells the same one twice.")] = "",
    as_json: Json = False,
) -> None:
    """Record that a version of a service went live.

    Example, in a pipeline: aiops deployments record checkout 1.5.0 --sha "$(git rev-parse HEAD)" --reference "$RUN_ID"
    """
    optional = {
        "environment": environment,
        "repository": repository,
        "sha": sha,
        "url": url,
        "deployedAt": _moment(at),
        "externalReference": reference,
    }
    values = {"service": service, "version": version, **{key: value for key, value in optional.items() if value}}
    deployment = Graph(session.current()).mutate(change_documents.RECORD, values)["deployment"]
    if as_json:
        typer.echo(json.dumps(deployment, indent=2))
    else:
        told = f"{render.inert(service)} {render.inert(version)} went live in {render.inert(environment)}"
        typer.echo(f"Recorded {deployment['id']}: {told}. Next: aiops deployments list")


def _moment(text: str) -> str:
    """RFC 3339 text with a zone; nothing for nothing.

    Raises:
        Failure: it is no moment, or has no zone.
    """
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Failure(f"--at {text} is no moment with a zone. Write it as 2026-01-31T12:00:00Z", ExitCode.USAGE)
    return moment.isoformat()


@app.command("list")
def list_deployments(
    *,
    service: Annotated[str, typer.Option(help="Of this service.")] = "",
    environment: Annotated[str, typer.Option(help="In this environment.")] = "",
    first: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    after: Annotated[str, typer.Option(help="Go on behind this cursor.")] = "",
    as_json: Json = False,
) -> None:
    """List deployments, newest first."""
    variables = {
        "service": service or None,
        "environment": environment or None,
        "first": first,
        "after": after or None,
    }
    page = Graph(session.current()).query(change_documents.DEPLOYMENTS, variables)["deployments"]
    nodes = [edge["node"] for edge in page["edges"]]
    if as_json:
        typer.echo(json.dumps(nodes, indent=2))
        return
    if not nodes:
        typer.echo("No deployment is known. Record one: aiops deployments record SERVICE VERSION")
        return
    console = render.console_for()
    for node in nodes:
        for line in change_view.deployment_row(node):
            console.print(line)
    if page["pageInfo"]["hasNextPage"]:
        console.print(Text(f"There are more: add --after {page['pageInfo']['endCursor']}", style="dim"))
