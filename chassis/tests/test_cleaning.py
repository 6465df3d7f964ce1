import pytest

from chassis.cleaning import clean_line, clean_text
from chassis.errors import InvalidArgument


def test_a_line_loses_its_outer_blanks_alone() -> None:
    assert clean_line("  Überlauf  im Lager \u00a0 5 ", field="name", minimum=1, maximum=30) == (
        "Überlauf  im Lager \u00a0 5"
    )
    assert clean_line("  <script>alert(1)</script> ", field="name", minimum=1, maximum=30).startswith("<script>")
    assert clean_line(" ", field="name", minimum=0, maximum=30) == ""
    assert len(clean_line(f" {'x' * 30} ", field="name", minimum=30, maximum=30)) == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this must have 1 to 1,000 characters, it has 0"),
        ("  ", "this must have 1 to 1,000 characters, it has 0"),
        ("x" * 1001, "this must have 1 to 1,000 characters, it has 1,001"),
        ("two\nlines", "this must be one line without control characters"),
        ("a\tb", "this must be one line without control characters"),
        ("nul\x00", "this must be one line without control characters"),
        ("a\x7fb", "this must be one line without control characters"),
        ("a\x85b", "this must be one line without control characters"),
        ("a\u2028b", "this must be one line without control characters"),
        ("a\u2029b", "this must be one line without control characters"),
    ],
)
def test_another_line_is_refused_under_its_field(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        clean_line(text, field="option.name", minimum=1, maximum=1000)

    assert (refused.value.message, refused.value.metadata) == (said, {"field": "option.name"})


def test_a_text_keeps_its_lines_and_blanks() -> None:
    assert clean_text(" a\n\tb ", field="notes", maximum=6) == " a\n\tb "
    assert clean_text(" \n ", field="notes", maximum=6) == " \n "
    assert clean_text(" a", field="notes", minimum=1, maximum=2) == " a"


@pytest.mark.parametrize(
    ("text", "minimum", "said"),
    [
        ("x" * 1001, 0, "this must have 0 to 1,000 characters, it has 1,001"),
        ("", 1, "this must have 1 to 1,000 characters, it has 0"),
        (" \n ", 1, "this must have 1 to 1,000 characters, it has 0"),
        ("nul\x00", 0, "this must not hold NUL characters"),
    ],
)
def test_another_text_is_refused_under_its_field(text: str, minimum: int, said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        clean_text(text, field="notes", minimum=minimum, maximum=1000)

    assert (refused.value.message, refused.value.metadata) == (said, {"field": "notes"})
