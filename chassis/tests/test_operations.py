"""What every service offers to its operators: letters to see and to redrive, for admins alone."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from letters import letters, waiting
from office import ParcelsSettings, build
from parcels import send
from reactions import SUBJECT, arrived, receive
from surroundings import until

from aiops.common.v1.page_pb2 import PageRequest
from aiops.operations.v1 import operations_service_pb2 as pb
from aiops.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from chassis.consumer import Delivery, Subscription
from chassis.db import UnitOfWork
from chassis.errors import DomainError, InvalidArgument
from chassis.ids import uuid7
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase, TestNats


class Mending:
    """A handler with a defect that gets fixed."""

    def __init__(self) -> None:
        self.mended = False

    async def handle(self, delivery: Delivery) -> None:
        if not self.mended:
            raise InvalidArgument("ask ada@example.com for the city", field="city")
        await receive(delivery)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "gateway"))


@pytest.fixture
def settings(installation: Installation, store: ServiceDatabase, nats_server: TestNats) -> ParcelsSettings:
    return ParcelsSettings(
        **installation.settings(
            "parcels",
            database_url=store.app_url,
            nats_url=nats_server.url,
            nats_monitor_url=nats_server.monitor_url,
            nats_user="parcels",
            nats_password=nats_server.passwords["parcels"],
        )
    )


Operate = Callable[..., Any]


def stub(running: RunningService) -> Any:
    return OperationsServiceStub(running.client().channel)


async def listed(running: RunningService, **more: Any) -> pb.ListDeadLettersResponse:
    request = pb.ListDeadLettersRequest(page=PageRequest(first=2), **more)
    answer: pb.ListDeadLettersResponse = await running.client().call(stub(running).ListDeadLetters, request)
    return answer


async def redriven(running: RunningService, ids: list[str], key: str) -> pb.RedriveDeadLettersResponse:
    request = pb.RedriveDeadLettersRequest(idempotency_key=key, ids=ids)
    answer: pb.RedriveDeadLettersResponse = await running.client().call(stub(running).RedriveDeadLetters, request)
    return answer


async def test_an_admin_sees_letters_page_by_page_and_has_them_handled_again(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, settings: ParcelsSettings, operator: object
) -> None:
    mending = Mending()
    subscription = Subscription("PARCELS", SUBJECT, "parcels-receive", StringValue, mending.handle)
    service = build(settings, access_tokens=installation.access_tokens(), subscriptions=(subscription,))
    async with running_service(service, installation, roles=("serve", "work")) as running:
        for number in range(3):
            async with uow.begin() as tx:
                await send(tx, UUID(int=number), "Oslo, says ada@example.com")

        async def three_letters() -> bool:
            return await waiting(store) == 3

        await until(three_letters)
        with installation.as_viewer("admin") as admin:
            first = await listed(running)
            request = pb.ListDeadLettersRequest(page=PageRequest(first=2, after=first.page_info.end_cursor))
            second = await running.client().call(stub(running).ListDeadLetters, request)
            assert (len(first.dead_letters), first.page_info.has_next_page) == (2, True)
            assert (len(second.dead_letters), second.page_info.has_next_page) == (1, False)
            ids = [letter.id for letter in (*first.dead_letters, *second.dead_letters)]
            assert ids == sorted(ids, reverse=True)
            letter = first.dead_letters[0]
            assert (letter.consumer, letter.error_class, letter.attempts) == ("parcels-receive", "InvalidArgument", 1)
            assert letter.aggregate_type == "parcel"
            assert "ada@example.com" not in letter.payload_json + letter.error_message
            assert json.loads(letter.payload_json).startswith("Oslo, says")

            mending.mended = True
            answer = await redriven(running, ids[:2], "the-first-redrive-key")
            assert [(each.id, each.redrive_requested_by) for each in answer.dead_letters] == [
                (ids[0], str(admin.id)),
                (ids[1], str(admin.id)),
            ]
            await until(lambda: _waits(store, 1))
            assert len(await arrived(store)) == 2

            repeated = await redriven(running, ids[:2], "the-first-redrive-key")
            again = await redriven(running, ids[:2], "another-redrive-key")
            assert repeated == answer
            assert all(each.HasField("redriven_at") for each in again.dead_letters)
            assert len(await arrived(store)) == 2
            assert len((await listed(running)).dead_letters) == 1
            assert len((await listed(running, include_redriven=True)).dead_letters) == 2
            assert len((await listed(running, consumer="parcels-send")).dead_letters) == 0


async def _waits(store: ServiceDatabase, count: int) -> bool:
    return await waiting(store) == count


async def test_nobody_but_an_admin_sees_or_redrives_a_letter(
    store: ServiceDatabase, uow: UnitOfWork, installation: Installation, settings: ParcelsSettings, operator: object
) -> None:
    subscription = Subscription("PARCELS", SUBJECT, "parcels-receive", StringValue, Mending().handle)
    service = build(settings, access_tokens=installation.access_tokens(), subscriptions=(subscription,))
    async with running_service(service, installation, roles=("serve", "work")) as running:
        async with uow.begin() as tx:
            await send(tx, UUID(int=1), "Oslo")
        await until(lambda: _waits(store, 1))
        (letter,) = await letters(store)
        ids = [str(letter.id)]

        for role in ("ops", "hr"):
            with installation.as_viewer(role):
                for call in (
                    listed(running),
                    redriven(running, ids, "the-first-redrive-key"),
                    running.client().call(stub(running).BatchGetDeadLetters, pb.BatchGetDeadLettersRequest(ids=ids)),
                ):
                    with pytest.raises(DomainError) as refused:
                        await call
                    assert refused.value.reason == "FORBIDDEN"

        with installation.as_viewer("admin"):
            with pytest.raises(DomainError) as unknown:
                await redriven(running, [*ids, str(uuid7())], "the-first-redrive-key")
            assert unknown.value.reason == "DEAD_LETTER_NOT_FOUND"
        (letter,) = await letters(store)
        assert (letter.redrive_requested_at, letter.redrives) == (None, 0)
