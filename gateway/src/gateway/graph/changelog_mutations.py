"""What changes changelogs, and how commits and deployments come in."""

from typing import Annotated, TypeAlias

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.changelog.v1 import changelog_pb2
from aiops.changelog.v1 import changelog_service_pb2 as pb
from chassis.errors import InvalidArgument
from gateway.context import Info
from gateway.graph.changelog import Changelog
from gateway.graph.changelog_commits import Deployment, Repository
from gateway.graph.errors import ChangeRefusal, ForbiddenError, NotFoundError, WriteRefusal
from gateway.graph.writes import WriteInput, idempotency_key

WRITE_SECONDS = 15.0
"""A thousand commits, or a range of ten thousand, take longer to read than a row does to change."""


@strawberry.input
class CommitInput:
    """A commit as its author wrote it."""

    sha: str
    """Full hash, 40 or 64 lower-case hex digits; `generateChangelog` takes shorter ones of at least 7."""
    message: str
    """The whole message, at most 100,000 characters; its first line is the subject."""
    author_name: str | None = None
    """Author's name."""
    author_email: str | None = None
    """Author's e-mail address."""
    committed_at: Timestamp | None = None
    """When it was committed."""
    parent_shas: list[str] | None = None
    """Hashes of its parents; two or more make a merge."""
    tags: list[str] | None = None
    """Tags that name it."""
    paths: list[str] | None = None
    """Paths that it touches, at most 500; what is known helps to classify."""

    def to_proto(self) -> changelog_pb2.CommitInput:
        """The commit as changelog takes it."""
        return changelog_pb2.CommitInput(
            sha=self.sha,
            message=self.message,
            author_name=self.author_name or "",
            author_email=self.author_email or "",
            committed_at=self.committed_at,
            parent_shas=self.parent_shas or (),
            tags=self.tags or (),
            paths=self.paths or (),
        )


@strawberry.input
class PushCommitsInput(WriteInput):
    """A batch of commits."""

    repository: str
    """Name of the repository, such as `shop/checkout`, 1 to 200 characters; made when it is new."""
    commits: list[CommitInput]
    """The commits, 1 to 1,000; parents may come in a later batch."""
    services: list[str] | None = None
    """Services that are built from it; when not empty they replace what was known."""


@strawberry.type
class PushCommitsSuccess:
    """The batch is stored."""

    repository: Repository
    """The repository."""
    new_commit_count: int
    """Number of commits that were new."""


PushCommitsResult: TypeAlias = Annotated[
    PushCommitsSuccess | WriteRefusal | ForbiddenError,
    strawberry.union("PushCommitsResult", description="How `pushCommits` ends."),
]


@strawberry.input
class CommitRangeInput:
    """Pushed commits: all that `toRef` reaches and `fromRef` does not, as in git's `A..B`; at most 10,000."""

    to_ref: str
    """Tag or hash, inclusive."""
    from_ref: str | None = None
    """Tag or hash, exclusive; absent for the beginning."""


@strawberry.input
class GenerateChangelogInput(WriteInput):
    """Of what to make a changelog: either `commits` or `range`."""

    repository: str
    """Name of the repository; made when it is new and commits are given."""
    commits: list[CommitInput] | None = None
    """These, newest first, 1 to 1,000; they are not stored as pushed commits."""
    range: CommitRangeInput | None = None
    """Those of a range of pushed commits."""
    previous_version: str | None = None
    """Version before, such as `1.4.2` or `v1.4.2`; from the tag at `fromRef` when absent."""


@strawberry.type
class GenerateChangelogSuccess:
    """The draft is made; its highlights follow."""

    changelog: Changelog
    """The draft."""


GenerateChangelogResult: TypeAlias = Annotated[
    GenerateChangelogSuccess | WriteRefusal | NotFoundError | ForbiddenError,
    strawberry.union("GenerateChangelogResult", description="How `generateChangelog` ends."),
]


