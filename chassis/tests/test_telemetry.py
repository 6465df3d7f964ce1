"""Traces: one id from the first request to the last consumer."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from chassis import telemetry


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # A process has one provider for ever; a test borrows its place.
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


@pytest.fixture
def without_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)


class Collector(ThreadingHTTPServer):
    """The outside world: an OTLP collector."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CollectorHandler)
        self.requests: list[ExportTraceServiceRequest] = []


class CollectorHandler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path == "/v1/traces":
            self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_step_continues_the_span_around_it(exporter: InMemorySpanExporter) -> None:
    with telemetry.span("request", "server"), telemetry.span("call", "client", attributes={"peer.service": "logs"}):
        pass

    call, request = exporter.get_finished_spans()
    assert (request.name, request.kind, request.parent) == ("request", SpanKind.SERVER, None)
    assert (call.name, call.kind) == ("call", SpanKind.CLIENT)
    assert call.parent is not None
    assert call.parent.span_id == request.context.span_id
    assert call.attributes == {"peer.service": "logs"}


@pytest.mark.parametrize("kind", ["server", "consumer"])
def test_what_arrives_continues_its_sender_and_not_what_is_around_it(
    exporter: InMemorySpanExporter, kind: telemetry.SpanKindName
) -> None:
    with telemetry.span("sender", "producer"):
        sent, trace_id = telemetry.traceparent(), telemetry.current_trace_id()
    with telemetry.span("something else"), telemetry.span("arrival", kind, traceparent=sent):
        assert telemetry.current_trace_id() == trace_id

    arrival = next(span for span in exporter.get_finished_spans() if span.name == "arrival")
    assert arrival.parent is not None
    assert arrival.parent.is_remote
    assert sent == f"00-{trace_id}-{arrival.parent.span_id:016x}-03"  # sampled, random id


@pytest.mark.parametrize("given", ["", "garbage", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff-" + "a" * 32])
def test_a_bad_traceparent_begins_a_new_trace(exporter: InMemorySpanExporter, given: str) -> None:
    with telemetry.span("something else"):
        around = telemetry.current_trace_id()
        with telemetry.span("arrival", "server", traceparent=given):
            assert telemetry.current_trace_id() not in {"", around}

    assert exporter.get_finished_spans()[0].parent is None


def test_a_failure_is_marked_by_its_type_and_says_nothing_more(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="ada"), telemetry.span("request", "server"):
        raise ValueError("no account for ada@example.com")

    (request,) = exporter.get_finished_spans()
    assert request.status.status_code is StatusCode.ERROR
    assert request.attributes == {"error.type": "ValueError"}
    assert "ada@example.com" not in request.to_json()


@pytest.mark.usefixtures("without_exporter")
def test_ids_are_valid_also_where_no_span_is_sent() -> None:
    with telemetry.span("request", "server"):
        outer = telemetry.current_trace_id()
        with telemetry.span("call", "client"):
            assert telemetry.current_trace_id() == outer
            assert telemetry.traceparent() == f"00-{outer}-{telemetry.current_span_id()}-02"

    assert len(outer) == 32
    assert int(outer, 16) != 0


def test_outside_of_any_span_there_is_no_id() -> None:
    assert (telemetry.current_trace_id(), telemetry.current_span_id(), telemetry.traceparent()) == ("", "", "")


def test_a_collector_gets_the_spans(collector: Collector) -> None:
    provider = telemetry.make_provider("parcels", otlp_endpoint=f"http://127.0.0.1:{collector.server_port}/")
    with provider.get_tracer("chassis").start_as_current_span("send a parcel"):
        trace_id = telemetry.current_trace_id()
    provider.shutdown()

    (request,) = collector.requests
    (resource,) = request.resource_spans
    (span,) = resource.scope_spans[0].spans
    assert (span.name, span.trace_id.hex()) == ("send a parcel", trace_id)
    assert ("service.name", "parcels") in [(a.key, a.value.string_value) for a in resource.resource.attributes]


def test_spans_are_sent_only_where_somebody_takes_them() -> None:
    assert telemetry.make_provider("parcels").sampler.get_description().startswith("ParentBased{root:AlwaysOffSampler")
    sending = telemetry.make_provider("parcels", otlp_endpoint="http://127.0.0.1:1")

    assert sending.sampler.get_description().startswith("ParentBased{root:AlwaysOnSampler")
    assert sending.resource.attributes["service.name"] == "parcels"
    sending.shutdown()
