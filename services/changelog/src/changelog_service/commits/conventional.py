"""Conventional Commits 1.0.0 (conventionalcommits.org/en/v1.0.0) by the letter.

The one liberty: a line that begins with `BREAKING CHANGE:` counts wherever it stands in the body, also where the author
forgot the blank line before it, because a missed break costs users more than a false one.
"""

import re
from dataclasses import dataclass

_HEADER = re.compile(
    r"(?P<type>(?![A-Za-z]+-[0-9]+:)\w[\w-]*)(?:\((?P<scope>[^()\n]+)\))?(?P<breaking>!)?: +(?P<description>\S.*)"
)
"""A type is a noun: the key of an issue, such as SHOP-12, is none."""
_FOOTER = re.compile(r"(?P<token>BREAKING CHANGE(?=: |:$)|\w[\w-]*)(?:: +|:$| (?=#))(?P<value>.*)")
_BREAKING = ("BREAKING CHANGE", "BREAKING-CHANGE")
_BREAKING_LINE = re.compile(r"BREAKING[ -]CHANGE:(?: |$)")
_OVERRIDE_BEGINS = re.compile(r"^BEGIN_COMMIT_OVERRIDE[ \t]*\n", re.MULTILINE)
_OVERRIDE_ENDS = re.compile(r"^END_COMMIT_OVERRIDE[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Header:
    """The first line of a message that conforms: `type(scope)!: description`; type as it is written."""

    type: str
    scope: str
    breaking: bool
    description: str


@dataclass(frozen=True)
class Message:
    """A message in its parts: first line, body without footers, footers in their order."""

    subject: str
    body: str
    rest: str
    footers: tuple[tuple[str, str], ...]
    header: Header | None
    separated: bool

    @property
    def breaking_notes(self) -> tuple[str, ...]:
        """What the BREAKING CHANGE footers say."""
        return tuple(value for token, value in self.footers if token in _BREAKING)


def parse_header(line: str) -> Header | None:
    """The parts of a first line, or nothing when it is of another style."""
    found = _HEADER.fullmatch(line.rstrip())
    if found is None:
        return None
    return Header(found["type"], (found["scope"] or "").strip(), bool(found["breaking"]), found["description"])


def parse_message(message: str) -> Message:
    """Take a message apart; a text between BEGIN_COMMIT_OVERRIDE and END_COMMIT_OVERRIDE stands for the whole."""
    text = message.replace("\r\n", "\n")
    begin = _OVERRIDE_BEGINS.search(text)
    end = _OVERRIDE_ENDS.search(text, begin.end()) if begin else None
    if begin and end and text[begin.end() : end.start()].strip():
        text = text[begin.end() : end.start()]
    lines = text.strip("\n").split("\n")
    while len(lines) > 1 and not lines[0].strip():
        del lines[0]
    subject, rest = lines[0].strip(), lines[1:]
    body, footers = _split(rest)
    return Message(
        subject=subject,
        body="\n".join(body).strip(),
        rest="\n".join(rest).strip(),
        footers=footers,
        header=parse_header(subject),
        separated=not rest or not rest[0].strip(),
    )


def _split(lines: list[str]) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Body lines, and footers: they begin with a token after a blank line, and each ends where the next token is."""
    body: list[str] = []
    footers: list[tuple[str, list[str]]] = []
    blank = False
    for line in lines:
        found = _footer(line) if blank or footers or _BREAKING_LINE.match(line) else None
        if found is not None:
            footers.append((found[0], [found[1]]))
        elif footers:
            footers[-1][1].append(line)
        else:
            body.append(line)
        blank = not line.strip()
    return body, tuple((token, "\n".join(value).strip()) for token, value in footers)


def _footer(line: str) -> tuple[str, str] | None:
    found = _FOOTER.fullmatch(line.rstrip())
    if found is None or (not found["value"] and found["token"] not in _BREAKING):
        return None
    return found["token"], found["value"]
