"""Finds the header of raw lines by itself and parses each record into body, time, severity and service."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from logs_service.patterns.elements import elements
from logs_service.patterns.layout import learn_layout
from logs_service.patterns.record import ParsedRecord, RawRecord, Severity
from logs_service.patterns.severity import severity_in_body, severity_of, syslog_severity
from logs_service.patterns.structured import parse_structured, unwrap_cri
from logs_service.patterns.timestamps import WEAK_SHAPES, TimeReader, shape_at, writes_day_first

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logs_service.patterns.expression import Layout

_MAX_LAYOUTS = 6
_RELEARN_SAMPLE = 64
_MAX_PRIORITY = 191
_SYSLOG = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) (?P<message>\S+)"
    r" (?:-|(?:\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.)*\")*\])+)(?: |$)"
)
_SOURCE_LINE = re.compile(r"\.(?:go|py|rs|js|ts|java|c|cc|cpp)(?::\d+)?$")


class _Draft:
    """What is known of a record while it is parsed."""

    __slots__ = ("attributes", "body", "end", "service", "severity", "severity_text", "time")

    def __init__(self, body: str) -> None:
        self.body = body
        self.end = 0
        self.time: int | None = None
        self.severity = Severity.UNSPECIFIED
        self.severity_text = ""
        self.service: str | None = None
        self.attributes: dict[str, str] = {}

    def finished(self, record: RawRecord) -> ParsedRecord:
        """The parsed record; a header with nothing after it is taken for the message."""
        body, header = self.body[self.end :], self.body[: self.end].rstrip()
        if not body.strip():
            body, header = self.body, ""
        severity = self.severity
        if severity is Severity.UNSPECIFIED and self.severity_text:
            severity = severity_of(self.severity_text)
        if severity is Severity.UNSPECIFIED:
            severity = severity_in_body(body)
        return ParsedRecord(
            body,
            self.time,
            severity,
            self.severity_text,
            self.service,
            self.attributes,
            record.line_number,
            record.line_count,
            header,
            record.truncated,
        )


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
        return self._learned() if len(self._waiting) >= self._sample_records else []

    def close(self) -> list[ParsedRecord]:
        """The records that were still waiting for a layout."""
        return self._learned() if self._waiting is not None else []

    def _learned(self) -> list[ParsedRecord]:
        waiting, self._waiting = self._waiting or [], None
        step = max(1, len(waiting) // self._sample_records)
        lines = [line for record in waiting[::step] if (line := self._plain_line(record.text))]
        self._times.day_first = writes_day_first(lines)
        self._learn(lines)
        return [self._parse(record) for record in waiting]

    def _plain_line(self, text: str) -> str:
        """The line whose columns are to be learned; empty for a record that carries its own structure."""
        line = text.partition("\n")[0]
        cri = unwrap_cri(line)
        if cri is not None:
            line = cri[2]
        if _SYSLOG.match(line):
            return ""
        structured = parse_structured(line, self._times)
        if structured is None:
            return _without_priority(line)[0]
        return structured.body if structured.wrapped else ""

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
        draft = _Draft(record.text)
        body = draft.body
        if body[10:11] == "T" and (cri := unwrap_cri(body)) is not None:
            draft.time = self._times.read(cri[0])
            draft.attributes["log.iostream"] = cri[1]
            draft.body = body = cri[2]
        if (body[:1] == "{" or "msg=" in body or "message=" in body) and self._read_structured(draft):
            return draft.finished(record)
        if draft.body[:1] == "<" and self._read_syslog(draft):
            return draft.finished(record)
        self._read_columns(draft)
        return draft.finished(record)

    def _read_structured(self, draft: _Draft) -> bool:
        """Reads JSON and logfmt; False when columns are still to be read, as in a container's line."""
        found = parse_structured(draft.body, self._times)
        if found is None:
            return False
        draft.body = found.body
        draft.time = found.time if found.time is not None else draft.time
        draft.severity, draft.severity_text, draft.service = found.severity, found.severity_text, found.service
        draft.attributes.update(found.attributes)
        return not found.wrapped

    def _read_syslog(self, draft: _Draft) -> bool:
        """Reads a header of RFC 5424, which says what its columns are; cuts the priority of any other syslog line."""
        found = _SYSLOG.match(draft.body)
        if found is None:
            draft.body, priority = _without_priority(draft.body)
            if priority is not None:
                draft.severity = syslog_severity(priority % 8)
            return False
        draft.end = found.end() + draft.body.startswith("\ufeff", found.end())
        draft.time = self._times.read(found["time"])
        draft.severity = syslog_severity(int(found["priority"]) % 8)
        draft.service = None if found["app"] == "-" else found["app"]
        names = (("host.name", "host"), ("process.pid", "pid"), ("syslog.msg_id", "message"))
        draft.attributes.update({name: found[group] for name, group in names if found[group] != "-"})
        return True

    def _read_columns(self, draft: _Draft) -> None:
        for layout in self._layouts:
            match = layout.expression.match(draft.body)
            if match is not None:
                self._take_columns(draft, layout, match)
                return
        if draft.body:
            self._read_opening(draft)
            self._stray(draft.body)

    def _take_columns(self, draft: _Draft, layout: Layout, match: re.Match[str]) -> None:
        draft.end = match.end()
        if layout.shape is not None:
            own = self._times.nanoseconds(layout.shape, *match.group("ts", "frac", "zone"))
            draft.time = draft.time if own is None else own
            if layout.shape.name == "klog":
                draft.severity_text = match["ts"][0]
        if layout.has_level:
            draft.severity_text = match["level"] or draft.severity_text
        if layout.host:
            draft.attributes["host.name"] = match[layout.host]
        if layout.has_pid and match["pid"]:
            draft.attributes["process.pid"] = match["pid"]
        if layout.service and draft.service is None and (name := match[layout.service]):
            draft.service = _service_name(name)

    def _read_opening(self, draft: _Draft) -> None:
        """A line that fits no layout: only a time and a level that it opens with are its header."""
        body = draft.body
        start = 1 if body[:1] in "[(<" else 0
        if not (body[start : start + 1].isdigit() or body[start : start + 1].isupper()):
            return
        timed = shape_at(body, start)
        if timed is None or timed[0].name in WEAK_SHAPES:
            return
        for element in elements(body[:200])[:3]:
            if element.kind == "time" and draft.end == 0:
                own = self._times.read(element.text.strip("[]()<>,:;"))
                draft.time = draft.time if own is None else own
            elif element.kind == "level" and len(element.text) > 1:
                draft.severity_text = element.text.strip("[]()<>,:;")
            else:
                break
            draft.end = element.end
        while draft.end < len(body) and body[draft.end] in " \t":
            draft.end += 1

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


def _service_name(name: str) -> str | None:
    """A program or logger without its line number; a source file is no service."""
    name = name.strip()
    if _SOURCE_LINE.search(name):
        return None
    return name if "::" in name else name.partition(":")[0]


def _without_priority(line: str) -> tuple[str, int | None]:
    """Cuts the `<PRI>` of a syslog line."""
    end = line.find(">", 1, 5)
    if line[:1] != "<" or end < 0 or not line[1:end].isdecimal() or int(line[1:end]) > _MAX_PRIORITY:
        return line, None
    return line[end + 1 :], int(line[1:end])
