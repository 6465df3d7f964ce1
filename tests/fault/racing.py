"""Many clients change one thing at once, each with the version that it read last."""

import asyncio

from tests.fault.caller import PAUSE_SECONDS, Caller, Unanswered
from tests.fault.load import Load, Worker, create_ticket

SETTLED_SECONDS = 30.0


async def new_ticket(load: Load, caller: Caller) -> str:
    """The id of a ticket that the machine is done with."""
    worker = Worker(caller, load, ())
    op = await create_ticket(worker)
    assert op.outcome == "ok", op.code
    async with asyncio.timeout(SETTLED_SECONDS):
        while (await worker.read("ticket", op.target, "triageState"))["triageState"] == "PENDING":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return op.target


async def race(load: Load, callers: list[Caller], target: str, *, updates: int) -> None:
    """Every client tries so many updates of the ticket; it reads it again after each."""

    async def run(caller: Caller) -> None:
        worker = Worker(caller, load, ())
        for _ in range(updates):
            version = await _version(worker, target)
            op = worker.begin("updateTicket", "ticket", target=target, expected_version=version)
            member = await caller.write(
                op, "ticket { id version service }", ticketId=target, expectedVersion=version, service=op.marker
            )
            if member:
                op.version = member["ticket"]["version"]

    await asyncio.gather(*(run(caller) for caller in callers))


async def _version(worker: Worker, target: str) -> int:
    """The version of the ticket: two hundred at once are more than a gateway takes, so many have to ask again."""
    while True:
        try:
            return await worker.version("ticket", target)
        except Unanswered:
            await asyncio.sleep(PAUSE_SECONDS)
