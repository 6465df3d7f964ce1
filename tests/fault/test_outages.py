"""NATS away for long, SIGTERM of every kind, a full disk: nothing is lost, and all goes on by itself."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.fault.caller import Caller, Refused, Unanswered
from tests.fault.crew import crew, load_on
from tests.fault.disks import Disk, NoDisks
from tests.fault.installation import (
    GATEWAY,
    KINDS,
    NATS,
    POSTGRES,
    SERVERS,
    WORKERS,
    Installation,
    installation,
    prepared,
    running,
)
from tests.fault.killing import HEALED_SECONDS, Run, conclude, whole_loop
from tests.fault.load import Load
from tests.fault.power import installation_on_disks

RESUMED_SECONDS = 5.0
FEW_SECONDS = 12
SMALL_DISK_MEGABYTES = 400
FULL_SECONDS = 8.0
UNCLEAR = frozenset({"INTERNAL", "None", "NOT_JSON"})
"""Codes that tell a client nothing."""
READS = (
    "{ logs(first: 5) { nodes { id version } } }",
    "{ tickets(first: 5) { nodes { id version } } }",
    "{ changelogs(first: 5) { nodes { id version } } }",
    "{ users(first: 5) { nodes { id version } } }",
)


@asynccontextmanager
async def under_load(hurt: Installation, pause_seconds: float | None = None) -> AsyncIterator[tuple[Load, Run, Caller]]:
    """Clients write during the block; after it everything is checked."""
    load = load_on(hurt)
    run = Run(load.history)
    try:
        workers = await crew(hurt, load)
        for worker in workers:
            worker.pause_seconds = worker.pause_seconds if pause_seconds is None else pause_seconds
        stop = asyncio.Event()
        working = asyncio.ensure_future(load.until(stop, workers))
        try:
            yield load, run, workers[0].caller
        finally:
            stop.set()
            await working
        await conclude(hurt, run, workers[0].caller)
    finally:
        await load.http.aclose()


def well(run: Run, figures: dict[str, float | str]) -> None:
    figures |= run.figures
    assert {name: found for name, found in run.violations.items() if found} == {}
    assert run.history.counts()["ok"] > 20


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(12, marks=pytest.mark.timeout(180)),
        pytest.param(300, marks=[pytest.mark.fault, pytest.mark.timeout(900)]),
    ],
)
async def test_consumers_go_on_when_nats_comes_back(
    fault_folder: Path, figures: dict[str, float | str], seconds: int
) -> None:
    with installation(fault_folder) as hurt:
        # In 30 s consumers on one machine do what a long time at full load left behind only if it was not full.
        async with under_load(hurt, pause_seconds=2.0 if seconds > FEW_SECONDS else None) as (load, run, admin):
            await whole_loop(load, admin, since=time.monotonic())
            before = {kind: hurt.pid(kind) for kind in (*SERVERS, *WORKERS, GATEWAY)}
            hurt.rest(NATS)
            await asyncio.sleep(seconds)
            hurt.resume(NATS)
            await asyncio.to_thread(hurt.wait_ready, NATS)
            back = time.monotonic()
            while await asyncio.to_thread(handled_since, hurt, back) == 0:
                assert time.monotonic() - back < HEALED_SECONDS, "no event was handled"
                await asyncio.sleep(0.1)
            figures["consuming again after s"] = round(time.monotonic() - back, 1)
            after = {kind: hurt.pid(kind) for kind in before}

    well(run, figures)
    assert after == before
    assert float(figures["consuming again after s"]) <= RESUMED_SECONDS


def handled_since(hurt: Installation, since: float) -> int:
    """Events that took effect after this moment of the monotonic clock."""
    ago = time.monotonic() - since
    query = "SELECT count(*) FROM tickets.inbox WHERE handled_at > now() - make_interval(secs => %s)"
    with hurt.database() as connection:
        row = connection.execute(query, [ago]).fetchone()
    assert row is not None
    return int(row[0])


def doubled_up(folder: Path) -> Installation:
    """An installation, not started yet, whose gateway knows a second instance of every server."""
    made = prepared(folder)
    ports = made.state.ports
    targets = {
        f"AIOPS_{service.upper()}_TARGET": f"ipv4:127.0.0.1:{ports.grpc(service)},127.0.0.1:{second(made, service)}"
        for service in (kind.partition(" ")[0] for kind in SERVERS)
    }
    made.environment = {**made.environment, **targets}
    return made


def second(made: Installation, service: str) -> int:
    """Where the second instance answers; its health is a hundred above."""
    return made.state.ports.grpc(service) - 200


def start_seconds(made: Installation) -> None:
    """Start the second instances."""
    for kind in SERVERS:
        service = kind.partition(" ")[0]
        grpc, http = second(made, service), second(made, service) + 50
        made.add(
            f"{kind} 2",
            service,
            (f"{service}_service", "serve"),
            ready_url=f"http://127.0.0.1:{http}/readyz",
            **{
                f"{service.upper()}_GRPC_LISTEN": f"127.0.0.1:{grpc}",
                f"{service.upper()}_HTTP_LISTEN": f"127.0.0.1:{http}",
            },
        )
    made.wait_ready(*made.children)


async def read_on(caller: Caller, stop: asyncio.Event, failed: list[str]) -> int:
    """Read until told to stop; how often, with what failed in the list."""
    times = 0
    while not stop.is_set():
        for query in READS:
            times += 1
            try:
                await caller.ask(query)
            except (Unanswered, Refused) as error:
                failed.append(f"{error}: {query}")
            await asyncio.sleep(0.02)
    return times


async def terminated(
    hurt: Installation, kinds: tuple[str, ...], figures: dict[str, float | str]
) -> tuple[Run, list[str]]:
    """SIGTERM these one after the other, while some write and others only read; what of the reads failed."""
    failed: list[str] = []
    async with under_load(hurt) as (load, run, admin):
        stop = asyncio.Event()
        await admin.log_in()
        reading = asyncio.ensure_future(read_on(admin, stop, failed))
        for kind in kinds:
            await asyncio.sleep(0.5)
            started = time.monotonic()
            process = hurt.pid(kind)
            # To Postgres SIGTERM means: when all clients have gone. What ends it in order is SIGINT, as in its images.
            hurt.signal(kind, signal.SIGINT if kind == POSTGRES else signal.SIGTERM)
            while hurt.pid(kind) == process:
                assert time.monotonic() - started < HEALED_SECONDS, f"{kind} does not end"
                await asyncio.sleep(0.05)
            await asyncio.to_thread(hurt.wait_ready, kind, seconds=HEALED_SECONDS)
            run.recoveries.append((kind, time.monotonic() - started))
        stop.set()
        figures |= {"reads": await reading, "failed reads": len(failed)}
        await whole_loop(load, admin, since=time.monotonic())
    return run, failed


SOME = ("tickets serve", "tickets work")
ALL = (*SERVERS, *WORKERS)


@pytest.mark.fault
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kinds", [pytest.param(SOME, id="some"), pytest.param(ALL, id="all")])
async def test_sigterm_cuts_no_read_and_loses_no_write_beside_a_second_instance(
    fault_folder: Path, figures: dict[str, float | str], kinds: tuple[str, ...]
) -> None:
    made = doubled_up(fault_folder)
    with running(made):
        start_seconds(made)
        run, failed = await terminated(made, kinds, figures)

    well(run, figures)
    assert failed == []
    assert int(figures["reads"]) > 20 * len(kinds)


@pytest.mark.fault
@pytest.mark.timeout(600)
async def test_sigterm_of_every_kind_loses_no_write(fault_folder: Path, figures: dict[str, float | str]) -> None:
    with installation(fault_folder) as hurt:
        run, _ = await terminated(hurt, KINDS, figures)

    well(run, figures)


@pytest.mark.fault
@pytest.mark.timeout(300)
async def test_a_full_disk_of_postgres_is_told_loses_nothing_and_heals(
    fault_folder: Path, figures: dict[str, float | str]
) -> None:
    try:
        with installation_on_disks(fault_folder, careless=False, megabytes=SMALL_DISK_MEGABYTES) as (hurt, disks):
            async with under_load(hurt) as (load, run, admin):
                await whole_loop(load, admin, since=time.monotonic())
                before = dict(load.history.codes)
                with full(disks[POSTGRES]):
                    await asyncio.sleep(FULL_SECONDS)
                    told = {code: n - before.get(code, 0) for code, n in load.history.codes.items()}
                freed = time.monotonic()
                await asyncio.to_thread(hurt.wait_ready, POSTGRES, seconds=HEALED_SECONDS)
                await whole_loop(load, admin, since=freed)
                run.recoveries.append((POSTGRES, time.monotonic() - freed))
    except NoDisks as reason:
        pytest.skip(str(reason))

    well(run, figures)
    figures["told"] = str(told)
    assert sum(told.values()) > 0, "nobody noticed"
    assert not UNCLEAR & set(told)
    assert run.recoveries[0][1] <= HEALED_SECONDS


class full:  # noqa: N801 - reads as a state
    """No byte is left on a disk during the block."""

    def __init__(self, disk: Disk) -> None:
        self._filler = disk.mount / "filler"

    def __enter__(self) -> None:
        with suppress(OSError), self._filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass

    def __exit__(self, *_: object) -> None:
        self._filler.unlink()
