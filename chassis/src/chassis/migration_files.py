"""The files of a schema's migrations: found, put in order, and held to their names. Nothing here touches a database.

`NNNN_name.expand.sql` and `NNNN_name.contract.sql` are SQL; `NNNN_name.backfill` is `.sql` or `.py`. A service's files
lie in the `migrations` folder of its package; the chassis' own come first.
"""

import hashlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import Any

import psycopg

NO_TRANSACTION = "-- aiops: no transaction"
EXPAND, BACKFILL, CONTRACT = "expand", "backfill", "contract"
PHASES = (EXPAND, BACKFILL, CONTRACT)
_FILE = re.compile(
    r"(?P<number>[0-9]{4})_[a-z0-9_]+\.(?:(?P<phase>expand|backfill|contract)\.sql|(?P<python>backfill)\.py)"
)
_PARAMETER = re.compile(r"(?<!:):(cursor|rows)\b")

Batch = Callable[[psycopg.Connection, str, int], tuple[str, int]]
"""One batch of a backfill: where to go on ("" at the end), and how many rows were done; see ADR 0037."""


class MigrationError(Exception):
    """A schema cannot be brought to where the code needs it; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """One file: "chassis/0001" or "0001", its phase and its text."""

    version: str
    phase: str
    text: str
    package: str = ""
    file: str = ""

    @property
    def key(self) -> str:
        """The name by which a process says that its code knows this file."""
        return f"{self.version}.{self.phase}"

    @property
    def name(self) -> str:
        """The name for people."""
        return f"migration {self.version} ({self.phase})"

    @property
    def checksum(self) -> str:
        """What tells that an applied file was changed afterwards."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def transactional(self) -> bool:
        """Whether the file is applied as one transaction."""
        return not self.text.startswith(NO_TRANSACTION)

    def batch(self) -> Batch | None:
        """What does one batch of a backfill; None for a file that is run once as it is.

        Raises:
            MigrationError: the file does not have the form of a backfill.
        """
        if self.phase != BACKFILL:
            return None
        if self.file.endswith(".py"):
            return self._python()
        if not _PARAMETER.search(_without_comments(self.text)):
            return None
        return self._one_statement

    def statements(self) -> list[str]:
        """The statements of a file without transaction: each ends with a semicolon at the end of a line."""
        parts = re.split(r";[ \t]*(?:\n|$)", _without_comments(self.text))
        return [part.strip() for part in parts if part.strip()]

    def _python(self) -> Batch:
        with as_file(files(self.package) / "migrations" / self.file) as path:
            spec = importlib.util.spec_from_file_location(f"{self.package}_{self.version}_backfill", path)
            if spec is None or spec.loader is None:
                raise MigrationError(f"{self.package}: {self.file} cannot be loaded")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        batch: Batch | None = getattr(module, "batch", None)
        if batch is None:
            raise MigrationError(f"{self.package}: {self.file} has no function batch(connection, cursor, rows)")
        return batch

    def _one_statement(self, connection: psycopg.Connection, cursor: str, rows: int) -> tuple[str, int]:
        statement = _PARAMETER.sub(r"%(\1)s", _without_comments(self.text).replace("%", "%%"))
        answer = connection.execute(statement.encode(), {"cursor": cursor, "rows": rows})
        found: list[Any] = answer.fetchall() if answer.description else []
        if len(found) != 1 or len(found[0]) != 2:  # noqa: PLR2004 - the two that the form names
            raise MigrationError(f"{self.file}: a batch must answer one row: the next cursor (text) and the rows done")
        return str(found[0][0] or ""), int(found[0][1])


@dataclass(frozen=True)
class Applied:
    """One file that this run applied."""

    version: str
    phase: str
    seconds: float
    rows: int = field(default=0)


def all_migrations(package: str) -> tuple[Migration, ...]:
    """Every file of a service, the chassis' first, in order.

    Raises:
        MigrationError: a file is misnamed, or two have the same number and phase.
    """
    return (*_discover("chassis", prefix="chassis/"), *_discover(package, prefix=""))


def _discover(package: str, *, prefix: str) -> tuple[Migration, ...]:
    found = []
    folder = files(package) / "migrations"
    for file in folder.iterdir() if folder.is_dir() else ():
        match = _FILE.fullmatch(file.name)
        if match is not None:
            phase = match["phase"] or match["python"]
            text = file.read_text(encoding="utf-8")
            found.append(Migration(prefix + match["number"], phase, text, package, file.name))
        elif file.name.endswith((".sql", ".py")):
            raise MigrationError(
                f"{package}: {file.name} is not named NNNN_name.(expand|backfill|contract).sql or NNNN_name.backfill.py"
            )
    ordered = sorted(found, key=lambda migration: (migration.version, PHASES.index(migration.phase)))
    keys = [migration.key for migration in ordered]
    if len(set(keys)) != len(keys):
        raise MigrationError(f"{package}: two migrations have the same number and phase")
    return tuple(ordered)


def _without_comments(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("--"))
