"""What tickets reacts to: a ticket that waits for triage gets a decision."""

import hashlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiops.ai.v1.ai_service_pb2_grpc import AiServiceStub
from aiops.tickets.v1.events_pb2 import TicketCreated, TicketTriageRequested
from chassis.clock import Clock
from chassis.consumer import Delivery, Subscription
from chassis.db import Database
from chassis.errors import DomainError
from chassis.ids import parse_id
from chassis.metrics import Metrics
from chassis.patience import Patience, is_away
from chassis.rpc.client import Client
from tickets_service import convert_triage, queries, triage
from tickets_service.decisions import check_decision
from tickets_service.domain import Ticket, TicketOption
from tickets_service.values import OptionKind, TicketField, TriageDecision, TriageState, Watcher

if TYPE_CHECKING:
    from aiops.ai.v1.ai_service_pb2_grpc import AiServiceAsyncStub

logger = logging.getLogger(__name__)

MAXIMUM_ATTEMPTS = 6
_MYSELF = Watcher("service", "tickets")


class Triager:
    """Has a ticket triaged by ai, and stores what its own words and the declared options bear out."""

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

    async def triage(self, delivery: Delivery) -> None:
        """Give the ticket of an event its decision, or, when no attempt is left, the reason why it has none.

        Raises:
            TicketNotFound: no ticket has the id of the event.
            DomainError: ai or Postgres is away; the event comes again.
        """
        ticket_id = parse_id(delivery.payload.ticket_id, field="ticket_id")
        async with self._database.read() as tx:
            ticket = await queries.get_ticket(ticket_id, _MYSELF, tx)
            if ticket.triage_state is not TriageState.PENDING:
                return
            options = [option for option in await queries.list_options(tx) if not option.archived]
        try:
            decision = await self._decided(ticket, options, delivery.envelope.id)
        except Exception as error:
            if not self._patience.is_at_an_end(error, delivery):
                raise
            await self._give_up(ticket, error, delivery)
            return
        async with delivery.effect() as tx:
            stored = await triage.store_decision(decision, ticket, options, tx)
        self._patience.forget(delivery)
        if stored is not None and stored.suggestion is not None:
            self._metrics.counter("aiops_tickets_suggested_total").inc()
            return
        self._metrics.counter("aiops_tickets_triaged_total").labels(decision.engine).inc()
        for kind in OptionKind:
            if decision.choice(kind).uncertain:
                self._metrics.counter("aiops_tickets_choices_uncertain_total").labels(kind.field).inc()

    async def _decided(self, ticket: Ticket, options: Sequence[TicketOption], event_id: str) -> TriageDecision:
        request = convert_triage.triage_request(ticket, options)
        digest = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
        # When title or options changed since the last attempt, it is another question.
        request.idempotency_key = f"tickets-triage:{event_id}:{digest[:16]}"
        answer = await self._client.call(self._ai.TriageTicket, request, timeout_seconds=self._timeout_seconds)
        offered = {kind: [option.key for option in options if option.kind is kind] for kind in OptionKind}
        return check_decision(
            convert_triage.decision_from(answer, ticket, at=self._clock.now()),
            {TicketField.TITLE: ticket.title, TicketField.DESCRIPTION: ticket.description},
            offered,
        )

    async def _give_up(self, ticket: Ticket, error: Exception, delivery: Delivery) -> None:
        logger.error("no decision for ticket %s after %d deliveries", ticket.id, delivery.attempt, exc_info=error)
        async with delivery.effect() as tx:
            await triage.store_failure(ticket.id, _failure(error), tx)
        self._patience.forget(delivery)
        self._metrics.counter("aiops_tickets_triage_failed_total").inc()


def subscriptions(triager: Triager) -> Sequence[Subscription]:
    """All that tickets listens to."""
    return (
        Subscription(
            stream="TICKETS",
            subject="aiops.tickets.ticket.created.v1",
            durable="tickets-triage",
            message=TicketCreated,
            handler=triager.triage,
            max_deliver=MAXIMUM_ATTEMPTS,
        ),
        Subscription(
            stream="TICKETS",
            subject="aiops.tickets.ticket.triage_requested.v1",
            durable="tickets-retriage",
            message=TicketTriageRequested,
            handler=triager.triage,
            max_deliver=MAXIMUM_ATTEMPTS,
        ),
    )


def _failure(error: Exception) -> str:
    """One sentence without text of the ticket."""
    if is_away(error):
        return "The ai service could not be reached; have the ticket triaged again once it is back."
    reason = error.reason if isinstance(error, DomainError) else "INTERNAL"
    return f"No decision could be made ({reason}); have the ticket triaged again, or look for its id in the logs."
