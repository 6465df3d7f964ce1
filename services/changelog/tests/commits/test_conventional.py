"""Conventional Commits 1.0.0: its sixteen rules and the examples of its text, each as a test."""

import pytest

from changelog_service.commits import Bump, Commit, ExclusionReason, ReadCommit, Section, make_notes, read
from changelog_service.commits.conventional import parse_header, parse_message


def said(message: str) -> ReadCommit:
    return read(Commit("a" * 40, message))


def bump_of(message: str) -> Bump:
    return make_notes([Commit("a" * 40, message)]).bump


def test_rule_1_prefix_is_a_type_an_optional_scope_an_optional_mark_and_colon_space() -> None:
    commit = said("feat(parser)!: add ability to parse arrays")

    assert (commit.type, commit.scope, commit.breaking) == ("feat", "parser", True)
    assert commit.description == "add ability to parse arrays"
    assert commit.conventional


@pytest.mark.parametrize(
    "subject",
    [
        "add ability to parse arrays",
        "feat:add it",
        "feat : add it",
        "feat add it",
        "feat() : add it",
        "feat(): add it",
        "feat(a)(b): add it",
        "feat !: add it",
        "feat!!: add it",
        "feat(a) b: add it",
        "feat: ",
        "feat:",
        ": add it",
        "(a): add it",
        "two words: add it",
        "- feat: add it",
        "feat(a: add it",
    ],
)
def test_rule_1_what_lacks_a_part_of_the_prefix_is_of_another_style_and_is_kept(subject: str) -> None:
    commit = said(subject)
    notes = make_notes([commit.commit])

    assert not commit.conventional
    assert [*(sha for entry in notes.entries for sha in entry.commit_shas), *(e.sha for e in notes.excluded)] == [
        commit.commit.sha
    ]


def test_rules_2_and_3_feat_adds_and_fix_repairs() -> None:
    assert (said("feat: a thing").section, bump_of("feat: a thing")) == (Section.ADDED, Bump.MINOR)
    assert (said("fix: a thing").section, bump_of("fix: a thing")) == (Section.FIXED, Bump.PATCH)


@pytest.mark.parametrize(
    ("subject", "scope"),
    [("fix(parser): x", "parser"), ("fix(two words): x", "two words"), ("fix(a/b,c-d): x", "a/b,c-d"), ("fix: x", "")],
)
def test_rule_4_scope_stands_in_parentheses_and_may_be_missing(subject: str, scope: str) -> None:
    assert (said(subject).scope, said(subject).conventional) == (scope, True)


def test_rule_5_description_follows_the_colon_and_space() -> None:
    assert said("fix: array parsing issue: when multiple (spaces) were in string").description == (
        "array parsing issue: when multiple (spaces) were in string"
    )


def test_rules_6_and_7_body_begins_after_one_blank_line_and_has_any_paragraphs() -> None:
    message = parse_message("fix: x\n\nfirst line\nsecond line\n\nsecond paragraph\n")

    assert message.body == "first line\nsecond line\n\nsecond paragraph"
    assert message.footers == ()
    assert message.separated


def test_rule_6_without_the_blank_line_the_message_does_not_conform_but_says_the_same() -> None:
    commit = said("feat: x\nmore of it")

    assert not commit.conventional
    assert (commit.type, commit.section, commit.body) == ("feat", Section.ADDED, "more of it")


@pytest.mark.parametrize(
    ("line", "footer"),
    [
        ("Reviewed-by: Z", ("Reviewed-by", "Z")),
        ("Refs: #123", ("Refs", "#123")),
        ("Refs #133", ("Refs", "#133")),
        ("Fixes #12 and more", ("Fixes", "#12 and more")),
        ("Acked-by: A: B #3", ("Acked-by", "A: B #3")),
        ("BREAKING CHANGE: it breaks", ("BREAKING CHANGE", "it breaks")),
        ("BREAKING-CHANGE: it breaks", ("BREAKING-CHANGE", "it breaks")),
    ],
)
def test_rules_8_and_9_footer_is_a_word_token_a_separator_and_a_value(line: str, footer: tuple[str, str]) -> None:
    message = parse_message(f"fix: x\n\nbody\n\n{line}")

    assert message.footers == (footer,)
    assert message.body == "body"


