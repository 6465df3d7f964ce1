"""Writes what changed: one row for each version, in the transaction that makes it, with two statements at most.

One statement reads the ends of the chains and the keys of whoever is concerned, one inserts; a subject's first value
and every 50th version cost one more. The aggregates' rows are locked by then, so nobody else writes the next row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.history import patch, replay
from chassis.history.chain import NO_HASH, Row, dumps, row_hash, snapshot_hash
from chassis.history.document import GENESIS, RESUMED, Change, Document, History, Op
from chassis.history.sealing import Key, Keys, Place, Vault, is_blank
from chassis.history.tables import SNAPSHOT_EVERY, Head, change_values, heads, insert_changes, insert_snapshots
from chassis.identity import Actor, call_in_progress
from chassis.telemetry import current_trace_id

if TYPE_CHECKING:
    from chassis.db import WriteTx


@dataclass(frozen=True)
class _Version:
    """One row to be written, before its values are sealed."""

    before: Document | None
    after: Document
    event: str
    reason: str
    actor: Actor

    @property
    def created(self) -> bool:
        return self.before is None

    def steps(self) -> list[patch.Step]:
        """What changes; a value that is somebody else's from now on is written anew, to be sealed for him."""
        before, after = self.before, self.after
        if before is None:
            return patch.diff({}, after.fields)
        steps = patch.diff(before.fields, after.fields, whole={*before.personal, *after.personal})
        touched = {patch.field_of(operation) for operation, _ in steps}
        for name in sorted({*before.personal, *after.personal} - touched):
            same_owner = before.personal.get(name) == after.personal.get(name)
            if not same_owner and name in after.fields and not is_blank(after.fields[name]):
                path, value = patch.path_of(name), after.fields[name]
                renewed = {"op": "replace", "path": path, "value": value}
                steps.append((renewed, dict(renewed)))
        return steps


