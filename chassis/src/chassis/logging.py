"""One JSON object a line on standard output, with the trace id, and with nothing secret in it.

Every line goes through redaction; a line that cannot be checked is replaced, never let through.
"""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

import orjson

from chassis.redaction import RedactionFailed, Redactor
from chassis.telemetry import current_span_id, current_trace_id

MAX_EXCEPTION_CHARACTERS = 16_000
_SEVERITIES = {"WARNING": "WARN", "CRITICAL": "FATAL"}  # OpenTelemetry's names
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CHATTY = ("uvicorn", "nats", "UnleashClient", "apscheduler", "urllib3", "httpx", "httpcore", "openai", "sqlalchemy")


def configure(
    service: str, *, level: str = "INFO", redactor: Redactor | None = None, stream: TextIO | None = None
) -> None:
    """Send the log of the whole process to standard output; called again, it starts afresh."""
    handler = _Handler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(service, redactor or Redactor()))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; what was given as `extra` stands beside the message."""

    def __init__(self, service: str, redactor: Redactor) -> None:
        super().__init__()
        self._service = service
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "severity": _SEVERITIES.get(record.levelname, record.levelname),
            "service": self._service,
            "logger": record.name,
        }
        try:
            fields["message"] = self._redactor.redact(record.getMessage())
            fields |= {"trace_id": current_trace_id(), "span_id": current_span_id()}
            fields |= {key: value for key, value in self._extra(record).items() if key not in fields}
            if record.exc_info and record.exc_info[0] is not None:
                fields["exception"] = self._redactor.redact(
                    self.formatException(record.exc_info)[-MAX_EXCEPTION_CHARACTERS:]
                )
        except RedactionFailed:
            fields["message"] = f"a log line could not be checked for secrets and was left out ({_place(record)})"
        except Exception as error:  # noqa: BLE001 - a bad log call must not take the request with it, nor print its arguments
            fields["message"] = f"a log line could not be written: {type(error).__name__} ({_place(record)})"
        return orjson.dumps(fields, default=str).decode()

    def _extra(self, record: logging.LogRecord) -> Mapping[str, object]:
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        return self._redactor.redact_mapping(extra) if extra else {}


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Say nothing: the default would print the arguments, unredacted."""


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger(__name__).critical("the process ends: %s", kind.__name__, exc_info=(kind, error, traceback))


def _place(record: logging.LogRecord) -> str:
    return f"{record.module}:{record.lineno}"
