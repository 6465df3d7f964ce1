"""Drives an ingestion: computes one block in a thread while the block before it goes into Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from chassis.db import WriteTx
from chassis.ids import uuid7
from chassis.redaction import Redactor
from logs_service.commands import ReceiveLog
from logs_service.domain import Log, LogPattern, LogSource
from logs_service.errors import LogEmpty, LogNotText
from logs_service.ingest.catalogue import MAXIMUM_PATTERNS, write_changes
from logs_service.ingest.lines import Cleaner, Lines
from logs_service.patterns.miner import Pattern, PatternMiner
from logs_service.patterns.reader import looks_binary
from logs_service.patterns.record import ParsedRecord
from logs_service.store import LogStore, PatternStore, RecordStore

BLOCK_BYTES = 512 * 1024
_SNIFFED_BYTES = 8192
_T = TypeVar("_T")
_U = TypeVar("_U")


class Ingestor:
    """Takes logs in. Many at once, of which one computes at a time: threads that compute slow each other down."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._turn = asyncio.Lock()

    async def ingest(self, cmd: ReceiveLog, chunks: AsyncIterator[bytes], tx: WriteTx) -> Log:
        """Store a log with all its records and patterns inside the transaction.

        Raises:
            LogEmpty: no line has text.
            LogNotText: the input is binary.
            Internal: a text could not be redacted.
        """
        cleaner = Cleaner(self._redactor)
        log_id = uuid7()
        lines = Lines(log_id=log_id, arrival=tx.now, timezone=cmd.timezone, cleaner=cleaner)
        writer = _Writer(cmd.service and cleaner.text(cmd.service), lines, tx, self._computed)
        records, rows, byte_count = RecordStore(tx), b"", 0
        async for block in _blocks(chunks):
            if byte_count == 0 and looks_binary(block[:_SNIFFED_BYTES]):
                raise LogNotText("this is no text; send the log as plain text, unpacked", offset_bytes="0")
            byte_count += len(block)
            rows, _ = await _both(writer.rows(block), records.copy(rows))
        await records.copy(rows)
        await records.copy(await writer.last_rows())
        if not lines.counts:
            raise LogEmpty("the log holds no line with text; send at least one")
        return await writer.finish(log_id, cleaner.text(cmd.name), cmd.source, byte_count)

    async def _computed(self, work: Callable[[], _T]) -> _T:
        async with self._turn:
            return await asyncio.to_thread(work)


class _Computed(Protocol):
    """Runs work in a thread, when it is its turn."""

    async def __call__(self, work: Callable[[], _T], /) -> _T: ...


class _Writer:
    """Turns blocks into rows, and writes the log and its patterns when there are no more."""

    def __init__(self, service: str, lines: Lines, tx: WriteTx, computed: _Computed) -> None:
        self._service = service
        self._lines = lines
        self._tx = tx
        self._computed = computed
        self._known: list[LogPattern] = []
        self._miner: PatternMiner | None = None

    async def rows(self, block: bytes) -> bytes:
        """The rows that are complete with this block."""
        if self._miner is not None:
            return await self._computed(partial(self._mined, block, self._miner))
        records = await self._computed(partial(self._lines.parse, block))
        return await self._begun(records)

    async def last_rows(self) -> bytes:
        """The rows that were still waiting."""
        return await self._begun(await self._computed(self._lines.close))

    def _mined(self, block: bytes, miner: PatternMiner) -> bytes:
        return self._lines.rows(self._lines.parse(block), miner, self._service)

    async def _begun(self, records: list[ParsedRecord]) -> bytes:
        """The first records name the service, whose catalogue the miner begins with."""
        if not records:
            return b""
        if self._miner is None:
            self._service = self._service or self._lines.service_of(records)
            self._known = await PatternStore(self._tx, self._service).live(limit=MAXIMUM_PATTERNS)
            catalogue = [Pattern(pattern.id, pattern.template, pattern.version) for pattern in self._known]
            self._miner = await self._computed(partial(PatternMiner, catalogue, new_id=uuid7))
        return await self._computed(partial(self._lines.rows, records, self._miner, self._service))

    async def finish(self, log_id: UUID, name: str, source: LogSource, byte_count: int) -> Log:
        """Write the log, its patterns and their counts."""
        assert self._miner is not None, "there are records"
        lines = self._lines
        changes = await self._computed(self._miner.finish)
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
