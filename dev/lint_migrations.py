"""Lint every migration with squawk: no lock that stops traffic, nothing dropped or renamed outside a contract phase.

Rules that are off, and why:
  require-timeout-settings  the migrator sets lock_timeout for every file, and tries again
  prefer-robust-stmts       each file is one transaction and runs once; the migrator records it
  prefer-bigint-over-*      severities and line numbers are bounded by CHECK and by the size of an input; rows are many
Files named *.contract.sql may also drop columns, tables and constraints: that is what the phase is for.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OFF = ["require-timeout-settings", "prefer-robust-stmts", "prefer-bigint-over-int", "prefer-bigint-over-smallint"]
CONTRACT_MAY = ["ban-drop-column", "ban-drop-table", "renaming-column", "renaming-table", "ban-drop-not-null"]


def lint(files: list[Path], off: list[str]) -> int:
    """Run squawk over the files without the rules; returns its exit code, 0 for no file."""
    if not files:
        return 0
    squawk = Path(sys.executable).parent / "squawk"
    command = [
        str(squawk),
        "--assume-in-transaction",
        "--pg-version",
        "15.0",
        "--exclude",
        ",".join(off),
        *map(str, files),
    ]
    return subprocess.run(command, check=False, cwd=ROOT).returncode


def main() -> int:
    """Lint all migrations of the tree; non-zero when there is a finding."""
    files = sorted(
        path.relative_to(ROOT)
        for top in ("chassis", "services")
        for path in (ROOT / top).rglob("migrations/*.sql")
        if "tests" not in path.parts
    )
    contract = [path for path in files if path.name.endswith(".contract.sql")]
    rest = [path for path in files if path not in contract]
    return lint(rest, OFF) or lint(contract, OFF + CONTRACT_MAY)


if __name__ == "__main__":
    sys.exit(main())
