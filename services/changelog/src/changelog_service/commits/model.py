"""What goes in and comes out: commits, and notes that account for each of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Section(StrEnum):
    """Section of Keep a Changelog 1.1.0 in which an entry stands."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    DEPRECATED = "DEPRECATED"
    REMOVED = "REMOVED"
    FIXED = "FIXED"
    SECURITY = "SECURITY"


class ExclusionReason(StrEnum):
    """Why a commit is in no entry."""

    MERGE = "MERGE"
    REVERTED = "REVERTED"
    DUPLICATE = "DUPLICATE"
    INTERNAL = "INTERNAL"
    DOCUMENTATION = "DOCUMENTATION"
    DEPENDENCY = "DEPENDENCY"
    RELEASE = "RELEASE"
    MEANINGLESS = "MEANINGLESS"


class Bump(StrEnum):
    """The part of a semantic version that has to rise."""

    NONE = "NONE"
    PATCH = "PATCH"
    MINOR = "MINOR"
    MAJOR = "MAJOR"


@dataclass(frozen=True)
class Commit:
    """A commit as its author wrote it; no parents means that they are unknown or that it is the first one."""

    sha: str
    message: str
    author_name: str = ""
    author_email: str = ""
    committed_at: datetime | None = None
    parent_shas: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exclusion:
    """Why a commit stands in no entry, and the same in a few words."""

    reason: ExclusionReason
    detail: str


@dataclass(frozen=True)
class ReadCommit:
    """What a commit says, seen alone; exactly one of section and exclusion is set.

    `subject` is the first line and `body` the rest of the message, footers included. `type` is in lower case: as it is
    written when `conventional`, else as the message reads, or empty. `merge` is true for a commit with two parents or
    more, and for one whose message is that of a merge.
    """

    commit: Commit
    subject: str
    body: str
    type: str
    scope: str
    description: str
    breaking: bool
    breaking_note: str
    conventional: bool
    references: tuple[str, ...]
    footers: tuple[tuple[str, str], ...]
    bot: bool
    merge: bool
    section: Section | None
    exclusion: Exclusion | None


@dataclass(frozen=True)
class Entry:
    """One line of the notes."""

    key: str
    section: Section
    text: str
    scope: str
    breaking: bool
    breaking_note: str
    commit_shas: tuple[str, ...]
    references: tuple[str, ...]


@dataclass(frozen=True)
class Excluded:
    """A commit that stands in no entry, and why."""

    sha: str
    subject: str
    reason: ExclusionReason
    detail: str


@dataclass(frozen=True)
class Notes:
    """What changed in a range: each of its commits is in exactly one entry or excluded."""

    entries: tuple[Entry, ...]
    excluded: tuple[Excluded, ...]
    bump: Bump
    bump_sha: str
    previous_version: str
    next_version: str
    commit_count: int
