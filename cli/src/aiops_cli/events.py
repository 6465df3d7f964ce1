"""`aiops events`: tell facts again whose stream was lost. For operators; it needs no gateway, only the databases."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from aiops_cli import render
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.members import SERVICES, setting
from aiops_cli.sending import progress_bar

app = typer.Typer(help="Tell facts again whose stream was lost.", no_args_is_help=True)
KEPT_DAYS = 7


@app.callback()
def root() -> None:
    """Facts on their way from the databases to NATS."""


@app.command("republish")
def republish(
    *,
    since: Annotated[str, typer.Option(help="Facts published since then, such as 2026-01-31T12:00:00Z.")],
    service: Annotated[
        list[str] | None, typer.Option(help=f"Of these services; of all of {', '.join(SERVICES)} when none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have published facts told once more: consumers drop what they know, and catch up with what they missed.

    Reads <SERVICE>_OWNER_DATABASE_URL, as `aiops migrate` does. The workers publish within seconds; outboxes keep what
    was published in the last 7 days.
    """
    moment = _moment(since)
    chosen = service or list(SERVICES)
    unknown = set(chosen) - set(SERVICES)
    if unknown:
        raise Failure(
            f"There is no service {', '.join(sorted(unknown))}. Known: {', '.join(SERVICES)}.", ExitCode.USAGE
        )
    # All addresses first: half of the services told again would be a state that nobody asked for.
    urls = {
        name: setting(
            f"{name.upper()}_OWNER_DATABASE_URL", f"It is the URL of the role {name}_owner, which owns the schema."
        )
        for name in chosen
    }
    marked = {name: _marked(name, url, moment) for name, url in urls.items()}
    if as_json:
        typer.echo(json.dumps({"since": moment.isoformat(), "republished": marked}, indent=2))
        return
    for name, count in marked.items():
        typer.echo(f"{name}: {render.many(count, 'fact')} to be told again")
    if (datetime.now(UTC) - moment).days >= KEPT_DAYS:
        typer.echo(f"What was published more than {KEPT_DAYS} days ago is no longer in the outboxes.")


def _marked(service: str, url: str, since: datetime) -> int:
    import psycopg  # noqa: PLC0415 - takes longer to load than most commands run

    from chassis.republish import Republication  # noqa: PLC0415

    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
            republication = Republication(connection, service, since)
            total = 0
            with progress_bar() as progress:
                task = progress.add_task(service, total=republication.count())
                for rows in republication.mark():
                    total += rows
                    progress.update(task, completed=total)
            return total
    except psycopg.errors.UndefinedColumn as error:
        raise Failure(f"The schema of {service} is older than this command. Run `aiops migrate expand`.") from error
    except psycopg.OperationalError as error:
        message = f"The database of {service} cannot be reached; check {service.upper()}_OWNER_DATABASE_URL."
        raise Failure(message, ExitCode.UNREACHABLE) from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Failure(f"--since {text} is no moment with a zone. Write it as 2026-01-31T12:00:00Z", ExitCode.USAGE)
    return moment
