"""History: replaying a state of long ago, folding a long chain, and what a change costs.

`python -m tests.bench.history` prints the figures; nothing runs beside it that it did not start.
"""

import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[2] / "chassis" / "tests" / "service"))

from parcels import PARCELS, Parcel, Sent, fact_to_event, move

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork
from chassis.embedded.postgres import PostgresServer
from chassis.embedded.process import free_port
from chassis.history import replay
from chassis.history.recorder import Recorder
from chassis.history.tables import every_change
from chassis.migrations import migrate

VERSIONS, CHAINS = 10_000, 10
TIMES = 200
ID = UUID(int=1)


async def main(url: str) -> None:
    """Make chains of 10,000 versions, then read them."""
    database = Database(url, name="parcels")
    recorder = Recorder([PARCELS], b"r" * 32, "parcels")
    uow = UnitOfWork(database, SystemClock(), fact_to_event, "parcels", recorder)
    for number in range(1, CHAINS + 1):
        await _life(uow, UUID(int=number))
    chance = secrets.SystemRandom()
    by_version, by_time = [], []
    async with database.read() as tx:
        for _ in range(TIMES):
            version = chance.randint(1, VERSIONS)
            started = time.perf_counter()
            state = await replay.state_at(tx, PARCELS, ID, version)
            state.opened(recorder.vault, await recorder.vault.load(tx, state.subjects.values()))
            by_version.append(time.perf_counter() - started)
            assert state.changed_at is not None
            started = time.perf_counter()
            at = await replay.version_at(tx, PARCELS, ID, state.changed_at)
            await replay.state_at(tx, PARCELS, ID, at)
            by_time.append(time.perf_counter() - started)
        started, worked = time.perf_counter(), time.process_time()
        states: dict[UUID, replay.State] = {}
        rows = 0
        async for row in every_change(tx, "parcel"):
            states.setdefault(row.id, replay.State(PARCELS, row.id)).advance(row)
            rows += 1
        folded, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"state by version at {VERSIONS:,} versions: {_figures(by_version)}")
    print(f"state by time at {VERSIONS:,} versions: {_figures(by_time)}")
    print(f"replay of {rows:,} deltas, each checked: {folded:.2f} s, of which {worked:.2f} s are this process")
    await database.close()


async def _life(uow: UnitOfWork, id_: UUID) -> None:
    parcel = Parcel(id_, city="Oslo", receiver="anna@example.org", note="fragile")
    async with uow.begin() as tx:
        await move(tx, None, parcel)
    while parcel.version < VERSIONS:
        async with uow.begin() as tx:
            for _ in range(min(500, VERSIONS - parcel.version)):
                before = parcel
                what = (
                    {"note": f"note {before.version}"}
                    if before.version % 5 == 0
                    else {"city": f"city {before.version}"}
                )
                parcel = before.changed(**what)
                tx.changed(before, parcel, Sent(parcel.id, parcel.version, parcel.city))


def _figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"p50 {statistics.median(ordered) * 1e3:.1f} ms, p95 {p95 * 1e3:.1f} ms"


def run() -> None:
    """Start a Postgres of its own for the measurement."""
    with tempfile.TemporaryDirectory(prefix="aiops-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = PostgresServer.start(
            folder / "postgres", free_port(), password=secrets.token_urlsafe(24), throwaway=True, dies_with_parent=True
        )
        try:
            admin = server.create_database("bench")
            credentials = SchemaCredentials("parcels", secrets.token_urlsafe(24), secrets.token_urlsafe(24))
            bootstrap(admin, [credentials])
            migrate(server.url("parcels_owner", credentials.owner_password, "bench"), "parcels", "parcels")
            asyncio.run(main(server.url("parcels_app", credentials.app_password, "bench")))
        finally:
            server.stop()


if __name__ == "__main__":
    run()
