"""`aiops deadletters`: events that a consumer gave up; read them, and have them handled again. For admins."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from aiops_cli import operation_documents, render, session
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph
from aiops_cli.members import SERVICES
from aiops_cli.sending import patiently, progress_bar

app = typer.Typer(help="Events that a consumer gave up: read them, have them handled again.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Service = Annotated[str, typer.Option("--service", help=f"Of this service alone: {', '.join(SERVICES)}.")]
Consumer = Annotated[str, typer.Option("--consumer", help="Of this consumer alone, such as tickets-triage.")]
BATCH = 100


@app.command("list")
def list_letters(
    *,
    service: Service = "",
    consumer: Consumer = "",
    everything: Annotated[bool, typer.Option("--all", help="Those that took effect after all as well.")] = False,
    first: Annotated[int, typer.Option(min=1, max=100, help="How many of each service.")] = 20,
    after: Annotated[str, typer.Option(help="Go on behind this cursor; with --service.")] = "",
    as_json: Json = False,
) -> None:
    """List dead letters, newest first. Services that are away are named, and the others shown."""
    chosen = _services(service)
    if after and not service:
        raise Failure("--after goes with --service: a cursor is of one service's list.", ExitCode.USAGE)
    graph = Graph(session.current())
    rows: list[dict[str, Any]] = []
    ends: list[str] = []
    for name, page in _pages(graph, chosen, consumer, everything=everything, first=first, after=after):
        rows += [{"service": name, **letter} for letter in page["nodes"]]
        if page["pageInfo"]["hasNextPage"]:
            ends.append(f"There are more of {name}: add --service {name} --after {page['pageInfo']['endCursor']}")
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("No event waits: every consumer took effect of all that it was given.")
        return
    console = render.console_for()
    for letter in rows:
        console.print(_line(letter))
        console.print(Text(f"    {render.inert(letter['errorClass'])}: {render.inert(letter['errorMessage'])}"))
    for end in ends:
        console.print(Text(end, style="dim"))
    console.print(Text("See one: aiops deadletters show ID. Again: aiops deadletters redrive ID", style="dim"))


@app.command("show")
def show(id_: Annotated[str, typer.Argument(metavar="ID", help="Which letter.")], *, as_json: Json = False) -> None:
    """Print a dead letter with its event, redacted."""
    service, letter = _found(Graph(session.current()), id_)
    if as_json:
        typer.echo(json.dumps({"service": service, **letter}, indent=2))
        return
    console = render.console_for()
    console.print(_line({"service": service, **letter}))
    facts = {
        "error": f"{letter['errorClass']}: {letter['errorMessage']}",
        "handled in vain": render.many(letter["attempts"], "time"),
        "redriven": render.many(letter["redrives"], "time"),
        "asked for": f"{render.clock(letter['redriveRequestedAt'])} by {letter['redriveRequestedBy']}"
        if letter["redriveRequestedAt"]
        else "no redrive",
        "trace": letter["traceId"],
        "subject": letter["subject"],
        "event": letter["eventId"] or "unreadable",
        "about": f"{letter['aggregateType']} {letter['aggregateId']}" if letter["aggregateId"] else "unreadable",
        "payload": letter["payload"],
    }
    for name, value in facts.items():
        console.print(Text(f"  {name:16} {render.inert(str(value))}"))


@app.command("redrive")
def redrive(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Which letters.")] = None,
    *,
    service: Service = "",
    consumer: Consumer = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All that wait, of --service and --consumer where given.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Have events handled again, after their fix. Each has one effect, however often it is asked for.

    The consumer takes them up within seconds: see how they fared with `aiops deadletters list --all`.
    """
    if bool(ids) == everything:
        raise Failure("Name the letters by ID, or all that wait with --all.", ExitCode.USAGE)
    graph = Graph(session.current())
    asked: list[dict[str, Any]] = []
    with progress_bar() as progress:
        task = progress.add_task("Asking", total=len(ids) if ids else None)
        for name, batch in _batches(graph, ids or [], _services(service), consumer):
            answer = patiently(lambda name=name, batch=batch: _redriven(graph, name, batch), progress)  # type: ignore[misc]
            asked += [{"service": name, **letter} for letter in answer]
            progress.update(task, completed=len(asked))
    if as_json:
        typer.echo(json.dumps(asked, indent=2))
        return
    done = sum(letter["redrivenAt"] is not None for letter in asked)
    typer.echo(f"Asked for {render.many(len(asked) - done, 'letter')}; {done:,} had taken effect before.")
    if len(asked) > done:
        typer.echo("See how they fared: aiops deadletters list --all")


