"""The changelog service as one operation sees it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from strawberry.dataloader import DataLoader

from aiops.changelog.v1 import changelog_pb2
from aiops.changelog.v1 import changelog_service_pb2 as pb
from chassis.rpc.client import Client
from gateway.clients.batching import ByArguments, key_loader, loader
from gateway.clients.calls import Calls

if TYPE_CHECKING:
    from aiops.changelog.v1.changelog_service_pb2_grpc import ChangelogServiceAsyncStub

MAX_CHANGELOGS = 100
"""Changelogs whose commits or deployments one call reads."""


class Moment(NamedTuple):
    """A moment in a service, and how far back to look from it."""

    service: str
    """Empty for all services."""
    seconds: int
    nanos: int
    window_seconds: int


class ChangelogCalls(Calls["ChangelogServiceAsyncStub"]):
    """RPCs to changelog on behalf of the viewer, with loaders that live as long as the operation."""

    def __init__(self, client: Client, stub: "ChangelogServiceAsyncStub") -> None:
        super().__init__(client, stub)
        self.changelogs = loader(self._batch_get_changelogs, lambda changelog: changelog.id)
        self.repositories = loader(self._batch_get_repositories, lambda repository: repository.id)
        self.commits = loader(self._batch_get_commits, lambda commit: commit.id)
        self.deployments = loader(self._batch_get_deployments, lambda deployment: deployment.id)
        self.commits_of: ByArguments[int, str, pb.ChangelogCommits] = ByArguments(self._commits_of)
        """Commits by changelog id, at most so many for each."""
        self.deployments_of: ByArguments[int, str, pb.ChangelogDeployments] = ByArguments(self._deployments_of)
        """Deployments by changelog id, at most so many for each."""
        self.changes_before: ByArguments[int, Moment, pb.ChangesBefore] = ByArguments(self._changes_before)
        """Changes before a moment, at most so many for each."""

    async def _batch_get_changelogs(self, ids: Sequence[str], seconds: float) -> Iterable[changelog_pb2.Changelog]:
        request = pb.BatchGetChangelogsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetChangelogs, request, timeout_seconds=seconds)).changelogs

    async def _batch_get_repositories(self, ids: Sequence[str], seconds: float) -> Iterable[changelog_pb2.Repository]:
        request = pb.BatchGetRepositoriesRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetRepositories, request, timeout_seconds=seconds)).repositories

    async def _batch_get_commits(self, ids: Sequence[str], seconds: float) -> Iterable[changelog_pb2.Commit]:
        request = pb.BatchGetCommitsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetCommits, request, timeout_seconds=seconds)).commits

    async def _batch_get_deployments(self, ids: Sequence[str], seconds: float) -> Iterable[changelog_pb2.Deployment]:
        request = pb.BatchGetDeploymentsRequest(ids=ids)
        return (await self.call(self.rpc.BatchGetDeployments, request, timeout_seconds=seconds)).deployments

    def _commits_of(self, first: int) -> DataLoader[str, pb.ChangelogCommits | None]:
        async def fetch(changelog_ids: Sequence[str], seconds: float) -> Iterable[pb.ChangelogCommits]:
            request = pb.BatchListChangelogCommitsRequest(changelog_ids=changelog_ids, first=first)
            return (await self.call(self.rpc.BatchListChangelogCommits, request, timeout_seconds=seconds)).changelogs

        return loader(fetch, lambda answer: answer.changelog_id, max_batch_size=MAX_CHANGELOGS)

    def _deployments_of(self, first: int) -> DataLoader[str, pb.ChangelogDeployments | None]:
        async def fetch(changelog_ids: Sequence[str], seconds: float) -> Iterable[pb.ChangelogDeployments]:
            request = pb.BatchListChangelogDeploymentsRequest(changelog_ids=changelog_ids, first=first)
            response = await self.call(self.rpc.BatchListChangelogDeployments, request, timeout_seconds=seconds)
            return response.changelogs

        return loader(fetch, lambda answer: answer.changelog_id, max_batch_size=MAX_CHANGELOGS)

    def _changes_before(self, first: int) -> DataLoader[Moment, pb.ChangesBefore | None]:
        async def fetch(moments: Sequence[Moment], seconds: float) -> dict[Moment, pb.ChangesBefore]:
            queries = [
                pb.ChangesBeforeQuery(
                    key=str(place),
                    service=moment.service,
                    before=Timestamp(seconds=moment.seconds, nanos=moment.nanos),
                    window_seconds=moment.window_seconds,
                )
                for place, moment in enumerate(moments)
            ]
            request = pb.BatchListChangesBeforeRequest(queries=queries, first=first)
            response = await self.call(self.rpc.BatchListChangesBefore, request, timeout_seconds=seconds)
            return {moments[int(answer.key)]: answer for answer in response.moments}

        return key_loader(fetch)
