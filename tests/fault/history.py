"""What clients asked of an installation and what they heard of it, as Jepsen keeps it: ok, fail or info.

`ok` was acknowledged, `fail` was refused for good, `info` is unknown: the answer was lost, or the system said that it
could not say.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["ok", "fail", "info"]


@dataclass
class Op:
    """One write: an intent, its attempts under one key, and what came of it."""

    client: str
    action: str
    """The mutation's name."""
    kind: str
    """What it makes or changes: ticket, comment, log, deployment, commits, changelog or user."""
    marker: str
    """Found in what it wrote, and nowhere else."""
    target: str = ""
    """Id of what it changes; of what it made, once that is known."""
    expected_version: int = 0
    """0 for what makes something new."""
    version: int = 0
    """The acknowledged version."""
    outcome: Outcome = "info"
    code: str = ""
    """Why it is not ok."""
    attempts: int = 0
    replies: list[str] = field(default_factory=list)
    """Each acknowledging body, as it came."""
    started: float = field(default_factory=time.monotonic)
    ended: float = 0.0

    @property
    def creates(self) -> bool:
        """Whether it makes something new."""
        return self.expected_version == 0


@dataclass
class History:
    """All operations of a run, in the order in which they began."""

    ops: list[Op] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    """How often a client heard each reason for which an attempt was not acknowledged."""

    def begin(self, **values: Any) -> Op:
        """A new operation, whose outcome is not known."""
        op = Op(**values)
        self.ops.append(op)
        return op

    def heard(self, code: str) -> None:
        """Count a reason."""
        self.codes[code] = self.codes.get(code, 0) + 1

    def of(self, outcome: Outcome, *, kind: str | None = None) -> list[Op]:
        """Operations with this outcome, of one kind or all."""
        return [op for op in self.ops if op.outcome == outcome and kind in {None, op.kind}]

    def counts(self) -> dict[str, int]:
        """How many ended in which way."""
        outcomes: tuple[Outcome, ...] = ("ok", "fail", "info")
        return {outcome: len(self.of(outcome)) for outcome in outcomes}
