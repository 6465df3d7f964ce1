import json
from datetime import date

import pytest

from changelog_service.commits import Commit, make_notes, to_json, to_markdown
from changelog_service.commits.document import inert

COMMITS = [
    Commit("a" * 40, "feat(cart): pay by invoice (#12)\n\nCloses shop/api#7"),
    Commit("b" * 40, "fix!: count once\n\nBREAKING CHANGE: totals\nare lower now\n\n# Really\nRefs: #3"),
    Commit("c" * 40, "fix: show `<b>` & snake_case_name"),
    Commit("d" * 40, "docs: how to pay"),
]


def test_markdown_has_the_form_of_keep_a_changelog() -> None:
    notes = make_notes(COMMITS, previous_version="1.4.2")

    assert to_markdown(notes, title="2.0.0", date=date(2026, 11, 23)) == (
        "## [2.0.0] - 2026-11-23\n"
        "\n"
        "### Fixed\n"
        "\n"
        "- **Breaking:** Count once (#3)\n"
        "  totals are lower now # Really\n"
        "- Show \\`&lt;b>\\` & snake_case_name\n"
        "\n"
        "### Added\n"
        "\n"
        "- **cart:** Pay by invoice (#12, shop/api#7)\n"
    )


def test_notes_without_title_are_unreleased_and_empty_ones_say_so() -> None:
    assert to_markdown(make_notes([])) == "## [Unreleased]\n\nNo changes that users notice.\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("[click](javascript:alert(1))", "\\[click\\](javascript:alert(1))"),
        ("![x](http://tracker)", "!\\[x\\](http://tracker)"),
        ("**bold** _em_ ~~gone~~", "\\*\\*bold\\*\\* \\_em\\_ \\~\\~gone\\~\\~"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("+ item", "\\+ item"),
        ("> quote", "\\> quote"),
        ("===", "\\==="),
        ("---", "\\---"),
        ("--flag and #12", "--flag and #12"),
        ("#12 is done", "#12 is done"),
        ("2.0.0", "2.0.0"),
        ("1. item", "1\\. item"),
        ("12) item", "12\\) item"),
        ("a\n# heading\n\n- item", "a # heading - item"),
        ("a | b", "a \\| b"),
        ("&lt;b&gt; &#60; a & b", "&amp;lt;b&amp;gt; &amp;#60; a & b"),
        ("back\\slash", "back\\\\slash"),
        ("use `a_b*c` now", "use `a_b*c` now"),
        ("use `<b>` now", "use \\`&lt;b>\\` now"),
        ("one ` alone", "one \\` alone"),
        ("``two`` ticks", "\\`\\`two\\`\\` ticks"),
        ("```fence", "\\`\\`\\`fence"),
        ("snake_case_name __init__", "snake_case_name \\_\\_init\\_\\_"),
        ("a -> b => c", "a -> b => c"),
    ],
)
def test_what_commits_say_means_nothing_in_markdown_and_html(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_scope_note_and_title_are_inert_too() -> None:
    notes = make_notes([Commit("a" * 40, "feat(<b>)!: x\n\nBREAKING CHANGE: <i>\n## [9.9.9]\n- **more**")])

    assert to_markdown(notes, title="<u>\n# x") == (
        "## [&lt;u> # x]\n\n### Added\n\n- **Breaking:** **&lt;b>:** X\n  &lt;i> ## \\[9.9.9\\] - \\*\\*more\\*\\*\n"
    )


def test_json_holds_all_with_sorted_keys() -> None:
    notes = make_notes(COMMITS[:1] + COMMITS[3:], previous_version="v1.4.2")

    assert json.loads(to_json(notes)) == {
        "bump": "MINOR",
        "bump_sha": "a" * 40,
        "commit_count": 2,
        "entries": [
            {
                "breaking": False,
                "breaking_note": "",
                "commit_shas": ["a" * 40],
                "key": "c1",
                "references": ["#12", "shop/api#7"],
                "scope": "cart",
                "section": "ADDED",
                "text": "Pay by invoice",
            }
        ],
        "excluded": [
            {"detail": "documentation alone", "reason": "DOCUMENTATION", "sha": "d" * 40, "subject": "docs: how to pay"}
        ],
        "next_version": "v1.5.0",
        "previous_version": "v1.4.2",
    }
    assert to_json(notes).index('"bump"') < to_json(notes).index('"entries"') < to_json(notes).index('"excluded"')


def test_same_commits_give_the_same_bytes() -> None:
    first, second = (make_notes(COMMITS, previous_version="1.0.0") for _ in range(2))

    assert to_json(first).encode() == to_json(second).encode()
    assert to_markdown(first).encode() == to_markdown(second).encode()
