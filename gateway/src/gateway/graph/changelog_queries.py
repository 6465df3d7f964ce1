"""How changelogs, commits and deployments are read."""

import strawberry

from aiops.changelog.v1 import changelog_pb2
from aiops.changelog.v1 import changelog_service_pb2 as pb
from gateway.context import Info
from gateway.graph.changelog import Changelog, ChangelogState, load_changelog
from gateway.graph.changelog_commits import Commit, Deployment, Repository
from gateway.graph.pagination import DEFAULT_PAGE_SIZE, Connection, connection, page_request


@strawberry.type
class ChangelogQuery:
    """Reads of changelogs and of what was changed."""

    @strawberry.field
    async def changelog(self, info: Info, id: strawberry.ID) -> Changelog | None:  # noqa: A002 - the graph's name
        """One changelog; null when there is none with this id that the caller may see."""
        return await load_changelog(info, id)

    @strawberry.field
    async def changelogs(
        self,
        info: Info,
        repository: str | None = None,
        state: ChangelogState | None = None,
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
    ) -> Connection[Changelog] | None:
        """Changelogs of all repositories or of the one with this name, newest first, 1 to 100 a page."""
        changelog = info.context.changelog
        request = pb.ListChangelogsRequest(
            page=page_request(first, after),
            repository_name=repository or "",
            state=state.value if state else changelog_pb2.CHANGELOG_STATE_UNSPECIFIED,
        )
        response = await changelog.call(changelog.rpc.ListChangelogs, request)
        return connection(response.changelogs, response, Changelog.of, after)

    @strawberry.field
    async def repositories(
        self, info: Info, name: str | None = None, first: int = DEFAULT_PAGE_SIZE, after: str | None = None
    ) -> Connection[Repository] | None:
        """Repositories by name, 1 to 100 a page; with `name` the one with it, regardless of case."""
        changelog = info.context.changelog
        request = pb.ListRepositoriesRequest(page=page_request(first, after), name=name or "")
        response = await changelog.call(changelog.rpc.ListRepositories, request)
        return connection(response.repositories, response, Repository.of, after)

    @strawberry.field
    async def commits(
        self,
        info: Info,
        repository: str | None = None,
        text: str | None = None,
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
    ) -> Connection[Commit] | None:
        """Commits of all repositories or of the one with this name, newest first, 1 to 100 a page."""
        changelog = info.context.changelog
        request = pb.ListCommitsRequest(
            page=page_request(first, after), repository_name=repository or "", text=text or ""
        )
        response = await changelog.call(changelog.rpc.ListCommits, request)
        return connection(response.commits, response, Commit.of, after)

    @strawberry.field
    async def deployments(
        self,
        info: Info,
        service: str | None = None,
        environment: str | None = None,
        first: int = DEFAULT_PAGE_SIZE,
        after: str | None = None,
    ) -> Connection[Deployment] | None:
        """Deployments, newest first, 1 to 100 a page."""
        changelog = info.context.changelog
        request = pb.ListDeploymentsRequest(
            page=page_request(first, after), service=service or "", environment=environment or ""
        )
        response = await changelog.call(changelog.rpc.ListDeployments, request)
        return connection(response.deployments, response, Deployment.of, after)
