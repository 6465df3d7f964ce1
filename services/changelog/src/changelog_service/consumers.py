"""What changelog reacts to: a changelog that was generated gets its highlights."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiops.ai.v1.ai_service_pb2_grpc import AiServiceStub
from aiops.changelog.v1.events_pb2 import ChangelogGenerated
from changelog_service import convert_highlights, queries, usecases
from changelog_service.domain import Changelog, Highlights, HighlightState
from changelog_service.highlights import check_sentences, worth_telling
from chassis.clock import Clock
from chassis.consumer import Delivery, Subscription
from chassis.db import Database
from chassis.errors import DomainError
from chassis.ids import parse_id
from chassis.metrics import Metrics
from chassis.patience import Patience, is_away
from chassis.rpc.client import Client

if TYPE_CHECKING:
    from aiops.ai.v1.ai_service_pb2_grpc import AiServiceAsyncStub

logger = logging.getLogger(__name__)

MAXIMUM_ATTEMPTS = 6


class Highlighter:
    """Has the most important entries of a draft worded by ai, and stores what they bear out."""

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
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._patience = Patience(clock, seconds=patience_seconds, attempts=MAXIMUM_ATTEMPTS)

    async def highlight(self, delivery: Delivery) -> None:
        """Give the draft of a ChangelogGenerated its highlights, or, when no attempt is left, the reason for none.

        Highlights that it does not wait for any more once they are there, are kept as a suggestion.

        Raises:
            ChangelogNotFound: no changelog has the id of the event.
            DomainError: ai or Postgres is away; the event comes again.
        """
        changelog_id = parse_id(delivery.payload.changelog_id, field="changelog_id")
        async with self._database.read() as tx:
            changelog = await queries.get_changelog(changelog_id, tx)
        if changelog.highlight_state is not HighlightState.PENDING:
            return
        try:
            highlights = await self._worded(changelog, delivery.envelope.id)
        except Exception as error:
            if not self._patience.is_at_an_end(error, delivery):
                raise
            await self._give_up(changelog, error, delivery)
            return
        self._patience.forget(delivery)
        async with delivery.effect() as tx:
            await usecases.store_highlights(changelog_id, highlights, tx, read_version=changelog.version)
        self._metrics.counter("aiops_changelog_highlights_total").labels(highlights.engine).inc()
        self._metrics.counter("aiops_changelog_sentences_replaced_total").inc(highlights.replaced_count)

    async def _worded(self, changelog: Changelog, event_id: str) -> Highlights:
        offered = worth_telling(changelog.entries)
        if not offered:
            return convert_highlights.NOTHING
        request = convert_highlights.request_of(changelog, offered, key=f"changelog-highlight:{event_id}")
        answer = await self._client.call(self._ai.WordHighlights, request, timeout_seconds=self._timeout_seconds)
        checked = check_sentences(
            offered,
            convert_highlights.sentences_from(answer.highlights),
            convert_highlights.sentences_from(answer.builtin_highlights),
        )
        return convert_highlights.highlights_from(checked, answer.run)

    async def _give_up(self, changelog: Changelog, error: Exception, delivery: Delivery) -> None:
        logger.error(
            "no highlights for changelog %s after %d deliveries", changelog.id, delivery.attempt, exc_info=error
        )
        async with delivery.effect() as tx:
            await usecases.store_highlight_failure(changelog.id, _failure(error), tx)
        self._patience.forget(delivery)
        self._metrics.counter("aiops_changelog_highlights_failed_total").inc()


def subscriptions(highlighter: Highlighter) -> Sequence[Subscription]:
    """All that changelog listens to."""
    return (
        Subscription(
            stream="CHANGELOG",
            subject="aiops.changelog.changelog.generated.v1",
            durable="changelog-highlight",
            message=ChangelogGenerated,
            handler=highlighter.highlight,
            max_deliver=MAXIMUM_ATTEMPTS,
            # What came too late is kept as a suggestion, so it is not void.
            in_order=False,
        ),
    )


def _failure(error: Exception) -> str:
    """One sentence without text of commits."""
    if is_away(error):
        return "The ai service could not be reached; generate the changelog again once it is back."
    reason = error.reason if isinstance(error, DomainError) else "INTERNAL"
    return (
        f"The highlights could not be worded ({reason}); generate the changelog again, or look for its id in the logs."
    )
