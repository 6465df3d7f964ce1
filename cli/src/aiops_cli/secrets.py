"""`aiops secrets`: the keys and passwords of one installation. For operators; it needs no gateway and no database."""

import json
from pathlib import Path
from typing import Annotated

import typer

from aiops_cli.failure import ExitCode, Failure

KEPT = "installation.json"
SETUP_TOKEN = "auth/setup-token"  # noqa: S105 - a file's name

app = typer.Typer(help="Make the keys and passwords of an installation.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """The keys and passwords of an installation."""


@app.command("generate")
def generate(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help=f"Folder for the files, and for {KEPT}, from which all of them follow.")
    ] = None,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Print manifests (Secrets, one ConfigMap) instead of writing files.")
    ] = False,
    namespace: Annotated[str, typer.Option(help="Namespace of the manifests.")] = "aiops",
    database_host: Annotated[str, typer.Option(help="Host of PostgreSQL.")] = "aiops-postgres",
    database_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of PostgreSQL.")] = 5432,
    database_name: Annotated[str, typer.Option(help="Name of the database.")] = "aiops",
    database_parameters: Annotated[
        str, typer.Option(help="Parameters of each database URL, such as sslmode=verify-full.")
    ] = "",
    database_admin: Annotated[str, typer.Option(help="Role that makes the others.")] = "postgres",
    database_admin_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of that role, where it has one already.", exists=True)
    ] = None,
) -> None:
    """Make what is missing; no key and no password that is there is ever made anew.

    With --out, files that follow from them (URLs, trust file, users of NATS) are brought up to date at each run, so run
    it again after an upgrade. --kubernetes with --out prints manifests of what the folder keeps; without it every run
    makes others, so apply them with `kubectl create`, which overwrites nothing.
    """
    from aiops_cli.installation import Database, completed, for_folder, for_kubernetes  # noqa: PLC0415 - loads crypto

    if out is None and not kubernetes:
        raise Failure("Say where to: --out FOLDER writes files, --kubernetes prints manifests.", ExitCode.USAGE)
    known = _kept(out) if out else {}
    given = dict(known)
    if database_admin_password_file:
        given["database_admin"] = database_admin_password_file.read_text().strip()
    secrets = completed(given)
    database = Database(database_host, database_port, database_name, database_parameters, database_admin)
    if out:
        _write(out / KEPT, json.dumps(secrets, indent=1))
    if kubernetes:
        typer.echo(for_kubernetes(secrets, database, namespace), nl=False)
        return
    assert out is not None
    for name, text in for_folder(secrets, database).items():
        # Used up by the first account; a token of that name again would promise what auth refuses.
        if name != SETUP_TOKEN or not known:
            _write(out / name, text)
    made = len(secrets.keys() - known.keys())
    typer.echo(f"{out}: {made} keys and passwords made, {len(known)} kept; readable by you alone.")


def _kept(folder: Path) -> dict[str, str]:
    path = folder / KEPT
    if not path.exists():
        others = sorted(str(each) for each in folder.rglob("*") if not each.is_dir()) if folder.exists() else []
        if others:
            raise Failure(
                f"{folder} holds other things ({others[0]}) and no {KEPT}: name an empty folder, or put that file "
                "back. Nothing was written.",
                ExitCode.USAGE,
            )
        return {}
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read ({error}); put the copy of it back. Nothing was written.") from error
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        raise Failure(f"{path} is no such file as this command writes; put the copy of it back. Nothing was written.")
    return known


def _write(path: Path, text: str) -> None:
    from chassis.installation import write_secret  # noqa: PLC0415

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            write_secret(path, text)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}.") from error
