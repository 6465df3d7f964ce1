from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from services.ai.tests.factories import Answered, Endpoint, completion, error
from services.ai.tests.triage_factories import (
    CATEGORIES,
    MESSAGE,
    PRIORITIES,
    TITLE,
    highlights_reply,
    highlights_request,
    question,
    release,
    said,
    triage_reply,
    triage_request,
)

from ai_service.domain import Change, Option
from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1 import run_pb2, triage_pb2
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceStub
from chassis.errors import DomainError
from chassis.identity import Call, acting_as
from chassis.testing.harness import RunningService
from chassis.testing.plugin import ServiceDatabase

StartAi = Callable[..., AbstractAsyncContextManager[RunningService]]


async def triage(ai: RunningService, asked: pb.TriageTicketRequest, caller: str = "tickets") -> pb.TriageTicketResponse:
    client = ai.client(caller)
    with acting_as(Call(caller)):
        return await client.call(AiServiceStub(client.channel).TriageTicket, asked, timeout_seconds=60)


async def highlight(
    ai: RunningService, asked: pb.WordHighlightsRequest, caller: str = "changelog"
) -> pb.WordHighlightsResponse:
    client = ai.client(caller)
    with acting_as(Call(caller)):
        return await client.call(AiServiceStub(client.channel).WordHighlights, asked, timeout_seconds=60)


