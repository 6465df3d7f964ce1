"""Runs of engines: what ai owns."""

from enum import Enum

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp
from strawberry import federation

from aiops.ai.v1 import run_pb2
from gateway.context import Info
from gateway.graph.enums import name_or_none


@strawberry.enum
class Engine(Enum):
    """What wrote an answer."""

    BUILTIN = run_pb2.ENGINE_BUILTIN
    """The built-in engine: deterministic, needs nothing."""
    OPENAI = run_pb2.ENGINE_OPENAI
    """An OpenAI-compatible endpoint."""


@federation.type(keys=["id"])
class Run:
    """The record of one answer of an engine."""

    id: strawberry.ID
    """UUIDv7."""
    task: str
    """What was asked, for example `summarize_evidence`."""
    engine: Engine | None
    """Who wrote the answer; null for an engine that the graph does not know."""
    model: str | None
    """Model that answered; null for the built-in engine."""
    prompt_version: int | None
    """Version of the prompt that was used; null for the built-in engine."""
    input_digest: str
    """SHA-256 of the input, in hex."""
    input_tokens: int
    """Tokens read by the model, as it reported; 0 when it did not."""
    output_tokens: int
    """Tokens written by the model, as it reported; 0 when it did not."""
    latency_milliseconds: int
    """Time until the answer was whole."""
    fallback_reason: str | None
    """Why the built-in engine answered in place of the configured model; null when it did not."""
    attempt_count: int
    """Requests that were sent to the model."""
    created_at: Timestamp
    """When it was recorded."""

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Run | None":  # noqa: A002 - the key's name
        """The run that another subgraph names."""
        return await load_run(info, id)

    @classmethod
    def of(cls, run: run_pb2.Run) -> "Run":
        """The run as ai recorded it."""
        return cls(
            id=strawberry.ID(run.id),
            task=run.task,
            engine=name_or_none(Engine, run.engine),
            model=run.model or None,
            prompt_version=run.prompt_version or None,
            input_digest=run.input_digest,
            input_tokens=run.input_tokens,
            output_tokens=run.output_tokens,
            latency_milliseconds=run.latency_milliseconds,
            fallback_reason=run.fallback_reason or None,
            attempt_count=run.attempt_count,
            created_at=run.created_at,
        )


async def load_run(info: Info, run_id: str) -> Run | None:
    """The run with this id, batched with the operation's other runs."""
    run = await info.context.ai.runs.load(run_id)
    return Run.of(run) if run is not None else None
