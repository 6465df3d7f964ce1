"""The two steps of an answer: word the evidence, outside of any transaction; record the run, inside of one."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ai_service import store
from ai_service.domain import SUMMARIZE_EVIDENCE, Evidence, Run, RunCompleted, Wording
from ai_service.engines import builtin
from ai_service.engines.engine import Engine, EngineFailed
from chassis.ids import uuid7

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.db import WriteTx
    from chassis.metrics import Metrics

_MARGIN_SECONDS = 2.0
"""Kept of the caller's time, so that a built-in answer still reaches him."""
_logger = logging.getLogger(__name__)


async def word_evidence(
    evidence: Evidence, engine: Engine | None, clock: Clock, metrics: Metrics, *, deadline: float | None
) -> Wording:
    """Word evidence with the model where there is one and it can, else with the built-in engine.

    `deadline` is when the caller stops waiting, on `time.monotonic`.

    Raises:
        EvidenceEmpty: there is nothing to word.
        InvalidArgument: the evidence is malformed.
    """
    evidence.check()
    started = clock.monotonic()
    sentences = builtin.word_entries(evidence)
    answer, failure = builtin.summarize(evidence), None
    if engine is not None:
        budget = float("inf") if deadline is None else deadline - time.monotonic() - _MARGIN_SECONDS
        try:
            answer = await engine.summarize(evidence, budget_seconds=max(0.0, budget))
        except EngineFailed as error:
            failure = error
            _logger.warning(
                "the model gave no answer, the built-in engine did",
                extra={"fallback_reason": error.reason.value, "detail": str(error), "attempts": error.attempt_count},
            )
    seconds = clock.monotonic() - started
    reason = failure.reason if failure else None
    metrics.counter("aiops_ai_runs_total").labels(engine=answer.engine.value, fallback_reason=reason or "").inc()
    metrics.histogram("aiops_ai_answer_duration_seconds").labels(engine=answer.engine.value).observe(seconds)
    return Wording(
        input_digest=evidence.digest,
        answer=answer,
        builtin_sentences=sentences,
        latency_milliseconds=round(seconds * 1000),
        fallback_reason=reason,
        attempt_count=failure.attempt_count if failure else answer.attempt_count,
        input_tokens=failure.input_tokens if failure else answer.input_tokens,
        output_tokens=failure.output_tokens if failure else answer.output_tokens,
    )


async def record_run(wording: Wording, tx: WriteTx) -> Run:
    """Keep how an answer came about, and tell that it did."""
    run = Run(
        id=uuid7(),
        task=SUMMARIZE_EVIDENCE,
        engine=wording.answer.engine,
        model=wording.answer.model,
        prompt_version=wording.answer.prompt_version,
        input_digest=wording.input_digest,
        input_tokens=wording.input_tokens,
        output_tokens=wording.output_tokens,
        latency_milliseconds=wording.latency_milliseconds,
        attempt_count=wording.attempt_count,
        fallback_reason=wording.fallback_reason,
        created_at=tx.now,
    )
    await store.add(run, tx)
    tx.publish(RunCompleted(run))
    return run
