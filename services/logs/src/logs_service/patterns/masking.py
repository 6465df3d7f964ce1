"""Puts `<*>` for what is a value by its form: numbers, ids, addresses, hosts, paths, times, sizes, quoted text."""

from __future__ import annotations

import re

WILDCARD = "<*>"

_SEGMENT = r"[\w.+~%@$#*{}-]"
_TLD = (
    "com|net|org|edu|gov|mil|io|dev|app|cloud|local|localdomain|internal|lan|corp|home|cn|de|uk|fr|jp|ru|br|in|it|nl"
    "|au|ca|eu|us|info|biz|hk|tw|kr|ch|se|es|pl|be|at"
)
_HTTP = "(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS|CONNECT|TRACE) "
_SIZES = r"(?:[KMGTP]?i?B|[kM]?bytes|sec)"
_UNITS = r"(?:[KMGTP]?i?B|[kM]?bytes|[KMGT]|ms|us|µs|ns|min|secs?|seconds?|[smhd])"

_LITERAL_DIGIT = r"(?<=[A-Za-z][A-Za-z])\d(?!\d|[._:,#@~^-]{0,3}[A-Za-z]{0,2}[._:,#@~^-]{0,3}\d)(?![A-Za-z]{0,2}-)"
"""One digit at the end of letters, as in `ssh2` and `jk2_init`: part of a name, unless another line shows otherwise."""

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"

_RULES: tuple[str, ...] = (
    # Plain words, and letters inside a word, are passed over at once, which is most of the speed.
    (
        rf"(?P<words>(?<!\S)(?:(?!(?:true|false|null|nil|off)\b|{_MONTHS}|{_DAYS})[A-Za-z][a-z]{{2,}}[,:]? )+"
        r"|(?<=[A-Za-z])[A-Za-z]+)"
    ),
    # What redaction left behind.
    r"<[A-Z][A-Z0-9_]*(?::[^<>\s]{0,80})?>",
    # Quoted text, but not an apostrophe, and not an HTTP request line.
    rf"(?<![\w\\])\"(?!{_HTTP})[^\"\n]{{0,400}}\"(?!\w)",
    r"(?<![\w\\])'[^'\n]{0,400}'(?!\w)",
    r"\b[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s,;'\"<>)\]}]+",
    r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    # Times inside text.
    (
        rf"(?:(?:{_DAYS})[a-z]*,? )?(?:{_MONTHS})[a-z]* {{1,2}}\d{{1,2}}"
        r"(?:,? \d{4})?,? \d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?: [A-Z]{3,4})?(?: \d{4}\b)?"
    ),
    (
        r"(?<!\w)\d{4}(?P<sep>[-/.])\d{1,2}(?P=sep)\d{1,2}(?:[T ,:_-]{1,2}\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,:]\d+)?)?)?"
        r"(?:Z|\s?[+-]\d{2}:?\d{2}(?!\d))?(?!\w)"
    ),
    # Addresses and hosts, with a port.
    r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])",
    r"/?(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:[:/]\d+)?(?![\w.]*\w)",
    rf"(?<![\w.$/\\-])(?:[\w-]+\.)+(?:{_TLD})\.?(?:[:/]\d+)?(?![\w.(/-])",
    # A name of dotted parts is one of a machine or a package when it says so: a port, a number, a domain in front.
    r"(?<![\w.$/\\-])(?:[a-z0-9][\w-]*\.){2,}[a-z][a-z0-9-]*:\d+(?![\w.(])",
    r"(?<![\w.$/\\-])(?=[a-z.-]*\d|(?:com|org|net|io|de|cn)\.)(?:[a-z0-9][\w-]*\.){2,}[a-z][a-z0-9-]*(?![\w.(])",
    # Paths.
    r"(?<![\w:])[A-Za-z]:[\\/][^\s,;'\"<>|)\]]*",
    r"(?<![\w\\])\\{1,2}[\w?.$][^\s,;'\"<>|)\]]*",
    rf"(?<![\w<>/.])(?:\.{{0,2}}/{_SEGMENT}+(?:[:=]{_SEGMENT}+)?)+/?(?:\?[^\s\"'<>]*)?",
    rf"(?<![\w<>/.\\-])[\w.-]+(?:/{_SEGMENT}+){{2,}}/?",
    # Hexadecimal numbers and ids.
    r"\b0[xX][0-9a-fA-F]+\b",
    r"(?<![A-Za-z0-9])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![A-Za-z0-9])",
    r"(?<![A-Za-z0-9])(?=[a-fA-F]{0,16}\d)(?=\d*[a-fA-F])[0-9a-fA-F]{6,}(?![A-Za-z0-9])",
    # Bytes of a dump, switches of a list, an id of letters and digits in turn.
    r"(?<!\w)[0-9a-fA-F]{2}(?: [0-9a-fA-F]{2}){3,}(?!\w)",
    r"(?<=[(=,:\[] )(?:on|off)(?: (?:on|off))*(?= ?[),\]])",
    r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d+[A-Za-z]+\d)[A-Za-z0-9]{8,}(?![A-Za-z0-9])",
    # A state in a list of annotated values, as in `3 (leader), LOOKING (state)`.
    r"(?<=\), )[A-Z][A-Z_]+(?= \()",
    # A number or the digits of an id, with what is glued to it in pieces of at most two letters, and its unit.
    (
        rf"(?!{_LITERAL_DIGIT})(?:(?<![A-Za-z0-9.)\]])[-+<]{{0,2}})?\d+(?:[._:,#@~^-]{{0,3}}[A-Za-z]{{0,2}}[._:,#@~^-]{{0,3}}\d+)*"
        rf"(?: {_SIZES}(?![A-Za-z0-9_])|{_UNITS}(?![A-Za-z0-9_])|[A-Za-z]{{1,2}}(?![A-Za-z])|%)?"
    ),
    r"(?<![\w.-])(?:true|false|null|nil|True|False|TRUE|FALSE|NULL|NIL|\(null\))(?![\w.-])",
)
LITERAL_DIGIT = re.compile(_LITERAL_DIGIT)
_MASK = re.compile("|".join(_RULES))
_KEY_VALUE = re.compile(r"(?<=[\w\])])=(?!=)(?![\s=])(?:<\*>|[^\s,;|()\[\]{}&<>])+")
_REPEATED = re.compile(
    r"(?:(?<!\S)\*{2,} )*<\*>(?: \*{2,}|[.:/_,@#+\\-]{0,2}<\*>|,? \(<\*>\)| \(\)|,? <\*>(?![\w(=]))+"
    r"|([\"'])<\*>\1(?:, ?\1<\*>\1)+"
)


def mask(text: str) -> str:
    """The text with `<*>` for every value that its form gives away, and one blank for every run of blanks."""
    masked = _MASK.sub(_wildcard, " ".join(text.split()))
    if "=" in masked:
        masked = _KEY_VALUE.sub("=<*>", masked)
    return _REPEATED.sub(_wildcard, masked)


def _wildcard(found: re.Match[str]) -> str:
    """The wildcard, in the quotes of a quoted value; plain words as they are."""
    text = found[0]
    if found.lastgroup == "words":
        return text
    quote = text[0]
    return f"{quote}{WILDCARD}{quote}" if quote in "\"'" else WILDCARD
