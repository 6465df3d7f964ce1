"""Machines' tokens, sealed keys, and what must never be found anywhere."""

import asyncio
import logging
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from services.auth.tests.conftest import StartAuth
from services.auth.tests.factories import ADMIN_EMAIL, OTHER_PASSWORD, PASSWORD, Auth, new_key, refusal

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from aiops.common.v1.page_pb2 import PageRequest
from auth_service.app import build
from auth_service.credentials import passwords
from auth_service.credentials.opaque import new_api_token, new_secret
from auth_service.credentials.setup_file import SetupTokenFile
from auth_service.credentials.signing import KeySealer, KeyState
from auth_service.settings import AuthSettings
from chassis.settings import SettingsInvalid
from chassis.testing.harness import Installation

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["logs:write", "everything"]}, "scopes"),
        ({"service_account_name": "  "}, "service_account_name"),
        ({"service_account_name": "n" * 64}, "service_account_name"),
        ({"expires_at": Timestamp(seconds=1)}, "expires_at"),
    ],
)
async def test_malformed_api_token_is_not_made(auth: Auth, fields: dict[str, Any], field: str) -> None:
    admin = await auth.first_admin()
    before = auth.snapshot()

    with refusal("INVALID_ARGUMENT") as caught:
        await auth.create_api_token(admin, **fields)

    assert caught.value.metadata["field"] == field
    assert auth.snapshot() == before


async def test_api_token_ends_at_its_moment_and_so_does_what_it_was_traded_for(auth: Auth) -> None:
    admin = await auth.first_admin()
    moment = Timestamp(seconds=int(auth.clock.now().timestamp()) + 90)
    created = await auth.create_api_token(admin, expires_at=moment)
    auth.clock.advance(timedelta(seconds=60))

    exchanged = await auth.exchange(created.token)
    auth.clock.advance(timedelta(seconds=30))

    assert exchanged.access_token_expires_at == moment
    with refusal("API_TOKEN_INVALID"):
        await auth.exchange(created.token)


@pytest.mark.parametrize("token", ["", "aiops_abcdefgh_" + "0" * 64, "x" * 10_000])
async def test_unknown_api_token_is_refused(auth: Auth, token: str) -> None:
    with refusal("API_TOKEN_INVALID") as caught:
        await auth.exchange(token)

    assert caught.value.message == "this API token is unknown, revoked or expired; ask an admin for a new one"


async def test_use_of_an_api_token_is_noted_to_the_minute_and_is_no_change(auth: Auth) -> None:
    admin = await auth.first_admin()
    created = await auth.create_api_token(admin)
    auth.clock.advance(timedelta(minutes=3, seconds=42))
    minute = int(auth.clock.now().timestamp()) - 42

    await auth.exchange(created.token)
    auth.clock.advance(timedelta(seconds=10))
    await auth.exchange(created.token)

    request = pb.ListApiTokensRequest(page=PageRequest(first=1))
    shown = (await auth.call("ListApiTokens", request, token=(await auth.logged_in(ADMIN_EMAIL)).token)).api_tokens[0]
    assert (shown.last_used_at.seconds, shown.version) == (minute, 1)


def test_api_token_is_recognised_by_its_first_part() -> None:
    prefix, secret = new_api_token()

    assert re.fullmatch(r"aiops_[a-z0-9]{8}", prefix)
    assert re.fullmatch(prefix + "_[0-9a-f]{64}", secret.text)
    assert len({new_secret().text for _ in range(1000)}) == 1000


def test_sealed_key_opens_only_with_its_sealer_and_under_its_name() -> None:
    sealer = KeySealer(b"k" * 32)
    key = sealer.new_key(KeyState.CURRENT, NOW)
    renamed = type(key)("other", key.public_jwk, key.sealed_private_key, key.state, key.created_at)

    assert sealer.open(key).kid == key.kid
    for opener, stored in ((KeySealer(b"x" * 32), key), (sealer, renamed)):
        with pytest.raises(ValueError, match="AUTH_KEY_ENCRYPTION_FILE"):
            opener.open(stored)


@pytest.mark.parametrize(("text", "mode"), [("00" * 31, 0o600), ("zz" * 32, 0o600), ("00" * 32, 0o644)])
def test_sealing_key_must_be_whole_and_closed_to_others(tmp_path: Path, text: str, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(mode)

    with pytest.raises(ValueError, match=str(path)):
        KeySealer.from_file(path)


async def test_auth_does_not_start_with_another_sealing_key(start_auth: StartAuth, key_encryption_file: Path) -> None:
    async with start_auth():
        await asyncio.to_thread(key_encryption_file.write_text, "ab" * 32)

    with pytest.raises(SettingsInvalid, match="AUTH_KEY_ENCRYPTION_FILE"):
        async with start_auth():
            pass


async def test_missing_sealing_key_is_named(installation: Installation, tmp_path: Path) -> None:
    values = {"database_url": "postgresql://127.0.0.1:1/none", "setup_token_file": tmp_path / "setup-token"}
    settings = AuthSettings(**installation.settings("auth", key_encryption_file=tmp_path / "missing", **values))

    with pytest.raises(SettingsInvalid, match="AUTH_KEY_ENCRYPTION_FILE"):
        build(settings)


def test_setup_token_that_is_no_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "setup-token"
    path.write_text("admin\n")

    with pytest.raises(ValueError, match=str(path)):
        SetupTokenFile(path).read_or_create()

    assert path.read_text() == "admin\n"


async def test_no_secret_is_in_any_row_or_log_line(auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [auth.setup_token_file.read_text().strip(), PASSWORD, OTHER_PASSWORD]
    admin = await auth.first_admin()
    invited = await auth.invite(admin, "bob@example.com", user_pb2.ROLE_HR)
    await auth.sign_up("bob@example.com", invitation_token=invited.invitation_token)
    refreshed = await auth.refresh(admin.refresh_token)
    created = await auth.create_api_token(admin)
    exchanged = await auth.exchange(created.token)
    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in("bob@example.com", OTHER_PASSWORD)
    with refusal("CREDENTIALS_INVALID"):
        await auth.log_in(OTHER_PASSWORD, OTHER_PASSWORD)
    change = pb.ChangePasswordRequest(
        idempotency_key=new_key(), expected_version=1, current_password=PASSWORD, new_password=OTHER_PASSWORD
    )
    await auth.call("ChangePassword", change, token=admin.token)

    found = auth.dump() + "\n".join(record.getMessage() + repr(vars(record)) for record in caplog.records)

    secrets += [admin.token, admin.refresh_token, refreshed.session.refresh_token, refreshed.session.access_token]
    secrets += [invited.invitation_token, created.token, created.token.rpartition("_")[2], exchanged.access_token]
    assert [secret for secret in secrets if secret in found] == []
    assert "ada@example.com" in found
    assert change.idempotency_key not in found


async def test_sign_up_while_passwords_pile_up_is_refused_and_stores_nothing(
    start_auth: StartAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start_auth(signup="open") as auth:
        await auth.first_admin()
        slow, hashing = threading.Event(), passwords._hash
        monkeypatch.setattr(passwords, "_hash", lambda *args: slow.wait(20) and hashing(*args))
        waiting = {asyncio.ensure_future(auth.sign_up(f"guest{number}@example.com")) for number in range(25)}

        while len(refused := {each for each in waiting if each.done()}) < 3:
            await asyncio.wait(waiting - refused, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        slow.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)

        assert sorted(getattr(answer, "reason", "made") for answer in answers) == ["OVERLOADED"] * 3 + ["made"] * 22
        assert len(auth.rows("users")) == 23
