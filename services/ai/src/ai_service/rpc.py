"""The RPCs of ai: convert, call, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_service import convert, queries, usecases
from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceServicer
from chassis.identity import current_call

if TYPE_CHECKING:
    from ai_service.engines.engine import Engine
    from chassis.db import WriteTx
    from chassis.rpc.server import Context
    from chassis.runtime import Runtime


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
        """Word evidence; no model is asked inside a transaction, nor for a request that was answered before."""
        answered = await self._uow.replay(request, pb.SummarizeEvidenceResponse)
        return answered or await self._word(request)

    async def BatchGetRuns(self, request: pb.BatchGetRunsRequest, context: Context) -> pb.BatchGetRunsResponse:
        """Return the runs that exist among the ids."""
        ids = convert.run_ids(request)
        async with self._database.read() as tx:
            return convert.runs_to_proto(await queries.batch_get_runs(ids, tx))

    async def _word(self, request: pb.SummarizeEvidenceRequest) -> pb.SummarizeEvidenceResponse:
        evidence, deadline = convert.evidence_from_proto(request.evidence), current_call().deadline
        wording = await usecases.word_evidence(evidence, self._engine, self._clock, self._metrics, deadline=deadline)

        async def effect(tx: WriteTx) -> pb.SummarizeEvidenceResponse:
            return convert.summary_to_proto(wording, await usecases.record_run(wording, tx))

        return await self._uow.once(request, pb.SummarizeEvidenceResponse, effect)
