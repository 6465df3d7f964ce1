"""LogsService over gRPC: what came in to domain words, one use case or query, and the answer back."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceServicer
from chassis.db import Claim, Database, UnitOfWork, WriteTx
from chassis.errors import InvalidArgument
from chassis.idempotency import request_fingerprint
from chassis.ids import parse_id, parse_ids
from chassis.paging import page_from, page_info
from chassis.redaction import Redactor
from chassis.rpc.server import Context
from logs_service import convert, queries, statistics, usecases
from logs_service.domain import MAXIMUM_PASTE_BYTES, MAXIMUM_UPLOAD_BYTES, LogSource, guard_size
from logs_service.histogram import get_log_histogram
from logs_service.ingest.pipeline import Ingestor

MAXIMUM_CHUNK_BYTES = 1024 * 1024


class LogsServicer(LogsServiceServicer):
    """The RPCs of logs."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        database: Database,
        redactor: Redactor,
        ingestor: Ingestor,
        *,
        concurrent_ingestions: int,
    ) -> None:
        self._uow = unit_of_work
        self._database = database
        self._redactor = redactor
        self._ingestor = ingestor
        self._pastes = asyncio.Semaphore(concurrent_ingestions)
        # Apart from pastes: a client that sends slowly must hold up other uploads alone.
        self._uploads = asyncio.Semaphore(concurrent_ingestions)

    async def SummarizeLog(self, request: pb.SummarizeLogRequest, context: Context) -> pb.SummarizeLogResponse:
        """Store pasted text as a log."""
        cmd, text = convert.receive_command(request, LogSource.PASTE), request.text.encode()
        guard_size(len(text), maximum_bytes=MAXIMUM_PASTE_BYTES)

        async def effect(tx: WriteTx) -> pb.SummarizeLogResponse:
            log = await usecases.receive_log(cmd, _whole(text), tx, self._ingestor)
            return pb.SummarizeLogResponse(log=convert.log_to_proto(log))

        async with self._pastes:
            return await self._uow.once(request, pb.SummarizeLogResponse, effect)

    async def UploadLog(
        self, request_iterator: AsyncIterator[pb.UploadLogRequest], context: Context
    ) -> pb.UploadLogResponse:
        """Store a streamed file as a log."""
        upload = Upload(request_iterator)
        header = await upload.header()
        cmd = convert.receive_command(header, LogSource.UPLOAD)
        async with self._uploads, self._uow.claim("UploadLog", header.idempotency_key) as claim:
            if claim.is_replay:
                return await self._replayed(claim, upload)
            log = await usecases.receive_log(cmd, upload.chunks(), claim.tx, self._ingestor)
            response = pb.UploadLogResponse(log=convert.log_to_proto(log))
            await claim.store(await upload.fingerprint(), response)
            return response

    async def _replayed(self, claim: Claim, upload: "Upload") -> pb.UploadLogResponse:
        stored = await claim.replay(await upload.fingerprint(), pb.UploadLogResponse)
        assert stored is not None, "a replay has a response"
        return stored

    async def ResummarizeLog(self, request: pb.ResummarizeLogRequest, context: Context) -> pb.ResummarizeLogResponse:
        """Have a log summarised anew."""

        async def effect(tx: WriteTx) -> pb.ResummarizeLogResponse:
            log = await usecases.resummarize_log(convert.resummarize_command(request), tx)
            return pb.ResummarizeLogResponse(log=convert.log_to_proto(log))

        return await self._uow.once(request, pb.ResummarizeLogResponse, effect)

    async def AcceptLogSuggestion(
        self, request: pb.AcceptLogSuggestionRequest, context: Context
    ) -> pb.AcceptLogSuggestionResponse:
        """Make a suggested summary the summary of its log."""

        async def effect(tx: WriteTx) -> pb.AcceptLogSuggestionResponse:
            log = await usecases.accept_suggestion(convert.suggestion_command(request), tx)
            return pb.AcceptLogSuggestionResponse(log=convert.log_to_proto(log))

        return await self._uow.once(request, pb.AcceptLogSuggestionResponse, effect)

    async def DismissLogSuggestion(
        self, request: pb.DismissLogSuggestionRequest, context: Context
    ) -> pb.DismissLogSuggestionResponse:
        """Put a suggested summary away."""

        async def effect(tx: WriteTx) -> pb.DismissLogSuggestionResponse:
            log = await usecases.dismiss_suggestion(convert.suggestion_command(request), tx)
            return pb.DismissLogSuggestionResponse(log=convert.log_to_proto(log))

        return await self._uow.once(request, pb.DismissLogSuggestionResponse, effect)

    async def UpdateLogStatus(self, request: pb.UpdateLogStatusRequest, context: Context) -> pb.UpdateLogStatusResponse:
        """Move the human status of a log."""

        async def effect(tx: WriteTx) -> pb.UpdateLogStatusResponse:
            log = await usecases.update_log_status(convert.update_status_command(request), tx, self._redactor)
            return pb.UpdateLogStatusResponse(log=convert.log_to_proto(log))

        return await self._uow.once(request, pb.UpdateLogStatusResponse, effect)

    async def UpdateLog(self, request: pb.UpdateLogRequest, context: Context) -> pb.UpdateLogResponse:
        """Replace tags, notes or severity of a log."""

        async def effect(tx: WriteTx) -> pb.UpdateLogResponse:
            log = await usecases.update_log(convert.update_command(request), tx, self._redactor)
            return pb.UpdateLogResponse(log=convert.log_to_proto(log))

        return await self._uow.once(request, pb.UpdateLogResponse, effect)

    async def GetLog(self, request: pb.GetLogRequest, context: Context) -> pb.GetLogResponse:
        """One log."""
        async with self._database.read() as tx:
            log = await queries.get_log(parse_id(request.log_id, field="log_id"), tx)
        return pb.GetLogResponse(log=convert.log_to_proto(log))

    async def BatchGetLogs(self, request: pb.BatchGetLogsRequest, context: Context) -> pb.BatchGetLogsResponse:
        """The logs that exist among the ids."""
        async with self._database.read() as tx:
            logs = await queries.batch_get_logs(parse_ids(request.ids), tx)
        return pb.BatchGetLogsResponse(logs=map(convert.log_to_proto, logs))

    async def ListLogs(self, request: pb.ListLogsRequest, context: Context) -> pb.ListLogsResponse:
        """A page of logs, the newest first."""
        page, wanted = page_from(request.page), convert.log_filter(request.filter)
        async with self._database.read() as tx:
            found = await queries.list_logs(wanted, page, tx)
        return pb.ListLogsResponse(
            logs=map(convert.log_to_proto, found.items), page_info=page_info(found), cursors=found.cursors
        )

    async def ListLogRecords(self, request: pb.ListLogRecordsRequest, context: Context) -> pb.ListLogRecordsResponse:
        """A page of records by id."""
        page, wanted = page_from(request.page), convert.record_filter(request.filter)
        async with self._database.read() as tx:
            found = await queries.list_log_records(wanted, page, tx)
        return pb.ListLogRecordsResponse(
            log_records=map(convert.record_to_proto, found.items), page_info=page_info(found), cursors=found.cursors
        )

    async def GetLogHistogram(self, request: pb.GetLogHistogramRequest, context: Context) -> pb.GetLogHistogramResponse:
        """The records of a log over time."""
        wanted = convert.record_filter(request.filter)
        async with self._database.read() as tx:
            found = await get_log_histogram(wanted, request.bucket_count, tx)
        return pb.GetLogHistogramResponse(histogram=convert.histogram_to_proto(found))

    async def BatchGetLogRecords(
        self, request: pb.BatchGetLogRecordsRequest, context: Context
    ) -> pb.BatchGetLogRecordsResponse:
        """The records that exist among the ids."""
        async with self._database.read() as tx:
            records = await queries.batch_get_log_records(parse_ids(request.ids), tx)
        return pb.BatchGetLogRecordsResponse(log_records=map(convert.record_to_proto, records))

    async def ListLogPatterns(self, request: pb.ListLogPatternsRequest, context: Context) -> pb.ListLogPatternsResponse:
        """A page of a log's patterns, the most frequent first."""
        page, log_id = page_from(request.page), parse_id(request.log_id, field="log_id")
        async with self._database.read() as tx:
            found = await statistics.list_log_patterns(log_id, page, tx)
        return pb.ListLogPatternsResponse(
            log_patterns=map(convert.pattern_count_to_proto, found.items),
            page_info=page_info(found),
            cursors=found.cursors,
        )

    async def BatchGetLogPatterns(
        self, request: pb.BatchGetLogPatternsRequest, context: Context
    ) -> pb.BatchGetLogPatternsResponse:
        """The patterns that stand for the ids."""
        async with self._database.read() as tx:
            found = await queries.batch_get_log_patterns(parse_ids(request.ids), tx)
        return pb.BatchGetLogPatternsResponse(log_patterns=convert.resolved_to_proto(found))


