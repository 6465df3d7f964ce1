"""Passwords: what is acceptable, and bcrypt in a bounded pool beside the event loop.

One hash takes about half a second of a core, so a flood of log-ins is refused early instead of being queued.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import bcrypt

from auth_service.errors import PasswordUnacceptable
from chassis.errors import Overloaded

MINIMUM_PASSWORD_CHARACTERS = 12
MAXIMUM_PASSWORD_BYTES = 72
THREADS = 2
QUEUE = 20
RETRY_AFTER_SECONDS = 5

T = TypeVar("T")


def check_password(password: str) -> str:
    """The password, when it is long enough to be worth hashing and short enough that bcrypt reads all of it.

    Raises:
        PasswordUnacceptable: it is not.
    """
    if len(password) < MINIMUM_PASSWORD_CHARACTERS or not fits_bcrypt(password):
        raise PasswordUnacceptable(
            f"a password has at least {MINIMUM_PASSWORD_CHARACTERS} characters and at most {MAXIMUM_PASSWORD_BYTES} "
            "bytes in UTF-8 (a letter with an accent counts two)",
            minimum_characters=str(MINIMUM_PASSWORD_CHARACTERS),
            maximum_bytes=str(MAXIMUM_PASSWORD_BYTES),
        )
    return password


def fits_bcrypt(password: str) -> bool:
    """Whether bcrypt reads the whole password: it refuses more than 72 bytes."""
    return len(password.encode()) <= MAXIMUM_PASSWORD_BYTES


class PasswordHasher:
    """Hashes and checks passwords, two at a time, with twenty more waiting."""

    def __init__(self, cost: int, *, threads: int = THREADS, queue: int = QUEUE) -> None:
        self._cost = cost
        self._capacity = threads + queue
        self._in_flight = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt")

    async def hash(self, password: str) -> str:
        """The hash to store for an acceptable password.

        Raises:
            Overloaded: too many passwords wait.
        """
        return await self._run(partial(_hash, password, self._cost))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether this is the password. Without a hash, or with too long a password, it is not, after the same work.

        Raises:
            Overloaded: too many passwords wait.
        """
        if hashed is None or not fits_bcrypt(password):
            await self._run(partial(_hash, "", self._cost))
            return False
        return await self._run(partial(bcrypt.checkpw, password.encode(), hashed.encode()))

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made with another cost than is set now."""
        return int(hashed.split("$")[2]) != self._cost

    async def _run(self, work: Callable[[], T]) -> T:
        if self._in_flight >= self._capacity:
            raise Overloaded(retry_after_seconds=RETRY_AFTER_SECONDS)
        self._in_flight += 1
        loop = asyncio.get_running_loop()
        future = self._pool.submit(work)
        # Counted until the thread is done, also when the caller gave up: its work still takes a place in the pool.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._finished))
        return await asyncio.wrap_future(future)

    def _finished(self) -> None:
        self._in_flight -= 1


def _hash(password: str, cost: int) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()
