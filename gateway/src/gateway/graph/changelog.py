"""Changelogs with their entries and highlights: what changelog owns. Commits are in `changelog_commits`."""

from enum import Enum

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry import federation

from aiops.changelog.v1 import changelog_pb2
from gateway.context import Info
from gateway.graph import edges
from gateway.graph.actors import Actor, user_id_of
from gateway.graph.changelog_commits import Repository, load_repository
from gateway.graph.enums import name_or_none
from gateway.graph.scalars import time_or_none


@strawberry.enum
class ChangelogState(Enum):
    """How far a changelog is."""

    DRAFT = changelog_pb2.CHANGELOG_STATE_DRAFT
    """Can still be published; not shown to readers."""
    PUBLISHED = changelog_pb2.CHANGELOG_STATE_PUBLISHED
    """Is what readers see; never changes again."""


@strawberry.enum
class HighlightState(Enum):
    """How far the machine is with the highlights."""

    PENDING = changelog_pb2.HIGHLIGHT_STATE_PENDING
    """Not worded yet."""
    READY = changelog_pb2.HIGHLIGHT_STATE_READY
    """Worded, or there is nothing to highlight."""
    FAILED = changelog_pb2.HIGHLIGHT_STATE_FAILED
    """Could not be worded."""


@strawberry.enum
class ChangelogSection(Enum):
    """Where an entry stands, as in Keep a Changelog 1.1.0."""

    ADDED = changelog_pb2.CHANGELOG_SECTION_ADDED
    """New features."""
    CHANGED = changelog_pb2.CHANGELOG_SECTION_CHANGED
    """Changes in existing functionality."""
    DEPRECATED = changelog_pb2.CHANGELOG_SECTION_DEPRECATED
    """Features that will be removed."""
    REMOVED = changelog_pb2.CHANGELOG_SECTION_REMOVED
    """Features that are removed."""
    FIXED = changelog_pb2.CHANGELOG_SECTION_FIXED
    """Bug fixes."""
    SECURITY = changelog_pb2.CHANGELOG_SECTION_SECURITY
    """Vulnerabilities."""


@strawberry.enum
class VersionBump(Enum):
    """The part of a semantic version that has to rise."""

    NONE = changelog_pb2.VERSION_BUMP_NONE
    """Nothing in the range asks for a release."""
    PATCH = changelog_pb2.VERSION_BUMP_PATCH
    """A fix."""
    MINOR = changelog_pb2.VERSION_BUMP_MINOR
    """A feature."""
    MAJOR = changelog_pb2.VERSION_BUMP_MAJOR
    """A breaking change."""


@strawberry.enum
class ExclusionReason(Enum):
    """Why a commit is in no entry."""

    MERGE = changelog_pb2.EXCLUSION_REASON_MERGE
    """A merge whose commits stand for themselves."""
    REVERTED = changelog_pb2.EXCLUSION_REASON_REVERTED
    """Undone within the same range, or the undoing itself."""
    DUPLICATE = changelog_pb2.EXCLUSION_REASON_DUPLICATE
    """The same change as another commit of the range: a cherry-pick or a repeated squash."""
    INTERNAL = changelog_pb2.EXCLUSION_REASON_INTERNAL
    """Build, continuous integration, tests, formatting or refactoring: users do not notice."""
    DOCUMENTATION = changelog_pb2.EXCLUSION_REASON_DOCUMENTATION
    """Documentation alone."""
    DEPENDENCY = changelog_pb2.EXCLUSION_REASON_DEPENDENCY
    """A dependency of development, or one that a bot raised."""
    RELEASE = changelog_pb2.EXCLUSION_REASON_RELEASE
    """Makes the release itself: version numbers, changelog."""
    MEANINGLESS = changelog_pb2.EXCLUSION_REASON_MEANINGLESS
    """Says nothing: empty, `wip`, `fixup!`."""


