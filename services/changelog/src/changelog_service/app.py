"""The composition of changelog: the only file that knows every other."""

from aiops.changelog.v1.changelog_service_pb2_grpc import add_ChangelogServiceServicer_to_server
from changelog_service import convert
from changelog_service.consumers import Highlighter, subscriptions
from changelog_service.documents import HISTORIES
from changelog_service.policy import build_policy
from changelog_service.rpc import ChangelogServicer
from changelog_service.settings import ChangelogSettings
from chassis.clock import Clock
from chassis.identity import AccessTokens
from chassis.metrics import MetricSpec
from chassis.runtime import Runtime
from chassis.service import Service

METRICS = (
    MetricSpec(
        "aiops_changelog_highlights_total", "counter", "Changelogs that got highlights, by engine.", ("engine",)
    ),
    MetricSpec("aiops_changelog_highlights_failed_total", "counter", "Changelogs that got no highlights."),
    MetricSpec("aiops_changelog_sentences_replaced_total", "counter", "Sentences of a model that failed the check."),
)


def build(
    settings: ChangelogSettings | None = None, *, clock: Clock | None = None, access_tokens: AccessTokens | None = None
) -> Service:
    """Changelog, ready to run."""
    settings = settings or ChangelogSettings()
    runtime = Runtime(
        "changelog",
        settings,
        to_event=convert.fact_to_event,
        package="changelog_service",
        clock=clock,
        metrics=METRICS,
        histories=HISTORIES,
        access_tokens=access_tokens,
    )
    highlighter = Highlighter(
        runtime.database,
        runtime.client(settings.ai_target, "ai"),
        runtime.clock,
        runtime.metrics,
        timeout_seconds=settings.highlight_timeout_seconds,
        patience_seconds=settings.highlight_patience_seconds,
    )
    return Service(
        runtime=runtime,
        policy=build_policy(),
        servicer=ChangelogServicer(runtime.unit_of_work, runtime.database, runtime.redactor),
        register=add_ChangelogServiceServicer_to_server,
        service_name="aiops.changelog.v1.ChangelogService",
        subscriptions=subscriptions(highlighter),
    )
