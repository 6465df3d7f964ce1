"""An endpoint that is away: the built-in engine's answer waits for it a few times, not each time."""

from datetime import timedelta

from services.ai.tests.factories import Answered, Endpoint, completion, engine_at, error, evidence, failure, reply

from ai_service.domain import FallbackReason
from ai_service.engines.openai import ENDPOINT, MAX_ROUNDS
from ai_service.engines.summary import summary_task
from chassis.resilience.breaker import Breaker, State
from chassis.testing.clock import FrozenClock


async def test_an_endpoint_that_does_not_answer_is_left_alone_and_looked_at_again(
    endpoint: Endpoint, clock: FrozenClock
) -> None:
    breaker = Breaker(ENDPOINT, clock=clock, jitter=lambda _low, high: high)
    endpoint.answers(Answered(behaviour="close"))
    async with engine_at(endpoint, breaker=breaker) as engine:
        first = await failure(engine)
        second = await failure(engine)
        asked = len(endpoint.requests)
        clock.advance(timedelta(seconds=2))
        endpoint.answers(Answered(completion(reply())))
        answer = await engine.answer(summary_task(evidence()), budget_seconds=10)

    assert (first.reason, first.attempt_count) == (FallbackReason.UNREACHABLE, MAX_ROUNDS)
    assert (second.reason, second.attempt_count) == (FallbackReason.UNREACHABLE, 0)
    assert asked == MAX_ROUNDS
    assert (answer.attempt_count, breaker.state) == (1, State.CLOSED)


async def test_what_the_endpoint_says_no_to_is_no_reason_to_leave_it_alone(endpoint: Endpoint) -> None:
    async with engine_at(endpoint) as engine:
        for answered in (Answered(error("slow down"), 429), Answered(error("wrong key"), 401), Answered("nonsense")):
            endpoint.answers(answered)
            for _ in range(5):
                await failure(engine)
        endpoint.answers(Answered(completion(reply())))

        answer = await engine.answer(summary_task(evidence()), budget_seconds=10)

    assert answer.attempt_count == 1
