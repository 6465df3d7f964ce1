# ruff: noqa: PLR2004 - small bounds, each said where it is used
"""Lines that carry their own structure: JSON objects, logfmt, and what container runtimes put around a line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from logs_service.patterns.severity import severity_of, severity_of_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logs_service.patterns.record import Severity
    from logs_service.patterns.timestamps import TimeReader

_MESSAGE = (
    "message",
    "msg",
    "@message",
    "log",
    "text",
    "body",
    "event",
    "short_message",
    "textPayload",
    "error",
    "err",
)
_TIME = ("timestamp", "time", "ts", "@timestamp", "datetime", "date", "asctime", "eventTime", "t", "when", "@t")
_LEVEL = (
    "severity",
    "level",
    "lvl",
    "severity_text",
    "severityText",
    "log.level",
    "loglevel",
    "levelname",
    "@l",
    "PRIORITY",
)
_SERVICE = ("service", "service.name", "service_name", "serviceName", "app", "application", "component",
            "SYSLOG_IDENTIFIER", "container_name")  # fmt: skip
_MAX_ATTRIBUTES = 64
_MAX_VALUE_CHARS = 2048
_LOGFMT = re.compile(r'(?:^|\s)([A-Za-z_@][\w.@/-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)')
_CRI = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})) (stdout|stderr) ([FP]) ?")


class Structured(NamedTuple):
    """What a structured line says of itself."""

    body: str
    time: int | None
    severity: Severity
    severity_text: str
    service: str | None
    attributes: dict[str, str]
    wrapped: bool
    """True when the body is a line of another program, which may have a header of its own."""


def unwrap_cri(text: str) -> tuple[str, str, str] | None:
    """The time, stream and inner line of a line written by a Kubernetes node; None for any other."""
    found = _CRI.match(text)
    if found is None:
        return None
    return found.group(1), found.group(2), text[found.end() :]


def parse_structured(text: str, times: TimeReader) -> Structured | None:
    """Reads a JSON object or a logfmt line; None when the line is neither."""
    if text[:1] == "{" and text.rstrip()[-1:] == "}":
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return _from_fields(fields, times) if isinstance(fields, dict) and fields else None
    if "msg=" in text or "message=" in text:
        pairs = _logfmt_fields(text)
        if pairs is not None:
            return _from_fields(pairs, times)
    return None


def _logfmt_fields(text: str) -> dict[str, object] | None:
    if _LOGFMT.match(text) is None:
        return None
    fields: dict[str, object] = {}
    end = 0
    for pair in _LOGFMT.finditer(text):
        if text[end : pair.start()].strip():
            return None
        end = pair.end()
        quoted = pair.group(2)
        fields[pair.group(1)] = pair.group(3) if quoted is None else quoted.replace('\\"', '"').replace("\\\\", "\\")
    if text[end:].strip() or len(fields) < 2 or ("msg" not in fields and "message" not in fields):
        return None
    return fields


def _from_fields(fields: dict[str, object], times: TimeReader) -> Structured | None:
    message = _first(fields, _MESSAGE)
    if message is None:
        return None
    time_key, level_key, service_key = _first(fields, _TIME), _first(fields, _LEVEL), _first(fields, _SERVICE)
    body = _flat(fields[message])
    if not body.strip():
        return None
    level = fields[level_key] if level_key else ""
    docker = message == "log" and "stream" in fields
    attributes: dict[str, str] = {}
    for key, value in _flattened("", fields):
        if key in (message, time_key, level_key, service_key) or len(attributes) >= _MAX_ATTRIBUTES:
            continue
        attributes[key[:256]] = value[:_MAX_VALUE_CHARS]
    return Structured(
        body=body.rstrip("\n"),
        time=_time(fields[time_key], times) if time_key else None,
        severity=_severity(level),
        severity_text=_flat(level) if level_key else "",
        service=_flat(fields[service_key]) or None if service_key else None,
        attributes=attributes,
        wrapped=docker,
    )


def _first(fields: dict[str, object], names: tuple[str, ...]) -> str | None:
    for name in names:
        if name in fields and fields[name] not in (None, "") and not isinstance(fields[name], (dict, list)):
            return name
    return None


def _severity(level: object) -> Severity:
    if isinstance(level, int) and not isinstance(level, bool):
        return severity_of_number(level)
    text = str(level)
    return severity_of_number(int(text)) if text.isdecimal() and len(text) < 4 else severity_of(text)


def _time(value: object, times: TimeReader) -> int | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return times.read(f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value))
    return times.read(str(value))


def _flat(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float, dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _flattened(prefix: str, fields: dict[str, object], depth: int = 0) -> Iterator[tuple[str, str]]:
    for key, value in fields.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and depth < 3:
            yield from _flattened(f"{name}.", value, depth + 1)
        else:
            yield name, _flat(value)
