"""`aiops tickets import`: tickets out of a CSV file, with progress and a report of the bad rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.progress import Progress
from rich.text import Text

from aiops_cli import render, session, ticket_csv, ticket_documents
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph
from aiops_cli.sending import patiently, progress_bar
from aiops_cli.source import open_source
from aiops_cli.ticket_csv import FileUnusable, Row, Table

SHOWN_PROBLEMS = 20
OF_ALL_ROWS = frozenset({"UNAUTHENTICATED", "SESSION_REVOKED", "API_TOKEN_INVALID"})
"""Refusals that the next row would get as well."""
COLUMN_OF_FIELD = {
    "description": "message",
    "externalReference": "external_reference",
    "reporter.externalName": "reporter_name",
    "reporter.externalEmail": "reporter_email",
}


@dataclass
class Outcome:
    """What became of the rows."""

    created: dict[int, str] = field(default_factory=dict)
    """Ticket ids by line."""
    there: list[int] = field(default_factory=list)
    """Lines whose external reference a ticket has already."""
    refused: dict[int, list[ticket_csv.Problem]] = field(default_factory=dict)
    """What is wrong, by line."""


def import_tickets(
    file: Annotated[str, typer.Argument(help="A CSV file, or - for standard input.", metavar="FILE.csv")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="A column of yours for one of ours, as Subject=title.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of the file, when it is not UTF-8.")] = "utf-8",
    report: Annotated[
        str, typer.Option(help="Write the bad rows here, with an error column: fix them and import that file.")
    ] = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Create a ticket of each row. All rows are checked first; the good ones are sent, the bad ones reported.

    Columns: title, message, and optionally reporter_name, reporter_email, service, category, priority, team, audience,
    external_reference, source. Delimited by comma, semicolon or tab. Run again, it makes no second ticket of a row: for
    72 hours, and for ever where the row has an external_reference.
    """
    if report == "-":
        raise Failure("The report is a file to be fixed and imported. Name one: --report bad.csv", ExitCode.USAGE)
    if report and Path(report).exists() and file != "-" and Path(report).samefile(file):
        raise Failure(f"The report would overwrite {file}. Name another file.", ExitCode.USAGE)
    graph, table = _checked(file, _mapping(mapping or []), encoding)
    outcome = Outcome(refused={row.line: list(row.problems) for row in table.bad})
    if report:  # a report that cannot be written is told before the first row is sent
        _write_report(report, table, outcome)
    stopped = None if dry_run else _send(graph or Graph(session.current()), table.good, outcome)
    if report:
        _write_report(report, table, outcome)
    if as_json:
        ended = stopped.as_json() if stopped else {}
        typer.echo(json.dumps({**_as_json(file, table, outcome, dry_run=dry_run), **ended}, indent=2))
    else:
        console = render.console_for()
        for line in _told(table, outcome, report, dry_run=dry_run):
            console.print(line)
    if stopped:
        stopped.answered = True
        raise stopped
    if outcome.refused:
        raise typer.Exit(ExitCode.REFUSED)


