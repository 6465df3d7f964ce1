"""The whole loop on real input: break the stack a little, feed it its own logs, and check what it says.

    python dev/demo.py [--file LOG]

Two faults on purpose: NATS away for ten seconds, and twenty bad log-ins. The summary of the stack's own logs has to
name both; a ticket about them is triaged; the history of this checkout becomes a changelog; a deployment is recorded;
and one query shows it all. The command fails when something is missing. A log file of yours goes the way of the first.
"""

import argparse
import contextlib
import heapq
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console, RenderableType
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

import demo_loop
from aiops_cli import documents, graph, render
from aiops_cli.failure import Failure
from processes import running
from stack import DRILL_SECONDS
from state import ROOT, SERVICES, State

BAD_LOG_INS = 20
RECOVERY_SECONDS = 60.0
SUMMARY_SECONDS = 60.0
FAULTS = {
    "NATS was away": re.compile(r"\bnats\b", re.IGNORECASE),
    "log-ins failed": re.compile(r"log-?in", re.IGNORECASE),
}


class Demo:
    """One run of the demo against the local stack."""

    def __init__(self, state: State, console: Console) -> None:
        self.state = state
        self.console = console
        self.url = f"http://127.0.0.1:{state.ports.gateway}"
        self.graph: graph.Graph | None = None

    def ensure_stack(self) -> None:
        """Start the stack when it does not run; it keeps running afterwards."""
        if running(self.state):
            return
        code = subprocess.run(
            [sys.executable, str(ROOT / "dev" / "stack.py"), "up", "--detach"], check=False
        ).returncode
        if code:
            raise Failure("The stack did not start; the message above says why.")

    def log_in(self) -> None:
        """Log in as the local admin, leaving any session of `aiops login` alone."""
        admin = json.loads(self.state.path("admin.json").read_text())
        os.environ["XDG_CONFIG_HOME"] = str(self.state.path("demo"))
        session, _ = graph.log_in(self.url, admin["email"], admin["password"])
        self.graph = graph.Graph(session)

    def fail_log_ins(self) -> int:
        """Try to log in with made-up passwords; returns how many were refused."""
        refused = 0
        for number in range(BAD_LOG_INS):
            try:
                graph.log_in(self.url, f"intruder{number}@example.com", f"a wrong guess {number}")
            except Failure as failure:
                refused += failure.reason in {"CREDENTIALS_INVALID", "TOO_MANY_ATTEMPTS"}
        return refused

    def take_nats_away(self) -> None:
        """Stop NATS for a while and return when the gateway and all services are ready again."""
        subprocess.run([sys.executable, str(ROOT / "dev" / "stack.py"), "drill"], check=True)
        time.sleep(DRILL_SECONDS + 1)
        deadline = time.monotonic() + RECOVERY_SECONDS
        ports = [self.state.ports.http(service) for service in SERVICES] + [self.state.ports.gateway_operations]
        while not all(self._ready(port) for port in ports):
            if time.monotonic() > deadline:
                raise Failure(f"The stack was not ready {RECOVERY_SECONDS:.0f} s after NATS came back; see its logs.")
            time.sleep(0.2)

    @staticmethod
    def _ready(port: int) -> bool:
        try:
            checks = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=3).json()["checks"]
        except (httpx.HTTPError, ValueError):
            return False
        return all(answer == "ok" for answer in checks.values())

    def own_log(self) -> bytes:
        """What the processes of the stack wrote, merged by time; lines that are no JSON stay behind the one before."""
        streams = [self._timed(path) for path in sorted(self.state.path("logs").glob("*.log")) if path.stem != "stack"]
        return b"\n".join(line for _, line in heapq.merge(*streams, key=lambda pair: pair[0])) + b"\n"

    @staticmethod
    def _timed(path: Path) -> Iterator[tuple[str, bytes]]:
        at = ""
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                at = json.loads(line)["timestamp"]
            yield at, line

    def push(self, data: bytes, name: str) -> dict[str, Any]:
        """Upload a log and return it with its summary."""
        if self.graph is None:
            raise Failure("Log in first.")
        stored = self.graph.upload(iter([data]), {"name": name})
        deadline = time.monotonic() + SUMMARY_SECONDS
        while True:
            log: dict[str, Any] = self.graph.query(documents.LOG, {"id": stored["id"]})["log"]
            if log["state"] != "RECEIVED":
                return log
            if time.monotonic() > deadline:
                raise Failure(f"The summary of {stored['id']} took more than {SUMMARY_SECONDS:.0f} s.")
            time.sleep(0.2)

    def show(self, log: dict[str, Any]) -> None:
        """Print patterns with counts and the summary with the lines behind each sentence."""
        if self.graph is None:
            raise Failure("Log in first.")
        page = self.graph.query(documents.PATTERNS, {"id": log["id"], "first": 12})["log"]
        title = (
            f"\n{log['name']}: the {len(page['patterns']['edges'])} most frequent of {page['patternCount']} patterns"
        )
        rows = render.pattern_rows([edge["node"] for edge in page["patterns"]["edges"]], page["recordCount"])
        self.console.print(render.patterns_list(rows, title, self.console.width))
        self.console.print()
        if log["summary"] is None:
            raise Failure(f"The log {log['id']} got no summary: {log['failure']}")
        for line in render.stored_summary(log["summary"]):
            self.console.print(line)

    def unnamed_faults(self, log: dict[str, Any]) -> list[str]:
        """Say whether the summary names each fault; returns what is missing."""
        text = " ".join(sentence["text"] for sentence in log["summary"]["sentences"])
        self.console.print()
        found = {fault: bool(pattern.search(text)) for fault, pattern in FAULTS.items()}
        for fault, named in found.items():
            mark = Text("✓ ", "green") if named else Text("✗ ", "red")
            self.console.print(mark + Text(f"the summary {'says' if named else 'does not say'} that {fault}"))
        return [f"the summary does not say that {fault}" for fault, named in found.items() if not named]

    def loop(self, log: dict[str, Any], step: "Step") -> tuple[list[RenderableType], list[str]]:
        """From the log to a ticket, the changes and back: what to print, and what is missing."""
        if self.graph is None:
            raise Failure("Log in first.")
        with step("A ticket about them, linked and triaged"):
            ticket = demo_loop.ticket_about(self.graph, log)
        with step("This repository's history: pushed, and made a changelog"):
            changelog, shas, note = demo_loop.history(self.graph, ROOT)
        with step("A deployment, and one query for all of it"):
            demo_loop.record_deployment(self.graph, log, shas[0] if shas else "")
            answer = demo_loop.ask(self.graph, log["id"])
            ticket = demo_loop.read_ticket(self.graph, ticket["id"])
        missing = [*demo_loop.ticket_faults(ticket, log["id"]), *demo_loop.answer_faults(answer)]
        lines: list[RenderableType] = [*demo_loop.ticket_lines(ticket)]
        if changelog is not None:
            lines += demo_loop.changelog_lines(changelog)
            missing += demo_loop.changelog_faults(changelog, shas)
        lines += [Text(f"\n{note}", style="yellow")] if note else []
        return [*lines, *demo_loop.answer_lines(answer)], missing


