import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from services.ai.tests.factories import (
    API_KEY,
    DIGEST,
    Answered,
    Endpoint,
    completion,
    entry,
    error,
    evidence,
    overview,
    refused,
    reply,
    request,
)

from ai_service.domain import EntryKind
from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1 import events_pb2, run_pb2
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceStub
from aiops.events.v1.envelope_pb2 import Envelope
from chassis.db import Database
from chassis.embedded.postgres import PostgresServer
from chassis.errors import DomainError
from chassis.identity import Call, acting_as
from chassis.ids import uuid7
from chassis.testing.harness import Installation, RunningService
from chassis.testing.plugin import ServiceDatabase

StartAi = Callable[..., AbstractAsyncContextManager[RunningService]]
Published = Callable[[Database], Awaitable[list[tuple[str, Envelope]]]]


async def summarize(
    ai: RunningService, asked: pb.SummarizeEvidenceRequest, **options: Any
) -> pb.SummarizeEvidenceResponse:
    client = ai.client("logs")
    with acting_as(Call("logs")):
        return await client.call(AiServiceStub(client.channel).SummarizeEvidence, asked, **options)


async def get_runs(ai: RunningService, *ids: str, caller: str = "gateway") -> list[run_pb2.Run]:
    client = ai.client(caller)
    response = await client.call(AiServiceStub(client.channel).BatchGetRuns, pb.BatchGetRunsRequest(ids=ids))
    return list(response.runs)


def stored(schema: ServiceDatabase) -> list[dict[str, Any]]:
    with psycopg.connect(schema.app_url, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM runs ORDER BY id").fetchall()


async def test_without_a_model_the_built_in_engine_answers_and_the_run_is_kept(
    start_ai: StartAi, schema: ServiceDatabase, published: Published
) -> None:
    async with start_ai() as ai:
        answer = await summarize(ai, request())

    whole, failed = (sentence.text for sentence in answer.sentences)
    assert whole.endswith("08:15:00 UTC): 84 (4.2 %) are errors, the first at 08:10:00 UTC.")
    assert failed == "Errors such as `connection refused to db-7` came 84 times in 3 minutes, from 08:10:00 UTC."
    assert [list(sentence.record_ids) for sentence in answer.sentences] == [["record-E1"], ["record-E2"]]
    assert list(answer.builtin_sentences) == list(answer.sentences)
    run = answer.run
    assert (run.task, run.engine, run.model, run.prompt_version) == (
        "summarize_evidence",
        run_pb2.ENGINE_BUILTIN,
        "",
        0,
    )
    assert (run.input_digest, run.fallback_reason, run.attempt_count) == (DIGEST, "", 0)
    rows = stored(schema)
    assert [str(row["id"]) for row in rows] == [run.id]
    assert (rows[0]["engine"], rows[0]["fallback_reason"], rows[0]["input_digest"]) == ("builtin", None, DIGEST)
    ((subject, envelope),) = await published(schema.database)
    assert subject == "aiops.ai.run.completed.v1"
    assert (envelope.aggregate_type, envelope.aggregate_id, envelope.aggregate_version) == ("run", run.id, 1)
    assert events_pb2.RunCompleted.FromString(envelope.payload) == events_pb2.RunCompleted(
        run_id=run.id, task="summarize_evidence", engine=run_pb2.ENGINE_BUILTIN
    )


async def test_a_model_words_the_evidence_and_the_built_in_sentences_come_along(
    start_ai: StartAi, endpoint: Endpoint, schema: ServiceDatabase
) -> None:
    async with start_ai(endpoint) as ai:
        answer = await summarize(ai, request())

    assert [sentence.text for sentence in answer.sentences] == ["Connections to db-7 were refused 84 times."]
    assert len(answer.builtin_sentences) == 2
    run = answer.run
    assert (run.engine, run.model, run.prompt_version) == (run_pb2.ENGINE_OPENAI, "test-model-2026-08-06", 1)
    assert (run.input_tokens, run.output_tokens, run.attempt_count, run.fallback_reason) == (700, 90, 1, "")
    assert stored(schema)[0]["model"] == "test-model-2026-08-06"


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (Answered(behaviour="hang"), "timeout"),
        (Answered(behaviour="close"), "unreachable"),
        (Answered(error("boom"), 500), "server_error"),
        (Answered(error("slow down"), 429), "rate_limited"),
        (Answered(completion(reply()[:40], finish="length")), "truncated"),
        (Answered(completion("")), "empty"),
        (Answered(""), "invalid_output"),
        (Answered(completion("The log looks fine to me!")), "invalid_output"),
        (Answered(completion(reply(("See http://evil.example", ["E2"], ["E2.1"])))), "invalid_output"),
        (Answered(error("maximum context length is 128"), 400), "input_too_long"),
        (Answered(error("wrong key"), 401), "refused"),
    ],
)
async def test_a_model_that_fails_is_replaced_and_the_run_says_why(
    start_ai: StartAi,
    endpoint: Endpoint,
    schema: ServiceDatabase,
    published: Published,
    answered: Answered,
    reason: str,
) -> None:
    endpoint.answers(answered)

    patience = {"openai_timeout_seconds": 1.0, "openai_deadline_seconds": 10} if reason == "timeout" else {}

    async with start_ai(endpoint, **patience) as ai:
        answer = await summarize(ai, request(), timeout_seconds=60)

    assert list(answer.sentences) == list(answer.builtin_sentences)
    assert (answer.run.engine, answer.run.fallback_reason) == (run_pb2.ENGINE_BUILTIN, reason)
    assert answer.run.attempt_count == len(endpoint.requests) > 0
    assert stored(schema)[0]["fallback_reason"] == reason
    ((_, envelope),) = await published(schema.database)
    assert events_pb2.RunCompleted.FromString(envelope.payload).fallback_reason == reason


