"""Notes as Markdown in the form of Keep a Changelog 1.1.0, and as JSON.

Whatever the commits say is inert in the Markdown: no HTML, link, heading or list of theirs survives, only `code`.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from datetime import date as Date  # noqa: N812 - to_markdown has a parameter of that name

from changelog_service.commits.model import Entry, Notes

_CODE = re.compile(r"(?<!`)`([^`<>&\n]+)`(?!`)")
_ACTIVE = re.compile(r"[\\`*\[\]<|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#|[A-Za-z])")
_OPENING = re.compile(r">|[-=]+(?=$)|[-+](?= )|#{1,6}(?= |$)|[0-9]{1,9}(?=[.)](?: |$))")
"""What begins a quote, a rule, a list or a heading."""


def to_markdown(notes: Notes, *, title: str = "", date: Date | None = None) -> str:
    """The notes as Markdown, ending in a newline; breaking changes are marked and come first.

    The heading is the title, "Unreleased" when there is none.
    """
    return "\n".join(_lines(notes, title or "Unreleased", date)) + "\n"


def to_json(notes: Notes) -> str:
    """The notes as JSON with sorted keys: byte for byte equal for equal commits."""
    return json.dumps(dataclasses.asdict(notes), ensure_ascii=False, indent=2, sort_keys=True)


def inert(text: str) -> str:
    """One line that reads the same but means nothing in Markdown and HTML; spans of `code` stay."""
    parts: list[str] = []
    position = 0
    line = " ".join(text.split())
    for code in _CODE.finditer(line):
        parts += (_escaped(line[position : code.start()]), code[0])
        position = code.end()
    parts.append(_escaped(line[position:]))
    whole = "".join(parts)
    if opening := _OPENING.match(whole):
        at = opening.end() if opening[0].isdigit() else 0
        whole = f"{whole[:at]}\\{whole[at:]}"
    return whole


def _escaped(text: str) -> str:
    return _ACTIVE.sub(lambda found: {"<": "&lt;", "&": "&amp;"}.get(found[0]) or f"\\{found[0]}", text)


def _lines(notes: Notes, title: str, date: Date | None) -> Iterator[str]:
    yield f"## [{inert(title)}]" + (f" - {date.isoformat()}" if date else "")
    if not notes.entries:
        yield from ("", "No changes that users notice.")
    section = None
    for entry in notes.entries:
        if entry.section is not section:
            section = entry.section
            yield from ("", f"### {section.capitalize()}", "")
        yield _item(entry)


def _item(entry: Entry) -> str:
    mark = "**Breaking:** " if entry.breaking else ""
    scope = f"**{inert(entry.scope)}:** " if entry.scope else ""
    note = "" if not entry.breaking_note else f"\n  {inert(entry.breaking_note)}"
    references = f" ({', '.join(entry.references)})" if entry.references else ""
    return f"- {mark}{scope}{inert(entry.text)}{references}{note}"