def _services(service: str) -> tuple[str, ...]:
    if service and service not in SERVICES:
        raise Failure(f"There is no service {service}. Known: {', '.join(SERVICES)}.", ExitCode.USAGE)
    return (service,) if service else SERVICES


def _pages(
    graph: Graph, services: tuple[str, ...], consumer: str, *, everything: bool, first: int, after: str
) -> list[tuple[str, dict[str, Any]]]:
    """A page of each service that answers; of those that do not it is said.

    Raises:
        Failure: what is asked for is refused, or a service is away and the others keep no letter: all is not well then.
    """
    pages = []
    away: Failure | None = None
    for name in services:
        try:
            page = _page(graph, name, consumer, everything=everything, first=first, after=after)
        except Failure as failure:
            if len(services) == 1 or failure.code is not ExitCode.UNREACHABLE:
                raise
            typer.echo(f"The letters of {name} are missing: {failure.message}", err=True)
            away = failure
        else:
            pages.append((name, page))
    if away is not None and not any(page["nodes"] for _, page in pages):
        raise away
    return pages


def _page(graph: Graph, service: str, consumer: str, *, everything: bool, first: int, after: str) -> dict[str, Any]:
    variables = {
        "service": service.upper(),
        "consumer": consumer or None,
        "all": everything,
        "first": first,
        "after": after or None,
    }
    page: dict[str, Any] = graph.query(operation_documents.LETTERS, variables)["deadLetters"]
    return page


def _found(graph: Graph, id_: str) -> tuple[str, dict[str, Any]]:
    """The service that keeps the letter, and the letter.

    Raises:
        Failure: none of those that answer has it.
    """
    data, missing = graph.query_partial(operation_documents.FIND, {"id": id_})
    for service, letter in data.items():
        if letter is not None:
            return service.lower(), letter
    silent = f" Not asked, for it is away: {'; '.join(missing)}" if missing else ""
    raise Failure(f"No service keeps a dead letter {id_}. See: aiops deadletters list --all{silent}")


def _batches(graph: Graph, ids: list[str], services: tuple[str, ...], consumer: str) -> Iterator[tuple[str, list[str]]]:
    """The letters to ask for, by service."""
    if ids:
        by_service: dict[str, list[str]] = {}
        for id_ in dict.fromkeys(ids):
            by_service.setdefault(_found(graph, id_)[0], []).append(id_)
        yield from by_service.items()
        return
    for service in services:
        after = ""
        while True:
            page = _page(graph, service, consumer, everything=False, first=BATCH, after=after)
            if page["nodes"]:
                yield service, [letter["id"] for letter in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]


def _redriven(graph: Graph, service: str, ids: list[str]) -> list[dict[str, Any]]:
    values = {"service": service.upper(), "ids": ids}
    letters: list[dict[str, Any]] = graph.mutate(operation_documents.REDRIVE, values)["deadLetters"]
    return letters


def _line(letter: dict[str, Any]) -> Text:
    state, style = "waits", "yellow"
    if letter["redrivenAt"]:
        state, style = f"took effect {render.clock(letter['redrivenAt'])}", "green"
    elif letter["redriveRequestedAt"]:
        state, style = "is being redriven", "cyan"
    return Text.assemble(
        f"{letter['id']}  {render.clock(letter['createdAt'])}  ",
        (render.inert(letter["consumer"]), "bold"),
        f" of {letter['service']}, ",
        (state, style),
    )
