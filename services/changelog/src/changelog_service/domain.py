"""Repositories, commits, changelogs and deployments, and what may happen to them. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from changelog_service.commits import Bump, Commit, Entry, Excluded, Notes
from changelog_service.errors import ChangelogPublished
from chassis.errors import Internal

PUBLISHED_EARLY = "The changelog was published before its highlights were worded."


class ChangelogState(StrEnum):
    """How far a changelog is."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"


class HighlightState(StrEnum):
    """How far the machine is with the highlights."""

    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Repository:
    """Where commits come from; each batch of commits is one version."""

    id: UUID
    version: int
    name: str
    services: tuple[str, ...]
    commit_count: int
    created_at: datetime
    updated_at: datetime

    def pushed(
        self, new_commits: int, services: tuple[str, ...], *, at: datetime
    ) -> tuple[Self, "RepositoryCommitsPushed"]:
        """The repository with a batch more; no services leave the known ones."""
        repository = replace(
            self,
            version=self.version + 1,
            commit_count=self.commit_count + new_commits,
            services=services or self.services,
            updated_at=at,
        )
        return repository, RepositoryCommitsPushed(self.id, repository.version, self.name, new_commits)


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """A pushed commit; its message was redacted before it was stored."""

    id: UUID
    repository_id: UUID
    commit: Commit
    type: str
    scope: str
    breaking: bool
    conventional: bool

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.commit.message.lstrip("\r\n").partition("\n")[0].strip()

    @property
    def body(self) -> str:
        """The rest of the message."""
        return self.commit.message.lstrip("\r\n").partition("\n")[2].strip("\r\n")


@dataclass(frozen=True, slots=True)
class Highlight:
    """One sentence for the top of the notes, and the entries that it words."""

    text: str
    entry_keys: tuple[str, ...]
    engine: str


@dataclass(frozen=True, slots=True)
class Highlights:
    """The worded top of the notes, the most important first."""

    highlights: tuple[Highlight, ...]
    engine: str
    model: str
    run_id: str
    fallback_reason: str
    replaced_count: int


@dataclass(frozen=True, slots=True)
class RepositoryCommitsPushed:
    """A batch of commits was stored."""

    repository_id: UUID
    version: int
    repository_name: str
    new_commit_count: int


@dataclass(frozen=True, slots=True)
class ChangelogGenerated:
    """A changelog was made and waits for its highlights."""

    changelog_id: UUID
    version: int
    repository_id: UUID
    commit_count: int


@dataclass(frozen=True, slots=True)
class ChangelogHighlighted:
    """The highlights of a changelog were worded, or could not be: then it has no engine."""

    changelog_id: UUID
    version: int
    engine: str


@dataclass(frozen=True, slots=True)
class ChangelogReleased:
    """A changelog is what readers see from now on."""

    changelog_id: UUID
    version: int
    repository_id: UUID
    next_version: str


@dataclass(frozen=True, slots=True)
class DeploymentRecorded:
    """A version went live."""

    deployment_id: UUID
    version: int
    service: str
    environment: str
    version_name: str


@dataclass(frozen=True, slots=True)
class Changelog:
    """What changed in a range of commits: each of them is in exactly one entry or excluded."""

    id: UUID
    version: int
    repository_id: UUID
    repository_name: str
    from_ref: str
    to_ref: str
    state: ChangelogState
    bump: Bump
    bump_sha: str
    previous_version: str
    next_version: str
    entries: tuple[Entry, ...]
    excluded: tuple[Excluded, ...]
    commit_count: int
    markdown: str
    json: str
    highlight_state: HighlightState
    highlights: Highlights | None
    highlight_failure: str
    created_by_kind: str
    created_by_id: str
    created_at: datetime
    updated_at: datetime
    published_by_kind: str | None = None
    published_by_id: str | None = None
    published_at: datetime | None = None

    def generated(self) -> ChangelogGenerated:
        """The fact that it was made."""
        return ChangelogGenerated(self.id, self.version, self.repository_id, self.commit_count)

    def highlighted(self, highlights: Highlights, *, at: datetime) -> tuple[Self, ChangelogHighlighted]:
        """The draft with its highlights; only for one that waits for them."""
        changelog = replace(
            self, version=self.version + 1, updated_at=at, highlight_state=HighlightState.READY, highlights=highlights
        )
        return changelog, ChangelogHighlighted(self.id, changelog.version, highlights.engine)

    def highlights_failed(self, failure: str, *, at: datetime) -> tuple[Self, ChangelogHighlighted]:
        """The draft without highlights and with the reason why; only for one that waits for them."""
        changelog = replace(
            self,
            version=self.version + 1,
            updated_at=at,
            highlight_state=HighlightState.FAILED,
            highlight_failure=failure,
        )
        return changelog, ChangelogHighlighted(self.id, changelog.version, "")

    def published(self, by_kind: str, by_id: str, *, at: datetime) -> tuple[Self, ChangelogReleased]:
        """What readers see from now on; highlights that are not there yet will not come.

        Raises:
            ChangelogPublished: it is published already.
        """
        if self.state is ChangelogState.PUBLISHED:
            raise ChangelogPublished("the changelog is published already and never changes; generate another one")
        changelog = replace(
            self,
            version=self.version + 1,
            updated_at=at,
            state=ChangelogState.PUBLISHED,
            published_by_kind=by_kind,
            published_by_id=by_id,
            published_at=at,
        )
        if self.highlight_state is HighlightState.PENDING:
            changelog = replace(changelog, highlight_state=HighlightState.FAILED, highlight_failure=PUBLISHED_EARLY)
        return changelog, ChangelogReleased(self.id, changelog.version, self.repository_id, self.next_version)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version of a service that went live."""

    id: UUID
    service: str
    environment: str
    version_name: str
    repository_id: UUID | None
    sha: str
    url: str
    deployed_at: datetime
    external_reference: str
    created_by_kind: str
    created_by_id: str
    created_at: datetime

    def recorded(self) -> DeploymentRecorded:
        """The fact that it was told."""
        return DeploymentRecorded(self.id, 1, self.service, self.environment, self.version_name)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was changed at a moment."""

    at: datetime
    what: StoredCommit | Deployment


@dataclass(frozen=True, slots=True)
class ChangesBefore:
    """The changes before one moment, newest first, and whether the window holds more."""

    key: str
    changes: tuple[Change, ...]
    truncated: bool


def account_for(commits: Sequence[Commit], notes: Notes) -> None:
    """Let notes pass that have each commit in exactly one entry or excluded.

    Raises:
        Internal: a commit is missing, stands there twice or was never given.
    """
    told = Counter(sha for entry in notes.entries for sha in entry.commit_shas)
    told.update(excluded.sha for excluded in notes.excluded)
    given = Counter(commit.sha for commit in commits)
    keys = Counter(entry.key for entry in notes.entries)
    sound = told == given and notes.commit_count == len(commits) and set(keys.values()) <= {1}
    if not sound or (notes.bump_sha and notes.bump_sha not in given):
        raise Internal("the notes do not account for each commit once, so nothing was stored; report this")


def date_of(commits: Sequence[Commit]) -> date | None:
    """The day of the newest commit: the same for the same commits, whenever their notes are made."""
    return max((commit.committed_at.date() for commit in commits if commit.committed_at), default=None)
