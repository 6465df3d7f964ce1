"""`aiops history`: read how a thing became what it is. `verify`, which proves it, is in `history`."""

import json
import re
from enum import StrEnum
from typing import Annotated, Any

import typer

from aiops_cli import change_words, render, session
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph
from aiops_cli.history import verify

MAX_PAGE = 100
_TARGET = "replayChanges(target: $target)"
CHANGES = f"""
query History($target: ReplayTarget!, $first: Int!, $after: String) {{
  {_TARGET} {{
    version
    changes(first: $first, after: $after) {{
      nodes {{
        version changedAt event reason hash traceId changedBy {{ displayName }} changedByActor {{ kind id }}
        operations {{ op path value previous }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""
STATE = f"""
query StateAsOf($target: ReplayTarget!, $asOf: AsOf!) {{
  {_TARGET} {{ state(asOf: $asOf) {{ version changedAt document }} }}
}}
"""
DIFFERENCE = f"""
query Difference($target: ReplayTarget!, $from: Int!, $to: Int!) {{
  {_TARGET} {{ difference(fromVersion: $from, toVersion: $to) {{ op path value previous }} }}
}}
"""

app = typer.Typer(help="The history of changes: read it, and prove that it holds.", no_args_is_help=True)


class Kind(StrEnum):
    """What has a history."""

    LOG = "log"
    TICKET = "ticket"
    CHANGELOG = "changelog"
    USER = "user"


@app.command("show")
def show(
    kind: Annotated[Kind, typer.Argument(help="What it is.", case_sensitive=False)],
    id_: Annotated[str, typer.Argument(help="Its id.", metavar="ID")],
    *,
    as_of: Annotated[str, typer.Option(help="What it was at this version, or at this time (RFC 3339).")] = "",
    diff: Annotated[tuple[int, int] | None, typer.Option(help="How these two versions differ.", metavar="A B")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every change of a thing with who, when, what and why; or what it was; or how two versions differ.

    Example: aiops history show ticket ID --as-of 2026-11-23T09:00:00Z
    """
    if as_of and diff:
        raise Failure("Ask for one: --as-of or --diff.", ExitCode.USAGE)
    graph, target = Graph(session.current()), {"target": {f"{kind}Id": id_}}
    if as_of:
        _print_state(_asked(graph, STATE, {**target, "asOf": _moment(as_of)})["state"], as_json=as_json)
    elif diff:
        operations = _asked(graph, DIFFERENCE, {**target, "from": diff[0], "to": diff[1]})["difference"]
        _print(operations, change_words.steps(operations) or ["Nothing that you see differs."], as_json=as_json)
    else:
        changes = _changes(graph, target)
        _print(changes, change_words.told(changes) or ["No change is recorded yet."], as_json=as_json)


app.command("verify")(verify)


def _asked(graph: Graph, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = graph.query(document, variables)["replayChanges"]
    return found


def _changes(graph: Graph, target: dict[str, Any]) -> list[dict[str, Any]]:
    """All changes, page by page."""
    changes: list[dict[str, Any]] = []
    after = None
    while True:
        page = _asked(graph, CHANGES, {**target, "first": MAX_PAGE, "after": after})["changes"]
        changes += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return changes
        after = page["pageInfo"]["endCursor"]


def _moment(text: str) -> dict[str, Any]:
    """The version or the time that was named.

    Raises:
        Failure: it is neither.
    """
    if re.fullmatch(r"\d{1,9}", text):
        return {"version": int(text)}
    if re.match(r"\d{4}-\d\d-\d\dT", text):
        return {"time": text}
    message = f"{render.inert(text)} is neither a version, such as 3, nor a time, such as 2026-11-23T09:00:00Z."
    raise Failure(message, ExitCode.USAGE)


def _print_state(state: dict[str, Any], *, as_json: bool) -> None:
    since = f"version {state['version']}, from {state['changedAt'].replace('T', ' ')[:19]} on"
    fields = [f"{name.replace('_', ' ')}: {change_words.value(held)}" for name, held in state["document"].items()]
    _print(state, [since, *fields], as_json=as_json)


def _print(found: Any, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for line in lines:
        typer.echo(render.inert(line))
