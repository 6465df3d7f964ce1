"""What a changelog may become, what an input may be, and the order of a range: without any database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from services.changelog.tests.factories import START, draft, sha

from changelog_service.commits import Bump, Commit, Entry, Excluded, ExclusionReason, Notes, Section
from changelog_service.domain import (
    PUBLISHED_EARLY,
    ChangelogHighlighted,
    ChangelogReleased,
    ChangelogState,
    Highlights,
    HighlightState,
    Repository,
    RepositoryCommitsPushed,
    StoredCommit,
    account_for,
    date_of,
)
from changelog_service.errors import ChangelogPublished, CommitInvalid, HistoryIncomplete
from changelog_service.history import guard_whole, newest_first
from changelog_service.limits import check_commits, clean_url
from chassis.errors import Internal, InvalidArgument
from chassis.ids import uuid7

LATER = START + timedelta(hours=1)
WORDED = Highlights((), "builtin", model="", run_id="r", fallback_reason="", replaced_count=0)


def commit(name: object, *parents: object, at: datetime | None = START, **fields: object) -> Commit:
    return Commit(
        sha(name), "feat: add it", committed_at=at, parent_shas=tuple(sha(parent) for parent in parents),
        **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_draft_is_highlighted_and_then_published() -> None:
    waiting = draft()

    highlighted, told = waiting.highlighted(WORDED, at=LATER)
    published, released = highlighted.published("user", "u1", at=LATER)

    assert (highlighted.version, highlighted.highlight_state) == (2, HighlightState.READY)
    assert told == ChangelogHighlighted(waiting.id, 2, "builtin")
    assert (published.version, published.state, published.published_at) == (3, ChangelogState.PUBLISHED, LATER)
    assert (published.published_by_kind, published.published_by_id) == ("user", "u1")
    assert published.highlights == WORDED
    assert released == ChangelogReleased(waiting.id, 3, waiting.repository_id, "1.1.0")


def test_highlights_that_are_not_there_at_publication_never_come() -> None:
    published, _ = draft().published("user", "u1", at=LATER)

    assert (published.highlight_state, published.highlight_failure) == (HighlightState.FAILED, PUBLISHED_EARLY)


def test_what_failed_stays_the_reason_at_publication() -> None:
    failed, told = draft().highlights_failed("away", at=LATER)

    published, _ = failed.published("user", "u1", at=LATER)

    assert (published.highlight_state, published.highlight_failure) == (HighlightState.FAILED, "away")
    assert told == ChangelogHighlighted(failed.id, 2, "")


def test_a_published_changelog_is_not_published_again() -> None:
    published, _ = draft().published("user", "u1", at=LATER)

    with pytest.raises(ChangelogPublished):
        published.published("user", "u2", at=LATER)


def test_each_batch_is_a_version_of_its_repository() -> None:
    repository = Repository(uuid7(), 3, "shop/api", ("api",), 10, START, START)

    pushed, fact = repository.pushed(5, (), at=LATER)
    moved, _ = pushed.pushed(0, ("web",), at=LATER)

    assert (pushed.version, pushed.commit_count, pushed.services, pushed.updated_at) == (4, 15, ("api",), LATER)
    assert fact == RepositoryCommitsPushed(repository.id, 4, "shop/api", 5)
    assert (moved.version, moved.commit_count, moved.services) == (5, 15, ("web",))


@pytest.mark.parametrize(
    ("message", "subject", "body"),
    [
        ("", "", ""),
        ("fix: it", "fix: it", ""),
        ("fix: it\n\nBecause.\n\nRefs: #1\n", "fix: it", "Because.\n\nRefs: #1"),
        ("\n fix: it \r\n\r\nBecause.", "fix: it", "Because."),
    ],
)
def test_a_message_is_its_first_line_and_the_rest(message: str, subject: str, body: str) -> None:
    stored = StoredCommit(uuid7(), uuid7(), Commit(sha(1), message), "", "", breaking=False, conventional=False)

    assert (stored.subject, stored.body) == (subject, body)


def notes(*, entries: tuple[tuple[object, ...], ...], excluded: tuple[object, ...] = (), count: int = 3) -> Notes:
    return Notes(
        entries=tuple(
            Entry(f"c{number}", Section.ADDED, "It", "", False, "", tuple(map(sha, names)), ())
            for number, names in enumerate(entries)
        ),
        excluded=tuple(Excluded(sha(name), "wip", ExclusionReason.MEANINGLESS, "") for name in excluded),
        bump=Bump.MINOR, bump_sha=sha("a"), previous_version="", next_version="", commit_count=count,
    )  # fmt: skip


def test_notes_that_account_for_each_commit_pass() -> None:
    account_for([commit("a"), commit("b"), commit("c")], notes(entries=(("a", "b"),), excluded=("c",)))


@pytest.mark.parametrize(
    "wrong",
    [
        notes(entries=(("a", "b"),)),
        notes(entries=(("a", "b"), ("b",)), excluded=("c",)),
        notes(entries=(("a", "b"),), excluded=("c", "c")),
        notes(entries=(("a", "b"),), excluded=("c", "d")),
        notes(entries=(("a", "b"),), excluded=("c",), count=4),
        replace(notes(entries=(("a", "b"),), excluded=("c",)), bump_sha=sha("z")),
    ],
    ids=["dropped", "twice", "excluded twice", "invented", "miscounted", "decided by a stranger"],
)
def test_notes_that_do_not_account_for_each_commit_are_a_defect(wrong: Notes) -> None:
    with pytest.raises(Internal):
        account_for([commit("a"), commit("b"), commit("c")], wrong)


def test_the_day_of_notes_is_that_of_the_newest_commit() -> None:
    assert date_of([commit(1, at=None), commit(2, at=LATER), commit(3, at=START - timedelta(days=2))]) == date(
        2026, 1, 2
    )
    assert date_of([commit(1, at=None)]) is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda c: replace(c, sha="abc1234"), "sha"),
        (lambda c: replace(c, sha=c.sha.upper()), "sha"),
        (lambda c: replace(c, sha=c.sha + "\n"), "sha"),
        (lambda c: replace(c, message="x" * 100_001), "message"),
        (lambda c: replace(c, message="nul \x00"), "message"),
        (lambda c: replace(c, author_name="x" * 321), "author_name"),
        (lambda c: replace(c, author_name="a\nb"), "author_name"),
        (lambda c: replace(c, author_email="a\x00@example.com"), "author_email"),
        (lambda c: replace(c, parent_shas=(c.sha,)), "parent_shas"),
        (lambda c: replace(c, parent_shas=("abc1234",)), "parent_shas"),
        (lambda c: replace(c, parent_shas=tuple(sha(n) for n in range(101))), "parent_shas"),
        (lambda c: replace(c, tags=("",)), "tags"),
        (lambda c: replace(c, tags=("v 1",)), "tags"),
        (lambda c: replace(c, tags=("v" * 256,)), "tags"),
        (lambda c: replace(c, tags=tuple(f"v{n}" for n in range(101))), "tags"),
        (lambda c: replace(c, paths=tuple(str(n) for n in range(501))), "paths"),
        (lambda c: replace(c, paths=("x" * 4097,)), "paths"),
        (lambda c: replace(c, paths=("a\x00",)), "paths"),
    ],
)
def test_a_commit_that_cannot_be_taken_is_named_with_its_field(wrong: Callable[[Commit], Commit], field: str) -> None:
    with pytest.raises(CommitInvalid) as refused:
        check_commits([commit("a"), wrong(commit("b"))], full_shas=True)

    assert refused.value.metadata == {"field": f"commits.1.{field}"}


def test_what_is_at_the_limits_is_taken() -> None:
    largest = replace(
        commit("a"), sha="a" * 64, message="x" * 100_000, parent_shas=tuple(sha(n) for n in range(100)),
        tags=tuple(f"v{n}" for n in range(100)), paths=("p" * 4096,) * 500, author_name="n" * 320,
    )  # fmt: skip

    check_commits([largest, replace(commit("b"), message="")], full_shas=True)
    check_commits([Commit("abc1234", "")], full_shas=False)


@pytest.mark.parametrize(
    ("commits", "field"),
    [
        ([commit("a"), commit("b"), commit("a")], "commits.2.sha"),
        ([commit("a", tags=("v1",)), commit("b", tags=("v1",))], "commits.1.tags"),
    ],
)
def test_commits_that_contradict_each_other_are_refused(commits: list[Commit], field: str) -> None:
    with pytest.raises(CommitInvalid) as refused:
        check_commits(commits, full_shas=True)

    assert refused.value.metadata == {"field": field}


@pytest.mark.parametrize("url", ["", "https://ci.example.com/runs/7?x=1#log", "http://[::1]:8080/a"])
def test_an_address_of_the_web_is_taken(url: str) -> None:
    assert clean_url(f" {url} ") == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "ftp://example.com/a", "//example.com", "example.com", "https://", "https:///a",
        "https://user:secret@example.com", "https://example.com/a b", 'https://example.com/"onclick', "http://[::1",
        "https://example.com/\x00", "https://example.com/" + "x" * 2000,
    ],
)  # fmt: skip
def test_another_address_is_refused_without_telling_it(url: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        clean_url(url)

    assert refused.value.metadata == {"field": "url"}
    assert "secret" not in refused.value.message


def test_a_range_is_told_from_its_end_to_its_beginning() -> None:
    # d merges b and c, which both follow a; c is newer than b.
    a, b = commit("a"), commit("b", "a", at=START + timedelta(minutes=1))
    c, d = commit("c", "a", at=START + timedelta(minutes=2)), commit("d", "b", "c", at=START)

    assert newest_first([a, b, c, d]) == (d, c, b, a)


def test_the_order_does_not_follow_clocks_that_go_wrong() -> None:
    parent, child = commit("p", at=LATER), commit("c", "p", at=START)

    assert newest_first([parent, child]) == (child, parent)


def test_a_circle_of_made_up_hashes_is_cut() -> None:
    a, b = commit("a", "b"), commit("b", "a")

    assert set(newest_first([a, b])) == {a, b}
    assert newest_first([a, b]) == newest_first([b, a])


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    size = draw(st.integers(1, 12))
    commits = []
    for number in range(size):
        parents = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        minutes = draw(st.none() | st.integers(0, 5))
        at = None if minutes is None else START + timedelta(minutes=minutes)
        commits.append(commit(number, *sorted(parents), at=at))
    return commits


@given(histories(), st.randoms(use_true_random=False))
def test_no_commit_stands_behind_its_parent_and_the_order_is_the_same_each_time(
    commits: list[Commit], random: Random
) -> None:
    shuffled = [*commits]
    random.shuffle(shuffled)

    ordered = newest_first(shuffled)

    position = {each.sha: number for number, each in enumerate(ordered)}
    assert sorted(position) == sorted(each.sha for each in commits)
    assert all(position[each.sha] < position[parent] for each in commits for parent in each.parent_shas)
    assert ordered == newest_first(commits)


def test_a_range_that_runs_into_what_nobody_pushed_is_not_whole() -> None:
    with pytest.raises(HistoryIncomplete) as refused:
        guard_whole({sha("b"): commit("b", "a"), sha("a"): None}, [])

    assert refused.value.metadata == {"sha": sha("a")}


def test_a_line_to_a_first_commit_may_lie_behind_a_beginning_that_is_not_whole() -> None:
    inside = {sha("b"): commit("b", "a"), sha("a"): commit("a")}

    with pytest.raises(HistoryIncomplete) as refused:
        guard_whole(inside, [sha("lost")])

    assert refused.value.metadata == {"sha": sha("lost")}
    guard_whole(inside, [])
    guard_whole({sha("b"): commit("b", "begin")}, [sha("lost")])


def test_a_moment_without_zone_is_never_compared() -> None:
    assert newest_first([commit("a", at=None), commit("b", at=datetime(1, 1, 1, tzinfo=UTC))])[0].sha == min(
        sha("a"), sha("b")
    )
