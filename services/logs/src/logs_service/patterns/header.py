"""Finds the header of raw lines by itself and parses each record into body, time, severity and service."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from logs_service.patterns.layout import Layout, elements, learn_layout
from logs_service.patterns.record import ParsedRecord, RawRecord, Severity
from logs_service.patterns.severity import severity_in_body, severity_of, syslog_severity
from logs_service.patterns.structured import Structured, parse_structured, unwrap_cri
from logs_service.patterns.timestamps import TimeReader, shape_at

_MAX_LAYOUTS = 6
_RELEARN_SAMPLE = 64
_WEAK_SHAPES = frozenset(("epoch", "date", "clock", "yymmdd", "noyear"))
"""Shapes that a number in a message may have by chance: alone they make no header."""


class HeaderDetector:
    """Learns the column layout from the first records of an upload, then parses each record in one match."""

    def __init__(self, *, now: datetime, timezone: tzinfo = UTC, sample_records: int = 200) -> None:
        self._sample_records = sample_records
        self._times = TimeReader(now=now, timezone=timezone)
        self._waiting: list[RawRecord] | None = []
        self._layouts: list[Layout] = []
        self._strays: list[str] = []
        self._stray_count = 0
        self._relearn_at = _RELEARN_SAMPLE

    def feed(self, records: Iterable[RawRecord]) -> list[ParsedRecord]:
        """The parsed records in their order; the first ones come when the layout is learned."""
        if self._waiting is None:
            return [self._parse(record) for record in records]
        self._waiting.extend(records)
        if len(self._waiting) < self._sample_records:
            return []
        return self.close()

    def close(self) -> list[ParsedRecord]:
        """Learns from what there is and gives the records that were waiting."""
        waiting, self._waiting = self._waiting or [], None
        step = max(1, len(waiting) // self._sample_records)
        lines = [inner for record in waiting[::step] if (inner := self._plain_line(record.text)) is not None]
        self._times.day_first = _writes_day_first(lines)
        self._learn(lines)
        return [self._parse(record) for record in waiting]

    def _plain_line(self, text: str) -> str | None:
        line = text.partition("\n")[0]
        cri = unwrap_cri(line)
        if cri is not None:
            line = cri[2]
        structured = parse_structured(line, self._times)
        if structured is None:
            return _without_priority(line)[0] or None
        return structured.body if structured.wrapped else None

    def _learn(self, lines: list[str]) -> None:
        while lines and len(self._layouts) < _MAX_LAYOUTS:
            layout = learn_layout(lines)
            if layout is None:
                return
            rest = [line for line in lines if layout.expression.match(line) is None]
            if len(rest) == len(lines):
                return
            self._layouts.append(layout)
            if len(rest) < max(5, len(lines) // 20):
                return
            lines = rest

    def _parse(self, record: RawRecord) -> ParsedRecord:
        text = record.text
        time: int | None = None
        severity, severity_text, service = Severity.UNSPECIFIED, "", None
        attributes: dict[str, str] = {}
        body = text
        if text[4:5] == "-" and text[10:11] == "T" and (cri := unwrap_cri(text)) is not None:
            time = self._times.read(cri[0])
            attributes["log.iostream"] = cri[1]
            body = cri[2]
        structured = parse_structured(body, self._times) if body[:1] == "{" or "msg=" in body or "message=" in body else None
        if structured is not None:
            body, time, severity, severity_text, service = _take(structured, time, attributes)
            if not structured.wrapped:
                if severity is Severity.UNSPECIFIED:
                    severity = severity_in_body(body)
                return ParsedRecord(body, time, severity, severity_text, service, attributes, record.line_number,
                                    record.line_count, "", record.truncated)  # fmt: skip
        if body[:1] == "<":
            body, priority = _without_priority(body)
            if priority is not None:
                severity = syslog_severity(priority % 8)
        return self._parse_plain(record, body, time, severity, severity_text, service, attributes)

    def _parse_plain(  # noqa: PLR0913 - what was already known of the record
        self, record: RawRecord, body: str, time: int | None, severity: Severity, severity_text: str,
        service: str | None, attributes: dict[str, str],
    ) -> ParsedRecord:  # fmt: skip
        end = 0
        for layout in self._layouts:
            match = layout.expression.match(body)
            if match is None:
                continue
            end = match.end()
            if layout.shape is not None:
                own = self._times.nanoseconds(layout.shape, *match.group("ts", "frac", "zone"))
                time = time if own is None else own
                if layout.shape.name == "klog":
                    severity_text = match["ts"][0]
            if layout.has_level:
                severity_text = match["level"]
            if layout.service and service is None:
                service = match[layout.service]
                if layout.service == "program" and (pid := match["pid"]):
                    attributes["process.pid"] = pid
            break
        else:
            if body:
                end, time, severity_text = self._fallback(body, time, severity_text)
                self._stray(body)
        if severity_text and severity is Severity.UNSPECIFIED:
            severity = severity_of(severity_text)
        header, message = body[:end].rstrip(), body[end:]
        if severity is Severity.UNSPECIFIED:
            severity = severity_in_body(message)
        if not message.strip():
            header, message = "", body
        return ParsedRecord(message, time, severity, severity_text, service, attributes, record.line_number,
                            record.line_count, header, record.truncated)  # fmt: skip

    def _fallback(self, body: str, time: int | None, severity_text: str) -> tuple[int, int | None, str]:
        """A line that fits no layout: only a time and a level that it opens with are its header."""
        start = 1 if body[:1] in "[(<" else 0
        if not (body[start : start + 1].isdigit() or body[start : start + 1].isupper()):
            return 0, time, severity_text
        timed = shape_at(body, start)
        if timed is None or timed[0].name in _WEAK_SHAPES:
            return 0, time, severity_text
        end = 0
        for element in elements(body[:200])[:3]:
            if element.kind == "time" and end == 0:
                text = element.text.strip("[]()<>,:;")
                own = self._times.read(text)
                time = own if own is not None else time
            elif element.kind == "level" and len(element.text) > 1:
                severity_text = element.text.strip("[]()<>,:;")
            else:
                break
            end = element.end
        while end < len(body) and body[end] in " \t":
            end += 1
        return end, time, severity_text

    def _stray(self, line: str) -> None:
        """Another layout may have begun, as where files of several programs follow one another."""
        if len(self._layouts) >= _MAX_LAYOUTS:
            return
        self._stray_count += 1
        if self._stray_count + _RELEARN_SAMPLE < self._relearn_at:
            return
        self._strays.append(line.partition("\n")[0])
        if self._stray_count >= self._relearn_at:
            strays, self._strays = self._strays, []
            # A log without any header asks ever more rarely.
            self._relearn_at = self._stray_count * 2
            self._learn(strays)


def _take(
    found: Structured, time: int | None, attributes: dict[str, str]
) -> tuple[str, int | None, Severity, str, str | None]:
    attributes.update(found.attributes)
    return (found.body, found.time if found.time is not None else time, found.severity, found.severity_text,
            found.service)  # fmt: skip


def _without_priority(line: str) -> tuple[str, int | None]:
    """Cuts the `<PRI>` of a syslog line, and the version digit of RFC 5424 after it."""
    end = line.find(">", 1, 5)
    if line[:1] != "<" or end < 0 or not line[1:end].isdecimal() or int(line[1:end]) > 191:
        return line, None
    start = end + 3 if line[end + 1 : end + 3] == "1 " else end + 1
    return line[start:], int(line[1:end])


def _writes_day_first(lines: list[str]) -> bool:
    """Whether any slashed date of the sample can only be read with its day first."""
    day_first = False
    for line in lines:
        start = 1 if line[:1] in "[(" else 0
        found = shape_at(line, start)
        if found is not None and found[0].name == "slash":
            parts = line[start : found[1]].replace(".", "/").replace("-", "/").split(" ")[0].split(",")[0].split("/")
            if len(parts) == 3 and len(parts[2]) == 4:
                if int(parts[1]) > 12:
                    return False
                day_first = day_first or int(parts[0]) > 12
    return day_first
