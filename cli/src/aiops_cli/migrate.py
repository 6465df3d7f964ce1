"""`aiops migrate`: bring the database to the schema that this version needs. For operators; it needs no gateway."""

from typing import Annotated

import typer

from aiops_cli.bootstrap import bootstrap
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.members import SERVICES, setting

app = typer.Typer(help="Bring the database to the schema that this version needs.", no_args_is_help=True)
app.command("bootstrap")(bootstrap)


def _owner_url(service: str) -> str:
    return setting(
        f"{service.upper()}_OWNER_DATABASE_URL", f"It is the URL of the role {service}_owner, which owns the schema."
    )


@app.command("expand")
def expand(
    service: Annotated[
        list[str] | None, typer.Argument(help=f"Services; all of {', '.join(SERVICES)} when none.")
    ] = None,
) -> None:
    """Apply the expand phase: additions that the running version does not mind. Run before the new version starts."""
    # SQLAlchemy takes longer to load than most commands run.
    import psycopg  # noqa: PLC0415

    from chassis.migrations import MigrationError, migrate  # noqa: PLC0415

    chosen = service or list(SERVICES)
    unknown = set(chosen) - set(SERVICES)
    if unknown:
        raise Failure(
            f"There is no service {', '.join(sorted(unknown))}. Known: {', '.join(SERVICES)}.", ExitCode.USAGE
        )
    for name in chosen:
        try:
            applied = migrate(_owner_url(name), name, f"{name}_service")
        except MigrationError as error:
            raise Failure(str(error)) from error
        except psycopg.OperationalError as error:
            message = f"The database of {name} cannot be reached; check {name.upper()}_OWNER_DATABASE_URL."
            raise Failure(message, ExitCode.UNREACHABLE) from error
        versions = ", ".join(migration.version for migration in applied)
        typer.echo(f"{name}: {versions or 'nothing to do'}")
