"""Repositories, commits, changelogs and deployments, and what may happen to them. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self
from uuid import UUID

from changelog_service.commits import Bump, Commit, Entry, Excluded, Notes
from changelog_service.errors import ChangelogPublished, ChangelogSuggestionNotFound
from chassis.errors import Internal

PUBLISHED_EARLY = "The changelog was published before its highlights were worded."


class ChangelogState(StrEnum):
    """How far a changelog is."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"


STATE_MOVES: Mapping[ChangelogState, tuple[ChangelogState, ...]] = MappingProxyType({
    ChangelogState.DRAFT: (ChangelogState.PUBLISHED,),
    ChangelogState.PUBLISHED: (),
})  # fmt: skip
"""Where a person may move a changelog from each state."""


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
class HighlightsSuggestion:
    """Highlights that the changelog did not wait for any more when they came: people take them or dismiss them."""

    id: UUID
    highlights: Highlights
    read_version: int
    """Version of the changelog that they were made from."""
    suggested_at: datetime


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
class ChangelogHighlightsSuggested:
    """Highlights came that the changelog did not wait for any more; they were kept for people to decide."""

    changelog_id: UUID
    version: int
    suggestion_id: UUID
    engine: str


@dataclass(frozen=True, slots=True)
class ChangelogSuggestionAccepted:
    """A person took suggested highlights; they are the changelog's now."""

    changelog_id: UUID
    version: int
    suggestion_id: UUID


@dataclass(frozen=True, slots=True)
class ChangelogSuggestionDismissed:
    """A person does not want suggested highlights."""

    changelog_id: UUID
    version: int
    suggestion_id: UUID


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
    highlight_suggestions: tuple[HighlightsSuggestion, ...] = ()
    """The oldest first."""

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

    def highlights_suggested(
        self, suggestion_id: UUID, highlights: Highlights, *, read_version: int, at: datetime
    ) -> tuple[Self, ChangelogHighlightsSuggested]:
        """The changelog as it is, and beside it highlights that it does not wait for."""
        suggestion = HighlightsSuggestion(suggestion_id, highlights, read_version, at)
        changelog = replace(
            self,
            version=self.version + 1,
            updated_at=at,
            highlight_suggestions=(*self.highlight_suggestions, suggestion),
        )
        return changelog, ChangelogHighlightsSuggested(self.id, changelog.version, suggestion_id, highlights.engine)

    def suggestion_accepted(self, suggestion_id: UUID, *, at: datetime) -> tuple[Self, ChangelogSuggestionAccepted]:
        """The changelog, published or not, with suggested highlights in place of those that it had or waited for.

        Raises:
            ChangelogSuggestionNotFound: no such suggestion is open.
        """
        taken, others = self._suggestion(suggestion_id)
        changelog = replace(
            self,
            version=self.version + 1,
            updated_at=at,
            highlight_state=HighlightState.READY,
            highlights=taken.highlights,
            highlight_failure="",
            highlight_suggestions=others,
        )
        return changelog, ChangelogSuggestionAccepted(self.id, changelog.version, suggestion_id)

    def suggestion_dismissed(self, suggestion_id: UUID, *, at: datetime) -> tuple[Self, ChangelogSuggestionDismissed]:
        """The changelog without suggested highlights.

        Raises:
            ChangelogSuggestionNotFound: no such suggestion is open.
        """
        _, others = self._suggestion(suggestion_id)
        changelog = replace(self, version=self.version + 1, updated_at=at, highlight_suggestions=others)
        return changelog, ChangelogSuggestionDismissed(self.id, changelog.version, suggestion_id)

    def _suggestion(self, suggestion_id: UUID) -> tuple[HighlightsSuggestion, tuple[HighlightsSuggestion, ...]]:
        others = tuple(each for each in self.highlight_suggestions if each.id != suggestion_id)
        for suggestion in self.highlight_suggestions:
            if suggestion.id == suggestion_id:
                return suggestion, others
        raise ChangelogSuggestionNotFound(suggestion_id)

    def published(self, by_kind: str, by_id: str, *, at: datetime) -> tuple[Self, ChangelogReleased]:
        """What readers see from now on; highlights that are not there yet will not come.

        Raises:
            ChangelogPublished: it is published already.
        """
        if ChangelogState.PUBLISHED not in STATE_MOVES[self.state]:
            raise ChangelogPublished(
                "the changelog is published already and its notes never change; generate another one"
            )
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
