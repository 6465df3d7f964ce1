"""A suite of long tests, scenario by scenario: what `make fault` and `make attack` share.

Each scenario is a test and runs in a process of its own. Its outcome and figures stand in .aiops-NAME/results.json
under the present commit; what passed there already is not run again.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
FIGURES = "AIOPS_SUITE_FIGURES"
"""Environment variable with the file for what a test measures."""
STOP_SECONDS = 90.0


@dataclass(frozen=True)
class Suite:
    """The tests of one folder."""

    name: str
    """Its marker, and its folder in tests/."""
    minutes: float
    """Nothing more begins after so many, unless the caller wants otherwise."""
    columns: tuple[str, ...] = ()
    """Figures with a column of their own."""

    @property
    def results(self) -> Path:
        """Where outcomes are kept."""
        return ROOT / f".aiops-{self.name}" / "results.json"

    def main(self) -> int:
        """Run what has not passed at this commit; 0 when everything has."""
        parser = argparse.ArgumentParser(prog=f"make {self.name}", description=f"Run the {self.name} suite.")
        parser.add_argument("--only", default="", help="run the scenarios whose names contain this")
        parser.add_argument("--minutes", type=float, default=self.minutes, help="begin nothing more after so many")
        arguments = parser.parse_args()
        console = Console()
        commit = present_commit()
        kept: dict[str, dict[str, Any]] = json.loads(self.results.read_text()) if self.results.exists() else {}
        results = kept.setdefault(commit, {})
        deadline = time.monotonic() + 60 * arguments.minutes
        scenarios = [name for name in self.collected() if arguments.only in name]
        for name in scenarios:
            if results.get(name, {}).get("outcome") == "passed":
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                console.print("The time is over; the next run goes on from here.")
                break
            console.print(f"{name} ...", highlight=False)
            results[name] = self.ran(name, left)
            self.results.parent.mkdir(exist_ok=True)
            self.results.write_text(json.dumps(kept, indent=1))
        self.show(console, commit, {name: results[name] for name in scenarios if name in results})
        return 0 if all(results.get(name, {}).get("outcome") in {"passed", "skipped"} for name in scenarios) else 1

    def collected(self) -> list[str]:
        """Every scenario: the tests of the folder, those of minutes last."""
        listed: list[str] = []
        for marker in (f"not {self.name}", self.name):
            done = subprocess.run(
                [*_pytest(), "--collect-only", "-q", "-m", marker, f"tests/{self.name}", "--no-header"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            names = [line for line in done.stdout.splitlines() if "::" in line]
            # Short tests of one file go together: they share what they stand on.
            listed += names if marker == self.name else sorted({name.split("::")[0] for name in names})
        return listed

    def ran(self, name: str, seconds: float) -> dict[str, Any]:
        """Outcome, seconds, figures, and the last lines of what did not pass."""
        figures = self.results.with_name("figures.json")
        figures.parent.mkdir(exist_ok=True)
        figures.unlink(missing_ok=True)
        started = time.monotonic()
        process = subprocess.Popen(
            [*_pytest(), "-q", *([] if "::" not in name else ["-m", self.name]), name],
            cwd=ROOT,
            env={**os.environ, FIGURES: str(figures)},
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

    def show(self, console: Console, commit: str, results: dict[str, dict[str, Any]]) -> None:
        """The table, and why something did not pass."""
        table = Table(title=f"{self.name.capitalize()} suite at {commit}")
        for column in ("scenario", "outcome", "s", *self.columns):
            table.add_column(column, overflow="fold")
        for name, result in results.items():
            short = name.removeprefix(f"tests/{self.name}/").split("::")[0]
            table.add_row(short, result["outcome"], str(result["seconds"]))
            for test, figures in result.get("figures", {}).items() if self.columns else ():
                table.add_row(f"  {test}", "", "", *(str(figures.get(figure, "")) for figure in self.columns))
        console.print(table)
        for result in results.values():
            for test, figures in result.get("figures", {}).items():
                rest = {figure: value for figure, value in figures.items() if figure not in self.columns}
                console.print(f"{test}: {rest}", highlight=False, markup=False)
        for name, result in results.items():
            if result["outcome"] != "passed":
                console.print(
                    f"\n{name} {result['outcome']}:", *result["output"], sep="\n", highlight=False, markup=False
                )


def present_commit() -> str:
    """What the results are about: the commit, and a mark when files differ from it."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    return f"{commit}+changed" if _git("status", "--porcelain", "--untracked-files=no") else commit


def outcome_of(code: int, output: str) -> str:
    """passed, skipped or failed."""
    if code != 0:
        return "failed"
    last = output.strip().splitlines()[-1]
    return "passed" if "passed" in last else "skipped"


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[dict[str, float | str]]:
    """What a test measured; its suite keeps and prints it."""
    measured: dict[str, float | str] = {}
    yield measured
    if FIGURES in os.environ:
        file = Path(os.environ[FIGURES])
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**known, request.node.name: measured}))


def _pytest() -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
