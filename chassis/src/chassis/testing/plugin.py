"""The pytest plugin (`-p chassis.testing.plugin`): real Postgres and NATS per test session, a clean database per test.

The session's Postgres runs without fsync, which is fit for tests alone; tests of what survives start their own server.
"""

import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from grpc.aio import Server
from psycopg import sql
from sqlalchemy import event, select

from aiops.events.v1.envelope_pb2 import Envelope
from chassis import nats_config
from chassis.bootstrap import SchemaCredentials, bootstrap
from chassis.db import Database
from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer
from chassis.embedded.process import free_port
from chassis.identity import Trust
from chassis.metrics import Metrics
from chassis.migrations import migrate
from chassis.outbox import outbox
from chassis.policy import Policy, Rule
from chassis.rpc.server import make_server
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation

TEST_DATABASE = "aiops_test"


@dataclass(frozen=True)
class TestNats:
    """The session's NATS server and the password of each of its users."""

    __test__ = False
    server: NatsServer
    passwords: dict[str, str] = field(repr=False)
    operator_password: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.server.url

    @property
    def monitor_url(self) -> str:
        """Where its settings can be read."""
        return self.server.monitor_url


class NatsServers:
    """NATS servers by registry: tests of the chassis know other events than those of the product."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._running: dict[tuple[nats_config.RegisteredEvent, ...], TestNats] = {}

    def get(self, registry: tuple[nats_config.RegisteredEvent, ...]) -> TestNats:
        """The server for a registry, started at its first use."""
        if registry not in self._running:
            passwords = {user: secrets.token_urlsafe(24) for user in nats_config.users(registry)}
            operator = secrets.token_urlsafe(24)
            authorization = nats_config.nats_config(registry, passwords, operator_password=operator)
            server = NatsServer.start(
                self._folders.mktemp("nats"),
                free_port(),
                free_port(),
                authorization=authorization,
                dies_with_parent=True,
            )
            self._running[registry] = TestNats(server, passwords, operator)
        return self._running[registry]

    def stop(self) -> None:
        """Stop all of them."""
        for running in self._running.values():
            running.server.stop()


@dataclass(frozen=True)
class ServiceDatabase:
    """One service's migrated schema, empty at the start of the test."""

    app_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    database: Database


@dataclass
class MigratedSchemas:
    """The schemas that this session has migrated, with the passwords of their roles."""

    server: PostgresServer
    admin_url: str
    credentials: dict[str, SchemaCredentials] = field(default_factory=dict)

    def ensure(self, schema: str, package: str) -> SchemaCredentials:
        """Bootstrap and migrate the schema at its first use, and empty it at each later one."""
        known = self.credentials.get(schema)
        if known is not None:
            self._truncate(schema)
            return known
        fresh = SchemaCredentials(schema, secrets.token_urlsafe(24), secrets.token_urlsafe(24))
        bootstrap(self.admin_url, [fresh])
        migrate(self.owner_url(fresh), schema, package)
        self.credentials[schema] = fresh
        return fresh

    def owner_url(self, credentials: SchemaCredentials) -> str:
        """The address for the role that owns the schema."""
        return self.server.url(f"{credentials.schema}_owner", credentials.owner_password, TEST_DATABASE)

    def app_url(self, credentials: SchemaCredentials) -> str:
        """The address for the role that a running service uses."""
        return self.server.url(f"{credentials.schema}_app", credentials.app_password, TEST_DATABASE)

    def _truncate(self, schema: str) -> None:
        with psycopg.connect(self.admin_url) as connection:
            # Sessions of the test before would hold the locks that TRUNCATE waits for.
            connection.execute("SET lock_timeout = '5s'")
            connection.execute("SET session_replication_role = replica")  # histories refuse to be emptied
            names = connection.execute(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND c.relname <> 'migration_versions'",
                (schema,),
            ).fetchall()
            tables = sql.SQL(", ").join(sql.Identifier(schema, name) for (name,) in names)
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(tables))


