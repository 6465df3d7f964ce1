"""Level words of every common logging library, as OpenTelemetry severities."""

from __future__ import annotations

import re

from logs_service.patterns.record import Severity

LEVELS: dict[str, Severity] = {
    **dict.fromkeys(("trace", "verbose", "finest", "finer", "all"), Severity.TRACE),
    **dict.fromkeys(("debug", "dbg", "debu", "fine", "config"), Severity.DEBUG),
    **dict.fromkeys(("info", "information", "informational", "inf", "notice", "log", "hint"), Severity.INFO),
    **dict.fromkeys(("warn", "warning", "wrn", "warnung", "caution"), Severity.WARN),
    **dict.fromkeys(("error", "err", "eror", "severe", "failure", "fail", "exception", "stderr"), Severity.ERROR),
    **dict.fromkeys(
        ("fatal", "critical", "crit", "panic", "emergency", "emerg", "alert", "dpanic", "ftl"), Severity.FATAL
    ),
}
LEVEL_WORDS = frozenset(LEVELS) - {"all", "log", "hint", "stderr", "fine", "config", "fail", "caution", "exception"}
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
_NUMBERED = {10: Severity.DEBUG, 20: Severity.INFO, 30: Severity.INFO, 40: Severity.WARN, 50: Severity.ERROR}
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
    if number in _NUMBERED or number == 60:
        # 10..60 as Node libraries write them: trace, debug, info, warn, error, fatal.
        return {
            10: Severity.TRACE,
            20: Severity.DEBUG,
            30: Severity.INFO,
            40: Severity.WARN,
            50: Severity.ERROR,
            60: Severity.FATAL,
        }[number]
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
