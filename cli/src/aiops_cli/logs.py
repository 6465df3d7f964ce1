"""`aiops logs`: push, summarize, list, show and patterns against a stack."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn
from rich.text import Text

from aiops_cli import documents, render, session
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph
from aiops_cli.source import open_source

CHUNK_BYTES = 256 * 1024
PASTE_LIMIT_BYTES = 1_000_000
SUMMARY_WAIT_SECONDS = 120.0
POLL_SECONDS = 0.3

app = typer.Typer(help="Logs on a stack: push a file, read its patterns and its cited summary.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Option(help="Name of the log; the file's name when missing.")]
Service = Annotated[str, typer.Option(help="Service that wrote it; found in the lines when missing.")]
Timezone = Annotated[str, typer.Option(help="IANA zone of times that do not say theirs, for example Europe/Berlin.")]


def _chunks(stream: BinaryIO, progress: Progress, size: int | None) -> Iterator[bytes]:
    task = progress.add_task("Uploading", total=size)
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk
        progress.advance(task, len(chunk))


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=render.console_for(stderr=True),
        transient=True,
    )


def _wait(graph: Graph, log_id: str) -> dict[str, Any]:
    """The log once its summary is there, or could not be made."""
    deadline = time.monotonic() + SUMMARY_WAIT_SECONDS
    with render.console_for(stderr=True).status("Mining patterns and writing the summary"):
        while True:
            log: dict[str, Any] | None = graph.query(documents.LOG, {"id": log_id})["log"]
            if log is None:
                raise Failure(f"The log {log_id} is gone.")
            if log["state"] != "RECEIVED":
                return log
            if time.monotonic() > deadline:
                raise Failure(
                    f"The log is stored, but its summary takes longer than {SUMMARY_WAIT_SECONDS:.0f} s. "
                    f"Look later: aiops logs show {log_id}",
                    ExitCode.SUMMARY_FAILED,
                )
            time.sleep(POLL_SECONDS)


def _print_log(log: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(log, indent=2))
    else:
        console = render.console_for()
        console.print(Text.assemble((render.inert(log["name"]), "bold"), "  ", log["id"]))
        records, found = render.many(log["recordCount"], "record"), render.many(log["patternCount"], "pattern")
        size = f"{records} in {found}, {render.many(log['lineCount'], 'line')}"
        first, last = log["firstRecordTime"], log["lastRecordTime"]
        span = f"{render.clock(first)} to {render.clock(last)} UTC" if first else "the lines tell no time"
        console.print(Text(f"{size}; {span}", style="dim"))
        console.print(Text(f"{log['status'].lower()}, {log['state'].lower()}, version {log['version']}\n", style="dim"))
        if log["summary"]:
            for line in render.stored_summary(log["summary"]):
                console.print(line)
    if log["state"] == "FAILED":
        raise Failure(
            f"No summary could be made: {log['failure']} Try again: aiops logs summarize --again {log['id']}",
            ExitCode.SUMMARY_FAILED,
            answered=True,
        )


@app.command("push")
def push(
    file: Annotated[str, typer.Argument(help="A file, plain or gzipped by its .gz ending, or - for standard input.")],
    name: Name = "",
    service: Service = "",
    timezone: Timezone = "",
    *,
    wait: Annotated[bool, typer.Option(help="Wait for the summary and print it.")] = True,
    as_json: Json = False,
) -> None:
    """Upload a log of up to 50 MB, in one piece or not at all, and print its cited summary."""
    graph = Graph(session.current())
    size = Path(file).stat().st_size if Path(file).is_file() else None
    parameters = {"name": name or ("standard input" if file == "-" else Path(file).name)}
    parameters |= {key: value for key, value in (("service", service), ("timezone", timezone)) if value}
    source = open_source(file, "kubectl logs my-pod | aiops logs push -", unpack=False)
    with source as stream, _progress() as progress:
        log = graph.upload(_chunks(stream, progress, size), parameters, gzipped=file.endswith(".gz"))
    if wait:
        _print_log(_wait(graph, log["id"]), as_json=as_json)
    elif as_json:
        typer.echo(json.dumps(log, indent=2))
    else:
        typer.echo(f"Stored as {log['id']}. Its summary: aiops logs show {log['id']}")


@app.command("summarize")
def summarize(
    file: Annotated[str, typer.Argument(help="A file of up to 1 MB, or - for standard input.")] = "-",
    name: Name = "",
    service: Service = "",
    timezone: Timezone = "",
    *,
    again: Annotated[str, typer.Option(help="Id of a stored log to summarise anew, in place of a file.")] = "",
    as_json: Json = False,
) -> None:
    """Paste a text of up to 1 MB and print its cited summary; or summarise a stored log again."""
    graph = Graph(session.current())
    if again:
        log = _get(graph, again)
        values: dict[str, object] = {"logId": again, "expectedVersion": log["version"]}
        stored = graph.mutate(documents.RESUMMARIZE, values)["log"]
    else:
        with open_source(file, "kubectl logs my-pod | aiops logs summarize -") as stream:
            data = stream.read(PASTE_LIMIT_BYTES + 1)
        if len(data) > PASTE_LIMIT_BYTES:
            raise Failure("The text is larger than 1 MB. For up to 50 MB: aiops logs push FILE")
        values = {
            "name": name or ("standard input" if file == "-" else Path(file).name),
            "text": data.decode("utf-8", errors="replace"),
            "service": service or None,
            "timezone": timezone or None,
        }
        stored = graph.mutate(documents.SUMMARIZE, values)["log"]
    _print_log(_wait(graph, stored["id"]), as_json=as_json)


@app.command("list")
def list_logs(
    first: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    service: Annotated[str, typer.Option(help="Of this service.")] = "",
    after: Annotated[str, typer.Option(help="Go on behind this cursor.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """List logs, newest first."""
    variables = {"first": first, "after": after or None, "filter": {"service": service} if service else None}
    page = Graph(session.current()).query(documents.LOGS, variables)["logs"]
    nodes = [edge["node"] for edge in page["edges"]]
    if as_json:
        typer.echo(json.dumps(nodes, indent=2))
        return
    if not nodes:
        narrowed = "No log fits. All of them: aiops logs list"
        typer.echo(narrowed if service or after else "There are no logs yet. Bring one in: aiops logs push FILE")
        return
    console = render.console_for()
    console.print(render.logs_list(nodes, console.width))
    if page["pageInfo"]["hasNextPage"]:
        console.print(Text(f"There are more: add --after {page['pageInfo']['endCursor']}", style="dim"))


def _not_found(log_id: str) -> Failure:
    return Failure(f"There is no log {log_id}, or you may not see it. See: aiops logs list", reason="LOG_NOT_FOUND")


def _get(graph: Graph, log_id: str) -> dict[str, Any]:
    log: dict[str, Any] | None = graph.query(documents.LOG, {"id": log_id})["log"]
    if log is None:
        raise _not_found(log_id)
    return log


@app.command("show")
def show(log_id: Annotated[str, typer.Argument(help="Id of the log.")], *, as_json: Json = False) -> None:
    """Print a log's cited summary."""
    _print_log(_get(Graph(session.current()), log_id), as_json=as_json)


@app.command("patterns")
def patterns(
    log_id: Annotated[str, typer.Argument(help="Id of the log.")],
    first: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    *,
    as_json: Json = False,
) -> None:
    """Print a log's patterns with their counts; the counts of all add up to its records."""
    graph = Graph(session.current())
    log = graph.query(documents.PATTERNS, {"id": log_id, "first": first})["log"]
    if log is None:
        raise _not_found(log_id)
    nodes = [edge["node"] for edge in log["patterns"]["edges"]]
    if as_json:
        typer.echo(json.dumps(nodes, indent=2))
        return
    rows = render.pattern_rows(nodes, log["recordCount"])
    title = f"{render.many(log['patternCount'], 'pattern')} of {render.many(log['recordCount'], 'record')}"
    console = render.console_for()
    console.print(render.patterns_list(rows, title, console.width))
