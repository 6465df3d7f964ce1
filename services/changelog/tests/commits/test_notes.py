"""Accounting: each commit of a range is in one entry or left out, and what commits mean for each other."""

from collections.abc import Sequence

import pytest

from changelog_service.commits import Bump, Commit, ExclusionReason, Notes, make_notes

REVERTED, DUPLICATE, MERGE = ExclusionReason.REVERTED, ExclusionReason.DUPLICATE, ExclusionReason.MERGE


def sha(name: str) -> str:
    """Forty hex digits that begin with those of the name."""
    return name.encode().hex().ljust(40, "0")


def commit(name: str, message: str, *parents: str) -> Commit:
    return Commit(sha(name), message, parent_shas=tuple(sha(parent) for parent in parents))


def entries(notes: Notes) -> list[tuple[str, list[str]]]:
    return [(entry.text, list(entry.commit_shas)) for entry in notes.entries]


def left_out(notes: Notes) -> dict[str, tuple[ExclusionReason, str]]:
    return {each.sha: (each.reason, each.detail) for each in notes.excluded}


def accounted(notes: Notes, commits: Sequence[Commit]) -> bool:
    shas = [each for entry in notes.entries for each in entry.commit_shas] + [each.sha for each in notes.excluded]
    return sorted(shas) == sorted(each.sha for each in commits) and notes.commit_count == len(commits)


def revert(name: str, subject: str, target: str = "") -> Commit:
    body = f"This reverts commit {sha(target)}." if target else ""
    return commit(name, f'Revert "{subject}"\n\n{body}')


def test_no_commit_gives_no_entry_and_no_version() -> None:
    notes = make_notes([], previous_version="1.2.3")

    assert notes == Notes((), (), Bump.NONE, "", "1.2.3", "", 0)


def test_sha_that_stands_there_twice_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=f"commit {sha('a')} stands in the list twice"):
        make_notes([commit("a", "feat: x"), commit("b", "fix: y"), commit("a", "feat: z")])


def test_previous_version_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'next' is no semantic version"):
        make_notes([commit("a", "feat: x")], previous_version="next")


def test_first_commit_that_asks_for_the_highest_bump_decides() -> None:
    commits = [commit("a", "fix: a"), commit("b", "feat: b"), commit("c", "feat: c"), commit("d", "docs: d")]

    notes = make_notes(commits, previous_version="v1.4.2")

    assert (notes.bump, notes.bump_sha, notes.next_version) == (Bump.MINOR, sha("b"), "v1.5.0")


@pytest.mark.parametrize(
    ("message", "bump"),
    [
        ("Add invoices", Bump.MINOR),
        ("Deprecate invoices", Bump.MINOR),
        ("Remove invoices", Bump.MINOR),
        ("Fix invoices", Bump.PATCH),
        ("Improve invoices", Bump.PATCH),
        ("net/http: fix a leak", Bump.PATCH),
        ("installer: add a way", Bump.MINOR),
        ("Update README", Bump.NONE),
        ("perf: faster", Bump.NONE),
    ],
)
def test_commit_without_a_type_asks_for_what_it_says(message: str, bump: Bump) -> None:
    notes = make_notes([commit("a", message)], previous_version="1.0.0")

    assert (notes.bump, notes.bump_sha) == (bump, sha("a") if bump is not Bump.NONE else "")
    assert notes.next_version == {Bump.MINOR: "1.1.0", Bump.PATCH: "1.0.1", Bump.NONE: ""}[bump]


def test_below_one_a_break_is_major_and_raises_the_minor_part() -> None:
    notes = make_notes([commit("a", "feat!: x")], previous_version="0.4.2")

    assert (notes.bump, notes.next_version) == (Bump.MAJOR, "0.5.0")


def test_undone_and_repeated_commits_raise_no_version() -> None:
    commits = [revert("r", "feat!: x", "a"), commit("a", "feat!: x"), commit("b", "fix: y")]

    assert make_notes(commits, previous_version="1.0.0").next_version == "1.0.1"


def test_release_as_wins_and_the_newest_counts() -> None:
    commits = [
        commit("a", "chore: x\n\nRelease-As: not a version"),
        commit("b", "chore: y\n\nRelease-As: 3.0.0"),
        commit("c", "feat: z\n\nRelease-As: 2.0.0"),
    ]

    notes = make_notes(commits, previous_version="v1.4.2")

    assert (notes.next_version, notes.bump, notes.bump_sha) == ("v3.0.0", Bump.MAJOR, sha("b"))


def test_revert_and_its_target_are_left_out_and_name_each_other() -> None:
    commits = [revert("r", "Add x", "a"), commit("b", "fix: y"), commit("a", "Add x")]

    notes = make_notes(commits)

    assert entries(notes) == [("Y", [sha("b")])]
    assert left_out(notes) == {
        sha("r"): (REVERTED, f"reverts {sha('a')}"),
        sha("a"): (REVERTED, f"reverted by {sha('r')}"),
    }


