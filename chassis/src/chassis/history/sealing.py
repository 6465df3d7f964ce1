"""Personal values in a history: sealed under a key of whoever they are about, and gone when that key is destroyed.

Keys are random, and stored sealed under a key derived from the installation's redaction key: there is no new secret.
The chain hashes what is sealed, so it verifies as before when a key is gone.
"""

import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import text

from chassis.errors import HistoryBroken
from chassis.history.document import Json

if TYPE_CHECKING:
    from chassis.db import ReadTx, WriteTx

MARK = "$sealed"
RENAMED = "was"
"""An upcast notes here the name under which a value of a renamed field was sealed."""
_NONCE_BYTES = 12


def erased() -> dict[str, bool]:
    """What is read where the key is gone."""
    return {"erased": True}


@dataclass(frozen=True)
class Key:
    """A subject's key; `secret` is None once it is destroyed, and then nothing is kept under it any more."""

    generation: int
    secret: bytes | None


Keys = dict[str, Key]
"""By subject, as stored."""


def is_sealed(value: object) -> bool:
    """Whether a value of a history is a sealed one."""
    return isinstance(value, dict) and MARK in value


def is_blank(value: Json) -> bool:
    """Whether a value says nothing of anybody."""
    return value is None or value in ("", [], {}, ())


@dataclass(frozen=True)
class Place:
    """Where a sealed value stands; one that is moved elsewhere does not open."""

    kind: str
    id: UUID
    version: int
    field: str

    def encoded(self, subject: str, generation: int) -> bytes:
        """What the seal covers beside the value."""
        return json.dumps([self.kind, str(self.id), self.version, self.field, subject, generation]).encode()


class Vault:
    """Seals and opens with the keys of subjects."""

    def __init__(self, redaction_key: bytes) -> None:
        self._wrapping = AESGCM(_derived(redaction_key, b"aiops history subject keys v1"))
        self._blinding = _derived(redaction_key, b"aiops history subjects v1")

    def stored(self, subject: str) -> str:
        """The subject as it may be stored: a user by id, anybody else by a keyed digest."""
        scheme, mark, name = subject.partition(":")
        if not mark or scheme == "user":
            return subject
        return f"{scheme}#{hmac.digest(self._blinding, name.encode(), 'sha256').hex()[:40]}"

    def seal(self, value: Json, place: Place, subject: str, keys: Mapping[str, Key]) -> dict[str, Json]:
        """The value as history keeps it: for an erased subject, that there was one."""
        key = keys[subject]
        sealed = ""
        if key.secret is not None:
            nonce = secrets.token_bytes(_NONCE_BYTES)
            content = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
            cipher = AESGCM(key.secret).encrypt(nonce, content, place.encoded(subject, key.generation))
            sealed = b64encode(nonce + cipher).decode()
        return {MARK: sealed, "subject": subject, "key": key.generation, "at": place.version}

    def open(self, value: Any, kind: str, id_: UUID, field: str, keys: Mapping[str, Key]) -> Any:
        """A value of a history for a reader: `{"erased": true}` where its key is destroyed.

        Raises:
            HistoryBroken: it was not sealed for this place.
        """
        if not is_sealed(value):
            return value
        try:
            subject, generation, sealed = value["subject"], value["key"], b64decode(value[MARK], validate=True)
            key = keys.get(subject)
            if key is None:
                raise HistoryBroken(f"the key of a sealed value of {kind} {id_} is missing")
            if not sealed or key.secret is None or generation < key.generation:
                return erased()
            place = Place(kind, id_, value["at"], value.get(RENAMED, field))
            content = AESGCM(key.secret).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encoded(subject, generation)
            )
            return json.loads(content)
        except (InvalidTag, ValueError, KeyError, TypeError) as error:
            raise HistoryBroken(f"{field} of {kind} {id_} holds a value that was not sealed for it") from error

    def wrap(self, subject: str, key: Key) -> bytes:
        """A key as it is stored."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key.secret or b"", f"{subject}\0{key.generation}".encode())

    def unwrap(self, subject: str, generation: int, stored: bytes | None) -> Key:
        """A stored key.

        Raises:
            HistoryBroken: it was stored under another redaction key, or tampered with.
        """
        if stored is None:
            return Key(generation, None)
        try:
            scope = f"{subject}\0{generation}".encode()
            return Key(generation, self._wrapping.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], scope))
        except (InvalidTag, ValueError) as error:
            raise HistoryBroken("a key of the history does not open with this redaction key") from error

    async def load(self, tx: "ReadTx", subjects: Iterable[str]) -> Keys:
        """The stored keys of these subjects; one that has none is absent."""
        wanted = sorted(set(subjects))
        if not wanted:
            return {}
        statement = text("SELECT subject, generation, sealed_key FROM subject_keys WHERE subject = ANY(:subjects)")
        rows = await tx.fetch_all(statement.bindparams(subjects=wanted))
        return {row.subject: self.unwrap(row.subject, row.generation, row.sealed_key) for row in rows}

    async def make(self, tx: "WriteTx", subjects: Iterable[str], now: datetime) -> Keys:
        """New keys for subjects that have none; of two who do it at once, both get the first one's."""
        wanted = sorted(set(subjects))  # in one order, so that two transactions do not wait for each other
        fresh = {subject: Key(1, secrets.token_bytes(32)) for subject in wanted}
        insert = text(
            "INSERT INTO subject_keys (subject, generation, sealed_key, created_at)"
            " SELECT subject, 1, sealed_key, :now FROM"
            " unnest(CAST(:subjects AS text[]), CAST(:wrapped AS bytea[])) AS fresh (subject, sealed_key)"
            " ON CONFLICT (subject) DO NOTHING"
        )
        wrapped = [self.wrap(subject, fresh[subject]) for subject in wanted]
        inserted = await tx.execute(insert, {"subjects": wanted, "wrapped": wrapped, "now": now})
        return fresh if inserted.rowcount == len(wanted) else await self.load(tx, wanted)

    async def renew(self, tx: "WriteTx", subject: str, old: Key, now: datetime) -> Key:
        """A fresh key for somebody who was erased and came back; what was sealed before stays erased."""
        key = Key(old.generation + 1, secrets.token_bytes(32))
        statement = text(
            "UPDATE subject_keys SET sealed_key = :sealed_key, generation = :generation, created_at = :now"
            " WHERE subject = :subject AND sealed_key IS NULL AND generation = :generation - 1"
        )
        values = {"sealed_key": self.wrap(subject, key), "generation": key.generation, "now": now, "subject": subject}
        renewed = await tx.execute(statement, values)
        return key if renewed.rowcount == 1 else (await self.load(tx, [subject]))[subject]


def _derived(redaction_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(redaction_key)
