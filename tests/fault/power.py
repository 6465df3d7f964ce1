"""Power cuts under load: Postgres or NATS goes on from what its disk held, and nobody lost what was acknowledged."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from tests.fault.crew import crew, load_on
from tests.fault.disks import Disk, disk
from tests.fault.installation import NATS, POSTGRES, Installation, installation
from tests.fault.killing import FORSAKEN_SECONDS, Run, conclude, whole_loop
from tests.fault.load import Load
from tests.fault.observing import DRAIN_SECONDS

from chassis.embedded import nats
from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer
from chassis.nats_config import nats_config
from stack import Stack
from state import MEMBERS, ROOT

DISK_MEGABYTES = 1500
BACKLOG_SECONDS = 3.0
"""How long ai is away before NATS loses its power: what is told meanwhile is in NATS alone."""
CARELESS_POSTGRES = {"synchronous_commit": "off", "wal_writer_delay": "10s", "checkpoint_timeout": "1h"}


def on_disks(disks: Mapping[str, Disk], *, careless: bool) -> type[Stack]:
    """The stack with the data of Postgres and NATS on these disks; careless: neither syncs what it acknowledges."""

    class StackOnDisks(Stack):
        def start_postgres(self) -> PostgresServer:
            self.postgres = PostgresServer.start(
                disks[POSTGRES].mount / "data",
                self.state.ports.postgres,
                password=self.state.secret("postgres_admin"),
                settings=CARELESS_POSTGRES if careless else None,
                dies_with_parent=True,
            )
            return self.postgres

        def start_nats(self) -> None:
            passwords = {member: self.state.secret(f"nats_{member}") for member in MEMBERS}
            self.nats = NatsServer.start(
                disks[NATS].mount / "data",
                port=self.state.ports.nats,
                monitor_port=self.state.ports.nats_monitor,
                authorization=nats_config(ROOT / "proto" / "events.yaml", passwords),
                dies_with_parent=True,
            )

    return StackOnDisks


@contextmanager
def installation_on_disks(
    folder: Path, *, careless: bool, megabytes: int = DISK_MEGABYTES
) -> Iterator[tuple[Installation, dict[str, Disk]]]:
    """A running installation whose Postgres and NATS have a disk each.

    Raises:
        NoDisks: this machine mounts none.
    """
    with ExitStack() as stack:
        disks = {kind: stack.enter_context(disk(kind, megabytes)) for kind in (POSTGRES, NATS)}
        if careless:
            stack.enter_context(_nats_that_syncs_late())
        durability = "vouched" if careless else "checked"
        running = installation(folder, stack=on_disks(disks, careless=careless), AIOPS_NATS_DURABILITY=durability)
        yield stack.enter_context(running), disks


@contextmanager
def _nats_that_syncs_late() -> Iterator[None]:
    """NATS as it is by default: every two minutes."""
    careful = nats._configuration

    def careless(folder: Path, port: int, monitor_port: int, authorization: str) -> str:
        text = careful(folder, port, monitor_port, authorization)
        assert "sync_interval: always, " in text
        return text.replace("sync_interval: always, ", "")

    nats._configuration = careless
    try:
        yield
    finally:
        nats._configuration = careful


def cut(hurt: Installation, kind: str, on: Disk) -> None:
    """Take the power from a server, and let it go on from what its disk held at that moment."""
    hurt.resting.add(kind)
    server = psutil.Process(hurt.pid(kind))
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.suspend()
    copy = on.snapshot()
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)
    on.replace_by(copy)
    hurt.kills[kind] = hurt.kills.get(kind, 0) + 1
    hurt.resume(kind)


async def power_cuts(
    hurt: Installation, disks: Mapping[str, Disk], kinds: Sequence[str], *, healing: bool = True
) -> Run:
    """Cut the power of these, one after the other, while clients write; then check everything.

    Raises:
        NotHealed: the loop did not work again in 30 s.
    """
    load = load_on(hurt)
    run = Run(load.history)
    try:
        workers = await crew(hurt, load)
        stop = asyncio.Event()
        working = asyncio.ensure_future(load.until(stop, workers))
        try:
            for kind in kinds:
                await _with_backlog(hurt, kind, load)
                started = time.monotonic()
                await asyncio.to_thread(cut, hurt, kind, disks[kind])
                await asyncio.to_thread(hurt.wait_ready, kind, "ai serve")
                if healing:
                    await whole_loop(load, workers[0].caller, since=started)
                run.recoveries.append((kind, time.monotonic() - started))
        finally:
            stop.set()
            await working
        seconds = DRAIN_SECONDS if healing else FORSAKEN_SECONDS
        await conclude(hurt, run, workers[0].caller, seconds=seconds)
    finally:
        await load.http.aclose()
    return run


async def _with_backlog(hurt: Installation, kind: str, load: Load) -> None:
    """Let some work happen; before a cut of NATS, let events wait in it."""
    await asyncio.sleep(load.dice.uniform(1.0, 2.0))
    if kind == NATS:
        hurt.rest("ai serve")
        await asyncio.sleep(BACKLOG_SECONDS)
        asyncio.get_running_loop().call_later(1.0, hurt.resume, "ai serve")