@pytest.mark.parametrize(
    "message",
    [
        f"Revert the basket\n\nThis reverts commit {sha('a')[:7]}.",
        f'Revert "Add x (#3)" (#4)\n\nThis reverts commit {sha("a")}.',
        'Revert "Add x (#3)" (#4)\n\nReverts shop/api#3',
        'Revert "Add x (#3)" (#4)',
        'Revert "Add x"',
        f"revert: let us never speak of it\n\nRefs: {sha('a')[:10]}",
        "revert: Add x",
        f"Back out the basket\n\nThis reverts commit {sha('a').upper()}",
    ],
)
def test_revert_finds_its_target_by_hash_number_or_subject(message: str) -> None:
    notes = make_notes([commit("r", message), commit("b", "fix: y"), commit("a", "Add x (#3)")])

    assert set(left_out(notes)) == {sha("r"), sha("a")}


def test_revert_of_a_revert_restores() -> None:
    commits = [revert("s", 'Revert "Add x"', "r"), revert("r", "Add x", "a"), commit("a", "Add x")]

    notes = make_notes(commits)

    assert entries(notes) == [("Add x", [sha("a")])]
    assert left_out(notes) == {
        sha("s"): (REVERTED, f"reverts {sha('r')}"),
        sha("r"): (REVERTED, f"reverted by {sha('s')}"),
    }


def test_third_revert_takes_it_away_again() -> None:
    commits = [
        revert("t", 'Revert "Revert "Add x""', "s"),
        revert("s", 'Revert "Add x"', "r"),
        revert("r", "Add x", "a"),
        commit("a", "Add x"),
    ]

    notes = make_notes(commits)

    assert (entries(notes), accounted(notes, commits)) == ([], True)


def test_reapply_restores_and_a_new_try_is_an_entry() -> None:
    again = [commit("s", 'Reapply "Add x"'), revert("r", "Add x"), commit("a", "Add x")]
    anew = [commit("c", "Add x"), revert("r", "Add x"), commit("a", "Add x")]

    assert entries(make_notes(again)) == [("Add x", [sha("a")])]
    assert entries(make_notes(anew)) == [("Add x", [sha("c")])]


@pytest.mark.parametrize(
    ("subject", "section"), [("Add x", "REMOVED"), ("feat: x", "REMOVED"), ("Fix x", "CHANGED"), ("Use x", "CHANGED")]
)
def test_revert_of_what_was_there_before_is_an_entry(subject: str, section: str) -> None:
    notes = make_notes([revert("r", subject, "gone"), commit("b", "fix: y")])

    assert [(e.section, e.text) for e in notes.entries if e.commit_shas == (sha("r"),)] == [
        (section, f'Revert "{subject}"')
    ]


def test_revert_of_a_newer_commit_or_of_itself_undoes_nothing() -> None:
    notes = make_notes([commit("a", "Add x"), revert("r", "Add x", "a"), revert("q", "Add z", "q")])

    assert (left_out(notes), len(notes.entries)) == ({}, 3)


def test_revert_of_several_of_which_one_is_older_stays_an_entry() -> None:
    body = f"This reverts commits {sha('a')} and {sha('gone')}."
    notes = make_notes([commit("r", f"Revert both\n\n{body}"), commit("a", "Add x")])

    assert left_out(notes) == {sha("a"): (REVERTED, f"reverted by {sha('r')}")}
    assert [list(entry.commit_shas) for entry in notes.entries] == [[sha("r")]]


def test_revert_of_a_merge_undoes_what_the_merge_brought() -> None:
    commits = [
        Commit(
            sha("r"),
            f'Revert "Merge pull request #7 from topic"\n\nThis reverts commit {sha("m")}, reversing\nchanges to x.',
            parent_shas=(sha("m"),),
        ),
        commit("m", "Merge pull request #7 from topic\n\nAdd x", "b", "a2"),
        commit("a2", "Add more x", "a1"),
        commit("a1", "Add x", "b"),
        commit("b", "fix: y"),
    ]

    notes = make_notes(commits)

    assert entries(notes) == [("Y", [sha("b")])]
    assert {each.reason for each in notes.excluded} == {REVERTED}
    assert accounted(notes, commits)


def test_merge_is_left_out_beside_its_commits_which_get_its_number() -> None:
    commits = [
        commit("m", "Merge pull request #7 from topic\n\nAdd x", "b", "a"),
        commit("a", "Add x", "b"),
        commit("b", "fix: y"),
    ]

    notes = make_notes(commits)

    assert left_out(notes) == {sha("m"): (MERGE, "its commits stand for themselves")}
    assert {entry.text: entry.references for entry in notes.entries} == {"Add x": ("#7",), "Y": ()}


def test_merge_whose_commits_are_elsewhere_is_an_entry() -> None:
    commits = [
        commit("m", "Merge pull request #7 from topic\n\nAdd x", "n", "a"),
        commit("n", "Merge pull request #6 from other\n\nfix: y", "o", "c"),
    ]

    notes = make_notes(commits)

    assert [(entry.text, entry.references) for entry in notes.entries] == [("Add x", ("#7",)), ("Y", ("#6",))]
    assert notes.excluded == ()


