"""The two steps of an answer: give it, outside of any transaction; record the run, inside of one."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from ai_service import store
from ai_service.domain import Answer, EngineName, Outcome, Run, RunCompleted
from ai_service.engines.engine import Engine, EngineFailed, Task
from chassis.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable

    from chassis.clock import Clock
    from chassis.db import WriteTx
    from chassis.metrics import Metrics

T = TypeVar("T")
_MARGIN_SECONDS = 2.0
"""Kept of the caller's time, so that a built-in answer still reaches him."""
_logger = logging.getLogger(__name__)


async def answer(
    prepare: Callable[[], Task[T]],
    engine: Engine | None,
    clock: Clock,
    metrics: Metrics,
    *,
    deadline: float | None,
) -> Outcome[T]:
    """Answer a task with the model where there is one and it can, else with the built-in engine.

    `deadline` is when the caller stops waiting, on `time.monotonic`.

    Raises:
        EvidenceEmpty: there is nothing to word.
        TriageOptionsInvalid: there is nothing to choose from, or not clearly.
        InvalidArgument: the question is malformed.
    """
    started = clock.monotonic()
    task = prepare()
    given, failure = Answer(task.fallback, EngineName.BUILTIN), None
    if engine is not None:
        budget = float("inf") if deadline is None else deadline - time.monotonic() - _MARGIN_SECONDS
        try:
            given = await engine.answer(task, budget_seconds=max(0.0, budget))
        except EngineFailed as error:
            failure = error
            details = {"task": task.name, "fallback_reason": error.reason.value, "attempts": error.attempt_count}
            _logger.warning(
                "the model gave no answer, the built-in engine did", extra={**details, "detail": str(error)}
            )
    seconds = clock.monotonic() - started
    reason, labels = failure.reason if failure else None, {"task": task.name, "engine": given.engine.value}
    metrics.counter("aiops_ai_runs_total").labels(**labels, fallback_reason=reason or "").inc()
    metrics.histogram("aiops_ai_answer_duration_seconds").labels(**labels).observe(seconds)
    return Outcome(
        task=task.name,
        input_digest=task.input_digest,
        answer=given,
        builtin=task.builtin,
        latency_milliseconds=round(seconds * 1000),
        fallback_reason=reason,
        attempt_count=failure.attempt_count if failure else given.attempt_count,
        input_tokens=failure.input_tokens if failure else given.input_tokens,
        output_tokens=failure.output_tokens if failure else given.output_tokens,
    )


async def record_run(outcome: Outcome[T], tx: WriteTx) -> Run:
    """Keep how an answer came about, and tell that it did."""
    run = Run(
        id=uuid7(),
        task=outcome.task,
        engine=outcome.answer.engine,
        model=outcome.answer.model,
        prompt_version=outcome.answer.prompt_version,
        input_digest=outcome.input_digest,
        input_tokens=outcome.input_tokens,
        output_tokens=outcome.output_tokens,
        latency_milliseconds=outcome.latency_milliseconds,
        attempt_count=outcome.attempt_count,
        fallback_reason=outcome.fallback_reason,
        created_at=tx.now,
    )
    await store.add(run, tx)
    tx.publish(RunCompleted(run))
    return run
