"""How often one may try: a leaky bucket with a growing wait and no permanent lock. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from auth_service.errors import TooManyAttempts


@dataclass(frozen=True)
class ThrottleRule:
    """A leaky bucket of attempts: the first ones are free, each further one doubles the wait, time empties it."""

    free_attempts: int
    maximum_delay_seconds: int
    forget_one_seconds: int
    """Time in which one counted attempt is forgotten."""


ACCOUNT_THROTTLE = ThrottleRule(free_attempts=10, maximum_delay_seconds=300, forget_one_seconds=300)
ADDRESS_THROTTLE = ThrottleRule(free_attempts=50, maximum_delay_seconds=30, forget_one_seconds=10)


@dataclass(frozen=True)
class Throttle:
    """What one account or one client address has used up of its attempts."""

    attempts: float
    counted_at: datetime
    blocked_until: datetime

    def counted(self, rule: ThrottleRule, now: datetime) -> Throttle:
        """One more attempt. A refused one is not counted, so hammering never prolongs the wait.

        Raises:
            TooManyAttempts: the wait is not over.
        """
        if now < self.blocked_until:
            raise TooManyAttempts(retry_after_seconds=ceil((self.blocked_until - now).total_seconds()))
        forgotten = (now - self.counted_at).total_seconds() / rule.forget_one_seconds
        attempts = max(0.0, self.attempts - max(0.0, forgotten)) + 1
        excess = attempts - rule.free_attempts
        delay_seconds = min(2.0 ** min(excess, 30), rule.maximum_delay_seconds) if excess >= 0 else 0.0
        return Throttle(attempts, now, now + timedelta(seconds=delay_seconds))
