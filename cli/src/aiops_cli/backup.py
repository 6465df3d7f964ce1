"""`aiops backup`: the database of one moment, the anchors of its history and the ledger of erasures. For operators.

Keys and passwords are not in it: whoever has the backup alone cannot read what is sealed, and cannot sign anything.
"""

import json
import os
import shutil
from dataclasses import asdict
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops_cli import dump_programs
from aiops_cli.bootstrap import ADMIN_URL, admin_setting
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.manifest import DUMP, FORMAT, File, Manifest
from aiops_cli.members import SERVICES
from aiops_cli.operator import store
from aiops_cli.sending import progress_bar

if TYPE_CHECKING:
    import psycopg
    from rich.progress import Progress

ANCHORS = "anchors"
LEDGER = "erasures.jsonl"
_VERSION_DIGITS = 10_000


def backup(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder to make; readable by you alone.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a backup of the database, the anchors and the ledger of erasures.

    Everything may run meanwhile: it is of one moment, all five schemas. Reads AIOPS_ADMIN_DATABASE_URL and
    AIOPS_ANCHOR_URL. Keys and passwords are not part of it: keep them apart.
    """
    import psycopg  # noqa: PLC0415 - takes longer to load than most commands run

    from chassis.bootstrap import plain  # noqa: PLC0415
    from chassis.history.store import FolderStore  # noqa: PLC0415

    admin_url = plain(admin_setting())
    kept = store()
    anchors = kept.folder if isinstance(kept, FolderStore) else None
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Failure(f"{out} is there already; name a new folder. Nothing was written.", ExitCode.USAGE)
    partial = out.with_name(f"{out.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700, parents=True)
        with psycopg.connect(admin_url) as connection, progress_bar() as progress:
            manifest = _written(connection, admin_url, partial, anchors, progress)
        out.rmdir() if out.exists() else None
        partial.rename(out)
    except psycopg.OperationalError as error:
        message = f"The database cannot be reached as its admin; check {ADMIN_URL}."
        raise Failure(message, ExitCode.UNREACHABLE) from error
    except OSError as error:
        raise Failure(f"The backup cannot be written to {out}: {error.strerror}. No backup was made.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if as_json:
        typer.echo(json.dumps(asdict(manifest), indent=2))
        return
    size = sum(file.bytes for file in manifest.files)
    typer.echo(f"{out}: {sum(manifest.rows.values()):,} rows as of {manifest.made_at}, {size / 1e6:,.1f} MB.")
    if manifest.anchors == "elsewhere":
        typer.echo("The anchors are with the store that AIOPS_ANCHOR_URL names, and are backed up there.")
    typer.echo("Keys are not in it: keep installation.json (or .aiops/keys and secrets.json) apart. See: aiops restore")


def _written(
    connection: "psycopg.Connection", admin_url: str, folder: Path, anchors: Path | None, progress: "Progress"
) -> Manifest:
    """Everything in the folder, the manifest last."""
    server = connection.info.server_version // _VERSION_DIGITS
    program = dump_programs.find("pg_dump", at_least=server)
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    row = connection.execute("SELECT pg_export_snapshot(), now(), pg_database_size(current_database())").fetchone()
    assert row is not None
    snapshot, moment, size = row
    task = progress.add_task("Dumping", total=size)
    dump = folder / DUMP
    dump_programs.run(
        program,
        ["--format=custom", f"--snapshot={snapshot}", f"--file={dump}"],
        admin_url,
        lambda: progress.update(task, completed=min(size, dump.stat().st_size if dump.exists() else 0)),
    )
    dump.chmod(0o600)
    progress.update(task, description="Counting", completed=0, total=None)
    rows = count_rows(connection)
    # After the dump: who was erased meanwhile must not come back with it.
    _copy_anchors(anchors, folder / ANCHORS, connection)
    progress.update(task, description="Checking")
    files = [File.of(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()]
    manifest = Manifest(
        format=FORMAT,
        made_at=moment.isoformat(),
        aiops_version=installed("aiops-cli"),
        database=connection.info.dbname,
        server_version=server,
        dump_version=program.version,
        anchors="elsewhere" if anchors is None else "copied",
        rows=rows,
        files=files,
    )
    manifest.write(folder)
    for path in folder.rglob("*"):
        if path.is_file():
            _to_disk(path)
    return manifest


def count_rows(connection: "psycopg.Connection") -> dict[str, int]:
    """How many rows every table of the five schemas has, a partitioned one as a whole."""
    from psycopg import sql  # noqa: PLC0415

    tables = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1, 2",
        (list(SERVICES),),
    ).fetchall()
    counts: dict[str, int] = {}
    for schema, table in tables:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
        counts[f"{schema}.{table}"] = row[0] if row else 0
    return counts


def _copy_anchors(source: Path | None, target: Path, connection: "psycopg.Connection") -> None:
    """The files of the store: the ledger whole, of anchors those that the dump remembers."""
    known = {
        f"{service}-{kind}.jsonl": count
        for service in SERVICES
        # A database of before the histories has none yet: it is saved as well, before it is migrated.
        if connection.execute("SELECT to_regclass(%s)", [f"{service}.history_anchors"]).fetchone() != (None,)
        for kind, count in connection.execute(
            f"SELECT kind, max(sequence) FROM {service}.history_anchors GROUP BY kind"  # noqa: S608 - our own names
        )
    }
    for path in sorted(source.glob("*.jsonl")) if source and source.is_dir() else []:
        lines = path.read_bytes().splitlines(keepends=True)
        if path.name != LEDGER:
            lines = lines[: known.get(path.name, 0)]
        if lines:
            target.mkdir(mode=0o700, exist_ok=True)
            copy = target / path.name
            copy.write_bytes(b"".join(lines))
            copy.chmod(0o600)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
