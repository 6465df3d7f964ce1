"""All of the fault suite, scenario by scenario: `python -m tests.fault`, or `make fault`.

Each scenario is a test and runs in a process of its own. Its outcome and figures stand in .aiops-fault/results.json
under the present commit; what passed there already is not run again. Ends after an hour at the latest.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / ".aiops-fault" / "results.json"
MINUTES = 60.0
SHOWN = ("kills", "least kills of a kind", "recovery max s", "lost", "doubled", "violations", "ok")
"""Figures with a column of their own."""
STOP_SECONDS = 90.0


def main() -> int:
    """Run what has not passed at this commit; 0 when everything has."""
    parser = argparse.ArgumentParser(prog="make fault", description="Run the fault suite.")
    parser.add_argument("--only", default="", help="run the scenarios whose names contain this")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="begin nothing more after so many minutes")
    arguments = parser.parse_args()
    console = Console()
    commit = present_commit()
    kept: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results = kept.setdefault(commit, {})
    deadline = time.monotonic() + 60 * arguments.minutes
    scenarios = [name for name in collected() if arguments.only in name]
    for name in scenarios:
        if results.get(name, {}).get("outcome") == "passed":
            continue
        left = deadline - time.monotonic()
        if left <= 0:
            console.print("The time is over; the next run goes on from here.")
            break
        console.print(f"{name} ...", highlight=False)
        results[name] = ran(name, left)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(kept, indent=1))
    show(console, commit, {name: results[name] for name in scenarios if name in results})
    return 0 if all(results.get(name, {}).get("outcome") in {"passed", "skipped"} for name in scenarios) else 1


def present_commit() -> str:
    """What the results are about: the commit, and a mark when files differ from it."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    return f"{commit}+changed" if _git("status", "--porcelain", "--untracked-files=no") else commit


def collected() -> list[str]:
    """Every scenario: the tests below tests/fault, those of minutes last."""
    listed: list[str] = []
    for marker in ("not fault", "fault"):
        done = subprocess.run(
            [*_pytest(), "--collect-only", "-q", "-m", marker, "tests/fault", "--no-header"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        names = [line for line in done.stdout.splitlines() if "::" in line]
        # Short tests of one file go together: they share what they stand on.
        listed += names if marker == "fault" else sorted({name.split("::")[0] for name in names})
    return listed


def ran(name: str, seconds: float) -> dict[str, Any]:
    """Outcome, seconds, figures, and the last lines of what did not pass."""
    figures = RESULTS.with_name("figures.json")
    figures.parent.mkdir(exist_ok=True)
    figures.unlink(missing_ok=True)
    started = time.monotonic()
    process = subprocess.Popen(
        [*_pytest(), "-q", *([] if "::" not in name else ["-m", "fault"]), name],
        cwd=ROOT,
        env={**os.environ, "AIOPS_FAULT_FIGURES": str(figures)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except BaseException as error:  # also Ctrl-C: the test ends its installation in order
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        output = "the time was over"
    seconds = round(time.monotonic() - started, 1)
    result: dict[str, Any] = {"outcome": outcome_of(process.returncode, output), "seconds": seconds}
    if figures.exists():
        result["figures"] = json.loads(figures.read_text())
    if result["outcome"] != "passed":
        result["output"] = output.splitlines()[-60:]
    return result


def outcome_of(code: int, output: str) -> str:
    """passed, skipped or failed."""
    if code != 0:
        return "failed"
    last = output.strip().splitlines()[-1]
    return "passed" if "passed" in last else "skipped"


def show(console: Console, commit: str, results: dict[str, dict[str, Any]]) -> None:
    """The table, and why something did not pass."""
    table = Table(title=f"Fault suite at {commit}")
    for column in ("scenario", "outcome", "s", *SHOWN):
        table.add_column(column, overflow="fold")
    for name, result in results.items():
        measured = result.get("figures", {})
        table.add_row(name.removeprefix("tests/fault/").split("::")[0], result["outcome"], str(result["seconds"]))
        for test, figures in measured.items():
            table.add_row(f"  {test}", "", "", *(str(figures.get(figure, "")) for figure in SHOWN))
    console.print(table)
    for result in results.values():
        for test, figures in result.get("figures", {}).items():
            rest = {figure: value for figure, value in figures.items() if figure not in SHOWN}
            console.print(f"{test}: {rest}", highlight=False, markup=False)
    for name, result in results.items():
        if result["outcome"] != "passed":
            console.print(f"\n{name} {result['outcome']}:", *result["output"], sep="\n", highlight=False, markup=False)


def _pytest() -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
