from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from services.ai.tests.factories import evidence, evidence_message, overview, refused

from ai_service import convert
from ai_service.domain import EngineName, EntryKind, Evidence, FallbackReason, Run, RunCompleted
from ai_service.policy import make_policy
from aiops.ai.v1 import ai_service_pb2, evidence_pb2, run_pb2
from chassis.ids import uuid7

RUN = Run(
    id=uuid7(),
    task="summarize_evidence",
    engine=EngineName.OPENAI,
    model="m",
    prompt_version=1,
    input_digest="ab" * 32,
    input_tokens=700,
    output_tokens=90,
    latency_milliseconds=1234,
    attempt_count=2,
    fallback_reason=None,
    created_at=datetime(2026, 1, 5, tzinfo=UTC),
)


@pytest.mark.parametrize("source", [evidence(), evidence(refused(first_time=None, last_time=1, onset_time=-1))])
def test_evidence_arrives_as_it_was_sent(source: Evidence) -> None:
    message = evidence_message(source)

    assert convert.evidence_from_proto(evidence_pb2.Evidence.FromString(message.SerializeToString())) == source


def test_evidence_comes_out_of_its_own_mapping() -> None:
    source = evidence(overview(), refused())

    assert Evidence.from_mapping(asdict(source)) == source


def test_kinds_engines_and_reasons_have_the_wire_names() -> None:
    kinds = {f"ENTRY_KIND_{kind.name}": kind.value for kind in EntryKind}
    engines = {f"ENGINE_{engine.name}" for engine in EngineName}
    comment = "timeout unreachable server_error rate_limited truncated empty invalid_output input_too_long refused"

    assert {"ENTRY_KIND_UNSPECIFIED": 0, **kinds} == dict(evidence_pb2.EntryKind.items())
    assert {"ENGINE_UNSPECIFIED", *engines} == set(run_pb2.Engine.keys())
    assert {reason.value for reason in FallbackReason} == set(comment.split())


def test_a_run_says_all_that_was_recorded() -> None:
    message = convert.run_to_proto(RUN)

    assert {field.name for field, _ in message.ListFields()} == {
        field.name for field in run_pb2.Run.DESCRIPTOR.fields
    } - {"fallback_reason"}
    assert message.created_at.ToDatetime(UTC) == RUN.created_at
    assert (message.engine, message.attempt_count, message.latency_milliseconds) == (run_pb2.ENGINE_OPENAI, 2, 1234)


def test_a_completed_run_is_an_event_of_that_run() -> None:
    event = convert.fact_to_event(RunCompleted(RUN))

    assert (event.subject, event.aggregate_type) == ("aiops.ai.run.completed.v1", "run")
    assert (event.aggregate_id, event.aggregate_version) == (RUN.id, 1)
    with pytest.raises(TypeError):
        convert.fact_to_event(RUN)


def test_every_rpc_has_a_rule() -> None:
    methods = set(ai_service_pb2.DESCRIPTOR.services_by_name["AiService"].methods_by_name)

    assert set(make_policy().rules) == methods
