"""NATS: what each user may do, and what ends a process."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest.mock import AsyncMock
from uuid import UUID

import httpx
import nats.errors
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from nats.aio.client import Client
from parcels import send
from pydantic import SecretStr
from surroundings import Connect, NatsSettings, Start

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.db import UnitOfWork
from chassis.embedded import nats as nats_module
from chassis.embedded.nats import NatsServer
from chassis.embedded.process import free_port
from chassis.errors import Unavailable
from chassis.messaging import Messaging
from chassis.metrics import Metrics
from chassis.nats_config import RegisteredEvent, permissions
from chassis.relay import Relay
from chassis.settings import SettingsInvalid
from chassis.testing.plugin import TestNats

SENT = "aiops.parcels.parcel.sent.v1"


async def refused(connect: Connect, service: str, attempt: Callable[[Messaging], Awaitable[object]]) -> list[str]:
    """What NATS said to the process about one attempt."""
    said: list[str] = []
    messaging = await connect(service, streams=service != "window", on_fatal=said.append)
    try:
        async with asyncio.timeout(1.5):
            await attempt(messaging)
    except (TimeoutError, nats.errors.Error):
        pass
    await asyncio.sleep(0.1)
    return said


async def test_a_service_publishes_its_own_subjects(connect: Connect) -> None:
    messaging = await connect("parcels")

    ack = await messaging.jetstream.publish(SENT, b"", headers={"Nats-Msg-Id": "1"})

    assert (ack.stream, ack.seq) == ("PARCELS", 1)


@pytest.mark.parametrize(
    ("service", "subject"),
    [
        ("depot", SENT),
        ("parcels", "aiops.parcels.parcel.lost.v1"),
        ("parcels", "aiops.dlq.depot.depot-receive"),
        ("depot", "$JS.API.CONSUMER.MSG.NEXT.PARCELS.parcels-receive"),
        ("depot", f"$JS.API.CONSUMER.CREATE.PARCELS.parcels-receive.{SENT}"),
        ("depot", f"$JS.API.CONSUMER.CREATE.PARCELS.depot-other.{SENT}"),
        ("depot", "$JS.API.CONSUMER.CREATE.PARCELS"),
        ("depot", "$JS.API.CONSUMER.DELETE.PARCELS.parcels-receive"),
        ("depot", "$JS.ACK.PARCELS.parcels-receive.1.1.1.1.1"),
        ("depot", "$JS.API.STREAM.DELETE.DEPOT"),
        ("depot", "$JS.API.STREAM.PURGE.PARCELS"),
        ("depot", "$JS.API.STREAM.UPDATE.PARCELS"),
        ("depot", "$JS.API.STREAM.MSG.GET.PARCELS"),
        ("depot", "_INBOX_parcels.x.y"),
        ("window", SENT),
        ("window", "$JS.API.STREAM.CREATE.WINDOW"),
    ],
)
async def test_what_the_registry_does_not_give_ends_the_process(connect: Connect, service: str, subject: str) -> None:
    said = await refused(connect, service, lambda messaging: messaging.jetstream._nc.publish(subject, b"{}"))

    assert len(said) == 1
    assert f"NATS refuses {service} something that proto/events.yaml does not give it" in said[0]
    assert subject.lower() in said[0].lower()


@pytest.mark.parametrize("subject", [SENT, "_INBOX_parcels.>", ">", "$JS.>", "aiops.dlq.>"])
async def test_a_service_hears_nothing_that_it_is_not_given(connect: Connect, subject: str) -> None:
    async def ignore(_: Envelope) -> None: ...

    said = await refused(connect, "depot", lambda messaging: messaging.subscribe_core(subject, ignore))

    assert len(said) == 1


async def test_without_permissions_the_same_attempts_would_succeed(nats_server: TestNats, operator: Client) -> None:
    """The failing control: the server refuses by user, not by itself."""
    await operator.publish("_INBOX_parcels.x.y", b"")
    await operator.flush()

    assert operator.last_error is None


async def test_who_looks_on_hears_events_as_they_happen(
    uow: UnitOfWork, connect: Connect, metrics: Metrics, background: Start
) -> None:
    heard: asyncio.Queue[Envelope] = asyncio.Queue()
    background(Relay(uow, await connect("parcels"), metrics).run())
    window = await connect("window", streams=False)
    await window.subscribe_core(SENT, heard.put)
    await window.jetstream._nc.flush()

    async with uow.begin() as tx:
        await send(tx, UUID(int=1), "Oslo")

    envelope = await asyncio.wait_for(heard.get(), 5)
    assert StringValue.FromString(envelope.payload).value == "Oslo"


async def test_a_wrong_password_and_a_missing_server_are_unavailable(
    nats_server: TestNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.messaging.CONNECT_SECONDS", 1.0)
    wrong = NatsSettings(nats_server.url, nats_server.monitor_url, "parcels", SecretStr("geheim"))
    missing = NatsSettings("nats://127.0.0.1:1", nats_server.monitor_url, "parcels", SecretStr("geheim"))

    with pytest.raises(Unavailable, match=r"user 'parcels'.*(Authorization Violation|reset by peer)") as refused_:
        await Messaging(wrong, "parcels").connect()
    with pytest.raises(Unavailable, match="NATS cannot be reached"):
        await Messaging(missing, "parcels").connect()

    assert "geheim" not in str(refused_.value)


async def test_connecting_again_opens_no_second_connection(
    nats_server: TestNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = NatsSettings(
        nats_server.url, nats_server.monitor_url, "parcels", SecretStr(nats_server.passwords["parcels"])
    )
    messaging = Messaging(settings, "parcels")
    with monkeypatch.context() as broken:
        broken.setattr(messaging, "_ensure_stream", AsyncMock(side_effect=nats.errors.TimeoutError))
        with pytest.raises(Unavailable, match="does not make the streams of parcels"):
            await messaging.connect()

    await messaging.connect()

    async with httpx.AsyncClient() as http:
        connections = (await http.get(f"{nats_server.monitor_url}/connz")).json()["connections"]
    await messaging.close()
    assert [connection["name"] for connection in connections].count("aiops-parcels") == 1


async def test_a_server_that_would_lose_events_in_a_power_cut_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = nats_module._configuration
    monkeypatch.setattr(
        nats_module,
        "_configuration",
        lambda *args: strict(*args).replace("sync_interval: always", 'sync_interval: "2m"'),
    )
    server = NatsServer.start(tmp_path, free_port(), free_port(), authorization="", dies_with_parent=True)
    settings = NatsSettings(server.url, server.monitor_url, "", SecretStr(""))

    with pytest.raises(SettingsInvalid, match="sync_interval: always"):
        await Messaging(settings, "parcels").connect()

    server.stop()


async def test_durability_is_either_read_or_vouched_for(nats_server: TestNats) -> None:
    blind = NatsSettings(nats_server.url, "", "parcels", SecretStr(nats_server.passwords["parcels"]))
    with pytest.raises(SettingsInvalid, match="AIOPS_NATS_MONITOR_URL"):
        await Messaging(blind, "parcels").connect()

    vouched = NatsSettings(nats_server.url, "", "parcels", SecretStr(nats_server.passwords["parcels"]), "vouched")
    messaging = Messaging(vouched, "parcels")
    await messaging.connect()
    await messaging.check()
    await messaging.close()
    with pytest.raises(Unavailable):
        await messaging.check()


def test_permissions_name_each_subject_and_each_durable(nats_registry: tuple[RegisteredEvent, ...]) -> None:
    allowed = permissions(nats_registry, "depot")

    assert allowed == {
        "publish": [
            "$JS.API.CONSUMER.CREATE.PARCELS.depot-receive.aiops.parcels.parcel.sent.v1",
            "$JS.API.CONSUMER.INFO.PARCELS.depot-receive",
            "$JS.API.CONSUMER.MSG.NEXT.PARCELS.depot-receive",
            "$JS.ACK.PARCELS.depot-receive.>",
            "aiops.depot.depot.opened.v1",
            "aiops.dlq.depot.depot-receive",
            "$JS.API.STREAM.CREATE.DEPOT",
            "$JS.API.STREAM.UPDATE.DEPOT",
            "$JS.API.STREAM.CREATE.DLQ_DEPOT",
            "$JS.API.STREAM.UPDATE.DLQ_DEPOT",
        ],
        "subscribe": ["_INBOX_depot.>"],
    }
    assert permissions(nats_registry, "window") == {"publish": [], "subscribe": ["_INBOX_window.>", SENT]}