class QueryCounter:
    """Counts the SQL statements of a block: `with query_counter(database) as statements: ...; len(statements)`."""

    @contextmanager
    def __call__(self, database: Database) -> Iterator[list[str]]:
        """The statements that the block sends through this database's pools, as they are sent."""
        statements: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: Any) -> None:
            statements.append(statement)

        engines = database.engine.sync_engine, database.own_engine.sync_engine
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def reachable_folder() -> Iterator[Path]:
    """A folder for this session that a server may use which does not run as the tests' user."""
    with tempfile.TemporaryDirectory(prefix="aiops-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def _throwaway_server(folder: Path) -> Iterator[PostgresServer]:
    server = PostgresServer.start(
        folder, free_port(), password=secrets.token_urlsafe(24), throwaway=True, dies_with_parent=True
    )
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_server(reachable_folder: Path) -> Iterator[PostgresServer]:
    """One Postgres for the session; who gives the roles of a service new passwords takes `own_postgres_server`."""
    with _throwaway_server(reachable_folder / "postgres") as server:
        yield server


@pytest.fixture(scope="module")
def own_postgres_server(reachable_folder: Path) -> Iterator[PostgresServer]:
    """A Postgres of one file alone: roles belong to a server, so new passwords would lock out whoever shares it."""
    with _throwaway_server(reachable_folder / f"postgres-{secrets.token_hex(4)}") as server:
        yield server


@pytest.fixture(scope="session")
def nats_registry(request: pytest.FixtureRequest) -> tuple[nats_config.RegisteredEvent, ...]:
    """The events that NATS knows: the repository's; override it to test with others."""
    return nats_config.read_registry(request.config.rootpath / "proto" / "events.yaml")


@pytest.fixture(scope="session")
def nats_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServers]:
    """The NATS servers of the session, one for each registry that tests ask for."""
    servers = NatsServers(tmp_path_factory)
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def nats_server(nats_servers: NatsServers, nats_registry: tuple[nats_config.RegisteredEvent, ...]) -> TestNats:
    """The session's NATS for this registry, with the production permissions of every service."""
    return nats_servers.get(nats_registry)


@pytest.fixture(scope="session")
def migrated_schemas(postgres_server: PostgresServer) -> MigratedSchemas:
    """The session's one test database."""
    return MigratedSchemas(postgres_server, postgres_server.create_database(TEST_DATABASE))


@pytest_asyncio.fixture
async def make_database(migrated_schemas: MigratedSchemas) -> AsyncIterator[Callable[[str, str], ServiceDatabase]]:
    """Call it with schema and package: that service's schema, migrated once per session and emptied for this test."""
    opened: dict[str, ServiceDatabase] = {}

    def make(schema: str, package: str) -> ServiceDatabase:
        if schema not in opened:
            credentials = migrated_schemas.ensure(schema, package)
            app_url = migrated_schemas.app_url(credentials)
            opened[schema] = ServiceDatabase(
                app_url, migrated_schemas.owner_url(credentials), Database(app_url, name=schema)
            )
        return opened[schema]

    yield make
    for service_database in opened.values():
        await service_database.database.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The keys and files of an installation: settings for services, and tokens for whoever calls them."""
    return Installation(tmp_path_factory.mktemp("installation"))


@pytest.fixture
def serving(installation: Installation) -> Callable[..., Any]:
    """Runs a neighbour for as long as a block lasts: called with its name, servicer, adder and rules."""

    @asynccontextmanager
    async def serve(
        name: str, servicer: Any, add: Callable[[Any, Server], None], rules: dict[str, Rule]
    ) -> AsyncIterator[Any]:
        server = make_server(
            name,
            trust=Trust.from_file(installation.folder / "trust.json"),
            access_tokens=installation.access_tokens(),
            policy=Policy(rules, mask=lambda _call, message: message),
            metrics=Metrics(),
        )
        add(servicer, server)
        servicer.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        servicer.stop = lambda: server.stop(0)
        yield servicer
        await server.stop(0)

    return serve


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that moves only when the test says so."""
    return FrozenClock()


@pytest.fixture
def query_counter() -> QueryCounter:
    """Counts SQL statements: a page with its details is a known number of them."""
    return QueryCounter()


@pytest.fixture
def published() -> Callable[[Database], Any]:
    """Await it with a database: (subject, envelope) of every fact told so far, in order."""

    async def read(database: Database) -> list[tuple[str, Envelope]]:
        async with database.read() as tx:
            rows = await tx.fetch_all(select(outbox.c.subject, outbox.c.payload).order_by(outbox.c.seq))
        return [(row.subject, Envelope.FromString(row.payload)) for row in rows]

    return read
