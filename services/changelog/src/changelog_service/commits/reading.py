"""Reading one commit: its message in parts, and where it belongs when it is seen alone."""

import re
from collections.abc import Sequence

from changelog_service.commits.conventional import Message, parse_header, parse_message
from changelog_service.commits.kinds import (
    AREA_TYPES,
    DEPENDENCY_SCOPES,
    DETAILS,
    DOCUMENTATION_SCOPES,
    INTERNAL_SCOPES,
    STANDARD_TYPES,
    TYPES,
    Kind,
)
from changelog_service.commits.model import Commit, Exclusion, ExclusionReason, ReadCommit, Section
from changelog_service.commits.references import find_references, without_trailing_references
from changelog_service.commits.reverts import Revert, find_revert, fixup_of
from changelog_service.commits.styles import Styled, is_merge, merge_title, squashed_subjects, undress
from changelog_service.commits.wording import (
    begins_with_verb,
    classify,
    is_dependency,
    is_security,
    section_of,
    section_of_feature,
)

MOST_TEXT = 500
"""Characters of a line that is shown; a longer one ends in an ellipsis."""
_BOT = re.compile(r"\[bot\]|^(?:dependabot|renovate|pre-commit-ci|github-actions|greenkeeper|snyk-bot|pyup)\b|-bot$")
_BOT_MESSAGE = re.compile(
    r"^(?:Signed-off-by: dependabot|updated-dependencies:)|\(https://docs\.renovatebot\.com", re.MULTILINE
)
_UNSHOWABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""What a terminal obeys, what turns the reading direction, and lone surrogates, which no encoding takes."""
_SQUASHED = re.compile(r"^[*-] (\w[^\n]{0,200})$", re.MULTILINE)
_SCOPES_APART = re.compile(r"[/,]")
_CONSTRAINT = re.compile(r"(?:re-?)?(?:allow|require|drop|support|loosen|relax|restrict|widen|remove|add|replace)\w*\b")
"""What changes for users when a dependency is not merely raised."""
_TEST_PATH = re.compile(r"(?:.*/)?(?:tests?|testing|spec|specs|__tests__|benchmarks?|fixtures)/|(?:.*/)?test_[^/]*$")
_INTERNAL_PATH = re.compile(
    r"\.(?:github|gitlab|circleci|buildkite|vscode|husky|changeset)/|(?:.*/)?\.(?:git|editorconfig|pre-commit|travis)[^/]*$"
    r"|(?:.*/)?(?:azure-pipelines|appveyor|codecov|tox)\.(?:yml|yaml|ini)$"
)
_DOCUMENTATION_PATH = re.compile(
    r"docs?/|(?:.*/)?(?:README|CONTRIBUTING|CHANGELOG|CHANGES|AUTHORS)[^/]*$|(?:.*/)?[^/]+\.(?:md|rst|adoc)$"
)


def read(commit: Commit) -> ReadCommit:
    """What a commit says, seen alone; every message has an answer, none raises."""
    message = parse_message(_UNSHOWABLE.sub("\ufffd", commit.message))
    merge = len(commit.parent_shas) > 1 or is_merge(message.subject)
    told = merge_title(message.rest) if is_merge(message.subject) else message.subject
    told = _squash_title(message) or told
    header = message.header if told == message.subject else parse_header(told)
    styled = _styled(told)
    bot = _is_bot(commit)
    breaking = bool(message.breaking_notes) or bool(header and header.breaking) or bool(styled and styled.breaking)
    breaking = breaking or _breaks_inside(message)
    description = header.description if header else styled.text if styled else told
    kind, detail = _kind(commit, message, told, styled, bot=bot)
    if merge and not told:
        kind, detail = ExclusionReason.MERGE, "a merge that says nothing of its own"
    elif breaking and isinstance(kind, ExclusionReason):
        kind = section_of(description)
    return ReadCommit(
        commit=commit,
        subject=_shown(message.subject),
        body=message.rest,
        type=header.type.lower() if header else _type_of(kind, find_revert(message)),
        scope=_shown(header.scope if header else styled.scope if styled else ""),
        description=_shown(without_trailing_references(description)) or _shown(description),
        breaking=breaking,
        breaking_note="\n\n".join(message.breaking_notes),
        conventional=message.header is not None and message.separated,
        references=find_references(f"{message.subject}\n{message.rest}"),
        footers=message.footers,
        bot=bot,
        merge=merge,
        section=kind if isinstance(kind, Section) else None,
        exclusion=Exclusion(kind, detail or DETAILS[kind]) if isinstance(kind, ExclusionReason) else None,
    )


def _shown(text: str) -> str:
    """One line of a length that can be shown."""
    line = " ".join(text[: 4 * MOST_TEXT].split())
    return line if len(line) <= MOST_TEXT else f"{line[: MOST_TEXT - 1].rstrip()}…"


def _kind(commit: Commit, message: Message, told: str, styled: Styled | None, *, bot: bool) -> tuple[Kind, str]:
    """Where a commit belongs and, when it is left out, why in a few words if there is more to say than the reason."""
    if fixup_of(message.subject):
        return ExclusionReason.MEANINGLESS, "to be melted into another commit"
    if revert := find_revert(message):
        return _kind_of_revert(revert), ""
    found = _kind_of_subject(told, styled, bot=bot)
    by_words = styled is not None and not styled.type and isinstance(found[0], Section)
    return (_kind_of_paths(commit.paths) if by_words else None) or found


def _kind_of_subject(told: str, styled: Styled | None, *, bot: bool) -> tuple[Kind, str]:
    """By type and scope where there are some, else by the words."""
    header = parse_header(told)
    if styled is None:
        assert header is not None
        return _kind_of_type(header.type.lower(), header.scope.lower(), header.description, bot=bot)
    if styled.type and means(styled.type, styled.text):
        return _kind_of_type(styled.type, styled.scope.lower(), styled.text, bot=bot)
    return _kind_of_scope(styled.scope.lower()) or _kind_of_words(told, styled.text)


def _styled(told: str) -> Styled | None:
    """What stands before the text of a subject of another style; nothing for a type that the notes know."""
    header = parse_header(told)
    return None if header is not None and means(header.type.lower(), header.description) else undress(told)


def means(name: str, description: str) -> bool:
    """True for a type that the notes know, unless it is here the name of what is changed."""
    return name in TYPES and not (name in AREA_TYPES and begins_with_verb(description))


def _kind_of_words(told: str, text: str) -> tuple[Kind, str]:
    """By the whole subject where that leaves a commit out, by the text behind its tags else."""
    whole = classify(without_trailing_references(told))
    if isinstance(whole, ExclusionReason) and whole is not ExclusionReason.MEANINGLESS:
        return whole, ""
    return classify(without_trailing_references(text)), ""


def _kind_of_type(name: str, scope: str, description: str, *, bot: bool) -> tuple[Kind, str]:
    """By the type that the author chose; scopes such as `deps` and `ci` narrow it."""
    kind = TYPES.get(name) or classify(description)
    of_scope = _kind_of_scope(scope)
    detail = f"type {name}" if kind is ExclusionReason.INTERNAL else ""
    if isinstance(kind, Section):
        if bot and (scope in DEPENDENCY_SCOPES or is_dependency(description)) and not is_security(description):
            kind, detail = ExclusionReason.DEPENDENCY, "dependency update by a bot"
        elif of_scope and of_scope[0] is not ExclusionReason.DEPENDENCY:
            kind, detail = of_scope
        elif is_security(description):
            kind = Section.SECURITY
        elif kind is Section.ADDED:
            kind = section_of_feature(description)
    elif kind is ExclusionReason.DEPENDENCY and not bot and _CONSTRAINT.match(description.lower()):
        kind = Section.CHANGED
    elif kind is ExclusionReason.INTERNAL and (narrower := _narrower(scope, of_scope, description)):
        kind, detail = narrower, ""
    return kind, detail


def _narrower(scope: str, of_scope: tuple[Kind, str] | None, description: str) -> Kind | None:
    """What a chore is about, when its scope or words say it."""
    if scope in {"release", "version"}:
        return ExclusionReason.RELEASE
    if of_scope and of_scope[0] is not ExclusionReason.INTERNAL:
        return of_scope[0]
    said = classify(description)
    return said if said in {ExclusionReason.RELEASE, ExclusionReason.DEPENDENCY} else None


def _kind_of_scope(scope: str) -> tuple[Kind, str] | None:
    """By a scope that users never see; of several, `ci/docs`, the first has to be one."""
    first = _SCOPES_APART.split(scope, maxsplit=1)[0]
    kinds = (
        (INTERNAL_SCOPES, ExclusionReason.INTERNAL),
        (DOCUMENTATION_SCOPES, ExclusionReason.DOCUMENTATION),
        (DEPENDENCY_SCOPES, ExclusionReason.DEPENDENCY),
    )
    return next(((kind, f"scope {scope}") for scopes, kind in kinds if first in scopes), None)


def _kind_of_paths(paths: Sequence[str]) -> tuple[Kind, str] | None:
    """What the touched files say for themselves; nothing when one of them is none of these."""
    if not paths:
        return None
    if all(_TEST_PATH.match(path) or _INTERNAL_PATH.match(path) for path in paths):
        return ExclusionReason.INTERNAL, "touches tests and build files alone"
    if all(_DOCUMENTATION_PATH.match(path) for path in paths):
        return ExclusionReason.DOCUMENTATION, ""
    return None


def _kind_of_revert(revert: Revert) -> Kind:
    """Undoing what users did not notice goes unnoticed; undoing a feature removes it."""
    kind, _ = _kind_of_subject(revert.original, _styled(revert.original), bot=False)
    if isinstance(kind, ExclusionReason):
        return kind
    if revert.times % 2 == 0:
        return kind
    return Section.REMOVED if kind is Section.ADDED else Section.CHANGED


def _squash_title(message: Message) -> str:
    """The first of the squashed subjects that users notice, else the first; nothing for another message."""
    subjects = squashed_subjects(message.subject, message.rest)
    noticed = (each for each in subjects if isinstance(_kind_of_subject(each, _styled(each), bot=False)[0], Section))
    return next(noticed, subjects[0] if subjects else "")


def _breaks_inside(message: Message) -> bool:
    """True when a squash merge lists a commit whose type has the `!`."""
    return any(
        (header := parse_header(line)) is not None and header.breaking and header.type.lower() in STANDARD_TYPES
        for line in (*_SQUASHED.findall(message.rest), *squashed_subjects(message.subject, message.rest))
    )


def _is_bot(commit: Commit) -> bool:
    name, email = commit.author_name.lower(), commit.author_email.lower()
    return bool(_BOT.search(name) or "[bot]" in email or _BOT_MESSAGE.search(commit.message))


def _type_of(kind: Kind, revert: Revert | None) -> str:
    """The type that a message of another style reads like."""
    if revert is not None:
        return "revert"
    if kind in {Section.FIXED, Section.SECURITY}:
        return "fix"
    if kind is Section.ADDED:
        return "feat"
    if kind is ExclusionReason.DOCUMENTATION:
        return "docs"
    maintained = {ExclusionReason.INTERNAL, ExclusionReason.DEPENDENCY, ExclusionReason.RELEASE}
    return "chore" if kind in maintained else ""
