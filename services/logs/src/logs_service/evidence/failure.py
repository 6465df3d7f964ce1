"""Tell from its words whether a line reports a failure or a recovery."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEGATED = re.compile(
    r"\b(?:no|zero|without(?:\s+any)?|not|never|0)\s+(?:\w+\s+)?"
    r"(?:errors?|failures?|failed|fail|exceptions?|warnings?|timeouts?)\b"
    r"|\b(?:\w*(?:errors?|failures?|failed|exceptions?|timeouts?))\s*(?:_?count)?\"?\s*[=:]\s*\"?(?:0\b|(?:none|null|nil|false|no)(?=\s*(?:[,;}\])\"']|$|\s\w+[=:])))"
    r"|\b(?:fail|timeout)s?(?:_\w+|\s+(?:limit|policy|handler|interval|ms|seconds))?\s*[=:]\s*\"?\d+(?:\.\d+)?\s*(?:ms|s|sec|seconds|m|min)?\b"
    r"|\b(?:error|failure|exception)[\s_-](?:handler|handling|log(?:ger|s)?|page|reporting|tracking|rate|budget|code\s*[=:]?\s*0)\b"
    r"|\bfail(?:ed)?[\s-]?over\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:fail(?:ed|ure|ures|ing|s)|refused|denied|unreachable|panic(?:ked)?|fatal|aborted|crash(?:ed|es)?|corrupt(?:ed|ion)?"
    r"|segfault|traceback|timed[\s-]?out|out\s+of\s+memory|oom[\s-]?kill\w*|unauthori[sz]ed|forbidden|rejected"
    r"|(?:connection|link|session|leadership|lease|peer)\s+(?:was\s+|is\s+)?(?:lost|reset|broken|dropped|closed\s+unexpectedly)"
    r"|lost\s+(?:the\s+)?(?:connection|contact|link|quorum)|disconnected|no\s+route\s+to\s+host|no\s+space\s+left"
    r"|(?:is|are|was|went)\s+(?:away|down|gone|offline|dead)|fell\s+over|gave\s+up|gives?\s+up"
    r"|broken\s+pipe|(?:could|can)\s*not|can't|unable\s+to|core\s+dumped|break-?in\s+attempt)\b"
    r"|(?:Exception|Error)\b(?=\s*(?:[:(]|at\b|$))|\bE[A-Z]{3,}(?:REFUSED|TIMEDOUT|RESET|UNREACH|PIPE)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(?:errors?|err|exceptions?|timeouts?|invalid|illegal|unavailable|unhealthy|missing|expired|dropped|killed|lost|"
    r"overloaded|exceeded|exhausted|degraded|deadlock|mismatch|retrying|reconnecting|not\s+(?:reachable|available|ready|responding)|backing\s+off|warning|bad\s+(?:request|gateway))\b",
    re.IGNORECASE,
)
_RECOVERY = re.compile(
    r"\b(?:reconnect(?:ed|ion\s+(?:succeeded|complete[d]?))|recovered|recovery\s+complete[d]?|restored|re-?established"
    r"|(?:is|are)\s+back|back\s+(?:up|online|to\s+normal)|(?:is|are)\s+healthy\s+again|(?:connected|works?|publishing|publishes|consumes|up|ready)\s+again|resumed)\b",
    re.IGNORECASE,
)


_READ_CHARACTERS = 500
_INFO_SEVERITY, _WARN_SEVERITY, _ERROR_SEVERITY = 9, 13, 17


def reports_failure(severity_number: int, template: str, bodies: Iterable[str]) -> bool:
    """True when records of this severity and text report that something went wrong.

    Severity ERROR and above always does. Warnings and lines without a level do when their words say it, lines of level
    INFO when they say it clearly, debugging lines never.
    """
    if severity_number >= _ERROR_SEVERITY:
        return True
    if 0 < severity_number < _INFO_SEVERITY:
        return False
    strictly = _INFO_SEVERITY <= severity_number < _WARN_SEVERITY
    return says_failure(template, strictly=strictly) or all(says_failure(body, strictly=strictly) for body in bodies)


def says_failure(text: str, *, strictly: bool = False) -> bool:
    """True when the words report that something went wrong; strictly ignores words that healthy lines have as well."""
    text = text[:_READ_CHARACTERS]
    words = (_STRONG,) if strictly else (_STRONG, _WEAK)
    # Most lines have no such word at all; to look for negations first would cost ten times as much.
    if not any(each.search(text) for each in words):
        return False
    rest = _NEGATED.sub(" ", text)
    return any(each.search(rest) for each in words)


def says_recovery(text: str) -> bool:
    """True when the words report that something works again."""
    return bool(_RECOVERY.search(text[:_READ_CHARACTERS]))
