"""`aiops restore`: a backup into an empty database, and the proof that it came back whole. For operators."""

import asyncio
import contextlib
import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops_cli import dump_programs, render
from aiops_cli.backup import ANCHORS, LEDGER, count_rows
from aiops_cli.bootstrap import ADMIN_URL, admin_setting, credentials_from_urls, make_database
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.manifest import DUMP, Manifest
from aiops_cli.members import SERVICES
from aiops_cli.operator import owner_url, recorder_of, store, trust_file

if TYPE_CHECKING:
    import psycopg

    from chassis.history.recorder import Recorder


_VERSION_DIGITS = 10_000
_REPUBLISH_BEFORE = timedelta(days=1)
_IN_USE = """
    SELECT format('schema %I', nspname) FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    UNION ALL
    SELECT format('table %I', relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
    ORDER BY 1 LIMIT 1
"""


def restore(
    folder: Annotated[Path | None, typer.Argument(help="A backup that `aiops backup` wrote.")] = None,
    *,
    erasures_only: Annotated[
        bool,
        typer.Option("--erasures-only", help="Restore nothing, only forget again who was erased."),
    ] = False,
    create_database: Annotated[
        bool, typer.Option("--create-database", help="Make the database that the URL names where it is missing.")
    ] = False,
    anchors: Annotated[
        Path | None,
        typer.Option("--anchors", help="Folder with anchors and ledger, where AIOPS_ANCHOR_URL is an address."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring a backup back into an empty database, and prove it.

    It checks the backup, makes the roles, restores all or nothing, forgets again who was erased, and verifies the
    history. Reads AIOPS_ADMIN_DATABASE_URL, <SERVICE>_OWNER_DATABASE_URL and <SERVICE>_DATABASE_URL (the roles get
    their passwords), AIOPS_ANCHOR_URL, and what `aiops history verify` reads. Stop all services first.
    """
    import psycopg  # noqa: PLC0415 - takes longer to load than most commands run

    from chassis.bootstrap import bootstrap, make_roles, plain  # noqa: PLC0415

    if (folder is None) is not erasures_only:
        raise Failure("Name the folder of a backup; or none, with --erasures-only.", ExitCode.USAGE)
    if folder is None:
        _only_erased(anchors or _anchor_folder(), as_json=as_json)
        return
    manifest = Manifest.read(folder)
    program = dump_programs.find("pg_restore", at_least=manifest.dump_version)
    admin_url = plain(admin_setting())
    credentials = credentials_from_urls()
    place = anchors or _anchor_folder()
    _recorders()  # these two are asked for at the end, when it would be late to learn that one is missing
    trust_file()
    try:
        if create_database:
            make_database(admin_url)
        with psycopg.connect(admin_url) as connection:
            _require_room(connection, manifest)
        _say("backup is whole, database is empty", as_json=as_json)
        make_roles(admin_url, credentials)
        _restored(program, folder, admin_url, as_json=as_json)
        bootstrap(admin_url, credentials)
        with psycopg.connect(admin_url) as connection:
            _require_rows(connection, manifest)
    except ValueError as error:
        raise Failure(f"{error}. The passwords come from the URLs of the roles.", ExitCode.USAGE) from error
    except psycopg.OperationalError as error:
        message = f"The database cannot be reached as its admin; check {ADMIN_URL}."
        raise Failure(message, ExitCode.UNREACHABLE) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise Failure(f"The role of {ADMIN_URL} may not do that: {error}") from error
    rows = sum(manifest.rows.values())
    _say(f"restored: {rows:,} rows in {render.many(len(manifest.rows), 'table')}, as many as then", as_json=as_json)
    for path in _bring_back_anchors(folder / ANCHORS, place):
        _say(f"anchors that are newer than the backup are kept as {path.name}", as_json=as_json)
    erased = _forget_again(place)
    _say(f"erased again, as the ledger says: {render.many(erased, 'person', 'people')}", as_json=as_json)
    since = datetime.fromisoformat(manifest.made_at).astimezone(UTC) - _REPUBLISH_BEFORE
    following = f"aiops events republish --since {since:%Y-%m-%dT%H:%M:%SZ}"
    _verify_history(place, as_json=as_json)
    if as_json:
        result = {"made_at": manifest.made_at, "rows": rows, "erased": erased, "verified": True, "next": following}
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(f"Everything is as of {manifest.made_at}. Start the services, then: {following}")


def _require_room(connection: "psycopg.Connection", manifest: Manifest) -> None:
    server = connection.info.server_version // _VERSION_DIGITS
    if server < manifest.server_version:
        raise Failure(
            f"The backup is of PostgreSQL {manifest.server_version}, this server is {server}. Restore into PostgreSQL "
            f"{manifest.server_version} or newer. Nothing was written."
        )
    found = connection.execute(_IN_USE).fetchone()
    if found is not None:
        raise Failure(
            f"The database {connection.info.dbname} is not empty: it has the {found[0]}. Name a new one in {ADMIN_URL} "
            "and give --create-database, or drop this one. Nothing was written."
        )


def _restored(program: dump_programs.Program, folder: Path, admin_url: str, *, as_json: bool) -> None:
    """All of the dump, or nothing of it."""
    from aiops_cli.sending import progress_bar  # noqa: PLC0415 - rich takes longer to load than most commands run

    arguments = ["--single-transaction", "--exit-on-error", str(folder / DUMP)]
    with progress_bar() as progress:
        progress.add_task("Restoring", total=None, visible=not as_json)
        try:
            dump_programs.run(program, arguments, admin_url)
        except Failure as failure:
            raise Failure(f"{failure.message}. The database is as empty as before.") from failure


def _require_rows(connection: "psycopg.Connection", manifest: Manifest) -> None:
    found = count_rows(connection)
    wrong = sorted(name for name in {*found, *manifest.rows} if found.get(name) != manifest.rows.get(name))
    if wrong:
        name = wrong[0]
        raise Failure(
            f"{name} has {found.get(name, 0):,} rows, the backup had {manifest.rows.get(name, 0):,}. Do not start the "
            "services: drop the database and restore again."
        )


def _bring_back_anchors(saved: Path, store: Path) -> list[Path]:
    """Put the anchors back beside the ledger; what the store has beyond them is kept aside, and told.

    The ledger is never shortened: who was erased after the backup stays erased.
    """
    aside = []
    for path in sorted(saved.glob("*.jsonl")) if saved.is_dir() else []:
        place = store / path.name
        lines = path.read_text(encoding="utf-8").splitlines()
        there = place.read_text(encoding="utf-8").splitlines() if place.exists() else []
        store.mkdir(parents=True, exist_ok=True)
        if path.name == LEDGER:
            missing = [line for line in lines if line not in there]
            torn = bool(there) and not place.read_bytes().endswith(b"\n")
            with place.open("a", encoding="utf-8") as ledger:
                if torn:
                    ledger.write("\n")  # what a power cut left half does not grow together with the first of these
                ledger.writelines(f"{line}\n" for line in missing)
        elif there != lines:
            if there:
                aside.append(_set_aside(place))
            shutil.copyfile(path, place)
    known = {path.name for path in saved.glob("*.jsonl")} if saved.is_dir() else set()
    # Anchors of kinds that had none at the time of the backup vouch for rows that are gone.
    strangers = [path for path in sorted(store.glob("*.jsonl")) if path.name not in {*known, LEDGER}]
    return [*aside, *(_set_aside(path) for path in strangers)]


def _anchor_folder() -> Path:
    from chassis.history.store import FolderStore  # noqa: PLC0415 - loads longer than most commands run

    found = store()
    if isinstance(found, FolderStore):
        return found.folder
    raise Failure(
        "AIOPS_ANCHOR_URL is an address: fetch the anchors and erasures.jsonl from there and name their folder: "
        "--anchors FOLDER. Nothing was written.",
        ExitCode.USAGE,
    )


def _only_erased(place: Path, *, as_json: bool) -> None:
    erased = _forget_again(place)
    if as_json:
        typer.echo(json.dumps({"erased": erased}, indent=2))
        return
    typer.echo(f"erased again, as the ledger says: {render.many(erased, 'person', 'people')}")


def _recorders() -> "dict[str, Recorder]":
    return {name: recorder for name in SERVICES if (recorder := recorder_of(name)) is not None}


def _forget_again(place: Path) -> int:
    """Erase who was erased before, the backup being older than the erasure or not; how many people."""
    return asyncio.run(_erased(place, _recorders()))


async def _erased(place: Path, recorders: "dict[str, Recorder]") -> int:
    from chassis.db import Database  # noqa: PLC0415 - SQLAlchemy takes longer to load than most commands run
    from chassis.errors import Unavailable  # noqa: PLC0415
    from chassis.history.erasure import erase, operator_work, read_ledger  # noqa: PLC0415
    from chassis.history.store import FolderStore  # noqa: PLC0415

    try:
        ledger = read_ledger(FolderStore(place))
        for name, recorder in recorders.items():
            database = Database(owner_url(name), name=name, pool_size=1)
            try:
                for erasure in ledger:
                    await erase(operator_work(database, recorder), recorder, erasure)
            finally:
                await database.close()
    except (Unavailable, ValueError) as error:
        raise Failure(f"{error}. Do not start the services: who was erased is back. Restore again.") from error
    return len({erasure.subject for erasure in ledger})


def _verify_history(place: Path, *, as_json: bool) -> None:
    from aiops_cli import history  # noqa: PLC0415 - as above

    with contextlib.redirect_stdout(io.StringIO()) if as_json else contextlib.nullcontext():
        history.verify(service=None, anchors=place)


def _set_aside(path: Path) -> Path:
    kept = path.with_name(f"{path.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    return path.rename(kept)


def _say(text: str, *, as_json: bool) -> None:
    if not as_json:
        typer.echo(f"{text}")
