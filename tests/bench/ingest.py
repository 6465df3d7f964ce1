"""Speed of ingestion: lines end to end, against a bare COPY of the same rows in the same run.

Run: python tests/bench/ingest.py [--lines 500000] [--uploads 10] [--rounds 5] [--at-once 2] [FILE ...]

Lines come from the files given, repeated as often as needed, or are made up. Everything happens in this process on a
throw-away Postgres; interleaved rounds, medians, and nothing is gated on.
"""

import argparse
import asyncio
import logging
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psycopg

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork
from chassis.embedded.postgres import PostgresServer, remove_data
from chassis.embedded.process import free_port
from chassis.history.recorder import Recorder
from chassis.migrations import migrate
from chassis.redaction import Redactor
from logs_service import convert, usecases
from logs_service.commands import ReceiveLog
from logs_service.documents import HISTORIES
from logs_service.domain import LogSource
from logs_service.ingest.pipeline import Ingestor
from logs_service.store import RecordStore

CHUNK_BYTES = 256 * 1024
COPY_BLOCK_ROWS = 5000


def made_up_lines(count: int) -> list[str]:
    """Lines of a web shop: some repeat word for word, most differ in values, a few are errors."""
    random = Random(7)  # noqa: S311 - the same lines in each run
    start = datetime(2026, 1, 4, 10, tzinfo=UTC)
    lines = []
    for number in range(count):
        moment = (start + timedelta(milliseconds=number * 7)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        kind = random.random()
        if kind < 0.3:
            text = "INFO  [health] check passed"
        elif kind < 0.7:
            path, code = random.choice(("cart", "item", "order")), random.choice((200, 200, 200, 404))
            text = f"INFO  [http] GET /{path}/{random.randrange(10**6)} {code} in {random.randrange(900)} ms"
        elif kind < 0.9:
            address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
            user, port = random.randrange(5000), random.randrange(60000)
            text = f"INFO  [session] opened for user{user} from {address} port {port}"
        elif kind < 0.98:
            text = f"WARN  [stock] item {random.randrange(9999)} is low: {random.randrange(10)} left"
        else:
            order, bank = random.randrange(10**7), random.randrange(4)
            text = f"ERROR [payment] order {order} failed: connection to bank-{bank} refused"
        lines.append(f"{moment} {text}")
    return lines


def lines_of(files: list[Path], count: int) -> list[str]:
    """As many lines as wanted from the files, from the start again when they are too few."""
    if not files:
        return made_up_lines(count)
    found = [line for file in files for line in file.read_text("utf-8", "replace").splitlines()]
    return (found * (count // len(found) + 1))[:count]


class Bench:
    """One throw-away Postgres with the schema of logs."""

    def __init__(self, owner_url: str, app_url: str) -> None:
        self._owner_url = owner_url
        self._app_url = app_url
        self._redactor = Redactor(secrets.token_bytes(32))

    async def end_to_end(self, uploads: list[bytes], at_once: int) -> float:
        """Seconds to take all uploads in through the use case, so many at once."""
        self._empty()
        database = Database(self._app_url, name="bench", pool_size=at_once + 1)
        recorder = Recorder(HISTORIES, secrets.token_bytes(32), "logs")
        unit_of_work = UnitOfWork(database, SystemClock(), convert.fact_to_event, "logs", recorder)
        async with unit_of_work.begin() as tx:
            await usecases.prepare_partitions(tx)
        ingestor = Ingestor(self._redactor)
        turns = asyncio.Semaphore(at_once)

        async def upload(number: int, content: bytes) -> None:
            async def chunks() -> AsyncIterator[bytes]:
                for start in range(0, len(content), CHUNK_BYTES):
                    yield content[start : start + CHUNK_BYTES]

            cmd = ReceiveLog(f"upload {number}", "shop", LogSource.UPLOAD, UTC)
            async with turns, unit_of_work.begin() as tx:
                await usecases.receive_log(cmd, chunks(), tx, ingestor)

        started = time.perf_counter()
        await asyncio.gather(*(upload(number, content) for number, content in enumerate(uploads)))
        seconds = time.perf_counter() - started
        await database.close()
        return seconds

    def bare_copy(self) -> tuple[float, int]:
        """Seconds to COPY the rows that are stored now into the empty table again, and their number."""
        columns = ", ".join(RecordStore.COLUMNS)
        select = f"COPY (SELECT {columns} FROM log_records ORDER BY id) TO STDOUT"  # noqa: S608 - constant names
        with psycopg.connect(self._app_url) as connection, connection.cursor().copy(select) as copy:
            rows = [bytes(row) for row in copy]
        blocks = [b"".join(rows[start : start + COPY_BLOCK_ROWS]) for start in range(0, len(rows), COPY_BLOCK_ROWS)]
        self._empty()
        started = time.perf_counter()
        with psycopg.connect(self._app_url) as connection:
            for block in blocks:
                with connection.cursor().copy(f"COPY log_records ({columns}) FROM STDIN") as copy:
                    copy.write(block)
                connection.commit()
        return time.perf_counter() - started, len(rows)

    def _empty(self) -> None:
        with psycopg.connect(self._owner_url) as connection:
            tables = "logs, log_records, log_patterns, log_pattern_versions, log_pattern_counts, outbox"
            connection.execute(f"TRUNCATE {tables}")


async def run(options: argparse.Namespace, bench: Bench) -> None:
    """All rounds, each one end to end and one bare COPY."""
    lines = lines_of(options.files, options.lines)
    size = -(-len(lines) // options.uploads)
    uploads = [("\n".join(lines[start : start + size]) + "\n").encode() for start in range(0, len(lines), size)]
    whole, bare = [], []
    for number in range(options.rounds):
        seconds = await bench.end_to_end(uploads, options.at_once)
        copy_seconds, rows = bench.bare_copy()
        whole.append(len(lines) / seconds)
        bare.append(rows / copy_seconds)
        print(
            f"round {number + 1}: {whole[-1]:,.0f} lines/s end to end, {bare[-1]:,.0f} rows/s bare COPY,"
            f" share {whole[-1] / bare[-1]:.3f}",
            flush=True,
        )
    shares = [one / other for one, other in zip(whole, bare, strict=True)]
    print(
        f"median of {options.rounds}: {statistics.median(whole):,.0f} lines/s, bare {statistics.median(bare):,.0f},"
        f" share {statistics.median(shares):.3f} (spread {min(shares):.3f} to {max(shares):.3f})"
    )


def main() -> int:
    """Start Postgres, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer.start(
            Path(folder) / "data",
            free_port(),
            password=secrets.token_urlsafe(24),
            throwaway=True,
            dies_with_parent=True,
        )
        try:
            admin_url = server.create_database("bench")
            credentials = SchemaCredentials("logs", secrets.token_urlsafe(24), secrets.token_urlsafe(24))
            bootstrap(admin_url, [credentials])
            owner_url = server.url("logs_owner", credentials.owner_password, "bench")
            migrate(owner_url, "logs", "logs_service")
            bench = Bench(owner_url, server.url("logs_app", credentials.app_password, "bench"))
            asyncio.run(run(options, bench))
        finally:
            server.stop()
            remove_data(Path(folder) / "data")
    return 0


if __name__ == "__main__":
    sys.exit(main())
