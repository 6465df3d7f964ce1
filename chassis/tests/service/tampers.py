"""Somebody who owns the database, and the folder of anchors, and changes what was: each way of it, at random places.

He has no private key of a service. Each tampering happens in a transaction that is rolled back after it was judged.
"""

import json
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from histories import parcel_id, recorder
from sqlalchemy import text

from chassis.db import Database, ReadTx
from chassis.history.anchors import Anchor, line_hash
from chassis.history.chain import NO_HASH, dumps, loads, row_hash, snapshot_hash
from chassis.history.replay import fold
from chassis.history.store import FolderStore
from chassis.history.tables import change_values, changes, insert_changes, insert_snapshots, snapshots
from chassis.history.verify import Report, verify_in
from chassis.identity import ServiceIdentity, Trust

FILE = "parcels-parcel.jsonl"
EDITS = {
    "id": "gen_random_uuid()",
    "version": "version + 1000",
    "schema_version": "schema_version + 1",
    "event": "event || 'x'",
    "reason": "reason || 'x'",
    "actor_kind": "'user'",
    "actor_id": "'nobody'",
    "changed_at": "changed_at + interval '1 microsecond'",
    "trace_id": "trace_id || '0'",
    "patch": 'patch || \'[{"op": "add", "path": "/city", "value": "Paris"}]\'',
    "inverse": 'inverse || \'[{"op": "add", "path": "/city", "value": "Paris"}]\'',
    "previous_hash": "sha256(previous_hash)",
    "hash": "sha256(hash)",
}
FORGED_HEADS = [(parcel_id(1), 1, bytes(32))]
CURRENT_EDITS = {
    "city": "city || 'x'",
    "note": "note || 'x'",
    "receiver": "receiver || 'x'",
    "stamps": "stamps || '[1]'",
    "version": "version + 1",
}


@dataclass
class Attack:
    """One tampering about to happen."""

    tx: ReadTx
    chance: random.Random
    folder: Path
    parcels: int
    versions: int

    async def sql(self, statement: str, **values: Any) -> None:
        done = await self.tx.execute(text(statement), values)
        assert done.rowcount > 0, statement

    @property
    def id(self) -> Any:
        return parcel_id(1 + self.chance.randrange(self.parcels))

    def version(self, least: int = 1) -> int:
        return self.chance.randint(least, self.versions)

    def lines(self) -> list[str]:
        return FolderStore(self.folder).lines(FILE)

    def write(self, lines: list[str]) -> None:
        (self.folder / FILE).write_text("".join(line + "\n" for line in lines))


async def edit_a_column(a: Attack) -> None:
    column = a.chance.choice(sorted(EDITS))
    statement = f"UPDATE parcel_changes SET {column} = {EDITS[column]} WHERE id = :id AND version = :version"  # noqa: S608 - made here
    await a.sql(statement, id=a.id, version=a.version())


async def delete_a_row(a: Attack) -> None:
    await a.sql("DELETE FROM parcel_changes WHERE id = :id AND version = :version", id=a.id, version=a.version())


async def swap_two_rows(a: Attack) -> None:
    one = a.version(2)
    other = one - 1
    for old, new in ((one, 100_000), (other, one), (100_000, other)):
        await a.sql(
            "UPDATE parcel_changes SET version = :new WHERE id = :id AND version = :old",
            id=parcel_id(1),
            old=old,
            new=new,
        )


async def swap_what_two_rows_say(a: Attack) -> None:
    one = a.version(3)
    columns = ("event", "reason", "actor_id", "patch", "inverse", "hash")
    mixed = ", ".join(f"{column} = other.{column}" for column in columns)
    await a.sql(
        f"UPDATE parcel_changes mine SET {mixed} FROM parcel_changes other WHERE mine.id = :id AND other.id = :id"  # noqa: S608 - made here
        " AND mine.version + other.version = :sum AND abs(mine.version - other.version) = 1",
        id=a.id,
        sum=2 * one - 1,
    )


async def insert_a_row(a: Attack) -> None:
    """One more at the end, with right hashes; the current row says the same."""
    id_ = a.id
    last = (await changes(a.tx, "parcel", id_, after=0))[-1]
    more = replace(last, version=last.version + 1, patch="[]", inverse="[]", previous_hash=last.hash)
    more = replace(more, hash=row_hash("parcel", more))
    await a.tx.execute(insert_changes("parcel"), [change_values(more)])
    if a.chance.random() < 0.5:
        await a.sql("UPDATE parcels SET stamps = stamps || '[1]', version = version + 1 WHERE id = :id", id=id_)


