"""Lint every migration with squawk: no lock that stops traffic, nothing dropped or renamed outside a contract phase.

Rules that are off, and why:
  require-timeout-settings  the migrator sets lock_timeout for every file, and tries again
  prefer-robust-stmts       each file is one transaction and runs once; the migrator records it
  prefer-bigint-over-*      severities and line numbers are bounded by CHECK and by the size of an input; rows are many
Files named *.contract.sql may also drop columns, tables, functions and constraints: that is what the phase is for.
A file that begins with "-- aiops: no transaction" is not held to what only a transaction asks for. In *.backfill.sql,
:cursor and :rows stand for values.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from chassis.migration_files import NO_TRANSACTION

ROOT = Path(__file__).resolve().parent.parent
OFF = ["require-timeout-settings", "prefer-robust-stmts", "prefer-bigint-over-int", "prefer-bigint-over-smallint"]
CONTRACT_MAY = [
    "ban-drop-column", "ban-drop-table", "ban-drop-function", "renaming-column", "renaming-table", "ban-drop-not-null",
]  # fmt: skip


def lint(files: list[Path]) -> int:
    """Run squawk over the files, each with the rules of its phase; 0 when it finds nothing, its exit code otherwise."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        groups: dict[tuple[bool, bool], list[str]] = {}
        for path in files:
            text = path.read_text(encoding="utf-8")
            copy = Path(folder) / "_".join(path.parts[-4:])
            copy.write_text(_as_statement(text) if path.name.endswith(".backfill.sql") else text)
            if not text.startswith(NO_TRANSACTION) and "CONCURRENTLY" in re.sub(r"--.*", "", text).upper():
                print(f"{path.name}: CONCURRENTLY works in no transaction; begin the file with {NO_TRANSACTION!r}")
                failed = 1
            kind = (path.name.endswith(".contract.sql"), not text.startswith(NO_TRANSACTION))
            groups.setdefault(kind, []).append(copy.name)
        for (contract, transaction), names in sorted(groups.items()):
            command = [str(Path(sys.executable).parent / "squawk"), "--pg-version", "15.0"]
            command += ["--exclude", ",".join(OFF + CONTRACT_MAY if contract else OFF)]
            command += ["--assume-in-transaction"] if transaction else []
            failed = subprocess.run([*command, *names], check=False, cwd=folder).returncode or failed
    return failed


def _as_statement(text: str) -> str:
    return re.sub(r"(?<!:):rows\b", "1000", re.sub(r"(?<!:):cursor\b", "''", text))


def main() -> int:
    """Lint all migrations of the tree, or the files that are named; non-zero when there is a finding."""
    found = sorted(
        path
        for top in ("chassis", "services")
        for path in (ROOT / top).rglob("migrations/*.sql")
        if "tests" not in path.parts
    )
    return lint([Path(name).resolve() for name in sys.argv[1:]] or found)


if __name__ == "__main__":
    sys.exit(main())
