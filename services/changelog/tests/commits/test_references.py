import pytest

from changelog_service.commits.references import find_references, pull_request, without_trailing_references


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("Add x (#12)", ("#12",)),
        ("Fixes #12, closes #13 and resolves GH-14", ("#12", "#13", "#14")),
        ("See owner/repo#7 and group/project!8 and !9", ("owner/repo#7", "group/project!8", "!9")),
        ("https://github.com/owner/repo/issues/7#issuecomment-1", ("owner/repo#7",)),
        ("https://github.com/owner/repo/pull/7/files.", ("owner/repo#7",)),
        ("(https://gitlab.example/group/sub/project/-/merge_requests/8)", ("group/sub/project#8",)),
        ("#12 #12 #3", ("#12", "#3")),
        ("PR#12", ()),
        ("color #ff0000 and #12abc", ()),
        ("&#60; C#7 a#1b page#2", ()),
        ("#1234567890", ()),
        ("no reference at all", ()),
        ("[#12], {#13}: #14.", ("#12", "#13", "#14")),
    ],
)
def test_references_are_found_in_every_form(text: str, references: tuple[str, ...]) -> None:
    assert find_references(text) == references


def test_references_are_bounded() -> None:
    assert len(find_references(" ".join(f"#{number}" for number in range(1, 1000)))) == 50


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Add x (#12)", "12"),
        ("Add x (#11) (#12)", "12"),
        ("Add x (pull request #12)", "12"),
        ("Add x #12", ""),
        ("", ""),
    ],
)
def test_number_of_a_squash_merge_stands_at_the_end(subject: str, number: str) -> None:
    assert pull_request(subject) == number


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Add x (#12)", "Add x"),
        ("Add x (#11) (#12)", "Add x"),
        ("Add x [#12]", "Add x"),
        ("Add x (fixes #12)", "Add x"),
        ("Add x (#12, #13)", "Add x"),
        ("Add x (GH-12)", "Add x"),
        ("Add x (for #12 and more)", "Add x (for #12 and more)"),
        ("Add x #12", "Add x #12"),
        ("Add x (1.0)", "Add x (1.0)"),
    ],
)
def test_description_stands_without_the_number_at_its_end(text: str, rest: str) -> None:
    assert without_trailing_references(text) == rest
