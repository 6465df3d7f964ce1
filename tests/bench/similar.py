"""How long similar tickets take: `python -m tests.bench.similar [tickets]` fills a Postgres of its own and asks.

The tickets are made up: words drawn by Zipf's law, as in real text, so that some are everywhere and most are rare.
"""

import asyncio
import itertools
import random
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork
from chassis.embedded.postgres import PostgresServer
from chassis.embedded.process import free_port
from chassis.ids import uuid7
from chassis.migrations import migrate
from chassis.paging import Page
from tickets_service import convert, queries, usecases
from tickets_service.commands import TicketFilter
from tickets_service.similarity import count_words
from tickets_service.values import Watcher

OPS = Watcher("user", str(uuid7()), "ops")
VOCABULARY = 60_000
WORDS = range(40, 160)
BLOCK = 5_000


def texts(count: int, rng: random.Random) -> Any:
    """Titles and messages."""
    words = [f"w{n:x}{rng.choice('aeiou')}" for n in range(VOCABULARY)]
    cumulative = list(itertools.accumulate(1 / (rank + 2) for rank in range(VOCABULARY)))
    for _ in range(count):
        drawn = rng.choices(words, cum_weights=cumulative, k=rng.choice(WORDS))
        yield " ".join(drawn[:8]), " ".join(drawn[8:])


async def fill(uow: UnitOfWork, count: int) -> list[UUID]:
    """Store that many tickets, and give their ids."""
    ids = []
    source = texts(count, random.Random(7))  # noqa: S311 - made-up text
    columns = ("id", "version", "title", "message", "source", "audience", "status", "triage_state",
               "triage_requested_at", "category_source", "priority_source", "team_source", "created_by_kind",
               "created_by_id", "created_at", "updated_at")  # fmt: skip
    while block := list(itertools.islice(source, BLOCK)):
        async with uow.begin() as tx:
            rows, words = [], []
            for title, message in block:
                id_ = uuid7()
                ids.append(id_)
                unset = "UNSPECIFIED"
                rows.append((id_, 1, title, message, "bench", "GENERAL", "OPEN", "PENDING", tx.now, unset, unset, unset,
                             "user", OPS.id, tx.now, tx.now))  # fmt: skip
                counts = count_words(title, message)
                words.append((id_, list(counts), list(counts.values())))
            await tx.copy("tickets", columns, rows)
            await tx.copy("ticket_words", ("ticket_id", "words", "counts"), words)
            await tx.copy("ticket_words_uncounted", ("ticket_id",), [(row[0],) for row in rows])
    more = True
    while more:
        async with uow.begin() as tx:
            more = await usecases.count_words(tx)
    async with uow.begin() as tx:
        await tx.execute(text("ANALYZE"))
    return ids


async def measure(database: Database, ids: list[UUID]) -> None:
    """Print the times of single queries, of a batch of fifty, and of a search for a word."""
    asked = random.Random(11).sample(ids, 100)  # noqa: S311 - a sample
    seconds = []
    for id_ in asked:
        started = time.perf_counter()
        async with database.read() as tx:
            await queries.batch_list_similar([id_], 5, OPS, tx)
        seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
    async with database.read() as tx:
        await queries.batch_list_similar(asked[:50], 5, OPS, tx)
    batch = time.perf_counter() - started
    started = time.perf_counter()
    async with database.read() as tx:
        await queries.list_tickets(TicketFilter(text="w9c4"), Page(50, ""), OPS, tx)
    search = time.perf_counter() - started
    median, worst = statistics.median(seconds), sorted(seconds)[94]
    print(f"{len(ids):,} tickets: one query {median * 1e3:.1f} ms (p95 {worst * 1e3:.1f} ms), fifty at once "
          f"{batch * 1e3:.0f} ms, search for a word {search * 1e3:.1f} ms")  # fmt: skip


async def main(count: int) -> None:
    """Fill and measure."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240 - nothing else runs
        server = PostgresServer.start(
            Path(folder) / "postgres", free_port(), password=secrets.token_urlsafe(24), throwaway=True,
            dies_with_parent=True,
        )  # fmt: skip
        try:
            credentials = SchemaCredentials("tickets", secrets.token_urlsafe(24), secrets.token_urlsafe(24))
            bootstrap(server.create_database("bench"), [credentials])
            migrate(server.url("tickets_owner", credentials.owner_password, "bench"), "tickets", "tickets_service")
            database = Database(server.url("tickets_app", credentials.app_password, "bench"), name="tickets")
            started = time.perf_counter()
            ids = await fill(UnitOfWork(database, SystemClock(), convert.fact_to_event, "tickets"), count)
            print(f"filled in {time.perf_counter() - started:.0f} s")
            await measure(database, ids)
            await database.close()
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