@strawberry.input
class PublishChangelogInput(WriteInput):
    """The draft to publish."""

    changelog_id: strawberry.ID
    """Which changelog."""
    expected_version: int
    """Version of it that was read."""


@strawberry.type
class PublishChangelogSuccess:
    """The changelog is what readers see."""

    changelog: Changelog
    """The published changelog."""


PublishChangelogResult: TypeAlias = Annotated[
    PublishChangelogSuccess | ChangeRefusal,
    strawberry.union("PublishChangelogResult", description="How `publishChangelog` ends."),
]


@strawberry.input
class RecordDeploymentInput(WriteInput):
    """A version of a service that went live."""

    service: str
    """Service, 1 to 200 characters."""
    version: str
    """Version, as its makers name it, 1 to 200 characters."""
    environment: str | None = None
    """Environment, 1 to 100 characters; `production` when absent."""
    repository: str | None = None
    """Name of the repository that it was built from; has to exist."""
    sha: str | None = None
    """Commit that it was built from, 40 or 64 lower-case hex digits; it may be pushed later."""
    url: str | None = None
    """Page that tells more; http or https."""
    deployed_at: Timestamp | None = None
    """When it was live; now when absent. At most five minutes ahead."""
    external_reference: str | None = None
    """Its name in the system that it comes from, unique."""


@strawberry.type
class RecordDeploymentSuccess:
    """The deployment is stored."""

    deployment: Deployment
    """The deployment."""


RecordDeploymentResult: TypeAlias = Annotated[
    RecordDeploymentSuccess | WriteRefusal | NotFoundError | ForbiddenError,
    strawberry.union("RecordDeploymentResult", description="How `recordDeployment` ends."),
]


@strawberry.input
class ChangelogSuggestionInput(WriteInput):
    """Highlights that wait for a person."""

    changelog_id: strawberry.ID
    """Which changelog."""
    expected_version: int
    """Version of it that was read."""
    suggestion_id: strawberry.ID
    """Which of its suggestions."""


@strawberry.input
class AcceptChangelogSuggestionInput(ChangelogSuggestionInput):
    """The highlights to take."""


@strawberry.type
class AcceptChangelogSuggestionSuccess:
    """The suggested highlights are the changelog's."""

    changelog: Changelog
    """The changed changelog; of a published one the notes stay as they are."""


AcceptChangelogSuggestionResult: TypeAlias = Annotated[
    AcceptChangelogSuggestionSuccess | ChangeRefusal,
    strawberry.union("AcceptChangelogSuggestionResult", description="How `acceptChangelogSuggestion` ends."),
]


@strawberry.input
class DismissChangelogSuggestionInput(ChangelogSuggestionInput):
    """The highlights to put away."""


@strawberry.type
class DismissChangelogSuggestionSuccess:
    """The suggestion waits no more."""

    changelog: Changelog
    """The changed changelog."""


DismissChangelogSuggestionResult: TypeAlias = Annotated[
    DismissChangelogSuggestionSuccess | ChangeRefusal,
    strawberry.union("DismissChangelogSuggestionResult", description="How `dismissChangelogSuggestion` ends."),
]


