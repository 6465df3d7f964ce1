"""The RPCs of ai: convert, call, convert."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from ai_service import convert, queries, usecases
from ai_service.engines.highlights import highlights_task
from ai_service.engines.summary import summary_task
from ai_service.engines.triage import triage_task
from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceServicer
from chassis.identity import current_call
from chassis.ids import parse_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_service.domain import Outcome, Run
    from ai_service.engines.engine import Engine, Task
    from chassis.db import WriteTx
    from chassis.rpc.server import Context
    from chassis.runtime import Runtime

T = TypeVar("T")
Res = TypeVar("Res", bound=Message)


class AiServicer(AiServiceServicer):
    """Answers aiops.ai.v1.AiService."""

    def __init__(self, runtime: Runtime, engine: Engine | None) -> None:
        self._uow = runtime.unit_of_work
        self._database = runtime.database
        self._clock = runtime.clock
        self._metrics = runtime.metrics
        self._engine = engine

    async def SummarizeEvidence(
        self, request: pb.SummarizeEvidenceRequest, context: Context
    ) -> pb.SummarizeEvidenceResponse:
        """Word evidence."""
        prepare = partial(summary_task, convert.evidence_from_proto(request.evidence))
        return await self._answer(request, pb.SummarizeEvidenceResponse, prepare, convert.summary_to_proto)

    async def TriageTicket(self, request: pb.TriageTicketRequest, context: Context) -> pb.TriageTicketResponse:
        """Choose for a ticket among declared options."""
        prepare = partial(triage_task, convert.question_from_proto(request))
        return await self._answer(request, pb.TriageTicketResponse, prepare, convert.triage_to_proto)

    async def WordHighlights(self, request: pb.WordHighlightsRequest, context: Context) -> pb.WordHighlightsResponse:
        """Word the most important changes of a release."""
        prepare = partial(highlights_task, convert.release_from_proto(request))
        return await self._answer(request, pb.WordHighlightsResponse, prepare, convert.highlights_to_proto)

    async def BatchGetRuns(self, request: pb.BatchGetRunsRequest, context: Context) -> pb.BatchGetRunsResponse:
        """Return the runs that exist among the ids."""
        ids = parse_ids(request.ids)
        async with self._database.read() as tx:
            return convert.runs_to_proto(await queries.batch_get_runs(ids, tx))

    async def _answer(
        self,
        request: Message,
        response_type: type[Res],
        prepare: Callable[[], Task[T]],
        respond: Callable[[Outcome[T], Run], Res],
    ) -> Res:
        """Answer once; no model is asked inside a transaction, nor for a request that was answered before."""
        answered = await self._uow.replay(request, response_type)
        if answered is not None:
            return answered
        deadline = current_call().deadline
        outcome = await usecases.answer(prepare, self._engine, self._clock, self._metrics, deadline=deadline)

        async def effect(tx: WriteTx) -> Res:
            return respond(outcome, await usecases.record_run(outcome, tx))

        return await self._uow.once(request, response_type, effect)