class Step:
    """Steps with a spinner and the time that each took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextlib.contextmanager
    def __call__(self, text: str) -> Iterator[TaskID]:
        """One step, done when the block is left."""
        task = self._progress.add_task(text, total=1)
        yield task
        self._progress.advance(task)


def main() -> int:
    """Run the demo; 1 when something failed or is missing."""
    parser = argparse.ArgumentParser(description="Run the whole loop on the local stack, after breaking it a little.")
    parser.add_argument("--file", type=Path, help="a log file of yours that is summarised too")
    arguments = parser.parse_args()
    if arguments.file and not arguments.file.is_file():
        print(f"{arguments.file} is no file. Example: make demo FILE=/var/log/syslog", file=sys.stderr)
        return 2
    console = render.console_for()
    started = time.monotonic()
    try:
        demo = Demo(State.from_environment(), console)
        demo.ensure_stack()
        with Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
        ) as progress:
            step = Step(progress)
            with step("Logging in as the local admin"):
                demo.log_in()
            with step(f"Fault 1: {BAD_LOG_INS} bad log-ins") as task:
                refused = demo.fail_log_ins()
                progress.update(task, description=f"Fault 1: {BAD_LOG_INS} bad log-ins, {refused} refused")
            with step(f"Fault 2: NATS away for {DRILL_SECONDS:.0f} s, until everything is ready again"):
                demo.take_nats_away()
            with step("Feeding the stack its own logs"):
                own = demo.push(demo.own_log(), "the stack's own logs")
            theirs = None
            if arguments.file:
                with step(f"Feeding it {arguments.file.name}"):
                    theirs = demo.push(arguments.file.read_bytes(), arguments.file.name)
            lines, missing = demo.loop(own, step)
        for log in filter(None, (own, theirs)):
            demo.show(log)
        missing = demo.unnamed_faults(own) + missing
    except Failure as failure:
        console.print(Text(f"\nThe demo failed: {failure.message}", style="red"))
        return 1
    for line in lines:
        console.print(line)
    demo_loop.print_query(console, own["id"])
    seconds = time.monotonic() - started
    console.print(
        f"\nAll of it took {seconds:.0f} s. Try the query in GraphiQL: {demo.url}/graphql   "
        "The stack keeps running; `make down` stops it.",
        markup=False,
    )
    for each in missing:
        console.print(Text(f"Missing: {each}", style="red"))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
