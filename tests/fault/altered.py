"""A service's process with one protection taken out, or one window held open, so that a check can be seen failing.

    python -m tests.fault.altered publish-late,no-inbox tickets_service work

The product itself has no switch for any of this.
"""

import asyncio
import importlib
import sys
from collections.abc import Callable
from typing import Any

from chassis import db, idempotency, inbox
from chassis.consumer import Consumer
from chassis.db import UnitOfWork
from chassis.relay import _UNPUBLISHED, Relay, _Batch, _Row
from chassis.service import main

REPLY_SECONDS = 0.6
"""How long an answer is held back after its commit."""
WINDOW_SECONDS = 3.0
"""How long a wrong order leaves its window open."""


def replace(owner: object, name: str, by: object) -> None:
    """Let something else stand where the product has one."""
    setattr(owner, name, by)


def slow_reply() -> None:
    """Answer a write some time after its commit: enough to be killed between effect and reply."""
    once = UnitOfWork.once

    async def slow(self: UnitOfWork, *arguments: Any) -> Any:
        response = await once(self, *arguments)
        await asyncio.sleep(REPLY_SECONDS)
        return response

    replace(UnitOfWork, "once", slow)


def no_idempotency() -> None:
    """Forget which keys came before."""

    async def take(_: Any, principal: str, operation: str, key: str, **__: Any) -> idempotency.Record:
        return idempotency.Record(principal, operation, key, None, None)

    replace(idempotency, "take", take)
    replace(idempotency, "find", take)
    slow_reply()


def no_version_guard() -> None:
    """Let a change pass whatever version its caller had read."""
    replace(db, "guard_version", lambda **_: None)


def no_inbox() -> None:
    """Keep no word of the events that took effect."""

    async def new(*_: Any, **__: Any) -> inbox.Standing:
        return inbox.Standing.NEW

    replace(inbox, "take", new)
    replace(inbox, "standing", new)


def ack_first() -> None:
    """Tell NATS that an event is done before it is."""
    attempt = Consumer._attempt

    async def acknowledged(self: Consumer, message: Any, *arguments: Any) -> str:
        await message.ack()
        await asyncio.sleep(WINDOW_SECONDS)
        return await attempt(self, message, *arguments)

    replace(Consumer, "_attempt", acknowledged)


def publish_late() -> None:
    """Mark facts as published, and publish them then."""

    async def publish_batch(self: Relay, connection: Any) -> _Batch:
        rows = [_Row(*row) for row in await (await connection.execute(_UNPUBLISHED, ([], 256))).fetchall()]
        batch = _Batch(published=rows)
        await self._mark(connection, batch)
        await asyncio.sleep(WINDOW_SECONDS)
        for row in rows:
            await self._messaging.jetstream.publish(
                row.subject, row.payload, headers={"Nats-Msg-Id": str(row.event_id)}
            )
        return batch

    replace(Relay, "_publish_batch", publish_batch)


ALTERATIONS: dict[str, Callable[[], None]] = {
    "slow-reply": slow_reply,
    "no-idempotency": no_idempotency,
    "no-version-guard": no_version_guard,
    "no-inbox": no_inbox,
    "ack-first": ack_first,
    "publish-late": publish_late,
}

if __name__ == "__main__":
    for name in sys.argv[1].split(","):
        ALTERATIONS[name]()
    module = sys.argv[2]
    del sys.argv[1:3]
    main(importlib.import_module(f"{module}.app").build)
