"""What the tests of logs stand on: a migrated schema, a unit of work with a frozen clock, and logs to read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC

import pytest
import pytest_asyncio

from chassis.db import Database, UnitOfWork
from chassis.redaction import Redactor
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase
from logs_service import convert, usecases
from logs_service.commands import ReceiveLog
from logs_service.domain import Log, LogSource

Receive = Callable[..., Awaitable[Log]]


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
def service_database(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    return make_database("logs", "logs_service")


@pytest.fixture
def database(service_database: ServiceDatabase) -> Database:
    return service_database.database


@pytest_asyncio.fixture
async def uow(database: Database, clock: FrozenClock) -> UnitOfWork:
    unit_of_work = UnitOfWork(database, clock, convert.fact_to_event, "logs")
    async with unit_of_work.begin() as tx:
        await usecases.prepare_partitions(tx)
    return unit_of_work


@pytest.fixture
def receive(uow: UnitOfWork, redactor: Redactor) -> Receive:
    """Stores a log in a transaction of its own; the text comes in as many chunks as wanted."""

    async def receive_(
        text: str | bytes, *, name: str = "app.log", service: str = "", chunk_bytes: int = 1 << 20
    ) -> Log:
        content = text.encode() if isinstance(text, str) else text

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(content), chunk_bytes):
                yield content[start : start + chunk_bytes]

        async with uow.begin() as tx:
            cmd = ReceiveLog(name, service, LogSource.PASTE, UTC)
            return await usecases.receive_log(cmd, chunks(), tx, redactor)

    return receive_
