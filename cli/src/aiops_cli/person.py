"""`aiops person erase`: make the installation forget somebody. For operators; it needs no gateway."""

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from aiops_cli.failure import ExitCode, Failure
from aiops_cli.members import SERVICES
from aiops_cli.operator import owner_url, recorder_of, store

if TYPE_CHECKING:
    from chassis.history.recorder import Recorder

app = typer.Typer(help="People: erase what is kept about one.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """Runs before every command."""


@app.command("erase")
def erase(
    *,
    user: Annotated[UUID | None, typer.Option("--user", help="Id of the account.")] = None,
    email: Annotated[str, typer.Option("--email", help="Address of somebody who wrote without an account.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy the keys of what is personal in histories, and blank it in current rows. Nobody can undo it.

    Reads <SERVICE>_OWNER_DATABASE_URL, AIOPS_REDACTION_KEY_FILE and AIOPS_ANCHOR_URL: there the erasure is noted first,
    so that a restored backup forgets as well. Run it again after any failure.
    """
    from chassis.history import subject_of_email, subject_of_user  # noqa: PLC0415 - most commands need none of it

    subjects = [subject_of_user(user)] if user else []
    if "@" in email:
        subjects.append(subject_of_email(email))
    elif email:
        raise Failure(f"{email} is no e-mail address.", ExitCode.USAGE, field="--email")
    if not subjects:
        raise Failure("Say who: --user ID, --email ADDRESS, or both.", ExitCode.USAGE)
    recorders = {name: recorder for name in SERVICES if (recorder := recorder_of(name)) is not None}
    urls = {name: owner_url(name) for name in recorders}
    if not yes:
        typer.confirm("What is erased cannot be had back, by nobody. Erase?", abort=True)
    for subject in subjects:
        for name, rows in asyncio.run(_erased(subject, recorders, urls)).items():
            typer.echo(f"{name}: the key is destroyed, {rows} rows were blanked")


async def _erased(subject: str, recorders: "dict[str, Recorder]", urls: dict[str, str]) -> dict[str, int]:
    from chassis.db import Database  # noqa: PLC0415 - SQLAlchemy takes longer to load than most commands run
    from chassis.errors import Unavailable  # noqa: PLC0415
    from chassis.history.erasure import erase, note_erasure, operator_work  # noqa: PLC0415

    done = {}
    first, recorder = next(iter(recorders.items()))
    clock = Database(urls[first], name=first, pool_size=1)
    try:
        noted = await note_erasure(store(), recorder, subject, clock)
        for name, recorder in recorders.items():
            database = Database(urls[name], name=name, pool_size=1)
            try:
                done[name] = await erase(operator_work(database, recorder), recorder, noted)
            finally:
                await database.close()
    except Unavailable as error:
        raise Failure(f"{error.message}. Run the command again.", ExitCode.UNREACHABLE) from error
    finally:
        await clock.close()
    return done
