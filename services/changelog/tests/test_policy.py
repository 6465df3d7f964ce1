"""Who gets in, and what they see: over real gRPC, with real tokens."""

import pytest
from services.changelog.tests.factories import Call, commit_input, generate, push

from aiops.changelog.v1 import changelog_service_pb2 as pb
from aiops.common.v1.page_pb2 import PageRequest
from changelog_service.policy import build_policy
from chassis.testing.harness import Installation

PAGE = PageRequest(first=10)
DEPLOYMENT = pb.RecordDeploymentRequest(idempotency_key="key-0000000000000002", service="api", version_name="1.0.0")


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