@pytest.mark.parametrize(
    "line", ["Reviewed by: Z", "See https://a.b/c", "Reviewed-by:Z", "Reviewed-by :Z", "A# 1", "-a: b"]
)
def test_rules_8_and_9_what_has_no_token_and_separator_is_body(line: str) -> None:
    message = parse_message(f"fix: x\n\n{line}")

    assert (message.body, message.footers) == (line, ())


def test_rule_8_footers_may_follow_the_description_and_begin_after_a_blank_line_only() -> None:
    assert parse_message("fix: x\n\nRefs: 1").footers == (("Refs", "1"),)
    assert parse_message("fix: x\n\nbody\nRefs: 1").footers == ()


def test_rule_10_value_has_spaces_and_newlines_and_ends_where_the_next_token_is() -> None:
    message = parse_message(
        "feat: x\n\nbody\n\nBREAKING CHANGE: first line\nsecond line\n\nsecond paragraph\n"
        "Refs #12\nReviewed-by: Z\n and Y\n"
    )

    assert message.footers == (
        ("BREAKING CHANGE", "first line\nsecond line\n\nsecond paragraph"),
        ("Refs", "#12"),
        ("Reviewed-by", "Z\n and Y"),
    )


@pytest.mark.parametrize(
    "message",
    [
        "feat!: x",
        "feat(api)!: x",
        "chore!: drop support for Node 6",
        "feat: x\n\nBREAKING CHANGE: environment variables take precedence",
        "chore: x\n\nBREAKING CHANGE: y",
        "docs: x\n\nBREAKING-CHANGE: y",
        "feat!: x\n\nBREAKING CHANGE: y",
        "feat: x\n\nbody\nBREAKING CHANGE: the blank line is missing",
        "feat: x\n\nBREAKING CHANGE:\n  the note stands below",
        "Change the wire format\n\nBREAKING CHANGE: y",
    ],
)
def test_rules_11_to_13_and_16_break_is_marked_in_the_prefix_or_in_a_footer(message: str) -> None:
    notes = make_notes([Commit("a" * 40, message)])

    assert [entry.breaking for entry in notes.entries] == [True]
    assert (notes.bump, notes.bump_sha) == (Bump.MAJOR, "a" * 40)


@pytest.mark.parametrize(
    "message",
    [
        "feat: x\n\nbreaking change: y",
        "feat: x\n\nBreaking Change: y",
        "feat: x\n\nBreaking-change: y",
        "feat: x\n\nBREAKING CHANGE y",
        "feat: x\n\nBREAKING CHANGES: y",
        "feat: x\n\nthis is a BREAKING CHANGE: y",
        "feat: BREAKING CHANGE is a phrase",
        "feat: watch out!",
        "feat!x: y",
    ],
)
def test_rules_12_and_15_only_upper_case_at_the_start_of_a_footer_breaks(message: str) -> None:
    assert not said(message).breaking


def test_rule_12_note_is_what_the_footer_says() -> None:
    assert said("feat: x\n\nBREAKING CHANGE: use y\nin place of x\nRefs: #3").breaking_note == "use y\nin place of x"


def test_rule_13_mark_alone_suffices_and_the_description_tells_of_the_break() -> None:
    entry = make_notes([Commit("a" * 40, "feat!: send an email to the customer")]).entries[0]

    assert (entry.breaking, entry.breaking_note, entry.text) == (True, "", "Send an email to the customer")


@pytest.mark.parametrize("name", ["docs", "chore", "refactor", "perf", "style", "test", "build", "ci", "wibble"])
def test_rule_14_other_types_may_be_used(name: str) -> None:
    commit = said(f"{name}: update ref")

    assert (commit.type, commit.conventional) == (name, True)


