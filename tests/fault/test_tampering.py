"""A thousand tamperings with a history by somebody who owns the database: each of them is found.

Which check finds which, and that without the check it goes unseen, is in chassis/tests/test_history_verify.py.
"""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from chassis.db import Database
from chassis.identity import Trust
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import MigratedSchemas, ServiceDatabase

sys.path.insert(0, str(Path(__file__).parents[2] / "chassis" / "tests" / "service"))

from histories import anchored_lives
from tampers import TAMPERS, Tampering, a_chance

PARCELS, VERSIONS = 4, 56
TAMPERINGS = 1_000


@pytest_asyncio.fixture
async def tampering(
    make_database: Callable[[str, str], ServiceDatabase],
    migrated_schemas: MigratedSchemas,
    clock: FrozenClock,
    tmp_path: Path,
) -> AsyncIterator[Tampering]:
    (tmp_path / "installation").mkdir()
    installation = Installation(tmp_path / "installation", ("parcels",))
    store = make_database("parcels", "parcels")
    folder = tmp_path / "anchors"
    await anchored_lives(store, clock, installation, folder, parcels=PARCELS, versions=VERSIONS)
    admin = Database(migrated_schemas.admin_url, name="tamperer", pool_size=1)
    trust = Trust.from_file(installation.folder / "trust.json")
    yield Tampering(admin, folder, trust, parcels=PARCELS, versions=VERSIONS)
    await admin.close()


@pytest.mark.fault
@pytest.mark.timeout(600)
async def test_a_thousand_random_tamperings_are_all_found(
    tampering: Tampering, figures: dict[str, float | str]
) -> None:
    chance = a_chance(2026)
    unseen = []

    for number in range(TAMPERINGS):
        tamper = chance.choice(TAMPERS)
        if not (await tampering.judge(tamper, chance)).faults:
            unseen.append(f"{number} {tamper.__name__}")

    figures |= {"tamperings": TAMPERINGS, "found": TAMPERINGS - len(unseen)}
    assert unseen == []
