"""Reads the head of a line as a row of elements: times, levels, brackets, numbers, names and separators."""

from __future__ import annotations

import re
from typing import NamedTuple

from logs_service.patterns.severity import LEVEL_LETTERS, LEVEL_WORDS, SHOUTED_LEVELS
from logs_service.patterns.timestamps import Shape, shape_at

MAX_ELEMENTS = 14
_MAX_HEAD_CHARS = 400
_WORDS = "|".join(sorted(LEVEL_WORDS, key=len, reverse=True))

BRACKET = r"(?:\[(?:[^\[\]]|\[[^\[\]]*\]){0,300}\]:?|<[^<>\s]{1,40}>:?)"
NUMBER = r"#?\d+(?:#\d+)?:?"
DASH = r"(?:-{1,3}|\||::?|\u2013|>|[*#.])"
CLOSED = r"[^\s\[\]\"']+\]"
LEVEL = r"[\[(<]?(?P<level>[A-Za-z]{1,13})\s?[\])>]?[:,]?(?=[\s|\[]|$)"
NAMED_LEVEL = r"(?P<level>[A-Za-z]{4,8}):(?P<program>[A-Za-z_][\w.]*):(?=[^:])"
LEVEL_INSIDE = rf"\b(?P<level>(?i:{_WORDS}))\b"
PROGRAM = (
    r"(?P<program>[A-Za-z_./(-][^\s:\[\]|=\"']*(?:::?[A-Za-z_$][^\s:\[\]|=\"']*|:\d+(?=:))*)"
    r"(?:\[(?P<pid>[\w.-]*)\])?(?: \([^()\s]*\))?\s*:(?=\s|$)"
)
_LEVEL = re.compile(LEVEL)
_NAMED_LEVEL = re.compile(NAMED_LEVEL)
_UPTIME = re.compile(r"\[\s*\d+\.\d+\]")
_KINDS = (
    ("quoted", re.compile(r"[\"']\S*")),
    ("bracket", re.compile(BRACKET)),
    ("dash", re.compile(rf"{DASH}(?=\s|$)|\|")),
    ("number", re.compile(rf"{NUMBER}(?=[\s|]|$)")),
    ("program", re.compile(PROGRAM)),
    ("closed", re.compile(rf"{CLOSED}(?=\s|$)")),
    ("logger", re.compile(r"[A-Za-z_$][\w$]*(?:[./:-]+[\w$<>]+)+(?=[\s|]|$)")),
    ("word", re.compile(r"[^\s|]+")),
)


class Element(NamedTuple):
    """One piece of a line's head."""

    kind: str
    text: str
    start: int
    end: int
    shape: Shape | None = None
    tab: bool = False
    """True when a tab stands after it."""


def elements(line: str) -> list[Element]:
    """The first pieces of a line, from the left."""
    found: list[Element] = []
    position, size = 0, min(len(line), _MAX_HEAD_CHARS)
    while position < size and len(found) < MAX_ELEMENTS:
        if line[position] in " \t":
            if line[position] == "\t" and found:
                found[-1] = found[-1]._replace(tab=True)
            position += 1
            continue
        element = _time_at(line, position) or _level_at(line, position) or _other_at(line, position)
        found.append(element)
        position = element.end
    return found


def is_uptime(element: Element) -> bool:
    """Whether an element is seconds since the start of a machine, as a kernel writes them."""
    return element.kind == "bracket" and _UPTIME.fullmatch(element.text) is not None


def _time_at(line: str, position: int) -> Element | None:
    opened = line[position] in "[(<"
    timed = shape_at(line, position + opened)
    if timed is None:
        return None
    shape, end = timed
    if not opened:
        end += line[end : end + 1] in (",", ":", ";")
        whole = end >= len(line) or line[end] in " \t|["
        return Element("time", line[position:end], position, end, shape) if whole else None
    if line[end : end + 1] in ("]", ")", ">"):
        end += 1
        end += line[end : end + 1] in (",", ":", ";")
        return Element("time", line[position:end], position, end, shape)
    close = line.find("]", end, end + 80)
    if line[position] == "[" and close > 0:
        return Element("timed bracket", line[position : close + 1], position, close + 1, shape)
    return None


def _level_at(line: str, position: int) -> Element | None:
    named = _NAMED_LEVEL.match(line, position)
    if named is not None and named["level"].lower() in LEVEL_WORDS:
        return Element("named level", named[0], position, named.end())
    level = _LEVEL.match(line, position)
    if level is None:
        return None
    word = level["level"]
    known = word.lower() in LEVEL_WORDS or word in LEVEL_LETTERS or (word in SHOUTED_LEVELS and level[0][-1] == ":")
    return Element("level", level[0], position, level.end()) if known else None


def _other_at(line: str, position: int) -> Element:
    for kind, expression in _KINDS:
        match = expression.match(line, position)
        if match is not None:
            return Element(kind, match[0], position, match.end())
    return Element("word", line[position], position, position + 1)
