"""Auth as a whole on real Postgres, behind gRPC, with a clock that stands still."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from services.auth.tests.factories import Auth

from auth_service.app import build
from auth_service.documents import HISTORIES
from auth_service.settings import AuthSettings
from chassis.history.recorder import Recorder
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation, running_service
from chassis.testing.plugin import ServiceDatabase

StartAuth = Callable[..., AbstractAsyncContextManager[Auth]]


@pytest.fixture
def schema(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    return make_database("auth", "auth_service")


@pytest.fixture
def recorder(installation: Installation) -> Recorder:
    """What reads and writes histories with the keys of the running auth."""
    return Recorder(HISTORIES, (installation.folder / "redaction.key").read_bytes().strip(), "auth")


@pytest.fixture
def key_encryption_file(tmp_path: Path) -> Path:
    path = tmp_path / "auth-encryption.key"
    path.write_text(secrets.token_hex(32))
    path.chmod(0o600)
    return path


@pytest.fixture
def start_auth(
    installation: Installation,
    schema: ServiceDatabase,
    clock: FrozenClock,
    tmp_path: Path,
    key_encryption_file: Path,
) -> StartAuth:
    """Starts auth with the given settings; bcrypt is as cheap as it gets."""

    @asynccontextmanager
    async def start(*, roles: tuple[str, ...] = ("serve",), **values: Any) -> AsyncIterator[Auth]:
        defaults = {
            "database_url": schema.app_url,
            "setup_token_file": tmp_path / "setup-token",
            "key_encryption_file": key_encryption_file,
            "bcrypt_cost": 4,
        }
        settings = AuthSettings(**installation.settings("auth", **{**defaults, **values}))
        async with running_service(build(settings, clock=clock), installation, roles=roles) as running:
            yield Auth(running, clock, schema, settings.setup_token_file)

    return start


@pytest_asyncio.fixture
async def auth(start_auth: StartAuth) -> AsyncIterator[Auth]:
    async with start_auth() as running:
        yield running
