"""A breaker in front of one target: when most calls fail, the next ones fail at once, and one looks now and then.

It knows no RPC: whoever calls says how each call ended.
"""

import random
from collections import deque
from collections.abc import Callable
from enum import Enum, IntEnum

from chassis.clock import Clock, SystemClock
from chassis.errors import Unavailable

WINDOW_CALLS = 20
WINDOW_SECONDS = 10.0
FAILED_CALLS = WINDOW_CALLS // 2
"""So many failures among the last calls open it: half of them, however many were made."""
FAILED_IN_A_ROW = 3
"""So many calls in a row that were waited for in vain open it, too: a page a minute never fills the window."""
FIRST_OPEN_SECONDS = 1.0
LONGEST_OPEN_SECONDS = 8.0
"""With the time that a connection takes to come back, a target that healed is used again within 10 s."""


class State(IntEnum):
    """Whether calls go through; the numbers are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class End(Enum):
    """How a call ended."""

    ANSWERED = "answered"
    FAILED = "failed"
    IN_VAIN = "in vain"
    LEFT = "left"


class Admission:
    """One call that was let through. Say once how it ended; what says nothing of the target is `left`."""

    def __init__(self, end: "Callable[[Admission, End], None]", *, probe: bool) -> None:
        self.probe = probe
        """Whether this call alone decides if others may follow."""
        self._end = end
        self._ended = False

    def answered(self) -> None:
        """The target did its part, be it with a refusal."""
        self._say(End.ANSWERED)

    def failed(self, *, in_vain: bool = False) -> None:
        """There was no answer, or none of use; `in_vain`: it was also waited for."""
        self._say(End.IN_VAIN if in_vain else End.FAILED)

    def left(self) -> None:
        """The caller gave up, or the call ended in a way that says nothing. Harmless after another end."""
        self._say(End.LEFT)

    def _say(self, end: End) -> None:
        if not self._ended:
            self._ended = True
            self._end(self, end)


class Breaker:
    """Lets calls through to one target, or not."""

    def __init__(
        self,
        target: str,
        *,
        clock: Clock | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
        on_change: Callable[[State], None] | None = None,
    ) -> None:
        self.target = target
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._on_change = on_change or (lambda _state: None)
        self._state = State.CLOSED
        self._calls: deque[tuple[float, bool]] = deque(maxlen=WINDOW_CALLS)
        self._in_vain = 0
        self._times_opened = 0
        self._look_at = 0.0
        self._probe: Admission | None = None

    @property
    def state(self) -> State:
        """Whether calls go through."""
        return self._state

    def admit(self) -> Admission:
        """Let one call through.

        Raises:
            Unavailable: the target failed too often; nothing is to be sent now.
        """
        if self._state is State.CLOSED:
            return Admission(self._note, probe=False)
        now = self._clock.monotonic()
        if self._probe is not None or now < self._look_at:
            raise Unavailable(f"{self.target} did not answer of late; try again in a moment", dependency=self.target)
        self._probe = Admission(self._note, probe=True)
        self._turn(State.HALF_OPEN)
        return self._probe

    def _note(self, admission: Admission, end: End) -> None:
        if admission is self._probe:
            self._probe = None
            if end is End.ANSWERED:
                self._close()
            elif end is End.LEFT:
                self._turn(State.OPEN)  # the next call looks instead
            else:
                self._open()
        elif self._state is State.CLOSED and end is not End.LEFT:
            self._count(end)
        # What was sent before it opened ends when it ends, and decides nothing any more.

    def _count(self, end: End) -> None:
        now = self._clock.monotonic()
        self._calls.append((now, end is not End.ANSWERED))
        while self._calls[0][0] < now - WINDOW_SECONDS:
            self._calls.popleft()
        if end is End.ANSWERED:
            self._in_vain = 0
        elif end is End.IN_VAIN:
            self._in_vain += 1
        if self._in_vain >= FAILED_IN_A_ROW or sum(failed for _, failed in self._calls) >= FAILED_CALLS:
            self._open()

    def _open(self) -> None:
        self._times_opened += 1
        longest = min(LONGEST_OPEN_SECONDS, FIRST_OPEN_SECONDS * 2.0 ** min(self._times_opened, 10))
        self._look_at = self._clock.monotonic() + self._jitter(FIRST_OPEN_SECONDS, longest)
        self._turn(State.OPEN)

    def _close(self) -> None:
        self._calls.clear()
        self._in_vain = self._times_opened = 0
        self._turn(State.CLOSED)

    def _turn(self, state: State) -> None:
        if state is not self._state:
            self._state = state
            self._on_change(state)
