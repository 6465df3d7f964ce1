"""Whether an installation does its main job, asked from outside, as a person with the `aiops` command would.

    AIOPS_SMOKE_EMAIL=E AIOPS_SMOKE_PASSWORD=P python dev/smoke.py --url http://127.0.0.1:8080

Logs in, pushes a log, reads the summary with the lines that it cites, and has a ticket about it triaged. The log and
the ticket stay. With --setup-token-file the account is made first, where it is the first one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from aiops_cli.failure import ExitCode

COMMAND_SECONDS = 150
PAUSE_SECONDS = 2.0
RECORDS = 340
LOG = "\n".join(
    [
        *(f"2026-11-20T10:{i // 60:02d}:{i % 60:02d}Z INFO shop: order {i} paid in {i % 7 + 3} ms" for i in range(300)),
        *(f"2026-11-20T10:05:{i:02d}Z ERROR shop: payment provider refused connection" for i in range(40)),
    ]
)
TICKET = ("Outage: checkout answers 502", "-m", "Nobody can pay since 10:05, every order fails.", "--service", "shop")


class SmokeError(Exception):
    """The installation does not do its job; the message says which part."""


class Command:
    """The `aiops` command with a session of its own, that of its user left alone."""

    def __init__(self, url: str, folder: str) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "AIOPS_TOKEN"},
            "AIOPS_URL": url,
            "XDG_CONFIG_HOME": folder,
        }

    def run(self, *arguments: str, stdin: str) -> subprocess.CompletedProcess[str]:
        """Run it, whatever it ends with."""
        return subprocess.run(
            [sys.executable, "-m", "aiops_cli", *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def answer(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """Its answer in JSON.

        Raises:
            SmokeError: it failed; with its words.
        """
        done = self.run(*arguments, "--json", stdin=stdin)
        if done.returncode:
            raise SmokeError(f"aiops {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def log_in(command: Command, email: str, password: str, *, setup_token_file: str, wait_seconds: float) -> None:
    """Log in, once the gateway can be reached; with the setup token's file make the account where nobody has one.

    Raises:
        SmokeError: refused, or not reached in time.
    """
    options = ("--email", email, "--password-stdin")
    deadline = time.monotonic() + wait_seconds
    while (done := command.run("login", *options, stdin=password)).returncode == ExitCode.UNREACHABLE:
        if time.monotonic() > deadline:
            raise SmokeError(f"not reached within {wait_seconds:.0f} s: {done.stderr.strip()}")
        time.sleep(PAUSE_SECONDS)
    if done.returncode and setup_token_file:
        made = command.run("signup", *options, "--setup-token-file", setup_token_file, stdin=password)
        if made.returncode:
            raise SmokeError(f"the first account was refused: {made.stderr.strip()}")
        done = command.run("login", *options, stdin=password)
    if done.returncode:
        raise SmokeError(f"{email} could not log in: {done.stderr.strip()}")


def check_log(command: Command) -> str:
    """Push a log and check its summary; returns the log's id.

    Raises:
        SmokeError: records are missing, or a sentence rests on no line.
    """
    log = command.answer("logs", "push", "-", "--name", "smoke test", stdin=LOG)
    sentences = (log["summary"] or {}).get("sentences", [])
    if log["recordCount"] != RECORDS or log["state"] != "SUMMARIZED" or not sentences:
        raise SmokeError(f"the log is {log['state']} with {log['recordCount']} of {RECORDS} records")
    if bare := [sentence["text"] for sentence in sentences if not sentence["records"]]:
        raise SmokeError(f"a sentence cites no line: {bare[0]}")
    if not any("refused connection" in sentence["text"] for sentence in sentences):
        raise SmokeError("the summary does not name the error that 40 of its lines tell")
    print(f"  ok  a log of {RECORDS} records: {len(sentences)} sentences, each with the lines that it cites")
    return str(log["id"])


def check_ticket(command: Command, log_id: str) -> None:
    """Create a ticket about the log and check that it was triaged with reasons.

    Raises:
        SmokeError: it was not.
    """
    ticket = command.answer("tickets", "create", *TICKET, "--log", log_id, "--wait")
    triage = ticket["triage"] or {}
    if ticket["triageState"] != "TRIAGED" or not triage.get("category", {}).get("reasons"):
        raise SmokeError(f"the triage of ticket {ticket['id']} is {ticket['triageState']}, without a reason")
    print(f"  ok  a ticket about it: {ticket['category']}, {ticket['priority']}, with reasons")


def main() -> int:
    """Run the check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Check that an installation does its main job.")
    parser.add_argument("--url", required=True, help="address of the gateway, as people reach it")
    parser.add_argument("--setup-token-file", default="", help="make the first account with the token in this file")
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait for the gateway")
    arguments = parser.parse_args()
    email, password = (os.environ.get(f"AIOPS_SMOKE_{name}", "") for name in ("EMAIL", "PASSWORD"))
    if not (email and password):
        print("Set AIOPS_SMOKE_EMAIL and AIOPS_SMOKE_PASSWORD: an account that may push logs.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        command = Command(arguments.url, folder)
        try:
            log_in(command, email, password, setup_token_file=arguments.setup_token_file, wait_seconds=arguments.wait)
            print(f"  ok  logged in as {email}")
            check_ticket(command, check_log(command))
            command.run("logout", stdin="")
        except SmokeError as error:
            print(f"{arguments.url} does not do its job: {error}", file=sys.stderr)
            return 1
    print(f"{arguments.url} does its main job.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
