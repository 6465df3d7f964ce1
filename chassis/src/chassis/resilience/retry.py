"""Retries that cannot become a storm: a share of the calls pays for them, and chance spreads them."""

import random

CALLS_A_RETRY = 10
"""Ten calls pay for one retry: a target that is down gets at most a tenth more than it would."""
MOST_SAVED_RETRIES = 10
TRIES = 3
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 0.5


class RetryBudget:
    """What may be spent on retries. It begins empty, so there are never more than a tenth of the calls."""

    def __init__(self) -> None:
        self._tenths = 0

    def earn(self) -> None:
        """A call was made for the first time."""
        self._tenths = min(self._tenths + 1, MOST_SAVED_RETRIES * CALLS_A_RETRY)

    def spend(self) -> bool:
        """Pay for one retry; False when there is nothing to pay with."""
        if self._tenths < CALLS_A_RETRY:
            return False
        self._tenths -= CALLS_A_RETRY
        return True


def full_jitter(tries: int) -> float:
    """Seconds to wait after so many tries: anything up to a bound that doubles."""
    return random.uniform(0.0, min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (tries - 1)))  # noqa: S311
