"""The history of changelogs: every change is one version, one event and one row, which fold to what it is."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from services.changelog.tests.factories import Changes, Published, commit_of
from sqlalchemy import update

from changelog_service import queries, usecases
from changelog_service.commands import DecideSuggestion
from changelog_service.documents import HISTORIES, current, document, iterate
from changelog_service.domain import Highlight, Highlights
from changelog_service.store import ChangelogStore
from changelog_service.tables import CHANGELOGS
from chassis.db import Database, UnitOfWork
from chassis.errors import VersionConflict
from chassis.history import patch
from chassis.history.chain import Row
from chassis.history.replay import fold, operations
from chassis.history.tables import changes as change_rows
from chassis.history.verify import verify
from chassis.identity import Call, Role, Trust, Viewer
from chassis.ids import uuid7
from chassis.migration_files import all_migrations
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

(HISTORY,) = HISTORIES
GOLDEN = Path(__file__).parent / "golden"
WORDED = Highlights((Highlight("Adds a.", ("c1",), "openai"),), "openai", "m-1", "run", "", 0)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
History = Callable[[UUID], Awaitable[Sequence[Row]]]


@pytest.fixture
def history(database: Database) -> History:
    """The rows of a changelog; they fold to what it is now."""

    async def history_(changelog_id: UUID) -> Sequence[Row]:
        async with database.read() as tx:
            rows = await change_rows(tx, "changelog", changelog_id, after=0)
            changelog = await queries.get_changelog(changelog_id, tx)
        state = fold(HISTORY, changelog_id, rows)
        assert (state.version, state.fields) == (changelog.version, document(changelog).fields)
        return rows

    return history_


def viewed_by(role: Role | None, kind: str = "user") -> Call:
    scopes = frozenset({"changes:write"}) if kind == "service_account" else frozenset()
    return Call("gateway", Viewer(UUID(int=7), kind, role, scopes, None, "t", NOW))  # type: ignore[arg-type]


async def test_every_change_is_one_version_one_event_and_one_row(
    changes: Changes, uow: UnitOfWork, history: History, database: Database, published: Published
) -> None:
    out = await changes.publish(await changes.generate((commit_of("a"), commit_of("b", message="wip"))))
    for _ in range(2):
        async with uow.begin() as tx:
            await usecases.store_highlights(out.id, WORDED, tx, read_version=1)
    async with database.read() as tx:
        first, second = (await queries.get_changelog(out.id, tx)).highlight_suggestions
    async with uow.begin() as tx:
        await usecases.accept_suggestion(DecideSuggestion(out.id, 4, first.id), tx)
    async with uow.begin() as tx:
        await usecases.dismiss_suggestion(DecideSuggestion(out.id, 5, second.id), tx)

    rows = await history(out.id)

    assert [(row.version, row.event) for row in rows] == [
        (1, "ChangelogGenerated"), (2, "ChangelogReleased"), (3, "ChangelogHighlightsSuggested"),
        (4, "ChangelogHighlightsSuggested"), (5, "ChangelogSuggestionAccepted"), (6, "ChangelogSuggestionDismissed"),
    ]  # fmt: skip
    told = [(envelope.aggregate_id, envelope.aggregate_version) for _, envelope in await published(database)]
    assert told[1:] == [(str(out.id), row.version) for row in rows]


async def test_highlights_and_their_failure_are_changes(
    changes: Changes, uow: UnitOfWork, history: History, published: Published, database: Database
) -> None:
    worded, failed = [await changes.generate((commit_of(name),)) for name in "ab"]

    async with uow.begin() as tx:
        await usecases.store_highlights(worded.id, WORDED, tx, read_version=1)
        await usecases.store_highlight_failure(failed.id, "ai is away", tx)

    for each in (worded, failed):
        assert [row.event for row in await history(each.id)] == ["ChangelogGenerated", "ChangelogHighlighted"]
    assert [envelope.aggregate_version for _, envelope in (await published(database))[1:]] == [1, 1, 2, 2]


async def test_what_is_refused_leaves_no_row(changes: Changes, history: History) -> None:
    draft = await changes.generate((commit_of("a"),))

    with pytest.raises(VersionConflict):
        await changes.publish(draft, version=2)

    assert len(await history(draft.id)) == 1


async def test_a_note_that_was_altered_no_longer_agrees_with_its_digest(changes: Changes, history: History) -> None:
    draft = await changes.generate((commit_of("a"),))
    kept = fold(HISTORY, draft.id, await history(draft.id)).fields

    for altered in (replace(draft, markdown=draft.markdown + "!"), replace(draft, json=draft.json + " ")):
        assert document(altered).fields != kept


async def test_a_thousand_entries_are_kept_with_their_commits(changes: Changes, history: History) -> None:
    commits = tuple(commit_of(n, *((n - 1,) if n else ()), minutes=n) for n in range(1000))
    draft = await changes.generate(commits)
    started = time.monotonic()

    await changes.publish(draft)

    begun, out = await history(draft.id)
    assert time.monotonic() - started < 5
    kept = fold(HISTORY, draft.id, [begun]).fields["entries"]
    assert sorted(sha for entry in kept for sha in entry["commit_shas"]) == sorted(each.sha for each in commits)
    assert len(out.patch) + len(out.inverse) < 2000


async def test_every_field_is_listed_with_who_sees_it(changes: Changes) -> None:
    draft = await changes.generate((commit_of("a"),))

    assert document(draft).fields.keys() == HISTORY.visible.keys()
    hidden = {name for name, visible in HISTORY.visible.items() if not visible(viewed_by(Role.HR))}
    assert hidden == {"highlight_suggestions"}
    assert all(visible(viewed_by(Role.OPS)) for visible in HISTORY.visible.values())


async def test_a_history_exists_for_whoever_the_changelog_exists_for(changes: Changes, database: Database) -> None:
    draft = await changes.generate((commit_of("a"),))
    out = await changes.publish(await changes.generate((commit_of("b"),)))

    seen = {}
    async with database.read() as tx:
        for role in (Role.ADMIN, Role.OPS, Role.HR, None):
            call = viewed_by(role)
            seen[role] = [await current(tx, each.id, call) is not None for each in (draft, out)]
        machine = await current(tx, out.id, viewed_by(None, "service_account"))
        nobody = await current(tx, out.id, Call("gateway"))

    assert seen == {Role.ADMIN: [True, True], Role.OPS: [True, True], Role.HR: [False, True], None: [False, False]}
    assert (machine, nobody) == (None, None)


async def test_all_changelogs_are_found_by_id(changes: Changes, database: Database) -> None:
    made = [await changes.generate((commit_of(name),)) for name in "abc"]

    async with database.read() as tx:
        first = await iterate(tx, None, 2)
        rest = await iterate(tx, first[-1].id, 2)

    assert [each.id for each in (*first, *rest)] == sorted(each.id for each in made)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_history_replays_there_and_back(path: Path) -> None:
    golden = json.loads(path.read_text())
    rows = [
        Row(**row | {"id": UUID(row["id"]), "changed_at": datetime.fromisoformat(row["changed_at"]),
                     "previous_hash": bytes.fromhex(row["previous_hash"]), "hash": bytes.fromhex(row["hash"])})
        for row in golden["rows"]
    ]  # fmt: skip
    states = [fold(HISTORY, rows[0].id, rows[:count]).fields for count in range(1, len(rows) + 1)]

    assert states[-1] == golden["state"]
    for row, before in zip(reversed(rows), [*reversed(states[:-1]), {}], strict=True):
        undone = fold(HISTORY, row.id, rows[: row.version]).fields
        patch.apply(undone, operations(HISTORY, row.schema_version, row.inverse))
        assert undone == before


async def test_changelogs_of_before_get_their_first_row_by_the_backfill(
    changes: Changes, uow: UnitOfWork, service_database: ServiceDatabase, history: History,
    installation: Installation, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("AIOPS_REDACTION_KEY_FILE", str(installation.folder / "redaction.key"))
    new = await changes.generate((commit_of("a"),))
    old = [replace(new, id=uuid7(), version=version) for version in (1, 2, 3)]
    async with uow.begin() as tx:
        for changelog in old:
            await ChangelogStore(tx).add(changelog, [])
    (migration,) = [found for found in all_migrations("changelog_service") if found.key == "0003.backfill"]
    batch = migration.batch()
    assert batch is not None

    with psycopg.connect(service_database.owner_url) as connection:
        first = batch(connection, "", 3)
        rest = batch(connection, first[0], 3)
        again = batch(connection, "", 1000)

    assert (first[1], rest, again) == (3, ("", 1), ("", 4))
    for changelog in old:
        (row,) = await history(changelog.id)
        assert (row.version, row.event, row.actor_id) == (changelog.version, "Genesis", "changelog")
    assert [row.event for row in await history(new.id)] == ["ChangelogGenerated"]


async def test_what_was_altered_past_the_history_is_named(
    changes: Changes, uow: UnitOfWork, installation: Installation
) -> None:
    draft = await changes.generate((commit_of("a"),))
    await changes.publish(await changes.generate((commit_of("b"),)))
    trust = Trust.from_file(installation.folder / "trust.json")
    assert uow.recorder is not None

    (sound,) = await verify(uow.database, uow.recorder, trust, None)
    async with uow.begin() as tx:
        await tx.execute(update(CHANGELOGS).where(CHANGELOGS.c.id == draft.id).values(updated_at=NOW, version=2))
    (altered,) = await verify(uow.database, uow.recorder, trust, None)

    assert (sound.chains, sound.rows, sound.faults) == (2, 3, [])
    (fault,) = altered.faults
    assert (fault.kind, str(draft.id) in fault.where) == ("changelog", True)
