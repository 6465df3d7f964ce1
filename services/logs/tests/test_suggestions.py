"""A summary that comes late: never written over what people did meanwhile, never lost, and theirs to decide."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from services.logs.tests.factories import Published, Receive, Summarize
from sqlalchemy import select

from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.log_pb2 import Log as LogMessage
from aiops.logs.v1.log_pb2 import LogState as LogStateMessage
from chassis.db import Database, UnitOfWork
from chassis.errors import ErrorKind, RemoteError, VersionConflict
from chassis.redaction import Redactor
from chassis.rpc.client import Client
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from logs_service import convert, queries, usecases
from logs_service.commands import ResummarizeLog, UpdateLog
from logs_service.domain import Log, LogState, Summary, SummarySentence
from logs_service.errors import LogSummaryInProgress
from logs_service.facts import LogSuggestionAccepted
from logs_service.tables import LOGS

if TYPE_CHECKING:
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub

TEXT = "2026-01-04T10:00:00Z INFO [web] request served\n"
KEY = "key-0000000000000001"
OTHER_KEY = "key-0000000000000002"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SENTENCE = SummarySentence("One request.", (UUID(int=1),), ("E1",), "builtin")
SUMMARY = Summary((SENTENCE,), "builtin", "", "run", "digest", NOW, "", 0, read_version=1)
ROUNDS = 12


async def test_a_summary_and_a_change_of_tags_at_once_are_both_kept(
    receive: Receive, uow: UnitOfWork, database: Database, redactor: Redactor
) -> None:
    async def tag(log: Log) -> bool:
        try:
            async with uow.begin() as tx:
                await usecases.update_log(UpdateLog(log.id, log.version, tags=("night",)), tx, redactor)
        except VersionConflict:
            return False
        return True

    async def summarize(log: Log) -> None:
        async with uow.begin() as tx:
            await usecases.store_summary(log.id, SUMMARY, tx)

    for _ in range(ROUNDS):
        log = await receive(TEXT)

        tagged, _none = await asyncio.gather(tag(log), summarize(log))

        async with database.read() as tx:
            after = await queries.get_log(log.id, tx)
        assert (after.state, after.summary, after.summary_suggestions) == (LogState.SUMMARIZED, SUMMARY, ())
        assert (after.tags, after.version) == ((("night",), 3) if tagged else ((), 2))


async def test_of_a_summary_and_a_new_request_at_once_the_later_one_decides(
    receive: Receive, uow: UnitOfWork, database: Database, clock: FrozenClock
) -> None:
    async def ask_again(log: Log) -> bool:
        try:
            async with uow.begin() as tx:
                await usecases.resummarize_log(ResummarizeLog(log.id, log.version), tx)
        except (VersionConflict, LogSummaryInProgress):
            return False
        return True

    async def summarize(log: Log) -> None:
        async with uow.begin() as tx:
            await usecases.store_summary(log.id, SUMMARY, tx)

    asked = 0
    for _ in range(ROUNDS):
        log = await receive(TEXT)
        clock.advance(timedelta(minutes=11))

        asked_again, _none = await asyncio.gather(ask_again(log), summarize(log))

        async with database.read() as tx:
            after = await queries.get_log(log.id, tx)
        if asked_again:
            asked += 1
            assert (after.state, after.summary, after.version) == (LogState.RECEIVED, None, 3)
            assert [each.summary for each in after.summary_suggestions] == [SUMMARY]
        else:
            assert (after.state, after.summary, after.version) == (LogState.SUMMARIZED, SUMMARY, 2)
            assert after.summary_suggestions == ()
    assert asked > 0, "the summary always won, so nothing was tried"


async def test_a_summary_for_a_log_that_has_another_one_changes_nothing_of_it(
    receive: Receive, uow: UnitOfWork, database: Database
) -> None:
    log = await receive(TEXT)
    other = replace(SUMMARY, run_id="another run")

    for summary in (SUMMARY, other):
        async with uow.begin() as tx:
            await usecases.store_summary(log.id, summary, tx)

    async with database.read() as tx:
        after = await queries.get_log(log.id, tx)
    assert (after.summary, [each.summary for each in after.summary_suggestions]) == (SUMMARY, [other])


async def test_a_failure_of_what_was_asked_anew_meanwhile_fails_nothing(
    receive: Receive, uow: UnitOfWork, database: Database, clock: FrozenClock, published: Published
) -> None:
    log = await receive(TEXT)
    clock.advance(timedelta(minutes=11))
    async with uow.begin() as tx:
        await usecases.resummarize_log(ResummarizeLog(log.id, 1), tx)

    async with uow.begin() as tx:
        await usecases.store_failure(log.id, "ai is away", tx, read_version=1)

    async with database.read() as tx:
        after = await queries.get_log(log.id, tx)
    assert (after.state, after.failure, after.version) == (LogState.RECEIVED, "", 2)
    assert len(await published(database)) == 2


async def test_a_row_from_before_suggestions_reads_as_one_without(
    receive: Receive, uow: UnitOfWork, database: Database
) -> None:
    log = await receive(TEXT)
    async with uow.begin() as tx:
        await usecases.store_summary(log.id, SUMMARY, tx)
        await tx.execute(LOGS.update().values(summary=LOGS.c.summary.op("-")("read_version")))

    async with database.read() as tx:
        after = await queries.get_log(log.id, tx)

    assert after.summary == replace(SUMMARY, read_version=0)


@pytest.fixture
def suggested(
    summarize: Summarize, uow: UnitOfWork, client: Client, logs: "LogsServiceAsyncStub"
) -> Callable[[], Awaitable[LogMessage]]:
    """A summarised log with a suggestion beside its summary, as it is read."""

    async def suggested_() -> LogMessage:
        log = await summarize(TEXT, key=KEY)
        for run_id in ("first", "second"):
            async with uow.begin() as tx:
                await usecases.store_summary(UUID(log.id), replace(SUMMARY, run_id=run_id), tx)
        return (await client.call(logs.GetLog, pb.GetLogRequest(log_id=log.id))).log

    return suggested_


@pytest.fixture(autouse=True)
def as_ops(installation: Installation) -> object:
    with installation.as_viewer("ops") as viewer:
        yield viewer


Suggested = Callable[[], Awaitable[LogMessage]]


async def test_a_person_takes_a_suggestion(
    suggested: Suggested, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published
) -> None:
    log = await suggested()
    (suggestion,) = log.summary_suggestions
    request = pb.AcceptLogSuggestionRequest(
        idempotency_key=OTHER_KEY, log_id=log.id, expected_version=log.version, suggestion_id=suggestion.id
    )

    accepted = (await client.call(logs.AcceptLogSuggestion, request)).log
    again = (await client.call(logs.AcceptLogSuggestion, request)).log

    assert (log.version, log.summary.run_id, suggestion.summary.run_id) == (3, "first", "second")
    assert (accepted.version, accepted.summary, len(accepted.summary_suggestions)) == (4, suggestion.summary, 0)
    assert accepted.state == LogStateMessage.LOG_STATE_SUMMARIZED
    assert again == accepted
    fact = LogSuggestionAccepted(UUID(log.id), 4, UUID(suggestion.id))
    told = [(subject, envelope.payload) for subject, envelope in await published(database)]
    assert told[3:] == [
        ("aiops.logs.log.suggestion_accepted.v1", convert.fact_to_event(fact).payload.SerializeToString())
    ]


async def test_a_person_dismisses_a_suggestion(
    suggested: Suggested, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published
) -> None:
    log = await suggested()
    request = pb.DismissLogSuggestionRequest(
        idempotency_key=OTHER_KEY, log_id=log.id, expected_version=3, suggestion_id=log.summary_suggestions[0].id
    )

    dismissed = (await client.call(logs.DismissLogSuggestion, request)).log

    assert (dismissed.version, dismissed.summary, len(dismissed.summary_suggestions)) == (4, log.summary, 0)
    assert [subject for subject, _ in await published(database)][3:] == ["aiops.logs.log.suggestion_dismissed.v1"]


async def test_a_decision_on_a_log_that_changed_is_refused(
    suggested: Suggested, client: Client, logs: "LogsServiceAsyncStub", database: Database, published: Published
) -> None:
    log = await suggested()
    stale: dict[str, Any] = {"idempotency_key": OTHER_KEY, "log_id": log.id, "expected_version": 2}
    named: dict[str, Any] = {"suggestion_id": log.summary_suggestions[0].id}

    for call in (
        client.call(logs.AcceptLogSuggestion, pb.AcceptLogSuggestionRequest(**stale, **named)),
        client.call(logs.DismissLogSuggestion, pb.DismissLogSuggestionRequest(**stale, **named)),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.kind is ErrorKind.VERSION_CONFLICT

    assert (await client.call(logs.GetLog, pb.GetLogRequest(log_id=log.id))).log == log
    assert len(await published(database)) == 3


async def test_an_unknown_suggestion_is_not_found(
    suggested: Suggested, client: Client, logs: "LogsServiceAsyncStub", database: Database
) -> None:
    log = await suggested()
    values: dict[str, Any] = {
        "idempotency_key": OTHER_KEY,
        "log_id": log.id,
        "expected_version": 3,
        "suggestion_id": log.id,
    }

    for call in (
        client.call(logs.AcceptLogSuggestion, pb.AcceptLogSuggestionRequest(**values)),
        client.call(logs.DismissLogSuggestion, pb.DismissLogSuggestionRequest(**values)),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert (refused.value.kind, refused.value.reason) == (ErrorKind.NOT_FOUND, "LOG_SUGGESTION_NOT_FOUND")

    async with database.read() as tx:
        assert [row.version for row in await tx.fetch_all(select(LOGS.c.version))] == [3]
