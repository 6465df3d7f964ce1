"""The whole topology in one file: what runs on one machine, in which order, and who waits for whom.

    python dev/stack.py up [--split] [--detach]   start everything; Ctrl-C stops it
    python dev/stack.py down                      stop it; the data stays
    python dev/stack.py reset                     stop it and delete the data
    python dev/stack.py drill                     take NATS away for ten seconds, as a fault

The same processes run in production; only Postgres, NATS and the state folder are local here.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
from rich.console import Console

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer, remove_data
from chassis.embedded.process import EmbeddedError
from chassis.installation import write_secret
from chassis.migration_backfill import backfill
from chassis.migrations import MigrationError, migrate
from chassis.nats_config import nats_config
from dashboard import build
from first_admin import make_first_admin
from processes import port_holder, running, stop_running
from state import ROOT, SERVICES, State
from supervise import MINUTE_SECONDS, RESTARTS_PER_MINUTE, Child, StackError, restart_crashed, stop, wait_ready

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {service: f"{service}_service" for service in SERVICES}
KEY_FILE = "AIOPS_REDACTION_KEY_FILE"
FREE_BYTES_NEEDED = 500_000_000
READY_SECONDS = 90.0
DRILL_SECONDS = 10.0


class Stack:
    """Postgres and NATS, then the services, then the gateway; stopped the other way round."""

    def __init__(self, state: State, *, split: bool, console: Console) -> None:
        self.state = state
        self.split = split
        self.console = console
        self.postgres: PostgresServer | None = None
        self.nats: NatsServer | None = None
        self.children: list[Child] = []
        self.stopping = threading.Event()
        self.drill = threading.Event()
        self.restarts: deque[float] = deque(maxlen=RESTARTS_PER_MINUTE)

    def say(self, text: str) -> None:
        """One line of progress."""
        self.console.print(f"  {text}", highlight=False)

    def step(self, text: str, started: float) -> None:
        """One finished step and how long it took."""
        self.say(f"[green]✓[/green] {text} [dim]({time.monotonic() - started:.1f} s)[/dim]")

    def up(self) -> None:
        """Start everything and return when all of it is ready.

        Raises:
            StackError: something did not start; the message says what to do.
        """
        self._preflight()
        self.state.prepare()
        dashboard = self._build_dashboard()
        started = time.monotonic()
        postgres = self.start_postgres()
        self._write_pids()
        self.step(f"PostgreSQL on 127.0.0.1:{self.state.ports.postgres}", started)

        started = time.monotonic()
        self.start_nats()
        self._write_pids()
        self.step(f"NATS JetStream on 127.0.0.1:{self.state.ports.nats}", started)

        started = time.monotonic()
        self._migrate(postgres.create_database("aiops"))
        self.step("database schemas", started)

        started = time.monotonic()
        self.children = self._topology()
        for child in self.children:
            child.start()
        self._write_pids()
        self._wait_dashboard(dashboard)
        gateway = self._child("gateway", "gateway", ("gateway",), self.state.ports.gateway_operations)
        gateway.start()
        self.children.append(gateway)
        self._write_pids()
        for child in self.children:
            wait_ready(child, seconds=READY_SECONDS, while_waiting=self._while_waiting)
            self.step(child.name, started)

    def _build_dashboard(self) -> "Future[Path] | None":
        """Begin to build the pages beside everything else; nothing when others are named."""
        if "GATEWAY_DASHBOARD_FOLDER" in os.environ:
            return None
        return ThreadPoolExecutor(1, "dashboard").submit(build)

    def _wait_dashboard(self, building: "Future[Path] | None") -> None:
        if building is None:
            return
        if not building.done():
            self.say("[dim]the dashboard is being built (about a minute the first time)[/dim]")
        started = time.monotonic()
        while not building.done():
            self._while_waiting()
            time.sleep(0.1)
        try:
            building.result()
        except (SystemExit, OSError) as error:  # all the rest works without the pages
            self.say(f"[yellow]![/yellow] the dashboard could not be built, so there are no pages: {error}")
            return
        self.step("dashboard", started)

    def _topology(self) -> list[Child]:
        """Which services run, each with its two roles in one process or apart; the gateway follows with the pages."""
        children = []
        for service in SERVICES:
            ports, package = self.state.ports, PACKAGES[service]
            roles = (("serve",), ("work",)) if self.split else (("serve", "work"),)
            for role in roles:
                worker = role == ("work",)
                port = ports.worker_http(service) if worker else ports.http(service)
                name = f"{service} {role[0]}" if self.split else service
                children.append(self._child(name, service, (package, *role), port, worker=worker))
        return children

    def _child(
        self, name: str, member: str, arguments: tuple[str, ...], http_port: int, *, worker: bool = False
    ) -> Child:
        return Child(
            name=name,
            arguments=arguments,
            environment=self.state.environment(member, worker=worker),
            ready_url=f"http://127.0.0.1:{http_port}/readyz",
            log=self.state.path("logs", f"{name.replace(' ', '-')}.log"),
        )

    def start_postgres(self) -> PostgresServer:
        """Start Postgres on the data that it has; it recovers by itself from a crash."""
        self.postgres = PostgresServer.start(
            self.state.path("postgres"),
            self.state.ports.postgres,
            password=self.state.secret("postgres_admin"),
            dies_with_parent=True,
        )
        return self.postgres

    def start_nats(self) -> None:
        """Start NATS with one user for each process and what it may publish and read."""
        passwords = {member: self.state.secret(f"nats_{member}") for member in (*SERVICES, "gateway")}
        self.nats = NatsServer.start(
            self.state.path("nats"),
            port=self.state.ports.nats,
            monitor_port=self.state.ports.nats_monitor,
            authorization=nats_config(ROOT / "proto" / "events.yaml", passwords),
            dies_with_parent=True,
        )

    def stop_nats(self) -> None:
        """Take NATS away, as a fault; `start_nats` brings it back with its data."""
        if self.nats:
            self.nats.stop()
            self.nats = None

    def _migrate(self, admin_url: str) -> None:
        bootstrap(
            admin_url,
            [
                SchemaCredentials(service, self.state.secret(f"{service}_owner"), self.state.secret(f"{service}_app"))
                for service in SERVICES
            ],
        )
        for service in SERVICES:
            migrate(self.state.database_url(f"{service}_owner"), service, PACKAGES[service])
        self._fill()

    def _fill(self) -> None:
        """Backfill at once, in place of after the promotion: nobody serves yet, so nothing has to give way."""
        named = os.environ.get(KEY_FILE)
        os.environ[KEY_FILE] = named or str(self.state.path("keys", "redaction.key"))  # what is personal is sealed
        try:
            for service in SERVICES:
                backfill(self.state.database_url(f"{service}_owner"), service, PACKAGES[service], yields=False)
        finally:
            if named is None:
                del os.environ[KEY_FILE]

    def _while_waiting(self) -> None:
        if self.stopping.is_set():
            raise KeyboardInterrupt
        self._restart_servers()

    def _restart_servers(self) -> None:
        """Start Postgres and NATS again when they ended by themselves; both have on disk what they acknowledged."""
        for name, server, start in (
            ("PostgreSQL", self.postgres, self.start_postgres),
            ("NATS", self.nats, self.start_nats),
        ):
            if server is None or server.is_running():
                continue
            now = time.monotonic()
            if len(self.restarts) == RESTARTS_PER_MINUTE and now - self.restarts[0] < MINUTE_SECONDS:
                server.check()
            self.restarts.append(now)
            self.say(f"[yellow]![/yellow] {name} ended by itself; it is started again (log: {server.log})")
            start()

    def watch(self) -> None:
        """Restart what crashes until somebody asks to stop; take NATS away for a while when somebody asks for that.

        Raises:
            StackError: one process keeps crashing.
        """
        while not self.stopping.wait(0.5):
            if self.drill.is_set():
                self.stop_nats()
                self.stopping.wait(DRILL_SECONDS)
                self.start_nats()
                self.drill.clear()
            self._restart_servers()
            restart_crashed(self.children, lambda text: self.say(f"[yellow]![/yellow] {text}"))

    def down(self) -> None:
        """Drain the processes, then stop NATS and Postgres."""
        stop(self.children)
        self.stop_nats()
        if self.postgres:
            self.postgres.stop()
        self.state.path("stack.json").unlink(missing_ok=True)

    def _preflight(self) -> None:
        free = shutil.disk_usage(self.state.folder.parent).free
        if free < FREE_BYTES_NEEDED:
            raise StackError(
                f"The disk is nearly full: {free / 1e6:,.0f} MB are free, 500 MB are needed. Free some space."
            )
        for name, port in self.state.ports.named(split=self.split).items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise StackError(
                        f"Port {port} ({name}) is in use{port_holder(port)}. Stop that program, or move the whole "
                        "stack: AIOPS_PORT_OFFSET=1000 make up"
                    ) from error

    def _write_pids(self) -> None:
        pids = [os.getpid(), *(child.pid for child in self.children if child.pid)]
        document = {
            "supervisor": os.getpid(),
            "processes": {str(pid): psutil.Process(pid).create_time() for pid in pids},
            "ports": self.state.ports.offset,
        }
        self.state.path("stack.json").write_text(json.dumps(document))


def greeting(state: State, console: Console, admin: tuple[str, str] | None) -> None:
    """Print the addresses, and the admin's password the one time that it is new."""
    base = f"http://127.0.0.1:{state.ports.gateway}"
    console.print("\n[bold]AI Ops Assistant is ready.[/bold]")
    if state.dashboard is not None:
        console.print(f"  Dashboard             {base}", highlight=False)
    console.print(f"  GraphQL and GraphiQL  {base}/graphql", highlight=False)
    console.print(f"  Upload door           {base}/v1/logs/upload", highlight=False)
    console.print(f"  Health, metrics       http://127.0.0.1:{state.ports.gateway_operations}/readyz", highlight=False)
    console.print(f"  Logs of the processes {state.path('logs')}", highlight=False)
    if admin:
        console.print(f"\n  Admin                 {admin[0]}", highlight=False)
        console.print(f"  Password              [bold]{admin[1]}[/bold]", highlight=False, markup=True)
        console.print(f"  (shown once; kept in {state.path('admin.json')}, readable by you alone)", highlight=False)
    where = f" --url {base}" if state.ports.offset else ""
    console.print(f"\n  Next: [bold]make demo[/bold], or [bold].venv/bin/aiops login{where}[/bold]", highlight=False)