@pytest.mark.parametrize("name", ["docs", "chore", "refactor", "perf", "style", "test", "build", "ci", "revert"])
def test_rule_14_other_types_raise_no_version_unless_they_break(name: str) -> None:
    assert bump_of(f"{name}: update ref") is Bump.NONE
    assert bump_of(f"{name}!: update ref") is Bump.MAJOR


@pytest.mark.parametrize("name", ["feat", "FEAT", "Feat", "fEaT"])
def test_rule_15_types_do_not_depend_on_case(name: str) -> None:
    assert (said(f"{name}: x").type, bump_of(f"{name}: x")) == ("feat", Bump.MINOR)


@pytest.mark.parametrize("token", ["release-as", "Release-As", "RELEASE-AS"])
def test_rule_15_tokens_do_not_depend_on_case(token: str) -> None:
    assert (
        make_notes([Commit("a" * 40, f"chore: x\n\n{token}: 3.0.0")], previous_version="1.0.0").next_version == "3.0.0"
    )


def test_example_of_a_multi_paragraph_body_and_multiple_footers() -> None:
    commit = said(
        "fix: prevent racing of requests\n\n"
        "Introduce a request id and a reference to latest request. Dismiss\n"
        "incoming responses other than from latest.\n\n"
        "Remove timeouts which were used to mitigate the racing issue but are\nobsolete now.\n\n"
        "Reviewed-by: Z\nRefs: #123"
    )

    assert (commit.type, commit.section, commit.conventional) == ("fix", Section.FIXED, True)
    assert commit.footers == (("Reviewed-by", "Z"), ("Refs", "#123"))
    assert commit.references == ("#123",)


def test_windows_line_ends_mean_the_same() -> None:
    commit = said("feat: x\r\n\r\nbody\r\n\r\nBREAKING CHANGE: y\r\nz\r\nRefs #1\r\n")

    assert (commit.description, commit.breaking_note, commit.footers[-1]) == ("x", "y\nz", ("Refs", "#1"))


def test_override_stands_for_the_whole_message() -> None:
    commit = said(
        "WIP stuff (#9)\n\nBEGIN_COMMIT_OVERRIDE\nfix(cart): count twice\n\nRefs: #4\nEND_COMMIT_OVERRIDE\n\nnoise"
    )

    assert (commit.type, commit.scope, commit.description, commit.references) == ("fix", "cart", "count twice", ("#4",))


@pytest.mark.parametrize("inside", ["", "\n  \n"])
def test_empty_override_and_one_without_end_change_nothing(inside: str) -> None:
    assert said(f"fix: x\n\nBEGIN_COMMIT_OVERRIDE\n{inside}END_COMMIT_OVERRIDE").description == "x"
    assert said(f"fix: x\n\nBEGIN_COMMIT_OVERRIDE\n{inside}fix: y").description == "x"


def test_mark_of_a_commit_inside_a_squash_breaks() -> None:
    assert said("Rework the cart (#3)\n\n* feat(cart)!: drop v1\n\n* fix: typo").breaking
    assert not said("Rework the cart (#3)\n\n* look out!: drop v1").breaking


def test_header_keeps_what_the_author_wrote() -> None:
    header = parse_header("Fix( Parser )!:  two  spaces")

    assert header is not None
    assert (header.type, header.scope, header.breaking, header.description) == ("Fix", "Parser", True, "two  spaces")


def test_empty_message_is_left_out_as_saying_nothing() -> None:
    for message in ("", "\n\n", "   ", "\t\n \n"):
        notes = make_notes([Commit("a" * 40, message)])

        assert [(e.sha, e.reason) for e in notes.excluded] == [("a" * 40, ExclusionReason.MEANINGLESS)]
        assert (notes.entries, notes.bump, notes.bump_sha) == ((), Bump.NONE, "")