@strawberry.type
class ChangelogEntry:
    """One line of a changelog."""

    key: str
    """Key within the changelog, such as `c1`."""
    section: ChangelogSection | None
    """Where it stands; null for a section that the graph does not know."""
    text: str
    """What changed, plain text."""
    scope: str | None
    """Scope; null when the commits name none."""
    breaking: bool
    """Whether it breaks what users rely on."""
    breaking_note: str | None
    """How to deal with the break, in the author's words; null when he gives none."""
    commit_shas: list[str]
    """Hashes of its commits; at least one."""
    references: list[str]
    """Issues and pull requests that its commits name, such as `#12` or `shop/api#7`."""

    @classmethod
    def of(cls, entry: changelog_pb2.ChangelogEntry) -> "ChangelogEntry":
        """The entry as changelog stored it."""
        return cls(
            key=entry.key,
            section=name_or_none(ChangelogSection, entry.section),
            text=entry.text,
            scope=entry.scope or None,
            breaking=entry.breaking,
            breaking_note=entry.breaking_note or None,
            commit_shas=list(entry.commit_shas),
            references=list(entry.references),
        )


@strawberry.type
class ExcludedCommit:
    """A commit that stands in no entry."""

    sha: str
    """Its hash."""
    subject: str
    """First line of its message."""
    reason: ExclusionReason | None
    """Why; null for a reason that the graph does not know."""
    detail: str
    """Why, in a few words; names the other commit for a revert or a duplicate."""

    @classmethod
    def of(cls, excluded: changelog_pb2.ExcludedCommit) -> "ExcludedCommit":
        """The commit as changelog put it aside."""
        return cls(
            sha=excluded.sha,
            subject=excluded.subject,
            reason=name_or_none(ExclusionReason, excluded.reason),
            detail=excluded.detail,
        )


@strawberry.type
class Highlight:
    """One sentence for the top of the notes."""

    text: str
    """The sentence, plain text."""
    entry_keys: list[str]
    """Keys of the entries that it words; at least one."""
    engine: str
    """Engine that wrote it: `builtin` or `openai`."""
    references: list[str]
    """Issues and pull requests that those entries name."""


@strawberry.type
class Highlights:
    """The worded top of the notes."""

    highlights: list[Highlight]
    """The sentences, most important first."""
    engine: str
    """Engine that answered: `builtin` or `openai`."""
    model: str | None
    """Model that answered; null for the built-in engine."""
    fallback_reason: str | None
    """Why the built-in engine answered in place of the configured model; null when it did not."""
    replaced_count: int
    """Sentences of a model that failed the check and were replaced by the built-in ones."""
    run_id: strawberry.Private[str | None]
    run = strawberry.field(resolver=edges.highlights_run, description="The run of the engine that wrote them.")

    @classmethod
    def of(cls, told: changelog_pb2.Highlights, changelog: changelog_pb2.Changelog) -> "Highlights":
        """Highlights of a changelog, each with the references of its entries."""
        references = {entry.key: entry.references for entry in changelog.entries}
        return cls(
            highlights=[
                Highlight(
                    text=each.text,
                    entry_keys=list(each.entry_keys),
                    engine=each.engine,
                    references=list(dict.fromkeys(name for key in each.entry_keys for name in references.get(key, ()))),
                )
                for each in told.highlights
            ],
            engine=told.engine,
            model=told.model or None,
            fallback_reason=told.fallback_reason or None,
            replaced_count=told.replaced_count,
            run_id=told.run_id or None,
        )


@strawberry.type
class HighlightsSuggestion:
    """Highlights that came when the changelog did not wait for them any more. A person accepts or dismisses them."""

    id: strawberry.ID
    """UUIDv7."""
    highlights: Highlights
    """The highlights."""
    read_version: int
    """Version of the changelog that they were made from."""
    suggested_at: Timestamp
    """When they came."""


