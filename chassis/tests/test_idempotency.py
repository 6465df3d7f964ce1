"""Idempotency keys: one effect, the same answer, and nothing to be read from the table."""

import asyncio
import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from google.protobuf.wrappers_pb2 import Int64Value
from parcels import fact_to_event, parcels, send
from sqlalchemy import func, select, update
from surroundings import Published

from aiops.logs.v1.logs_service_pb2 import UpdateLogRequest
from chassis import idempotency
from chassis.db import Database, UnitOfWork, WriteTx
from chassis.errors import (
    IdempotencyInProgress,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    NotFound,
)
from chassis.idempotency import idempotency_keys
from chassis.identity import Call, acting_as
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase

KEY = "0123456789abcdef"
GATEWAY = Call("gateway", method="SendParcel")


def request(city: str = "Oslo", *, key: str = KEY) -> UpdateLogRequest:
    return UpdateLogRequest(idempotency_key=key, log_id=str(UUID(int=1)), notes=city)


async def once(uow: UnitOfWork, asked: UpdateLogRequest, *, call: Call = GATEWAY, seconds: float = 0.0) -> int:
    """Send a parcel on, once per key; its new version."""

    async def effect(tx: WriteTx) -> Int64Value:
        version = await send(tx, UUID(asked.log_id), asked.notes)
        await asyncio.sleep(seconds)
        return Int64Value(value=version)

    with acting_as(call):
        return (await uow.once(asked, Int64Value, effect)).value


async def sent(store: ServiceDatabase) -> list[tuple[str, int]]:
    async with store.database.read() as tx:
        return [(row.city, row.version) for row in await tx.fetch_all(select(parcels.c.city, parcels.c.version))]


async def test_the_same_request_twice_is_one_effect_and_the_same_answer(
    store: ServiceDatabase, uow: UnitOfWork, published: Published
) -> None:
    first = await once(uow, request())
    second = await once(uow, request())

    assert (first, second) == (1, 1)
    assert await sent(store) == [("Oslo", 1)]
    assert len(await published(store.database)) == 1


async def test_sixteen_requests_at_once_are_one_effect_and_fifteen_replays(
    store: ServiceDatabase, clock: FrozenClock
) -> None:
    database = Database(store.app_url, name="parcels", pool_size=16, max_overflow=0)
    uow = UnitOfWork(database, clock, fact_to_event, "parcels")

    answers = await asyncio.gather(*(once(uow, request(), seconds=0.1) for _ in range(16)))
    await database.close()

    assert answers == [1] * 16
    assert await sent(store) == [("Oslo", 1)]


async def test_check_then_insert_would_have_several_effects(store: ServiceDatabase, uow: UnitOfWork) -> None:
    """The failing control of the test above."""

    async def check_then_act(number: int) -> None:
        async with uow.database.read() as tx:
            known = await tx.fetch_one(select(func.count()).select_from(idempotency_keys))
        assert known is not None
        await asyncio.sleep(0.05)
        if known[0] == 0:
            async with uow.begin() as tx:
                await idempotency.take(tx.connection, "p", "o", f"{KEY}{number}", now=tx.now)
                await send(tx, UUID(int=1), "Oslo")

    await asyncio.gather(*(check_then_act(number) for number in range(4)))

    ((_, version),) = await sent(store)
    assert version > 1


async def test_another_request_under_the_same_key_is_refused(store: ServiceDatabase, uow: UnitOfWork) -> None:
    await once(uow, request("Oslo"))

    with pytest.raises(IdempotencyKeyReused) as refused:
        await once(uow, request("Bergen"))

    assert refused.value.metadata == {"operation": "SendParcel"}
    assert await sent(store) == [("Oslo", 1)]


@pytest.mark.parametrize(
    "other", [Call("gateway", method="ReturnParcel"), Call("logs", method="SendParcel")], ids=["operation", "caller"]
)
async def test_a_key_counts_for_one_caller_and_one_operation(
    store: ServiceDatabase, uow: UnitOfWork, other: Call
) -> None:
    await once(uow, request())

    assert await once(uow, request(), call=other) == 2


async def test_a_request_in_flight_is_waited_for_and_then_named(store: ServiceDatabase, uow: UnitOfWork) -> None:
    running = asyncio.ensure_future(once(uow, request(), seconds=3.0))
    await asyncio.sleep(0.3)
    started = asyncio.get_running_loop().time()

    with pytest.raises(IdempotencyInProgress) as refused:
        await once(uow, request())
    waited = asyncio.get_running_loop().time() - started

    assert refused.value.metadata == {"retry_after_seconds": "2"}
    assert 1.8 < waited < 2.7
    assert await running == 1
    assert await sent(store) == [("Oslo", 1)]


