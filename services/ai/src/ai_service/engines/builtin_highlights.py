"""The built-in wording of changes: one plain sentence for each, the same one every time, from its own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ai_service.domain import Highlight

if TYPE_CHECKING:
    from ai_service.domain import Change, Release

_TEXT_CHARACTERS = 240
REFERENCE = re.compile(
    r"(?<![\w/])(?:[\w.-]+/[\w.-]+)?#\d+\b|\bGH-\d+\b|(?<![\w/])![1-9]\d*\b"
    r"|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b"
)
"""An issue, a pull request, a merge request or a commit."""
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+|\b(?:javascript|data|mailto|vbscript):\S*", re.IGNORECASE)
_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|refs?|see)[:\s]+(?=[\s,.;)\]]|$)", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_MARKUP = re.compile(r"<[^<>]{0,200}>|[*_~]{2,}|[<>|]")
_EMPTY = re.compile(r"[(\[]\s*(?:(?:and|,|;)\s*)*[)\]]")
_VERBS = {
    "added": "add", "changed": "change", "deprecated": "deprecate", "removed": "remove", "fixed": "fix",
    "security": "secure",
}  # fmt: skip


def word_changes(release: Release) -> tuple[Highlight, ...]:
    """One sentence for each change, in the same order."""
    return tuple(Highlight(_sentence(change), (change.key,)) for change in release.changes)


def _sentence(change: Change) -> str:
    section, scope = _without_marks(change.section).strip(" .:").capitalize(), _without_marks(change.scope)
    said = _without_verb(_without_marks(change.text), section.lower())
    head = f"Breaking, {section.lower()}" if change.breaking else section
    words = ": ".join(part for part in (f"{head} in {scope}" if scope else head, said) if part)
    if len(words) > _TEXT_CHARACTERS:
        kept = words[: _TEXT_CHARACTERS + 1].rsplit(maxsplit=1)[0]
        return f"{kept[:_TEXT_CHARACTERS].rstrip(' ,;:.')} …"
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _without_marks(text: str) -> str:
    """The words alone: no reference, address or markup, on one line."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    line = REFERENCE.sub(" ", _ADDRESS.sub(" ", _LINK.sub(r"\1", line)))
    line = _CLOSING.sub(" ", _MARKUP.sub(" ", line).replace("`", "'"))
    line = re.sub(r"\s+([,.;:!?)\]])", r"\1", re.sub(r"\s+", " ", _EMPTY.sub(" ", line)))
    return line.strip(" ,;:-")


def _without_verb(text: str, section: str) -> str:
    """The text without a leading verb that the section says already: "Fixed: fix x" reads badly."""
    verb = _VERBS.get(section, "")
    stem = verb.removesuffix("e")
    pattern = rf"{re.escape(stem)}(?:e|es|ed|s|d|ing)?\s+(?=\S)"
    return re.sub(rf"^{pattern}", "", text, count=1, flags=re.IGNORECASE) if verb else text
