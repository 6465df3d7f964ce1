"""Postgres, and the one place that commits: reads in read-only transactions, writes in a `UnitOfWork`.

SQLAlchemy Core maps and queries here; it never migrates. Business code gets a transaction and cannot end it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar, Unpack
from uuid import UUID

import psycopg
from google.protobuf.message import Message
from psycopg import sql
from sqlalchemy import ColumnElement, CursorResult, Executable, Row, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from aiops.events.v1.envelope_pb2 import Envelope
from chassis import audit, idempotency, outbox
from chassis.clock import Clock
from chassis.errors import InvalidArgument, Overloaded, Unavailable, VersionConflict
from chassis.events import Event, envelop
from chassis.history.document import Change
from chassis.history.recorder import Recorder
from chassis.history.sealing import Vault
from chassis.identity import Actor, call_in_progress, current_call
from chassis.ids import uuid7

POOL_WAIT_SECONDS = 5.0
CONNECT_TIMEOUT_SECONDS = 5

OWN_OPTIONS = "-c client_connection_check_interval=1000 -c idle_in_transaction_session_timeout=150000"
"""A process that is killed leaves no statement running, and one that is frozen keeps no lock for ever."""
SERVING_OPTIONS = f"{OWN_OPTIONS} -c statement_timeout=120000"
"""What answers a call is cancelled with it; for a process too frozen to do so, here is the longest that a call takes.
"""

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Req = TypeVar("Req", bound=Message)
Res = TypeVar("Res", bound=Message)


def application_name(service: str) -> str:
    """What Postgres shows of a connection whose process sends heartbeats, at its beginning.

    Versions before heartbeats call theirs `aiops-<service>`, so a contraction tells them apart.
    """
    return f"aiops-{service}/2"


class Database:
    """One service's connections, apart for those who ask it and for its own work; it connects with the first use."""

    def __init__(self, url: str, *, name: str, pool_size: int = 5, max_overflow: int = 5) -> None:
        self.name = name
        self._url = url
        self.engine: AsyncEngine = self._pool(pool_size, max_overflow, SERVING_OPTIONS)
        # Consumers and schedules that catch up must not leave callers without a connection, nor the reverse.
        self.own_engine: AsyncEngine = self._pool(pool_size, max_overflow, OWN_OPTIONS)

    def _pool(self, pool_size: int, max_overflow: int, options: str) -> AsyncEngine:
        return create_async_engine(
            make_url(self._url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,  # an exception's text must not hold a row's values
            connect_args={
                "application_name": application_name(self.name),
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "options": options,
            },
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator["ReadTx"]:
        """A transaction in which Postgres itself refuses to write.

        Raises:
            Unavailable: Postgres cannot be reached.
            Overloaded: no connection came free in time.
        """
        async with self.connection() as connection:
            await connection.execution_options(postgresql_readonly=True)
            async with connection.begin():
                yield ReadTx(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside any transaction, with its failures named as ours.

        Raises:
            Unavailable: Postgres cannot be reached, or went away.
            Overloaded: no connection came free in time.
        """
        try:
            async with self._engine().connect() as connection:
                yield connection
        except PoolTimeout as error:
            raise Overloaded(retry_after_seconds=1) from error
        except (DBAPIError, psycopg.Error) as error:  # COPY goes past SQLAlchemy
            unavailable = _unavailable(error.orig if isinstance(error, DBAPIError) else error)
            if unavailable:
                raise unavailable from error
            raise

    async def dedicated(self) -> psycopg.AsyncConnection[Any]:
        """A connection of its own, outside the pool, in autocommit: what a session lock is held with.

        Raises:
            Unavailable: Postgres cannot be reached.
        """
        url = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            return await psycopg.AsyncConnection.connect(
                url,
                autocommit=True,
                application_name=f"{application_name(self.name)}-leader",
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                # A peer that vanished frees its lock in half a minute instead of two hours.
                options="-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
            )
        except psycopg.OperationalError as error:
            raise Unavailable(dependency="postgres") from error

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()
        await self.own_engine.dispose()

    def _engine(self) -> AsyncEngine:
        call = call_in_progress()
        own = call is not None and call.viewer is None and call.caller == self.name
        return self.own_engine if own else self.engine


def _unavailable(error: BaseException | None) -> Unavailable | None:
    """The failure in our words when the server is gone or cannot write, as opposed to refusing what it was told."""
    if isinstance(error, psycopg.errors.DiskFull):
        message = "the disk of the database is full, so nothing was stored; free some space, then try again"
        return Unavailable(message, dependency="postgres")
    refused_by_statement = isinstance(error, psycopg.Error) and error.sqlstate is not None
    shutting_down = isinstance(error, psycopg.errors.AdminShutdown | psycopg.errors.CannotConnectNow)
    broken = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not refused_by_statement
    return Unavailable(dependency="postgres") if shutting_down or broken else None


class ReadTx:
    """A transaction that only reads."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        """Run one statement, or one for each set of parameters in a list."""
        return await self.connection.execute(statement, parameters)

    async def fetch_all(self, statement: Executable) -> list[Row[Any]]:
        """Every row of the answer."""
        return list((await self.connection.execute(statement)).all())

    async def fetch_one(self, statement: Executable) -> Row[Any] | None:
        """The only row of the answer, or None."""
        return (await self.connection.execute(statement)).one_or_none()


class WriteTx(ReadTx):
    """A transaction that changes something: who does it, when, and the facts that will be told once it is done."""

    def __init__(
        self, connection: AsyncConnection, *, actor: Actor, now: datetime, recorder: Recorder | None = None
    ) -> None:
        super().__init__(connection)
        self.actor = actor
        self.now = now
        self.facts: list[object] = []
        self.changes: list[Change] = []
        self._recorder = recorder

    @property
    def vault(self) -> Vault:
        """Seals and opens with the keys of subjects, which an erasure destroys.

        Raises:
            TypeError: this unit of work keeps no history, and so no keys.
        """
        if self._recorder is None:
            raise TypeError("this unit of work keeps no keys of subjects: give it a `recorder`")
        return self._recorder.vault

    def publish(self, fact: object) -> None:
        """Tell this fact if, and only if, the transaction commits."""
        self.facts.append(fact)

    def changed(self, before: object | None, after: object, fact: object, *, event: str = "", reason: str = "") -> None:
        """Tell this fact, and keep in the history what it changed: `before` None for a new thing.

        Args:
            before: The aggregate as it was read and locked in this transaction.
            after: The same one, a version later.
            fact: What happened; its name is the row's event unless `event` says another.
            event: The row's event.
            reason: What the person who did it gave as reason. It is stored as it is: nothing personal.

        Raises:
            TypeError: this unit of work keeps no history of such objects.
        """
        if self._recorder is None:
            raise TypeError("this unit of work keeps no history: give Runtime its `histories`, or this a `recorder`")
        self._recorder.history_of(after)
        name = event or (fact.payload.DESCRIPTOR.name if isinstance(fact, Event) else type(fact).__name__)
        self.changes.append(Change(before, after, name, reason))
        self.publish(fact)

    async def audit(self, kind: str, **noted: Unpack[audit.Noted]) -> None:
        """Note in the audit, together with the change, what the actor did. Never pass a secret."""
        await audit.note(self, kind, **noted)

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
        """Write many rows with COPY; how many were written."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        written = 0
        driver: psycopg.AsyncConnection[Any] = (await self.connection.get_raw_connection()).driver_connection  # type: ignore[assignment]
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)
                written += 1
        return written


class UnitOfWork:
    """The only place that commits: a change, its facts and its idempotency record are true together or not at all."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        to_event: Callable[[object], Event],
        service: str,
        recorder: Recorder | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.service = service
        self.recorder = recorder
        """Keeps the history of the kinds that the service declares; None where it declares none."""
        self._to_event = to_event
        self.committed = asyncio.Event()
        """Set after each commit that told facts: the relay in this process wakes up by it."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[WriteTx]:
        """A transaction, committed at the end of the block and rolled back when the block raises.

        Raises:
            Unavailable: Postgres cannot be reached; after a lost commit the change may have happened all the same.
            Overloaded: no connection came free in time.
        """
        call = call_in_progress()
        actor = call.actor if call else Actor("service", self.service)
        async with self.database.connection() as connection:
            async with connection.begin():
                tx = WriteTx(connection, actor=actor, now=self.clock.now(), recorder=self.recorder)
                yield tx
                if self.recorder is not None and tx.changes:
                    await self.recorder.record(tx, tx.changes)
                # Last before COMMIT: the aggregates' rows are locked by now, so seq follows the order of commits.
                await outbox.append(connection, self._envelopes(tx), created_at=tx.now)
            if tx.facts:
                self.committed.set()

    async def once(self, request: Req, response_type: type[Res], effect: Callable[[WriteTx], Awaitable[Res]]) -> Res:
        """The effect of a request, once per idempotency key: asked again, its stored response.

        Raises:
            IdempotencyKeyInvalid: the key is missing or not 16 to 255 characters long.
            IdempotencyKeyReused: the key came before with another request.
            IdempotencyInProgress: the first request is still running after 2 s.
        """
        key: str = request.idempotency_key  # type: ignore[attr-defined]  # every write request has one (contract test)
        fingerprint = idempotency.request_fingerprint(request)
        async with self.claim(current_call().method, key) as claim:
            replayed = await claim.replay(fingerprint, response_type)
            if replayed is not None:
                return replayed
            response = await effect(claim.tx)
            await claim.store(fingerprint, response)
            return response

    async def replay(self, request: Message, response_type: type[Res]) -> Res | None:
        """The stored response of a request that was completed before, else None.

        Asked ahead of slow work that belongs in no transaction and is not to be done twice; `once` still decides.

        Raises:
            IdempotencyKeyInvalid: the key is missing or not 16 to 255 characters long.
            IdempotencyKeyReused: the key came before with another request.
        """
        key: str = request.idempotency_key  # type: ignore[attr-defined]  # as in `once`
        idempotency.check_key(key)
        call = current_call()
        principal = f"{call.actor.kind}:{call.actor.id}"
        async with self.database.read() as tx:
            record = await idempotency.find(tx.connection, principal, call.method, key, now=self.clock.now())
        return record.replay(idempotency.request_fingerprint(request), response_type)

    @asynccontextmanager
    async def claim(self, operation: str, key: str) -> AsyncIterator["Claim"]:
        """A transaction that holds the idempotency key of a request whose fingerprint is known only at its end.

        Raises:
            IdempotencyKeyInvalid: the key is missing or not 16 to 255 characters long.
            IdempotencyInProgress: the first request is still running after 2 s.
        """
        idempotency.check_key(key)
        async with self.begin() as tx:
            principal = f"{tx.actor.kind}:{tx.actor.id}"
            record = await idempotency.take(tx.connection, principal, operation, key, now=tx.now)
            claim = Claim(tx, record)
            yield claim
            if not (record.is_replay or claim.stored):
                raise RuntimeError(f"{operation} ended without storing its response under the idempotency key")

    def _envelopes(self, tx: WriteTx) -> list[tuple[str, Envelope]]:
        call = call_in_progress()
        events = [fact if isinstance(fact, Event) else self._to_event(fact) for fact in tx.facts]
        return [
            (
                event.subject,
                envelop(event, event_id=uuid7(), producer=self.service, actor=tx.actor, at=tx.now, call=call),
            )
            for event in events
        ]


class Claim:
    """An idempotency key held by the transaction `tx`: either the first request with it, or a replay."""

    def __init__(self, tx: WriteTx, record: idempotency.Record) -> None:
        self.tx = tx
        self.stored = False
        self._record = record

    @property
    def is_replay(self) -> bool:
        """Whether a request with this key was completed before: then write nothing, compute the fingerprint, replay."""
        return self._record.is_replay

    async def replay(self, fingerprint: bytes, response_type: type[Res]) -> Res | None:
        """The stored response, or None for the first request.

        Raises:
            IdempotencyKeyReused: the key came before with another request.
        """
        return self._record.replay(fingerprint, response_type)

    async def store(self, fingerprint: bytes, response: Message) -> None:
        """Keep the response for 72 h, sealed under the key."""
        await self._record.store(self.tx.connection, fingerprint, response)
        self.stored = True


def among(column: ColumnElement[UUID], ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Whether a column is one of many ids; one array, since Postgres takes at most 65,535 parameters."""
    return column == any_(literal(list(ids), ARRAY(Uuid)))


def guard_version(*, expected: int, actual: int, kind: str = "", id: object = "") -> None:  # noqa: A002 - its name everywhere
    """Let a change pass only if its caller had read the present version of the thing (`kind` and `id`: which one).

    Raises:
        InvalidArgument: no version was given.
        VersionConflict: the thing changed since it was read.
    """
    if expected < 1:
        raise InvalidArgument("this must be the version that you read, 1 or higher", field="expected_version")
    if expected != actual:
        raise VersionConflict(expected=expected, actual=actual, kind=kind, id=id)
