"""What every engine is: a task in, an answer out, or a named failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from ai_service.domain import Answer, FallbackReason

T = TypeVar("T")
Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Prompt(Generic[T]):
    """What is sent for one task, and the way back from a reply."""

    user: str
    read: Callable[[str], T]
    """The answer in a reply. ValueError: it has another form; its text quotes nothing of the reply."""


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """One question: how a model is asked and its reply read, and what the built-in engine says to it."""

    name: str
    input_digest: str
    builtin: T
    """What the built-in engine says to everything that was asked."""
    fallback: T
    """What of it stands in for a model's answer."""
    prompt_version: int
    system: str
    schema: Mapping[str, object]
    """The form of a reply, in the subset of JSON schema that strict servers take."""
    write: Callable[[Redact, bool], Prompt[T]]
    """The prompt, each text redacted; the short one when the long one was too much for the model."""


class EngineFailed(Exception):
    """The engine has no answer; the built-in one steps in. The text holds nothing of the input and no credential."""

    def __init__(
        self,
        reason: FallbackReason,
        detail: str,
        *,
        attempt_count: int = 0,
        input_tokens: int = 0,
        output_tokens: int = 0,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.attempt_count = attempt_count
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens


class Engine(Protocol):
    """Answers tasks."""

    async def answer(self, task: Task[T], *, budget_seconds: float) -> Answer[T]:
        """The answer of the model, within the given time.

        Raises:
            EngineFailed: there is no usable answer.
        """
        ...
