"""Live updates over the real NATS: whichever gateway a client sits on, and whatever NATS goes through."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiops.events.v1.envelope_pb2 import Envelope
from aiops.logs.v1 import log_pb2, logs_service_pb2
from chassis.embedded.nats import NatsServer
from chassis.embedded.process import free_port
from chassis.nats_config import RegisteredEvent, nats_config
from chassis.revocations import ACCESS_SUBJECTS
from gateway.live import LOG_SUBJECTS, TICKET_SUBJECTS, ChangeFeed
from gateway.testing.harness import Watcher
from gateway.testing.stack import Script, Stack

StartScript = Callable[..., AbstractAsyncContextManager[Script]]
LOG_ID = "0198c0de-0000-7000-8000-000000000001"

UPDATES = "subscription($id: ID!) { logUpdates(logId: $id) { version state status tags createdBy { displayName } } }"


def test_subjects_are_those_that_the_registry_gives_the_gateway(request: Any) -> None:
    registry = yaml.safe_load((Path(request.config.rootpath) / "proto" / "events.yaml").read_text())["events"]

    live = {subject for subject, event in registry.items() if "gateway" in event.get("live", ())}

    assert live == {*LOG_SUBJECTS, *TICKET_SUBJECTS, *ACCESS_SUBJECTS}


async def test_client_of_either_gateway_sees_every_change(stack: Stack) -> None:
    async with stack.gateway() as one, stack.gateway() as two:
        admin = await stack.admin(one)
        made = await one.mutate("summarizeLog", "log { id }", token=admin.token, name="a.log", text="ERROR disk failed")
        log_id = made["log"]["id"]
        async with Watcher.connected(one, admin.token) as on_one, Watcher.connected(two, admin.token) as on_two:
            for watcher in (on_one, on_two):
                await watcher.receive()
                await watcher.subscribe(UPDATES, id=log_id)
            seen = {watcher: [await last_of(watcher, state="SUMMARIZED")] for watcher in (on_one, on_two)}
            version = seen[on_one][0]["version"]

            await one.mutate(
                "updateLog", "log { id }", token=admin.token, logId=log_id, expectedVersion=version, tags=["disk"]
            )
            for watcher in (on_one, on_two):
                seen[watcher].append((await watcher.next())["data"]["logUpdates"])
            await two.mutate(
                "updateLogStatus",
                "log { id }",
                token=admin.token,
                logId=log_id,
                expectedVersion=version + 1,
                status="ACKNOWLEDGED",
            )
            for watcher in (on_one, on_two):
                seen[watcher].append((await watcher.next())["data"]["logUpdates"])

        assert seen[on_one] == seen[on_two]
        assert [(item["version"], item["tags"], item["status"]) for item in seen[on_one]] == [
            (version, [], "OPEN"),
            (version + 1, ["disk"], "OPEN"),
            (version + 2, ["disk"], "ACKNOWLEDGED"),
        ]
        assert {item["createdBy"]["displayName"] for item in seen[on_one]} == {"Ada"}


async def test_ended_session_hears_nothing_more(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ops = await stack.join(gateway, admin, "ops@example.com")
        async with Watcher.connected(gateway, ops.token) as theirs, Watcher.connected(gateway, admin.token) as ours:
            for watcher in (theirs, ours):
                await watcher.receive()

            await gateway.mutate("logOut", "loggedOut", refreshToken=ops.refresh_token)

            assert await theirs.close_code() == (4403, "Access changed")
            await ours.send({"type": "ping"})
            assert await ours.receive() == {"type": "pong"}


async def test_deactivated_user_hears_nothing_more(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ops = await stack.join(gateway, admin, "ops@example.com")
        users = (await gateway.data("{ users { nodes { id version } } }", token=admin.token))["users"]["nodes"]
        version = next(user["version"] for user in users if user["id"] == ops.id)
        async with Watcher.connected(gateway, ops.token) as theirs:
            await theirs.receive()

            await gateway.mutate(
                "deactivateUser", "user { status }", token=admin.token, userId=ops.id, expectedVersion=version
            )

            assert await theirs.close_code() == (4403, "Access changed")


async def test_change_during_an_outage_of_nats_is_told_when_nats_is_back(
    start_script: StartScript, nats_registry: tuple[RegisteredEvent, ...], tmp_path: Path
) -> None:
    port, monitor_port = free_port(), free_port()
    authorization = nats_config(nats_registry, {"gateway": "made-up-password"})

    def start_nats() -> NatsServer:
        return NatsServer.start(tmp_path, port, monitor_port, authorization=authorization, dies_with_parent=True)

    server = start_nats()
    nats = {"nats_url": server.url, "nats_user": "gateway", "nats_password": "made-up-password"}
    try:
        async with start_script(**nats) as script, Watcher.connected(script.gateway, script.token()) as watcher:
            script.logs.answers["BatchGetLogs"] = a_log(version=1)
            await watcher.receive()
            await watcher.subscribe("subscription($id: ID!) { logUpdates(logId: $id) { version } }", id=LOG_ID)
            before = await watcher.next()
            messaging = script.gateway.gateway.messaging
            await until(lambda: messaging.is_connected)

            server.stop()
            await until(lambda: not messaging.is_connected)
            script.logs.answers["BatchGetLogs"] = a_log(version=2)
            server = start_nats()
            after = await watcher.next()

            assert [payload["data"]["logUpdates"] for payload in (before, after)] == [{"version": 1}, {"version": 2}]
    finally:
        server.stop()


async def test_lost_event_is_made_up_for_by_looking_again() -> None:
    feed = ChangeFeed(recheck_seconds=0.05)
    changes = feed.changes(LOG_ID)

    async with asyncio.timeout(2), aclosing(changes):
        await anext(changes)
        await anext(changes)

    assert feed.watcher_count == 0


async def test_events_of_other_logs_wake_nobody() -> None:
    feed = ChangeFeed()
    async with aclosing(feed.changes(LOG_ID)) as changes:
        await anext(changes)
        await feed.hear(Envelope(aggregate_id="0198c0de-0000-7000-8000-000000000002"))

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(changes), 0.1)


def a_log(version: int) -> logs_service_pb2.BatchGetLogsResponse:
    log = log_pb2.Log(
        id=LOG_ID,
        version=version,
        source=log_pb2.LOG_SOURCE_PASTE,
        state=log_pb2.LOG_STATE_RECEIVED,
        status=log_pb2.LOG_STATUS_OPEN,
    )
    return logs_service_pb2.BatchGetLogsResponse(logs=[log])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if true():
                return
            await asyncio.sleep(0.05)


async def last_of(watcher: Watcher, *, state: str) -> dict[str, Any]:
    while True:
        item: dict[str, Any] = (await watcher.next())["data"]["logUpdates"]
        if item["state"] == state:
            return item
