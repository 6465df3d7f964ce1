"""The audit of what answers show: noted before they leave, and read by admins alone, who are noted for it too."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from office import NAMESPACE, ParcelsSettings, build, send_method
from sqlalchemy import select

from aiops.audit.v1 import audit_service_pb2 as pb
from aiops.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from aiops.common.v1.page_pb2 import PageRequest
from chassis.audit import Seen, audit_trail
from chassis.audit_service import shortened
from chassis.db import UnitOfWork
from chassis.errors import CursorInvalid, DomainError
from chassis.identity import Call, acting_as, current_call
from chassis.ids import uuid7
from chassis.protos import moment_to_proto
from chassis.service import Service
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats

PARCEL = uuid5(NAMESPACE, "books")
SENT = Seen("parcel.seen", "parcel", lambda request, _: [str(uuid5(NAMESPACE, request.value))])


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "gateway"))


Offer = Callable[..., Service]


@pytest.fixture
def offer(installation: Installation, store: ServiceDatabase, nats_server: TestNats) -> Offer:
    settings = ParcelsSettings(
        **installation.settings(
            "parcels",
            database_url=store.app_url,
            nats_url=nats_server.url,
            nats_monitor_url=nats_server.monitor_url,
            nats_user="parcels",
            nats_password=nats_server.passwords["parcels"],
        )
    )

    def offered(*seen: Seen) -> Service:
        service = build(settings, access_tokens=installation.access_tokens())
        return replace(service, sightings={"Send": seen})

    return offered


async def sent(running: RunningService, name: str = "books") -> str:
    answer = await running.client().call(send_method(running.client().channel), StringValue(value=name))
    return answer.value


async def listed(running: RunningService, first: int = 10, after: str = "", **more: Any) -> pb.ListAuditEventsResponse:
    stub: Any = AuditServiceStub(running.client().channel)
    request = pb.ListAuditEventsRequest(page=PageRequest(first=first, after=after), **more)
    answer: pb.ListAuditEventsResponse = await running.client().call(stub.ListAuditEvents, request)
    return answer


async def noted(store: ServiceDatabase) -> list[Any]:
    async with store.database.read() as tx:
        return await tx.fetch_all(select(audit_trail).order_by(audit_trail.c.id))


@contextmanager
def by_browser() -> Iterator[None]:
    with acting_as(replace(current_call(), path="graphql query parcels, by browser")):
        yield


async def test_who_sees_something_is_noted_with_his_way_to_it(
    store: ServiceDatabase, installation: Installation, offer: Offer
) -> None:
    async with running_service(offer(SENT), installation) as running:
        with installation.as_viewer("ops") as viewer, by_browser():
            await sent(running)

    (row,) = await noted(store)
    assert (row.kind, row.actor_kind, row.actor_id) == ("parcel.seen", "user", str(viewer.id))
    assert (row.subject_type, row.subject_ids) == ("parcel", [PARCEL])
    assert (row.operation, row.path) == ("Send", "graphql query parcels, by browser")
    assert len(row.trace_id) == 32


async def test_what_cannot_be_noted_is_not_told(
    store: ServiceDatabase, installation: Installation, offer: Offer
) -> None:
    with psycopg.connect(store.owner_url) as owner:
        owner.execute("ALTER TABLE audit_trail ADD CONSTRAINT ck_nothing CHECK (kind = '')")

    try:
        async with running_service(offer(SENT), installation) as running:
            with installation.as_viewer("ops"), pytest.raises(DomainError) as refused:
                await sent(running)
    finally:
        with psycopg.connect(store.owner_url) as owner:
            owner.execute("ALTER TABLE audit_trail DROP CONSTRAINT ck_nothing")

    assert refused.value.reason == "INTERNAL"
    assert "books" not in str(refused.value)
    assert await noted(store) == []


async def test_what_is_not_sensitive_is_not_noted(
    store: ServiceDatabase, installation: Installation, offer: Offer
) -> None:
    async def none_of_them(_tx: object, _ids: object) -> list[UUID]:
        return []

    async with running_service(
        offer(replace(SENT, ids=lambda *_: ()), replace(SENT, sensitive=none_of_them)), installation
    ) as running:
        with installation.as_viewer("ops"):
            await sent(running)

    assert await noted(store) == []


async def test_an_admin_reads_page_by_page_what_he_asks_for_and_is_noted(
    store: ServiceDatabase, uow: UnitOfWork, clock: FrozenClock, installation: Installation, offer: Offer
) -> None:
    for kind in ("parcel.opened", "parcel.closed", "parcel.opened"):
        with acting_as(Call("depot")):
            async with uow.begin() as tx:
                await tx.audit(kind, subject_type="parcel", subject_id=PARCEL, client_address="203.0.113.77")
        clock.advance(timedelta(seconds=60))
    since, other = clock.now() - timedelta(seconds=150), uuid7()

    async with running_service(offer(), installation) as running:
        with installation.as_viewer("admin") as admin:
            until = moment_to_proto(clock.now())
            first = await listed(running, first=2, until=until)
            second = await listed(running, first=2, after=first.page_info.end_cursor, until=until)
            opened = await listed(running, kind="parcel.opened", since=moment_to_proto(since), until=until)
            of_actor = await listed(running, actor_id="depot", subject_id=str(PARCEL), until=until)
            of_nobody = await listed(running, subject_id=str(other), until=until)
            own = await listed(running, kind="audit.seen")

    assert [event.kind for event in (*first.events, *second.events)] == [
        "parcel.opened",
        "parcel.closed",
        "parcel.opened",
    ]
    assert (first.page_info.has_next_page, second.page_info.has_next_page) == (True, False)
    assert [event.client_address for event in first.events] == ["203.0.113.0/24"] * 2
    assert [event.kind for event in opened.events] == ["parcel.opened"]
    assert (len(of_actor.events), len(of_nobody.events)) == (3, 0)
    assert {event.actor.id for event in own.events} == {str(admin.id)}
    assert [json.loads(event.detail_json) for event in own.events][:2] == [
        {"subject_id": str(other)},
        {"actor_id": "depot", "subject_id": str(PARCEL)},
    ]


@pytest.mark.parametrize("role", ["ops", "hr", None])
async def test_nobody_else_reads_the_audit(
    store: ServiceDatabase, installation: Installation, offer: Offer, role: str | None
) -> None:
    async with running_service(offer(), installation) as running:
        with installation.as_viewer(role), pytest.raises(DomainError) as refused:
            await listed(running)

    assert refused.value.reason == "FORBIDDEN"
    assert await noted(store) == []


async def test_a_cursor_of_something_else_is_refused(installation: Installation, offer: Offer) -> None:
    async with running_service(offer(), installation) as running:
        with installation.as_viewer("admin"), pytest.raises(DomainError) as refused:
            await listed(running, after="WyJhIl0")

    assert refused.value.reason == CursorInvalid.reason


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("", ""),
        ("unix", ""),
    ],
)
def test_an_address_is_shown_as_its_network(address: str, network: str) -> None:
    assert shortened(address) == network
