# ruff: noqa: PLR2004 - the codes of RFC 5424 and of Node loggers
"""Level words of every common logging library, as OpenTelemetry severities."""

from __future__ import annotations

import re

from logs_service.patterns.record import Severity

LEVELS: dict[str, Severity] = {
    **dict.fromkeys(("trace", "verbose", "finest", "finer", "all"), Severity.TRACE),
    **dict.fromkeys(("debug", "dbg", "debu", "fine", "config"), Severity.DEBUG),
    **dict.fromkeys(
        (
            "info",
            "information",
            "informational",
            "inf",
            "notice",
            "note",
            "log",
            "hint",
            "detail",
            "statement",
            "context",
        ),
        Severity.INFO,
    ),
    **dict.fromkeys(("warn", "warning", "wrn", "warnung", "caution"), Severity.WARN),
    **dict.fromkeys(("error", "err", "eror", "severe", "failure", "fail", "exception", "stderr"), Severity.ERROR),
    **dict.fromkeys(
        ("fatal", "critical", "crit", "panic", "emergency", "emerg", "alert", "dpanic", "ftl"), Severity.FATAL
    ),
}
SHOUTED_LEVELS = frozenset(("LOG", "HINT", "DETAIL", "STATEMENT", "CONTEXT", "NOTE"))
"""Words that are a level only in capitals and before a colon."""
LEVEL_WORDS = (
    frozenset(LEVELS)
    - {"all", "stderr", "fine", "config", "fail", "caution", "exception"}
    - {word.lower() for word in SHOUTED_LEVELS}
)
"""Words that are taken for a level wherever a line's header may have one."""
LEVEL_LETTERS: dict[str, Severity] = {
    "V": Severity.TRACE,
    "T": Severity.TRACE,
    "D": Severity.DEBUG,
    "I": Severity.INFO,
    "N": Severity.INFO,
    "W": Severity.WARN,
    "E": Severity.ERROR,
    "F": Severity.FATAL,
    "C": Severity.FATAL,
    "A": Severity.FATAL,
}
_TENS = (Severity.TRACE, Severity.DEBUG, Severity.INFO, Severity.WARN, Severity.ERROR, Severity.FATAL)
_BODY_LEVEL = re.compile(
    r"\W{0,2}(?:(?P<fatal>fatal|panic|critical|emerg\w*)|(?P<error>error|err|exception|traceback|severe)"
    r"|(?P<warn>warn|warning))\b(?=[]:!>)]|\s\(most recent)",
    re.IGNORECASE,
)
_EXCEPTION_HEAD = re.compile(r"(?:Exception in thread|Unhandled exception|Uncaught )|[\w.$]+(?:Exception|Error)(?::|$)")


def severity_of(text: str) -> Severity:
    """The severity that a level word, letter or number states; UNSPECIFIED when it states none."""
    word = text.strip("[]()<>:,;*|\"' \t")
    known = LEVELS.get(word.lower())
    if known is not None:
        return known
    if len(word) == 1:
        return LEVEL_LETTERS.get(word.upper(), Severity.UNSPECIFIED)
    return Severity.UNSPECIFIED


def severity_of_number(number: int) -> Severity:
    """The severity of a numeric level: syslog 0 to 7, or the tens of pino and bunyan."""
    if number in range(10, 70, 10):
        return _TENS[number // 10 - 1]
    if 0 <= number <= 7:
        return syslog_severity(number)
    return Severity.UNSPECIFIED


def syslog_severity(code: int) -> Severity:
    """The severity of an RFC 5424 severity code (0 is emergency, 7 is debug)."""
    if code <= 2:
        return Severity.FATAL
    return (Severity.ERROR, Severity.WARN, Severity.INFO, Severity.INFO, Severity.DEBUG)[min(code, 7) - 3]


def severity_in_body(body: str) -> Severity:
    """The severity that a message itself opens with (`error: ...`, a traceback), where its header has none."""
    found = _BODY_LEVEL.match(body)
    if found is not None:
        return {"fatal": Severity.FATAL, "error": Severity.ERROR, "warn": Severity.WARN}[str(found.lastgroup)]
    return Severity.ERROR if _EXCEPTION_HEAD.match(body) else Severity.UNSPECIFIED
