"""Makes a service forget a person: his key is destroyed, and what is personal in the current rows is blanked.

The order is what makes it safe to begin again: first a line in the ledger outside of the database, then, in one
transaction, key and rows. A crash in between leaves a line whose replay does the rest; a second replay does nothing.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.db import Database, UnitOfWork, WriteTx
from chassis.events import Event
from chassis.history.document import ERASED
from chassis.history.recorder import Recorder
from chassis.history.store import FolderStore, Store
from chassis.identity import Call, acting_as

LEDGER = "erasures.jsonl"
COMMAND = "aiops person erase"
PAGE = 500


@dataclass(frozen=True)
class Erasure:
    """One line of the ledger: who was erased, as he is stored, and when."""

    subject: str
    at: datetime

    def line(self) -> str:
        """The line, without its end."""
        return json.dumps({"at": self.at.isoformat(), "subject": self.subject})


def read_ledger(store: FolderStore) -> list[Erasure]:
    """Every erasure that was ordered, in order.

    Raises:
        ValueError: a line is none.
    """
    found = []
    for number, line in enumerate(store.lines(LEDGER), start=1):
        if line.startswith("{") and not line.endswith("}"):
            continue  # a power cut left half of it: whoever wrote it was told of no success, and nothing was erased
        try:
            content = json.loads(line)
            found.append(Erasure(str(content["subject"]), datetime.fromisoformat(content["at"])))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number} of {LEDGER} is no erasure") from error
    return found


async def note_erasure(store: Store, recorder: Recorder, subject: str, database: Database) -> Erasure:
    """Write down that a subject is to be erased; what is returned is then erased in every service.

    Raises:
        Unavailable: the ledger cannot be written or Postgres cannot be reached, and nothing was erased.
    """
    # Keys younger than the line stay, so a clock of the operator's that is behind must not date it.
    async with database.read() as tx:
        there: datetime = (await tx.execute(text("SELECT clock_timestamp()"))).scalar_one()
    erasure = Erasure(recorder.vault.stored(subject), max(datetime.now(UTC), there.astimezone(UTC)))
    await store.append(LEDGER, erasure.line())
    return erasure


def operator_work(database: Database, recorder: Recorder) -> UnitOfWork:
    """Where an erasure happens: the owner's connection, since a running service may not destroy keys."""
    return UnitOfWork(database, SystemClock(), _told_as_event, database.name, recorder)


async def erase(unit_of_work: UnitOfWork, recorder: Recorder, erasure: Erasure) -> int:
    """Destroy the subject's key and blank the current rows; how many rows.

    A key that was made after the erasure was ordered stays: he came back.

    Raises:
        Unavailable: Postgres cannot be reached.
    """
    with acting_as(Call(unit_of_work.service, method=COMMAND)):
        async with unit_of_work.begin() as tx:
            destroyed = await tx.execute(
                text(
                    "INSERT INTO subject_keys AS known (subject, generation, created_at, erased_at)"
                    " VALUES (:subject, 1, :at, :at) ON CONFLICT (subject) DO UPDATE"
                    " SET sealed_key = NULL, erased_at = EXCLUDED.erased_at"
                    " WHERE known.created_at <= EXCLUDED.erased_at RETURNING known.subject"
                ),
                {"subject": erasure.subject, "at": erasure.at},
            )
            if destroyed.first() is None:
                return 0
            return await _blank(tx, recorder, erasure.subject)


async def _blank(tx: WriteTx, recorder: Recorder, stored: str) -> int:
    count = 0
    for history in recorder.histories.values():
        if history.erase is None:
            continue
        for subject in await _spelled(tx, recorder, history.kind, stored):
            for before, after, event in await history.erase(tx, subject):
                tx.changed(before, after, event, event=ERASED)
                count += 1
    return count


async def _spelled(tx: WriteTx, recorder: Recorder, kind: str, stored: str) -> set[str]:
    """The subject as current rows spell it: of an address only a digest is stored, so the rows are looked through."""
    history = recorder.histories[kind]
    found = {stored} if stored.startswith("user:") else set[str]()  # his words may stand where no document names him
    after = None
    while page := await history.iterate(tx, after, PAGE):
        for aggregate in page:
            document = history.document(aggregate)
            after = document.id
            found |= {whose for whose in document.personal.values() if recorder.vault.stored(whose) == stored}
    return found


def _told_as_event(fact: Any) -> Event:
    raise TypeError(f"{type(fact).__name__}: History.erase returns events")