def up(state: State, console: Console, *, split: bool, detach: bool) -> int:
    """Start everything; in the foreground until Ctrl-C, or detached."""
    alive = running(state)
    if alive and json.loads(state.path("stack.json").read_text())["supervisor"] in alive:
        console.print("It is running already; `make down` stops it.")
        greeting(state, console, None)
        return 0
    stop_running(state, console)
    if detach:
        return up_detached(state, console, split=split)
    stack = Stack(state, split=split, console=console)
    signal.signal(signal.SIGTERM, lambda *_: stack.stopping.set())
    signal.signal(signal.SIGINT, lambda *_: stack.stopping.set())
    signal.signal(signal.SIGUSR1, lambda *_: stack.drill.set())
    console.print("[bold]Starting AI Ops Assistant[/bold]")
    try:
        stack.up()
        greeting(state, console, make_first_admin(state))
        state.path("ready").write_text(str(os.getpid()))
        if sys.stdout.isatty():
            console.print("  Ctrl-C stops it; the data stays.")
        stack.watch()
    except KeyboardInterrupt:
        pass
    except (StackError, EmbeddedError, MigrationError, OSError) as error:
        console.print(f"\n[red]It did not start.[/red] {error}", highlight=False)
        return 1
    finally:
        state.path("ready").unlink(missing_ok=True)
        console.print("\nStopping ...")
        stack.down()
        console.print("Stopped; the data is kept.")
    return 0


