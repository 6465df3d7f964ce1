"""What each write does, inside its transaction: on real Postgres, without gRPC."""

import asyncio
from datetime import timedelta

import pytest
from services.changelog.tests.factories import Changes, Published, commit_of, counts, sha
from sqlalchemy import select

from changelog_service import usecases
from changelog_service.commands import CommitRange
from changelog_service.commits import Commit, Notes, make_notes
from changelog_service.domain import Highlights, HighlightState
from changelog_service.errors import (
    ChangelogPublished,
    DeploymentReferenceTaken,
    RepositoryNotFound,
    TooManyCommits,
    VersionNameInvalid,
)
from changelog_service.tables import COMMITS, TAGS
from chassis.db import Database, UnitOfWork
from chassis.errors import Internal, InvalidArgument, VersionConflict
from chassis.redaction import RedactionFailed, Redactor
from chassis.testing.clock import FrozenClock

WORDED = Highlights((), "builtin", model="", run_id="r", fallback_reason="", replaced_count=0)


async def test_a_first_push_makes_the_repository(changes: Changes, database: Database, published: Published) -> None:
    repository, new = await changes.push(commit_of("a"), commit_of("b", "a"), services=["api", "web"])

    assert (repository.version, repository.name, repository.commit_count, new) == (1, "shop/api", 2, 2)
    assert repository.services == ("api", "web")
    assert [(subject, each.aggregate_version) for subject, each in await published(database)] == [
        ("aiops.changelog.repository.commits_pushed.v1", 1)
    ]


async def test_known_commits_stay_and_tags_move(changes: Changes, database: Database) -> None:
    await changes.push(commit_of("a", tags=("v1", "old")), commit_of("b", "a"), services=["api"])

    repository, new = await changes.push(
        commit_of("a", message="feat: rewritten"), commit_of("b", "a", tags=("v1", "latest")), commit_of("c", "b"),
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
    await changes.push(commit_of("a"))

    repository, new = await changes.push(commit_of("a"), services=["web"])

    assert (repository.version, repository.commit_count, new) == (2, 1, 0)
    assert repository.services == ("web",)
    assert [each.aggregate_version for _, each in await published(database)] == [1, 2]


async def test_messages_are_redacted_and_authors_kept_apart(changes: Changes, database: Database) -> None:
    message = "fix: it\n\nReported by ann@example.com\n\nCo-authored-by: Bob <bob@example.com>"

    await changes.push(commit_of("a", message=message, author_name="Ann", author_email="ann@example.com"))

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

    for attempt in (changes.push(commit_of("a")), changes.generate((commit_of("a"),))):
        with pytest.raises(Internal):
            await attempt
    assert set((await counts(database)).values()) == {0}


async def test_notes_are_headed_by_the_version_at_the_end(changes: Changes) -> None:
    given = (commit_of("b", "a", message="feat!: b", tags=("v2.0.0-rc.1", "latest")), commit_of("a", tags=("v1.4.2",)))
    await changes.push(*given)

    local = await changes.generate(given[:1], previous="v1.4.2")
    ranges = [await changes.generate(CommitRange("v1.4.2", end)) for end in ("v2.0.0-rc.1", "latest", sha("b"))]

    for changelog in (local, *ranges):
        assert changelog.markdown.startswith("## [v2.0.0-rc.1] - 2026-01-02\n")
        assert changelog.next_version == "v2.0.0"
    several = await changes.generate((*given[:1], commit_of("c", "a")), previous="v1.4.2")
    assert several.markdown.startswith("## [v2.0.0] - ")


async def test_given_commits_make_a_draft_and_are_not_stored(
    changes: Changes, database: Database, published: Published
) -> None:
    given = (commit_of("b", message="fix: mail to ann@example.com"), commit_of("a"), commit_of("m", message="wip"))

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
    given = tuple(commit_of(n, message=f"{kind}: thing {n}") for n, kind in enumerate(("feat", "fix", "docs", "perf!")))

    first = await changes.generate(given)
    clock.advance(timedelta(days=400))
    again = await changes.generate(given)

    assert first.id != again.id
    assert (first.markdown, first.json, first.entries) == (again.markdown, again.json, again.entries)


async def test_a_changelog_without_entries_waits_for_nothing(changes: Changes) -> None:
    changelog = await changes.generate((commit_of("a", message=""),))

    assert (changelog.entries, len(changelog.excluded)) == ((), 1)
    assert changelog.highlight_state is HighlightState.READY


async def test_notes_that_drop_a_commit_are_not_stored(
    changes: Changes, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drop(commits: tuple[Commit, ...], *, previous_version: str = "") -> Notes:
        return make_notes(commits[1:], previous_version=previous_version)

    monkeypatch.setattr(usecases, "make_notes", drop)

    with pytest.raises(Internal, match="account"):
        await changes.generate((commit_of("b", "a"), commit_of("a")))

    assert set((await counts(database)).values()) == {0}


async def test_notes_that_no_answer_can_carry_are_not_stored(
    changes: Changes, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecases, "MAXIMUM_NOTES_BYTES", 1000)

    with pytest.raises(TooManyCommits) as refused:
        await changes.generate(tuple(commit_of(number) for number in range(10)))

    assert refused.value.metadata == {"maximum": "9", "field": "commits"}
    assert set((await counts(database)).values()) == {0}


async def test_pushes_at_the_same_moment_are_versions_one_after_the_other(
    changes: Changes, database: Database, published: Published
) -> None:
    batches = [[commit_of(f"{batch}-{number}") for number in range(20)] + [commit_of("shared")] for batch in range(5)]

    answers = await asyncio.gather(*(changes.push(*batch) for batch in batches))

    assert sorted(repository.version for repository, _ in answers) == [1, 2, 3, 4, 5]
    assert sum(new for _, new in answers) == 101
    assert max(repository.commit_count for repository, _ in answers) == 101
    assert (await counts(database))["commits"] == 101
    assert [each.aggregate_version for _, each in await published(database)] == [1, 2, 3, 4, 5]


async def test_of_two_publications_one_counts(changes: Changes) -> None:
    draft = await changes.generate((commit_of("a"),))

    answers = await asyncio.gather(*(changes.publish(draft) for _ in range(2)), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["Changelog", "VersionConflict"]


@pytest.mark.parametrize("version", ["1.4", "latest", "01.2.3", "1.2.3 "])
async def test_a_version_before_that_is_none_is_refused(changes: Changes, database: Database, version: str) -> None:
    with pytest.raises(VersionNameInvalid) as refused:
        await changes.generate((commit_of("a"),), previous=version)

    assert refused.value.metadata == {"field": "previous_version"}
    assert (await counts(database))["changelogs"] == 0


async def test_a_changelog_is_highlighted_once_and_published_once(
    changes: Changes, uow: UnitOfWork, database: Database, published: Published
) -> None:
    changelog = await changes.generate((commit_of("a"),))

    async with uow.begin() as tx:
        await usecases.store_highlights(changelog.id, WORDED, tx, read_version=1)
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


async def test_a_deployment_is_recorded_with_what_is_known(
    changes: Changes, clock: FrozenClock, database: Database, published: Published
) -> None:
    repository, _ = await changes.push(commit_of("a"))

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
