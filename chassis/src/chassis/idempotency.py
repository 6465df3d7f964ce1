"""Idempotency keys: the same key and request have one effect, and the same answer, for 72 hours.

The key itself is never stored: a digest finds the row, an HMAC under the key tells requests apart, and the response is
sealed under the key, so that only who holds the key can read it again. Everything happens in the effect's transaction.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from google.protobuf.message import Message
from sqlalchemy import Column, DateTime, LargeBinary, Table, Text, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.errors import IdempotencyInProgress, IdempotencyKeyInvalid, IdempotencyKeyReused
from chassis.outbox import foundation

KEPT = timedelta(hours=72)
WAIT_SECONDS = 2
MIN_KEY_CHARACTERS = 16
MAX_KEY_CHARACTERS = 255
_NONCE_BYTES = 12

Res = TypeVar("Res", bound=Message)

idempotency_keys = Table(
    "idempotency_keys",
    foundation,
    Column("principal", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary),
    Column("response", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)


def check_key(key: str) -> None:
    """Accept keys of 16 to 255 characters.

    Raises:
        IdempotencyKeyInvalid: any other.
    """
    if not MIN_KEY_CHARACTERS <= len(key) <= MAX_KEY_CHARACTERS:
        raise IdempotencyKeyInvalid(
            f"send an idempotency key of {MIN_KEY_CHARACTERS} to {MAX_KEY_CHARACTERS} characters, a new random one "
            "for each change and the same one when you repeat it",
            field="idempotency_key",
        )


def request_fingerprint(request: Message) -> bytes:
    """What makes two requests the same: all their fields but the key."""
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("idempotency_key")
    return bare.SerializeToString(deterministic=True)


@dataclass(frozen=True)
class Record:
    """The row of one key, held by the present transaction."""

    principal: str
    operation: str
    key: str
    fingerprint: bytes | None
    response: bytes | None

    @property
    def is_replay(self) -> bool:
        """Whether an earlier request with the key was completed."""
        return self.response is not None

    def replay(self, fingerprint: bytes, response_type: type[Res]) -> Res | None:
        """The response of the earlier request, or None when this is the first.

        Raises:
            IdempotencyKeyReused: the earlier request was another one.
        """
        if self.response is None:
            return None
        if self.fingerprint is None or not hmac.compare_digest(self.fingerprint, self._mac(fingerprint)):
            raise IdempotencyKeyReused(
                "this idempotency key was used before with other arguments; send a new key for a new request",
                operation=self.operation,
            )
        nonce, sealed = self.response[:_NONCE_BYTES], self.response[_NONCE_BYTES:]
        return response_type.FromString(self._cipher().decrypt(nonce, sealed, self._scope()))

    async def store(self, connection: AsyncConnection, fingerprint: bytes, response: Message) -> None:
        """Seal the response into the row."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher().encrypt(nonce, response.SerializeToString(deterministic=True), self._scope())
        keys = idempotency_keys.c
        await connection.execute(
            update(idempotency_keys)
            .where(
                keys.principal == self.principal,
                keys.operation == self.operation,
                keys.key_hash == key_hash(self.key),
            )
            .values(fingerprint=self._mac(fingerprint), response=nonce + sealed)
        )

    def _mac(self, fingerprint: bytes) -> bytes:
        return hmac.digest(self.key.encode(), fingerprint, "sha256")

    def _scope(self) -> bytes:
        return f"{self.principal}\0{self.operation}".encode()

    def _cipher(self) -> AESGCM:
        derivation = HKDF(algorithm=SHA256(), length=32, salt=self._scope(), info=b"aiops idempotent response")
        return AESGCM(derivation.derive(self.key.encode()))


def key_hash(key: str) -> bytes:
    """What is stored in the key's place."""
    return hashlib.sha256(key.encode()).digest()


async def find(connection: AsyncConnection, principal: str, operation: str, key: str, *, now: datetime) -> Record:
    """What is known of the key at this moment, without holding it."""
    keys = idempotency_keys.c
    rows = await connection.execute(
        select(keys.fingerprint, keys.response).where(
            keys.principal == principal,
            keys.operation == operation,
            keys.key_hash == key_hash(key),
            keys.expires_at > now,
        )
    )
    fingerprint, response = rows.one_or_none() or (None, None)
    return Record(principal, operation, key, fingerprint, response)


async def take(connection: AsyncConnection, principal: str, operation: str, key: str, *, now: datetime) -> Record:
    """Hold the key for this transaction, waiting up to 2 s for another one that holds it.

    Raises:
        IdempotencyInProgress: the other one is still running.
    """
    row = insert(idempotency_keys).values(
        principal=principal, operation=operation, key_hash=key_hash(key), created_at=now, expires_at=now + KEPT
    )
    keys = idempotency_keys.c
    # A row of a running transaction blocks this insert until that one ends; an expired row counts as none.
    claim = row.on_conflict_do_update(
        index_elements=[keys.principal, keys.operation, keys.key_hash],
        set_={"fingerprint": None, "response": None, "created_at": now, "expires_at": now + KEPT},
        where=keys.expires_at <= now,
    ).returning(keys.key_hash)
    await connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
    try:
        claimed = (await connection.execute(claim)).first() is not None
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise IdempotencyInProgress(
                "the first request with this idempotency key is still running; repeat it with the same key",
                retry_after_seconds=str(WAIT_SECONDS),
            ) from error
        raise
    await connection.execute(text("SET LOCAL lock_timeout = DEFAULT"))
    if claimed:
        return Record(principal, operation, key, None, None)
    stored = (
        await connection.execute(
            select(keys.fingerprint, keys.response).where(
                keys.principal == principal, keys.operation == operation, keys.key_hash == key_hash(key)
            )
        )
    ).one()
    return Record(principal, operation, key, stored.fingerprint, stored.response)


async def prune(connection: AsyncConnection, *, now: datetime) -> int:
    """Forget keys whose 72 hours are over."""
    return (await connection.execute(delete(idempotency_keys).where(idempotency_keys.c.expires_at <= now))).rowcount
