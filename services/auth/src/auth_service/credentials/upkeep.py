"""What keeps credentials in order at start and by schedule: the setup token, the signing keys, and forgetting."""

from datetime import timedelta

from auth_service import store
from auth_service.credentials import vault, voids
from auth_service.credentials.setup_file import SetupTokenFile
from auth_service.credentials.signing import KeySealer, KeyState
from chassis.db import WriteTx

NEXT_KEY_PUBLISHED = timedelta(minutes=15)
"""How long the next key is published before it signs: longer than any verifier keeps its copy of the JWKS."""
SESSIONS_KEPT_AFTER_EXPIRY = timedelta(days=7)
THROTTLES_KEPT_IDLE = timedelta(days=1)


async def offer_setup_token(file: SetupTokenFile, tx: WriteTx) -> None:
    """While there is no account, the token in the file (made if missing) makes the first one; afterwards none does."""
    if await store.hold_setup(tx):
        await store.offer_setup(tx, file.read_or_create().digest)
    else:
        file.discard()


async def keep_signing_keys(sealer: KeySealer, rotate_after: timedelta, tx: WriteTx) -> None:
    """There is a current and a next key; the current one retires when it is old enough and the next one well known."""
    await vault.lock_signing_keys(tx)
    keys = {key.state: key for key in await vault.published_signing_keys(tx, retired_after=tx.now)}
    current, following = keys.get(KeyState.CURRENT), keys.get(KeyState.NEXT)
    if current is None:
        await vault.add_signing_key(tx, sealer.new_key(KeyState.CURRENT, tx.now))
    if following is None:
        await vault.add_signing_key(tx, sealer.new_key(KeyState.NEXT, tx.now))
    if current is None or following is None or current.activated_at is None:
        return
    if tx.now - current.activated_at >= rotate_after and tx.now - following.created_at >= NEXT_KEY_PUBLISHED:
        await vault.retire_signing_key(tx, current.kid)
        await vault.activate_signing_key(tx, following.kid)
        await vault.add_signing_key(tx, sealer.new_key(KeyState.NEXT, tx.now))
        await store.record(tx, "signing_key.rotated", None, detail={"retired": current.kid, "current": following.kid})


async def forget_expired(tx: WriteTx) -> None:
    """Delete sessions a week after they expired, throttles a day after the last attempt, and what voids no token."""
    await store.delete_expired_sessions(tx, expired_for=SESSIONS_KEPT_AFTER_EXPIRY)
    await voids.forget_old(tx)
    await vault.delete_idle_throttles(tx, idle_for=THROTTLES_KEPT_IDLE)
