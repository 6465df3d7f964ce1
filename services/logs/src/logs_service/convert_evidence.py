"""Between the evidence of a log and what travels to ai and back: pure and total."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from aiops.ai.v1 import ai_service_pb2 as ai_pb
from aiops.ai.v1 import evidence_pb2 as evidence_pb
from aiops.ai.v1.run_pb2 import Engine, Run
from logs_service import evidence
from logs_service.convert import nanoseconds_to_proto
from logs_service.domain import Summary, SummarySentence

_BUILTIN = "builtin"
_ENGINES = {Engine.ENGINE_BUILTIN: _BUILTIN, Engine.ENGINE_OPENAI: "openai"}


def evidence_to_proto(found: evidence.Evidence) -> evidence_pb.Evidence:
    """Evidence as ai reads it."""
    return evidence_pb.Evidence(
        digest=found.digest,
        log_name=found.log_name,
        service=found.service,
        entries=[_entry_to_proto(entry) for entry in found.entries],
    )


def sentences_from(sentences: Iterable[ai_pb.Sentence]) -> list[evidence.Sentence]:
    """Sentences of ai, which still have to be checked."""
    return [evidence.Sentence(s.text, tuple(s.entry_keys), tuple(s.record_ids)) for s in sentences]


def summary_from(
    checked: evidence.CheckedSummary, run: Run, digest: str, *, read_version: int, at: datetime
) -> Summary:
    """The summary of checked sentences, with who wrote each and the version of the log that was read for it."""
    engine = _ENGINES.get(run.engine, _BUILTIN)
    return Summary(
        sentences=tuple(
            SummarySentence(
                text=sentence.text,
                record_ids=tuple(UUID(record_id) for record_id in sentence.record_ids),
                entry_keys=sentence.entry_keys,
                engine=engine if sentence.source == "answer" else _BUILTIN,
            )
            for sentence in checked.sentences
        ),
        engine=engine,
        model=run.model,
        run_id=run.id,
        evidence_digest=digest,
        created_at=at,
        fallback_reason=run.fallback_reason,
        replaced_sentence_count=checked.replaced_count,
        read_version=read_version,
    )


def _entry_to_proto(entry: evidence.Entry) -> evidence_pb.EvidenceEntry:
    return evidence_pb.EvidenceEntry(
        key=entry.key,
        kind=evidence_pb.EntryKind.ValueType(entry.kind),
        severity_number=entry.severity_number,
        pattern_id=entry.pattern_id,
        template=entry.template,
        count=entry.count,
        first_time=nanoseconds_to_proto(entry.first_time),
        last_time=nanoseconds_to_proto(entry.last_time),
        onset_time=nanoseconds_to_proto(entry.onset_time),
        facts=[evidence_pb.Fact(name=fact.name, value=fact.value) for fact in entry.facts],
        exemplars=[
            evidence_pb.Exemplar(
                record_id=exemplar.record_id, time=nanoseconds_to_proto(exemplar.time), body=exemplar.body
            )
            for exemplar in entry.exemplars
        ],
    )
