"""Repositories, their commits and what was deployed of them: the parts of the timeline, owned by changelog."""

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry import federation

from aiops.changelog.v1 import changelog_pb2
from gateway.context import Info
from gateway.graph import edges
from gateway.graph.actors import Actor, user_id_of
from gateway.graph.pagination import check_first
from gateway.graph.scalars import time_or_none


@federation.type(keys=["id"])
class Repository:
    """Where commits come from."""

    id: strawberry.ID
    """UUIDv7."""
    version: int
    """Rises by one with each batch of commits."""
    name: str
    """Name, such as `shop/checkout`."""
    services: list[str]
    """Services that are built from it; empty when all of them may be."""
    commit_count: int
    """Number of commits stored."""
    created_at: Timestamp
    """When its first commit arrived."""
    updated_at: Timestamp
    """When its newest batch arrived."""

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Repository | None":  # noqa: A002 - the key's name
        """The repository that another subgraph names."""
        return await load_repository(info, id)

    @classmethod
    def of(cls, repository: changelog_pb2.Repository) -> "Repository":
        """The repository as changelog told it."""
        return cls(
            id=strawberry.ID(repository.id),
            version=repository.version,
            name=repository.name,
            services=list(repository.services),
            commit_count=repository.commit_count,
            created_at=repository.created_at,
            updated_at=repository.updated_at,
        )


@federation.type(keys=["id"])
class Commit:
    """A commit that is stored."""

    id: strawberry.ID
    """UUIDv7."""
    sha: str
    """Full hash."""
    subject: str
    """First line of the message."""
    body: str
    """The rest of the message."""
    author_name: str
    """Author's name."""
    author_email: str | None
    """Author's e-mail address; null when unknown, or when the caller may not see it."""
    committed_at: Timestamp | None
    """When it was committed; null where unknown."""
    parent_shas: list[str]
    """Hashes of its parents."""
    tags: list[str]
    """Tags that name it."""
    type: str | None
    """Type, as the message says or as it reads, such as `feat` or `fix`; null when it says nothing."""
    scope: str | None
    """Scope; null when it names none."""
    breaking: bool
    """Whether it breaks what users rely on."""
    conventional: bool
    """Whether the message follows Conventional Commits 1.0.0."""
    repository_id: strawberry.Private[str]
    author = strawberry.field(
        resolver=edges.commit_author, description="The user with the author's e-mail address; null when there is none."
    )

    @strawberry.field
    async def repository(self, info: Info) -> Repository | None:
        """Where it comes from."""
        return await load_repository(info, self.repository_id)

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Commit | None":  # noqa: A002 - the key's name
        """The commit that another subgraph names."""
        commit = await info.context.changelog.commits.load(id)
        return cls.of(commit) if commit is not None else None

    @classmethod
    def of(cls, commit: changelog_pb2.Commit) -> "Commit":
        """The commit as changelog told it."""
        return cls(
            id=strawberry.ID(commit.id),
            sha=commit.sha,
            subject=commit.subject,
            body=commit.body,
            author_name=commit.author_name,
            author_email=commit.author_email or None,
            committed_at=time_or_none(commit.committed_at, present=commit.HasField("committed_at")),
            parent_shas=list(commit.parent_shas),
            tags=list(commit.tags),
            type=commit.type or None,
            scope=commit.scope or None,
            breaking=commit.breaking,
            conventional=commit.conventional,
            repository_id=commit.repository_id,
        )


@federation.type(keys=["id"])
class Deployment:
    """A version of a service that went live."""

    id: strawberry.ID
    """UUIDv7."""
    service: str
    """Service, such as `checkout`."""
    environment: str
    """Environment, such as `production`."""
    version: str
    """Version, as its makers name it."""
    url: str | None
    """Page that tells more; null when there is none."""
    deployed_at: Timestamp
    """When it was live."""
    external_reference: str | None
    """Its name in the system that it comes from; null when it has none."""
    sha: str | None
    """Commit that it was built from; null where unknown."""
    created_by_actor: Actor
    """Who told of it, person or machine."""
    created_at: Timestamp
    """When it was told."""
    repository_id: strawberry.Private[str | None]
    created_by_user_id: strawberry.Private[str | None]
    created_by = strawberry.field(
        resolver=edges.deployment_created_by, description="The person who told of it; null for a machine."
    )

    @strawberry.field
    async def repository(self, info: Info) -> Repository | None:
        """Repository that it was built from; null where unknown."""
        return await load_repository(info, self.repository_id) if self.repository_id else None

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Deployment | None":  # noqa: A002 - the key's name
        """The deployment that another subgraph names."""
        deployment = await info.context.changelog.deployments.load(id)
        return cls.of(deployment) if deployment is not None else None

    @classmethod
    def of(cls, deployment: changelog_pb2.Deployment) -> "Deployment":
        """The deployment as changelog told it."""
        return cls(
            id=strawberry.ID(deployment.id),
            service=deployment.service,
            environment=deployment.environment,
            version=deployment.version_name,
            url=deployment.url or None,
            deployed_at=deployment.deployed_at,
            external_reference=deployment.external_reference or None,
            sha=deployment.sha or None,
            created_by_actor=Actor.of(deployment.created_by),
            created_at=deployment.created_at,
            repository_id=deployment.repository_id or None,
            created_by_user_id=user_id_of(deployment.created_by),
        )


async def load_repository(info: Info, repository_id: str) -> Repository | None:
    """The repository with this id, batched with the operation's other repositories."""
    repository = await info.context.changelog.repositories.load(repository_id)
    return Repository.of(repository) if repository is not None else None


async def load_changelog_commits(info: Info, changelog_id: str, first: int) -> list[Commit]:
    """The stored commits of a changelog, batched with those of the operation's other changelogs."""
    check_first(first)
    found = await info.context.changelog.commits_of[first].load(changelog_id)
    return [Commit.of(commit) for commit in found.commits] if found is not None else []


async def load_changelog_deployments(info: Info, changelog_id: str, first: int) -> list[Deployment]:
    """The newest deployments of a changelog, batched with those of the operation's other changelogs."""
    check_first(first)
    found = await info.context.changelog.deployments_of[first].load(changelog_id)
    return [Deployment.of(deployment) for deployment in found.deployments] if found is not None else []