async def test_an_error_is_not_stored_so_the_same_key_may_try_again(store: ServiceDatabase, uow: UnitOfWork) -> None:
    class ParcelNotFound(NotFound):
        reason = "PARCEL_NOT_FOUND"

    async def refuse(tx: WriteTx) -> Int64Value:
        await send(tx, UUID(int=1), "nowhere")
        raise ParcelNotFound("no parcel has this id")

    with acting_as(GATEWAY), pytest.raises(ParcelNotFound):
        await uow.once(request(), Int64Value, refuse)

    assert await sent(store) == []
    assert await once(uow, request()) == 1


@pytest.mark.parametrize("key", ["", "short", "x" * 15, "x" * 256])
async def test_keys_of_other_lengths_are_refused(store: ServiceDatabase, uow: UnitOfWork, key: str) -> None:
    with pytest.raises(IdempotencyKeyInvalid) as refused:
        await once(uow, request(key=key))

    assert refused.value.metadata == {"field": "idempotency_key"}
    assert await sent(store) == []


async def test_a_key_is_good_for_72_hours_and_then_forgotten(
    store: ServiceDatabase, uow: UnitOfWork, clock: FrozenClock
) -> None:
    await once(uow, request())
    clock.advance(timedelta(hours=72) - timedelta(seconds=1))
    assert await once(uow, request()) == 1

    clock.advance(timedelta(seconds=1))
    assert await once(uow, request()) == 2

    clock.advance(timedelta(hours=72))
    async with uow.begin() as tx:
        assert await idempotency.prune(tx.connection, now=tx.now) == 1


async def test_the_table_shows_neither_key_nor_request_nor_answer(store: ServiceDatabase, uow: UnitOfWork) -> None:
    secret = Int64Value(value=0x6765686569)

    async def effect(_: WriteTx) -> Int64Value:
        return secret

    with acting_as(GATEWAY):
        await uow.once(request("geheim"), Int64Value, effect)

    async with store.database.read() as tx:
        (row,) = await tx.fetch_all(select(idempotency_keys))
    everything = b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert row.key_hash == hashlib.sha256(KEY.encode()).digest()
    for hidden in (KEY.encode(), b"geheim", secret.SerializeToString()):
        assert hidden not in everything


async def test_a_response_moved_to_another_key_does_not_open(store: ServiceDatabase, uow: UnitOfWork) -> None:
    await once(uow, request())
    await once(uow, request(key="another-key-of-16"))
    async with uow.begin() as tx:
        (first, second) = await tx.fetch_all(select(idempotency_keys).order_by(idempotency_keys.c.key_hash))
        await tx.execute(
            update(idempotency_keys)
            .where(idempotency_keys.c.key_hash == first.key_hash)
            .values(response=second.response)
        )

    refused = 0
    for key in (KEY, "another-key-of-16"):
        try:
            await once(uow, request(key=key))
        except Exception as error:  # noqa: BLE001 - one of the two must refuse, by the cipher's tag
            refused += type(error).__name__ == "InvalidTag"
    assert refused == 1


async def test_a_stream_holds_its_key_and_replays_when_its_end_is_known(
    store: ServiceDatabase, uow: UnitOfWork
) -> None:
    async def upload(body: bytes) -> tuple[int, bool]:
        with acting_as(GATEWAY):
            async with uow.claim("UploadParcel", KEY) as claim:
                if not claim.is_replay:
                    await send(claim.tx, UUID(int=1), body.decode())
                replayed = await claim.replay(hashlib.sha256(body).digest(), Int64Value)
                if replayed is not None:
                    return replayed.value, True
                await claim.store(hashlib.sha256(body).digest(), Int64Value(value=len(body)))
                return len(body), False

    assert await upload(b"Oslo") == (4, False)
    assert await upload(b"Oslo") == (4, True)
    with pytest.raises(IdempotencyKeyReused):
        await upload(b"Bergen")
    assert await sent(store) == [("Oslo", 1)]


async def test_a_claim_that_stores_no_response_commits_nothing(store: ServiceDatabase, uow: UnitOfWork) -> None:
    with acting_as(GATEWAY), pytest.raises(RuntimeError, match="without storing its response"):
        async with uow.claim("UploadParcel", KEY) as claim:
            await send(claim.tx, UUID(int=1), "Oslo")

    assert await sent(store) == []


async def test_what_was_done_before_can_be_asked_ahead_of_slow_work(store: ServiceDatabase, uow: UnitOfWork) -> None:
    with acting_as(GATEWAY):
        before = await uow.replay(request(), Int64Value)
        await once(uow, request())
        after = await uow.replay(request(), Int64Value)
        with pytest.raises(IdempotencyKeyReused):
            await uow.replay(request("Bergen"), Int64Value)

    assert (before, after) == (None, Int64Value(value=1))
