"""The composition of tickets: the only file that knows every other."""

from datetime import date

from aiops.tickets.v1.tickets_service_pb2_grpc import add_TicketsServiceServicer_to_server
from chassis.clock import Clock
from chassis.flags import Flag
from chassis.identity import AccessTokens
from chassis.metrics import MetricSpec
from chassis.runtime import Runtime
from chassis.service import Schedule, Service
from tickets_service import convert, usecases
from tickets_service.audited import SIGHTINGS
from tickets_service.columns import Reading, read_with
from tickets_service.consumers import Triager, subscriptions
from tickets_service.documents import HISTORIES
from tickets_service.policy import build_policy
from tickets_service.references import References
from tickets_service.rpc import TicketsServicer
from tickets_service.settings import TicketsSettings

METRICS = (
    MetricSpec("aiops_tickets_triaged_total", "counter", "Tickets that were triaged, by engine.", ("engine",)),
    MetricSpec(
        "aiops_tickets_suggested_total", "counter", "Decisions kept as a suggestion, as the ticket changed meanwhile."
    ),
    MetricSpec("aiops_tickets_triage_failed_total", "counter", "Tickets that got no decision."),
    MetricSpec("aiops_deprecated_field_total", "counter", "Deprecated fields of requests that were used.", ("field",)),
    MetricSpec(
        "aiops_shadow_mismatch_total", "counter", "Values whose old and new column differed when read.", ("field",)
    ),
    MetricSpec("aiops_tickets_choices_uncertain_total", "counter", "Properties that triage left open.", ("property",)),
)
READ_DESCRIPTION = Flag("tickets-read-description", "release", "tickets", default=False, expires=date(2027, 6, 30))
"""On: description and priority_rank are believed in place of message and priority, while both are there (ADR 0038)."""
_WORDS_EVERY_SECONDS = 30.0


def build(
    settings: TicketsSettings | None = None, *, clock: Clock | None = None, access_tokens: AccessTokens | None = None
) -> Service:
    """Tickets, ready to run."""
    settings = settings or TicketsSettings()
    runtime = Runtime(
        "tickets",
        settings,
        to_event=convert.fact_to_event,
        package="tickets_service",
        histories=HISTORIES,
        clock=clock,
        metrics=METRICS,
        flags=(READ_DESCRIPTION,),
        access_tokens=access_tokens,
    )
    auth = runtime.client(settings.auth_target, "auth")
    logs = runtime.client(settings.logs_target, "logs")
    ai = runtime.client(settings.ai_target, "ai")
    shadow = runtime.metrics.counter("aiops_shadow_mismatch_total")
    read_with(
        runtime.database.engine,
        Reading(lambda: runtime.flags.enabled(READ_DESCRIPTION.name), lambda field: shadow.labels(field).inc()),
    )
    servicer = TicketsServicer(
        runtime.unit_of_work, runtime.database, runtime.redactor.for_prose(), References(auth, logs), runtime.metrics
    )
    triager = Triager(
        runtime.database,
        ai,
        runtime.clock,
        runtime.metrics,
        timeout_seconds=settings.triage_timeout_seconds,
        patience_seconds=settings.triage_patience_seconds,
    )

    async def count_words() -> None:
        more = True
        while more:
            async with runtime.unit_of_work.begin() as tx:
                more = await usecases.count_words(tx)

    return Service(
        runtime=runtime,
        policy=build_policy(),
        servicer=servicer,
        sightings=SIGHTINGS,
        register=add_TicketsServiceServicer_to_server,
        service_name="aiops.tickets.v1.TicketsService",
        subscriptions=subscriptions(triager),
        schedules=(Schedule("ticket-words", _WORDS_EVERY_SECONDS, count_words),),
    )
