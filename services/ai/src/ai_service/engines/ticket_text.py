"""A ticket as its reader sees it: words with their places, and how much each place says about the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ai_service.domain import TextField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_service.domain import TicketText

READ_CHARACTERS = 12_000
_LEAD_CHARACTERS = 400
_BODY_CHARACTERS = 2_500
_LABEL_WORDS = 4
_HEADING_WORDS = 14
_VALUE_WORDS = 6
_QUESTION_CHARACTERS = 300
_MAX_SPANS = 20
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_UNREAD = re.compile(r"https?://[^\s<>\"')\]]+|</?[a-zA-Z][^<>\n]{0,200}>")
"""Addresses and tags: none of them says what the ticket is about."""
_CODE = re.compile(r"[{}();=<>_$\[\]|]|\w\.\w+\(|^\s*(?:import|def|var|let|const|return|npm|pip|git|sudo)\b")
_INLINE = re.compile(r"`[^`\n]{1,200}`")
_FENCE = re.compile(r"^\s{0,3}(?:```|~~~)")
_HEADING = re.compile(r"^\s{0,3}(?:#{1,6}\s+\S|\*\*[^*\n]+\*\*:?\s*$|__[^_\n]+__:?\s*$)")
_BOLD_LEAD = re.compile(r"^\s*(?:[-*]\s+)?\*\*[^*\n]+\*\*:?")
_BOX = re.compile(r"^\s*[-*]\s*\[(?P<tick>[ xX])\]")
_TRACE = re.compile(
    r"^\s*(?:Traceback \(most recent|File \".*\", line \d|at [\w.$<>\[\]]+ ?\(|at .+:\d+:\d+|Caused by: |goroutine \d"
    r"|#\d+ +0x|\w+(?:\.\w+)*(?:Error|Exception)\b:|panicked at|Segmentation fault|\d{4}-\d\d-\d\d[T ]\d\d:\d\d"
    r"|.*(?:\bE/|\bERROR\b|\bFATAL\b))"
)
_PAIR = re.compile(r"^\s*(?:[-*]\s+)?[^:?\n]{1,60}\??:\s+(?=\S)")
_KIND = re.compile(r"\b(?:type|kind|category)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.!?;\n]|(?<=\s)-\s")


class Zone(Enum):
    """Where a word stands."""

    TITLE = "title"
    LEAD = "lead"
    BODY = "body"
    TAIL = "tail"
    HEADING = "heading"
    FORM = "form"
    """A line of a form: a name and a value."""
    QUOTED = "quoted"
    """Words in a fence or in a comment of a form."""
    CODE = "code"
    TRACE = "trace"


@dataclass(frozen=True, slots=True)
class Word:
    """One word, folded for comparison, and its place."""

    text: str
    field: TextField
    start: int
    end: int
    zone: Zone
    clause: int
    """Number of the clause; words of two clauses make no phrase."""
    first: bool
    """True for the first word of the title, or of what follows a label there."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text as a whole: a question, a label, a line of a trace."""

    field: TextField
    start: int
    end: int
    zone: Zone
    clause: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A ticket, read."""

    words: tuple[Word, ...]
    questions: tuple[Span, ...]
    """Sentences that end in a question mark."""
    labels: tuple[Span, ...]
    """Pieces that name what the ticket is: a prefix of the title, a line of its own, a ticked box."""
    traces: tuple[Span, ...]
    """First lines of stack traces and log excerpts."""


_VERBS = frozenset("do does did is are was were can could will would should has have had must".split())  # noqa: SIM905
_CONTRACTED = {"can": "cant", "will": "wont"}
_TITLE_LABEL = re.compile(r"^\s*(?:\[(?P<box>[^\[\]]{1,40})\]|(?P<plain>[A-Za-z][A-Za-z /_-]{0,30}?)\s*:)\s*")
_ASKED = re.compile(r"\?(?=[\s\"')\]*_]|$)")
_SENTENCE_END = re.compile(r"[.!?\n](?=\s|$)")


def read_ticket(ticket: TicketText) -> Reading:
    """The words of a ticket, in order; of a very long message its beginning."""
    words: list[Word] = []
    questions: list[Span] = []
    labels: list[Span] = []
    traces: list[Span] = []
    title = ticket.title[:READ_CHARACTERS]
    prefix = _TITLE_LABEL.match(title)
    start = 0
    if prefix and len(_WORD.findall(prefix[0])) <= _LABEL_WORDS:
        labels.append(Span(TextField.TITLE, *prefix.span("box" if prefix["box"] else "plain"), Zone.TITLE))
        start = prefix.end() if prefix.end() < len(title) else 0
    words.extend(_words(title, TextField.TITLE, 0, len(title), zone=Zone.TITLE, clause=0, first_at=start))
    questions.extend(_questions(title, TextField.TITLE, 0, len(title), Zone.TITLE))
    whole = _UNREAD.sub(lambda match: " " * len(match[0]), ticket.message[:READ_CHARACTERS])
    comments = list(_comments(whole))
    message = whole
    for begin, end in comments:
        message = message[:begin] + re.sub(r"[^\n]", " ", message[begin:end]) + message[end:]
    for begin, end, zone in _lines(message):
        if zone is Zone.TRACE:
            traces.append(_trimmed(Span(TextField.MESSAGE, begin, end, zone), message))
        elif zone not in {Zone.HEADING, Zone.QUOTED, Zone.CODE}:
            label = _label(message, begin, end, zone)
            if label is not None:
                labels.append(_trimmed(label, message))
            if zone is not Zone.FORM:
                questions.extend(_questions(message, TextField.MESSAGE, begin, end, zone))
        words.extend(_words(message, TextField.MESSAGE, begin, end, zone=zone, clause=begin + 1))
    for begin, end in comments:
        words.extend(_words(whole, TextField.MESSAGE, begin, end, zone=Zone.QUOTED, clause=begin + 1))
    return Reading(tuple(words), *(tuple(spans[:_MAX_SPANS]) for spans in (questions, labels, traces)))


def text_of(span: Span | Word, ticket: TicketText) -> str:
    """What stands there."""
    text = ticket.title if span.field is TextField.TITLE else ticket.message
    return text[span.start : span.end]


def fold(text: str) -> list[str]:
    """The words of any text, folded as those of a ticket."""
    return [word.text for word in _words(text, TextField.TITLE, 0, len(text), zone=Zone.TITLE, clause=0)]


def _lines(message: str) -> Iterator[tuple[int, int, Zone]]:
    """Each line that says something, with the zone that it stands in; boxes that were not ticked say nothing."""
    fenced, prose, position = False, 0, 0
    for line in message.splitlines(keepends=True):
        begin, end = position, position + len(line.rstrip())
        position += len(line)
        text = line.rstrip()
        box = _BOX.match(text)
        if _FENCE.match(text):
            fenced = not fenced
        elif not text.strip() or (box and box["tick"] == " "):
            continue
        elif _TRACE.match(text):
            yield begin, end, Zone.TRACE
        elif text.startswith("|") or ((fenced or text.startswith(("    ", "\t"))) and _CODE.search(text)):
            yield begin, end, Zone.CODE
        elif fenced:
            yield begin, end, Zone.QUOTED
        elif _HEADING.match(text) or (text.endswith(":") and len(_WORD.findall(text)) <= _HEADING_WORDS):
            yield begin, end, Zone.HEADING
        elif box or _is_pair(text):
            yield begin, end, Zone.FORM
        else:
            bold = _BOLD_LEAD.match(text)
            if bold:
                yield begin, begin + bold.end(), Zone.HEADING
                begin += bold.end()
            zone = Zone.LEAD if prose < _LEAD_CHARACTERS else Zone.BODY if prose < _BODY_CHARACTERS else Zone.TAIL
            prose += end - begin
            yield begin, end, zone


def _comments(message: str) -> Iterator[tuple[int, int]]:
    """The comments that are closed, of which a form has a few."""
    end = 0
    for _ in range(_MAX_SPANS):
        begin = message.find("<!--", end)
        close = message.find("-->", begin)
        if begin < 0 or close < 0:
            return
        end = close + len("-->")
        yield begin, end


def _is_pair(line: str) -> bool:
    """Whether a line is a name and a short value; a sentence with a colon in it is not."""
    pair = _PAIR.match(line)
    return pair is not None and len(_WORD.findall(line, pair.end())) <= _VALUE_WORDS


def _label(message: str, begin: int, end: int, zone: Zone) -> Span | None:
    """What may name the kind of the ticket: a short line of its own, a ticked box, the value of "type"."""
    start, line = begin, message[begin:end]
    if zone is Zone.FORM:
        box, pair = _BOX.match(line), _PAIR.match(line)
        if box:
            start += box.end()
        elif pair and _KIND.search(pair[0]):
            start += pair.end()
        else:
            return None
    count = len(_WORD.findall(message, start, end))
    return Span(TextField.MESSAGE, start, end, zone) if 0 < count <= _LABEL_WORDS else None


def _words(
    text: str, field: TextField, begin: int, end: int, *, zone: Zone, clause: int, first_at: int = -1
) -> Iterator[Word]:
    """Words with their places; "does not" and "doesn't" are one word and the same."""
    held: Word | None = None
    marked = [span.span() for span in _INLINE.finditer(text, begin, end)][::-1]
    last = begin
    first = first_at >= 0
    for match in _WORD.finditer(text, begin, end):
        if _CLAUSE_END.search(text, last, match.start()):
            clause += 1
        folded = match[0].lower().replace("\u2019", "'").replace("'", "")
        while marked and marked[-1][1] <= match.start():
            marked.pop()
        quoted = bool(marked) and marked[-1][0] <= match.start()
        opening = first and match.start() >= first_at
        word = Word(folded, field, match.start(), match.end(), Zone.QUOTED if quoted else zone, clause, opening)
        first = first and not word.first
        last = match.end()
        if held is not None and folded == "not" and held.clause == clause:
            yield replace(held, text=_CONTRACTED.get(held.text, held.text + "nt"), end=match.end())
            held = None
            continue
        if held is not None:
            yield held
            held = None
        if folded in _VERBS:
            held = word
        else:
            yield replace(word, text="cant") if folded == "cannot" else word
    if held is not None:
        yield held


def _questions(text: str, field: TextField, begin: int, end: int, zone: Zone) -> Iterator[Span]:
    """The sentences that end in a question mark."""
    for mark in _ASKED.finditer(text, begin, end):
        least = max(begin, mark.start() - _QUESTION_CHARACTERS)
        start = max((match.end() for match in _SENTENCE_END.finditer(text, least, mark.start())), default=least)
        yield _trimmed(Span(field, start, mark.end(), zone), text)


def _trimmed(span: Span, text: str) -> Span:
    """The span without space and marks around it."""
    inner = text[span.start : span.end]
    start = span.start + len(inner) - len(inner.lstrip(" \t-*_[#>\"'("))
    return Span(span.field, min(start, span.end), span.start + len(inner.rstrip(" \t*_:]")), span.zone)
