"""What can be asked of changelog, in domain words: the wishes that rpc hands to use cases and queries."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from changelog_service.commits import Commit


@dataclass(frozen=True, slots=True)
class PushCommits:
    """Wanted: a batch of commits in a repository, which is made when it is new."""

    repository_name: str
    services: tuple[str, ...]
    """Empty leaves the known ones."""
    commits: tuple[Commit, ...]


@dataclass(frozen=True, slots=True)
class CommitRange:
    """All commits that `to_ref` reaches and `from_ref` does not."""

    from_ref: str
    """Empty for the beginning."""
    to_ref: str


@dataclass(frozen=True, slots=True)
class GenerateChangelog:
    """Wanted: a draft of given commits, newest first, or of a range of pushed ones."""

    repository_name: str
    source: tuple[Commit, ...] | CommitRange
    previous_version: str
    """Empty when it is to be found in the tags."""


@dataclass(frozen=True, slots=True)
class PublishChangelog:
    """Wanted: a draft as what readers see."""

    changelog_id: UUID
    expected_version: int


@dataclass(frozen=True, slots=True)
class DecideSuggestion:
    """Wanted: an open suggestion taken, or dismissed."""

    changelog_id: UUID
    expected_version: int
    suggestion_id: UUID


@dataclass(frozen=True, slots=True)
class RecordDeployment:
    """Wanted: a version that went live."""

    service: str
    environment: str
    version_name: str
    repository_name: str
    """Empty when unknown."""
    sha: str
    """Empty when unknown."""
    url: str
    deployed_at: datetime | None
    """Now when unknown."""
    external_reference: str


@dataclass(frozen=True, slots=True)
class ChangesBeforeQuery:
    """One moment, with the window before it."""

    key: str
    service: str
    """Empty for all."""
    before: datetime
    window_seconds: int
