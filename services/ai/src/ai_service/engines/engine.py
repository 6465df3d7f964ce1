"""What every engine is: evidence in, sentences out, or a named failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ai_service.domain import Answer, Evidence, FallbackReason


class EngineFailed(Exception):
    """The engine has no answer; the built-in one steps in. The text holds nothing of the evidence and no credential."""

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
    """Words evidence."""

    async def summarize(self, evidence: Evidence, *, budget_seconds: float) -> Answer:
        """Sentences on the evidence, most important first, within the given time.

        Raises:
            EngineFailed: there is no usable answer.
        """
        ...