def test_merge_of_unknown_parents_counts_as_one_where_most_are_commits() -> None:
    merge = commit("m", "Merge pull request #7 from topic\n\nAdd x")

    assert set(left_out(make_notes([merge, commit("a", "Add x"), commit("b", "fix: y")]))) == {sha("m")}
    assert entries(make_notes([merge])) == [("Add x", [sha("m")])]


def test_cherry_pick_is_left_out_beside_its_original() -> None:
    commits = [
        commit("p", f"fix: x\n\n(cherry picked from commit {sha('a')})"),
        commit("q", f"fix: other\n\n(cherry picked from commit {sha('gone')})"),
        commit("a", "fix: x"),
    ]

    notes = make_notes(commits)

    assert left_out(notes) == {sha("p"): (DUPLICATE, f"the same change as {sha('a')}")}
    assert entries(notes) == [("Other", [sha("q")]), ("X", [sha("a")])]


def test_same_pull_request_under_the_same_subject_is_listed_once() -> None:
    commits = [
        commit("a", "Add x (#7)"),
        commit("b", "Add x (#7)"),
        commit("c", "Add y (#7)"),
        commit("d", "Add x (#8)"),
    ]

    notes = make_notes(commits)

    assert left_out(notes) == {sha("a"): (DUPLICATE, f"the same change as {sha('b')}")}
    assert entries(notes) == [("Add x", [sha("b"), sha("d")]), ("Add y", [sha("c")])]


def test_one_of_several_copies_always_stays() -> None:
    commits = [
        commit("c", "Add x (#7)"),
        commit("b", "Add x (#7)"),
        commit("a", f"Add x (#7)\n\n(cherry picked from commit {sha('c')})"),
    ]

    notes = make_notes(commits)

    assert entries(notes) == [("Add x", [sha("b")])]
    assert left_out(notes) == {
        sha("c"): (DUPLICATE, f"the same change as {sha('b')}"),
        sha("a"): (DUPLICATE, f"the same change as {sha('c')}"),
    }


def test_commits_that_read_the_same_share_an_entry() -> None:
    commits = [commit("a", "Improve the order (#3)"), commit("b", "fix: y"), commit("c", "improve the order. (#4)")]

    notes = make_notes(commits)

    assert entries(notes)[0] == ("Improve the order", [sha("a"), sha("c")])
    assert notes.entries[0].references == ("#3", "#4")


def test_fixup_stands_with_the_commit_that_it_is_for() -> None:
    commits = [commit("f", "fixup! feat: x"), commit("g", "squash! gone"), commit("a", "feat: x")]

    notes = make_notes(commits)

    assert entries(notes) == [("X", [sha("f"), sha("a")])]
    assert left_out(notes) == {sha("g"): (ExclusionReason.MEANINGLESS, "to be melted into another commit")}


def test_entries_are_keyed_in_their_order_with_what_breaks_first() -> None:
    commits = [
        commit("a", "feat: one"),
        commit("b", "fix: two"),
        commit("c", "fix!: three"),
        commit("d", "Improve four"),
        commit("e", "feat: five"),
    ]

    notes = make_notes(commits)

    assert [(e.key, e.section.value, e.text) for e in notes.entries] == [
        ("c1", "FIXED", "Three"),
        ("c2", "FIXED", "Two"),
        ("c3", "ADDED", "One"),
        ("c4", "ADDED", "Five"),
        ("c5", "CHANGED", "Improve four"),
    ]


@pytest.mark.parametrize(
    ("message", "scope", "text"),
    [
        ("feat(cart): add it (#12)", "cart", "Add it"),
        ("feat: add it. (#12) (#13)", "", "Add it"),
        ("feat: iOS is known", "", "iOS is known"),
        ("feat: `run` is known", "", "`run` is known"),
        ("feat: foo.bar is known", "", "foo.bar is known"),
        ("feat: wait...", "", "Wait..."),
        ("feat: two   spaces\tand tab", "", "Two spaces and tab"),
        ("feat: (#12)", "", "(#12)"),
        ("installer: fix it (fixes #3)", "installer", "Fix it"),
        ("[cart] Add it", "cart", "Add it"),
        ("remove: improve its message", "remove", "Improve its message"),
    ],
)
def test_text_is_one_readable_line_without_the_number_at_its_end(message: str, scope: str, text: str) -> None:
    entry = make_notes([commit("a", message)]).entries[0]

    assert (entry.scope, entry.text) == (scope, text)


def test_two_tags_on_one_commit_change_nothing() -> None:
    tagged = Commit(sha("a"), "feat: x", tags=("v1.0.0", "latest"))

    assert entries(make_notes([tagged])) == [("X", [sha("a")])]


def test_hashes_that_are_shortened_find_their_commits() -> None:
    commits = [Commit("bbbbbbb", f"Revert it\n\nThis reverts commit {'a' * 40}."), Commit("aaaaaaa", "Add x")]

    assert {each.sha for each in make_notes(commits).excluded} == {"aaaaaaa", "bbbbbbb"}
