"""Proving histories: what holds is said to hold, and what was tampered with is found; by which check, the controls say.

`tests/fault/test_tampering.py` does the same a thousand times.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import tampers
from histories import anchored_lives, parcel_id, report_of
from tampers import TAMPERS, Tampering, a_chance

from chassis.db import Database
from chassis.history import replay, verify
from chassis.identity import Trust
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import MigratedSchemas, ServiceDatabase

PARCELS, VERSIONS = 3, 55


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels",))


@pytest_asyncio.fixture
async def anchored(store: ServiceDatabase, clock: FrozenClock, installation: Installation, tmp_path: Path) -> Path:
    folder = tmp_path / "anchors"
    await anchored_lives(store, clock, installation, folder, parcels=PARCELS, versions=VERSIONS)
    return folder


@pytest_asyncio.fixture
async def tampering(
    anchored: Path, migrated_schemas: MigratedSchemas, installation: Installation
) -> AsyncIterator[Tampering]:
    admin = Database(migrated_schemas.admin_url, name="tamperer", pool_size=1)
    trust = Trust.from_file(installation.folder / "trust.json")
    yield Tampering(admin, anchored, trust, parcels=PARCELS, versions=VERSIONS)
    await admin.close()


async def test_what_was_not_touched_holds(store: ServiceDatabase, installation: Installation, anchored: Path) -> None:
    report = await report_of(store, installation, anchored)

    assert (report.chains, report.rows, report.anchors, report.faults) == (PARCELS, PARCELS * VERSIONS, 2, [])


async def test_every_tampering_is_found(tampering: Tampering) -> None:
    chance = a_chance(11)

    reports = [(tamper.__name__, await tampering.judge(tamper, chance)) for tamper in TAMPERS * 2]

    assert [name for name, report in reports if not report.faults] == []


async def test_the_first_row_that_does_not_hold_is_named(tampering: Tampering, store: ServiceDatabase) -> None:
    report = await tampering.judge(tampers.delete_the_fifth, a_chance(1))

    assert [(fault.where, fault.what) for fault in report.faults[:1]] == [
        (f"{parcel_id(2)} version 6", f"parcel {parcel_id(2)}: version 6 stands after version 4")
    ]


async def test_without_its_check_each_tampering_goes_unseen(
    tampering: Tampering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tampers, "EDITS", {"reason": tampers.EDITS["reason"]})
    monkeypatch.setattr(tampers, "FORGED_HEADS", [])
    hashes = (replay, "row_hash", lambda _kind, row: row.hash)
    rows = (verify._Verification, "_compare", lambda *_: None)
    snapshots = (verify._Verification, "_snapshot", lambda *_: None)
    signatures = (Trust, "signed", lambda *_: True)
    unseen = []

    for check, tamper in (
        (hashes, tampers.edit_a_column),
        (rows, tampers.change_the_current_row),
        (snapshots, tampers.write_a_snapshot_anew),
        (snapshots, tampers.move_a_sealed_value),
        (signatures, tampers.forge_an_anchor),
    ):
        with monkeypatch.context() as without:
            without.setattr(*check)
            unseen.append(not (await tampering.judge(tamper, a_chance(4))).faults)
    by_anchors_alone = [
        (await tampering.judge(tamper, a_chance(4), anchors=False)).faults
        for tamper in (tampers.write_a_chain_anew, tampers.cut_the_tail_off, tampers.drop_a_whole_life)
    ]

    assert unseen == [True] * 5
    assert by_anchors_alone == [[], [], []]
