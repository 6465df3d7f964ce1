"""Breaker, budget and retries where they are used: between a client and a real server that fails on demand."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.wrappers_pb2 import StringValue
from surroundings import until

from aiops.auth.v1 import auth_service_pb2
from chassis.errors import DeadlineExceeded, DomainError, Unavailable
from chassis.metrics import Metrics
from chassis.resilience.breaker import Breaker, State
from chassis.rpc.client import Client
from chassis.testing.harness import Installation

METHOD = "/aiops.parcels.v1.ParcelsService/Send"
WRITE = "/aiops.parcels.v1.ParcelsService/LogOut"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot", "gateway"))


class Target(grpc.GenericRpcHandler):
    """A service that answers, refuses, breaks off or says nothing, as it is told."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.status: grpc.StatusCode | None = None
        self.silent = False
        self.port = 0
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop(0)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method = handler_call_details.method

        async def answer(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            self.calls[method] += 1
            if self.silent:
                await asyncio.sleep(3600)
            if self.status is not None:
                await context.abort(self.status, "on demand")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest_asyncio.fixture
async def target() -> AsyncIterator[Target]:
    target = Target()
    await target.start()
    yield target
    await target.stop()


class Asking:
    """A client of the target, and how its calls end."""

    def __init__(self, installation: Installation, target: Target, metrics: Metrics, **options: Any) -> None:
        self.client = Client(
            f"127.0.0.1:{target.port}", "parcels", installation.identity("gateway"), metrics=metrics, **options
        )
        empty = StringValue.SerializeToString, StringValue.FromString
        self.read = self.client.channel.unary_unary(METHOD, *empty)
        self.write = self.client.channel.unary_unary(
            WRITE, auth_service_pb2.LogOutRequest.SerializeToString, StringValue.FromString
        )

    async def ask(self, times: int = 1, *, seconds: float = 5.0) -> Counter[str]:
        ends: Counter[str] = Counter()
        for _ in range(times):
            try:
                await self.client.call(self.read, StringValue(), timeout_seconds=seconds)
                ends["answered"] += 1
            except DomainError as error:
                ends[error.reason] += 1
        return ends

    async def change(self, key: str) -> None:
        await self.client.call(self.write, auth_service_pb2.LogOutRequest(idempotency_key=key))


async def test_a_dependency_that_is_down_gets_at_most_a_tenth_more_and_soon_nothing(
    installation: Installation, target: Target, metrics: Metrics
) -> None:
    asking = Asking(installation, target, metrics, retries=True)
    await asking.ask(100)  # a full purse
    target.calls.clear()
    target.status = grpc.StatusCode.UNAVAILABLE

    ends = await asking.ask(200)

    assert ends == {"UNAVAILABLE": 200}
    assert asking.client.breaker.state is not State.CLOSED
    assert target.calls[METHOD] <= 1.1 * 200
    assert target.calls[METHOD] < 30


async def test_without_a_breaker_the_budget_alone_keeps_retries_to_a_tenth(
    installation: Installation, target: Target, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.resilience.breaker.FAILED_CALLS", 1 << 30)
    asking = Asking(installation, target, metrics, retries=True)
    target.status = grpc.StatusCode.UNAVAILABLE

    await asking.ask(200)

    assert target.calls[METHOD] == 220
    assert metrics.value("aiops_rpc_client_retries_total", target="parcels") == 20


async def test_control_without_a_budget_a_dependency_that_is_down_gets_three_times_the_load(
    installation: Installation, target: Target, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.resilience.breaker.FAILED_CALLS", 1 << 30)
    monkeypatch.setattr("chassis.resilience.retry.RetryBudget.spend", lambda _self: True)
    asking = Asking(installation, target, metrics, retries=True)
    target.status = grpc.StatusCode.UNAVAILABLE

    await asking.ask(20)

    assert target.calls[METHOD] == 60


async def test_an_open_breaker_fails_within_five_milliseconds(
    installation: Installation, target: Target, metrics: Metrics
) -> None:
    asking = Asking(installation, target, metrics)
    target.status = grpc.StatusCode.UNAVAILABLE
    await asking.ask(10)
    sent = target.calls[METHOD]

    took = []
    for _ in range(20):
        started = time.monotonic()
        await asking.ask()
        took.append(time.monotonic() - started)

    assert target.calls[METHOD] == sent == 10
    assert sorted(took)[18] < 0.005
    assert metrics.value("aiops_breaker_refused_total", target="parcels") == 20
    assert metrics.value("aiops_breaker_state", target="parcels") == State.OPEN


async def test_it_opens_within_a_second_and_is_closed_within_ten_after_the_service_is_back(
    installation: Installation, target: Target, metrics: Metrics
) -> None:
    asking = Asking(installation, target, metrics, retries=True)
    await asking.ask(10)
    await target.stop()
    started = time.monotonic()
    while asking.client.breaker.state is State.CLOSED:
        await asking.ask()
    opened = time.monotonic() - started
    await asyncio.sleep(3)

    async def answers() -> bool:
        return (await asking.ask())["answered"] == 1

    await target.start()
    started = time.monotonic()
    await until(answers, seconds=10)
    recovered = time.monotonic() - started

    assert opened < 1
    assert recovered < 10
    assert await asking.ask(20) == {"answered": 20}
    assert metrics.value("aiops_breaker_state", target="parcels") == State.CLOSED


async def test_a_silent_service_is_waited_for_three_times_and_then_only_asked_if_it_lives(
    installation: Installation, target: Target, metrics: Metrics
) -> None:
    asking = Asking(installation, target, metrics, breaker=Breaker("parcels", jitter=lambda low, _high: low))
    target.silent = True
    for _ in range(3):
        with pytest.raises(DeadlineExceeded):
            await asking.client.call(asking.read, StringValue(), timeout_seconds=1.1)

    started = time.monotonic()
    ends = await asking.ask(50)
    at_once = time.monotonic() - started
    await asyncio.sleep(1.1)
    started = time.monotonic()
    ends += await asking.ask()
    looked = time.monotonic() - started
    target.silent = False
    await asyncio.sleep(1.1)

    assert ends == {"UNAVAILABLE": 51}
    assert target.calls == {METHOD: 3, "/grpc.health.v1.Health/Check": 1}
    assert at_once < 0.25
    assert 0.9 < looked < 1.5
    assert await asking.ask(5) == {"answered": 5}


async def test_refusals_and_defects_do_not_open_it(
    installation: Installation, target: Target, metrics: Metrics
) -> None:
    asking = Asking(installation, target, metrics, retries=True)
    for status in (grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.NOT_FOUND):
        target.status = status
        await asking.ask(50)

    assert asking.client.breaker.state is State.CLOSED
    assert target.calls[METHOD] == 150


async def test_who_had_no_time_himself_does_not_open_it(
    installation: Installation, target: Target, metrics: Metrics
) -> None:
    asking = Asking(installation, target, metrics)
    target.silent = True

    ends = await asking.ask(30, seconds=0.02)

    assert ends == {"DEADLINE_EXCEEDED": 30}
    assert asking.client.breaker.state is State.CLOSED


async def test_a_write_is_repeated_only_with_a_key(
    installation: Installation, target: Target, metrics: Metrics
) -> None:
    asking = Asking(installation, target, metrics, retries=True)
    await asking.ask(100)
    target.status = grpc.StatusCode.UNAVAILABLE

    with pytest.raises(Unavailable):
        await asking.change("")
    without_key = target.calls[WRITE]
    with pytest.raises(Unavailable):
        await asking.change("a-key-of-this-write")

    assert (without_key, target.calls[WRITE]) == (1, 1 + 3)


async def test_services_do_not_repeat_themselves(installation: Installation, target: Target, metrics: Metrics) -> None:
    asking = Asking(installation, target, metrics)
    await asking.ask(100)
    target.status = grpc.StatusCode.UNAVAILABLE

    await asking.ask(5)

    assert target.calls[METHOD] == 105


async def test_a_call_is_not_repeated_past_its_time(
    installation: Installation, target: Target, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.rpc.client.full_jitter", lambda _tries: 0.3)
    asking = Asking(installation, target, metrics, retries=True)
    await asking.ask(100)
    target.status = grpc.StatusCode.UNAVAILABLE

    started = time.monotonic()
    ends = await asking.ask(1, seconds=0.4)

    assert ends == {"UNAVAILABLE": 1}
    assert target.calls[METHOD] == 102
    assert time.monotonic() - started < 0.4
