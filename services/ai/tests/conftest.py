"""Ai as a whole on real Postgres, behind gRPC, beside a model endpoint that follows a script."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from services.ai.tests.factories import API_KEY, MODEL, Endpoint, running_endpoint

from ai_service.app import build
from ai_service.settings import AiSettings
from chassis.testing.harness import Installation, RunningService, running_service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from chassis.testing.plugin import ServiceDatabase


@pytest.fixture
def schema(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    return make_database("ai", "ai_service")


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with running_endpoint() as running:
        yield running


@pytest.fixture
def start_ai(
    installation: Installation, schema: ServiceDatabase
) -> Callable[..., AbstractAsyncContextManager[RunningService]]:
    """Starts ai with the given settings; given an endpoint, with its model."""

    @asynccontextmanager
    async def start(model: Endpoint | None = None, **values: Any) -> AsyncIterator[RunningService]:
        configured = (
            {"openai_base_url": model.base_url, "openai_api_key": API_KEY, "openai_model": MODEL} if model else {}
        )
        settings = AiSettings(**installation.settings("ai", database_url=schema.app_url, **configured, **values))
        service = build(settings, access_tokens=installation.access_tokens())
        async with running_service(service, installation) as running:
            yield running

    return start
