"""Runs the whole system from its images by compose.yaml, and checks it: what `make images-smoke` runs.

    PYTHONPATH=dev python -m images.smoke [--keep]

The main job through the gateway, the page, how the containers are confined, a kill -9 with nothing lost, a drain, and a
second start on the same volumes. Prints sizes, start times and memory; then removes containers and volumes.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from chassis.embedded.process import free_port
from images.build import version
from images.engine import ROOT, NoEngine, find_compose, find_engine, says
from smoke import Command, SmokeError, check_log, check_ticket, log_in

PROJECT = "aiops-smoke"
PROCESSES = ("auth", "logs", "tickets", "changelog", "ai", "gateway")
ENGINES = ("postgres", "nats")
READY_SECONDS = 180.0
DRAIN_SECONDS = 30.0
UNPRIVILEGED = "10001:10001"


class System:
    """The containers of compose.yaml, under a name of their own beside an installation that may run here."""

    def __init__(self, engine: str, compose: Sequence[str]) -> None:
        self.engine = engine
        self.port = free_port()
        self._containers: dict[str, str] = {}
        self._compose = [*compose, "--project-name", PROJECT, "--file", str(ROOT / "compose.yaml")]
        self._environment = {**os.environ, "VERSION": version(), "AIOPS_ADDRESS": f"127.0.0.1:{self.port}"}

    @property
    def url(self) -> str:
        """The gateway, from outside."""
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str) -> str:
        """What a compose command prints.

        Raises:
            SmokeError: it failed; with its words.
        """
        done = subprocess.run(
            [*self._compose, *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SmokeError(f"compose {arguments[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def up(self) -> float:
        """Start everything; the seconds until the gateway, which waits for all others, is ready.

        Raises:
            SmokeError: it is not in time.
        """
        started = time.monotonic()
        self._containers.clear()
        self.compose("up", "--detach")
        self.wait_healthy("gateway")
        return time.monotonic() - started

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        if service not in self._containers:
            self._containers[service] = self.compose("ps", "--all", "--quiet", service).split()[0]
        done = subprocess.run(
            [self.engine, "inspect", self._containers[service]], capture_output=True, text=True, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)[0]
        return found

    def wait_healthy(self, service: str, *, restarts: int = 0) -> dict[str, Any]:
        """The container of a service, once it is healthy and was restarted that often.

        Raises:
            SmokeError: it is not in time.
        """
        deadline = time.monotonic() + READY_SECONDS
        while True:
            found = self.inspect(service)
            health = found["State"].get("Health", {}).get("Status")
            if found["State"]["Running"] and health == "healthy" and found["RestartCount"] >= restarts:
                return found
            if time.monotonic() > deadline:
                raise SmokeError(f"{service} is {found['State']['Status']}, {health} after {READY_SECONDS:.0f} s")
            time.sleep(0.2)

    def kill(self, service: str) -> None:
        """End a service's process as a crash would. The engine's own `kill` is taken for a wish: no restart follows."""
        pid = self.inspect(service)["State"]["Pid"]
        code = f"import os; os.kill({pid}, 9)"
        image = f"aiops-migrate:{version()}"
        options = ("--rm", "--pid", "host", "--user", "0", "--network", "none", "--entrypoint", "python")
        subprocess.run([self.engine, "run", *options, image, "-c", code], check=True)

    def start_seconds(self, service: str) -> float:
        """How long the process took from the start of its container until it said that it is ready."""
        found = self.inspect(service)
        done = subprocess.run(
            [self.engine, "logs", "--timestamps", found["Id"]], capture_output=True, text=True, check=True
        )
        ready = next(line for line in (done.stdout + done.stderr).splitlines() if " is ready" in line)
        said, begun = (datetime.fromisoformat(text) for text in (ready.partition(" ")[0], found["State"]["StartedAt"]))
        return (said - begun).total_seconds()


def check_confinement(system: System) -> None:
    """Check that each container runs with the rights that compose.yaml leaves it.

    Raises:
        SmokeError: one has more.
    """
    for service in (*ENGINES, *PROCESSES):
        found = system.inspect(service)
        host = found["HostConfig"]
        have = {
            "user": found["Config"]["User"] == UNPRIVILEGED,
            "read-only root": host["ReadonlyRootfs"],
            "no capability": host["CapDrop"] == ["ALL"] and not host["CapAdd"],
            "no new privileges": "no-new-privileges:true" in host["SecurityOpt"],
            "limits": min(host["Memory"], host["NanoCpus"], host["PidsLimit"]) > 0,
        }
        if lacking := [name for name, there in have.items() if not there]:
            raise SmokeError(f"{service} runs without: {', '.join(lacking)}")
        if says(system.engine, "exec", found["Id"], "python", "-c", "open('/opt/x', 'w'); print('written')"):
            raise SmokeError(f"{service} can write to its root")
    print("  ok  each container: uid 10001, read-only root, no capability, limits of memory, cpu and processes")


def check_page(system: System) -> None:
    """Check that the page and a script of it come from the gateway's own address.

    Raises:
        SmokeError: they do not.
    """
    page = httpx.get(f"{system.url}/logs", headers={"Accept": "text/html"}, timeout=10)
    script = page.text.partition('src="/assets/')[2].partition('"')[0]
    if not script or "default-src" not in page.headers.get("Content-Security-Policy", ""):
        raise SmokeError("the gateway answers with no page of the dashboard, or with one without a policy")
    loaded = httpx.get(f"{system.url}/assets/{script}", timeout=10)
    if not loaded.is_success:
        raise SmokeError(f"the page asks for /assets/{script}, which is answered with {loaded.status_code}")
    print(f"  ok  the page at a deep link, with its script of {len(loaded.content) / 1000:.0f} kB")


def check_kill(system: System, command: Command, log_id: str) -> None:
    """Kill two services in the middle of their work; both come back by themselves, and nothing is missing.

    Raises:
        SmokeError: something is.
    """
    before = command.answer("logs", "show", log_id)
    ticket = command.answer("tickets", "create", "Login is slow", "-m", "Since noon each login takes a minute.")
    for service in ("tickets", "logs"):
        began = time.monotonic()
        system.kill(service)
        system.wait_healthy(service, restarts=1)
        print(f"  ok  {service} came back {time.monotonic() - began:.1f} s after its kill -9")
    deadline = time.monotonic() + READY_SECONDS
    while (found := command.answer("tickets", "show", ticket["id"]))["triageState"] != "TRIAGED":
        if time.monotonic() > deadline:
            raise SmokeError(f"the triage of ticket {ticket['id']} is {found['triageState']}: its work was lost")
        time.sleep(0.5)
    if command.answer("logs", "show", log_id) != before:
        raise SmokeError(f"log {log_id} is not what it was before the kill -9")
    print("  ok  the ticket that was being triaged is triaged, and the log is what it was")


def check_drain(system: System) -> None:
    """Stop every process by SIGTERM; each drains within its limit and ends with 0.

    Raises:
        SmokeError: one does not.
    """
    longest = 0.0
    for service in (*reversed(PROCESSES), *reversed(ENGINES)):
        began = time.monotonic()
        system.compose("stop", service)
        took = time.monotonic() - began
        state = system.inspect(service)["State"]
        if state["ExitCode"] or state["OOMKilled"] or took > DRAIN_SECONDS:
            raise SmokeError(f"{service} ended with {state['ExitCode']} after {took:.1f} s; it should drain")
        longest = max(longest, took)
    print(f"  ok  each process drained at SIGTERM and ended with 0; the longest took {longest:.1f} s")


def figures(system: System) -> Table:
    """Size, start time and memory of each container, as they are now."""
    busy = f"{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.0f}"
    table = Table("container", "image MB", "ready after s", "memory", title=busy)
    for service in (*ENGINES, *PROCESSES):
        found = system.inspect(service)
        size = int(says(system.engine, "image", "inspect", "--format", "{{.Size}}", found["Image"])) / 1e6
        memory = says(system.engine, "stats", "--no-stream", "--format", "{{.MemUsage}}", found["Id"]).partition(" ")[0]
        table.add_row(service, f"{size:.0f}", f"{system.start_seconds(service):.1f}", memory)
    return table


def check(system: System, folder: Path, console: Console) -> None:
    """Every check in its order, and the figures of the first start.

    Raises:
        SmokeError: one failed.
    """
    print(f"  ok  the whole system from nothing to ready: {system.up():.1f} s")
    console.print(figures(system))
    check_confinement(system)
    token = folder / "setup-token"
    token.touch(mode=0o600)
    token.write_text(system.compose("exec", "-T", "auth", "cat", "/etc/aiops/setup-token"))
    command = Command(system.url, str(folder))
    account = ("admin@aiops.local", secrets.token_urlsafe(18))
    log_in(command, *account, setup_token_file=str(token), wait_seconds=READY_SECONDS)
    print("  ok  the first account, made with the setup token, logged in")
    log_id = check_log(command)
    check_ticket(command, log_id)
    check_page(system)
    check_kill(system, command, log_id)
    before = command.answer("logs", "show", log_id)
    check_drain(system)
    print(f"  ok  the whole system started again on its volumes: {system.up():.1f} s")
    if command.answer("logs", "show", log_id) != before:
        raise SmokeError("the log is not what it was before the restart")
    print("  ok  the log, its summary and the session are what they were")


def main() -> int:
    """Run the checks; returns the exit code."""
    parser = argparse.ArgumentParser(description="Run the whole system from its images, and check it.")
    parser.add_argument("--keep", action="store_true", help="leave containers and volumes for a look")
    arguments = parser.parse_args()
    console = Console()
    try:
        engine = find_engine()
        system = System(engine, find_compose(engine))
    except NoEngine as error:
        console.print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        return 1
    if not says(engine, "image", "inspect", "--format", "{{.Id}}", f"aiops-migrate:{version()}"):
        print(f"There are no images of version {version()}. Make them: make images", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            check(system, Path(folder), console)
    except SmokeError as error:
        print(f"{error}\n{system.compose('logs', '--tail', '8')[-6000:]}", file=sys.stderr)
        return 1
    finally:
        if not arguments.keep:
            system.compose("down", "--volumes", "--timeout", "10")
    return 0


if __name__ == "__main__":
    sys.exit(main())
