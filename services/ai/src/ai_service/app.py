"""Puts ai together: settings, runtime, engine, servicer, service. The only file that knows every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_service import convert
from ai_service.consumers import SUBSCRIPTIONS
from ai_service.policy import make_policy
from ai_service.rpc import AiServicer
from ai_service.settings import AiSettings
from aiops.ai.v1.ai_service_pb2 import DESCRIPTOR
from aiops.ai.v1.ai_service_pb2_grpc import add_AiServiceServicer_to_server
from chassis.metrics import MetricSpec
from chassis.resilience.breaker import Breaker
from chassis.runtime import Runtime
from chassis.service import Service

if TYPE_CHECKING:
    from ai_service.engines.engine import Engine
    from chassis.clock import Clock
    from chassis.identity import AccessTokens

METRICS = (
    MetricSpec(
        "aiops_ai_runs_total", "counter", "Answers given, by who wrote them.", ("task", "engine", "fallback_reason")
    ),
    MetricSpec("aiops_ai_answer_duration_seconds", "histogram", "Time until an answer was whole.", ("task", "engine")),
)


def build(
    settings: AiSettings | None = None, *, clock: Clock | None = None, access_tokens: AccessTokens | None = None
) -> Service:
    """The ai service as its settings want it.

    Raises:
        SettingsInvalid: it cannot be built with them.
    """
    settings = settings or AiSettings()
    runtime = Runtime(
        "ai",
        settings,
        clock=clock,
        to_event=convert.fact_to_event,
        package="ai_service",
        metrics=METRICS,
        access_tokens=access_tokens,
    )
    return Service(
        runtime=runtime,
        policy=make_policy(),
        servicer=AiServicer(runtime, _engine(settings, runtime)),
        register=add_AiServiceServicer_to_server,
        service_name=DESCRIPTOR.services_by_name["AiService"].full_name,
        subscriptions=SUBSCRIPTIONS,
    )


def _engine(settings: AiSettings, runtime: Runtime) -> Engine | None:
    """The configured model; None leaves every answer to the built-in engine."""
    if not settings.openai_configured:
        return None
    # Half a second and 40 MB that only a configured model is worth.
    from ai_service.engines.openai import ENDPOINT, OpenAiEngine  # noqa: PLC0415

    state = runtime.metrics.gauge("aiops_breaker_state").labels("model")
    engine = OpenAiEngine(
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value(),
        model=settings.openai_model,
        timeout_seconds=settings.openai_timeout_seconds,
        deadline_seconds=settings.openai_deadline_seconds,
        max_output_tokens=settings.openai_max_output_tokens,
        redact=runtime.redactor.redact,
        breaker=Breaker(ENDPOINT, clock=runtime.clock, on_change=state.set),
    )
    runtime.on_close(engine.close)
    return engine
