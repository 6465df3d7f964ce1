"""Proves the histories of one schema: every chain, every snapshot, the current rows, and what anchors say of them.

Reads one moment of the database, as its owner, and names what does not hold. What it cannot see: rows that were written
anew after the last anchor, by somebody who may write both the rows and the keys.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import text

from chassis.db import Database, ReadTx
from chassis.errors import HistoryBroken
from chassis.history import replay
from chassis.history.anchors import Anchor, AnchorInvalid, file_of, line_hash
from chassis.history.chain import Row, canonical
from chassis.history.document import Document, History
from chassis.history.erasure import LEDGER, read_ledger
from chassis.history.recorder import Recorder
from chassis.history.sealing import Keys, Vault, erased
from chassis.history.store import FolderStore
from chassis.history.tables import SNAPSHOT_EVERY, Snapshot, every_change, every_snapshot
from chassis.identity import Trust

PAGE = 500


class _Named(Protocol):
    @property
    def id(self) -> UUID: ...


Item = TypeVar("Item", bound=_Named)


@dataclass(frozen=True)
class Fault:
    """Something that does not hold: the row, and what is wrong with it."""

    service: str
    kind: str
    where: str
    """ "0198c0de-... version 3", or "anchor 7"."""
    what: str


@dataclass
class Report:
    """What was looked at, and what was found."""

    service: str
    kind: str
    chains: int = 0
    rows: int = 0
    anchors: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(self.service, self.kind, where, what))


async def verify(database: Database, recorder: Recorder, trust: Trust, anchors: FolderStore | None) -> list[Report]:
    """One report for each kind; without `anchors` only what the database says of itself.

    Raises:
        Unavailable: Postgres cannot be reached.
        ValueError: the ledger of erasures cannot be read.
    """
    names = [file_of(database.name, kind) for kind in recorder.histories]
    # A line that lands once the transaction sees its moment tells of what is not in it.
    before = {} if anchors is None else {name: len(anchors.lines(name)) for name in names}
    async with database.connection() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            return await verify_in(ReadTx(connection), database.name, recorder, trust, anchors, before=before)


async def verify_in(
    tx: ReadTx,
    service: str,
    recorder: Recorder,
    trust: Trust,
    anchors: FolderStore | None,
    *,
    before: Mapping[str, int] | None = None,
) -> list[Report]:
    """The same, of what this transaction sees; `before`: how many lines each file had when it began."""
    reports = []
    for history in recorder.histories.values():
        report = Report(service, history.kind)
        keys = await _keys(tx, report, recorder.vault, anchors)
        told = await _anchored(tx, report, trust, anchors, before or {})
        await _Verification(tx, history, recorder.vault, keys, report=report, told=told).run()
        reports.append(report)
    return reports


async def _keys(tx: ReadTx, report: Report, vault: Vault, store: FolderStore | None) -> Keys:
    """Every key that opens; one that does not, or that is gone without an erasure, is noted."""
    noted = {erasure.subject for erasure in read_ledger(store)} if store is not None else None
    keys: Keys = {}
    statement = text("SELECT subject, generation, sealed_key, erased_at FROM subject_keys ORDER BY subject")
    for row in await tx.fetch_all(statement):
        where = f"key of {row.subject}"
        if noted is not None and row.subject not in noted and (row.sealed_key is None or row.erased_at is not None):
            report.add(where, f"is destroyed, and {LEDGER} has no such erasure")
        try:
            keys[row.subject] = vault.unwrap(row.subject, row.generation, row.sealed_key)
        except HistoryBroken as error:
            report.add(where, error.message)
    return keys


class _Ordered(Generic[Item]):
    """Things in the order of their ids, with a look at the next one."""

    def __init__(self, items: AsyncIterator[Item]) -> None:
        self._items = items
        self.next: Item | None = None

    async def step(self) -> Item | None:
        """The next one, leaving the one after in view."""
        taken = self.next
        self.next = await anext(self._items, None)
        return taken

    async def before(self, id_: UUID | None) -> AsyncIterator[Item]:
        """Those that come before this id; all that are left for None."""
        while self.next is not None and (id_ is None or self.next.id < id_):
            item = await self.step()
            if item is not None:
                yield item

    async def of(self, id_: UUID) -> list[Item]:
        """Those of this id."""
        found = []
        while self.next is not None and self.next.id == id_:
            found.append(self.next)
            await self.step()
        return found


class _Verification:
    def __init__(
        self,
        tx: ReadTx,
        history: History,
        vault: Vault,
        keys: Keys,
        *,
        report: Report,
        told: dict[UUID, dict[int, tuple[bytes, int]]],
    ) -> None:
        self._tx = tx
        self._history = history
        self._vault = vault
        self._keys = keys
        self._report = report
        self._told = told
        self._rows: _Ordered[Row] = _Ordered(every_change(tx, history.kind))
        self._snapshots: _Ordered[Snapshot] = _Ordered(every_snapshot(tx, history.kind))
        self._currents: _Ordered[Document] = _Ordered(self._documents())

    async def run(self) -> None:
        for stream in (self._rows, self._snapshots, self._currents):
            await stream.step()
        while self._rows.next is not None:
            id_ = self._rows.next.id
            await self._lonely(id_)
            self._report.chains += 1
            state = await self._chain(id_)
            for document in await self._currents.of(id_):
                if state is not None:
                    self._compare(state, document)
                break
            else:
                self._report.add(f"{id_}", "has a history and no row")
        await self._lonely(None)
        for id_ in self._told:
            for version, (_, sequence) in self._told[id_].items():
                self._report.add(f"{id_} version {version}", f"is told of by anchor {sequence} and is not there")

    async def _lonely(self, id_: UUID | None) -> None:
        """What stands before the next chain, and belongs to none."""
        async for document in self._currents.before(id_):
            what = "has a row and no history: it was removed, or an older version of the service wrote the row"
            self._report.add(f"{document.id} version {document.version}", what)
        async for snapshot in self._snapshots.before(id_):
            self._report.add(f"{snapshot.id} version {snapshot.version}", "has a snapshot and no history")

    async def _chain(self, id_: UUID) -> replay.State | None:
        """The state at the end of a chain; None where a row does not hold, and what follows cannot be judged."""
        told = self._told.pop(id_, {})
        snapshots = {snapshot.version: snapshot for snapshot in await self._snapshots.of(id_)}
        state: replay.State | None = replay.State(self._history, id_)
        while self._rows.next is not None and self._rows.next.id == id_:
            row = self._rows.next
            self._report.rows += 1
            expected, sequence = told.pop(row.version, (row.hash, 0))
            if state is not None:
                where = f"{id_} version {row.version}"
                try:
                    state.advance(row)
                    if expected != row.hash:
                        self._report.add(where, f"is not what anchor {sequence} says")
                    self._snapshot(state, snapshots.pop(row.version, None), row)
                except HistoryBroken as error:
                    self._report.add(where, error.message)
                    state = None
            await self._rows.step()
        if state is not None:
            for version, (_, sequence) in told.items():
                self._report.add(f"{id_} version {version}", f"is told of by anchor {sequence} and is not there")
            for version in snapshots:
                self._report.add(f"{id_} version {version}", "has a snapshot and no row")
        return state

    def _snapshot(self, state: replay.State, snapshot: Snapshot | None, row: Row) -> None:
        """Compare a snapshot with the state that the rows make.

        Raises:
            HistoryBroken: it is missing, or another.
        """
        if snapshot is None:
            if row.version % SNAPSHOT_EVERY == 0:
                raise HistoryBroken("its snapshot is missing")
            return
        kept = replay.resumed_from(self._history, state.id, snapshot, row)
        # A field that is personal by now may stand in clear in rows of before, and sealed in a snapshot of since then.
        document = self._currents.next
        since = kept.subjects.keys() - state.subjects.keys()
        allowed = document.personal.keys() if document is not None and document.id == state.id else set()
        same = since <= allowed and state.subjects.items() <= kept.subjects.items()
        if not same or not self._equal(state, kept.opened(self._vault, self._keys), since):
            raise HistoryBroken("its snapshot is not what the rows make")

    def _compare(self, state: replay.State, document: Document) -> None:
        where = f"{document.id} version {document.version}"
        if state.version != document.version:
            self._report.add(where, f"is the row's version; the history ends with {state.version}")
            return
        try:
            if not self._equal(state, dict(document.fields)):
                self._report.add(where, "the row is not what its history makes")
        except HistoryBroken as error:
            self._report.add(where, error.message)

    def _equal(self, state: replay.State, fields: dict[str, Any], sealed: Collection[str] = ()) -> bool:
        """Whether the document is the folded one; of what is erased nothing can be said. `sealed`: in it alone."""
        folded = state.opened(self._vault, self._keys)
        hidden = {name for name, value in folded.items() if name in state.subjects and value == erased()}
        hidden |= {name for name in sealed if fields[name] == erased()} & folded.keys()
        mine = {name: value for name, value in folded.items() if name not in hidden}
        other = {name: value for name, value in fields.items() if name not in hidden}
        return canonical(mine) == canonical(other) and hidden <= fields.keys()

    async def _documents(self) -> AsyncIterator[Document]:
        after: UUID | None = None
        while page := await self._history.iterate(self._tx, after, PAGE):
            for aggregate in page:
                document = self._history.document(aggregate)
                after = document.id
                yield document


async def _anchored(
    tx: ReadTx, report: Report, trust: Trust, store: FolderStore | None, before: Mapping[str, int]
) -> dict[UUID, dict[int, tuple[bytes, int]]]:
    """What the anchors of a kind say: id -> version -> hash and sequence; what is wrong with themselves is noted."""
    statement = "SELECT sequence, line, delivered_at FROM history_anchors WHERE kind = :kind ORDER BY sequence"
    kept = {row.sequence: row for row in await tx.fetch_all(text(statement).bindparams(kind=report.kind))}
    name = file_of(report.service, report.kind)
    outside = None if store is None else store.lines(name)
    if outside is not None and name in before:
        outside = outside[: max(before[name], *kept, 0)]
    # Behind the lines outside come those that wait; without a store the database is taken at its word. One that was
    # stored when its service was killed waits as well until it runs again: it is told once.
    there = set(outside or ())
    waiting = [
        row.line for row in kept.values() if outside is None or (row.delivered_at is None and row.line not in there)
    ]
    told: dict[UUID, dict[int, tuple[bytes, int]]] = defaultdict(dict)
    previous, place = "", 0
    for place, line in enumerate([*(outside or ()), *waiting], start=1):
        where = f"anchor {place}"
        report.anchors += 1
        try:
            anchor = Anchor.read(line, trust)
        except AnchorInvalid as error:
            report.add(where, str(error))
            continue
        if (anchor.service, anchor.kind, anchor.sequence) != (report.service, report.kind, place):
            report.add(where, f"says that it is anchor {anchor.sequence} of {anchor.service} {anchor.kind}")
        if anchor.previous != previous:
            report.add(where, "does not follow the line before it")
        if place not in kept or kept[place].line != line:
            report.add(where, "is not what the database remembers")
        previous = line_hash(line).hex()
        for id_, version, hash_ in anchor.heads:
            told[id_][version] = (hash_, place)
    for sequence in sorted(sequence for sequence in kept if sequence > place):
        report.add(f"anchor {sequence}", f"was delivered, and is not in {name}")
    return dict(told)
