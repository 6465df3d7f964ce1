"""The ai service as one operation sees it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1 import run_pb2
from chassis.rpc.client import Client
from gateway.clients.batching import loader
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from aiops.ai.v1.ai_service_pb2_grpc import AiServiceAsyncStub


class AiCalls(Calls["AiServiceAsyncStub"]):
    """RPCs to ai on behalf of the viewer, with loaders that live as long as the operation."""

    def __init__(self, client: Client, stub: "AiServiceAsyncStub") -> None:
        super().__init__(client, stub)
        self.runs = loader(self._batch_get_runs, lambda run: run.id)

    async def _batch_get_runs(self, ids: Sequence[str], seconds: float) -> Iterable[run_pb2.Run]:
        request = pb.BatchGetRunsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetRuns, request, timeout_seconds=seconds)).runs