class Upload:
    """The messages of one upload: the header, then chunks, which are hashed as they pass."""

    def __init__(self, messages: AsyncIterator[pb.UploadLogRequest]) -> None:
        self._messages = aiter(messages)
        self._digest = hashlib.sha256()
        self._byte_count = 0

    async def header(self) -> pb.UploadLogHeader:
        """The first message.

        Raises:
            InvalidArgument: it is no header.
        """
        first = await anext(self._messages, pb.UploadLogRequest())
        if first.WhichOneof("part") != "header":
            raise InvalidArgument("the first message of an upload must hold the header", field="header")
        self._digest.update(request_fingerprint(first.header))
        return first.header

    async def chunks(self) -> AsyncIterator[bytes]:
        """What follows, as it comes in.

        Raises:
            InvalidArgument: a message holds no chunk, or too large a one.
            LogTooLarge: it is more than an upload may have.
        """
        async for message in self._messages:
            chunk = message.chunk
            if message.WhichOneof("part") != "chunk" or len(chunk) > MAXIMUM_CHUNK_BYTES:
                raise InvalidArgument(
                    f"after the header, each message must hold a chunk of at most {MAXIMUM_CHUNK_BYTES:,} bytes",
                    field="chunk",
                )
            self._byte_count += len(chunk)
            guard_size(self._byte_count, maximum_bytes=MAXIMUM_UPLOAD_BYTES)
            self._digest.update(chunk)
            yield chunk

    async def fingerprint(self) -> bytes:
        """What makes two uploads the same: the header without its key, and every byte. Reads what is left."""
        async for _ in self.chunks():
            pass
        return self._digest.digest()


async def _whole(text: bytes) -> AsyncIterator[bytes]:
    yield text
