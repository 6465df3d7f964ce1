"""A service that is told to stop costs nobody an answer, and calls leave an old version that stays.

A switch stands where Kubernetes has a Service: it leads new connections to the process that is to have them.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from tests.fault.switch import Switch

import tickets_service.app
from chassis.embedded.process import free_port
from chassis.ids import uuid7
from chassis.process import Process
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import ServiceDatabase
from gateway.app import build
from gateway.settings import GatewaySettings
from gateway.testing.harness import RunningGateway, running_gateway
from tickets_service.settings import TicketsSettings

READ = "{ tickets(first: 5) { nodes { id } } }"
WRITE = """
mutation Create($input: CreateTicketInput!) {
  createTicket(input: $input) { __typename ... on CreateTicketSuccess { ticket { id } } }
}
"""
CALLERS = 6


class Rolling:
    """Tickets behind a switch, a gateway in front of it, and callers who ask without a break."""

    def __init__(self, gateway: RunningGateway, switch: Switch, start: Callable[..., Any], token: str) -> None:
        self.gateway = gateway
        self.switch = switch
        self.start = start
        self.ends: Counter[str] = Counter()
        self.created: list[str] = []
        self._token = token
        self._numbers = itertools.count()

    async def call(self, over: asyncio.Event) -> None:
        """Read and write until it is over."""
        while not over.is_set():
            number = next(self._numbers)
            if number % 4:
                answer = await self.gateway.ask(READ, token=self._token)
            else:
                fields = {"title": f"Ticket {number}", "message": "Something broke.", "source": "rolling"}
                answer = await self.gateway.ask(WRITE, {"input": fields}, token=self._token)
                if answer.get("data"):
                    self.created.append(answer["data"]["createTicket"]["ticket"]["id"])
            self.ends[_end(answer)] += 1
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def called(self) -> AsyncIterator[None]:
        """Callers, for the block, once there is somebody to call."""
        async with asyncio.timeout(20):
            while _end(await self.gateway.ask(READ, token=self._token)) != "answered":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self.call(over))
            try:
                yield
            finally:
                over.set()


def _end(answer: dict[str, Any]) -> str:
    errors = answer.get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else "answered"


@pytest_asyncio.fixture
async def rolling(
    installation: Installation, make_database: Callable[[str, str], ServiceDatabase]
) -> AsyncIterator[Rolling]:
    nowhere = f"127.0.0.1:{free_port()}"
    targets = {f"{name}_target": nowhere for name in ("auth", "logs", "changelog", "ai")}
    database = make_database("tickets", "tickets_service")

    @asynccontextmanager
    async def start(**values: Any) -> AsyncIterator[RunningService]:
        given = installation.settings("tickets", database_url=database.app_url, drain_seconds=0.3, **targets, **values)
        service = tickets_service.app.build(TicketsSettings(**given), access_tokens=installation.access_tokens())
        async with running_service(service, installation) as running:
            yield running

    switch = Switch()
    await switch.open(nowhere)
    settings = installation.settings("gateway", operations_listen="127.0.0.1:0", nats_url=f"nats://{nowhere}")
    settings |= targets | {"tickets_target": switch.address}
    try:
        with installation.as_viewer("admin", viewer_id=uuid7()) as viewer:
            token = installation.token(viewer)
        gateway = build(GatewaySettings(**settings), access_tokens=installation.access_tokens())
        async with running_gateway(gateway) as running:
            yield Rolling(running, switch, start, token)
    finally:
        await switch.close()


async def roll(rolling: Rolling, times: int) -> None:
    """Replace the process so many times: the next one starts, gets what is new, and the one before is told to stop."""
    async with AsyncExitStack() as last:
        present = await last.enter_async_context(rolling.start())
        rolling.switch.to(present.target)
        async with rolling.called():
            await asyncio.sleep(0.5)
            for _ in range(times):
                following = AsyncExitStack()
                present = await following.enter_async_context(rolling.start())
                rolling.switch.to(present.target)
                await asyncio.sleep(0.3)
                await last.aclose()
                last.push_async_exit(following.pop_all())


@pytest.mark.parametrize("times", [4, pytest.param(20, marks=pytest.mark.fault)])
async def test_rolling_restarts_cost_nobody_an_answer(rolling: Rolling, times: int) -> None:
    await roll(rolling, times)

    assert set(rolling.ends) == {"answered"}
    assert rolling.ends["answered"] > 20 * times
    assert len(rolling.created) == len(set(rolling.created)) > 0


@pytest.mark.fault
async def test_control_a_process_that_is_torn_away_costs_answers(
    rolling: Rolling, monkeypatch: pytest.MonkeyPatch
) -> None:
    graceful: Callable[[Process], Awaitable[None]] = Process.stop

    async def torn(process: Process) -> None:
        if process._server is not None:
            await process._server.stop(0)
        await graceful(process)

    monkeypatch.setattr(Process, "stop", torn)
    monkeypatch.setattr("chassis.resilience.retry.RetryBudget.spend", lambda _budget: False)

    await roll(rolling, 4)

    assert rolling.ends["UNAVAILABLE"] > 0


async def test_calls_leave_a_version_that_lost_the_traffic_and_stays_up(rolling: Rolling) -> None:
    """With connections that age after 2 s; by default after 60 s, so that 90 s are enough."""
    async with rolling.start(connection_age_seconds=2) as old, rolling.start() as new:
        rolling.switch.to(old.target)
        async with rolling.called():
            await asyncio.sleep(0.5)
            before = _served(old)
            rolling.switch.to(new.target)
            await asyncio.sleep(3.0)  # 90 s for 60 s are 3 s for 2 s
            left = _served(old)
            await asyncio.sleep(1.0)
            after = _served(old)

    assert before > 0
    assert after == left
    assert _served(new) > 20
    assert set(rolling.ends) == {"answered"}


def _served(service: RunningService) -> float:
    metrics = service.process._runtime.metrics
    return sum(
        metrics.value("aiops_rpc_server_requests_total", method=method, code="OK")
        for method in ("ListTickets", "CreateTicket")
    )
