"""What a range of pushed commits holds, and when nobody can tell: on real Postgres."""

from random import Random

import pytest
from services.changelog.tests.factories import Changes, commit_of, counts, sha

from changelog_service import usecases
from changelog_service.commands import CommitRange
from changelog_service.commits import Commit
from changelog_service.errors import (
    HistoryIncomplete,
    RangeEmpty,
    RepositoryNotFound,
    RevisionNotFound,
    TooManyCommits,
)
from chassis.db import Database
from chassis.errors import DomainError


async def test_a_range_is_what_its_end_reaches_and_its_beginning_does_not(changes: Changes) -> None:
    #  a - b - c ------- f - g      v1 = b, v2 = g; d left at a, before v1
    #   \\- d - e ------/
    await changes.push(
        commit_of("a"), commit_of("b", "a", minutes=1, tags=("v1",)), commit_of("c", "b", minutes=2),
        commit_of("d", "a", minutes=3), commit_of("e", "d", minutes=4), commit_of("f", "c", "e", minutes=5),
        commit_of("g", "f", minutes=6, tags=("v2",)),
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
    await changes.push(commit_of("a", tags=tags), commit_of("b", "a"))

    assert (await changes.generate(CommitRange(start, sha("b")))).previous_version == previous
    assert (await changes.generate(CommitRange(start, sha("b")), previous="3.0.0")).previous_version == "3.0.0"


async def test_a_tag_goes_before_a_hash_that_begins_like_it(changes: Changes) -> None:
    await changes.push(commit_of("a"), commit_of("b", "a", tags=(sha("a")[:8],)))

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
    await changes.push(commit_of("a", tags=("v1",)), commit_of("b", "a", tags=("v2",)))

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
    await changes.push(commit_of("a", tags=("v1",)), commit_of("c", "b"), commit_of("d", "c", tags=("v2",)))

    for start in ("", "v1"):
        with pytest.raises(HistoryIncomplete) as refused:
            await changes.generate(CommitRange(start, "v2"))
        assert refused.value.metadata == {"sha": sha("b")}
    assert (await counts(database))["changelogs"] == 0
    await changes.push(commit_of("b", "a"))
    assert await changes.of_range("v1", "v2") == [sha(name) for name in "dcb"]


async def test_a_beginning_without_its_past_is_enough(changes: Changes) -> None:
    await changes.push(commit_of("b", "a", tags=("v1",)), commit_of("c", "b"), commit_of("d", "b", "c"))

    assert await changes.of_range("v1", sha("d")) == [sha("d"), sha("c")]
    with pytest.raises(HistoryIncomplete):
        await changes.of_range("", sha("d"))


async def test_a_line_to_a_first_commit_needs_the_past_of_the_beginning(changes: Changes) -> None:
    # "x" may be a forefather of v1 through "lost"; nobody can tell.
    await changes.push(commit_of("b", "lost", tags=("v1",)), commit_of("x"), commit_of("d", "b", "x"))

    with pytest.raises(HistoryIncomplete) as refused:
        await changes.of_range("v1", sha("d"))

    assert refused.value.metadata == {"sha": sha("lost")}


async def test_a_range_that_is_too_long_is_refused(changes: Changes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecases, "MAXIMUM_RANGE_COMMITS", 2)
    await changes.push(commit_of("a"), commit_of("b", "a"), commit_of("c", "b"))

    assert len(await changes.of_range(sha("a"), sha("c"))) == 2
    with pytest.raises(TooManyCommits) as refused:
        await changes.of_range("", sha("c"))

    assert refused.value.metadata == {"maximum": "2", "field": "range"}


@pytest.mark.parametrize("seed", range(6))
async def test_a_range_of_any_history_is_what_git_says(changes: Changes, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - histories, not secrets
    parents = {
        n: sorted(random.sample(range(n), min(n, random.choice([1, 1, 1, 2, 3])))) if random.random() > 0.05 else []
        for n in range(30)
    }
    history = [commit_of(n, *parents[n], minutes=random.randrange(9)) for n in parents]
    random.shuffle(history)
    await changes.push(*history[:13])
    await changes.push(*history[13:])

    def reached(n: int) -> set[int]:
        return {n}.union(*(reached(parent) for parent in parents[n]))

    for start, end in [(random.randrange(30), random.randrange(30)) for _ in range(12)]:
        expected = {sha(n) for n in reached(end) - reached(start)}
        if expected:
            found = await changes.of_range(sha(start), sha(end))
            assert (len(found), set(found)) == (len(expected), expected)
