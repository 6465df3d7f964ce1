"""Drives an ingestion: computes one block in a thread while the block before it goes into Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar
from uuid import UUID

from chassis.db import WriteTx
from chassis.ids import uuid7
from chassis.redaction import Redactor
from logs_service.commands import ReceiveLog
from logs_service.domain import Log, LogPattern, LogSource
from logs_service.errors import LogEmpty, LogNotText
from logs_service.ingest.catalogue import MAXIMUM_PATTERNS, write_changes
from logs_service.ingest.lines import Cleaner, Lines, service_of
from logs_service.patterns.miner import Pattern, PatternMiner
from logs_service.patterns.reader import looks_binary
from logs_service.patterns.record import ParsedRecord
from logs_service.store import LogStore, PatternStore, RecordStore

BLOCK_BYTES = 512 * 1024
_SNIFFED_BYTES = 8192
_T = TypeVar("_T")
_U = TypeVar("_U")


async def ingest(cmd: ReceiveLog, chunks: AsyncIterator[bytes], tx: WriteTx, redactor: Redactor) -> Log:
    """Store a log with all its records and patterns inside the transaction.

    Raises:
        LogEmpty: no line has text.
        LogNotText: the input is binary.
        Internal: a text could not be redacted.
    """
    cleaner = Cleaner(redactor)
    log_id = uuid7()
    lines = Lines(log_id=log_id, arrival=tx.now, timezone=cmd.timezone, cleaner=cleaner)
    records, writer = RecordStore(tx), _Writer(cmd.service and cleaner.text(cmd.service), tx)
    rows, byte_count = b"", 0
    async for block in _blocks(chunks):
        if byte_count == 0 and looks_binary(block[:_SNIFFED_BYTES]):
            raise LogNotText("this is no text; send the log as plain text, unpacked", offset_bytes="0")
        byte_count += len(block)
        parsed, _ = await _both(asyncio.to_thread(lines.parse, block), records.copy(rows))
        rows = await writer.rows(lines, parsed)
    parsed, _ = await _both(asyncio.to_thread(lines.close), records.copy(rows))
    await records.copy(await writer.rows(lines, parsed))
    if not lines.counts:
        raise LogEmpty("the log holds no line with text; send at least one")
    return await writer.finish(log_id, cleaner.text(cmd.name), cmd.source, lines, byte_count)


class _Writer:
    """Mines records, and writes the log and its patterns when there are no more."""

    def __init__(self, service: str, tx: WriteTx) -> None:
        self._service = service
        self._tx = tx
        self._known: list[LogPattern] = []
        self._miner: PatternMiner | None = None

    async def rows(self, lines: Lines, records: list[ParsedRecord]) -> bytes:
        if not records:
            return b""
        if self._miner is None:
            self._service = self._service or service_of(records)
            self._known = await PatternStore(self._tx, self._service).live(limit=MAXIMUM_PATTERNS)
            catalogue = [Pattern(pattern.id, pattern.template, pattern.version) for pattern in self._known]
            self._miner = await asyncio.to_thread(PatternMiner, catalogue, new_id=uuid7)
        return await asyncio.to_thread(lines.rows, records, self._miner, self._service)

    async def finish(self, log_id: UUID, name: str, source: LogSource, lines: Lines, byte_count: int) -> Log:
        assert self._miner is not None, "there are records"
        changes = await asyncio.to_thread(self._miner.finish)
        contents = lines.contents(byte_count)
        log = Log(
            id=log_id,
            version=1,
            name=name,
            service=self._service,
            source=source,
            contents=contents,
            created_by_kind=self._tx.actor.kind,
            created_by_id=self._tx.actor.id,
            created_at=self._tx.now,
            updated_at=self._tx.now,
            severity=contents.worst_severity,
            pattern_count=len({self._miner.resolve(pattern_id) for pattern_id, _ in lines.counts}),
        )
        await LogStore(self._tx).add(log)
        patterns = PatternStore(self._tx, self._service)
        await write_changes(patterns, changes, self._known, service=self._service, log_id=log_id, at=self._tx.now)
        await patterns.count(log_id, lines.counts)
        return log


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks joined or cut to blocks, so that their size decides nothing."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) >= BLOCK_BYTES:
            yield bytes(waiting[:BLOCK_BYTES])
            del waiting[:BLOCK_BYTES]
    if waiting:
        yield bytes(waiting)


async def _both(one: Awaitable[_T], other: Awaitable[_U]) -> tuple[_T, _U]:
    """Both results; when one fails, the other has ended too before the failure is told."""
    results = await asyncio.gather(one, other, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results  # type: ignore[return-value]  # none of them is an exception
