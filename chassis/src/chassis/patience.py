"""Patience with a service that a reaction needs: when to try again, and when to store that it failed.

What is away is waited for, what fails is tried a few times, and what is refused is refused again.
"""

from typing import TYPE_CHECKING

from chassis.clock import Clock
from chassis.errors import DomainError, ErrorKind

if TYPE_CHECKING:
    from chassis.consumer import Delivery

AWAY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.EXHAUSTED, ErrorKind.DEADLINE, ErrorKind.IN_PROGRESS})
"""Kinds of errors that say nothing of the event: the consumer waits in place, and no delivery is used up."""
_REFUSED = frozenset({ErrorKind.INVALID, ErrorKind.NOT_FOUND, ErrorKind.CONFLICT})
"""Kinds of errors that the same question meets again at each attempt."""


class Patience:
    """Tells of each event in the hands of one reaction whether another attempt is worth it."""

    def __init__(self, clock: Clock, *, seconds: float, attempts: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._attempts = attempts
        self._failing_since: dict[str, float] = {}

    def is_at_an_end(self, error: Exception, delivery: "Delivery") -> bool:
        """Whether no attempt is left after this error."""
        if is_away(error):
            now = self._clock.monotonic()
            since = self._failing_since.setdefault(delivery.envelope.id, now)
            return now - since >= self._seconds
        refused = isinstance(error, DomainError) and error.kind in _REFUSED
        return refused or delivery.attempt >= self._attempts

    def forget(self, delivery: "Delivery") -> None:
        """Keep nothing of an event that is done with."""
        self._failing_since.pop(delivery.envelope.id, None)


def is_away(error: Exception) -> bool:
    """Whether the other service could not be asked, rather than said no."""
    return isinstance(error, DomainError) and error.kind in AWAY
