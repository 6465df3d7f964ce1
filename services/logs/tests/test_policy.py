"""Who gets in: over real gRPC, with real tokens."""

import pytest

from aiops.common.v1.page_pb2 import PageRequest
from aiops.logs.v1 import logs_service_pb2 as pb
from aiops.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from chassis.errors import ErrorKind, RemoteError
from chassis.testing.harness import Installation, RunningService
from logs_service.policy import build_policy

LIST = pb.ListLogsRequest(page=PageRequest(first=1))
PASTE = pb.SummarizeLogRequest(idempotency_key="key-0000000000000001", name="app.log", text="a line\n")


def test_every_rpc_has_a_rule() -> None:
    methods = {method.name for method in pb.DESCRIPTOR.services_by_name["LogsService"].methods}

    assert set(build_policy().rules) == methods


def test_the_gateway_calls_and_tickets_asks_for_logs_but_nobody_without_a_viewer() -> None:
    rules = build_policy().rules

    callers = {method: rule.callers for method, rule in rules.items() if rule.callers != {"gateway"}}
    assert callers == {"BatchGetLogs": {"gateway", "tickets"}}
    assert not any(rule.anonymous or rule.any_user or rule.background for rule in rules.values())


@pytest.mark.parametrize("role", ["admin", "ops"])
async def test_admin_and_ops_read_and_write(running: RunningService, installation: Installation, role: str) -> None:
    client = running.client()
    logs = LogsServiceStub(client.channel)

    with installation.as_viewer(role):
        stored = (await client.call(logs.SummarizeLog, PASTE)).log
        listed = (await client.call(logs.ListLogs, LIST)).logs

    assert list(listed) == [stored]


@pytest.mark.parametrize("role", ["hr", None])
async def test_others_see_and_store_nothing(
    running: RunningService, installation: Installation, role: str | None
) -> None:
    client = running.client()
    logs = LogsServiceStub(client.channel)

    with installation.as_viewer(role):
        for call in (client.call(logs.ListLogs, LIST), client.call(logs.SummarizeLog, PASTE)):
            with pytest.raises(RemoteError) as refused:
                await call
            assert (refused.value.kind, refused.value.reason) == (ErrorKind.FORBIDDEN, "FORBIDDEN")

    with installation.as_viewer("admin"):
        assert list((await client.call(logs.ListLogs, LIST)).logs) == []


@pytest.mark.parametrize(("scopes", "stored"), [(["logs:write"], 1), (["changes:write", "tickets:write"], 0)])
async def test_a_machine_needs_the_scope_to_write_and_never_reads(
    running: RunningService, installation: Installation, scopes: list[str], stored: int
) -> None:
    client = running.client()
    logs = LogsServiceStub(client.channel)

    with installation.as_viewer(kind="service_account", scopes=scopes):
        with pytest.raises(RemoteError) as refused:
            await client.call(logs.ListLogs, LIST)
        assert refused.value.reason == "FORBIDDEN"
        if stored:
            assert (await client.call(logs.SummarizeLog, PASTE)).log.record_count == 1
        else:
            with pytest.raises(RemoteError):
                await client.call(logs.SummarizeLog, PASTE)

    with installation.as_viewer("admin"):
        assert len((await client.call(logs.ListLogs, LIST)).logs) == stored
