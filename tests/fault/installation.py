"""An installation of real processes that can be hurt: the topology of `make up --split`, with a supervisor of its own.

Postgres syncs and NATS syncs always, as in production. A killed process is started again, as systemd or Kubernetes
would; everything listens on 127.0.0.1 and ends with the block that started it, also on Ctrl-C.
"""

import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from rich.console import Console

from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer, remove_data
from chassis.embedded.process import EmbeddedError
from first_admin import make_first_admin
from processes import stop_running
from stack import Stack
from state import ROOT, SERVICES, Ports, State
from supervise import Child, stop

POSTGRES, NATS, GATEWAY = "postgres", "nats", "gateway"
WORKERS = tuple(f"{service} work" for service in SERVICES)
SERVERS = tuple(f"{service} serve" for service in SERVICES)
KINDS = (*SERVERS, *WORKERS, GATEWAY, POSTGRES, NATS)
READY_SECONDS = 90.0
LOOK_SECONDS = 0.1


class NotHealed(AssertionError):
    """Something was not well again in time; the message says what, and where its log is."""


@dataclass
class Installation:
    """Processes by their kinds; `kill` hurts, the supervisor heals."""

    state: State
    stack: Stack
    environment: Mapping[str, str]
    altered: Mapping[str, str]
    """Kinds that run with something taken out: see `tests.fault.altered`."""
    children: dict[str, Child] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    resting: set[str] = field(default_factory=set)
    """Kinds that the supervisor leaves alone for now."""
    _over: threading.Event = field(default_factory=threading.Event)
    _busy: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The gateway."""
        return f"http://127.0.0.1:{self.state.ports.gateway}"

    @property
    def admin(self) -> tuple[str, str]:
        """E-mail address and password."""
        kept = json.loads(self.state.path("admin.json").read_text())
        return kept["email"], kept["password"]

    def database(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """The database as its superuser."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.state.ports.postgres,
            user="postgres",
            password=self.state.secret("postgres_admin"),
            dbname="aiops",
            autocommit=True,
            connect_timeout=5,
        )

    def pid(self, kind: str) -> int:
        """Process id of the present process of a kind."""
        if kind == POSTGRES:
            assert self.stack.postgres is not None
            return self.stack.postgres.pid
        if kind == NATS:
            assert self.stack.nats is not None
            return self.stack.nats.pid
        return self.children[kind].pid

    def kill(self, kind: str) -> None:
        """kill -9, without a word of warning."""
        self.signal(kind, signal.SIGKILL)
        self.kills[kind] = self.kills.get(kind, 0) + 1

    def signal(self, kind: str, number: signal.Signals) -> None:
        """Send a signal to the process of a kind."""
        os.kill(self.pid(kind), number)

    def rest(self, kind: str) -> None:
        """Kill it and leave it away until `resume`."""
        self.resting.add(kind)
        self.kill(kind)

    def resume(self, kind: str) -> None:
        """Let the supervisor start it again."""
        self.resting.discard(kind)

    def is_ready(self, kind: str) -> bool:
        """Whether a kind is up, and ready by its own word."""
        if kind == POSTGRES:
            return self.stack.postgres is not None and self.stack.postgres.is_running()
        if kind == NATS:
            return self.stack.nats is not None and self.stack.nats.is_running()
        child = self.children[kind]
        return child.exited() is None and child.ready()

    def wait_ready(self, *kinds: str, seconds: float = READY_SECONDS) -> None:
        """Return when all of these are ready.

        Raises:
            NotHealed: one was not in time.
        """
        deadline = time.monotonic() + seconds
        for kind in kinds:
            while not self.is_ready(kind):
                if time.monotonic() > deadline:
                    raise NotHealed(f"{kind} was not ready after {seconds:.0f} s:\n{self.last_words(kind)}")
                time.sleep(LOOK_SECONDS)

    def last_words(self, kind: str) -> str:
        """The end of the log of a kind."""
        return self.children[kind].last_lines() if kind in self.children else "see the server's log"

    def add(self, name: str, member: str, arguments: tuple[str, ...], *, ready_url: str, **extra: str) -> None:
        """Start one more process with settings of its own, and watch over it like the rest."""
        child = Child(
            name=name,
            arguments=arguments,
            environment={**self.environment, **self.state.environment(member), **extra},
            ready_url=ready_url,
            log=self.state.path("logs", f"{name.replace(' ', '-')}.log"),
        )
        child.start()
        self.children[name] = child
        self.remember()

    def start(self, *, migrate: bool = True) -> None:
        """Bring everything up, in the order in which one thing needs another."""
        self.state.prepare()
        postgres = self.stack.start_postgres()
        self.stack.start_nats()
        if migrate:
            self.stack._migrate(postgres.create_database("aiops"))
        for child in self.stack._topology():
            self._start(child)
        listen = self.state.ports.gateway_operations
        self._start(self.stack._child(GATEWAY, "gateway", ("gateway",), listen))
        self.remember()
        threading.Thread(target=self._supervise, name="supervisor", daemon=True).start()
        self.wait_ready(*self.children)
        make_first_admin(self.state)

    def _start(self, child: Child) -> None:
        child.environment = {**child.environment, **self.environment}
        if child.name in self.altered:
            child.arguments = ("tests.fault.altered", self.altered[child.name], *child.arguments)
        child.start()
        self.children[child.name] = child

    def remember(self) -> None:
        """Write down whom to end if this process is killed itself."""
        processes = {}
        for child in self.children.values():
            with suppress(psutil.NoSuchProcess):
                processes[str(child.pid)] = psutil.Process(child.pid).create_time()
        document = {"supervisor": 0, "processes": processes, "ports": self.state.ports.offset}
        self.state.path("stack.json").write_text(json.dumps(document))

    def _supervise(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with self._busy:
                self._restart_servers()
                for name, child in list(self.children.items()):
                    if name not in self.resting and not self._over.is_set() and child.exited() is not None:
                        child.start()
                        self.remember()

    def _restart_servers(self) -> None:
        """A restart that fails is tried again: the disk may be full just now."""
        for name, server, start in (
            (POSTGRES, self.stack.postgres, self.stack.start_postgres),
            (NATS, self.stack.nats, self.stack.start_nats),
        ):
            if name not in self.resting and server is not None and not server.is_running() and not self._over.is_set():
                with suppress(EmbeddedError):
                    start()

    def stop(self) -> None:
        """End everything, in order; what does not end is killed."""
        self._over.set()
        with self._busy:
            stop([child for child in self.children.values() if child.pid])
            self.stack.stop_nats()
            if self.stack.postgres:
                self.stack.postgres.stop()
        self.state.path("stack.json").unlink(missing_ok=True)


@contextmanager
def installation(
    folder: Path, *, stack: type[Stack] = Stack, altered: Mapping[str, str] | None = None, **environment: str
) -> Iterator[Installation]:
    """A running installation below the folder, with extra settings for its services; its data ends with the block."""
    made = prepared(folder, stack=stack, altered=altered, **environment)
    with running(made):
        yield made


def prepared(
    folder: Path, *, stack: type[Stack] = Stack, altered: Mapping[str, str] | None = None, **environment: str
) -> Installation:
    """An installation that is not started yet."""
    state = State(folder / "state", Ports(free_offset()))
    quiet = Console(quiet=True)
    stop_running(state, quiet)
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])  # for tests.fault.altered
    settings = {"AUTH_BCRYPT_COST": "4", "PYTHONPATH": path, **environment}
    return Installation(state, stack(state, split=True, console=quiet), settings, altered or {})


@contextmanager
def running(made: Installation) -> Iterator[None]:
    """Start it, and end it whatever happens."""
    with _terminated_like_interrupted():
        try:
            made.start()
            yield
        finally:
            made.stop()
            PostgresServer.stop_left_over(made.state.path("postgres"))
            NatsServer.stop_left_over(made.state.path("nats"))
            remove_data(made.state.path("postgres"))


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends the block in order, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def free_offset() -> int:
    """An offset at which every port of a split stack, and of second instances, is free."""
    for offset in random.sample(range(2500, 24_000, 500), 43):  # below the ports that the kernel gives away
        if all(_is_free(port) for port in Ports(offset).named(split=True).values()):
            return offset
    raise NotHealed("no free range of ports was found")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
