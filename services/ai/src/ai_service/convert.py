"""Between the wire and the domain: pure, and the one place that knows both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_service.domain import (
    Change,
    Choice,
    EngineName,
    Entry,
    EntryKind,
    Evidence,
    Exemplar,
    Fact,
    Highlight,
    Option,
    Outcome,
    Reason,
    Release,
    Run,
    RunCompleted,
    Sentence,
    TicketText,
    Triage,
    TriageQuestion,
)
from aiops.ai.v1 import ai_service_pb2, events_pb2, evidence_pb2, highlight_pb2, run_pb2, triage_pb2
from chassis.errors import InvalidArgument
from chassis.events import Event
from chassis.protos import moment_to_proto

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

RUN_COMPLETED_SUBJECT = "aiops.ai.run.completed.v1"
_ENGINES = {EngineName.BUILTIN: run_pb2.ENGINE_BUILTIN, EngineName.OPENAI: run_pb2.ENGINE_OPENAI}


def evidence_from_proto(message: evidence_pb2.Evidence) -> Evidence:
    """The evidence of a request.

    Raises:
        InvalidArgument: an entry is of no known kind.
    """
    return Evidence(
        message.digest, message.log_name, message.service, tuple(_entry(entry) for entry in message.entries)
    )


def _entry(message: evidence_pb2.EvidenceEntry) -> Entry:
    if int(message.kind) not in set(map(int, EntryKind)):
        raise InvalidArgument(f"entry {message.key!r} has no known kind", field="evidence.entries.kind")
    return Entry(
        key=message.key,
        kind=EntryKind(message.kind),
        severity_number=message.severity_number,
        pattern_id=message.pattern_id,
        template=message.template,
        count=message.count,
        first_time=_time(message, "first_time"),
        last_time=_time(message, "last_time"),
        onset_time=_time(message, "onset_time"),
        facts=tuple(Fact(fact.name, fact.value) for fact in message.facts),
        exemplars=tuple(Exemplar(record.record_id, _time(record, "time"), record.body) for record in message.exemplars),
    )


def _time(message: Message, field: str) -> int | None:
    if not message.HasField(field):
        return None
    timestamp: Timestamp = getattr(message, field)
    return timestamp.seconds * 1_000_000_000 + timestamp.nanos


def question_from_proto(request: ai_service_pb2.TriageTicketRequest) -> TriageQuestion:
    """The ticket and the options of a request."""
    ticket = TicketText(request.ticket.title, request.ticket.message, request.ticket.service)
    return TriageQuestion(ticket, _options(request.categories), _options(request.priorities), _options(request.teams))


def _options(messages: Iterable[triage_pb2.TriageOption]) -> tuple[Option, ...]:
    return tuple(Option(message.key, message.name, message.description) for message in messages)


def release_from_proto(request: ai_service_pb2.WordHighlightsRequest) -> Release:
    """The changes of a request; references stay with the caller."""
    entries = (Change(each.key, each.section, each.text, each.scope, each.breaking) for each in request.entries)
    return Release(request.subject, tuple(entries))


def summary_to_proto(outcome: Outcome[tuple[Sentence, ...]], run: Run) -> ai_service_pb2.SummarizeEvidenceResponse:
    """The sentences with their run."""
    return ai_service_pb2.SummarizeEvidenceResponse(
        run=run_to_proto(run),
        sentences=_sentences(outcome.answer.content),
        builtin_sentences=_sentences(outcome.builtin),
    )


def _sentences(sentences: Iterable[Sentence]) -> list[ai_service_pb2.Sentence]:
    return [
        ai_service_pb2.Sentence(text=each.text, entry_keys=each.entry_keys, record_ids=each.record_ids)
        for each in sentences
    ]


def triage_to_proto(outcome: Outcome[Triage], run: Run) -> ai_service_pb2.TriageTicketResponse:
    """The choices with their run."""
    triage = outcome.answer.content
    people = triage.people
    return ai_service_pb2.TriageTicketResponse(
        run=run_to_proto(run),
        category=_choice(triage.category),
        priority=_choice(triage.priority),
        team=_choice(triage.team),
        people=triage_pb2.Suspicion(
            suspected=people.suspected, confidence=people.confidence, reasons=_reasons(people.reasons)
        ),
    )


def _choice(choice: Choice | None) -> triage_pb2.Choice | None:
    if choice is None:
        return None
    return triage_pb2.Choice(
        value=choice.value,
        confidence=choice.confidence,
        uncertain=choice.uncertain,
        reasons=_reasons(choice.reasons),
    )


def _reasons(reasons: Iterable[Reason]) -> list[triage_pb2.Reason]:
    return [
        triage_pb2.Reason(
            field=triage_pb2.TextField.ValueType(int(reason.field)),
            start=reason.start,
            end=reason.end,
            quote=reason.quote,
            explanation=reason.explanation,
        )
        for reason in reasons
    ]


def highlights_to_proto(outcome: Outcome[tuple[Highlight, ...]], run: Run) -> ai_service_pb2.WordHighlightsResponse:
    """The highlights with their run."""
    return ai_service_pb2.WordHighlightsResponse(
        run=run_to_proto(run),
        highlights=_highlights(outcome.answer.content),
        builtin_highlights=_highlights(outcome.builtin),
    )


def _highlights(highlights: Iterable[Highlight]) -> list[highlight_pb2.HighlightSentence]:
    return [highlight_pb2.HighlightSentence(text=each.text, entry_keys=each.entry_keys) for each in highlights]


def run_to_proto(run: Run) -> run_pb2.Run:
    """A run as others see it."""
    return run_pb2.Run(
        id=str(run.id),
        task=run.task,
        engine=_ENGINES[run.engine],
        model=run.model,
        prompt_version=run.prompt_version,
        input_digest=run.input_digest,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        latency_milliseconds=run.latency_milliseconds,
        fallback_reason=run.fallback_reason or "",
        attempt_count=run.attempt_count,
        created_at=moment_to_proto(run.created_at),
    )


def runs_to_proto(runs: Iterable[Run]) -> ai_service_pb2.BatchGetRunsResponse:
    """The runs that were found."""
    return ai_service_pb2.BatchGetRunsResponse(runs=[run_to_proto(run) for run in runs])


def fact_to_event(fact: object) -> Event:
    """A fact of ai as it is told to others."""
    if not isinstance(fact, RunCompleted):
        raise TypeError(f"{type(fact).__name__} is no fact of ai")
    run = fact.run
    payload = events_pb2.RunCompleted(
        run_id=str(run.id), task=run.task, engine=_ENGINES[run.engine], fallback_reason=run.fallback_reason or ""
    )
    return Event(RUN_COMPLETED_SUBJECT, "run", run.id, 1, payload)
