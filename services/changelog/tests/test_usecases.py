"""What each write does, inside its transaction: on real Postgres, without gRPC."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from services.changelog.tests.factories import START, Published, sha
from sqlalchemy import func, select

from changelog_service import usecases
from changelog_service.commands import (
    CommitRange,
    GenerateChangelog,
    PublishChangelog,
    PushCommits,
    RecordDeployment,
)
from changelog_service.commits import Commit, Notes, make_notes
from changelog_service.domain import PUBLISHED_EARLY, Changelog, Highlights, HighlightState, Repository
from changelog_service.errors import (
    ChangelogPublished,
    DeploymentReferenceTaken,
    HistoryIncomplete,
    RangeEmpty,
    RepositoryNotFound,
    RevisionNotFound,
    TooManyCommits,
    VersionNameInvalid,
)
from changelog_service.tables import CHANGELOG_COMMITS, CHANGELOGS, COMMITS, DEPLOYMENTS, REPOSITORIES, TAGS
from chassis.db import Database, UnitOfWork
from chassis.errors import DomainError, Internal, InvalidArgument, VersionConflict
from chassis.redaction import RedactionFailed, Redactor
from chassis.testing.clock import FrozenClock

WORDED = Highlights((), "builtin", model="", run_id="r", fallback_reason="", replaced_count=0)


def commit(name: object, *parents: object, message: str | None = None, minutes: int = 0, **fields: Any) -> Commit:
    return Commit(
        sha(name), f"feat: add {name}" if message is None else message, committed_at=START + timedelta(minutes=minutes),
        parent_shas=tuple(sha(parent) for parent in parents), **fields,
    )  # fmt: skip


class Changes:
    """The writes, each in a transaction of its own."""

    def __init__(self, uow: UnitOfWork, redactor: Redactor) -> None:
        self._uow = uow
        self._redactor = redactor

    async def push(
        self, *commits: Commit, name: str = "shop/api", services: Iterable[str] = ()
    ) -> tuple[Repository, int]:
        async with self._uow.begin() as tx:
            return await usecases.push_commits(PushCommits(name, tuple(services), commits), tx, self._redactor)

    async def generate(self, source: tuple[Commit, ...] | CommitRange, *, previous: str = "") -> Changelog:
        async with self._uow.begin() as tx:
            return await usecases.generate_changelog(
                GenerateChangelog("shop/api", source, previous), tx, self._redactor
            )

    async def of_range(self, start: str, end: str) -> list[str]:
        """The hashes of a range, newest first, as the notes account for them."""
        changelog = await self.generate(CommitRange(start, end))
        async with self._uow.database.read() as tx:
            rows = await tx.fetch_all(
                select(CHANGELOG_COMMITS.c.sha)
                .where(CHANGELOG_COMMITS.c.changelog_id == changelog.id)
                .order_by(CHANGELOG_COMMITS.c.position)
            )
        return [row.sha for row in rows]

    async def publish(self, changelog: Changelog, *, version: int = 0) -> Changelog:
        async with self._uow.begin() as tx:
            return await usecases.publish_changelog(PublishChangelog(changelog.id, version or changelog.version), tx)

    async def record(self, **fields: Any) -> Any:
        values: dict[str, Any] = {
            "service": "api", "environment": "", "version_name": "1.0.0", "repository_name": "", "sha": "", "url": "",
            "deployed_at": None, "external_reference": "",
        }  # fmt: skip
        async with self._uow.begin() as tx:
            return await usecases.record_deployment(RecordDeployment(**(values | fields)), tx)


@pytest.fixture
def changes(uow: UnitOfWork, redactor: Redactor) -> Changes:
    return Changes(uow, redactor)


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as tx:
        return {
            table.name: (await tx.fetch_all(select(func.count()).select_from(table)))[0][0]
            for table in (REPOSITORIES, COMMITS, TAGS, CHANGELOGS, CHANGELOG_COMMITS, DEPLOYMENTS)
        }


async def test_a_first_push_makes_the_repository(changes: Changes, database: Database, published: Published) -> None:
    repository, new = await changes.push(commit("a"), commit("b", "a"), services=["api", "web"])

    assert (repository.version, repository.name, repository.commit_count, new) == (1, "shop/api", 2, 2)
    assert repository.services == ("api", "web")
    assert [(subject, each.aggregate_version) for subject, each in await published(database)] == [
        ("aiops.changelog.repository.commits_pushed.v1", 1)
    ]


async def test_known_commits_stay_and_tags_move(changes: Changes, database: Database) -> None:
    await changes.push(commit("a", tags=("v1", "old")), commit("b", "a"), services=["api"])

    repository, new = await changes.push(
        commit("a", message="feat: rewritten"), commit("b", "a", tags=("v1", "latest")), commit("c", "b"),
        name="SHOP/API",
    )  # fmt: skip

    assert (repository.version, repository.name, repository.commit_count, new) == (2, "shop/api", 3, 1)
    assert repository.services == ("api",)
    async with database.read() as tx:
        tagged = select(TAGS.c.name, COMMITS.c.sha).join_from(TAGS, COMMITS, COMMITS.c.id == TAGS.c.commit_id)
        assert {row.name: row.sha for row in await tx.fetch_all(tagged)} == {
            "v1": sha("b"), "latest": sha("b"), "old": sha("a"),
        }  # fmt: skip
        kept = await tx.fetch_one(select(COMMITS.c.message).where(COMMITS.c.sha == sha("a")))
    assert kept is not None
    assert kept.message == "feat: add a"


async def test_a_batch_of_known_commits_is_a_version_all_the_same(
    changes: Changes, database: Database, published: Published
) -> None:
    await changes.push(commit("a"))

    repository, new = await changes.push(commit("a"), services=["web"])

    assert (repository.version, repository.commit_count, new) == (2, 1, 0)
    assert repository.services == ("web",)
    assert [each.aggregate_version for _, each in await published(database)] == [1, 2]


async def test_messages_are_redacted_and_authors_kept_apart(changes: Changes, database: Database) -> None:
    message = "fix: it\n\nReported by ann@example.com\n\nCo-authored-by: Bob <bob@example.com>"

    await changes.push(commit("a", message=message, author_name="Ann", author_email="ann@example.com"))

    async with database.read() as tx:
        stored = await tx.fetch_one(select(COMMITS))
    assert stored is not None
    assert "example.com" not in stored.message
    assert stored.message.startswith("fix: it\n\nReported by <EMAIL:")
    assert (stored.author_name, stored.author_email) == ("Ann", "ann@example.com")


async def test_a_message_that_cannot_be_redacted_leaves_nothing(
    changes: Changes, database: Database, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> str:
        raise RedactionFailed("no")

    monkeypatch.setattr(redactor, "redact", fail)

    for attempt in (changes.push(commit("a")), changes.generate((commit("a"),))):
        with pytest.raises(Internal):
            await attempt
    assert set((await counts(database)).values()) == {0}


async def test_given_commits_make_a_draft_and_are_not_stored(
    changes: Changes, database: Database, published: Published
) -> None:
    given = (commit("b", message="fix: mail to ann@example.com"), commit("a"), commit("m", message="wip"))

    changelog = await changes.generate(given, previous="v1.4.2")

    assert (changelog.version, changelog.commit_count, changelog.from_ref, changelog.to_ref) == (1, 3, "", "")
    assert (changelog.bump, changelog.bump_sha, changelog.next_version) == ("MINOR", sha("a"), "v1.5.0")
    assert [each.sha for each in changelog.excluded] == [sha("m")]
    assert "ann@example.com" not in changelog.markdown + changelog.json
    assert changelog.markdown.startswith("## [v1.5.0] - 2026-01-02\n")
    assert (await counts(database))["commits"] == 0
    assert [(subject, each.aggregate_version) for subject, each in await published(database)] == [
        ("aiops.changelog.repository.commits_pushed.v1", 1),
        ("aiops.changelog.changelog.generated.v1", 1),
    ]


async def test_equal_commits_give_equal_bytes(changes: Changes, clock: FrozenClock) -> None:
    given = tuple(commit(n, message=f"{kind}: thing {n}") for n, kind in enumerate(("feat", "fix", "docs", "perf!")))

    first = await changes.generate(given)
    clock.advance(timedelta(days=400))
    again = await changes.generate(given)

    assert first.id != again.id
    assert (first.markdown, first.json, first.entries) == (again.markdown, again.json, again.entries)


async def test_a_changelog_without_entries_waits_for_nothing(changes: Changes) -> None:
    changelog = await changes.generate((commit("a", message=""),))

    assert (changelog.entries, len(changelog.excluded)) == ((), 1)
    assert changelog.highlight_state is HighlightState.READY


async def test_notes_that_drop_a_commit_are_not_stored(
    changes: Changes, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drop(commits: tuple[Commit, ...], *, previous_version: str = "") -> Notes:
        return make_notes(commits[1:], previous_version=previous_version)

    monkeypatch.setattr(usecases, "make_notes", drop)

    with pytest.raises(Internal, match="account"):
        await changes.generate((commit("b", "a"), commit("a")))

    assert set((await counts(database)).values()) == {0}


@pytest.mark.parametrize("version", ["1.4", "latest", "01.2.3", "1.2.3 "])
async def test_a_version_before_that_is_none_is_refused(changes: Changes, database: Database, version: str) -> None:
    with pytest.raises(VersionNameInvalid) as refused:
        await changes.generate((commit("a"),), previous=version)

    assert refused.value.metadata == {"field": "previous_version"}
    assert (await counts(database))["changelogs"] == 0


async def test_a_range_is_what_its_end_reaches_and_its_beginning_does_not(changes: Changes) -> None:
    #  a - b - c ------- f - g      v1 = b, v2 = g; d left at a, before v1
    #   \\- d - e ------/
    await changes.push(
        commit("a"), commit("b", "a", minutes=1, tags=("v1",)), commit("c", "b", minutes=2),
        commit("d", "a", minutes=3), commit("e", "d", minutes=4), commit("f", "c", "e", minutes=5),
        commit("g", "f", minutes=6, tags=("v2",)),
    )  # fmt: skip

    assert await changes.of_range("v1", "v2") == [sha(name) for name in "gfedc"]
    assert await changes.of_range("", "v1") == [sha(name) for name in "ba"]
    assert await changes.of_range(sha("e"), sha("f")) == [sha(name) for name in "fcb"]
    assert await changes.of_range(sha("c")[:7].upper(), "v2") == [sha(name) for name in "gfed"]


@pytest.mark.parametrize(
    ("tags", "start", "previous"),
    [
        (("v1.2.0",), "v1.2.0", "v1.2.0"),
        (("stable", "v1.2.0", "v1.10.0"), "stable", "v1.10.0"),
        (("v1.2.0", "v1.10.0"), "v1.2.0", "v1.2.0"),
        (("stable",), "stable", ""),
    ],
)
async def test_the_version_before_is_the_tag_at_the_beginning(
    changes: Changes, tags: tuple[str, ...], start: str, previous: str
) -> None:
    await changes.push(commit("a", tags=tags), commit("b", "a"))

    assert (await changes.generate(CommitRange(start, sha("b")))).previous_version == previous
    assert (await changes.generate(CommitRange(start, sha("b")), previous="3.0.0")).previous_version == "3.0.0"


async def test_a_tag_goes_before_a_hash_that_begins_like_it(changes: Changes) -> None:
    await changes.push(commit("a"), commit("b", "a", tags=(sha("a")[:8],)))

    assert await changes.of_range("", sha("a")[:8]) == [sha("b"), sha("a")]


@pytest.mark.parametrize(
    ("start", "end", "error", "field"),
    [
        ("v9", "v2", RevisionNotFound, "range.from_ref"),
        ("v1", "v9", RevisionNotFound, "range.to_ref"),
        ("v1", "0" * 40, RevisionNotFound, "range.to_ref"),
        ("v2", "v1", RangeEmpty, "range"),
        ("v1", "v1", RangeEmpty, "range"),
    ],
)
async def test_a_range_that_is_none_is_refused(
    changes: Changes, database: Database, start: str, end: str, error: type[DomainError], field: str
) -> None:
    await changes.push(commit("a", tags=("v1",)), commit("b", "a", tags=("v2",)))

    with pytest.raises(error) as refused:
        await changes.generate(CommitRange(start, end))

    assert refused.value.metadata["field"] == field
    assert (await counts(database))["changelogs"] == 0


async def test_the_start_of_a_hash_that_two_commits_have_names_none(changes: Changes) -> None:
    one, two = "abcdef" + "0" * 34, "abcdef" + "1" * 34
    await changes.push(Commit(one, "feat: a"), Commit(two, "feat: b", parent_shas=(one,)))

    with pytest.raises(RevisionNotFound):
        await changes.generate(CommitRange("", "abcdef"))

    assert await changes.of_range("abcdef0", "abcdef1") == [two]


async def test_a_range_of_a_repository_that_is_not_there_is_refused(changes: Changes, database: Database) -> None:
    with pytest.raises(RepositoryNotFound) as refused:
        await changes.generate(CommitRange("", "v1"))

    assert refused.value.metadata == {"field": "repository_name"}
    assert (await counts(database))["repositories"] == 0


async def test_a_gap_in_what_was_pushed_is_told(changes: Changes, database: Database) -> None:
    await changes.push(commit("a", tags=("v1",)), commit("c", "b"), commit("d", "c", tags=("v2",)))

    for start in ("", "v1"):
        with pytest.raises(HistoryIncomplete) as refused:
            await changes.generate(CommitRange(start, "v2"))
        assert refused.value.metadata == {"sha": sha("b")}
    assert (await counts(database))["changelogs"] == 0
    await changes.push(commit("b", "a"))
    assert await changes.of_range("v1", "v2") == [sha(name) for name in "dcb"]


async def test_a_beginning_without_its_past_is_enough(changes: Changes) -> None:
    await changes.push(commit("b", "a", tags=("v1",)), commit("c", "b"), commit("d", "b", "c"))

    assert await changes.of_range("v1", sha("d")) == [sha("d"), sha("c")]
    with pytest.raises(HistoryIncomplete):
        await changes.of_range("", sha("d"))


async def test_a_line_to_a_first_commit_needs_the_past_of_the_beginning(changes: Changes) -> None:
    # "x" may be a forefather of v1 through "lost"; nobody can tell.
    await changes.push(commit("b", "lost", tags=("v1",)), commit("x"), commit("d", "b", "x"))

    with pytest.raises(HistoryIncomplete) as refused:
        await changes.of_range("v1", sha("d"))

    assert refused.value.metadata == {"sha": sha("lost")}


async def test_a_range_that_is_too_long_is_refused(changes: Changes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecases, "MAXIMUM_RANGE_COMMITS", 2)
    await changes.push(commit("a"), commit("b", "a"), commit("c", "b"))

    assert len(await changes.of_range(sha("a"), sha("c"))) == 2
    with pytest.raises(TooManyCommits) as refused:
        await changes.of_range("", sha("c"))

    assert refused.value.metadata == {"maximum": "2", "field": "range"}


async def test_a_changelog_is_highlighted_once_and_published_once(
    changes: Changes, uow: UnitOfWork, database: Database, published: Published
) -> None:
    changelog = await changes.generate((commit("a"),))

    async with uow.begin() as tx:
        await usecases.store_highlights(changelog.id, WORDED, tx)
    async with uow.begin() as tx:
        await usecases.store_highlight_failure(changelog.id, "late", tx)
    with pytest.raises(VersionConflict):
        await changes.publish(changelog)
    out = await changes.publish(changelog, version=2)
    with pytest.raises(ChangelogPublished):
        await changes.publish(out)

    assert (out.version, out.highlight_state, out.highlights) == (3, HighlightState.READY, WORDED)
    told = (await published(database))[1:]
    assert [(subject.split(".", 3)[3], each.aggregate_version) for subject, each in told] == [
        ("generated.v1", 1), ("highlighted.v1", 2), ("published.v1", 3),
    ]  # fmt: skip


async def test_highlights_that_come_after_publication_change_nothing(
    changes: Changes, uow: UnitOfWork, database: Database, published: Published
) -> None:
    out = await changes.publish(await changes.generate((commit("a"),)))

    async with uow.begin() as tx:
        await usecases.store_highlights(out.id, WORDED, tx)

    async with database.read() as tx:
        row = await tx.fetch_one(select(CHANGELOGS))
    assert row is not None
    assert (row.version, row.highlight_state, row.highlights, row.highlight_failure) == (
        2, "FAILED", None, PUBLISHED_EARLY,
    )  # fmt: skip
    assert len(await published(database)) == 3


async def test_a_deployment_is_recorded_with_what_is_known(
    changes: Changes, clock: FrozenClock, database: Database, published: Published
) -> None:
    repository, _ = await changes.push(commit("a"))

    deployment = await changes.record(repository_name="Shop/API", sha=sha("later"), external_reference="run-7")

    assert (deployment.environment, deployment.deployed_at) == ("production", clock.now())
    assert (deployment.repository_id, deployment.sha) == (repository.id, sha("later"))
    subject, envelope = (await published(database))[-1]
    assert (subject, envelope.aggregate_version) == ("aiops.changelog.deployment.recorded.v1", 1)


async def test_a_reference_is_taken_once_and_none_is_no_reference(changes: Changes, database: Database) -> None:
    await changes.record(external_reference="run-7")
    await changes.record()
    await changes.record()

    with pytest.raises(DeploymentReferenceTaken) as refused:
        await changes.record(external_reference="run-7", service="web")

    assert refused.value.metadata == {"external_reference": "run-7", "field": "external_reference"}
    assert (await counts(database))["deployments"] == 3


async def test_a_deployment_lies_at_most_five_minutes_ahead(
    changes: Changes, clock: FrozenClock, database: Database
) -> None:
    await changes.record(deployed_at=clock.now() + timedelta(minutes=5))

    with pytest.raises(InvalidArgument) as refused:
        await changes.record(deployed_at=clock.now() + timedelta(minutes=5, microseconds=1))
    with pytest.raises(RepositoryNotFound):
        await changes.record(repository_name="nobody/knows")

    assert refused.value.metadata == {"field": "deployed_at"}
    assert (await counts(database))["deployments"] == 1
