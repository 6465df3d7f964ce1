"""The old and the new version of tickets on one database, under load, through every phase of a rename and back.

The old version is the commit that dev/old_version.txt names, with its own sources; nothing of it is imitated. Each
phase takes 5 s, and a minute in `make fault`.
"""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
import pytest_asyncio
from tests.fault.switch import Switch
from tests.fault.ticket_load import PRIORITIES, Line, Load
from tests.fault.versions import Running, Version, Versions, environment, jwks, this_python

import ai_service.app
from ai_service.settings import AiSettings
from chassis import nats_config
from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.embedded.postgres import PostgresServer
from chassis.migrations import all_migrations, migrate
from chassis.rpc.client import Client
from chassis.testing.harness import Installation, running_service
from chassis.testing.plugin import NatsServers
from old_version import OldVersion, OldVersionMissing, old_version

DATABASE = "aiops_versions"
FLAG = "tickets-read-description"
ROWS_OF_BEFORE = 3_000
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def old_code() -> Iterator[OldVersion]:
    try:
        with old_version() as made:
            yield made
    except OldVersionMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@dataclass
class Stage:
    """A database and a NATS for both versions, a switch in front of them, and a load."""

    versions: Versions
    switch: Switch
    load: Load
    through: Line
    """The way through the switch."""
    owner_url: str
    flags: Path
    _stack: AsyncExitStack

    async def phase(self, name: str, seconds: float, *lines: Line) -> None:
        """Let people work on these lines for the time."""
        self.load.lines = list(lines)
        self.load.phase = name
        await asyncio.sleep(seconds)

    async def line(self, running: Running) -> Line:
        """A way to a process, past the switch."""
        client = Client(running.target, "tickets", self.load.installation.identity("gateway"), retries=True)
        self._stack.push_async_callback(client.close)
        return Line(f"{running.version.name} directly", client, new=running.version is self.versions.new)

    def ask(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        """What the owner of the schema reads or does."""
        with psycopg.connect(self.owner_url) as connection:
            answer = connection.execute(query.encode(), values)
            return answer.fetchall() if answer.description else []

    def columns(self) -> set[str]:
        """The columns of tickets."""
        rows = self.ask("SELECT column_name FROM information_schema.columns WHERE table_name = 'tickets'")
        return {name for (name,) in rows}

    def unequal(self, *, filled: bool) -> list[tuple[Any, ...]]:
        """Rows whose old and new columns differ; before the backfill those that have nothing new are left out."""
        if not {"message", "description", "priority", "priority_rank"} <= self.columns():
            return []
        rank = "(SELECT o.priority_level FROM ticket_options o WHERE o.kind = 'PRIORITY' AND o.key = t.priority)"
        return self.ask(
            "SELECT id, message, description, priority, priority_rank FROM tickets t"  # noqa: S608 - no value of anybody
            f" WHERE (description IS DISTINCT FROM message OR coalesce(priority_rank, 0) <> coalesce({rank}, 0))"
            " AND (%s OR description IS NOT NULL OR coalesce(priority_rank, 0) <> 0)",
            (filled,),
        )


@pytest_asyncio.fixture
async def stage(
    old_code: OldVersion,
    own_postgres_server: PostgresServer,
    nats_registry: tuple[nats_config.RegisteredEvent, ...],
    tmp_path_factory: pytest.TempPathFactory,
    installation: Installation,
    tmp_path: Path,
) -> AsyncIterator[Stage]:
    admin_url = own_postgres_server.create_database(DATABASE)
    roles = {name: SchemaCredentials(name, secrets.token_urlsafe(24), secrets.token_urlsafe(24)) for name in SCHEMAS}
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for name in SCHEMAS:
            connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())
    bootstrap(admin_url, list(roles.values()))

    def url(name: str, role: str) -> str:
        return own_postgres_server.url(f"{name}_{role}", getattr(roles[name], f"{role}_password"), DATABASE)

    migrate(url("ai", "owner"), "ai", "ai_service")
    servers = NatsServers(tmp_path_factory)
    nats = servers.get(nats_registry)
    flags = tmp_path / "flags.json"
    flags.write_text("{}")
    async with AsyncExitStack() as stack:
        stack.callback(servers.stop)
        jwks_url = await stack.enter_async_context(jwks(installation))
        ai = await stack.enter_async_context(
            running_service(
                ai_service.app.build(
                    AiSettings(**installation.settings("ai", database_url=url("ai", "app"))),
                    access_tokens=installation.access_tokens(),
                ),
                installation,
            )
        )
        auth = grpc.aio.server()  # of a version that cannot say yet what is void
        auth_port = auth.add_insecure_port("127.0.0.1:0")
        await auth.start()
        stack.push_async_callback(auth.stop, 0)
        settings = environment(
            installation,
            AIOPS_AUTH_TARGET=f"127.0.0.1:{auth_port}",
            AIOPS_JWKS_URL=jwks_url,
            AIOPS_NATS_URL=nats.url,
            AIOPS_NATS_MONITOR_URL=nats.monitor_url,
            AIOPS_FLAGS_FILE=flags,
            AIOPS_AI_TARGET=ai.target,
            AIOPS_ANCHOR_URL=f"file://{tmp_path}/anchors",
            TICKETS_DATABASE_URL=url("tickets", "app"),
            TICKETS_OWNER_DATABASE_URL=url("tickets", "owner"),
            TICKETS_NATS_PASSWORD=nats.passwords["tickets"],
        )
        versions = Versions(
            Version("old", old_code.python, settings), Version("new", this_python(), settings), tmp_path
        )
        stack.callback(versions.kill)
        assert (await versions.old.migrate("expand", "tickets"))[0] == 0
        switch = Switch()
        await switch.open("127.0.0.1:9")
        stack.push_async_callback(switch.close)
        client = Client(switch.address, "tickets", installation.identity("gateway"), retries=True)
        stack.push_async_callback(client.close)
        load = Load(installation, [])
        yield Stage(versions, switch, load, Line("switch", client), url("tickets", "owner"), flags, stack)


