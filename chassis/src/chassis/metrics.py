"""Prometheus metrics from one declared list: what is not declared cannot be counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Instrument = TypeVar("Instrument", Counter, Gauge, Histogram)


@dataclass(frozen=True)
class MetricSpec:
    """One metric: its name with its unit, what it means, and by which labels it is split."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS


CHASSIS_METRICS = (
    MetricSpec("aiops_rpc_server_requests_total", "counter", "RPCs answered, by outcome.", ("method", "code")),
    MetricSpec("aiops_rpc_server_duration_seconds", "histogram", "Time to answer an RPC.", ("method",)),
    MetricSpec("aiops_rpc_server_in_flight", "gauge", "RPCs being answered just now."),
    MetricSpec("aiops_rpc_client_requests_total", "counter", "RPCs made, by outcome.", ("method", "code")),
    MetricSpec("aiops_rpc_client_duration_seconds", "histogram", "Time an RPC took to be answered.", ("method",)),
    MetricSpec("aiops_rpc_client_retries_total", "counter", "RPCs that were sent once more.", ("target",)),
    MetricSpec("aiops_breaker_state", "gauge", "0 closed, 1 half open, 2 open: nothing is sent.", ("target",)),
    MetricSpec("aiops_breaker_refused_total", "counter", "Calls that an open breaker let fail at once.", ("target",)),
    MetricSpec("aiops_limiter_in_use", "gauge", "Pieces of work in progress, by bulkhead.", ("limiter",)),
    MetricSpec("aiops_shed_total", "counter", "Pieces of work sent away for there was too much.", ("limiter",)),
    MetricSpec("aiops_outbox_pending", "gauge", "Outbox rows that are not published yet."),
    MetricSpec("aiops_outbox_oldest_pending_seconds", "gauge", "Age of the oldest outbox row that is not published."),
    MetricSpec("aiops_outbox_published_total", "counter", "Events published."),
    MetricSpec("aiops_outbox_failures_total", "counter", "Attempts to publish that failed."),
    MetricSpec("aiops_outbox_leader", "gauge", "1 in the process that publishes for its schema."),
    MetricSpec("aiops_consumer_messages_total", "counter", "Deliveries handled, by outcome.", ("durable", "outcome")),
    MetricSpec("aiops_consumer_duration_seconds", "histogram", "Time to handle a delivery.", ("durable",)),
    MetricSpec("aiops_consumer_lag_seconds", "gauge", "From commit to arrival, last delivery.", ("durable",)),
    MetricSpec("aiops_dead_letters_total", "counter", "Deliveries given up, to be redriven by hand.", ("durable",)),
    MetricSpec("aiops_redrives_total", "counter", "Dead letters handled again, by outcome.", ("durable", "outcome")),
    MetricSpec("aiops_consumer_held", "gauge", "1 while a consumer holds, for too many failed.", ("durable",)),
    MetricSpec("aiops_schedule_runs_total", "counter", "Runs of schedules, by outcome.", ("schedule", "outcome")),
    MetricSpec("aiops_background_failures_total", "counter", "Background tasks that fell over.", ("task",)),
    MetricSpec("aiops_ready", "gauge", "1 where a readiness check passes.", ("check",)),
)


class Metrics:
    """The metrics of one process."""

    def __init__(self, specs: Sequence[MetricSpec] = ()) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # one more series for each, which nobody reads
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._instruments = {spec.name: self._make(spec) for spec in (*CHASSIS_METRICS, *specs)}

    def counter(self, name: str) -> Counter:
        """A declared counter; KeyError for any other name."""
        return self._get(name, Counter)

    def gauge(self, name: str) -> Gauge:
        """A declared gauge; KeyError for any other name."""
        return self._get(name, Gauge)

    def histogram(self, name: str) -> Histogram:
        """A declared histogram; KeyError for any other name."""
        return self._get(name, Histogram)

    def exposition(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)

    def value(self, name: str, **labels: str) -> float:
        """The present value of one series, of a histogram its `_count` or `_sum`; 0 where nothing was counted yet."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def _get(self, name: str, kind: type[Instrument]) -> Instrument:
        instrument = self._instruments.get(name)
        if not isinstance(instrument, kind):
            raise KeyError(f"no {kind.__name__.lower()} {name} is declared; add a MetricSpec to the service's metrics")
        return instrument

    def _make(self, spec: MetricSpec) -> Counter | Gauge | Histogram:
        if spec.kind == "counter":
            return Counter(spec.name, spec.help, spec.labels, registry=self._registry)
        if spec.kind == "gauge":
            return Gauge(spec.name, spec.help, spec.labels, registry=self._registry)
        return Histogram(spec.name, spec.help, spec.labels, registry=self._registry, buckets=spec.buckets)