def stored(schema: ServiceDatabase) -> list[dict[str, Any]]:
    with psycopg.connect(schema.app_url, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM runs ORDER BY id").fetchall()


def quoted(reasons: Any) -> list[str]:
    """The quotes of reasons, each of which stands where it says."""
    texts = {triage_pb2.TEXT_FIELD_TITLE: TITLE, triage_pb2.TEXT_FIELD_MESSAGE: MESSAGE}
    for reason in reasons:
        assert texts[reason.field][reason.start : reason.end] == reason.quote
    return [reason.quote for reason in reasons]


async def test_without_a_model_a_ticket_is_triaged_and_the_run_is_kept(
    start_ai: StartAi, schema: ServiceDatabase
) -> None:
    async with start_ai() as ai:
        answer = await triage(ai, triage_request())

    assert (answer.category.value, answer.priority.value, answer.team.value) == ("bug", "urgent", "payments")
    assert not answer.people.suspected
    assert quoted(answer.category.reasons)[0] == "crashes"
    run = answer.run
    assert (run.task, run.engine, run.prompt_version, run.fallback_reason) == (
        "triage_ticket",
        run_pb2.ENGINE_BUILTIN,
        0,
        "",
    )
    assert [(row["task"], row["input_digest"]) for row in stored(schema)] == [("triage_ticket", question().digest)]
    metrics = ai.process._runtime.metrics
    assert metrics.value("aiops_ai_runs_total", task="triage_ticket", engine="builtin", fallback_reason="") == 1


async def test_a_model_triages_and_its_quotes_get_their_places(start_ai: StartAi, endpoint: Endpoint) -> None:
    endpoint.answers(Answered(completion(triage_reply(team=said("payments", "the Checkout crashes", field="message")))))

    async with start_ai(endpoint) as ai:
        answer = await triage(ai, triage_request())

    assert (answer.category.value, answer.category.confidence) == ("bug", 0.8)
    assert quoted(answer.team.reasons) == ["the checkout\ncrashes"]
    assert quoted(answer.priority.reasons) == ["all customers"]
    assert (answer.run.engine, answer.run.prompt_version) == (run_pb2.ENGINE_OPENAI, 1)


async def test_a_repeated_triage_gets_its_answer_without_asking_the_model_again(
    start_ai: StartAi, endpoint: Endpoint, schema: ServiceDatabase
) -> None:
    endpoint.answers(Answered(completion(triage_reply())), Answered(completion(triage_reply(category=said("feature")))))
    asked = triage_request()

    async with start_ai(endpoint) as ai:
        first = await triage(ai, asked)
        again = await triage(ai, asked)

    assert again == first
    assert (len(endpoint.requests), len(stored(schema))) == (1, 1)


async def test_properties_without_options_are_absent(start_ai: StartAi) -> None:
    async with start_ai() as ai:
        answer = await triage(ai, triage_request(question(categories=(), teams=())))

    assert [name for name in ("category", "priority", "team") if answer.HasField(name)] == ["priority"]


@pytest.mark.parametrize(
    ("asked", "reason", "field"),
    [
        (triage_request(question(categories=(), priorities=(), teams=())), "TRIAGE_OPTIONS_INVALID", "categories"),
        (triage_request(question(categories=(*CATEGORIES, CATEGORIES[0]))), "TRIAGE_OPTIONS_INVALID", "categories"),
        (triage_request(question(priorities=(Option(""), *PRIORITIES))), "TRIAGE_OPTIONS_INVALID", "priorities"),
        (triage_request(question(teams=[Option(f"t{i}") for i in range(51)])), "INVALID_ARGUMENT", "teams"),
        (triage_request(question("t" * 1_001)), "INVALID_ARGUMENT", "ticket.title"),
        (triage_request(question(message="m" * 200_000)), "INVALID_ARGUMENT", "ticket.message"),
    ],
)
async def test_a_malformed_question_is_refused_and_nothing_is_kept(
    start_ai: StartAi,
    endpoint: Endpoint,
    schema: ServiceDatabase,
    asked: pb.TriageTicketRequest,
    reason: str,
    field: str,
) -> None:
    async with start_ai(endpoint) as ai:
        with pytest.raises(DomainError) as refusal:
            await triage(ai, asked)

    assert (refusal.value.reason, refusal.value.metadata.get("field")) == (reason, field)
    assert (endpoint.requests, stored(schema)) == ([], [])


async def test_without_a_model_each_change_gets_its_own_sentence(start_ai: StartAi, schema: ServiceDatabase) -> None:
    async with start_ai() as ai:
        answer = await highlight(ai, highlights_request())

    assert [(each.text, list(each.entry_keys)) for each in answer.highlights] == [
        ("Breaking, changed in api: drop the 'v1' endpoints.", ["sha-1"]),
        ("Fixed: retries after 429.", ["sha-2"]),
    ]
    assert list(answer.builtin_highlights) == list(answer.highlights)
    assert (answer.run.task, answer.run.engine) == ("word_highlights", run_pb2.ENGINE_BUILTIN)
    assert [row["input_digest"] for row in stored(schema)] == [release().digest]


async def test_a_model_words_changes_and_the_built_in_sentences_come_along(
    start_ai: StartAi, endpoint: Endpoint
) -> None:
    endpoint.answers(Answered(completion(highlights_reply())))

    async with start_ai(endpoint) as ai:
        answer = await highlight(ai, highlights_request())

    assert [(each.text, list(each.entry_keys)) for each in answer.highlights] == [
        ("Breaking: the v1 endpoints of the API are gone.", ["sha-1"])
    ]
    assert [list(each.entry_keys) for each in answer.builtin_highlights] == [["sha-1"], ["sha-2"]]


@pytest.mark.parametrize(
    ("asked", "reason", "field"),
    [
        (pb.WordHighlightsRequest(idempotency_key="k" * 16), "EVIDENCE_EMPTY", None),
        (highlights_request(release(*[Change("a", "Added", "x")] * 2)), "INVALID_ARGUMENT", "entries.key"),
        (highlights_request(release(Change("", "Added", "x"))), "INVALID_ARGUMENT", "entries.key"),
        (
            highlights_request(release(*(Change(f"{i}", "Added", "x") for i in range(21)))),
            "INVALID_ARGUMENT",
            "entries",
        ),
    ],
)
async def test_malformed_changes_are_refused_and_nothing_is_kept(
    start_ai: StartAi, schema: ServiceDatabase, asked: pb.WordHighlightsRequest, reason: str, field: str | None
) -> None:
    async with start_ai() as ai:
        with pytest.raises(DomainError) as refusal:
            await highlight(ai, asked)

    assert (refusal.value.reason, refusal.value.metadata.get("field")) == (reason, field)
    assert stored(schema) == []


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (Answered(behaviour="close"), "unreachable"),
        (Answered(error("boom"), 500), "server_error"),
        (Answered(completion("{", finish="length")), "truncated"),
        (Answered(completion(None, finish="content_filter")), "refused"),
        (Answered(completion("no idea")), "invalid_output"),
        (Answered(completion(triage_reply(team=None))), "invalid_output"),
    ],
)
async def test_a_model_that_fails_is_replaced_and_the_run_says_why(
    start_ai: StartAi, endpoint: Endpoint, schema: ServiceDatabase, answered: Answered, reason: str
) -> None:
    endpoint.answers(answered)

    async with start_ai(endpoint) as ai:
        triaged = await triage(ai, triage_request())
    async with start_ai(endpoint) as ai:  # another process: the breaker of the first may be open by now
        worded = await highlight(ai, highlights_request())

    assert (triaged.category.value, triaged.run.fallback_reason) == ("bug", reason)
    assert (list(worded.highlights), worded.run.fallback_reason) == (list(worded.builtin_highlights), reason)
    assert [row["fallback_reason"] for row in stored(schema)] == [reason, reason]


@pytest.mark.parametrize("caller", ["gateway", "logs", "auth", "ai"])
async def test_only_tickets_has_tickets_triaged_and_only_changelog_has_changes_worded(
    start_ai: StartAi, schema: ServiceDatabase, caller: str
) -> None:
    async with start_ai() as ai:
        with pytest.raises(DomainError) as triaging:
            await triage(ai, triage_request(), caller)
        with pytest.raises(DomainError) as wording:
            await highlight(ai, highlights_request(), caller)

    assert (triaging.value.reason, wording.value.reason) == ("FORBIDDEN", "FORBIDDEN")
    assert stored(schema) == []