SCHEMAS = ("tickets", "ai")


def write_rows_of_before(stage: Stage) -> None:
    """What the old version wrote long ago: nothing of it is read by the load, all of it is filled."""
    stage.ask(
        "INSERT INTO tickets (id, version, title, message, source, audience, status, triage_state,"
        " triage_requested_at, category_source, priority, priority_source, team_source, created_by_kind,"
        " created_by_id, created_at, updated_at)"
        " SELECT gen_random_uuid(), 1, 'Old ' || i, 'Words ' || i, 'api', 'GENERAL', 'OPEN', 'TRIAGED', now(),"
        " 'UNSPECIFIED', CASE WHEN i %% 5 = 0 THEN '' ELSE (%s::text[])[i %% 5] END,"
        " CASE WHEN i %% 5 = 0 THEN 'UNSPECIFIED' ELSE 'PERSON' END, 'UNSPECIFIED', 'service', 'tickets', now(), now()"
        " FROM generate_series(1, %s) i",
        (list(PRIORITIES), ROWS_OF_BEFORE),
    )


async def through_every_phase(stage: Stage, seconds: float) -> None:
    """Expand, run both, backfill, read the new, go over, go back, go over again, contract."""
    versions, switch, load = stage.versions, stage.switch, stage.load
    write_rows_of_before(stage)
    blue = await versions.start(versions.old)
    switch.to(blue.target)
    load.lines, load.phase = [stage.through], "begin"
    async with load.running():
        await stage.phase("old alone", seconds, stage.through)
        code, said = await versions.new.migrate("expand", "tickets")
        assert code == 0, said
        load.renamed = "description" in stage.columns()
        await stage.phase("old on the expanded schema", seconds, stage.through)

        green = await versions.start(versions.new)
        old, new = await stage.line(blue), await stage.line(green)
        await stage.phase("both", seconds, stage.through, old, new)
        assert stage.unequal(filled=False) == []

        code, said = await versions.new.migrate("backfill", "tickets")
        assert code == 0, said
        await stage.phase("both, filled", seconds, stage.through, old, new)
        assert stage.unequal(filled=True) == []

        stage.flags.write_text(json.dumps({FLAG: True}))
        await stage.phase("both, the new is read", seconds, stage.through, old, new)
        assert stage.unequal(filled=True) == []

        switch.to(green.target)
        await stage.phase("blue to green", seconds / 2, stage.through)
        code, said = await versions.new.migrate("contract", "tickets", "--yes")
        if contractions():
            assert (code, "running process needs" in said) == (1, True), said
        await versions.drain(blue)
        await stage.phase("new alone", seconds, stage.through)

        blue = await versions.start(versions.old)
        switch.to(blue.target)
        await stage.phase("green to blue", seconds / 2, stage.through)
        await versions.drain(green)
        await stage.phase("old again", seconds, stage.through)
        assert stage.unequal(filled=True) == []

        green = await versions.start(versions.new)
        switch.to(green.target)
        await versions.drain(blue)
        code, said = await versions.new.migrate("contract", "tickets", "--yes")
        assert code == 0, said
        await stage.phase("contracted", seconds, stage.through)
    assert "message" not in stage.columns() or not contractions()
    lost = await load.lost(await stage.line(green))
    # Together: what failed without an answer may have happened, and explains what differs.
    assert (load.errors, load.mismatches, lost) == ([], [], [])


def contractions() -> bool:
    """Whether this version takes something away from the schema of tickets."""
    return any(each.phase == "contract" for each in all_migrations("tickets_service"))


@pytest.mark.parametrize("seconds", [pytest.param(5.0, id="5s"), pytest.param(60.0, id="60s", marks=pytest.mark.fault)])
async def test_two_versions_share_a_database_through_every_phase_and_back(
    stage: Stage, seconds: float, record_property: Callable[[str, object], None]
) -> None:
    await through_every_phase(stage, seconds)

    load = stage.load
    record_property("requests", {f"{phase}, {line}": count for (phase, line), count in load.requests.items()})
    record_property("p99_seconds", {phase: round(load.p99_seconds(phase), 3) for phase in load.seconds})
    assert len(load.known) > 10 * seconds


@pytest.mark.fault
async def test_a_row_that_the_old_version_writes_without_the_trigger_is_found(stage: Stage) -> None:
    """The control: what keeps the columns equal is taken away, and the look at them notices."""
    old = await stage.versions.start(stage.versions.old)
    stage.switch.to(old.target)
    for phase in ("expand", "backfill"):
        code, said = await stage.versions.new.migrate(phase, "tickets")
        assert code == 0, said
    if "description" not in stage.columns():
        pytest.skip("this version renames nothing")
    load = stage.load
    async with load.running(writers=1):
        await stage.phase("with the trigger", 2.0, stage.through)
    assert (load.errors, stage.unequal(filled=True)) == ([], [])
    before = {id_: known.priority for id_, known in load.known.items()}

    stage.ask("ALTER TABLE tickets DISABLE TRIGGER USER")
    for ticket in await load.read(stage.through, *before):
        await load.change_priority(ticket)

    changed = {id_ for id_, known in load.known.items() if known.priority != before[id_]}
    assert {str(row[0]) for row in stage.unequal(filled=True)} == changed != set()
