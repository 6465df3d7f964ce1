"""The ai service as one operation sees it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiops.ai.v1 import ai_service_pb2 as pb
from aiops.ai.v1 import run_pb2
from chassis.rpc.client import Client
from gateway.clients.batching import loader

if TYPE_CHECKING:
    from aiops.ai.v1.ai_service_pb2_grpc import AiServiceAsyncStub


class AiCalls:
    """RPCs to ai on behalf of the viewer, with loaders that live as long as the operation."""

    def __init__(self, client: Client, stub: "AiServiceAsyncStub") -> None:
        self._client = client
        self.rpc = stub
        self.runs = loader(self._batch_get_runs, lambda run: run.id)

    async def _batch_get_runs(self, ids: list[str]) -> Iterable[run_pb2.Run]:
        return (await self._client.call(self.rpc.BatchGetRuns, pb.BatchGetRunsRequest(ids=ids))).runs
