"""What happens to a received log, on real NATS: once, again, out of order, and when it cannot work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from nats.aio.client import Client as Nats
from services.logs.tests.factories import Published, ScriptedAi, openai_answer
from sqlalchemy import text

from aiops.ai.v1.ai_service_pb2 import Sentence, SummarizeEvidenceRequest, SummarizeEvidenceResponse
from aiops.events.v1.envelope_pb2 import Envelope
from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.events_pb2 import LogReceived
from aiops.logs.v1.log_pb2 import Log, LogState
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from chassis.db import Database
from chassis.errors import Internal, InvalidArgument, Unavailable
from chassis.ids import uuid7
from chassis.inbox import inbox
from chassis.rpc.client import Client
from chassis.testing.harness import Installation, RunningService
from chassis.testing.plugin import TestNats

KEY = "key-0000000000000001"
TEXT = "".join(f"2026-01-04T10:00:{n:02}Z INFO [web] request {n} served\n" for n in range(30)) + (
    "2026-01-04T10:00:40Z ERROR [db] connection refused by alice@example.com\n"
)
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest_asyncio.fixture
async def nats(nats_server: TestNats) -> AsyncIterator[Nats]:
    """A user who may do everything; the streams are empty at the start."""
    client = Nats()
    await client.connect(nats_server.url, user="operator", password=nats_server.operator_password)
    for stream in await client.jetstream().streams_info():
        await client.jetstream().delete_stream(str(stream.config.name))
    yield client
    await client.close()


@pytest.fixture
def eventually() -> Eventually:
    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while not await condition():  # noqa: ASYNC110 - what is waited for happens in the database
                await asyncio.sleep(0.05)

    return wait


@pytest.fixture
def client(nats: Nats, working: RunningService) -> Client:
    return working.client()


@pytest.fixture
def call(client: Client, installation: Installation) -> Callable[..., Awaitable[Any]]:
    """Calls an RPC for a person of ops."""
    stub = LogsServiceStub(client.channel)

    async def call_(method: str, request: Any) -> Any:
        with installation.as_viewer("ops"):
            return await client.call(getattr(stub, method), request)

    return call_


@pytest.fixture
def settled(call: Callable[..., Awaitable[Any]], eventually: Eventually) -> Callable[..., Awaitable[Log]]:
    """Waits until a log is in a state, and gives it."""

    async def settled_(log_id: str, state: int) -> Log:
        async def is_there() -> bool:
            return bool((await call("GetLog", pb.GetLogRequest(log_id=log_id))).log.state == state)

        await eventually(is_there)
        log: Log = (await call("GetLog", pb.GetLogRequest(log_id=log_id))).log
        return log

    return settled_


@pytest.fixture
def paste(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Log]]:
    async def paste_(text: str = TEXT, key: str = KEY) -> Log:
        request = pb.SummarizeLogRequest(idempotency_key=key, name="web.log", text=text, service="shop")
        log: Log = (await call("SummarizeLog", request)).log
        return log

    return paste_


Paste = Callable[..., Awaitable[Log]]
Settled = Callable[..., Awaitable[Log]]


async def test_a_received_log_gets_a_summary_that_cites_its_records(
    paste: Paste, settled: Settled, call: Callable[..., Awaitable[Any]], ai: ScriptedAi, database: Database,
    published: Published,
) -> None:  # fmt: skip
    received = await paste()

    log = await settled(received.id, LogState.LOG_STATE_SUMMARIZED)

    assert (log.version, log.summary.engine, log.failure) == (2, "builtin", "")
    (request,) = ai.requests
    assert log.summary.evidence_digest == request.evidence.digest
    cited = {record_id for sentence in log.summary.sentences for record_id in sentence.record_ids}
    records = (await call("BatchGetLogRecords", pb.BatchGetLogRecordsRequest(ids=cited))).log_records
    assert {record.id for record in records} == cited
    assert {record.log_id for record in records} == {log.id}
    assert "alice@example.com" not in str(request)
    assert [(subject, envelope.aggregate_version) for subject, envelope in await published(database)] == [
        ("aiops.logs.log.received.v1", 1),
        ("aiops.logs.log.summarized.v1", 2),
    ]


async def test_a_redelivered_event_has_no_second_effect(
    paste: Paste, settled: Settled, nats: Nats, ai: ScriptedAi, database: Database, published: Published,
    eventually: Eventually,
) -> None:  # fmt: skip
    log = await settled((await paste()).id, LogState.LOG_STATE_SUMMARIZED)
    ((_, envelope), _) = await published(database)
    stream = nats.jetstream()

    again = await stream.publish(
        "aiops.logs.log.received.v1", envelope.SerializeToString(), headers={"Nats-Msg-Id": "again"}
    )

    async def is_acknowledged() -> bool:
        info = await stream.consumer_info("LOGS", "logs-summarize")
        return info.ack_floor is not None and info.ack_floor.stream_seq >= again.seq

    await eventually(is_acknowledged)
    assert await settled(log.id, LogState.LOG_STATE_SUMMARIZED) == log
    assert len(ai.requests) == 1
    assert len(await published(database)) == 2


async def test_an_older_event_that_comes_late_changes_nothing(
    paste: Paste, settled: Settled, nats: Nats, ai: ScriptedAi, database: Database, eventually: Eventually,
    published: Published,
) -> None:  # fmt: skip
    log = await settled((await paste()).id, LogState.LOG_STATE_SUMMARIZED)
    late = Envelope(
        id=str(uuid7()), type="aiops.logs.v1.LogReceived", schema_version=1, aggregate_type="log",
        aggregate_id=log.id, aggregate_version=1, payload=LogReceived(log_id=log.id).SerializeToString(),
    )  # fmt: skip

    await nats.jetstream().publish("aiops.logs.log.received.v1", late.SerializeToString())

    async def is_handled() -> bool:
        async with database.read() as tx:
            return await tx.fetch_one(inbox.select().where(inbox.c.event_id == UUID(late.id))) is not None

    await eventually(is_handled)
    assert await settled(log.id, LogState.LOG_STATE_SUMMARIZED) == log
    assert len(ai.requests) == 1
    assert len(await published(database)) == 2


async def test_poison_becomes_a_dead_letter_and_the_stream_moves_on(
    paste: Paste, settled: Settled, nats: Nats, database: Database, eventually: Eventually
) -> None:
    unknown = "0198c0de-0000-7000-8000-000000000001"
    poison = Envelope(
        id=str(uuid7()), type="aiops.logs.v1.LogReceived", schema_version=1, aggregate_type="log",
        aggregate_id=unknown, aggregate_version=1, payload=LogReceived(log_id=unknown).SerializeToString(),
    )  # fmt: skip

    await nats.jetstream().publish("aiops.logs.log.received.v1", poison.SerializeToString())
    await nats.jetstream().publish("aiops.logs.log.received.v1", b"no envelope")
    log = await settled((await paste()).id, LogState.LOG_STATE_SUMMARIZED)

    async def are_buried() -> bool:
        async with database.read() as tx:
            rows = await tx.fetch_all(text("SELECT error_class FROM dead_letters ORDER BY error_class"))
        return [row.error_class for row in rows] == ["LogNotFound", "Unreadable"]

    await eventually(are_buried)
    assert log.version == 2


async def test_an_ai_that_is_away_fails_the_log_visibly_and_a_new_try_repairs_it(
    paste: Paste, settled: Settled, call: Callable[..., Awaitable[Any]], ai: ScriptedAi, database: Database,
    published: Published,
) -> None:  # fmt: skip
    ai.errors = [Unavailable(dependency="model")]
    received = await paste()

    failed = await settled(received.id, LogState.LOG_STATE_FAILED)
    request = pb.ResummarizeLogRequest(idempotency_key=KEY, log_id=failed.id, expected_version=failed.version)
    again = (await call("ResummarizeLog", request)).log
    log = await settled(received.id, LogState.LOG_STATE_SUMMARIZED)

    assert failed.failure == "The ai service could not be reached; have the log summarised again once it is back."
    assert not failed.HasField("summary")
    assert (again.state, again.version, again.failure) == (LogState.LOG_STATE_RECEIVED, 3, "")
    assert (log.version, log.failure, len(log.summary.sentences) > 0) == (4, "", True)
    assert [subject.rpartition(".log.")[2] for subject, _ in await published(database)] == [
        "received.v1", "summary_failed.v1", "received.v1", "summarized.v1",
    ]  # fmt: skip


async def test_what_people_change_meanwhile_and_the_summary_stand_together(
    paste: Paste, settled: Settled, call: Callable[..., Awaitable[Any]], ai: ScriptedAi, eventually: Eventually,
) -> None:  # fmt: skip
    ai.may_answer.clear()
    received = await paste()
    await eventually(lambda: _is(len(ai.requests) == 1))

    values: dict[str, Any] = {"log_id": received.id, "expected_version": 1, "idempotency_key": KEY}
    await call("UpdateLog", pb.UpdateLogRequest(**values, tags=pb.TagList(tags=["night"])))
    ai.may_answer.set()
    log = await settled(received.id, LogState.LOG_STATE_SUMMARIZED)

    assert (log.version, list(log.tags), log.summary.read_version) == (3, ["night"], 1)
    assert not log.summary_suggestions


async def test_a_summary_of_what_was_asked_anew_meanwhile_is_kept_as_a_suggestion(
    paste: Paste, settled: Settled, call: Callable[..., Awaitable[Any]], ai: ScriptedAi, eventually: Eventually,
    database: Database, published: Published,
) -> None:  # fmt: skip
    ai.may_answer.clear()
    received = await paste()
    await eventually(lambda: _is(len(ai.requests) == 1))
    async with database.connection() as connection, connection.begin():
        await connection.execute(text("UPDATE logs SET updated_at = updated_at - interval '11 minutes'"))

    values: dict[str, Any] = {"log_id": received.id, "expected_version": 1, "idempotency_key": KEY}
    await call("ResummarizeLog", pb.ResummarizeLogRequest(**values))
    ai.may_answer.set()
    log = await settled(received.id, LogState.LOG_STATE_SUMMARIZED)

    (suggestion,) = log.summary_suggestions
    assert (log.version, log.summary.read_version, suggestion.summary.read_version) == (4, 3, 1)
    assert suggestion.summary.sentences == log.summary.sentences
    told = [subject.rpartition(".log.")[2] for subject, _ in await published(database)]
    assert told == ["received.v1", "received.v1", "summary_suggested.v1", "summarized.v1"]


async def _is(condition: bool) -> bool:  # noqa: FBT001 - what is waited for
    return condition


async def test_an_ai_that_fails_is_asked_again(paste: Paste, settled: Settled, ai: ScriptedAi) -> None:
    ai.errors = [Internal()]

    log = await settled((await paste()).id, LogState.LOG_STATE_SUMMARIZED)

    assert log.version == 2
    first, second = ai.requests
    assert first == second


async def test_a_refusal_of_ai_fails_the_log_at_once(paste: Paste, settled: Settled, ai: ScriptedAi) -> None:
    ai.errors = [InvalidArgument("no entry", field="evidence")]

    log = await settled((await paste()).id, LogState.LOG_STATE_FAILED)

    assert "INVALID_ARGUMENT" in log.failure
    assert len(ai.requests) == 1


async def test_sentences_without_proof_are_replaced_and_counted(paste: Paste, settled: Settled, ai: ScriptedAi) -> None:
    def answer(request: SummarizeEvidenceRequest) -> SummarizeEvidenceResponse:
        entry = request.evidence.entries[0]
        offered = [exemplar.record_id for exemplar in entry.exemplars]
        return openai_answer(
            Sentence(text=f"There are {entry.count:,} records.", entry_keys=[entry.key], record_ids=offered[:1]),
            Sentence(text="There were 987654 failures.", entry_keys=[entry.key], record_ids=offered[:1]),
            Sentence(text="Something failed.", entry_keys=[entry.key], record_ids=[str(uuid7())]),
            Sentence(text="Nothing is cited.", entry_keys=[], record_ids=[]),
        )(request)

    ai.answer = answer

    log = await settled((await paste()).id, LogState.LOG_STATE_SUMMARIZED)

    texts = [sentence.text for sentence in log.summary.sentences]
    assert log.summary.replaced_sentence_count == 3
    assert (log.summary.engine, log.summary.model) == ("openai", "m-1")
    assert texts[0] == "There are 31 records."
    assert not {"There were 987654 failures.", "Something failed.", "Nothing is cited."} & set(texts)
    assert [sentence.engine for sentence in log.summary.sentences[:1]] == ["openai"]
    assert all(sentence.record_ids for sentence in log.summary.sentences)


async def test_an_answer_of_which_nothing_is_proven_fails_the_log(
    paste: Paste, settled: Settled, ai: ScriptedAi
) -> None:
    def answer(_request: SummarizeEvidenceRequest) -> SummarizeEvidenceResponse:
        wrong = Sentence(text="All is well.", entry_keys=["E99"], record_ids=[str(uuid7())])
        return SummarizeEvidenceResponse(sentences=[wrong], builtin_sentences=[wrong])

    ai.answer = answer

    log = await settled((await paste()).id, LogState.LOG_STATE_FAILED)

    assert log.failure.startswith("No sentence about this log passed the check")
