"""The composition of logs: the only file that knows every other."""

from aiops.logs.v1.logs_service_pb2_grpc import add_LogsServiceServicer_to_server
from chassis.clock import Clock
from chassis.identity import AccessTokens
from chassis.metrics import MetricSpec
from chassis.runtime import Runtime
from chassis.service import Schedule, Service
from logs_service import convert, usecases
from logs_service.audited import SIGHTINGS
from logs_service.consumers import Summarizer, subscriptions
from logs_service.documents import HISTORIES
from logs_service.ingest.pipeline import Ingestor
from logs_service.policy import build_policy
from logs_service.rpc import LogsServicer
from logs_service.settings import LogsSettings

METRICS = (
    MetricSpec("aiops_logs_summaries_total", "counter", "Logs that were summarised, by engine.", ("engine",)),
    MetricSpec("aiops_logs_summaries_failed_total", "counter", "Logs that got no summary."),
    MetricSpec("aiops_logs_sentences_replaced_total", "counter", "Sentences of a model that failed the check."),
)
_PARTITIONS_EVERY_SECONDS = 6 * 3600.0


def build(
    settings: LogsSettings | None = None, *, clock: Clock | None = None, access_tokens: AccessTokens | None = None
) -> Service:
    """Logs, ready to run."""
    settings = settings or LogsSettings()
    runtime = Runtime(
        "logs",
        settings,
        to_event=convert.fact_to_event,
        package="logs_service",
        clock=clock,
        metrics=METRICS,
        histories=HISTORIES,
        access_tokens=access_tokens,
    )
    ai = runtime.client(settings.ai_target, "ai")
    servicer = LogsServicer(
        runtime.unit_of_work,
        runtime.database,
        runtime.redactor,
        Ingestor(runtime.redactor),
        concurrent_ingestions=settings.concurrent_ingestions,
    )
    summarizer = Summarizer(
        runtime.database,
        ai,
        runtime.clock,
        runtime.metrics,
        timeout_seconds=settings.summary_timeout_seconds,
        patience_seconds=settings.summary_patience_seconds,
    )

    async def prepare_partitions() -> None:
        async with runtime.unit_of_work.begin() as tx:
            await usecases.prepare_partitions(tx)

    return Service(
        runtime=runtime,
        policy=build_policy(),
        servicer=servicer,
        sightings=SIGHTINGS,
        register=add_LogsServiceServicer_to_server,
        service_name="aiops.logs.v1.LogsService",
        subscriptions=subscriptions(summarizer),
        schedules=(Schedule("log-record-partitions", _PARTITIONS_EVERY_SECONDS, prepare_partitions),),
        startup=(prepare_partitions,),
    )
