"""The logs service as one operation sees it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING

from aiops.logs.v1 import log_pattern_pb2, log_pb2, log_record_pb2
from aiops.logs.v1 import logs_service_pb2 as pb
from chassis.rpc.client import Client
from gateway.clients.batching import loader
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceAsyncStub


class LogsCalls(Calls["LogsServiceAsyncStub"]):
    """RPCs to logs on behalf of the viewer, with loaders that live as long as the operation."""

    def __init__(self, client: Client, stub: "LogsServiceAsyncStub") -> None:
        super().__init__(client, stub)
        self.logs = loader(self._batch_get_logs, lambda log: log.id)
        self.log_records = loader(self._batch_get_log_records, lambda record: record.id)
        self._patterns = loader(self._batch_get_log_patterns, lambda resolved: resolved.requested_id)

    async def upload(self, requests: AsyncIterator[pb.UploadLogRequest]) -> log_pb2.Log:
        """Stream a file to logs as it arrives; it is stored whole or not at all.

        Raises:
            DomainError: what logs answered, or that it did not.
        """
        return (await self._client.stream(self.rpc.UploadLog, requests)).log

    async def log_pattern(self, pattern_id: str) -> log_pattern_pb2.LogPattern | None:
        """The pattern that stands for this id today: a merged one is answered by its successor."""
        resolved = await self._patterns.load(pattern_id)
        return resolved.pattern if resolved is not None else None

    async def _batch_get_logs(self, ids: Sequence[str], seconds: float) -> Iterable[log_pb2.Log]:
        request = pb.BatchGetLogsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetLogs, request, timeout_seconds=seconds)).logs

    async def _batch_get_log_records(self, ids: Sequence[str], seconds: float) -> Iterable[log_record_pb2.LogRecord]:
        request = pb.BatchGetLogRecordsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetLogRecords, request, timeout_seconds=seconds)).log_records

    async def _batch_get_log_patterns(self, ids: Sequence[str], seconds: float) -> Iterable[pb.ResolvedLogPattern]:
        request = pb.BatchGetLogPatternsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetLogPatterns, request, timeout_seconds=seconds)).log_patterns