@strawberry.type
class ChangelogMutation:
    """Changes of changelogs, and what machines tell of changes."""

    @strawberry.mutation
    async def push_commits(self, info: Info, input: PushCommitsInput) -> PushCommitsResult:  # noqa: A002
        """Store a batch of commits, whole or not at all; those that are known stay as they are, and get new tags."""
        changelog = info.context.changelog
        request = pb.PushCommitsRequest(
            idempotency_key=idempotency_key(info, input),
            repository_name=input.repository,
            services=input.services or (),
            commits=[commit.to_proto() for commit in input.commits],
        )
        response = await changelog.call(changelog.rpc.PushCommits, request, timeout_seconds=WRITE_SECONDS)
        return PushCommitsSuccess(
            repository=Repository.of(response.repository), new_commit_count=response.new_commit_count
        )

    @strawberry.mutation
    async def generate_changelog(self, info: Info, input: GenerateChangelogInput) -> GenerateChangelogResult:  # noqa: A002
        """Make a draft of given commits or of a range of pushed ones; highlights follow in the background."""
        changelog = info.context.changelog
        if (input.commits is None) == (input.range is None):
            raise InvalidArgument("give either commits or range", field="commits")
        request = pb.GenerateChangelogRequest(
            idempotency_key=idempotency_key(info, input),
            repository_name=input.repository,
            commits=pb.CommitList(commits=[commit.to_proto() for commit in input.commits])
            if input.commits is not None
            else None,
            range=pb.CommitRange(from_ref=input.range.from_ref or "", to_ref=input.range.to_ref)
            if input.range is not None
            else None,
            previous_version=input.previous_version or "",
        )
        response = await changelog.call(changelog.rpc.GenerateChangelog, request, timeout_seconds=WRITE_SECONDS)
        return GenerateChangelogSuccess(changelog=Changelog.of(response.changelog))

    @strawberry.mutation
    async def publish_changelog(self, info: Info, input: PublishChangelogInput) -> PublishChangelogResult:  # noqa: A002
        """Make a draft what readers see."""
        changelog = info.context.changelog
        request = pb.PublishChangelogRequest(
            idempotency_key=idempotency_key(info, input),
            changelog_id=input.changelog_id,
            expected_version=input.expected_version,
        )
        response = await changelog.call(changelog.rpc.PublishChangelog, request)
        return PublishChangelogSuccess(changelog=Changelog.of(response.changelog))

    @strawberry.mutation
    async def record_deployment(self, info: Info, input: RecordDeploymentInput) -> RecordDeploymentResult:  # noqa: A002
        """Store that a version went live."""
        changelog = info.context.changelog
        request = pb.RecordDeploymentRequest(
            idempotency_key=idempotency_key(info, input),
            service=input.service,
            environment=input.environment or "",
            version_name=input.version,
            repository_name=input.repository or "",
            sha=input.sha or "",
            url=input.url or "",
            deployed_at=input.deployed_at,
            external_reference=input.external_reference or "",
        )
        response = await changelog.call(changelog.rpc.RecordDeployment, request)
        return RecordDeploymentSuccess(deployment=Deployment.of(response.deployment))

    @strawberry.mutation
    async def accept_changelog_suggestion(
        self,
        info: Info,
        input: AcceptChangelogSuggestionInput,  # noqa: A002
    ) -> AcceptChangelogSuggestionResult:
        """Make suggested highlights those of the changelog, also of a published one."""
        changelog = info.context.changelog
        request = pb.AcceptChangelogSuggestionRequest(
            idempotency_key=idempotency_key(info, input),
            changelog_id=input.changelog_id,
            expected_version=input.expected_version,
            suggestion_id=input.suggestion_id,
        )
        response = await changelog.call(changelog.rpc.AcceptChangelogSuggestion, request)
        return AcceptChangelogSuggestionSuccess(changelog=Changelog.of(response.changelog))

    @strawberry.mutation
    async def dismiss_changelog_suggestion(
        self,
        info: Info,
        input: DismissChangelogSuggestionInput,  # noqa: A002
    ) -> DismissChangelogSuggestionResult:
        """Put suggested highlights away; the changelog's history keeps them."""
        changelog = info.context.changelog
        request = pb.DismissChangelogSuggestionRequest(
            idempotency_key=idempotency_key(info, input),
            changelog_id=input.changelog_id,
            expected_version=input.expected_version,
            suggestion_id=input.suggestion_id,
        )
        response = await changelog.call(changelog.rpc.DismissChangelogSuggestion, request)
        return DismissChangelogSuggestionSuccess(changelog=Changelog.of(response.changelog))
