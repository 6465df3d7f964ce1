"""SQL of ai: runs to rows and back. It never commits and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, insert, select

from ai_service.domain import EngineName, FallbackReason, Run
from ai_service.tables import runs

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from chassis.db import ReadTx, WriteTx


async def add(run: Run, tx: WriteTx) -> None:
    """Keep a run."""
    await tx.execute(
        insert(runs).values(
            id=run.id,
            task=run.task,
            engine=run.engine.value,
            model=run.model,
            prompt_version=run.prompt_version,
            input_digest=run.input_digest,
            input_tokens=run.input_tokens,
            output_tokens=run.output_tokens,
            latency_milliseconds=run.latency_milliseconds,
            attempt_count=run.attempt_count,
            fallback_reason=run.fallback_reason.value if run.fallback_reason else None,
            created_at=run.created_at,
        )
    )


async def get_many(ids: Collection[UUID], tx: ReadTx) -> list[Run]:
    """The runs that exist among the ids."""
    return [_run(row) for row in await tx.fetch_all(select(runs).where(runs.c.id.in_(ids)))]


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        task=row.task,
        engine=EngineName(row.engine),
        model=row.model,
        prompt_version=row.prompt_version,
        input_digest=row.input_digest,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        latency_milliseconds=row.latency_milliseconds,
        attempt_count=row.attempt_count,
        fallback_reason=FallbackReason(row.fallback_reason) if row.fallback_reason else None,
        created_at=row.created_at,
    )