def up_detached(state: State, console: Console, *, split: bool) -> int:
    """Start a supervisor in the background and return when the stack is ready."""
    state.path("logs").mkdir(parents=True, exist_ok=True)
    state.path("ready").unlink(missing_ok=True)
    log = state.path("logs", "stack.log")
    write_secret(log, "")  # the greeting shows the admin's password once
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, __file__, "up", *(["--split"] if split else [])],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    shown = 0
    while True:
        text = log.read_text()
        console.out(text[shown:], end="", highlight=False)
        shown = len(text)
        if state.path("ready").exists():
            console.out(log.read_text()[shown:], end="", highlight=False)
            return 0
        if process.poll() is not None:
            return 1
        time.sleep(0.2)


def main() -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(description="Run the whole of AI Ops Assistant on this machine.")
    parser.add_argument("command", choices=["up", "down", "reset", "drill"])
    parser.add_argument("--split", action="store_true", help="run each service's worker as a process of its own")
    parser.add_argument("--detach", action="store_true", help="return when it is ready; `down` stops it")
    arguments = parser.parse_args()
    state = State.from_environment()
    console = Console(soft_wrap=True)
    try:
        return run(arguments, state, console)
    except OSError as error:
        console.out(
            f"{error.strerror}: {error.filename}. The state of the stack is kept in {state.folder}; name a folder"
        )
        console.out("that you may write to: AIOPS_STATE_DIR=/path make up")
    return 1


def run(arguments: argparse.Namespace, state: State, console: Console) -> int:
    """Run one command on the state; returns the exit code.

    Raises:
        OSError: the state folder cannot be used.
    """
    if arguments.command == "up":
        return up(state, console, split=arguments.split, detach=arguments.detach)
    if arguments.command == "drill":
        if not running(state):
            console.print("Nothing runs that could be drilled; `make up` starts it.")
            return 1
        os.kill(json.loads(state.path("stack.json").read_text())["supervisor"], signal.SIGUSR1)
        return 0
    stopped = stop_running(state, console)
    console.print("Stopped; the data is kept." if stopped else "Nothing was running.")
    if arguments.command == "reset" and state.folder.exists():
        remove_data(state.path("postgres"))
        shutil.rmtree(state.folder)
        console.print(f"Deleted {state.folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
