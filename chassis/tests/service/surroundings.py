"""What tests of the chassis say to the world around: settings, types of fixtures, patience."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from chassis.db import Database
from chassis.messaging import Messaging

Connect = Callable[..., Awaitable[Messaging]]
Published = Callable[[Database], Any]
Start = Callable[[Awaitable[None]], "asyncio.Future[None]"]


@dataclass(frozen=True)
class NatsSettings:
    """How a service reaches NATS."""

    nats_url: str
    nats_monitor_url: str
    nats_user: str
    nats_password: SecretStr
    nats_durability: Literal["checked", "vouched"] = "checked"
    nats_stream_max_bytes: int = 1 << 30


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 10.0) -> None:
    """Return as soon as the condition holds.

    Raises:
        TimeoutError: it does not in time.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - engines send a test no events
            await asyncio.sleep(0.02)