class Recorder:
    """The history of every kind that a service declares."""

    def __init__(self, histories: Iterable[History], redaction_key: bytes, service: str) -> None:
        self.histories = {history.kind: history for history in histories}
        self.vault = Vault(redaction_key)
        self._by_domain = {history.domain: history for history in self.histories.values()}
        self._service = Actor("service", service)

    def history_of(self, aggregate: object) -> History:
        """The declared history that an object belongs to.

        Raises:
            TypeError: there is none.
        """
        history = self._by_domain.get(type(aggregate))
        if history is None:
            raise TypeError(
                f"no history is declared for {type(aggregate).__name__}: add it to HISTORIES in documents.py"
            )
        return history

    async def record(self, tx: "WriteTx", changes: Sequence[Change]) -> None:
        """Write the rows of these changes, in their order."""
        for kind, history in self.histories.items():
            concerned = [change for change in changes if self.history_of(change.after).kind == kind]
            if concerned:
                await self._record(tx, history, concerned)

    async def begin(self, tx: "WriteTx", history: History, aggregates: Sequence[object]) -> int:
        """Give each of these a first row if it has none; how many got one. Their rows are locked by the caller."""
        documents = [self._document(history, aggregate) for aggregate in aggregates]
        ends, keys = await self._read(tx, history.kind, documents)
        versions = [
            _Version(None, document, GENESIS, _reason(self._service), self._service)
            for document in documents
            if document.id not in ends
        ]
        await self._write(tx, history, versions, {}, keys)
        return len(versions)

    async def _record(self, tx: "WriteTx", history: History, changes: Sequence[Change]) -> None:
        pairs = [
            (None if change.before is None else self._document(history, change.before), after, change)
            for change in changes
            for after in [self._document(history, change.after)]
        ]
        documents = [document for before, after, _ in pairs for document in (before, after) if document is not None]
        ends: dict[UUID, Head] = {}
        keys: Keys = {}
        if any(document.personal for document in documents) or any(before is not None for before, _, _ in pairs):
            ends, keys = await self._read(tx, history.kind, documents)
        last = {id_: head.version for id_, head in ends.items()}
        versions: list[_Version] = []
        for before, after, change in pairs:
            if before is not None and last.get(after.id, 0) < before.version:
                versions.append(await self._caught_up(tx, history, before, last.get(after.id), keys))
                last[after.id] = before.version
            if after.version <= last.get(after.id, 0) or (before is not None and after.version != before.version + 1):
                raise RuntimeError(f"{history.kind} {after.id}: version {after.version} does not follow")
            reason = _reason(tx.actor, change.reason)
            versions.append(_Version(before, after, change.event, reason, tx.actor))
            last[after.id] = after.version
        await self._write(tx, history, versions, ends, keys)

    async def _caught_up(
        self, tx: "WriteTx", history: History, before: Document, known: int | None, keys: Keys
    ) -> _Version:
        """What is missing before a change: a whole document, or the way to it from the last known state."""
        reason = _reason(self._service)
        if known is None:
            return _Version(None, before, GENESIS, reason, self._service)
        state = await replay.state_at(tx, history, before.id, known)
        keys.update(await self.vault.load(tx, state.subjects.values()))
        fields = state.opened(self.vault, keys)
        return _Version(Document(before.id, known, fields, state.subjects), before, RESUMED, reason, self._service)

    async def _write(
        self, tx: "WriteTx", history: History, versions: Sequence[_Version], ends: Mapping[UUID, Head], keys: Keys
    ) -> None:
        if not versions:
            return
        planned = [(version, version.steps()) for version in versions]
        await self._complete(tx, planned, keys)
        chains = dict(ends)
        rows, snapshots = [], []
        for version, steps in planned:
            end = chains.get(version.after.id, Head(0, NO_HASH, tx.now))
            row = self._row(history, version, steps, end=end, at=max(tx.now, end.changed_at), keys=keys)
            chains[row.id] = Head(row.version, row.hash, row.changed_at)
            rows.append(change_values(row))
            if row.version % SNAPSHOT_EVERY == 0:
                snapshots.append(self._snapshot(history, version.after, row, keys))
        await tx.execute(insert_changes(history.kind), rows)
        if snapshots:
            await tx.execute(insert_snapshots(history.kind), snapshots)

    async def _complete(
        self, tx: "WriteTx", planned: Sequence[tuple[_Version, Sequence[patch.Step]]], keys: Keys
    ) -> None:
        """Make the keys that are needed and not there."""
        wanted: set[str] = set()
        for version, _ in planned:
            for document in (version.before, version.after):
                if document is not None:
                    wanted |= {document.personal[name] for name in _sealed_fields(document)}
        if wanted - keys.keys():
            keys.update(await self.vault.make(tx, wanted - keys.keys(), tx.now))
        for version, _ in planned:
            # Only a person brings somebody back who was erased: by writing of him anew, in a new thing.
            if version.created and version.actor.kind == "user":
                # In one order, as in `make`: two imports that bring back the same people wait, and do not block.
                for subject in sorted({version.after.personal[name] for name in _sealed_fields(version.after)}):
                    if keys[subject].secret is None:
                        keys[subject] = await self.vault.renew(tx, subject, keys[subject], tx.now)

    def _row(
        self,
        history: History,
        version: _Version,
        steps: Sequence[patch.Step],
        *,
        end: Head,
        at: datetime,
        keys: Mapping[str, Key],
    ) -> Row:
        after, before = version.after, version.before
        to, back = patch.forward(steps), patch.backward(steps)
        row = Row(
            id=after.id,
            version=after.version,
            schema_version=history.schema_version,
            event=version.event,
            reason=version.reason,
            actor_kind=version.actor.kind,
            actor_id=version.actor.id,
            changed_at=at,
            trace_id=current_trace_id(),
            patch=dumps(self._sealed(history.kind, after, after.version, to, keys)),
            inverse=dumps(self._sealed(history.kind, before, after.version, back, keys)),
            previous_hash=end.hash,
        )
        return replace(row, hash=row_hash(history.kind, row))

    def _sealed(
        self, kind: str, owner: Document | None, version: int, operations: Sequence[Op], keys: Mapping[str, Key]
    ) -> list[Op]:
        if owner is None:
            return list(operations)
        sealed = []
        for operation in operations:
            name = patch.field_of(operation)
            if name in owner.personal and "value" in operation and not is_blank(operation["value"]):
                place = Place(kind, owner.id, version, name)
                subject = owner.personal[name]
                sealed.append({**operation, "value": self.vault.seal(operation["value"], place, subject, keys)})
            else:
                sealed.append(operation)
        return sealed

    def _snapshot(self, history: History, document: Document, row: Row, keys: Mapping[str, Key]) -> dict[str, Any]:
        whole = [{"op": "add", "path": patch.path_of(name), "value": value} for name, value in document.fields.items()]
        sealed = self._sealed(history.kind, document, row.version, whole, keys)
        state = dumps({patch.field_of(operation): operation["value"] for operation in sealed})
        return {
            "id": row.id,
            "version": row.version,
            "schema_version": history.schema_version,
            "state": state,
            "hash": snapshot_hash(row.hash, history.schema_version, state),
        }

    async def _read(self, tx: "WriteTx", kind: str, documents: Sequence[Document]) -> tuple[dict[UUID, Head], Keys]:
        subjects = {subject for document in documents for subject in document.personal.values()}
        values = {"ids": sorted({document.id for document in documents}), "subjects": sorted(subjects)}
        ends: dict[UUID, Head] = {}
        keys: Keys = {}
        for row in (await tx.execute(heads(kind), values)).all():
            if row.id is not None:
                ends[row.id] = Head(row.version, row.hash, row.changed_at)
            else:
                keys[row.subject] = self.vault.unwrap(row.subject, row.generation, row.sealed_key)
        return ends, keys

    def _document(self, history: History, aggregate: object) -> Document:
        document = history.document(aggregate)
        if strange := document.fields.keys() - history.visible.keys():
            raise RuntimeError(f"{history.kind}: {', '.join(sorted(strange))}: say in `visible` who sees it")
        # As they are stored from here on: what is compared with the chain has to be spelled as it is there.
        return replace(document, personal={name: self.vault.stored(whose) for name, whose in document.personal.items()})


def _sealed_fields(document: Document) -> list[str]:
    return [name for name in document.personal if not is_blank(document.fields.get(name))]


def _reason(actor: Actor, given: str = "") -> str:
    call = call_in_progress()
    source = (call.method if call else "") or actor.id
    return f"{source}: {given}" if given else source
