"""SQL of machine credentials, signing keys and throttles: `store` for what this package is about. It never commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from auth_service.credentials import voids
from auth_service.credentials.api_token import ApiToken, ServiceAccount
from auth_service.credentials.opaque import digest
from auth_service.credentials.signing import KeyState, SigningKey
from auth_service.credentials.throttle import Throttle
from auth_service.errors import ApiTokenNotFound
from auth_service.tables import api_tokens, service_accounts, signing_keys, throttles
from chassis.db import ReadTx, WriteTx
from chassis.ids import uuid7


class ThrottleSubject(NamedTuple):
    """What attempts are counted for, for example ("account", "ada@example.com")."""

    kind: str
    name: str

    @property
    def digest(self) -> bytes:
        """What is stored of it: people type passwords into the wrong field."""
        return digest(f"{self.kind}:{self.name}")


async def get_throttle_for_update(tx: WriteTx, subject: ThrottleSubject) -> Throttle:
    """What a subject has used up; nobody else counts for it before this transaction ends."""
    fresh = {"attempts": 0.0, "counted_at": tx.now, "blocked_until": tx.now}
    await tx.execute(insert(throttles).values(subject_hash=subject.digest, **fresh).on_conflict_do_nothing())
    row = await tx.fetch_one(select(throttles).where(throttles.c.subject_hash == subject.digest).with_for_update())
    # The row can be pruned between the two statements; then nothing is used up.
    return Throttle(row.attempts, row.counted_at, row.blocked_until) if row else Throttle(0.0, tx.now, tx.now)


async def save_throttle(tx: WriteTx, subject: ThrottleSubject, throttle: Throttle) -> None:
    """Store what a subject has used up."""
    await tx.execute(
        update(throttles)
        .where(throttles.c.subject_hash == subject.digest)
        .values(attempts=throttle.attempts, counted_at=throttle.counted_at, blocked_until=throttle.blocked_until)
    )


async def forgive(tx: WriteTx, subject: ThrottleSubject) -> None:
    """Count nothing against a subject any more."""
    await tx.execute(throttles.delete().where(throttles.c.subject_hash == subject.digest))


async def give_back(tx: WriteTx, subject: ThrottleSubject) -> None:
    """Count one attempt less against a subject."""
    await tx.execute(
        update(throttles)
        .where(throttles.c.subject_hash == subject.digest)
        .values(attempts=func.greatest(throttles.c.attempts - 1, 0.0))
    )


async def delete_idle_throttles(tx: WriteTx, *, idle_for: timedelta) -> int:
    """Forget subjects without an attempt for that long; how many."""
    return (await tx.execute(throttles.delete().where(throttles.c.counted_at < tx.now - idle_for))).rowcount


async def ensure_service_account(tx: WriteTx, name: str) -> ServiceAccount:
    """The service account of this name, made when it is new."""
    await tx.execute(
        insert(service_accounts)
        .values(id=uuid7(), name=name, created_at=tx.now)
        .on_conflict_do_nothing(constraint="uq_service_accounts_name")
    )
    row = (await tx.execute(select(service_accounts).where(service_accounts.c.name == name))).one()
    return ServiceAccount(row.id, row.name)


def select_api_tokens() -> Select[Any]:
    """API tokens with the names of their service accounts."""
    return select(api_tokens, service_accounts.c.name).join(
        service_accounts, service_accounts.c.id == api_tokens.c.service_account_id
    )


def api_token_from(row: Row[Any]) -> ApiToken:
    """The token in a row of `select_api_tokens`."""
    return ApiToken(
        id=row.id,
        version=row.version,
        service_account=ServiceAccount(row.service_account_id, row.name),
        scopes=frozenset(row.scopes),
        prefix=row.prefix,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


async def add_api_token(tx: WriteTx, token: ApiToken, token_hash: bytes) -> None:
    """Store a new token."""
    await tx.execute(
        api_tokens.insert().values(
            id=token.id,
            version=token.version,
            service_account_id=token.service_account.id,
            token_hash=token_hash,
            prefix=token.prefix,
            scopes=sorted(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
        )
    )


async def find_api_token(tx: ReadTx, token_hash: bytes) -> ApiToken | None:
    """The token with this hash."""
    row = await tx.fetch_one(select_api_tokens().where(api_tokens.c.token_hash == token_hash))
    return api_token_from(row) if row else None


async def get_api_token_for_update(tx: WriteTx, token_id: UUID) -> ApiToken:
    """A token that nobody else changes before this transaction ends.

    Raises:
        ApiTokenNotFound: no token has this id.
    """
    row = await tx.fetch_one(select_api_tokens().where(api_tokens.c.id == token_id).with_for_update(of=api_tokens))
    if row is None:
        raise ApiTokenNotFound("no API token has this id; list the tokens to find the right one", id=str(token_id))
    return api_token_from(row)


async def save_revoked_api_token(tx: WriteTx, token: ApiToken) -> None:
    """Store that a token is over, and the access tokens got for it are void."""
    await tx.execute(
        update(api_tokens).where(api_tokens.c.id == token.id).values(version=token.version, revoked_at=token.revoked_at)
    )
    await voids.revoke(tx, token.id)


async def touch_api_token(tx: WriteTx, token_id: UUID, minute: datetime) -> None:
    """Store that a token was used in this minute."""
    older = or_(api_tokens.c.last_used_at.is_(None), api_tokens.c.last_used_at < minute)
    await tx.execute(update(api_tokens).where(api_tokens.c.id == token_id, older).values(last_used_at=minute))


async def lock_signing_keys(tx: WriteTx) -> None:
    """Let nobody else make or rotate keys before this transaction ends."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('aiops.auth.signing_keys', 0))"))


async def published_signing_keys(tx: ReadTx, *, retired_after: datetime) -> Sequence[SigningKey]:
    """The keys that verifiers may meet: next, current, and those retired after that moment."""
    rows = await tx.fetch_all(
        select(signing_keys)
        .where(or_(signing_keys.c.state != KeyState.RETIRED.value, signing_keys.c.retired_at > retired_after))
        .order_by(signing_keys.c.created_at, signing_keys.c.kid)
    )
    return [
        SigningKey(
            kid=row.kid,
            public_jwk=row.public_jwk,
            sealed_private_key=row.sealed_private_key,
            state=KeyState(row.state),
            created_at=row.created_at,
            activated_at=row.activated_at,
            retired_at=row.retired_at,
        )
        for row in rows
    ]


async def add_signing_key(tx: WriteTx, key: SigningKey) -> None:
    """Store a new key."""
    await tx.execute(
        signing_keys.insert().values(
            kid=key.kid,
            public_jwk=dict(key.public_jwk),
            sealed_private_key=key.sealed_private_key,
            state=key.state.value,
            created_at=key.created_at,
            activated_at=key.activated_at,
        )
    )


async def retire_signing_key(tx: WriteTx, kid: str) -> None:
    """Let the current key sign no more: its private half is deleted."""
    await tx.execute(
        update(signing_keys)
        .where(signing_keys.c.kid == kid)
        .values(state=KeyState.RETIRED.value, retired_at=tx.now, sealed_private_key=None)
    )


async def activate_signing_key(tx: WriteTx, kid: str) -> None:
    """Let the next key sign from now on."""
    await tx.execute(
        update(signing_keys).where(signing_keys.c.kid == kid).values(state=KeyState.CURRENT.value, activated_at=tx.now)
    )
