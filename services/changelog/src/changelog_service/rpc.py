"""ChangelogService over gRPC: what came in to domain words, one use case or query, and the answer back."""

from aiops.changelog.v1 import changelog_service_pb2 as pb
from aiops.changelog.v1.changelog_service_pb2_grpc import ChangelogServiceServicer
from changelog_service import changes, convert, convert_requests, queries, usecases
from changelog_service.policy import sees_drafts
from chassis.db import Database, UnitOfWork, WriteTx
from chassis.identity import current_call
from chassis.ids import parse_ids
from chassis.paging import page_from, page_info
from chassis.redaction import Redactor
from chassis.rpc.server import Context


class ChangelogServicer(ChangelogServiceServicer):
    """The RPCs of changelog."""

    def __init__(self, unit_of_work: UnitOfWork, database: Database, redactor: Redactor) -> None:
        self._uow = unit_of_work
        self._database = database
        self._redactor = redactor

    async def PushCommits(self, request: pb.PushCommitsRequest, context: Context) -> pb.PushCommitsResponse:
        """Store a batch of commits."""
        cmd = convert_requests.push_command(request)

        async def effect(tx: WriteTx) -> pb.PushCommitsResponse:
            repository, new = await usecases.push_commits(cmd, tx, self._redactor)
            return pb.PushCommitsResponse(repository=convert.repository_to_proto(repository), new_commit_count=new)

        return await self._uow.once(request, pb.PushCommitsResponse, effect)

    async def GenerateChangelog(
        self, request: pb.GenerateChangelogRequest, context: Context
    ) -> pb.GenerateChangelogResponse:
        """Make a draft."""
        cmd = convert_requests.generate_command(request)

        async def effect(tx: WriteTx) -> pb.GenerateChangelogResponse:
            changelog = await usecases.generate_changelog(cmd, tx, self._redactor)
            return pb.GenerateChangelogResponse(changelog=convert.changelog_to_proto(changelog))

        return await self._uow.once(request, pb.GenerateChangelogResponse, effect)

    async def PublishChangelog(
        self, request: pb.PublishChangelogRequest, context: Context
    ) -> pb.PublishChangelogResponse:
        """Make a draft what readers see."""

        async def effect(tx: WriteTx) -> pb.PublishChangelogResponse:
            changelog = await usecases.publish_changelog(convert_requests.publish_command(request), tx)
            return pb.PublishChangelogResponse(changelog=convert.changelog_to_proto(changelog))

        return await self._uow.once(request, pb.PublishChangelogResponse, effect)

    async def AcceptChangelogSuggestion(
        self, request: pb.AcceptChangelogSuggestionRequest, context: Context
    ) -> pb.AcceptChangelogSuggestionResponse:
        """Make suggested highlights those of their changelog."""

        async def effect(tx: WriteTx) -> pb.AcceptChangelogSuggestionResponse:
            changelog = await usecases.accept_suggestion(convert_requests.suggestion_command(request), tx)
            return pb.AcceptChangelogSuggestionResponse(changelog=convert.changelog_to_proto(changelog))

        return await self._uow.once(request, pb.AcceptChangelogSuggestionResponse, effect)

    async def DismissChangelogSuggestion(
        self, request: pb.DismissChangelogSuggestionRequest, context: Context
    ) -> pb.DismissChangelogSuggestionResponse:
        """Put suggested highlights away."""

        async def effect(tx: WriteTx) -> pb.DismissChangelogSuggestionResponse:
            changelog = await usecases.dismiss_suggestion(convert_requests.suggestion_command(request), tx)
            return pb.DismissChangelogSuggestionResponse(changelog=convert.changelog_to_proto(changelog))

        return await self._uow.once(request, pb.DismissChangelogSuggestionResponse, effect)

    async def RecordDeployment(
        self, request: pb.RecordDeploymentRequest, context: Context
    ) -> pb.RecordDeploymentResponse:
        """Store that a version went live."""

        async def effect(tx: WriteTx) -> pb.RecordDeploymentResponse:
            deployment = await usecases.record_deployment(convert_requests.record_command(request), tx, self._redactor)
            return pb.RecordDeploymentResponse(deployment=convert.deployment_to_proto(deployment))

        return await self._uow.once(request, pb.RecordDeploymentResponse, effect)

    async def BatchGetChangelogs(
        self, request: pb.BatchGetChangelogsRequest, context: Context
    ) -> pb.BatchGetChangelogsResponse:
        """The changelogs that exist for the caller among the ids."""
        ids, drafts = parse_ids(request.ids), sees_drafts(current_call())
        async with self._database.read() as tx:
            found = await queries.batch_get_changelogs(ids, tx, drafts=drafts)
        return pb.BatchGetChangelogsResponse(changelogs=map(convert.changelog_to_proto, found))

    async def BatchGetRepositories(
        self, request: pb.BatchGetRepositoriesRequest, context: Context
    ) -> pb.BatchGetRepositoriesResponse:
        """The repositories that exist among the ids."""
        async with self._database.read() as tx:
            found = await queries.batch_get_repositories(parse_ids(request.ids), tx)
        return pb.BatchGetRepositoriesResponse(repositories=map(convert.repository_to_proto, found))

    async def BatchGetCommits(self, request: pb.BatchGetCommitsRequest, context: Context) -> pb.BatchGetCommitsResponse:
        """The commits that exist among the ids."""
        async with self._database.read() as tx:
            found = await queries.batch_get_commits(parse_ids(request.ids), tx)
        return pb.BatchGetCommitsResponse(commits=map(convert.commit_to_proto, found))

    async def BatchGetDeployments(
        self, request: pb.BatchGetDeploymentsRequest, context: Context
    ) -> pb.BatchGetDeploymentsResponse:
        """The deployments that exist among the ids."""
        async with self._database.read() as tx:
            found = await queries.batch_get_deployments(parse_ids(request.ids), tx)
        return pb.BatchGetDeploymentsResponse(deployments=map(convert.deployment_to_proto, found))

    async def ListChangelogs(self, request: pb.ListChangelogsRequest, context: Context) -> pb.ListChangelogsResponse:
        """A page of changelogs, the newest first."""
        page, state, drafts = (
            page_from(request.page),
            convert_requests.state_of(request.state),
            sees_drafts(current_call()),
        )
        name = self._as_stored(request.repository_name, field="repository_name")
        async with self._database.read() as tx:
            found = await queries.list_changelogs(page, tx, repository_name=name, state=state, drafts=drafts)
        return pb.ListChangelogsResponse(
            changelogs=map(convert.changelog_to_proto, found.items), page_info=page_info(found), cursors=found.cursors
        )

    async def ListRepositories(
        self, request: pb.ListRepositoriesRequest, context: Context
    ) -> pb.ListRepositoriesResponse:
        """A page of repositories by name."""
        page, name = page_from(request.page), self._as_stored(request.name, field="name")
        async with self._database.read() as tx:
            found = await queries.list_repositories(page, tx, name=name)
        return pb.ListRepositoriesResponse(
            repositories=map(convert.repository_to_proto, found.items),
            page_info=page_info(found),
            cursors=found.cursors,
        )

    async def ListCommits(self, request: pb.ListCommitsRequest, context: Context) -> pb.ListCommitsResponse:
        """A page of commits, the newest first."""
        page, name = (
            page_from(request.page),
            self._as_stored(request.repository_name, field="repository_name"),
        )
        async with self._database.read() as tx:
            found = await queries.list_commits(page, tx, repository_name=name, text=request.text)
        return pb.ListCommitsResponse(
            commits=map(convert.commit_to_proto, found.items), page_info=page_info(found), cursors=found.cursors
        )

    async def ListDeployments(self, request: pb.ListDeploymentsRequest, context: Context) -> pb.ListDeploymentsResponse:
        """A page of deployments, the newest first."""
        page, service = page_from(request.page), self._as_stored(request.service, field="service")
        environment = self._as_stored(request.environment, field="environment")
        async with self._database.read() as tx:
            found = await queries.list_deployments(page, tx, service=service, environment=environment)
        return pb.ListDeploymentsResponse(
            deployments=map(convert.deployment_to_proto, found.items), page_info=page_info(found), cursors=found.cursors
        )

    async def BatchListChangelogCommits(
        self, request: pb.BatchListChangelogCommitsRequest, context: Context
    ) -> pb.BatchListChangelogCommitsResponse:
        """The stored commits that each changelog is about."""
        ids, first = convert_requests.changelog_ids(request.changelog_ids), convert_requests.first_of(request.first)
        async with self._database.read() as tx:
            drafts = sees_drafts(current_call())
            found = await queries.batch_list_changelog_commits(ids, first, tx, drafts=drafts)
        return pb.BatchListChangelogCommitsResponse(changelogs=convert.changelog_commits_to_proto(found))

    async def BatchListChangelogDeployments(
        self, request: pb.BatchListChangelogDeploymentsRequest, context: Context
    ) -> pb.BatchListChangelogDeploymentsResponse:
        """The newest deployments that were built from a commit of each changelog."""
        ids, first = convert_requests.changelog_ids(request.changelog_ids), convert_requests.first_of(request.first)
        async with self._database.read() as tx:
            drafts = sees_drafts(current_call())
            found = await queries.batch_list_changelog_deployments(ids, first, tx, drafts=drafts)
        return pb.BatchListChangelogDeploymentsResponse(changelogs=convert.changelog_deployments_to_proto(found))

    async def BatchListChangesBefore(
        self, request: pb.BatchListChangesBeforeRequest, context: Context
    ) -> pb.BatchListChangesBeforeResponse:
        """The changes in the window before each moment."""
        wanted, first = convert_requests.changes_before_queries(request), convert_requests.first_of(request.first)
        async with self._database.read() as tx:
            found = await changes.batch_list_changes_before(wanted, first, tx)
        return pb.BatchListChangesBeforeResponse(moments=map(convert.changes_to_proto, found))

    def _as_stored(self, text: str, *, field: str) -> str:
        """What is looked for, as redaction left it when it was stored."""
        return self._redactor.redact(convert_requests.searchable(text, field=field))
