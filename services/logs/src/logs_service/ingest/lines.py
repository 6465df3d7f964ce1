"""The part of ingestion that only computes: bytes to records, and those to redacted rows in COPY's text format."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from uuid import UUID

from chassis.errors import Internal
from chassis.redaction import RedactionFailed, Redactor
from logs_service.domain import MAXIMUM_SERVICE_CHARACTERS, Contents
from logs_service.patterns.header import HeaderDetector
from logs_service.patterns.miner import PatternMiner
from logs_service.patterns.reader import LineReader
from logs_service.patterns.record import ParsedRecord, RawRecord, Severity

_TRACE_KEYS = ("trace_id", "traceId", "trace.id", "TraceId", "otelTraceID", "traceparent")
_TRACE_ID = re.compile(r"(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?", re.IGNORECASE)
_MAXIMUM_LEVEL_CHARACTERS = 32
_MAXIMUM_CACHED = 20_000
_MAXIMUM_CACHED_CHARACTERS = 256
_NULL = "\\N"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cleaner:
    """Makes what a line holds fit to be stored: redacted, and without what Postgres cannot keep."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lines: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self._fields: dict[tuple[str, str], tuple[str, str]] = {}

    def text(self, text: str) -> str:
        """Redacted text.

        Raises:
            Internal: it could not be redacted, so it must not be stored.
        """
        try:
            return self._redactor.redact(_storable(text))
        except RedactionFailed as error:
            raise Internal("the text could not be redacted, so nothing was stored; report this") from error

    def line(self, text: str) -> str:
        """Redacted text of a line; many lines of a log repeat word for word."""
        known = self._lines.get(text)
        if known is None:
            known = self.text(text)
            if len(text) <= _MAXIMUM_CACHED_CHARACTERS:
                if len(self._lines) >= _MAXIMUM_CACHED:
                    self._lines.clear()
                self._lines[text] = known
        return known

    def word(self, word: str, *, maximum: int) -> str:
        """A redacted name that many records share."""
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _MAXIMUM_CACHED:
                self._words.clear()
            known = self._words[word] = self.text(" ".join(word.split()))[:maximum]
        return known

    def attributes(self, attributes: dict[str, str]) -> dict[str, str]:
        """Redacted attributes; each is judged with its name in sight.

        Raises:
            Internal: one could not be redacted.
        """
        return dict(self._fields.get(item) or self._field(item) for item in attributes.items())

    def _field(self, item: tuple[str, str]) -> tuple[str, str]:
        try:
            ((key, value),) = self._redactor.redact_mapping({_storable(item[0]): _storable(item[1])}).items()
        except RedactionFailed as error:
            raise Internal("an attribute could not be redacted, so nothing was stored; report this") from error
        if len(self._fields) >= _MAXIMUM_CACHED:
            self._fields.clear()
        cleaned = self._fields[item] = (key, str(value))
        return cleaned


