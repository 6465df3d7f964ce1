"""What holds for any messages at all, also for those that are made to be slow."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changelog_service.commits import Commit, ExclusionReason, make_notes, read, to_json, to_markdown

SHAS = st.integers(0, 30).map(lambda number: f"{number:07x}" + "a" * 33)
ANY_TEXT = st.text(st.characters(), max_size=200)
LINES = st.sampled_from(
    [
        "feat: x", "fix(a)!: y", "chore: z", "Add x (#1)", "Add x", 'Revert "Add x"', 'Revert "Revert "Add x""',
        'Reapply "Add x"', "fixup! Add x", "wip", "", " ", "\x00", "Merge branch 'x'", "docs: d", "BREAKING CHANGE: b",
        "Merge pull request #1 from a/b", "revert: Add x", "Release-As: 2.0.0", "Refs: 0000001a, 0000002aaa",
        "BEGIN_COMMIT_OVERRIDE", "END_COMMIT_OVERRIDE", "(cherry picked from commit 0000001aaaaaaaaaa)", "v1.2.3", "🐛",
    ]
)  # fmt: skip
MESSAGES = st.one_of(
    ANY_TEXT,
    st.lists(st.one_of(LINES, SHAS.map(lambda sha: f"This reverts commit {sha}."), ANY_TEXT), max_size=6).map(
        "\n".join
    ),
    st.lists(LINES, max_size=6).map("\n\n".join),
    SHAS.map(lambda sha: f"Take it back\n\nThis reverts commit {sha}."),
    SHAS.map(lambda sha: f"Add x\n\n(cherry picked from commit {sha})"),
)
COMMITS = st.lists(
    st.builds(
        Commit,
        sha=SHAS,
        message=MESSAGES,
        author_name=st.sampled_from(["", "renovate[bot]"]),
        parent_shas=st.lists(SHAS, max_size=3).map(tuple),
        paths=st.lists(st.sampled_from(["docs/a.md", "tests/test_a.py", "src/a.py"]), max_size=2).map(tuple),
    ),
    unique_by=lambda commit: commit.sha,
    max_size=25,
)

HOSTILE = {
    "words": "add a " * 17_000,
    "one word": "a" * 100_000,
    "verbs": "fix update " * 10_000,
    "references": "#1 " * 33_000,
    "numbers at the end": "Add x" + " (#1)" * 20_000,
    "open brackets": "(" * 100_000,
    "brackets": "[" * 50_000 + "]" * 50_000,
    "tags": "[a]" * 33_000,
    "slashes": "a/" * 50_000,
    "addresses": "https://a/" * 10_000,
    "address": "https://a/" + "b/" * 50_000 + "issues/",
    "ticks": "`" * 100_001,
    "colons": "a: " * 33_000,
    "dashes": "a-" * 50_000,
    "spaces": "feat:" + " " * 100_000,
    "blanks": "Add" + " " * 100_000 + "(#1)",
    "quotes": 'Revert "' * 12_000 + '"' * 12_000,
    "reverts": "This reverts commit " + "abcdef0 and " * 8_000,
    "hashes": "This reverts commit " + "a" * 100_000,
    "lines": "\n" * 100_000,
    "footers": "fix: x\n\n" + "Refs: 1\n" * 12_000,
    "token": "fix: x\n\n" + "a-" * 50_000,
    "overrides": "fix: x\n" + "BEGIN_COMMIT_OVERRIDE\n" * 4_500,
    "squashed": "Add x (#1)\n\n" + "* feat!x: y\n" * 8_000,
    "fixups": "fixup! " * 14_000 + "x",
    "cherries": "x\n" + "(cherry picked from commit abcdef0" * 3_000,
    "emoji": "🐛" * 100_000,
    "type": "feat(" + "a" * 100_000,
    "versions": "1." * 50_000,
    "bump": "bump " + "a " * 40_000 + "from " + "b " * 10_000,
    "unicode": "\u2028\u0130\ud800\x00" * 25_000,
}


@settings(max_examples=400, deadline=None)
@given(COMMITS)
def test_each_commit_is_in_exactly_one_entry_or_left_out(commits: list[Commit]) -> None:
    notes = make_notes(commits, previous_version="1.2.3")

    shas = [sha for entry in notes.entries for sha in entry.commit_shas] + [each.sha for each in notes.excluded]
    assert sorted(shas) == sorted(commit.sha for commit in commits)
    assert [entry.key for entry in notes.entries] == [f"c{number + 1}" for number in range(len(notes.entries))]
    for entry in notes.entries:
        assert entry.text.strip()
        assert len(entry.text.splitlines()) == 1
        assert entry.commit_shas
    assert all(3 <= len(each.detail) <= 2000 for each in notes.excluded)
    assert (notes.bump_sha in shas) == (notes.bump != "NONE")


@settings(max_examples=200, deadline=None)
@given(COMMITS)
def test_what_repeats_a_change_leads_to_its_entry(commits: list[Commit]) -> None:
    notes = make_notes(commits)

    listed = {sha for entry in notes.entries for sha in entry.commit_shas}
    named = {e.sha: e.detail.split()[-1] for e in notes.excluded if e.reason is ExclusionReason.DUPLICATE}
    for sha in named:
        at, steps = sha, 0
        while at in named and steps <= len(named):
            at, steps = named[at], steps + 1
        assert at in listed


@settings(max_examples=200, deadline=None)
@given(COMMITS)
def test_notes_are_the_same_twice_and_can_be_written(commits: list[Commit]) -> None:
    first, second = make_notes(commits), make_notes(commits)

    assert first == second
    assert to_json(first).encode() == to_json(second).encode()
    assert to_markdown(first).encode() == to_markdown(second).encode()


@settings(max_examples=300, deadline=None)
@given(MESSAGES)
def test_headings_of_the_notes_are_ours_alone(message: str) -> None:
    commits = [Commit("a" * 40, f"feat!: x\n\nBREAKING CHANGE: {message}"), Commit("b" * 40, f"fix: {message}")]
    lines = to_markdown(make_notes(commits)).splitlines()

    assert lines[0] == "## [Unreleased]"
    assert {line for line in lines[1:] if line and line[0] not in "- "} <= {
        "No changes that users notice.",
        *(f"### {name}" for name in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")),
    }
    assert not any("<" in line for line in lines)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_message_of_a_hundred_kilobytes_takes_no_time(name: str) -> None:
    text = HOSTILE[name]
    messages = [text, f"feat: x\n\n{text}", f"Merge pull request #1 from a/b\n\n{text}"]
    started = time.process_time()

    to_markdown(make_notes([Commit(f"{number}" * 40, message) for number, message in enumerate(messages)]))

    assert time.process_time() - started < 1.0


def test_message_of_a_megabyte_is_read() -> None:
    commit = read(Commit("a" * 40, "feat: x\n\n" + "word #1\n" * 125_000))

    assert (commit.type, len(commit.body)) == ("feat", 999_999)


def test_thousand_commits_take_less_than_two_seconds() -> None:
    bodies = [
        "",
        "Words about it, with #12 and more.\n" * 20,
        "\n\nBREAKING CHANGE: y\n\nSigned-off-by: A <a@b.c>",
    ]
    subjects = [
        *("feat(cart): pay by invoice (#{})", "Improve the order of payments (#{})", 'Revert "Add {}"', "Add {}")
    ]
    commits = [Commit(f"{n:040x}", f"{subjects[n % 4].format(n)}\n\n{bodies[n % 3]}") for n in range(1000)]
    started = time.process_time()

    notes = make_notes(commits)

    assert time.process_time() - started < 2.0
    assert notes.commit_count == 1000


def test_many_commits_that_are_made_to_be_slow_stay_linear() -> None:
    count = 20_000
    kinds = ['Revert "Add x"', "Add x", "fixup! Add x", "Add x (#1)", 'Reapply "Add x"']
    commits = [Commit(f"{n:040x}", kinds[n % 5], parent_shas=(f"{n + 1:040x}", f"{n + 7:040x}")) for n in range(count)]
    started = time.process_time()

    notes = make_notes(commits)

    assert sum(len(entry.commit_shas) for entry in notes.entries) + len(notes.excluded) == count
    assert time.process_time() - started < 15
