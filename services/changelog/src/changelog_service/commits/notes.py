"""Notes of a range of commits: each of them stands in exactly one entry or in the excluded list with its reason."""

import dataclasses
from collections.abc import Iterable, Sequence

from changelog_service.commits.kinds import BUMP_OF_SECTION, FEATURE_TYPES, FIX_TYPES, STANDARD_TYPES, TYPES
from changelog_service.commits.model import Bump, Commit, Entry, Excluded, ExclusionReason, Notes, ReadCommit, Section
from changelog_service.commits.reading import means, read
from changelog_service.commits.references import MOST
from changelog_service.commits.relations import Relations, relate
from changelog_service.commits.version import Version, parse_version, raise_version, rise

_HEIGHT = {bump: height for height, bump in enumerate(Bump)}
_SECTIONS = list(Section)
_NEVER_RELEASED = (ExclusionReason.REVERTED, ExclusionReason.DUPLICATE)


def make_notes(commits: Sequence[Commit], *, previous_version: str = "") -> Notes:
    """Notes of these commits, newest first; the same commits give the same notes.

    The first commit that asks for the highest bump decides it. A `Release-As` footer names the next version whatever
    the commits ask for; the newest one counts.

    Raises:
        ValueError: a sha stands there twice, or previous_version is no semantic version.
    """
    _refuse_repeated(commits)
    previous = parse_version(previous_version) if previous_version else None
    whole = [read(commit) for commit in commits]
    relations = relate(whole)
    excluded: list[Excluded] = []
    groups: dict[object, list[int]] = {}
    for position, each in enumerate(whole):
        why = relations.excluded.get(position)
        target = relations.joined.get(position, position)
        if why is None and whole[target].section is not None:
            groups.setdefault(_sameness(whole[target]), []).append(position)
            continue
        why = why or each.exclusion
        assert why is not None
        excluded.append(Excluded(each.commit.sha, each.subject, why.reason, why.detail))
    entries = _in_order(_entry(group, whole, relations) for group in groups.values())
    bump, bump_sha = _highest(whole[position] for position in sorted(p for group in groups.values() for p in group))
    following = raise_version(previous, bump) if previous and bump is not Bump.NONE else None
    left_out = {each.sha for each in excluded if each.reason in _NEVER_RELEASED}
    wanted, wanted_sha = _release_as((each for each in whole if each.commit.sha not in left_out), previous)
    if wanted is not None:
        following, bump_sha = wanted, wanted_sha
        bump = rise(previous, wanted) if previous else bump
    return Notes(
        entries=entries,
        excluded=tuple(excluded),
        bump=bump,
        bump_sha="" if bump is Bump.NONE else bump_sha,
        previous_version=previous_version,
        next_version=str(following) if following else "",
        commit_count=len(whole),
    )


def _refuse_repeated(commits: Sequence[Commit]) -> None:
    seen: set[str] = set()
    for commit in commits:
        if commit.sha in seen:
            message = f"commit {commit.sha} stands in the list twice"
            raise ValueError(message)
        seen.add(commit.sha)


def _scope(each: ReadCommit) -> str:
    """The scope, or the area where the subject is of the form `area: text`."""
    area = each.conventional and each.type not in STANDARD_TYPES and not means(each.type, each.description)
    return each.scope or (each.type if area else "")


def _sameness(each: ReadCommit) -> object:
    """Commits that would give the same line share one entry."""
    return each.section, _scope(each).casefold(), _text(each).casefold()


def _text(each: ReadCommit) -> str:
    """The description as a line of notes: it begins with a capital, has no full stop and is never empty."""
    text = each.description or each.subject or f"Commit {each.commit.sha}"
    if text.endswith(".") and not text.endswith("..") and len(text) > 1:
        text = text[:-1].rstrip()
    first = text.split(" ", 1)[0].rstrip(",:;.")
    plain = first.replace("'", "").replace("-", "")
    return text[0].upper() + text[1:] if plain.isalpha() and plain.islower() else text


def _entry(group: Sequence[int], whole: Sequence[ReadCommit], relations: Relations) -> Entry:
    members = [whole[position] for position in group]
    told = next(each for position, each in zip(group, members, strict=True) if position not in relations.joined)
    assert told.section is not None
    references: dict[str, None] = {}
    for position, each in zip(group, members, strict=True):
        references |= dict.fromkeys((*relations.references.get(position, ()), *each.references))
    return Entry(
        key="",
        section=told.section,
        text=_text(told),
        scope=_scope(told),
        breaking=any(each.breaking for each in members),
        breaking_note="\n\n".join(dict.fromkeys(each.breaking_note for each in members if each.breaking_note)),
        commit_shas=tuple(each.commit.sha for each in members),
        references=tuple(references)[:MOST],
    )


def _in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Sections that break something come first, in each what breaks; else the order of Keep a Changelog."""
    listed = list(entries)
    broken = {entry.section for entry in listed if entry.breaking}
    listed.sort(key=lambda each: (each.section not in broken, _SECTIONS.index(each.section), not each.breaking))
    return tuple(dataclasses.replace(entry, key=f"c{number}") for number, entry in enumerate(listed, start=1))


def _bump_of(each: ReadCommit) -> Bump:
    """What a commit asks for: by its type where it has one, else by what it says."""
    if each.breaking:
        return Bump.MAJOR
    if each.type in FEATURE_TYPES:
        return Bump.MINOR
    if each.type in FIX_TYPES:
        return Bump.PATCH
    if each.section is None or (each.conventional and each.type in {*TYPES, *STANDARD_TYPES}):
        return Bump.NONE
    return BUMP_OF_SECTION[each.section]


def _highest(commits: Iterable[ReadCommit]) -> tuple[Bump, str]:
    bump, sha = Bump.NONE, ""
    for each in commits:
        own = _bump_of(each)
        if _HEIGHT[own] > _HEIGHT[bump]:
            bump, sha = own, each.commit.sha
    return bump, sha


def _release_as(commits: Iterable[ReadCommit], previous: Version | None) -> tuple[Version | None, str]:
    """The version that the newest readable `Release-As` footer names, with the prefix of the one before."""
    for each in commits:
        for token, value in each.footers:
            if token.lower() != "release-as":
                continue
            try:
                named = parse_version(value.strip())
            except ValueError:
                continue
            if previous is not None:
                named = Version(previous.prefix, named.major, named.minor, named.patch, named.pre_release, named.build)
            return named, each.commit.sha
    return None, ""
