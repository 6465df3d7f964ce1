"""Who gets in, and what they see: over real gRPC, with real tokens."""

from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from services.changelog.tests.factories import Call, commit_input, generate, push, sha, stamp

from aiops.changelog.v1 import changelog_service_pb2 as pb
from aiops.changelog.v1.changelog_pb2 import Changelog, ChangelogState
from aiops.common.v1.actor_pb2 import ActorKind
from aiops.common.v1.page_pb2 import PageRequest
from changelog_service.policy import build_policy
from chassis.errors import RemoteError
from chassis.identity import Call as Call_
from chassis.identity import Role, Viewer
from chassis.ids import uuid7
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation

PAGE = PageRequest(first=10)
DRAFT = ChangelogState.CHANGELOG_STATE_DRAFT
DEPLOYMENT_FIELDS: dict[str, Any] = {
    "idempotency_key": "key-0000000000000002",
    "service": "api",
    "version_name": "1.0.0",
}
DEPLOYMENT = pb.RecordDeploymentRequest(**DEPLOYMENT_FIELDS)


def test_every_rpc_has_a_rule() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["ChangelogService"].methods}

    assert set(build_policy().rules) == methods


def test_only_the_gateway_calls_and_nobody_without_a_viewer() -> None:
    rules = build_policy().rules.values()

    assert {caller for rule in rules for caller in rule.callers} == {"gateway"}
    assert not any(rule.anonymous or rule.any_user or rule.background for rule in rules)


@pytest.mark.parametrize("role", ["admin", "ops"])
async def test_admin_and_ops_read_and_write(call: Call, installation: Installation, role: str) -> None:
    with installation.as_viewer(role):
        await call("PushCommits", push([commit_input(1)]))
        draft = (await call("GenerateChangelog", generate([commit_input(1)]))).changelog
        changelogs = (await call("ListChangelogs", pb.ListChangelogsRequest(page=PAGE))).changelogs
        (commit,) = (await call("ListCommits", pb.ListCommitsRequest(page=PAGE))).commits

    assert list(changelogs) == [draft]
    assert commit.author_email == "ann@example.com"


@pytest_asyncio.fixture
async def stored(call: Call, installation: Installation) -> tuple[Changelog, Changelog]:
    """A published changelog and a draft of pushed and deployed commits."""
    with installation.as_viewer("ops"):
        await call("PushCommits", push([commit_input(1), commit_input(2, parents=[1])], services=["api"]))
        await call("RecordDeployment", pb.RecordDeploymentRequest(**DEPLOYMENT_FIELDS, sha=sha(1)))
        public = (await call("GenerateChangelog", generate(end=sha(1), key="key-0000000000000003"))).changelog
        publish = pb.PublishChangelogRequest(
            idempotency_key="key-0000000000000004", changelog_id=public.id, expected_version=1
        )
        public = (await call("PublishChangelog", publish)).changelog
        draft = (await call("GenerateChangelog", generate(end=sha(2), key="key-0000000000000005"))).changelog
    return public, draft


async def test_hr_reads_what_is_published_and_no_address(
    call: Call, installation: Installation, clock: FrozenClock, stored: tuple[Changelog, Changelog]
) -> None:
    public, draft = stored
    ids = [public.id, draft.id]
    window = pb.ChangesBeforeQuery(key="k", before=stamp(clock.now()), window_seconds=2_592_000)

    with installation.as_viewer("hr"):
        listed = await call("ListChangelogs", pb.ListChangelogsRequest(page=PAGE))
        drafts = await call("ListChangelogs", pb.ListChangelogsRequest(page=PAGE, state=DRAFT))
        first = await call("ListChangelogs", pb.ListChangelogsRequest(page=PageRequest(first=1)))
        got = await call("BatchGetChangelogs", pb.BatchGetChangelogsRequest(ids=ids))
        of = await call("BatchListChangelogCommits", pb.BatchListChangelogCommitsRequest(changelog_ids=ids, first=9))
        live = pb.BatchListChangelogDeploymentsRequest(changelog_ids=ids, first=9)
        deployed = await call("BatchListChangelogDeployments", live)
        commits = (await call("ListCommits", pb.ListCommitsRequest(page=PAGE))).commits
        again = await call("BatchGetCommits", pb.BatchGetCommitsRequest(ids=[each.id for each in commits]))
        before = await call("BatchListChangesBefore", pb.BatchListChangesBeforeRequest(queries=[window], first=9))
        repositories = (await call("ListRepositories", pb.ListRepositoriesRequest(page=PAGE))).repositories

    assert list(listed.changelogs) == list(got.changelogs) == list(first.changelogs) == [public]
    assert list(drafts.changelogs) == []
    assert not first.page_info.has_next_page
    assert [each.changelog_id for each in of.changelogs] == [each.changelog_id for each in deployed.changelogs]
    assert [each.changelog_id for each in of.changelogs] == [public.id]
    changed = [each.commit for each in before.moments[0].changes if each.HasField("commit")]
    seen = [*commits, *again.commits, *of.changelogs[0].commits, *changed]
    assert (len(seen), {each.author_email for each in seen}, {each.author_name for each in seen}) == (7, {""}, {"Ann"})
    assert len(repositories) == 1


