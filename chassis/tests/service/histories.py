"""What tests of histories share: chains of parcels, made by the recorder alone."""

import random
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from parcels import HISTORIES, Parcel, fact_to_event, move

from chassis.db import Database, UnitOfWork
from chassis.history.anchors import Anchors
from chassis.history.chain import Row
from chassis.history.recorder import Recorder
from chassis.history.store import FolderStore
from chassis.history.tables import changes
from chassis.history.verify import Report, verify
from chassis.identity import Trust
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

REDACTION_KEY = b"r" * 32
CITIES = ("Oslo", "Bergen", "Bodo", "Tromso")
PEOPLE = ("anna@example.org", "bo@example.org", "")


def parcel_id(number: int) -> UUID:
    return UUID(int=(0x0198C0DE << 96) + number)


def recorder() -> Recorder:
    return Recorder(HISTORIES, REDACTION_KEY, "parcels")


def unit_of_work(database: Database, clock: FrozenClock) -> UnitOfWork:
    return UnitOfWork(database, clock, fact_to_event, "parcels", recorder())


async def lives(uow: UnitOfWork, *, parcels: int, versions: int, first: int = 1, seed: int = 7) -> list[Parcel]:
    """Parcels that each went through so many versions, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - the same parcels each time
    ended = []
    for number in range(first, parcels + 1):
        async with uow.begin() as tx:
            parcel = Parcel(parcel_id(number), city="Oslo", receiver=chance.choice(PEOPLE), note="fragile")
            await move(tx, None, parcel)
            for version in range(2, versions + 1):
                before = parcel
                what = chance.choice(("city", "note", "stamps"))
                new = {
                    "city": f"{chance.choice(CITIES)} {version}",
                    "note": f"note {version}",
                    "stamps": [*before.stamps[-5:], {"at": version, "office": chance.choice(CITIES)}],
                }
                parcel = before.changed(**{what: new[what]})
                await move(tx, before, parcel)
        ended.append(parcel)
    return ended


def anchors_of(uow: UnitOfWork, installation: Installation, folder: Path) -> Anchors:
    return Anchors(uow, ["parcel"], installation.identity("parcels"), FolderStore(folder))


async def report_of(store: ServiceDatabase, installation: Installation, folder: Path | None) -> Report:
    """What verifying finds, as the schema's owner."""
    owner = Database(store.owner_url, name="parcels", pool_size=1)
    trust = Trust.from_file(installation.folder / "trust.json")
    try:
        (report,) = await verify(owner, recorder(), trust, FolderStore(folder) if folder else None)
    finally:
        await owner.close()
    return report


async def rows_of(store: ServiceDatabase, number: int = 1) -> list[Row]:
    async with store.database.read() as tx:
        return await changes(tx, "parcel", parcel_id(number), after=0)


async def anchored_lives(
    store: ServiceDatabase, clock: FrozenClock, installation: Installation, folder: Path, *, parcels: int, versions: int
) -> None:
    """Lives that two anchors tell of, an hour apart."""
    uow = unit_of_work(store.database, clock)
    await lives(uow, parcels=parcels - 1, versions=versions)
    await anchors_of(uow, installation, folder).run()
    clock.advance(timedelta(hours=1))
    await lives(uow, parcels=parcels, versions=versions, first=parcels)
    await anchors_of(uow, installation, folder).run()