@federation.type(keys=["id"])
class Changelog:
    """What changed in a range of commits. Each commit of the range is in exactly one entry or excluded."""

    id: strawberry.ID
    """UUIDv7."""
    version: int
    """Rises by one with each change; give it back as `expectedVersion`."""
    from_ref: str | None
    """Where the range begins, exclusive; null for the beginning, or when commits were given."""
    to_ref: str | None
    """Where the range ends, inclusive; null when commits were given."""
    state: ChangelogState | None
    """How far it is; null for a state that the graph does not know."""
    bump: VersionBump | None
    """The part of the version that has to rise; null for one that the graph does not know."""
    bump_sha: str | None
    """Hash of the commit that decided it; null when `bump` is NONE."""
    previous_version: str | None
    """Version before; null where unknown."""
    next_version: str | None
    """Version that follows; null when the one before is unknown or `bump` is NONE."""
    commit_count: int
    """Number of commits in the range: those in entries and those excluded."""
    markdown: str
    """The notes as Markdown in the form of Keep a Changelog 1.1.0."""
    json: str
    """The notes as JSON; byte for byte equal for equal commits."""
    highlight_state: HighlightState | None
    """How far the machine is with the highlights; null for a state that the graph does not know."""
    highlight_failure: str | None
    """Why the highlights could not be worded, when `highlightState` is FAILED."""
    created_by_actor: Actor
    """Who had it made, person or machine."""
    created_at: Timestamp
    """When it was made."""
    updated_at: Timestamp
    """When it was last changed."""
    published_at: Timestamp | None
    """When it was published; null for a draft."""
    told: strawberry.Private[changelog_pb2.Changelog]
    created_by_user_id: strawberry.Private[str | None]
    published_by_user_id: strawberry.Private[str | None]
    created_by = strawberry.field(
        resolver=edges.changelog_created_by, description="The person who had it made; null for a machine."
    )
    published_by = strawberry.field(
        resolver=edges.changelog_published_by, description="The person who published it; null for a draft."
    )
    commits = strawberry.field(
        resolver=edges.changelog_commits_of,
        description="The stored commits that it is about, in the order of its range, 1 to 100.",
    )
    deployments = strawberry.field(
        resolver=edges.changelog_deployments_of,
        description="Deployments that were built from one of its commits, newest first, 1 to 100.",
    )

    @strawberry.field
    async def repository(self, info: Info) -> Repository | None:
        """Where its commits come from."""
        return await load_repository(info, self.told.repository_id)

    @strawberry.field
    def entries(self) -> list[ChangelogEntry]:
        """The entries by section, the most important first."""
        return [ChangelogEntry.of(entry) for entry in self.told.entries]

    @strawberry.field
    def excluded(self) -> list[ExcludedCommit]:
        """The commits that stand in no entry, in the order of the range."""
        return [ExcludedCommit.of(excluded) for excluded in self.told.excluded]

    @strawberry.field
    def highlights(self) -> Highlights | None:
        """The worded top of the notes; null until it is worded, or when there is nothing to highlight."""
        return Highlights.of(self.told.highlights, self.told) if self.told.HasField("highlights") else None

    @strawberry.field
    def highlight_suggestions(self) -> list[HighlightsSuggestion]:
        """Highlights that came too late and wait for a person, the oldest first; mostly none."""
        return [
            HighlightsSuggestion(
                id=strawberry.ID(each.id),
                highlights=Highlights.of(each.highlights, self.told),
                read_version=each.read_version,
                suggested_at=each.suggested_at,
            )
            for each in self.told.highlight_suggestions
        ]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Changelog | None":  # noqa: A002 - the key's name
        """The changelog that another subgraph names."""
        return await load_changelog(info, id)

    @classmethod
    def of(cls, changelog: changelog_pb2.Changelog) -> "Changelog":
        """The changelog as the service told it."""
        return cls(
            id=strawberry.ID(changelog.id),
            version=changelog.version,
            from_ref=changelog.from_ref or None,
            to_ref=changelog.to_ref or None,
            state=name_or_none(ChangelogState, changelog.state),
            bump=name_or_none(VersionBump, changelog.bump),
            bump_sha=changelog.bump_sha or None,
            previous_version=changelog.previous_version or None,
            next_version=changelog.next_version or None,
            commit_count=changelog.commit_count,
            markdown=changelog.markdown,
            json=changelog.json,
            highlight_state=name_or_none(HighlightState, changelog.highlight_state),
            highlight_failure=changelog.highlight_failure or None,
            created_by_actor=Actor.of(changelog.created_by),
            created_at=changelog.created_at,
            updated_at=changelog.updated_at,
            published_at=time_or_none(changelog.published_at, present=changelog.HasField("published_at")),
            told=changelog,
            created_by_user_id=user_id_of(changelog.created_by),
            published_by_user_id=user_id_of(changelog.published_by),
        )


async def load_changelog(info: Info, changelog_id: str) -> Changelog | None:
    """The changelog with this id, batched with the operation's other changelogs."""
    changelog = await info.context.changelog.changelogs.load(changelog_id)
    return Changelog.of(changelog) if changelog is not None else None
