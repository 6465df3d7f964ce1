"""The history of logs: every change is one version, one event and one row, and the rows fold to what the log is."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from services.logs.tests.factories import Published, Receive

from chassis.db import Database, UnitOfWork
from chassis.errors import VersionConflict
from chassis.history import patch
from chassis.history.chain import Row
from chassis.history.replay import fold, operations
from chassis.history.tables import changes
from chassis.history.verify import verify
from chassis.identity import Call, Role, Trust, Viewer, acting_as
from chassis.ids import uuid7
from chassis.migration_files import all_migrations
from chassis.redaction import Redactor
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase
from logs_service import queries, usecases
from logs_service.commands import DecideSuggestion, ResummarizeLog, UpdateLog, UpdateLogStatus
from logs_service.documents import HISTORIES, current, document, iterate
from logs_service.domain import Log, LogStatus, Summary, SummarySentence
from logs_service.patterns.record import Severity
from logs_service.store import LogStore
from logs_service.tables import LOGS

(HISTORY,) = HISTORIES
GOLDEN = Path(__file__).parent / "golden"
TEXT = "2026-01-04T10:00:00Z ERROR [web] request failed\n"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SUMMARY = Summary(
    (SummarySentence("It failed.", (UUID(int=1),), ("E1",), "builtin"),), "builtin", "", "r", "d", NOW, "", 0
)
History = Callable[[UUID], Awaitable[list[Row]]]


@pytest.fixture
def history(database: Database) -> History:
    """The rows of a log; they fold to what the log is now."""

    async def history_(log_id: UUID) -> list[Row]:
        async with database.read() as tx:
            rows = await changes(tx, "log", log_id, after=0)
            log = await queries.get_log(log_id, tx)
        state = fold(HISTORY, log_id, rows)
        assert (state.version, state.fields) == (log.version, document(log).fields)
        return rows

    return history_


class Life:
    """Every change that a log can see, one after the other."""

    def __init__(self, uow: UnitOfWork, redactor: Redactor, clock: FrozenClock) -> None:
        self._uow = uow
        self._redactor = redactor
        self._clock = clock

    async def lead(self, log: Log) -> None:
        """From the first summary to the last decision: versions 2 to 11."""
        async with self._uow.begin() as tx:
            await usecases.store_summary(log.id, _read(1), tx)
        await self._people(usecases.update_log, UpdateLog(log.id, 2, ("night",), "look", Severity.FATAL))
        await self._people(usecases.update_log_status, UpdateLogStatus(log.id, 3, LogStatus.ACKNOWLEDGED, "on it"))
        async with self._uow.begin() as tx:
            await usecases.resummarize_log(ResummarizeLog(log.id, 4), tx)
        async with self._uow.begin() as tx:
            await usecases.store_summary(log.id, _read(1), tx)
        async with self._uow.begin() as tx:
            await usecases.store_failure(log.id, "ai is away", tx, read_version=5)
        async with self._uow.begin() as tx:
            await usecases.store_summary(log.id, _read(5), tx)
        first, second = await self._suggestions(log.id)
        async with self._uow.begin() as tx:
            await usecases.accept_suggestion(DecideSuggestion(log.id, 8, first), tx)
        async with self._uow.begin() as tx:
            await usecases.dismiss_suggestion(DecideSuggestion(log.id, 9, second), tx)
        self._clock.advance(timedelta(seconds=1))
        await self._people(usecases.update_log_status, UpdateLogStatus(log.id, 10, LogStatus.RESOLVED, "fixed"))

    async def _people(self, change: Callable[..., Awaitable[Log]], command: object) -> None:
        async with self._uow.begin() as tx:
            await change(command, tx, self._redactor)

    async def _suggestions(self, log_id: UUID) -> list[UUID]:
        async with self._uow.database.read() as tx:
            return [each.id for each in (await queries.get_log(log_id, tx)).summary_suggestions]


def _read(version: int) -> Summary:
    return Summary(SUMMARY.sentences, "builtin", "", "r", "d", NOW, "", 0, read_version=version)


@pytest.fixture
def life(uow: UnitOfWork, redactor: Redactor, clock: FrozenClock) -> Life:
    return Life(uow, redactor, clock)


async def test_every_change_is_one_version_one_event_and_one_row(
    receive: Receive, life: Life, history: History, database: Database, published: Published
) -> None:
    log = await receive(TEXT)

    await life.lead(log)

    rows = await history(log.id)
    assert [(row.version, row.event) for row in rows] == [
        (1, "LogReceived"), (2, "LogSummarized"), (3, "LogUpdated"), (4, "LogStatusUpdated"), (5, "LogReceived"),
        (6, "LogSummarySuggested"), (7, "LogSummaryFailed"), (8, "LogSummarySuggested"), (9, "LogSuggestionAccepted"),
        (10, "LogSuggestionDismissed"), (11, "LogStatusUpdated"),
    ]  # fmt: skip
    told = [(envelope.aggregate_id, envelope.aggregate_version) for _, envelope in await published(database)]
    assert told == [(str(log.id), row.version) for row in rows]


async def test_a_row_says_who_and_why(
    receive: Receive, uow: UnitOfWork, redactor: Redactor, history: History, clock: FrozenClock
) -> None:
    log = await receive(TEXT)
    viewer = Viewer(UUID(int=7), "user", Role.OPS, frozenset(), None, "t", NOW)

    with acting_as(Call("gateway", viewer, method="UpdateLogStatus")):
        async with uow.begin() as tx:
            await usecases.update_log_status(UpdateLogStatus(log.id, 1, LogStatus.ACKNOWLEDGED, "I look"), tx, redactor)

    _, row = await history(log.id)
    assert (row.actor_kind, row.actor_id, row.reason) == ("user", str(UUID(int=7)), "UpdateLogStatus: I look")
    assert row.patch == (
        '[{"op": "replace", "path": "/status", "value": "ACKNOWLEDGED"},'
        ' {"op": "replace", "path": "/status_reason", "value": "I look"}]'
    )
    assert row.changed_at == clock.now()


async def test_what_is_refused_or_changes_nothing_leaves_no_row(
    receive: Receive, uow: UnitOfWork, redactor: Redactor, history: History
) -> None:
    log = await receive(TEXT)

    with pytest.raises(VersionConflict):
        async with uow.begin() as tx:
            await usecases.update_log(UpdateLog(log.id, 2, notes="new"), tx, redactor)
    async with uow.begin() as tx:
        await usecases.update_log(UpdateLog(log.id, 1, notes=""), tx, redactor)

    assert len(await history(log.id)) == 1


def test_every_field_is_listed_with_who_sees_it(log_in_full: Log) -> None:
    assert document(log_in_full).fields.keys() == HISTORY.visible.keys()


@pytest.fixture
async def log_in_full(receive: Receive) -> Log:
    return await receive(TEXT)


async def test_a_history_exists_for_whoever_the_log_exists_for(receive: Receive, database: Database) -> None:
    log = await receive(TEXT)

    found = {}
    async with database.read() as tx:
        for role in (Role.ADMIN, Role.OPS, Role.HR, None):
            viewer = Viewer(UUID(int=7), "user", role, frozenset(), None, "t", NOW)
            found[role] = await current(tx, log.id, Call("gateway", viewer))
        machine = Viewer(UUID(int=7), "service_account", None, frozenset({"logs:write"}), None, "t", NOW)
        others = [
            await current(tx, log.id, Call("gateway", machine)),
            await current(tx, log.id, Call("gateway")),
            await current(
                tx, UUID(int=9), Call("gateway", Viewer(UUID(int=7), "user", Role.ADMIN, frozenset(), None, "t", NOW))
            ),
        ]

    assert found == {Role.ADMIN: log, Role.OPS: log, Role.HR: None, None: None}
    assert others == [None, None, None]


async def test_all_logs_are_found_by_id(receive: Receive, database: Database) -> None:
    logs = [await receive(TEXT) for _ in range(3)]

    async with database.read() as tx:
        first = await iterate(tx, None, 2)
        rest = await iterate(tx, first[-1].id, 2)

    assert [log.id for log in (*first, *rest)] == sorted(log.id for log in logs)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_history_replays_there_and_back(path: Path) -> None:
    golden = json.loads(path.read_text())
    rows = [
        Row(**row | {"id": UUID(row["id"]), "changed_at": datetime.fromisoformat(row["changed_at"]),
                     "previous_hash": bytes.fromhex(row["previous_hash"]), "hash": bytes.fromhex(row["hash"])})
        for row in golden["rows"]
    ]  # fmt: skip
    states = [fold(HISTORY, rows[0].id, rows[:count]).fields for count in range(1, len(rows) + 1)]

    assert states[-1] == golden["state"]
    for row, before in zip(reversed(rows), [*reversed(states[:-1]), {}], strict=True):
        undone = fold(HISTORY, row.id, rows[: row.version]).fields
        patch.apply(undone, operations(HISTORY, row.schema_version, row.inverse))
        assert undone == before


async def test_logs_of_before_get_their_first_row_by_the_backfill(
    receive: Receive, uow: UnitOfWork, database: Database, service_database: ServiceDatabase, history: History,
    installation: Installation, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("AIOPS_REDACTION_KEY_FILE", str(installation.folder / "redaction.key"))
    new = await receive(TEXT)
    old = [replace(new, id=uuid7(), version=version) for version in (1, 4, 9)]
    async with uow.begin() as tx:
        for log in old:
            await LogStore(tx).add(log)
    (migration,) = [found for found in all_migrations("logs_service") if found.key == "0003.backfill"]
    batch = migration.batch()
    assert batch is not None

    with psycopg.connect(service_database.owner_url) as connection:
        first = batch(connection, "", 3)
        rest = batch(connection, first[0], 3)
        again = batch(connection, "", 1000)

    assert (first[1], rest, again) == (3, ("", 1), ("", 4))
    for log in old:
        (row,) = await history(log.id)
        assert (row.version, row.event, row.actor_kind, row.actor_id) == (log.version, "Genesis", "service", "logs")
    assert [row.event for row in await history(new.id)] == ["LogReceived"]


async def test_what_an_older_process_wrote_is_caught_up_with(
    receive: Receive, uow: UnitOfWork, redactor: Redactor, history: History
) -> None:
    """A version without history beside this one: it knows neither the table nor the column."""
    log = await receive(TEXT)
    async with uow.begin() as tx:
        await tx.execute(LOGS.update().where(LOGS.c.id == log.id).values(version=2, notes="older"))

    async with uow.begin() as tx:
        await usecases.update_log(UpdateLog(log.id, 2, tags=("night",)), tx, redactor)

    assert [(row.version, row.event) for row in await history(log.id)] == [
        (1, "LogReceived"), (2, "Resumed"), (3, "LogUpdated"),
    ]  # fmt: skip


async def test_what_was_altered_past_the_history_is_named(
    receive: Receive, life: Life, uow: UnitOfWork, installation: Installation
) -> None:
    log = await receive(TEXT)
    await life.lead(log)
    trust = Trust.from_file(installation.folder / "trust.json")
    assert uow.recorder is not None

    (sound,) = await verify(uow.database, uow.recorder, trust, None)
    async with uow.begin() as tx:
        await tx.execute(LOGS.update().values(notes="nothing happened"))
    (altered,) = await verify(uow.database, uow.recorder, trust, None)

    assert (sound.chains, sound.rows, sound.faults) == (1, 11, [])
    (fault,) = altered.faults
    assert (fault.kind, str(log.id) in fault.where) == ("log", True)
