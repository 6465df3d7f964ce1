"""Speed of changelog: pushing a long history, making drafts of it, and asking what changed before fifty moments.

Run: python tests/bench/changelog.py [--commits 100000] [--deployments 10000] [--rounds 7]

The history is made up, with merges, tags and messages of a few lines. Everything happens in this process on a
throw-away Postgres, through the use cases: redaction, parsing and storing are in, gRPC is not. Medians; nothing is
gated on.
"""

import argparse
import asyncio
import hashlib
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from changelog_service import changes, convert, usecases
from changelog_service.commands import (
    ChangesBeforeQuery,
    CommitRange,
    GenerateChangelog,
    PushCommits,
    RecordDeployment,
)
from changelog_service.commits import Commit
from changelog_service.documents import HISTORIES
from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork
from chassis.embedded.postgres import PostgresServer, remove_data
from chassis.embedded.process import free_port
from chassis.history.recorder import Recorder
from chassis.migrations import migrate
from chassis.redaction import Redactor

BATCH = 1000
MOMENTS = 50
EVERY = timedelta(minutes=5)
SERVICES = ("api", "web", "cart", "mail")
WORDS = ("cart", "price", "api", "parser", "cache", "worker", "retry", "token", "page", "list", "query", "index")


def made_up_history(count: int, newest: datetime) -> list[Commit]:
    """Commits of a web shop, the oldest first: a merge each twenty and a tag each thousand."""
    random = Random(7)  # noqa: S311 - the same history in each run
    shas = [hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest() for number in range(count)]
    commits = []
    for number, sha in enumerate(shas):
        said = " ".join(random.choices(WORDS, k=6))
        kind = random.choice(("feat", "fix", "chore", "docs", "refactor", "test"))
        subject = f"{kind}({random.choice(WORDS)}): {said} (#{number})" if random.random() < 0.3 else f"Improve {said}"
        body = "\n".join(" ".join(random.choices(WORDS, k=12)) for _ in range(random.randrange(6)))
        signed = "\n\nSigned-off-by: Ann <ann@example.com>" if random.random() < 0.5 else ""
        side = [shas[number - random.randrange(2, 40)]] if number > 50 and number % 20 == 0 else []
        commits.append(
            Commit(
                sha=sha,
                message=f"{subject}\n\n{body}{signed}",
                author_name="Ann",
                author_email="ann@example.com",
                committed_at=newest - EVERY * (count - number),
                parent_shas=(*shas[max(number - 1, 0) : number], *side),
                tags=(f"v1.{number // BATCH}.0",) if number % BATCH == 0 else (),
                paths=("src/a.py", "tests/test_a.py"),
            )
        )
    return commits


class Bench:
    """One throw-away Postgres with the schema of changelog."""

    def __init__(self, app_url: str, newest: datetime) -> None:
        self.database = Database(app_url, name="bench")
        recorder = Recorder(HISTORIES, secrets.token_bytes(32), "changelog")
        self._unit_of_work = UnitOfWork(self.database, SystemClock(), convert.fact_to_event, "changelog", recorder)
        self._redactor = Redactor(secrets.token_bytes(32))
        self._newest = newest

    async def push(self, commits: list[Commit]) -> float:
        """Seconds to store them, a thousand in each transaction."""
        started = time.perf_counter()
        for start in range(0, len(commits), BATCH):
            cmd = PushCommits("shop/api", ("api",), tuple(commits[start : start + BATCH]))
            async with self._unit_of_work.begin() as tx:
                await usecases.push_commits(cmd, tx, self._redactor)
        return time.perf_counter() - started

    async def deploy(self, count: int) -> None:
        """Deployments half an hour apart, of four services in turn."""
        async with self._unit_of_work.begin() as tx:
            for number in range(count):
                at = self._newest - timedelta(minutes=30 * number)
                deployed = RecordDeployment(SERVICES[number % 4], "", f"1.{number}", "", "", "", at, "")
                await usecases.record_deployment(deployed, tx, self._redactor)

    async def generate(self, source: tuple[Commit, ...] | CommitRange) -> int:
        """Make a draft; the number of its commits."""
        async with self._unit_of_work.begin() as tx:
            cmd = GenerateChangelog("shop/api", source, "")
            return (await usecases.generate_changelog(cmd, tx, self._redactor)).commit_count

    async def changes_before(self, service: str) -> int:
        """Ask for twenty changes before each of fifty moments; how many came."""
        moments = [
            ChangesBeforeQuery(str(number), service, self._newest - timedelta(hours=37 * number), 86_400)
            for number in range(MOMENTS)
        ]
        async with self.database.read() as tx:
            return sum(len(found.changes) for found in await changes.batch_list_changes_before(moments, 20, tx))


async def median(rounds: int, work: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    """Median seconds of some rounds, and what the last one gave."""
    taken, given = [], 0
    for _ in range(rounds):
        started = time.perf_counter()
        given = await work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken), given


async def run(options: argparse.Namespace, app_url: str) -> None:
    """Fill the schema, then measure what is asked of it."""
    newest = datetime.now(UTC).replace(microsecond=0)
    bench = Bench(app_url, newest)
    history = made_up_history(options.commits, newest)
    seconds = await bench.push(history)
    print(f"push: {len(history):,} commits in {seconds:.1f} s, {len(history) / seconds:,.0f} commits/s", flush=True)
    await bench.deploy(options.deployments)
    last = (len(history) - 1) // BATCH
    given = tuple(reversed(history[-BATCH:]))
    wanted = CommitRange(f"v1.{last - 1}.0", f"v1.{last}.0")
    for name, source in (("given", given), ("of a range", wanted)):
        seconds, count = await median(options.rounds, lambda source=source: bench.generate(source))  # type: ignore[misc]
        print(f"generate: {count:,} commits {name} in {seconds:.2f} s", flush=True)
    for name, service in (("one service", "api"), ("all services", "")):
        seconds, count = await median(options.rounds, lambda service=service: bench.changes_before(service))  # type: ignore[misc]
        print(f"changes before {MOMENTS} moments, {name}: {1000 * seconds:.0f} ms for {count:,} changes", flush=True)
    await bench.database.close()


def main() -> int:
    """Start Postgres, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--deployments", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if options.commits < 2 * BATCH + 1:
        parser.error(f"--commits must be at least {2 * BATCH + 1:,}, so that two tags are a range")
    with tempfile.TemporaryDirectory() as folder:
        data, password = Path(folder) / "data", secrets.token_urlsafe(24)
        server = PostgresServer.start(data, free_port(), password=password, throwaway=True, dies_with_parent=True)
        try:
            admin_url = server.create_database("bench")
            credentials = SchemaCredentials("changelog", secrets.token_urlsafe(24), secrets.token_urlsafe(24))
            bootstrap(admin_url, [credentials])
            migrate(
                server.url("changelog_owner", credentials.owner_password, "bench"), "changelog", "changelog_service"
            )
            asyncio.run(run(options, server.url("changelog_app", credentials.app_password, "bench")))
        finally:
            server.stop()
            remove_data(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
