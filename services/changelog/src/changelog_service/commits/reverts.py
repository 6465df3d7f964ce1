"""Reverts, cherry-picks and fixups: which other commit a message is about."""

import re
from dataclasses import dataclass

from changelog_service.commits.conventional import Message
from changelog_service.commits.references import pull_request, without_trailing_references

_SHA = r"\b[0-9a-f]{7,64}\b"
_REVERTED = re.compile(
    r"\bThis reverts (?:merge )?commits?:?\s+((?:[0-9a-f]{7,64}(?:[\s,.]+(?:and\s+)?)?){1,100})", re.IGNORECASE
)
_REVERTED_PULL = re.compile(r"^Reverts (?:[\w.-]{1,100}/[\w.-]{1,100})?#([0-9]{1,9})\b", re.MULTILINE)
_PICKED = re.compile(rf"\(cherry[ -]picked from commit ({_SHA})")
_MAY_BE_ONE = re.compile("revert|reapply|re-apply|re-?land|back out|undo", re.IGNORECASE)
_QUOTED = re.compile(r'(Revert|Reapply|Reland|Re-apply|Re-land):? ["“](.*)["”]', re.IGNORECASE | re.DOTALL)
_FIXUP = re.compile(r"(?:fixup|squash|amend)! +(?=\S)")
_BEGINNINGS = ("revert", "reapply", "re-apply", "reland", "re-land", "back out", "undo")
_MOST_NESTED = 20


@dataclass(frozen=True)
class Revert:
    """What a revert undoes: hashes or the number of a pull request where it names them, else the quoted subject.

    `times` is odd when the change goes away, even when it comes back.
    """

    shas: tuple[str, ...]
    pull_request: str
    subject: str
    original: str
    times: int


def find_revert(message: Message) -> Revert | None:
    """The revert that a message is, or nothing."""
    if not _MAY_BE_ONE.search(message.subject):
        return None
    subject = without_trailing_references(message.subject)
    quoted = _QUOTED.fullmatch(subject)
    shas = tuple(
        sha.lower() for found in _REVERTED.finditer(message.rest) for sha in re.findall(_SHA, found[1].lower())
    )
    by_type = message.header is not None and message.header.type.lower() == "revert"
    by_words = bool(shas) and subject.lower().startswith(_BEGINNINGS)
    if not (quoted or by_type or by_words):
        return None
    if by_type and not shas:
        refs = " ".join(value for token, value in message.footers if token.lower() == "refs")
        shas = tuple(re.findall(_SHA, refs.lower()))
    pull = _REVERTED_PULL.search(message.rest)
    target = subject if not by_type or message.header is None else message.header.description
    times, target_of_this = 1, target
    if quoted:
        times, target_of_this = (1, quoted[2]) if quoted[1].lower() == "revert" else (2, f'Revert "{quoted[2]}"')
    original = quoted[2] if quoted else target
    while times < _MOST_NESTED and (inner := _QUOTED.fullmatch(without_trailing_references(original))):
        times += 1 if inner[1].lower() == "revert" else 2
        original = inner[2]
    number = pull[1] if pull else pull_request(target_of_this)
    return Revert(shas, number, target_of_this if quoted or by_type else "", original, times)


def picked_from(message: str) -> tuple[str, ...]:
    """Hashes of the commits that this one is a cherry-pick of, the latest first."""
    return tuple(reversed(_PICKED.findall(message))) if "cherry" in message else ()


def fixup_of(subject: str) -> str:
    """The subject of the commit that a `fixup!` is to be melted into, or nothing."""
    text = subject
    for _ in range(_MOST_NESTED):
        found = _FIXUP.match(text)
        if not found:
            break
        text = text[found.end() :]
    return "" if text == subject else text