async def test_the_caller_gets_the_built_in_answer_before_his_time_is_over(
    start_ai: StartAi, endpoint: Endpoint
) -> None:
    endpoint.answers(Answered(behaviour="hang"))

    async with start_ai(endpoint) as ai:
        answer = await summarize(ai, request(), timeout_seconds=3)

    assert answer.run.fallback_reason == "timeout"


async def test_a_repeated_request_gets_its_answer_without_asking_the_model_again(
    start_ai: StartAi, endpoint: Endpoint, schema: ServiceDatabase, published: Published
) -> None:
    asked = request()

    async with start_ai(endpoint) as ai:
        first = await summarize(ai, asked)
        again = await summarize(ai, asked)

    assert again == first
    assert len(endpoint.requests) == 1
    assert len(stored(schema)) == 1
    assert len(await published(schema.database)) == 1


async def test_a_key_that_comes_back_with_other_evidence_is_refused_before_the_model_is_asked(
    start_ai: StartAi, endpoint: Endpoint, schema: ServiceDatabase
) -> None:
    asked = request()
    other = request(evidence(overview(), digest="cd" * 32), key=asked.idempotency_key)

    async with start_ai(endpoint) as ai:
        await summarize(ai, asked)
        with pytest.raises(DomainError) as refusal:
            await summarize(ai, other)

    assert refusal.value.reason == "IDEMPOTENCY_KEY_REUSED"
    assert len(endpoint.requests) == 1
    assert len(stored(schema)) == 1


async def test_no_transaction_is_open_while_the_model_is_asked(
    start_ai: StartAi, endpoint: Endpoint, postgres_server: PostgresServer
) -> None:
    open_transactions: list[int] = []

    def watch(_: dict[str, Any]) -> Answered:
        with psycopg.connect(postgres_server.admin_url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ai_app' AND xact_start IS NOT NULL"
            ).fetchone()
        open_transactions.append(row[0] if row else -1)
        return Answered(completion(reply()))

    endpoint.script = watch

    async with start_ai(endpoint) as ai:
        await summarize(ai, request())

    assert open_transactions == [0]


