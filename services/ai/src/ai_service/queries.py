"""Reads of ai."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_service import store

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from ai_service.domain import Run
    from chassis.db import ReadTx


async def batch_get_runs(ids: Collection[UUID], tx: ReadTx) -> list[Run]:
    """The runs that exist among the ids."""
    return await store.get_many(ids, tx)
