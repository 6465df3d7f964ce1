"""A clock that moves only when a test says so."""

from datetime import UTC, datetime, timedelta


class FrozenClock:
    """Tells the moment that it was set to."""

    def __init__(self, now: datetime = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """The moment that the clock stands at, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds, moved by `advance` alone."""
        return self._monotonic

    def advance(self, by: timedelta) -> None:
        """Move both readings forward."""
        self._now += by
        self._monotonic += by.total_seconds()
