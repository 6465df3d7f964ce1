"""Highlights that come late: never written over what is published, never lost, and people's to decide."""

import asyncio
from typing import Any

import pytest
from services.changelog.tests.conftest import calls
from services.changelog.tests.factories import KEY, Changes, Published, commit_of
from sqlalchemy import select

from aiops.changelog.v1 import changelog_service_pb2 as pb
from aiops.changelog.v1.changelog_pb2 import HighlightState as HighlightStateMessage
from changelog_service import queries, usecases
from changelog_service.domain import PUBLISHED_EARLY, Changelog, Highlight, Highlights, HighlightState
from changelog_service.tables import CHANGELOGS
from chassis.db import Database, UnitOfWork
from chassis.errors import ErrorKind, RemoteError, VersionConflict
from chassis.testing.harness import Installation, RunningService

OTHER_KEY = "key-0000000000000002"
WORDED = Highlights((Highlight("Adds a.", ("c1",), "openai"),), "openai", "m-1", "run", "", 0)
NOTHING = Highlights((), "builtin", "", "", "", 0)
ROUNDS = 12


@pytest.fixture
async def suggested(changes: Changes, uow: UnitOfWork, database: Database) -> Changelog:
    """A changelog that was published before its highlights came."""
    out = await changes.publish(await changes.generate((commit_of("a"),)))
    async with uow.begin() as tx:
        await usecases.store_highlights(out.id, WORDED, tx, read_version=1)
    async with database.read() as tx:
        return await queries.get_changelog(out.id, tx)


async def test_highlights_that_come_after_publication_change_nothing_that_readers_see(
    suggested: Changelog, database: Database, published: Published
) -> None:
    assert (suggested.version, suggested.highlight_state, suggested.highlights, suggested.highlight_failure) == (
        3, HighlightState.FAILED, None, PUBLISHED_EARLY,
    )  # fmt: skip
    (suggestion,) = suggested.highlight_suggestions
    assert (suggestion.highlights, suggestion.read_version) == (WORDED, 1)
    told = [(subject.split(".", 3)[3], each.aggregate_version) for subject, each in await published(database)]
    assert told[2:] == [("published.v1", 2), ("highlights_suggested.v1", 3)]


async def test_no_highlights_at_all_are_no_suggestion(
    changes: Changes, uow: UnitOfWork, database: Database, published: Published
) -> None:
    out = await changes.publish(await changes.generate((commit_of("a"),)))

    async with uow.begin() as tx:
        await usecases.store_highlights(out.id, NOTHING, tx, read_version=1)

    async with database.read() as tx:
        assert await queries.get_changelog(out.id, tx) == out
    assert len(await published(database)) == 3


async def test_of_highlights_and_a_publication_at_once_none_is_lost(
    changes: Changes, uow: UnitOfWork, database: Database
) -> None:
    async def highlight(draft: Changelog) -> None:
        async with uow.begin() as tx:
            await usecases.store_highlights(draft.id, WORDED, tx, read_version=1)

    async def publish(draft: Changelog) -> bool:
        try:
            await changes.publish(draft)
        except VersionConflict:
            return False
        return True

    won = 0
    for number in range(ROUNDS):
        draft = await changes.generate((commit_of(number),))

        is_published, _none = await asyncio.gather(publish(draft), highlight(draft))

        async with database.read() as tx:
            after = await queries.get_changelog(draft.id, tx)
        if is_published:
            won += 1
            assert (after.version, after.highlights) == (3, None)
            assert [each.highlights for each in after.highlight_suggestions] == [WORDED]
        else:
            assert (after.version, after.highlights, after.highlight_suggestions) == (2, WORDED, ())
    assert won > 0, "the highlights always won, so nothing was tried"


async def test_a_person_dismisses_a_suggestion(
    suggested: Changelog, running: RunningService, installation: Installation, database: Database
) -> None:
    (suggestion,) = suggested.highlight_suggestions
    request = pb.DismissChangelogSuggestionRequest(
        idempotency_key=OTHER_KEY, changelog_id=str(suggested.id), expected_version=3, suggestion_id=str(suggestion.id)
    )

    with installation.as_viewer("ops"):
        dismissed = (await calls(running)("DismissChangelogSuggestion", request)).changelog
        again = (await calls(running)("DismissChangelogSuggestion", request)).changelog

    assert (dismissed.version, len(dismissed.highlight_suggestions)) == (4, 0)
    assert dismissed.highlight_state == HighlightStateMessage.HIGHLIGHT_STATE_FAILED
    assert again == dismissed


@pytest.mark.parametrize("decision", ["Accept", "Dismiss"])
async def test_a_decision_on_what_changed_or_is_not_there_is_refused(
    suggested: Changelog, running: RunningService, installation: Installation, database: Database, decision: str
) -> None:
    message = getattr(pb, f"{decision}ChangelogSuggestionRequest")
    (suggestion,) = suggested.highlight_suggestions
    values: dict[str, Any] = {"idempotency_key": OTHER_KEY, "changelog_id": str(suggested.id)}
    stale = message(**values, expected_version=2, suggestion_id=str(suggestion.id))
    unknown = message(**values, expected_version=3, suggestion_id=str(suggested.id))

    refusals = []
    for request in (stale, unknown):
        with installation.as_viewer("ops"), pytest.raises(RemoteError) as refused:
            await calls(running)(f"{decision}ChangelogSuggestion", request)
        refusals.append((refused.value.kind, refused.value.reason))

    assert refusals == [
        (ErrorKind.VERSION_CONFLICT, "VERSION_CONFLICT"),
        (ErrorKind.NOT_FOUND, "CHANGELOG_SUGGESTION_NOT_FOUND"),
    ]
    async with database.read() as tx:
        assert [row.version for row in await tx.fetch_all(select(CHANGELOGS.c.version))] == [3]


async def test_people_of_hr_see_no_suggestion(
    suggested: Changelog, running: RunningService, installation: Installation
) -> None:
    seen = {}
    for role in ("ops", "hr"):
        with installation.as_viewer(role):
            request = pb.BatchGetChangelogsRequest(ids=[str(suggested.id)])
            (seen[role],) = (await calls(running)("BatchGetChangelogs", request)).changelogs

    assert len(seen["ops"].highlight_suggestions) == 1
    seen["ops"].ClearField("highlight_suggestions")
    assert seen["hr"] == seen["ops"]


async def test_a_stale_key_is_no_key_of_somebody_else(
    suggested: Changelog, running: RunningService, installation: Installation
) -> None:
    (suggestion,) = suggested.highlight_suggestions
    request = pb.DismissChangelogSuggestionRequest(
        idempotency_key=KEY, changelog_id=str(suggested.id), expected_version=3, suggestion_id=str(suggestion.id)
    )
    with installation.as_viewer("admin"):
        await calls(running)("DismissChangelogSuggestion", request)

    refusals = []
    for role in ("ops", "hr"):
        with installation.as_viewer(role), pytest.raises(RemoteError) as refused:
            await calls(running)("DismissChangelogSuggestion", request)
        refusals.append((refused.value.reason, refused.value.metadata))

    conflict = {"expected": "3", "actual": "4", "aggregate_type": "changelog", "aggregate_id": str(suggested.id)}
    assert refusals == [("VERSION_CONFLICT", conflict), ("FORBIDDEN", {"operation": "DismissChangelogSuggestion"})]
