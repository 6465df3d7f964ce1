"""Bytes of a log file to records, whatever the bytes are, in bounded memory."""

from __future__ import annotations

import codecs
import re

from logs_service.patterns.record import RawRecord
from logs_service.patterns.traces import TraceJoiner

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_BYTES = bytes(code for code in (*range(32), 127) if code not in (9, 10))
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAGIC = (
    b"\x1f\x8b", b"PK\x03\x04", b"\x7fELF", b"%PDF-", b"\x89PNG", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd",
    b"\xff\xd8\xff", b"MZ\x90", b"SQLite format 3\x00",
)  # fmt: skip


def looks_binary(sample: bytes) -> bool:
    """Whether the first bytes of an input are no text: an archive, an image, a program, noise."""
    if not sample:
        return False
    if sample.startswith(_MAGIC):
        return True
    sample = sample[:8192]
    if sample.startswith(_UTF16):
        sample = sample[: len(sample) // 2 * 2].decode("utf-16", errors="replace").encode("utf-8", errors="replace")
    control = sum(sample.count(code) for code in range(32) if code not in (9, 10, 12, 13, 27))
    if control > len(sample) * 0.1:
        return True
    text = sample.decode("utf-8", errors="replace")
    # A legacy code page gives a few replacements in a line of words; noise gives them everywhere.
    return text.count("\ufffd") > len(text) * 0.3


class LineReader:
    """Splits bytes into records: cuts over-long lines, joins stack traces to the line above them."""

    def __init__(self, max_record_bytes: int = 65536, *, join_traces: bool = True) -> None:
        self._limit = max_record_bytes
        self._tail = bytearray()
        self._cut = False
        self._line_number = 0
        self._after_return = False
        self._begun = False
        self._opening = b""
        self._utf16: codecs.IncrementalDecoder | None = None
        self._joiner = TraceJoiner(max_record_bytes) if join_traces else None
        self.empty_lines = 0
        """Lines without any text, which make no record."""

    @property
    def line_count(self) -> int:
        """Lines read so far, empty ones included."""
        return self._line_number

    def feed(self, chunk: bytes) -> list[RawRecord]:
        """The records that are complete with this chunk; the newest waits for lines that may belong to it."""
        records: list[RawRecord] = []
        chunk = self._as_utf8(chunk)
        second_half = self._after_return and chunk.startswith(b"\n")
        if chunk:
            self._after_return = chunk.endswith(b"\r")
        if second_half:
            chunk = chunk[1:]
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        block, newline, rest = chunk.rpartition(b"\n")
        if newline:
            if self._tail:
                first, more, others = block.partition(b"\n")
                self._keep(first)
                self._block(bytes(self._tail), records)
                self._tail.clear()
                block, newline = others, more
            if newline:
                self._block(block, records)
        self._keep(rest)
        return records

    def close(self) -> list[RawRecord]:
        """The records that were still waiting; the reader is spent afterwards."""
        records: list[RawRecord] = []
        if self._opening:
            self._tail += self._opening
        if self._tail:
            self._block(bytes(self._tail), records)
            self._tail.clear()
        if self._joiner is not None:
            records.extend(self._joiner.close())
        return records

    def _as_utf8(self, chunk: bytes) -> bytes:
        """The chunk itself, or what it says when the input began with the mark of UTF-16."""
        if not self._begun and chunk:
            chunk = self._opening + chunk
            if len(chunk) < len(_UTF16[0]):
                self._opening = chunk
                return b""
            self._begun, self._opening = True, b""
            if chunk.startswith(_UTF16):
                self._utf16 = codecs.getincrementaldecoder("utf-16")(errors="replace")
        return chunk if self._utf16 is None else self._utf16.decode(chunk).encode("utf-8", errors="replace")

    def _keep(self, part: bytes) -> None:
        room = self._limit - len(self._tail)
        if len(part) > room:
            self._cut = True
            part = part[:room]
        self._tail += part

    def _block(self, block: bytes, records: list[RawRecord]) -> None:
        """Takes whole lines at once: most blocks have nothing to clean, so that is found out once."""
        if self._line_number == 0 and block.startswith(b"\xef\xbb\xbf"):
            block = block[3:]
        text = block.decode("utf-8", errors="replace")
        if len(block.translate(None, _CONTROL_BYTES)) != len(block):
            text = _CONTROL.sub("\ufffd", _ANSI.sub("", text) if "\x1b" in text else text)
        cut, self._cut = self._cut, False
        joiner = self._joiner
        for line in text.split("\n"):
            self._line_number += 1
            line, truncated = self._bounded(line.rstrip(), cut=cut)  # noqa: PLW2901 - the bounded line
            if not line:
                self.empty_lines += 1
                if joiner is not None:
                    joiner.empty_line()
                continue
            record = RawRecord(line, self._line_number, 1, truncated)
            if joiner is not None:
                done = joiner.add(record)
                if done is None:
                    continue
                record = done
            records.append(record)

    def _bounded(self, line: str, *, cut: bool) -> tuple[str, bool]:
        if len(line) * 4 > self._limit:
            data = line.encode("utf-8", errors="replace")
            if len(data) > self._limit:
                return data[: self._limit].decode("utf-8", errors="ignore"), True
        return (line.rstrip("\ufffd"), True) if cut else (line, False)
