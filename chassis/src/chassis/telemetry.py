"""Traces that cross gRPC and NATS, so that one id finds every line that a request caused.

Spans say what was called, how long it took and how it ended; never what was in it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SpanKindName = Literal["server", "client", "producer", "consumer", "internal"]


def configure(service: str, *, otlp_endpoint: str = "") -> TracerProvider:
    """Begin tracing for this process, for as long as it lives; shut the provider down at its end."""
    provider = make_provider(service, otlp_endpoint=otlp_endpoint)
    trace.set_tracer_provider(provider)
    return provider


def make_provider(service: str, *, otlp_endpoint: str = "") -> TracerProvider:
    """Spans of this service, sent to the collector; without one, nothing is sent and calls still get trace ids."""
    resource = Resource.create({SERVICE_NAME: service})
    if not otlp_endpoint:
        return TracerProvider(sampler=ParentBased(ALWAYS_OFF), resource=resource)
    # Read only where it is used: it costs 4 MB.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    provider = TracerProvider(sampler=ParentBased(ALWAYS_ON), resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


@contextmanager
def span(
    name: str,
    kind: SpanKindName = "internal",
    *,
    traceparent: str = "",
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Iterator[Span]:
    """One step of a trace, around the block.

    A server or consumer span continues `traceparent` or begins a new trace; any other continues the span around it.
    """
    arrives = kind in {"server", "consumer"}
    context = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context()) if arrives else None
    with _tracer(trace.get_tracer_provider()).start_as_current_span(
        name,
        context,
        SpanKind[kind.upper()],
        attributes=attributes,
        # An exception's text may hold what must not be traced; its type is enough, the log line has the rest.
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            fail(current, type(error).__name__)
            raise


@contextmanager
def untraced() -> Iterator[None]:
    """Send no spans of the block, here or by whom it calls: for what every process asks again and again."""
    ids = RandomIdGenerator()
    here = SpanContext(ids.generate_trace_id(), ids.generate_span_id(), is_remote=False)
    with trace.use_span(NonRecordingSpan(here)):
        yield


@lru_cache(maxsize=4)
def _tracer(provider: trace.TracerProvider) -> trace.Tracer:
    """The SDK makes a new tracer at each asking, which costs more than the span."""
    return provider.get_tracer("chassis")


def fail(current: Span, error_type: str) -> None:
    """Mark a span as failed."""
    current.set_status(Status(StatusCode.ERROR))
    current.set_attribute("error.type", error_type)


def current_trace_id() -> str:
    """The trace id in 32 hex digits, or nothing outside of any span."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def current_span_id() -> str:
    """The span id in 16 hex digits, or nothing outside of any span."""
    context = trace.get_current_span().get_span_context()
    return f"{context.span_id:016x}" if context.is_valid else ""


def traceparent() -> str:
    """The current span as a W3C traceparent, to be handed to whoever continues it; nothing outside of any span."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")
