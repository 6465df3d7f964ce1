"""What tests of logs share: their types, and the ai service as logs meets it, over real gRPC."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiops.ai.v1 import ai_service_pb2 as ai_pb
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceServicer
from aiops.ai.v1.evidence_pb2 import EvidenceEntry
from aiops.ai.v1.run_pb2 import Engine, Run
from aiops.events.v1.envelope_pb2 import Envelope
from aiops.logs.v1.log_pb2 import Log as LogMessage
from chassis.db import Database
from chassis.rpc.server import Context
from logs_service.domain import Log
from logs_service.patterns.analysis import LogAnalysis

if TYPE_CHECKING:
    from chassis.errors import DomainError

Receive = Callable[..., Awaitable[Log]]
Summarize = Callable[..., Awaitable[LogMessage]]
Published = Callable[[Database], Awaitable[list[tuple[str, Envelope]]]]
Answer = Callable[[ai_pb.SummarizeEvidenceRequest], ai_pb.SummarizeEvidenceResponse]


class ScriptedAi(AiServiceServicer):
    """Words each entry as the built-in engine would, unless told otherwise."""

    def __init__(self) -> None:
        self.target = ""
        self.requests: list[ai_pb.SummarizeEvidenceRequest] = []
        self.answer: Answer = builtin_answer
        self.errors: list[DomainError] = []
        """Raised first, one for each call."""
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def SummarizeEvidence(  # noqa: N802 - the proto's name
        self, request: ai_pb.SummarizeEvidenceRequest, _context: Context
    ) -> ai_pb.SummarizeEvidenceResponse:
        self.requests.append(request)
        if self.errors:
            raise self.errors.pop(0)
        await self.may_answer.wait()
        return self.answer(request)

    async def TriageTicket(self, request: ai_pb.TriageTicketRequest, _context: Context) -> Any:  # noqa: N802
        raise NotImplementedError

    async def WordHighlights(self, request: ai_pb.WordHighlightsRequest, _context: Context) -> Any:  # noqa: N802
        raise NotImplementedError

    async def BatchGetRuns(self, request: ai_pb.BatchGetRunsRequest, _context: Context) -> Any:  # noqa: N802
        raise NotImplementedError


def builtin_sentences(request: ai_pb.SummarizeEvidenceRequest) -> list[ai_pb.Sentence]:
    return [
        ai_pb.Sentence(
            text=f"{_title(entry)}: {entry.count:,} records.",
            entry_keys=[entry.key],
            record_ids=[exemplar.record_id for exemplar in entry.exemplars],
        )
        for entry in request.evidence.entries
    ]


def builtin_answer(request: ai_pb.SummarizeEvidenceRequest) -> ai_pb.SummarizeEvidenceResponse:
    sentences = builtin_sentences(request)
    run = Run(id="0198c0de-0000-7000-8000-00000000a1a1", task="summarize_evidence", engine=Engine.ENGINE_BUILTIN)
    return ai_pb.SummarizeEvidenceResponse(run=run, sentences=sentences, builtin_sentences=sentences)


def openai_answer(*sentences: ai_pb.Sentence) -> Answer:
    """A model's sentences, with the built-in ones beside them."""

    def answer(request: ai_pb.SummarizeEvidenceRequest) -> ai_pb.SummarizeEvidenceResponse:
        run = Run(id="0198c0de-0000-7000-8000-00000000a1a2", engine=Engine.ENGINE_OPENAI, model="m-1")
        return ai_pb.SummarizeEvidenceResponse(
            run=run, sentences=sentences, builtin_sentences=builtin_sentences(request)
        )

    return answer


def _title(entry: EvidenceEntry) -> str:
    return entry.template or "The log"


def analysed(
    chunks: Iterable[bytes],
    *,
    now: datetime,
    redact: Callable[[str], str] | None = None,
    bucket_seconds: int = 60,
) -> LogAnalysis:
    """A whole log that was read."""
    analysis = LogAnalysis(now=now, redact=redact, bucket_seconds=bucket_seconds)
    for _ in analysis.records(chunks):
        pass
    return analysis


def instance_of(template: str, body: str) -> bool:
    """Whether a message is an instance of a template; runs of blanks count as one."""
    first, *others = map(re.escape, " ".join(template.split()).split("<*>"))
    # Atomic: the leftmost place of a piece leaves most room for the rest, so another one need not be tried.
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    shape = f"{first}{between}.*{others[-1]}" if others else first
    return re.fullmatch(shape, " ".join(body.split()), re.DOTALL) is not None
