"""Every RPC over real gRPC and Postgres: what it answers, what it refuses, and what it leaves when it refuses."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.changelog.tests.factories import (
    KEY,
    START,
    Call,
    Published,
    commit_input,
    generate,
    line,
    push,
    sha,
    stamp,
)

from aiops.changelog.v1 import changelog_pb2 as pb
from aiops.changelog.v1 import changelog_service_pb2 as rpc_pb
from aiops.common.v1.actor_pb2 import ActorKind
from aiops.common.v1.page_pb2 import PageRequest
from changelog_service.tables import CHANGELOGS, COMMITS, DEPLOYMENTS, REPOSITORIES, TAGS
from chassis.db import Database
from chassis.errors import ErrorKind, RemoteError
from chassis.identity import Viewer
from chassis.ids import uuid7
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation

OTHER_KEY = "key-0000000000000002"
THIRD_KEY = "key-0000000000000003"
PAGE = PageRequest(first=10)


@pytest.fixture(autouse=True)
def ops(installation: Installation) -> Iterator[Viewer]:
    """Calls are made for a person of ops, where a test does not say otherwise."""
    with installation.as_viewer("ops") as viewer:
        yield viewer


async def rows(database: Database) -> dict[str, list[Any]]:
    async with database.read() as tx:
        tables = (REPOSITORIES, COMMITS, TAGS, CHANGELOGS, DEPLOYMENTS)
        return {table.name: await tx.fetch_all(table.select()) for table in tables}


async def refusal(call: Call, method: str, request: Any) -> RemoteError:
    with pytest.raises(RemoteError) as refused:
        await call(method, request)
    return refused.value


async def test_pushed_commits_are_listed_newest_first(call: Call, clock: FrozenClock) -> None:
    answer = await call(
        "PushCommits",
        push([*line("ab", tags={"b": ["v1", "latest"]}), commit_input("x", "Merge it", at=None)], services=["api"]),
    )
    found = (await call("ListCommits", rpc_pb.ListCommitsRequest(page=PAGE))).commits

    repository = answer.repository
    assert (answer.new_commit_count, repository.version, repository.commit_count) == (3, 1, 3)
    assert (repository.name, repository.services) == ("shop/api", ["api"])
    assert repository.updated_at == stamp(clock.now())
    assert [each.sha for each in found] == [sha("b"), sha("a"), sha("x")]
    newest = found[0]
    assert newest == pb.Commit(
        id=newest.id, repository_id=repository.id, sha=sha("b"), subject="feat: add b", author_name="Ann",
        author_email="ann@example.com", committed_at=stamp(START + timedelta(minutes=1)), parent_shas=[sha("a")],
        tags=["latest", "v1"], type="feat", conventional=True,
    )  # fmt: skip
    assert not found[2].HasField("committed_at")


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("PushCommits", push([commit_input("a")])),
        ("GenerateChangelog", generate([commit_input("a")])),
        ("RecordDeployment", rpc_pb.RecordDeploymentRequest(idempotency_key=KEY, service="api", version_name="1")),
    ],
)
async def test_the_same_request_takes_effect_once(
    call: Call, database: Database, published: Published, method: str, request_: Any
) -> None:
    first = await call(method, request_)
    before = (await rows(database), len(await published(database)))

    again = await call(method, request_)
    other = type(request_).FromString(request_.SerializeToString())
    setattr(other, "service" if method == "RecordDeployment" else "repository_name", "another")
    reused = await refusal(call, method, other)

    assert again == first
    assert reused.reason == "IDEMPOTENCY_KEY_REUSED"
    assert (await rows(database), len(await published(database))) == before


async def test_publishing_twice_with_one_key_publishes_once(
    call: Call, published: Published, database: Database
) -> None:
    draft = (await call("GenerateChangelog", generate([commit_input("a")]))).changelog
    request = rpc_pb.PublishChangelogRequest(idempotency_key=KEY, changelog_id=draft.id, expected_version=1)

    first = (await call("PublishChangelog", request)).changelog
    again = (await call("PublishChangelog", request)).changelog

    assert again == first
    assert (first.version, first.state) == (2, pb.ChangelogState.CHANGELOG_STATE_PUBLISHED)
    assert len(await published(database)) == 3


async def test_a_batch_is_stored_whole_or_not_at_all(call: Call, database: Database, published: Published) -> None:
    batch = [*line(range(50)), commit_input("long", "x" * 100_001)]

    refused = await refusal(call, "PushCommits", push(batch))

    assert (refused.kind, refused.reason) == (ErrorKind.INVALID, "COMMIT_INVALID")
    assert refused.metadata == {"field": "commits.50.message"}
    assert set(map(len, (await rows(database)).values())) == {0}
    assert await published(database) == []
    assert (await call("PushCommits", push(batch[:-1]))).new_commit_count == 50


async def test_a_thousand_commits_are_a_batch_and_one_more_is_refused(call: Call, database: Database) -> None:
    refused = await refusal(call, "PushCommits", push(line(range(1001))))
    answer = await call("PushCommits", push(line(range(1000))))

    assert (refused.reason, refused.metadata) == ("TOO_MANY_COMMITS", {"maximum": "1000", "field": "commits"})
    assert (answer.new_commit_count, answer.repository.commit_count) == (1000, 1000)


async def test_a_range_of_tags_becomes_a_draft(call: Call, ops: Viewer) -> None:
    history = [
        commit_input("a", "chore: begin", tags=["v1.4.2"]),
        commit_input("b", "feat(cart)!: keep it\n\nBREAKING CHANGE: Use v2.\nRefs: #7", parents="a"),
        commit_input("c", "fix: price <script>alert(1)</script> (#12)", parents="b"),
        commit_input("d", "wip", parents="c", tags=["v2"]),
    ]
    await call("PushCommits", push(history))

    draft = (await call("GenerateChangelog", generate(start="v1.4.2", end="v2"))).changelog

    assert (draft.version, draft.repository_name, draft.from_ref, draft.to_ref) == (1, "shop/api", "v1.4.2", "v2")
    assert (draft.state, draft.highlight_state) == (
        pb.ChangelogState.CHANGELOG_STATE_DRAFT, pb.HighlightState.HIGHLIGHT_STATE_PENDING,
    )  # fmt: skip
    assert (draft.bump, draft.bump_sha) == (pb.VersionBump.VERSION_BUMP_MAJOR, sha("b"))
    assert (draft.previous_version, draft.next_version) == ("v1.4.2", "v2.0.0")
    told = sorted(each for entry in draft.entries for each in entry.commit_shas)
    assert told == sorted([sha("b"), sha("c")])
    assert [(each.sha, each.subject, each.reason) for each in draft.excluded] == [
        (sha("d"), "wip", pb.ExclusionReason.EXCLUSION_REASON_MEANINGLESS)
    ]
    assert draft.commit_count == 3
    assert "<script>" not in draft.markdown
    assert (draft.created_by.kind, draft.created_by.id) == (ActorKind.ACTOR_KIND_USER, str(ops.id))
    assert not draft.HasField("published_by")


async def test_publication_needs_the_version_that_was_read(call: Call, ops: Viewer, database: Database) -> None:
    draft = (await call("GenerateChangelog", generate([commit_input("a")]))).changelog
    publish = rpc_pb.PublishChangelogRequest(idempotency_key=KEY, changelog_id=draft.id, expected_version=2)

    stale = await refusal(call, "PublishChangelog", publish)
    publish.expected_version = 0
    none = await refusal(call, "PublishChangelog", publish)
    publish.changelog_id, publish.expected_version = str(uuid7()), 1
    missing = await refusal(call, "PublishChangelog", publish)
    before = await rows(database)
    publish.changelog_id = draft.id
    out = (await call("PublishChangelog", publish)).changelog
    publish.idempotency_key, publish.expected_version = OTHER_KEY, 2
    again = await refusal(call, "PublishChangelog", publish)

    assert (stale.kind, stale.reason) == (ErrorKind.VERSION_CONFLICT, "VERSION_CONFLICT")
    assert stale.metadata == {
        "expected": "2", "actual": "1", "aggregate_type": "changelog", "aggregate_id": draft.id,
    }  # fmt: skip
    assert none.metadata == {"field": "expected_version"}
    assert (missing.kind, missing.reason) == (ErrorKind.NOT_FOUND, "CHANGELOG_NOT_FOUND")
    assert before["changelogs"][0].state == "DRAFT"
    assert out.published_by.id == str(ops.id)
    assert (again.kind, again.reason) == (ErrorKind.CONFLICT, "CHANGELOG_PUBLISHED")


@pytest.mark.parametrize(
    ("request_", "kind", "reason"),
    [
        (generate(end="v1"), ErrorKind.NOT_FOUND, "REPOSITORY_NOT_FOUND"),
        (generate(end="v9", repository="shop/web"), ErrorKind.NOT_FOUND, "REVISION_NOT_FOUND"),
        (generate(start="v1", end="v1", repository="shop/web"), ErrorKind.INVALID, "RANGE_EMPTY"),
        (generate(end="v2", repository="shop/web"), ErrorKind.CONFLICT, "HISTORY_INCOMPLETE"),
        (generate([commit_input(1)], previous_version="1"), ErrorKind.INVALID, "VERSION_NAME_INVALID"),
    ],
)
async def test_a_draft_that_cannot_be_made_leaves_nothing(
    call: Call, database: Database, request_: Any, kind: ErrorKind, reason: str
) -> None:
    history = [commit_input("a", tags=["v1"]), commit_input("c", parents="b", tags=["v2"])]
    await call("PushCommits", push(history, repository="shop/web", key=OTHER_KEY))
    before = await rows(database)

    refused = await refusal(call, "GenerateChangelog", request_)

    assert (refused.kind, refused.reason) == (kind, reason)
    assert await rows(database) == before


async def test_a_deployment_is_recorded_and_listed(call: Call, clock: FrozenClock, ops: Viewer) -> None:
    repository = (await call("PushCommits", push(line("a")))).repository
    request = rpc_pb.RecordDeploymentRequest(
        idempotency_key=KEY, service="api", environment="staging", version_name="1.0.0", sha=sha("a"),
        repository_name="SHOP/api", url="https://ci.example.com/7", external_reference="run-7",
        deployed_at=stamp(clock.now() - timedelta(hours=1)),
    )  # fmt: skip

    deployment = (await call("RecordDeployment", request)).deployment
    listed = await call("ListDeployments", rpc_pb.ListDeploymentsRequest(page=PAGE, service="api"))
    other = await call("ListDeployments", rpc_pb.ListDeploymentsRequest(page=PAGE, environment="production"))
    request.idempotency_key = OTHER_KEY
    taken = await refusal(call, "RecordDeployment", request)

    assert deployment == pb.Deployment(
        id=deployment.id, service="api", environment="staging", version_name="1.0.0", sha=sha("a"),
        repository_id=repository.id, url="https://ci.example.com/7", external_reference="run-7",
        deployed_at=stamp(clock.now() - timedelta(hours=1)), created_at=stamp(clock.now()),
        created_by=deployment.created_by,
    )  # fmt: skip
    assert deployment.created_by.id == str(ops.id)
    assert list(listed.deployments) == [deployment]
    assert list(other.deployments) == []
    assert (taken.kind, taken.reason) == (ErrorKind.CONFLICT, "DEPLOYMENT_REFERENCE_TAKEN")


async def test_the_things_of_a_batch_are_those_that_exist(call: Call) -> None:
    repository = (await call("PushCommits", push(line("a")))).repository
    draft = (await call("GenerateChangelog", generate(end=sha("a")))).changelog
    (commit,) = (await call("ListCommits", rpc_pb.ListCommitsRequest(page=PAGE))).commits
    record = rpc_pb.RecordDeploymentRequest(idempotency_key=KEY, service="api", version_name="1", sha=sha("a"))
    deployment = (await call("RecordDeployment", record)).deployment
    missing = str(uuid7())

    for method, request, found in (
        ("BatchGetRepositories", rpc_pb.BatchGetRepositoriesRequest, repository),
        ("BatchGetChangelogs", rpc_pb.BatchGetChangelogsRequest, draft),
        ("BatchGetCommits", rpc_pb.BatchGetCommitsRequest, commit),
        ("BatchGetDeployments", rpc_pb.BatchGetDeploymentsRequest, deployment),
    ):
        answer = await call(method, request(ids=[found.id, missing, found.id]))
        ((_, things),) = answer.ListFields()
        assert list(things) == [found]
    commits = rpc_pb.BatchListChangelogCommitsRequest(changelog_ids=[draft.id, missing], first=10)
    assert (await call("BatchListChangelogCommits", commits)).changelogs == [
        rpc_pb.ChangelogCommits(changelog_id=draft.id, commits=[commit])
    ]
    deployments = rpc_pb.BatchListChangelogDeploymentsRequest(changelog_ids=[draft.id, missing], first=10)
    assert (await call("BatchListChangelogDeployments", deployments)).changelogs == [
        rpc_pb.ChangelogDeployments(changelog_id=draft.id, deployments=[deployment])
    ]


async def test_changes_before_a_moment_tell_what_and_when(call: Call) -> None:
    await call("PushCommits", push(line("ab"), services=["api"]))
    live = stamp(START + timedelta(seconds=30))
    record = rpc_pb.RecordDeploymentRequest(idempotency_key=KEY, service="api", version_name="1", deployed_at=live)
    deployment = (await call("RecordDeployment", record)).deployment
    newest, oldest = (await call("ListCommits", rpc_pb.ListCommitsRequest(page=PAGE))).commits
    moment: dict[str, Any] = {"service": "api", "window_seconds": 60}

    answer = await call(
        "BatchListChangesBefore",
        rpc_pb.BatchListChangesBeforeRequest(
            first=2,
            queries=[
                rpc_pb.ChangesBeforeQuery(key="all", before=stamp(START + timedelta(minutes=1)), **moment),
                rpc_pb.ChangesBeforeQuery(key="none", before=stamp(datetime(1, 1, 1, tzinfo=UTC)), **moment),
                rpc_pb.ChangesBeforeQuery(key="first", before=stamp(START), **moment),
            ],
        ),
    )

    assert list(answer.moments) == [
        rpc_pb.ChangesBefore(
            key="all",
            changes=[
                rpc_pb.Change(at=newest.committed_at, commit=newest),
                rpc_pb.Change(at=live, deployment=deployment),
            ],
            truncated=True,
        ),
        rpc_pb.ChangesBefore(key="first", changes=[rpc_pb.Change(at=oldest.committed_at, commit=oldest)]),
    ]


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("ListCommits", rpc_pb.ListCommitsRequest(page=PAGE, text="x" * 201), "text"),
        ("ListCommits", rpc_pb.ListCommitsRequest(page=PAGE, text="\x00"), "text"),
        ("ListCommits", rpc_pb.ListCommitsRequest(page=PageRequest(first=101)), "page.first"),
        ("ListCommits", rpc_pb.ListCommitsRequest(page=PageRequest(first=1, after="WzFd")), "page.after"),
        ("ListCommits", rpc_pb.ListCommitsRequest(page=PAGE, repository_name="\x00"), "repository_name"),
        ("ListDeployments", rpc_pb.ListDeploymentsRequest(page=PAGE, service="\x00"), "service"),
        ("ListDeployments", rpc_pb.ListDeploymentsRequest(page=PAGE, environment="\x00"), "environment"),
        ("ListRepositories", rpc_pb.ListRepositoriesRequest(page=PAGE, name="\x00"), "name"),
        ("ListChangelogs", rpc_pb.ListChangelogsRequest(page=PAGE, state=9), "state"),  # type: ignore[arg-type]
        ("BatchListChangesBefore", rpc_pb.BatchListChangesBeforeRequest(), "first"),
        ("BatchListChangelogCommits", rpc_pb.BatchListChangelogCommitsRequest(first=101), "first"),
    ],
)
async def test_a_read_that_cannot_be_done_names_the_field(call: Call, method: str, request_: Any, field: str) -> None:
    refused = await refusal(call, method, request_)

    assert (refused.kind, refused.metadata["field"]) == (ErrorKind.INVALID, field)
