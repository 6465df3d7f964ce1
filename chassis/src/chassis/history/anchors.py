"""Signed ends of the chains, told to somewhere that whoever owns the database cannot reach.

A line is stored in the database first and delivered after, in order, so that a store that is away delays an anchor and
loses none; and it is delivered until the store has it, so that a crash in between does no harm.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import UUID

from sqlalchemy import text

from chassis.history.chain import canonical
from chassis.history.store import Store

if TYPE_CHECKING:
    from chassis.db import UnitOfWork, WriteTx
    from chassis.identity import ServiceIdentity, Trust

EVERY_SECONDS = 3600.0
OVERLAP = timedelta(minutes=10)
"""A row is dated by the begin of its transaction: so long after it may be committed, and is anchored all the same."""
HEADS_PER_LINE = 5_000


class AnchorInvalid(ValueError):
    """The line is no anchor that this service signed."""


@dataclass(frozen=True)
class Anchor:
    """One line: the ends of these chains at this time."""

    service: str
    kind: str
    sequence: int
    at: datetime
    previous: str
    """SHA-256 of the line before, in hexadecimal; empty for the first."""
    heads: Sequence[tuple[UUID, int, bytes]]

    def content(self) -> dict[str, object]:
        """What is signed."""
        return {
            "service": self.service,
            "kind": self.kind,
            "sequence": self.sequence,
            "at": self.at.isoformat(),
            "previous": self.previous,
            "heads": [[str(id_), version, hash_.hex()] for id_, version, hash_ in self.heads],
        }

    def line(self, identity: "ServiceIdentity") -> str:
        """The line as it is kept, without its end."""
        signature = b64encode(identity.sign(canonical(self.content()))).decode()
        return canonical({**self.content(), "signature": signature}).decode()

    @classmethod
    def read(cls, line: str, trust: "Trust") -> Self:
        """The anchor on a line.

        Raises:
            AnchorInvalid: it is none, or was not signed by the service that it names.
        """
        try:
            content = json.loads(line)
            signature = b64decode(content.pop("signature"), validate=True)
            anchor = cls(
                content["service"],
                content["kind"],
                content["sequence"],
                datetime.fromisoformat(content["at"]),
                content["previous"],
                [(UUID(id_), version, bytes.fromhex(hash_)) for id_, version, hash_ in content["heads"]],
            )
            signed = trust.signed(anchor.service, canonical(content), signature)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AnchorInvalid("the line is no anchor") from error
        if not signed or content != anchor.content():
            raise AnchorInvalid(f"the line was not signed by {anchor.service}")
        return anchor


def line_hash(line: str) -> bytes:
    """What the next line, and the database, know a line by."""
    return hashlib.sha256(line.encode()).digest()


def file_of(service: str, kind: str) -> str:
    """The name that the anchors of a kind are kept under."""
    return f"{service}-{kind}.jsonl"


class Anchors:
    """Tells the ends of one service's chains."""

    def __init__(
        self, unit_of_work: "UnitOfWork", kinds: Sequence[str], identity: "ServiceIdentity", store: Store
    ) -> None:
        self._unit_of_work = unit_of_work
        self._kinds = kinds
        self._identity = identity
        self._store = store

    async def run(self) -> None:
        """Sign what is new, and deliver what waits.

        Raises:
            Unavailable: the store cannot be reached; what waits is delivered next time.
        """
        for kind in self._kinds:
            async with self._unit_of_work.begin() as tx:
                await self._sign(tx, kind)
            await self._deliver(kind)

    async def _sign(self, tx: "WriteTx", kind: str) -> None:
        newest = text(
            "SELECT sequence, anchored_at, line_hash FROM history_anchors WHERE kind = :kind"
            " ORDER BY sequence DESC LIMIT 1"
        )
        last = await tx.fetch_one(newest.bindparams(kind=kind))
        sequence, previous = (last.sequence, last.line_hash.hex()) if last else (0, "")
        since = last.anchored_at - OVERLAP if last else datetime.min.replace(tzinfo=tx.now.tzinfo)
        after = UUID(int=0)
        # Line by line: after a backfill every chain has a new end, and they do not fit into the memory of a worker.
        while found := await self._ends(tx, kind, since, after):
            after = found[-1][0]
            told = await self._told(tx, kind, last.anchored_at, [id_ for id_, _, _ in found]) if last else set()
            if some := [head for head in found if head[:2] not in told]:
                sequence += 1
                line = Anchor(self._identity.name, kind, sequence, tx.now, previous, some).line(self._identity)
                digest = line_hash(line)
                values = {"kind": kind, "sequence": sequence, "now": tx.now, "line": line, "line_hash": digest}
                insert = (
                    "INSERT INTO history_anchors (kind, sequence, anchored_at, line, line_hash)"
                    " VALUES (:kind, :sequence, :now, :line, :line_hash)"
                )
                await tx.execute(text(insert), values)
                previous = digest.hex()

    async def _ends(self, tx: "WriteTx", kind: str, since: datetime, after: UUID) -> list[tuple[UUID, int, bytes]]:
        """Ends of chains that moved since then, by id: as many as a line holds."""
        heads = text(
            f"SELECT DISTINCT ON (id) id, version, hash FROM {kind}_changes"  # noqa: S608 - a declared kind
            " WHERE changed_at >= :since AND id > :after ORDER BY id, version DESC LIMIT :rows"
        )
        rows = await tx.fetch_all(heads.bindparams(since=since, after=after, rows=HEADS_PER_LINE))
        return [(row.id, row.version, row.hash) for row in rows]

    async def _told(self, tx: "WriteTx", kind: str, at: datetime, ids: Sequence[UUID]) -> set[tuple[UUID, int]]:
        """Which ends of these chains the anchor of that time told."""
        heads = text(
            "SELECT CAST(head ->> 0 AS uuid) AS id, CAST(head ->> 1 AS bigint) AS version FROM history_anchors"
            " CROSS JOIN LATERAL jsonb_array_elements(CAST(line AS jsonb) -> 'heads') AS head"
            " WHERE kind = :kind AND anchored_at = :at AND head ->> 0 = ANY(CAST(:ids AS text[]))"
        )
        rows = await tx.fetch_all(heads.bindparams(kind=kind, at=at, ids=list(map(str, ids))))
        return {(row.id, row.version) for row in rows}

    async def _deliver(self, kind: str) -> None:
        waiting = text(
            "SELECT sequence FROM history_anchors WHERE kind = :kind AND delivered_at IS NULL ORDER BY sequence"
        )
        stored = text("SELECT line FROM history_anchors WHERE kind = :kind AND sequence = :sequence")
        delivered = text("UPDATE history_anchors SET delivered_at = :now WHERE kind = :kind AND sequence = :sequence")
        async with self._unit_of_work.database.read() as read:
            sequences = [row.sequence for row in await read.fetch_all(waiting.bindparams(kind=kind))]
        for sequence in sequences:
            async with self._unit_of_work.database.read() as read:
                (row,) = await read.fetch_all(stored.bindparams(kind=kind, sequence=sequence))
            await self._store.append(file_of(self._identity.name, kind), row.line)
            async with self._unit_of_work.begin() as tx:
                await tx.execute(delivered, {"now": tx.now, "kind": kind, "sequence": sequence})
