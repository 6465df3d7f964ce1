"""The log: one JSON object a line, findable by its trace, and nothing secret in it."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from chassis import logging as json_logging
from chassis import telemetry
from chassis.redaction import RedactionFailed, Redactor
from chassis.testing.harness import ensure_tracing

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    json_logging.configure("parcels", level="DEBUG", redactor=Redactor(b"k" * 32), stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_same_fields_everywhere(stream: io.StringIO) -> None:
    logging.getLogger("parcels.depot").warning("%d parcels wait", 3, extra={"depot": "north", "attempt": 2})

    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "severity": "WARN",
        "service": "parcels",
        "logger": "parcels.depot",
        "message": "3 parcels wait",
        "trace_id": "",
        "span_id": "",
        "depot": "north",
        "attempt": 2,
    }


def test_a_line_within_a_span_carries_its_ids(stream: io.StringIO) -> None:
    ensure_tracing()
    with telemetry.span("work", "server"):
        logging.getLogger("parcels").info("sent")
        trace_id, span_id = telemetry.current_trace_id(), telemetry.current_span_id()

    assert (lines(stream)[0]["trace_id"], lines(stream)[0]["span_id"]) == (trace_id, span_id)
    assert (len(trace_id), len(span_id)) == (32, 16)


def test_an_exception_is_part_of_its_one_line(stream: io.StringIO) -> None:
    try:
        1 / 0  # noqa: B018 - it raises
    except ZeroDivisionError:
        logging.getLogger("parcels").exception("cannot share")

    (line,) = lines(stream)
    assert line["message"] == "cannot share"
    assert line["exception"].splitlines()[0] == "Traceback (most recent call last):"
    assert line["exception"].splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_secrets_leave_message_fields_and_exception(stream: io.StringIO) -> None:
    try:
        int(EMAIL)
    except ValueError:
        logging.getLogger("parcels").exception(
            "log-in of %s", EMAIL, extra={"password": PASSWORD, "who": {"mail": EMAIL}}
        )

    text = stream.getvalue()
    assert EMAIL not in text
    assert PASSWORD not in text
    (line,) = lines(stream)
    assert line["message"].startswith("log-in of <EMAIL:")
    mark = line["message"].removeprefix("log-in of ")
    assert line["exception"].endswith(f"invalid literal for int() with base 10: '{mark}'")


def test_ids_and_figures_stay_as_they_are(stream: io.StringIO) -> None:
    fields = {
        "viewer_id": "0198c0de-0000-7000-8000-000000000001",
        "duration_ms": 12.5,
        "method": "SummarizeLog",
        "caller": "gateway",
        "grpc_port": 8101,
        "ready": True,
    }
    logging.getLogger("parcels").info("answered", extra=fields)

    (line,) = lines(stream)
    assert {name: line[name] for name in fields} == fields


def test_what_cannot_be_checked_is_left_out(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Redactor, _text: str) -> str:
        raise RedactionFailed("a detector failed")

    monkeypatch.setattr(Redactor, "redact", fail)
    logging.getLogger("parcels").info("log-in of %s", EMAIL)

    (line,) = lines(stream)
    assert line["message"].startswith("a log line could not be checked for secrets and was left out (test_logging:")
    assert EMAIL not in stream.getvalue()


def test_a_wrong_log_call_prints_neither_arguments_nor_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    # Straight to the formatter: pytest's own handler raises for such a call.
    record = logging.makeLogRecord({"msg": "%d parcels", "args": (EMAIL,), "module": "depot", "lineno": 7})

    text = json_logging.JsonFormatter("parcels", Redactor()).format(record)

    assert json.loads(text)["message"] == "a log line could not be written: TypeError (depot:7)"
    assert EMAIL not in text + capsys.readouterr().err


def test_a_field_cannot_pose_as_one_of_ours(stream: io.StringIO) -> None:
    logging.getLogger("parcels").info("sent", extra={"service": "auth", "severity": "DEBUG", "trace_id": "0"})

    (line,) = lines(stream)
    assert (line["service"], line["severity"], line["trace_id"]) == ("parcels", "INFO", "")


def test_a_line_break_does_not_begin_a_second_line(stream: io.StringIO) -> None:
    logging.getLogger("parcels").info('one\n{"severity": "FATAL"}')

    assert [line["severity"] for line in lines(stream)] == ["INFO"]


def test_what_nobody_caught_is_logged_as_well(stream: io.StringIO) -> None:
    error = ZeroDivisionError(EMAIL)

    sys.excepthook(ZeroDivisionError, error, None)

    (line,) = lines(stream)
    assert (line["severity"], line["message"]) == ("FATAL", "the process ends: ZeroDivisionError")
    assert EMAIL not in stream.getvalue()