async def cut_the_tail_off(a: Attack) -> None:
    """With the current row and snapshots as they were at that time."""
    id_, kept = a.id, a.version()
    if kept == a.versions:
        kept -= 1
    await a.sql("DELETE FROM parcel_changes WHERE id = :id AND version > :kept", id=id_, kept=kept)
    await a.tx.execute(
        text("DELETE FROM parcel_snapshots WHERE id = :id AND version > :kept"), {"id": id_, "kept": kept}
    )
    await _agree(a, id_)


async def delete_the_fifth(a: Attack) -> None:
    await a.sql("DELETE FROM parcel_changes WHERE id = :id AND version = 5", id=parcel_id(2))


async def drop_a_whole_life(a: Attack) -> None:
    await drop_a_chain(a, life=True)


async def drop_a_chain(a: Attack, *, life: bool = False) -> None:
    id_ = a.id
    await a.sql("DELETE FROM parcel_changes WHERE id = :id", id=id_)
    await a.tx.execute(text("DELETE FROM parcel_snapshots WHERE id = :id"), {"id": id_})
    if life:
        await a.sql("DELETE FROM parcels WHERE id = :id", id=id_)


async def write_a_chain_anew(a: Attack) -> None:
    """Every hash right again, snapshots and the current row to match: only an anchor tells."""
    id_, changed = a.id, a.version()
    rows = await changes(a.tx, "parcel", id_, after=0)
    await a.sql("DELETE FROM parcel_changes WHERE id = :id", id=id_)
    previous, written = NO_HASH, []
    for row in rows:
        lie = replace(row, reason="Send", actor_id="somebody else") if row.version == changed else row
        lie = replace(lie, previous_hash=previous)
        lie = replace(lie, hash=row_hash("parcel", lie))
        previous = lie.hash
        written.append(lie)
    await a.tx.execute(insert_changes("parcel"), [change_values(row) for row in written])
    for snapshot in await snapshots(a.tx, "parcel", id_, upto=10**9):
        digest = snapshot_hash(written[snapshot.version - 1].hash, 1, snapshot.state)
        await a.sql(
            "UPDATE parcel_snapshots SET hash = :hash WHERE id = :id AND version = :version",
            hash=digest,
            id=id_,
            version=snapshot.version,
        )


async def change_a_snapshot(a: Attack) -> None:
    what = a.chance.choice(
        ('state = state || \'{"city": "Paris"}\'', "hash = sha256(hash)", "schema_version = 9", "version = version - 1")
    )
    await a.sql(f"UPDATE parcel_snapshots SET {what} WHERE id = :id AND version = 50", id=a.id)  # noqa: S608 - made here


async def write_a_snapshot_anew(a: Attack) -> None:
    """With its right hash."""
    id_ = a.id
    (snapshot,) = await snapshots(a.tx, "parcel", id_, upto=50)
    row = (await changes(a.tx, "parcel", id_, after=49))[0]
    state = dumps({**loads(snapshot.state), "city": "Paris"})
    await a.sql("DELETE FROM parcel_snapshots WHERE id = :id AND version = 50", id=id_)
    values = {"id": id_, "version": 50, "schema_version": 1, "state": state, "hash": snapshot_hash(row.hash, 1, state)}
    await a.tx.execute(insert_snapshots("parcel"), [values])


async def delete_a_snapshot(a: Attack) -> None:
    await a.sql("DELETE FROM parcel_snapshots WHERE id = :id AND version = 50", id=a.id)


async def change_the_current_row(a: Attack) -> None:
    column = a.chance.choice(sorted(CURRENT_EDITS))
    await a.sql(f"UPDATE parcels SET {column} = {CURRENT_EDITS[column]} WHERE id = :id", id=a.id)  # noqa: S608 - made here


async def delete_the_current_row(a: Attack) -> None:
    await a.sql("DELETE FROM parcels WHERE id = :id", id=a.id)


async def add_a_current_row(a: Attack) -> None:
    await a.sql("INSERT INTO parcels (id, city) VALUES (:id, 'Oslo')", id=parcel_id(10_000 + a.chance.randrange(1000)))


async def change_an_anchor(a: Attack) -> None:
    lines = a.lines()
    place = a.chance.randrange(len(lines))
    content = json.loads(lines[place])
    field = a.chance.choice(sorted(content))
    content[field] = {"heads": [], "sequence": 77}.get(field, f"{content[field]}x")
    lines[place] = json.dumps(content, sort_keys=True, separators=(",", ":"))
    a.write(lines)


async def delete_an_anchor(a: Attack) -> None:
    lines = a.lines()
    del lines[a.chance.randrange(len(lines))]
    a.write(lines)


async def swap_two_anchors(a: Attack) -> None:
    first, second, *more = a.lines()
    a.write([second, first, *more])


async def cut_an_anchor(a: Attack) -> None:
    path = a.folder / FILE
    path.write_bytes(path.read_bytes()[: -1 - a.chance.randrange(1, 200)])


