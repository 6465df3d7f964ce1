"""`aiops history verify`: prove that nobody changed what was. For operators; it needs no gateway."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops_cli.failure import ExitCode, Failure
from aiops_cli.operator import chosen, owner_url, recorder_of, store, trust_file

if TYPE_CHECKING:
    from chassis.history.store import FolderStore
    from chassis.history.verify import Report

app = typer.Typer(help="The history of changes: prove that it holds.", no_args_is_help=True)
SHOWN = 20


@app.callback()
def root() -> None:
    """Runs before every command."""


@app.command("verify")
def verify(
    *,
    service: Annotated[list[str] | None, typer.Option("--service", help="Only this service; may be repeated.")] = None,
    anchors: Annotated[
        Path | None, typer.Option("--anchors", help="Folder with the anchors, where AIOPS_ANCHOR_URL is an address.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check every chain, snapshot, current row and anchor, and name the first row that does not hold.

    Reads <SERVICE>_OWNER_DATABASE_URL, AIOPS_REDACTION_KEY_FILE, AIOPS_TRUST_FILE and AIOPS_ANCHOR_URL.
    """
    folder = _anchors(anchors)
    reports = [report for name in chosen(service) for report in _verified(name, folder)]
    faults = [fault for report in reports for fault in report.faults]
    if as_json:
        typer.echo(json.dumps([asdict(report) for report in reports]))
    else:
        for report in reports:
            counted = f"{report.chains} chains, {report.rows} rows, {report.anchors} anchors"
            typer.echo(f"{report.service} {report.kind}: {counted}: {_verdict(report)}")
            for fault in report.faults[:SHOWN]:
                typer.echo(f"  {fault.where}: {fault.what}")
            if len(report.faults) > SHOWN:
                typer.echo(f"  and {len(report.faults) - SHOWN} more")
    if faults:
        first = faults[0]
        message = f"The history does not hold. First: {first.service} {first.kind} {first.where}: {first.what}"
        raise Failure(message, reason="HISTORY_BROKEN", answered=as_json)


def _verdict(report: "Report") -> str:
    return f"{len(report.faults)} do not hold" if report.faults else "all hold"


def _anchors(folder: Path | None) -> "FolderStore":
    from chassis.history.store import FolderStore  # noqa: PLC0415 - SQLAlchemy takes longer to load than most commands

    if folder is not None:
        return FolderStore(folder)
    found = store()
    if not isinstance(found, FolderStore):
        raise Failure(
            "AIOPS_ANCHOR_URL is an address: fetch the anchors from there and name their folder: --anchors FOLDER",
            ExitCode.USAGE,
        )
    return found


def _verified(service: str, anchors: "FolderStore") -> "list[Report]":
    from chassis.db import Database  # noqa: PLC0415 - as above
    from chassis.errors import Unavailable  # noqa: PLC0415
    from chassis.history.verify import verify as prove  # noqa: PLC0415
    from chassis.identity import Trust  # noqa: PLC0415

    recorder = recorder_of(service)
    if recorder is None:
        return []
    trust = Trust.from_file(trust_file())

    async def run() -> "list[Report]":
        database = Database(owner_url(service), name=service, pool_size=1)
        try:
            return await prove(database, recorder, trust, anchors)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except Unavailable as error:
        message = f"The database of {service} cannot be reached; check {service.upper()}_OWNER_DATABASE_URL."
        raise Failure(message, ExitCode.UNREACHABLE) from error
    except ValueError as error:
        raise Failure(str(error)) from error
