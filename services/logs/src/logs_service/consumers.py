"""What logs reacts to: a log that was received gets its summary."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiops.ai.v1.ai_service_pb2 import SummarizeEvidenceRequest
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceStub
from aiops.logs.v1.events_pb2 import LogReceived
from chassis.clock import Clock
from chassis.consumer import Delivery, Subscription
from chassis.db import Database
from chassis.errors import DomainError
from chassis.ids import parse_id
from chassis.metrics import Metrics
from chassis.patience import Patience, is_away
from chassis.rpc.client import Client
from logs_service import convert_evidence, queries, statistics, usecases
from logs_service.domain import Log, LogState, Summary
from logs_service.evidence import build_evidence, check_sentences

if TYPE_CHECKING:
    from aiops.ai.v1.ai_service_pb2_grpc import AiServiceAsyncStub

logger = logging.getLogger(__name__)

MAXIMUM_ATTEMPTS = 6


class Summarizer:
    """Has a received log worded by ai, and stores what its evidence proves."""

    def __init__(
        self,
        database: Database,
        ai: Client,
        clock: Clock,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        patience_seconds: float,
    ) -> None:
        self._database = database
        self._client = ai
        self._ai: AiServiceAsyncStub = AiServiceStub(ai.channel)
        self._clock = clock
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._patience = Patience(clock, seconds=patience_seconds, attempts=MAXIMUM_ATTEMPTS)

    async def summarize(self, delivery: Delivery) -> None:
        """Give the log of a LogReceived its summary, or, when no attempt is left, the reason why it has none.

        A summary that the log does not wait for any more once it is there, is kept as a suggestion.

        Raises:
            LogNotFound: no log has the id of the event.
            DomainError: ai or Postgres is away; the event comes again.
        """
        log_id = parse_id(delivery.payload.log_id, field="log_id")
        async with self._database.read() as tx:
            log = await queries.get_log(log_id, tx)
        if log.state is not LogState.RECEIVED:
            return
        try:
            summary = await self._worded(log, delivery.envelope.id)
        except Exception as error:
            if not (isinstance(error, NothingProven) or self._patience.is_at_an_end(error, delivery)):
                raise
            await self._give_up(log, error, delivery)
            return
        self._patience.forget(delivery)
        async with delivery.effect() as tx:
            await usecases.store_summary(log_id, summary, tx)
        self._metrics.counter("aiops_logs_summaries_total").labels(summary.engine).inc()
        self._metrics.counter("aiops_logs_sentences_replaced_total").inc(summary.replaced_sentence_count)

    async def _worded(self, log: Log, event_id: str) -> Summary:
        async with self._database.read() as tx:
            numbers = await statistics.log_statistics(log, tx)
        found = await asyncio.to_thread(build_evidence, numbers)
        request = SummarizeEvidenceRequest(
            # When patterns were merged since the last attempt, the evidence is another, and so is the request.
            idempotency_key=f"logs-summarize:{event_id}:{found.digest[:16]}",
            evidence=convert_evidence.evidence_to_proto(found),
        )
        answer = await self._client.call(self._ai.SummarizeEvidence, request, timeout_seconds=self._timeout_seconds)
        checked = check_sentences(
            found,
            convert_evidence.sentences_from(answer.sentences),
            convert_evidence.sentences_from(answer.builtin_sentences),
        )
        if not checked.sentences:
            raise NothingProven(f"no sentence on log {log.id} was proven")
        return convert_evidence.summary_from(
            checked, answer.run, found.digest, read_version=log.version, at=self._clock.now()
        )

    async def _give_up(self, log: Log, error: Exception, delivery: Delivery) -> None:
        logger.error("no summary for log %s after %d deliveries", log.id, delivery.attempt, exc_info=error)
        async with delivery.effect() as tx:
            await usecases.store_failure(log.id, _failure(error), tx, read_version=log.version)
        self._patience.forget(delivery)
        self._metrics.counter("aiops_logs_summaries_failed_total").inc()


class NothingProven(Exception):
    """Not even a built-in sentence passed the check."""


def subscriptions(summarizer: Summarizer) -> Sequence[Subscription]:
    """All that logs listens to."""
    return (
        Subscription(
            stream="LOGS",
            subject="aiops.logs.log.received.v1",
            durable="logs-summarize",
            message=LogReceived,
            handler=summarizer.summarize,
            max_deliver=MAXIMUM_ATTEMPTS,
            # What came too late is kept as a suggestion, so it is not void.
            in_order=False,
        ),
    )


def _failure(error: Exception) -> str:
    """One sentence without log text."""
    if is_away(error):
        return "The ai service could not be reached; have the log summarised again once it is back."
    if isinstance(error, NothingProven):
        return "No sentence about this log passed the check against its records; have it summarised again."
    reason = error.reason if isinstance(error, DomainError) else "INTERNAL"
    return f"The summary could not be made ({reason}); have the log summarised again, or look for its id in the logs."