@pytest.mark.parametrize(
    ("message", "reason", "field"),
    [
        (pb.SummarizeEvidenceRequest(idempotency_key="k" * 16), "EVIDENCE_EMPTY", None),
        (pb.SummarizeEvidenceRequest(idempotency_key="short"), "IDEMPOTENCY_KEY_INVALID", "idempotency_key"),
        (request(evidence(digest="")), "INVALID_ARGUMENT", "evidence.digest"),
        (request(evidence(digest="AB" * 32)), "INVALID_ARGUMENT", "evidence.digest"),
        (request(evidence(*[overview()] * 2)), "INVALID_ARGUMENT", "evidence.entries.key"),
        (request(evidence(overview(key=""))), "INVALID_ARGUMENT", "evidence.entries.key"),
        (request(evidence(overview(exemplars=()))), "INVALID_ARGUMENT", "evidence.entries.exemplars"),
        (request(evidence(*(refused(key=f"E{i}") for i in range(21)))), "INVALID_ARGUMENT", "evidence.entries"),
        (request(evidence(entry(0))), "INVALID_ARGUMENT", "evidence.entries.kind"),  # type: ignore[arg-type]
        (request(evidence(entry(99))), "INVALID_ARGUMENT", "evidence.entries.kind"),  # type: ignore[arg-type]
    ],
)
async def test_bad_evidence_is_refused_and_nothing_is_kept(
    start_ai: StartAi,
    endpoint: Endpoint,
    schema: ServiceDatabase,
    message: pb.SummarizeEvidenceRequest,
    reason: str,
    field: str | None,
) -> None:
    async with start_ai(endpoint) as ai:
        with pytest.raises(DomainError) as refusal:
            await summarize(ai, message)

    assert (refusal.value.reason, refusal.value.metadata.get("field")) == (reason, field)
    assert endpoint.requests == []
    assert stored(schema) == []


async def test_neither_the_key_of_the_endpoint_nor_log_text_is_ever_logged(
    start_ai: StartAi, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="ai_service")
    caplog.set_level(logging.DEBUG, logger="chassis")
    endpoint.script = lambda sent: Answered(error(f"bad key {API_KEY} for {sent['messages'][1]['content']}"), 401)

    async with start_ai(endpoint) as ai:
        await summarize(ai, request(evidence(overview(), refused(body="canary-4711 refused"))))

    assert API_KEY.encode() in endpoint.raw[0]
    assert "the model gave no answer" in caplog.text
    for record in caplog.records:
        assert API_KEY not in f"{record.getMessage()} {vars(record)}"
        assert "canary-4711" not in f"{record.getMessage()} {vars(record)}"


@pytest.mark.parametrize("role", ["admin", "ops", "hr"])
async def test_runs_are_found_by_id_and_a_missing_one_is_absent(
    start_ai: StartAi, installation: Installation, role: str
) -> None:
    async with start_ai() as ai:
        run = (await summarize(ai, request())).run

        with installation.as_viewer(role):
            found = await get_runs(ai, run.id, str(uuid7()), run.id)
            with pytest.raises(DomainError) as malformed:
                await get_runs(ai, "no id")
            with pytest.raises(DomainError) as too_many:
                await get_runs(ai, *[str(uuid7()) for _ in range(1001)])

    assert found == [run]
    assert (malformed.value.reason, too_many.value.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")


async def test_runs_are_for_those_who_have_a_role(start_ai: StartAi, installation: Installation) -> None:
    async with start_ai() as ai:
        with installation.as_viewer(None), pytest.raises(DomainError) as refusal:
            await get_runs(ai, str(uuid7()))

    assert refusal.value.reason == "FORBIDDEN"


@pytest.mark.parametrize("caller", ["gateway", "auth", "ai"])
async def test_only_logs_has_evidence_worded(
    start_ai: StartAi, endpoint: Endpoint, schema: ServiceDatabase, caller: str
) -> None:
    async with start_ai(endpoint) as ai:
        client = ai.client(caller)
        with acting_as(Call(caller)), pytest.raises(DomainError) as refusal:
            await client.call(AiServiceStub(client.channel).SummarizeEvidence, request())

    assert refusal.value.reason == "FORBIDDEN"
    assert (endpoint.requests, stored(schema)) == ([], [])


async def test_every_kind_of_entry_can_be_sent(start_ai: StartAi) -> None:
    entries = [entry(kind, "text <*>", key=f"E{kind.value}") for kind in EntryKind]

    async with start_ai() as ai:
        answer = await summarize(ai, request(evidence(*entries)))

    assert len(answer.builtin_sentences) == len(EntryKind)