class Lines:
    """Reads one log block by block. Not thread-safe."""

    def __init__(self, *, log_id: UUID, arrival: datetime, timezone: tzinfo, cleaner: Cleaner) -> None:
        self._log_id = log_id
        self._observed = arrival.isoformat()
        self._cleaner = cleaner
        self._reader = LineReader()
        self._headers = HeaderDetector(now=arrival, timezone=timezone)
        self._ids = RecordIds(arrival)
        self._pattern_texts: dict[UUID, str] = {}
        self._first_time: int | None = None
        self._last_time: int | None = None
        self.counts: Counter[tuple[UUID, Severity]] = Counter()
        """Records by pattern, as the miner named it, and severity."""

    def parse(self, block: bytes) -> list[ParsedRecord]:
        """The records that are complete with this block, not redacted yet."""
        return self._headers.feed(self._reader.feed(block))

    def close(self) -> list[ParsedRecord]:
        """The records that were still waiting, not redacted yet."""
        rest: list[RawRecord] = self._reader.close()
        return [*self._headers.feed(rest), *self._headers.close()]

    def rows(self, records: Iterable[ParsedRecord], miner: PatternMiner, service: str) -> bytes:
        """The records as rows: redacted, each with the provisional id of its pattern.

        Raises:
            Internal: one could not be redacted.
        """
        clean, clean_word, clean_attributes = self._cleaner.line, self._cleaner.word, self._cleaner.attributes
        add, counts, next_id, texts = miner.add, self.counts, self._ids.next_text, self._pattern_texts
        log_id, observed, service = str(self._log_id), self._observed, _escaped(service)
        first, last = self._first_time, self._last_time
        rows: list[str] = []
        for body, time, severity, severity_text, program, attributes, line_number, _, _, truncated in records:
            text = clean(body)
            pattern_id = add(text)
            counts[pattern_id, severity] += 1
            pattern_text = texts.get(pattern_id)
            if pattern_text is None:
                pattern_text = texts[pattern_id] = str(pattern_id)
            if time is not None:
                first = time if first is None or time < first else first
                last = time if last is None or time > last else last
            trace_id, details = "", "{}"
            if attributes:
                trace_id = _trace_id(attributes)
                details = _escaped(json.dumps(clean_attributes(attributes), ensure_ascii=False))
            rows.append(
                f"{next_id()}\t{log_id}\t{pattern_text}\t{_NULL if time is None else time}\t{observed}\t{line_number}\t"
                f"{severity.value}\t{'t' if truncated else 'f'}\t"
                f"{_escaped(clean_word(severity_text, maximum=_MAXIMUM_LEVEL_CHARACTERS)) if severity_text else ''}\t"
                f"{_escaped(clean_word(program, maximum=MAXIMUM_SERVICE_CHARACTERS)) if program else service}\t"
                f"{trace_id}\t{_escaped(text)}\t{details}\n"
            )
        self._first_time, self._last_time = first, last
        return "".join(rows).encode()

    def service_of(self, records: Iterable[ParsedRecord]) -> str:
        """The service that most of the records name, if it is more than half of them; else empty."""
        named = Counter(record.service or "" for record in records)
        service, count = named.most_common(1)[0] if named else ("", 0)
        return self._cleaner.word(service, maximum=MAXIMUM_SERVICE_CHARACTERS) if count * 2 > named.total() else ""

    def contents(self, byte_count: int) -> Contents:
        """What was found, once everything was turned into rows; there is at least one record."""
        severities: Counter[Severity] = Counter()
        for (_, severity), count in self.counts.items():
            severities[severity] += count
        return Contents(
            record_count=severities.total(),
            line_count=self._reader.line_count,
            byte_count=byte_count,
            severity_counts=severities,
            first_time_nanoseconds=self._first_time,
            last_time_nanoseconds=self._last_time,
            first_record_id=self._ids.first,
            last_record_id=self._ids.last,
        )


class RecordIds:
    """UUIDv7 of one log's records: the millisecond of its arrival, 46 random bits, and a counter, so that they rise."""

    _COUNTER_BITS = 28
    _TAIL_BITS = 20

    def __init__(self, arrival: datetime) -> None:
        milliseconds = (arrival - _EPOCH) // timedelta(milliseconds=1)
        self._base = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0x2 << 62)
        self._base |= (secrets.randbits(14) << 48) | secrets.randbits(self._TAIL_BITS)
        text = str(UUID(int=self._base))
        self._head, self._tail = text[:24], text[-5:]
        self._count = 0

    def next_text(self) -> str:
        """The next id."""
        count = self._count
        self._count = count + 1
        return f"{self._head}{count:07x}{self._tail}"

    @property
    def first(self) -> UUID:
        """The first id that was given out."""
        return self._at(0)

    @property
    def last(self) -> UUID:
        """The last id that was given out."""
        return self._at(max(self._count - 1, 0))

    def _at(self, count: int) -> UUID:
        return UUID(int=self._base | (count << self._TAIL_BITS))


def _escaped(text: str) -> str:
    """The text as COPY's text format wants it; four searches cost less than one translation."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text:
        text = text.replace("\n", "\\n")
    if "\t" in text:
        text = text.replace("\t", "\\t")
    return text.replace("\r", "\\r") if "\r" in text else text


def _trace_id(attributes: dict[str, str]) -> str:
    for key in _TRACE_KEYS:
        found = _TRACE_ID.fullmatch(attributes.get(key, ""))
        if found is not None:
            return found[1].lower()
    return ""


def _storable(text: str) -> str:
    """The text without NUL and half surrogates, which escapes in JSON lines can make and Postgres cannot keep."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
