"""Ids: UUIDv7 (RFC 9562), so that the order of ids is the order of time and an id finds its day's partition.

It does not decide which day a partition holds, nor store anything.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.errors import InvalidArgument

MAXIMUM_BATCH = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 74
_STEP_BITS = 32
_TEXT_LENGTH = 36


class _Sequence:
    """Rising 74-bit tails: a fresh random one for each new millisecond, a random step up within the same one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds = -1
        self._tail = 0

    def next(self, milliseconds: int, *, never_back: bool) -> UUID:
        with self._lock:
            if milliseconds == self._milliseconds or (never_back and milliseconds < self._milliseconds):
                self._tail += 1 + secrets.randbits(_STEP_BITS)
            else:
                self._milliseconds = milliseconds
                # The top bit stays free: room for 2**41 ids in one millisecond before a carry.
                self._tail = secrets.randbits(_RANDOM_BITS - 1)
            return _compose(self._milliseconds, self._tail)


# "Strictly rising within a process" is a promise about the process, so its state is the process's too.
_PRESENT = _Sequence()
_GIVEN = _Sequence()


def uuid7(at: datetime | None = None) -> UUID:
    """A new id, higher than every id made before in this process; `at` fixes its millisecond.

    With `at` given, ids rise as long as `at` does not go back.
    """
    if at is None:
        return _PRESENT.next(time.time_ns() // 1_000_000, never_back=True)
    return _GIVEN.next(_milliseconds(at), never_back=False)


def parse_id(text: str, *, field: str) -> UUID:
    """The id that a request's field holds, in the one canonical spelling.

    Raises:
        InvalidArgument: it is no UUID with hyphens.
    """
    try:
        id_ = UUID(text)
    except ValueError:
        id_ = None
    if id_ is None or len(text) != _TEXT_LENGTH or str(id_) != text.lower():
        raise InvalidArgument(
            "this must be an id such as 0198c0de-0000-7000-8000-000000000001; copy it from an answer", field=field
        )
    return id_


def parse_ids(texts: Sequence[str], *, field: str = "ids", maximum: int = MAXIMUM_BATCH) -> list[UUID]:
    """The ids of a batch, each once, in the order given.

    Raises:
        InvalidArgument: there are too many, or one is malformed.
    """
    if len(texts) > maximum:
        raise InvalidArgument(f"ask for at most {maximum:,} ids at once, these are {len(texts):,}", field=field)
    return [parse_id(text, field=field) for text in dict.fromkeys(texts)]


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _compose(milliseconds: int, tail: int) -> UUID:
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | ((tail >> 62) << 64) | (0x2 << 62) | (tail & ((1 << 62) - 1)))