async def test_hr_and_people_without_a_role_write_nothing(
    call: Call, installation: Installation, stored: tuple[Changelog, Changelog]
) -> None:
    _, draft = stored
    publish = pb.PublishChangelogRequest(
        idempotency_key="key-0000000000000009", changelog_id=draft.id, expected_version=1
    )
    missing = pb.PublishChangelogRequest(
        idempotency_key="key-0000000000000009", changelog_id=str(uuid7()), expected_version=1
    )

    for role in ("hr", None):
        with installation.as_viewer(role):
            for method, request in (
                ("PushCommits", push([commit_input(9)], key="key-0000000000000009")),
                ("GenerateChangelog", generate([commit_input(9)], key="key-0000000000000009")),
                ("RecordDeployment", DEPLOYMENT),
                ("PublishChangelog", publish),
                ("PublishChangelog", missing),
            ):
                assert await refusal(call, method, request) == "FORBIDDEN"
    with installation.as_viewer(None):
        assert await refusal(call, "ListCommits", pb.ListCommitsRequest(page=PAGE)) == "FORBIDDEN"
    with installation.as_viewer("admin"):
        commits = (await call("ListCommits", pb.ListCommitsRequest(page=PAGE))).commits
        changelogs = (await call("ListChangelogs", pb.ListChangelogsRequest(page=PAGE))).changelogs
    assert {each.sha for each in commits} == {sha(1), sha(2)}
    assert list(changelogs) == [draft, stored[0]]


@pytest.mark.parametrize(("scopes", "allowed"), [(["changes:write"], True), (["logs:write", "tickets:write"], False)])
async def test_a_machine_pushes_and_records_with_the_scope_and_reads_nothing(
    call: Call, installation: Installation, scopes: list[str], *, allowed: bool
) -> None:
    with installation.as_viewer(kind="service_account", scopes=scopes):
        for method, request in (("PushCommits", push([commit_input(1)])), ("RecordDeployment", DEPLOYMENT)):
            if allowed:
                await call(method, request)
            else:
                assert await refusal(call, method, request) == "FORBIDDEN"
        for method in sorted(set(build_policy().rules) - {"PushCommits", "RecordDeployment"}):
            assert await refusal(call, method, getattr(pb, f"{method}Request")()) == "FORBIDDEN"

    with installation.as_viewer("admin"):
        commits = (await call("ListCommits", pb.ListCommitsRequest(page=PAGE))).commits
        deployments = (await call("ListDeployments", pb.ListDeploymentsRequest(page=PAGE))).deployments
    assert (len(commits), len(deployments)) == (int(allowed), int(allowed))
    assert all(each.created_by.kind == ActorKind.ACTOR_KIND_SERVICE_ACCOUNT for each in deployments)


def test_a_draft_that_a_query_lets_out_is_held_back_at_the_door() -> None:
    draft = Changelog(id="1", state=ChangelogState.CHANGELOG_STATE_DRAFT)
    public = Changelog(id="2", state=ChangelogState.CHANGELOG_STATE_PUBLISHED)
    answers = (
        (pb.ListChangelogsResponse(changelogs=[draft, public]), pb.ListChangelogsResponse(changelogs=[public])),
        (pb.PublishChangelogResponse(changelog=draft), pb.PublishChangelogResponse()),
        (pb.PublishChangelogResponse(changelog=public), pb.PublishChangelogResponse(changelog=public)),
    )
    hr = Call_("gateway", viewer(Role.HR))

    for answer, masked in answers:
        assert build_policy().mask(hr, answer) == masked
        assert build_policy().mask(Call_("gateway", viewer(Role.OPS)), answer) == answer


def viewer(role: Role) -> Viewer:
    return Viewer(uuid7(), "user", role, frozenset(), None, "token", datetime(2026, 1, 5, tzinfo=UTC))


async def refusal(call: Call, method: str, request: Any) -> str:
    with pytest.raises(RemoteError) as refused:
        await call(method, request)
    return refused.value.reason
