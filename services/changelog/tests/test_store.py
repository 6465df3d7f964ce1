"""What the tables themselves refuse, whoever writes."""

from collections.abc import Awaitable, Callable

import psycopg
import pytest
from services.changelog.tests.factories import START, draft, entry, sha
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from changelog_service.commits import Excluded, ExclusionReason
from changelog_service.domain import Changelog, Repository
from changelog_service.errors import ChangelogNotFound
from changelog_service.store import ChangelogStore, RepositoryStore
from changelog_service.tables import CHANGELOGS
from chassis.db import Database, UnitOfWork
from chassis.errors import VersionConflict
from chassis.ids import uuid7
from chassis.testing.plugin import ServiceDatabase

Stored = Callable[..., Awaitable[Changelog]]


@pytest.fixture
def stored(uow: UnitOfWork) -> Stored:
    """A changelog in the table."""

    async def stored_(changelog: Changelog | None = None, shas: tuple[str, ...] = (sha("a"),)) -> Changelog:
        changelog = changelog or draft()
        async with uow.begin() as tx:
            name = str(changelog.repository_id)
            await RepositoryStore(tx).add(Repository(changelog.repository_id, 1, name, (), 0, START, START))
            await ChangelogStore(tx).add(changelog, shas)
        return changelog

    return stored_


async def changed(uow: UnitOfWork, statement: str) -> None:
    async with uow.begin() as tx:
        await tx.execute(text(statement))


async def test_a_changelog_comes_back_as_it_was_written(stored: Stored, uow: UnitOfWork) -> None:
    whole = draft(
        entries=(entry("c1", "Add", shas=("a", "b"), references=("#1",), scope="s", breaking=True, breaking_note="n"),),
        excluded=(Excluded(sha("c"), "wip", ExclusionReason.MEANINGLESS, "says nothing"),),
        commit_count=3,
    )

    await stored(whole, (sha("c"), sha("b"), sha("a")))

    async with uow.begin() as tx:
        found = await ChangelogStore(tx).get_for_update(whole.id)
    assert found == draft(**{**vars_of(whole), "repository_name": str(whole.repository_id)})


def vars_of(changelog: Changelog) -> dict[str, object]:
    return {name: getattr(changelog, name) for name in Changelog.__slots__}


async def test_a_changelog_that_is_not_there_is_named(uow: UnitOfWork) -> None:
    missing = uuid7()

    async with uow.begin() as tx:
        with pytest.raises(ChangelogNotFound) as refused:
            await ChangelogStore(tx).get_for_update(missing)

    assert refused.value.metadata == {"id": str(missing)}


async def test_a_write_over_another_version_changes_nothing(
    stored: Stored, uow: UnitOfWork, database: Database
) -> None:
    changelog = await stored()
    published, _ = changelog.published("user", "u1", at=START)

    with pytest.raises(VersionConflict):
        async with uow.begin() as tx:
            await ChangelogStore(tx).save(published, expected_version=2)

    async with database.read() as tx:
        row = await tx.fetch_one(CHANGELOGS.select())
    assert row is not None
    assert (row.version, row.state) == (1, "DRAFT")


@pytest.mark.parametrize(
    ("wrong", "shas", "constraint"),
    [
        (draft(commit_count=2), ("a",), "ck_changelogs_accounting"),
        (draft(entries=()), ("a",), "ck_changelogs_accounting"),
        (draft(), ("a", "a"), "uq_changelog_commits_sha"),
        (draft(highlight_failure="why"), ("a",), "ck_changelogs_highlight_failure"),
        (draft(published_at=START), ("a",), "ck_changelogs_published"),
        (draft(version=0), ("a",), "ck_changelogs_version"),
    ],
)
async def test_the_tables_count_once_more(
    stored: Stored, database: Database, wrong: Changelog, shas: tuple[str, ...], constraint: str
) -> None:
    with pytest.raises((DBAPIError, psycopg.Error), match=constraint):
        await stored(wrong, tuple(sha(name) for name in shas))

    async with database.read() as tx:
        assert await tx.fetch_all(CHANGELOGS.select()) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE changelogs SET markdown = 'x'",
        "UPDATE changelogs SET json = 'x'",
        "UPDATE changelogs SET entries = '[]', commit_count = 0",
        "UPDATE changelogs SET next_version = '9.9.9'",
        "UPDATE changelogs SET created_by_id = 'x'",
    ],
)
async def test_the_notes_of_a_draft_never_change(stored: Stored, uow: UnitOfWork, change: str) -> None:
    await stored()

    with pytest.raises(DBAPIError, match="stay as they were made"):
        await changed(uow, change)


async def test_nothing_of_a_published_changelog_changes(stored: Stored, uow: UnitOfWork, database: Database) -> None:
    changelog = await stored()
    published, _ = changelog.published("user", "u1", at=START)
    async with uow.begin() as tx:
        await ChangelogStore(tx).save(published, expected_version=1)

    for change in (
        "UPDATE changelogs SET state = 'DRAFT', published_at = NULL",
        "UPDATE changelogs SET version = 3",
        "UPDATE changelogs SET highlight_failure = 'x'",
        "UPDATE changelogs SET updated_at = now()",
        """UPDATE changelogs SET highlight_suggestions = '[{}]', state = 'DRAFT', published_at = NULL""",
        """UPDATE changelogs SET highlight_suggestions = '[{}]', published_by_id = 'u2'""",
    ):
        with pytest.raises(DBAPIError, match="is published and stays"):
            await changed(uow, change)

    async with database.read() as tx:
        row = await tx.fetch_one(CHANGELOGS.select())
    assert row is not None
    assert (row.state, row.version, row.published_by_id) == ("PUBLISHED", 2, "u1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE commits SET sha = sha",
        "UPDATE changelog_commits SET sha = sha",
        "UPDATE deployments SET sha = sha",
        "DELETE FROM commits",
        "DELETE FROM changelog_commits",
        "DELETE FROM deployments",
        "DELETE FROM repositories",
        "DELETE FROM tags",
        "DELETE FROM changelogs",
    ],
)
async def test_the_role_of_the_service_rewrites_no_history(
    service_database: ServiceDatabase, uow: UnitOfWork, change: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await changed(uow, change)


async def test_of_two_that_make_a_repository_one_does(uow: UnitOfWork) -> None:
    async with uow.begin() as tx:
        first = await RepositoryStore(tx).add(Repository(uuid7(), 1, "Shop/API", (), 0, START, START))
        again = await RepositoryStore(tx).add(Repository(uuid7(), 1, "shop/api", (), 0, START, START))
        found = await RepositoryStore(tx).find("SHOP/api")

    assert (first, again) == (True, False)
    assert found is not None
    assert found.name == "Shop/API"
