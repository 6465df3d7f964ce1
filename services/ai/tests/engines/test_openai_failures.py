import asyncio
import time

import pytest
from services.ai.tests.factories import (
    API_KEY,
    SAID,
    Answered,
    Endpoint,
    completion,
    engine_at,
    error,
    evidence,
    failure,
    overview,
    refused,
    reply,
    running_endpoint,
)

from ai_service.domain import FallbackReason
from ai_service.engines.openai import MAX_ROUNDS
from ai_service.engines.summary import summary_task


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (Answered(error("overloaded"), 503), FallbackReason.SERVER_ERROR),
        (Answered("bad gateway", 502), FallbackReason.SERVER_ERROR),
        (Answered(error("slow down"), 429), FallbackReason.RATE_LIMITED),
        (Answered(behaviour="close"), FallbackReason.UNREACHABLE),
        (Answered(behaviour="garbage"), FallbackReason.UNREACHABLE),
    ],
)
async def test_what_may_pass_is_tried_again(endpoint: Endpoint, answered: Answered, reason: FallbackReason) -> None:
    endpoint.answers(answered, Answered(completion(reply())))
    async with engine_at(endpoint) as engine:
        answer = await engine.answer(summary_task(evidence()), budget_seconds=10)
    assert (answer.content, answer.attempt_count) == (SAID, 2)

    endpoint.answers(answered)
    async with engine_at(endpoint) as engine:
        failed = await failure(engine)
    assert (failed.reason, failed.attempt_count) == (reason, MAX_ROUNDS)


async def test_a_server_that_only_fails_is_asked_in_every_format_and_every_round(endpoint: Endpoint) -> None:
    endpoint.answers(Answered(error("boom"), 500))

    async with engine_at(endpoint) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.SERVER_ERROR, 3 * MAX_ROUNDS)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_cannot_pass_is_not_tried_again(endpoint: Endpoint, status: int) -> None:
    endpoint.answers(Answered(error(f"wrong key {API_KEY}"), status))

    async with engine_at(endpoint) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.REFUSED, 1)
    assert API_KEY not in str(failed)


async def test_no_quota_is_not_tried_again(endpoint: Endpoint) -> None:
    endpoint.answers(Answered(error("pay first", code="insufficient_quota"), 429))

    async with engine_at(endpoint) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.RATE_LIMITED, 1)


async def test_waits_are_drawn_from_a_growing_range_and_heed_the_endpoint(endpoint: Endpoint) -> None:
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)

    for _ in range(20):
        endpoint.answers(Answered(error("busy"), 503))
        async with engine_at(endpoint, sleep=noted) as engine:
            await failure(engine)
    assert len(waits) == 20 * (MAX_ROUNDS - 1)
    assert all(0 <= wait <= 0.5 for wait in waits[::2])
    assert all(0 <= wait <= 1.0 for wait in waits[1::2])
    assert len(set(waits)) > 30

    waits.clear()
    endpoint.answers(Answered(error("slow down"), 429, {"retry-after": "4"}), Answered(completion(reply())))
    async with engine_at(endpoint, sleep=noted) as engine:
        await engine.answer(summary_task(evidence()), budget_seconds=10)
    assert waits == [4.0]


async def test_no_wait_goes_beyond_the_deadline(endpoint: Endpoint) -> None:
    endpoint.answers(Answered(error("slow down"), 429, {"retry-after": "3600"}))

    async with engine_at(endpoint, sleep=asyncio.sleep) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.RATE_LIMITED, 1)


@pytest.mark.parametrize("behaviour", ["hang", "hang_in_body"])
async def test_an_endpoint_that_hangs_costs_its_timeouts_and_no_more(endpoint: Endpoint, behaviour: str) -> None:
    endpoint.answers(Answered(completion(reply()), behaviour=behaviour))
    started = time.monotonic()

    async with engine_at(endpoint, timeout_seconds=0.2) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.TIMEOUT, MAX_ROUNDS)
    assert time.monotonic() - started < 3


async def test_the_deadline_holds_over_all_attempts_and_the_callers_time_over_both(endpoint: Endpoint) -> None:
    endpoint.answers(Answered(behaviour="hang"))

    async with engine_at(endpoint, timeout_seconds=5, deadline_seconds=0.3) as engine:
        started = time.monotonic()
        of_the_deadline = await failure(engine)
        after_the_deadline = time.monotonic() - started
    async with engine_at(endpoint, timeout_seconds=5) as engine:
        started = time.monotonic()
        of_the_caller = await failure(engine, budget_seconds=0.3)
        after_the_caller = time.monotonic() - started

    assert (of_the_deadline.reason, of_the_caller.reason) == (FallbackReason.TIMEOUT, FallbackReason.TIMEOUT)
    assert after_the_deadline < 2
    assert after_the_caller < 2


async def test_nobody_listening_is_unreachable() -> None:
    async with running_endpoint() as gone:
        pass

    async with engine_at(gone) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.UNREACHABLE, MAX_ROUNDS)


@pytest.mark.parametrize("answered", [completion(reply()[:30], finish="length"), completion("", finish="length")])
async def test_a_cut_reply_is_tried_once_with_less_evidence(endpoint: Endpoint, answered: dict[str, object]) -> None:
    long = evidence(overview(), *(refused(key=f"E{rank}") for rank in range(2, 21)))
    endpoint.answers(Answered(answered))

    async with engine_at(endpoint) as engine:
        failed = await failure(engine, about=long)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.TRUNCATED, 2)
    sizes = [len(sent["messages"][1]["content"]) for sent in endpoint.requests]
    assert sizes[1] < sizes[0] / 2


async def test_evidence_that_is_too_long_is_shortened_once(endpoint: Endpoint) -> None:
    too_long = "This model's maximum context length is 2048 tokens"
    endpoint.script = lambda sent: (
        Answered(error(too_long, code="context_length_exceeded"), 400)
        if len(sent["messages"][1]["content"]) > 6000
        else Answered(completion(reply()))
    )
    long = evidence(overview(), *(refused(key=f"E{rank}") for rank in range(2, 21)))

    async with engine_at(endpoint) as engine:
        answer = await engine.answer(summary_task(long), budget_seconds=10)

    assert (answer.content, answer.attempt_count) == (SAID, 2)


async def test_evidence_that_stays_too_long_is_given_up(endpoint: Endpoint) -> None:
    endpoint.answers(Answered(error("Requested tokens exceed context window of 128"), 400))

    async with engine_at(endpoint) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.INPUT_TOO_LONG, 2)


@pytest.mark.parametrize(
    "answered",
    [
        completion(None, finish="content_filter"),
        completion(
            None, choices=[{"index": 0, "message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}]
        ),
    ],
)
async def test_a_model_that_refuses_is_not_asked_again(endpoint: Endpoint, answered: dict[str, object]) -> None:
    endpoint.answers(Answered(answered))

    async with engine_at(endpoint) as engine:
        failed = await failure(engine)

    assert (failed.reason, failed.attempt_count) == (FallbackReason.REFUSED, 1)
