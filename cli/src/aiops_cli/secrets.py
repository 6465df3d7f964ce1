"""`aiops secrets`: the keys and passwords of one installation. For operators; it needs no gateway and no database."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from aiops_cli.failure import ExitCode, Failure

KEPT = "installation.json"
SETUP_TOKEN = "auth/setup-token"  # noqa: S105 - a file's name
PLACE = "database."
"""Begins the names in that file that say where the database is: an upgrade must not forget a parameter of TLS."""
NAMESPACE = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
SHAPES = {
    "host": (r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", "is a host name or an address, without a port: db.example.com"),
    "name": (r"[^\s/?#@]+", "is the name of a database: aiops"),
    "parameters": (r"(\w+=[^\s&?#]+(&\w+=[^\s&?#]+)*)?", "is like sslmode=verify-full, several with & between"),
    "admin": (r"[^\s/?#@:]+", "is the name of a role: postgres"),
}

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
    database_host: Annotated[str | None, typer.Option(help="Host of PostgreSQL. [default: aiops-postgres]")] = None,
    database_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of PostgreSQL. [default: 5432]")
    ] = None,
    database_name: Annotated[str | None, typer.Option(help="Name of the database. [default: aiops]")] = None,
    database_parameters: Annotated[
        str | None, typer.Option(help="Parameters of each database URL, such as sslmode=verify-full.")
    ] = None,
    database_admin: Annotated[str | None, typer.Option(help="Role that makes the others. [default: postgres]")] = None,
    database_admin_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of that role, where it has one already.", exists=True)
    ] = None,
) -> None:
    """Make what is missing; no key and no password that is there is ever made anew.

    With --out, files that follow from them (URLs, trust file, users of NATS) are brought up to date at each run, so run
    it again after an upgrade; options of the database that it leaves out are those of the run before. --kubernetes with
    --out prints manifests of what the folder keeps; without it every run makes others, so apply them with
    `kubectl create`, which overwrites nothing.
    """
    from aiops_cli.installation import Database, completed, for_folder, for_kubernetes  # noqa: PLC0415 - loads crypto

    if out is None and not kubernetes:
        raise Failure("Say where to: --out FOLDER writes files, --kubernetes prints manifests.", ExitCode.USAGE)
    if not re.fullmatch(NAMESPACE, namespace):
        raise Failure(f"{namespace!r} is no name of a namespace: lower-case letters, digits and -.", ExitCode.USAGE)
    kept = _kept(out) if out else {}
    given = {
        "host": database_host,
        "port": None if database_port is None else str(database_port),
        "name": database_name,
        "parameters": database_parameters,
        "admin": database_admin,
    }
    place = {name.removeprefix(PLACE): value for name, value in kept.items() if name.startswith(PLACE)}
    place |= {name: _shaped(name, value) for name, value in given.items() if value is not None}
    known = {name: value for name, value in kept.items() if not name.startswith(PLACE)}
    passwords = {}
    if database_admin_password_file:
        passwords["database_admin"] = database_admin_password_file.read_text().strip()
        if not passwords["database_admin"]:
            raise Failure(f"{database_admin_password_file} is empty. Nothing was written.", ExitCode.USAGE)
    secrets = completed(known | passwords)
    database = Database(**place)
    if out:
        told = {f"{PLACE}{name}": value for name, value in place.items()}
        _write(out / KEPT, json.dumps(secrets | told, indent=1))
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


def _shaped(name: str, value: str) -> str:
    pattern, meant = SHAPES.get(name, ("", ""))
    if pattern and not re.fullmatch(pattern, value):
        raise Failure(f"--database-{name} is {value!r}; it {meant}. Nothing was written.", ExitCode.USAGE)
    return value


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
