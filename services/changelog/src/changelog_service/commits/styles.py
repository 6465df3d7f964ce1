"""Subjects of other styles: gitmoji, `[component] text`, `area: text`, `Fix #12: text`, merges."""

import re
from dataclasses import dataclass

from changelog_service.commits.conventional import parse_header
from changelog_service.commits.kinds import GITMOJI, TYPES
from changelog_service.commits.wording import begins_with_verb

_SHORTCODE = re.compile(r"(:[a-z0-9_+-]{2,40}:)\s*")
_BULLET = re.compile(r"[*+-] +")
_LOOSE = re.compile(r"\(?([A-Za-z-]{2,20})\)?(?:\(([^()]{1,40})\))?(!)?(?: ?[:/] ?| - |(?<=\)) )(?=\S)")
"""Nearly a Conventional Commit: `feat : add`, `fix(cart):add`, `(fix) add`, `fix - add`, `feature/add`."""
_BRACKET = re.compile(r"\[([^\[\]]{1,40})\]\s*[:-]?\s*")
_AREA = re.compile(r"([\w.,*@/+{}()-]{1,60}(?: [\w./()-]{1,30}){0,2}): +(?=\S)")
_ISSUE = re.compile(
    r"(?P<verb>(?:fix|close|resolve)(?:e?s|e?d)?|issue|bug|bugfix|backport(?:ed)?)(?: for| of)?(?: issue| bug| pr)?:? "
    r"(?:#|gh-|issue )?[0-9]{1,9}"
    r"\s*[:,-]?\s+(?=\S)",
    re.IGNORECASE,
)
_FORGE_ISSUE = re.compile(r"(?:gh|bpo)-[0-9]+", re.IGNORECASE)
_MERGE = re.compile(
    r"Merge (?:pull request #[0-9]+ (?:from|in)\b|(?:remote-tracking )?branch(?:es)?\b|tag\b|commits? |PR #?[0-9]+"
    r"|\S+ into \S+$|[\"'])|Merge[d]? in \S+ \(pull request #[0-9]+\)|Merge \S+ from \S+$|Merge \S+$"
)
_TRAILER = re.compile(
    r"(?:[a-z-]+-by|change-id|conflicts|reviewers?|see merge request|closes|fixes)\b|[*#]", re.IGNORECASE
)
_SQUASH = "Squashed commit of the following:"
_SQUASHED_SUBJECTS = re.compile(r"^commit [0-9a-f]{7,64}\n(?:\S[^\n]*\n){1,9}\n {4}(\S[^\n]*)", re.MULTILINE)
_MOST_TAGS = 3
_MOST_CODE_POINTS = 4


@dataclass(frozen=True)
class Styled:
    """A subject without what stands before its text; `type` is one that the notes know, or empty."""

    type: str
    scope: str
    text: str
    breaking: bool = False


def undress(subject: str) -> Styled:
    """Take the tags off a subject of any style."""
    found_type, scope, breaking, text = "", "", False, _BULLET.sub("", subject.strip(), count=1)
    for _ in range(_MOST_TAGS):
        tag, rest = _tag(text)
        if not tag or not rest:
            break
        text = rest
        if tag in GITMOJI:
            found_type = found_type or GITMOJI[tag]
            breaking = breaking or tag in {":boom:", "💥"}
        elif tag.lower() in TYPES:
            found_type = found_type or tag.lower()
        else:
            scope = scope or tag
    header = parse_header(text)
    if header is not None and (header.type.lower() in TYPES or header.scope):
        known = header.type.lower() if header.type.lower() in TYPES else ""
        area = header.scope or ("" if known else header.type)
        return Styled(known or found_type, area or scope, header.description, breaking or header.breaking)
    loose = _LOOSE.match(text)
    if header is None and loose and loose[1].lower() in TYPES:
        return Styled(loose[1].lower(), loose[2] or scope, text[loose.end() :], breaking or bool(loose[3]))
    if issue := _ISSUE.match(text):
        verb = issue["verb"].lower()
        return Styled(
            found_type or ("" if verb.startswith(("issue", "backport")) else "fix"),
            scope,
            text[issue.end() :],
            breaking,
        )
    area_found = _AREA.match(text)
    if area_found and not begins_with_verb(area_found[1]):
        area = "" if _FORGE_ISSUE.fullmatch(area_found[1]) else area_found[1]
        known = area.lower().rstrip("!") if area.lower().rstrip("!") in TYPES else ""
        return Styled(found_type or known, scope or ("" if known else area), text[area_found.end() :], breaking)
    return Styled(found_type, scope, text, breaking)


def is_merge(subject: str) -> bool:
    """True for the subject that git or a forge gives to a merge."""
    return _MERGE.match(subject) is not None


def merge_title(rest: str) -> str:
    """The title of the pull request that a merge's body begins with, or nothing."""
    first = next((line.strip() for line in rest.split("\n", 20)[:20] if line.strip()), "")
    return "" if _TRAILER.match(first) or is_merge(first) else first


def squashed_subjects(subject: str, rest: str) -> list[str]:
    """The subjects of the commits that `git merge --squash` lists, oldest first; nothing for another message."""
    return _SQUASHED_SUBJECTS.findall(rest)[::-1] if subject == _SQUASH else []


def _tag(text: str) -> tuple[str, str]:
    """A tag that a subject begins with, and what follows; nothing when it begins with its text."""
    if found := _SHORTCODE.match(text):
        return (found[1], text[found.end() :]) if found[1] in GITMOJI else ("", text)
    if found := _BRACKET.match(text):
        return found[1].strip(), text[found.end() :]
    for length in range(_MOST_CODE_POINTS, 0, -1):
        bare = text[:length].replace("\ufe0f", "")
        if bare in GITMOJI and not bare.isascii():
            return bare, text[length:].lstrip("\ufe0f \t")
    return "", text