def _mapping(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for each in given:
        theirs, equals, ours = each.rpartition("=")
        if not equals or not theirs or not ours:
            raise Failure(f"--map {each} does not name two columns. Example: --map Subject=title", ExitCode.USAGE)
        pairs[theirs] = ours
    return pairs


def _checked(file: str, mapping: Mapping[str, str], encoding: str) -> tuple[Graph | None, Table]:
    """The checked file, and the graph when the options of the installation were needed for that."""
    with open_source(file, "cat tickets.csv | aiops tickets import -") as stream:
        data = stream.read(ticket_csv.MAX_FILE_BYTES + 1)
    if len(data) > ticket_csv.MAX_FILE_BYTES:
        raise Failure(f"{file} is larger than {ticket_csv.MAX_FILE_BYTES // 1_000_000} MB. Split it.")
    try:
        text = ticket_csv.decode(data, encoding)
        table = ticket_csv.read(text, mapping)
        if not any(name in row.values for row in table.rows for name in ticket_csv.OPTION_COLUMNS):
            return None, table
        graph = Graph(session.current())
        return graph, ticket_csv.read(text, mapping, _declared(graph))
    except FileUnusable as unusable:
        raise Failure(f"{file}: {unusable}", reason="CSV_UNUSABLE") from unusable


def _declared(graph: Graph) -> dict[str, dict[str, str]]:
    """The keys of the options that can be chosen, by kind and by lower-case key or name."""
    declared: dict[str, dict[str, str]] = {name: {} for name in ticket_csv.OPTION_COLUMNS}
    for option in graph.query(ticket_documents.OPTIONS)["ticketOptions"]:
        if not option["archived"] and option["kind"]:
            known = declared[option["kind"].lower()]
            known.setdefault(option["name"].casefold(), option["key"])
            known[option["key"]] = option["key"]
    return declared


def _send(graph: Graph, rows: Sequence[Row], outcome: Outcome) -> Failure | None:
    """Send the rows; the failure that ended it early, if any."""
    sent = 0
    with progress_bar() as progress:
        task = progress.add_task("Importing tickets", total=len(rows))
        try:
            for row in rows:
                _send_one(graph, row, outcome, progress)
                sent += 1
                progress.advance(task)
        except KeyboardInterrupt:
            stopped = Failure("", ExitCode.INTERRUPTED, reason="INTERRUPTED")
        except Failure as failure:
            stopped = failure
        else:
            return None
    so_far = (
        f"Stopped after {sent:,} of {len(rows):,} rows. Run the same command again: no row becomes a second ticket."
    )
    stopped.message = f"{stopped.message.rstrip('.')}. {so_far}" if stopped.message else so_far
    return stopped


def _send_one(graph: Graph, row: Row, outcome: Outcome, progress: Progress) -> None:
    try:
        create = partial(graph.mutate, ticket_documents.CREATE, row.ticket(), idempotency_key=row.key)
        ticket = patiently(create, progress)
    except Failure as failure:
        if failure.reason in OF_ALL_ROWS or failure.code is ExitCode.UNREACHABLE or not failure.reason:
            raise
        if failure.reason == "TICKET_REFERENCE_TAKEN":
            outcome.there.append(row.line)
        else:
            column = COLUMN_OF_FIELD.get(failure.field, failure.field)
            outcome.refused[row.line] = [ticket_csv.Problem(column, f"{failure.message} ({failure.reason})")]
    else:
        outcome.created[row.line] = ticket["ticket"]["id"]


def _write_report(path: str, table: Table, outcome: Outcome) -> None:
    errors = {line: "; ".join(map(str, problems)) for line, problems in outcome.refused.items()}
    try:
        Path(path).write_text(ticket_csv.report(table, errors), encoding="utf-8", newline="")
    except OSError as error:
        raise Failure(f"The report {path} cannot be written: {error.strerror or error}.") from error


def _told(table: Table, outcome: Outcome, report: str, *, dry_run: bool) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if table.unused:
        lines.append(Text(f"Not imported: the columns {', '.join(map(render.inert, table.unused))}", style="yellow"))
    for line, problems in sorted(outcome.refused.items())[:SHOWN_PROBLEMS]:
        lines += [Text.assemble((f"line {line}  ", "red"), render.inert(str(problem))) for problem in problems]
    if len(outcome.refused) > SHOWN_PROBLEMS:
        more = "" if report else "; all of them: --report FILE.csv"
        lines.append(Text(f"and {len(outcome.refused) - SHOWN_PROBLEMS:,} more bad rows{more}", style="red"))
    if table.repeated:
        first = table.repeated[0]
        lines.append(
            Text(
                f"{_rows(len(table.repeated))} left out, for an earlier one says the same: line {first.line} is as "
                f"line {first.same_as_line}"
            )
        )
    if outcome.there:
        lines.append(Text(f"{_rows(len(outcome.there))} already there by their external reference"))
    if dry_run:
        lines.append(
            Text(f"{len(table.good):,} of {len(table.rows):,} rows can be imported. Nothing was sent (--dry-run).")
        )
    else:
        lines.append(
            Text(
                f"{len(outcome.created):,} of {len(table.rows):,} rows are tickets now, those of an earlier run "
                "included. Next: aiops tickets list"
            )
        )
    if outcome.refused:
        wanted = (
            f"Fix {report} and import it."
            if report
            else "--report FILE.csv writes what is refused to a file, to be fixed."
        )
        lines.append(Text(f"{_rows(len(outcome.refused))} refused. {wanted}", style="red"))
    return lines


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count:,} rows are"


def _as_json(file: str, table: Table, outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    return {
        "file": file,
        "rows": len(table.rows),
        "dry_run": dry_run,
        "created": [{"line": line, "id": made} for line, made in sorted(outcome.created.items())],
        "already_there": sorted(outcome.there),
        "repeated": [{"line": row.line, "same_as_line": row.same_as_line} for row in table.repeated],
        "refused": [
            {"line": line, "problems": [{"column": each.column, "advice": each.advice} for each in problems]}
            for line, problems in sorted(outcome.refused.items())
        ],
        "unused_columns": list(table.unused),
    }