async def forge_an_anchor(a: Attack) -> None:
    """Signed with a key of his own, in the file and in the database."""
    lines = a.lines()
    forger = ServiceIdentity("parcels", Ed25519PrivateKey.generate())
    content = json.loads(lines[-1])
    forged = Anchor(
        "parcels", "parcel", len(lines), datetime.fromisoformat(content["at"]), content["previous"], FORGED_HEADS
    )
    line = forged.line(forger)
    a.write([*lines[:-1], line])
    values = {"line": line, "hash": line_hash(line), "sequence": len(lines)}
    await a.sql("UPDATE history_anchors SET line = :line, line_hash = :hash WHERE sequence = :sequence", **values)


async def forget_an_anchor(a: Attack) -> None:
    await a.sql(
        "DELETE FROM history_anchors WHERE sequence = :sequence", sequence=1 + a.chance.randrange(len(a.lines()))
    )


async def change_a_key(a: Attack) -> None:
    await a.sql(
        "UPDATE subject_keys SET sealed_key = sha256(sealed_key)"
        " WHERE subject = (SELECT min(subject) FROM subject_keys)"
    )


async def destroy_a_key(a: Attack) -> None:
    await a.sql("UPDATE subject_keys SET sealed_key = NULL WHERE subject = (SELECT min(subject) FROM subject_keys)")


async def move_a_sealed_value(a: Attack) -> None:
    """What is said of somebody in one field, into another, with every hash right."""
    await a.sql(
        "UPDATE parcel_snapshots SET state = jsonb_set(state, '{note}', state -> 'receiver')"
        " WHERE state -> 'receiver' ? '$sealed'"
    )
    moved = (
        "SELECT s.id, s.state::text AS state, c.hash FROM parcel_snapshots s JOIN parcel_changes c USING (id, version)"
    )
    for row in await a.tx.fetch_all(text(moved)):
        rehash = "UPDATE parcel_snapshots SET hash = :hash WHERE id = :id"
        await a.sql(rehash, hash=snapshot_hash(row.hash, 1, row.state), id=row.id)


Tamper = Callable[[Attack], Awaitable[None]]
ROWS = (edit_a_column, delete_a_row, swap_two_rows, swap_what_two_rows_say, insert_a_row)
WHOLE = (cut_the_tail_off, drop_a_chain, drop_a_whole_life, write_a_chain_anew)
SNAPSHOTS = (change_a_snapshot, write_a_snapshot_anew, delete_a_snapshot, move_a_sealed_value)
CURRENT = (change_the_current_row, delete_the_current_row, add_a_current_row)
ANCHORS = (change_an_anchor, delete_an_anchor, swap_two_anchors, cut_an_anchor, forge_an_anchor, forget_an_anchor)
KEYS = (change_a_key, destroy_a_key)
TAMPERS: tuple[Tamper, ...] = (*ROWS * 2, *WHOLE * 2, *SNAPSHOTS, *CURRENT, *ANCHORS, *KEYS)


async def _agree(a: Attack, id_: Any) -> None:
    """Make the current row what the rest of its chain says."""
    known = recorder()
    history = known.histories["parcel"]
    state = fold(history, id_, await changes(a.tx, "parcel", id_, after=0))
    fields = state.opened(known.vault, await known.vault.load(a.tx, state.subjects.values()))
    values = {**fields, "stamps": json.dumps(fields["stamps"]), "version": state.version, "id": id_}
    await a.sql(
        "UPDATE parcels SET city = :city, note = :note, receiver = :receiver, stamps = CAST(:stamps AS jsonb),"
        " version = :version WHERE id = :id",
        **values,
    )


def a_chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same places each time


class Tampering:
    """Tampers with one schema again and again, each time from where it was."""

    def __init__(self, admin: Database, folder: Path, trust: Trust, *, parcels: int, versions: int) -> None:
        self._admin = admin
        self._folder = folder
        self._trust = trust
        self._size = (parcels, versions)

    async def judge(self, tamper: Tamper, chance: random.Random, *, anchors: bool = True) -> Report:
        """What verifying finds after this tampering."""
        async with self._tampered(tamper, chance) as (tx, folder):
            if not anchors:
                await tx.execute(text("DELETE FROM history_anchors"))
            store = FolderStore(folder) if anchors else None
            (report,) = await verify_in(tx, "parcels", recorder(), self._trust, store)
            return report

    @asynccontextmanager
    async def _tampered(self, tamper: Tamper, chance: random.Random) -> AsyncIterator[tuple[ReadTx, Path]]:
        folder = self._folder.with_name("tampered")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._folder, folder)
        async with self._admin.connection() as connection:
            transaction = await connection.begin()
            await connection.execute(text("SET LOCAL search_path = parcels, extensions"))
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            tx = ReadTx(connection)
            await tamper(Attack(tx, chance, folder, *self._size))
            yield tx, folder
            await transaction.rollback()
