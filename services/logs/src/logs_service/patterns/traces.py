"""Joins the lines of a stack trace to the record that they belong to."""

from __future__ import annotations

import re

from logs_service.patterns.record import RawRecord
from logs_service.patterns.timestamps import WEAK_SHAPES, shape_at

_MAX_LINES = 1000
_LEVELS = "trace|debug|info|notice|warn|warning|error|severe|fatal|critical"
_LEVEL_HEAD = re.compile(rf"[\[<(](?i:{_LEVELS})[\]>)]|(?:{_LEVELS.upper()})\b|(?i:{_LEVELS}):")
_FRAME = re.compile(
    r"[ \t]+(?:at\s+\S|File \"|\.{3} \d+ (?:more|common)|\^+$|[~^]+$|-{3}>|-{3} End of|\d+:\s+(?:0x)?\w|in \S+\()"
    r"|(?:Caused by|Suppressed): |\s*(?:Caused by|Suppressed): "
    r"|\s*\.{3} \d+ (?:more|common frames)"
    r"|\s*-{3} End of (?:inner exception )?stack trace"
    r"|note: run with `RUST_BACKTRACE|stack backtrace:$"
)
_PYTHON_HEAD = re.compile(r"\s*(?:\S.*\s)?Traceback \(most recent call last\):$")
_PYTHON_LINK = re.compile(r"(?:During handling of the above exception|The above exception was the direct cause)")
_EXCEPTION = re.compile(
    r"(?:[A-Za-z_$][\w$]*[.:]{1,2})*[A-Za-z_$][\w$]*(?:Exception|Error|Exit|Interrupt|Warning|Throwable|Failure)\b"
    r"(?:: |:?$|\s*$| \(|\[)"
)
_ANY_CLASS_LINE = re.compile(r"[A-Za-z_][\w.]*(?::\s|$)")
_GO_HEAD = re.compile(r"(?:.*\s)?(?:panic: |fatal error: )|goroutine \d+ \[[^\]]+\]:$")
_GO_LINE = re.compile(
    r"\t|goroutine \d+ \[|created by |exit status \d|\[signal |\[recovered\]|panic: |runtime: |runtime stack:"
    r"|[\w./*()\[\]{}$-]+\([^ ]*(?:, [^ ]*)*\)$|\.{3}additional frames"
)


def has_header(text: str) -> bool:
    """Whether a line opens with a time, a level or a container runtime's prefix, and so begins a record."""
    start = len(text) - len(text.lstrip("[(<- \t"))
    if shape_at(text, start) is not None:
        return True
    if _LEVEL_HEAD.match(text, start) is not None:
        return True
    if text.startswith("{"):
        return True
    # A host, a pod or an alert label may stand before the time.
    position = start
    for _ in range(4):
        space = text.find(" ", position, position + 80)
        if space < 0:
            return False
        position = space + 1
        timed = shape_at(text, position + (text[position : position + 1] == "["))
        if timed is not None and timed[0].name not in WEAK_SHAPES:
            return True
    return False


class TraceJoiner:
    """Holds the newest record until the next line shows that it is complete."""

    def __init__(self, max_record_bytes: int) -> None:
        self._limit = max_record_bytes
        self._head: RawRecord | None = None
        self._lines: list[str] = []
        self._size = 0
        self._count = 0
        self._truncated = False
        self._headed: bool | None = False
        self._mode: str | None = ""

    def add(self, record: RawRecord) -> RawRecord | None:
        """Takes the next line; gives the record that it closes, if it closes one."""
        if self._head is not None and self._continues(record.text):
            self._join(record)
            return None
        done = self._finished()
        self._head = record
        self._lines = [record.text]
        self._size = len(record.text)
        self._count = 1
        self._truncated = record.truncated
        self._headed = None
        self._mode = None
        return done

    def empty_line(self) -> None:
        """An empty line ends plain continuations; tracebacks and goroutine dumps have them inside."""
        if self._head is None:
            return
        if self._mode is None:
            self._mode = self._mode_of(self._head.text)
        if self._mode == "python":
            self._mode = "after-python"
        elif self._mode == "":
            self._headed = False

    def close(self) -> list[RawRecord]:
        """The record that was still held."""
        done = self._finished()
        self._head = None
        return [] if done is None else [done]

    @staticmethod
    def _mode_of(text: str) -> str:
        if "Traceback" in text and _PYTHON_HEAD.match(text):
            return "python"
        if ("panic: " in text or text.startswith(("goroutine ", "fatal error: "))) and _GO_HEAD.match(text):
            return "go"
        if _EXCEPTION.match(text):
            return "exception"
        return ""

    def _continues(self, text: str) -> bool:  # noqa: PLR0911 - one way out per kind of trace
        first = text[0]
        if first.isdigit() or self._head is None:
            return False
        if self._mode is None:
            self._mode = self._mode_of(self._head.text)
        indented = first in " \t"
        if self._mode in ("python", "after-python"):
            return self._continues_python(text, indented=indented)
        if self._mode == "go" and _GO_LINE.match(text) and not has_header(text):
            return True
        if (indented or first in "CS.-ns") and _FRAME.match(text):
            return True
        if indented:
            return (self._mode == "exception" or self._has_header()) and not has_header(text)
        started = self._started_by(text)
        if started and self._has_header():
            self._mode = started
            return True
        return False

    @staticmethod
    def _started_by(text: str) -> str:
        """The kind of trace that a line begins which belongs to the record above it."""
        if text[0] == "T" and _PYTHON_HEAD.match(text):
            return "python"
        if text.startswith(("panic: ", "goroutine ", "fatal error: ")):
            return "go"
        return "exception" if _EXCEPTION.match(text) and not has_header(text) else ""

    def _has_header(self) -> bool:
        if self._headed is None:
            text = self._lines[0]
            self._headed = text[0] not in " \t" and has_header(text)
        return self._headed

    def _continues_python(self, text: str, *, indented: bool) -> bool:
        if indented:
            return not has_header(text)
        if _PYTHON_LINK.match(text):
            return True
        if _PYTHON_HEAD.match(text) and text[0] == "T":
            self._mode = "python"
            return True
        if self._mode == "python" and self._count > 1 and _ANY_CLASS_LINE.match(text):
            # The exception line closes the block; what follows needs a sign of its own.
            self._mode = "after-python"
            return True
        return False

    def _join(self, record: RawRecord) -> None:
        self._count += 1
        if self._size + len(record.text) + 1 > self._limit or len(self._lines) >= _MAX_LINES:
            self._truncated = True
            return
        self._lines.append(record.text)
        self._size += len(record.text) + 1
        self._truncated = self._truncated or record.truncated

    def _finished(self) -> RawRecord | None:
        if self._head is None:
            return None
        if self._count == 1:
            return self._head
        return RawRecord("\n".join(self._lines), self._head.line_number, self._count, self._truncated)
