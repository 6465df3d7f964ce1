import contextlib
import csv
import io
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_cli import ticket_csv
from aiops_cli.ticket_csv import FileUnusable, Table

OPTIONS = {
    "category": {"bug": "bug", "a defect": "bug"},
    "priority": {"high": "high"},
    "team": {"payments": "payments", "the payments team": "payments"},
}
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
LINE = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


def read(text: str, mapping: Mapping[str, str] | None = None) -> Table:
    return ticket_csv.read(text, mapping or {}, OPTIONS)


def problems(text: str) -> list[tuple[int, str, str]]:
    """Line, column and advice of whatever is wrong."""
    return [(row.line, problem.column, problem.advice) for row in read(text).bad for problem in row.problems]


@given(
    rows=st.lists(st.tuples(LINE, CELL, LINE), min_size=1, max_size=8, unique_by=lambda row: row[0]),
    delimiter=st.sampled_from(ticket_csv.DELIMITERS),
    ending=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
)
def test_every_cell_arrives_as_it_was_written(
    rows: list[tuple[str, str, str]], delimiter: str, ending: str, *, mark: bool
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerows([("Title", "MESSAGE", "external reference"), *rows])
    data = written.getvalue().encode("utf-8-sig" if mark else "utf-8")

    table = read(ticket_csv.decode(data))

    assert table.delimiter == delimiter
    assert [row.cells for row in table.rows] == rows
    references = [reference for _, _, reference in rows]
    if len(set(references)) == len(references):
        assert [row.problems for row in table.rows] == [()] * len(rows)
    tickets = [row.ticket() for row in table.good]
    for ticket, row in zip(tickets, table.good, strict=True):
        title, message, reference = row.cells
        expected = message if message.strip() else ""
        assert (ticket["title"], ticket["description"], ticket["externalReference"]) == (title, expected, reference)


@given(st.text(max_size=300))
def test_whatever_the_text_each_row_is_good_bad_or_repeated_and_nothing_else_goes_wrong(text: str) -> None:
    try:
        table = read("title,message\n" + text)
    except FileUnusable:
        return
    else:
        found = sorted(row.line for part in (table.good, table.bad, table.repeated) for row in part)
        assert found == [row.line for row in table.rows]
        for row in table.good:
            assert 0 < len(str(row.ticket()["title"])) <= 200


@given(st.binary(max_size=300))
def test_whatever_the_bytes_a_file_is_read_or_refused(data: bytes) -> None:
    for encoding in ("utf-8", "utf-16", "windows-1252", "base64", "rot13", "no such thing"):
        with contextlib.suppress(FileUnusable):
            ticket_csv.read(ticket_csv.decode(data, encoding), {})


def test_lines_are_those_of_an_editor_when_quoted_cells_hold_line_breaks() -> None:
    text = 'title,message\n"a","one\ntwo\nthree"\n\n,empty title\nb,\n'

    table = read(text)

    assert [(row.line, row.cells[0]) for row in table.rows] == [(2, "a"), (6, ""), (7, "b")]
    assert [row.line for row in table.bad] == [6]


def test_a_row_as_the_input_of_a_ticket() -> None:
    header = (
        "title;message;Reporter Name;reporter_email;service;category;priority;team;audience;External-Reference;source"
    )
    row = "Pay slip;wrong sum;Ann;ann@example.com;payroll;A defect;HIGH;payments;People;INC-7;Helpdesk"

    [ticket] = [row.ticket() for row in read(f"{header}\n{row}\n").good]

    assert ticket == {
        "title": "Pay slip",
        "description": "wrong sum",
        "source": "helpdesk",
        "service": "payroll",
        "category": "bug",
        "priority": "high",
        "team": "payments",
        "audience": "PEOPLE",
        "externalReference": "INC-7",
        "reporter": {"externalName": "Ann", "externalEmail": "ann@example.com"},
    }


@pytest.mark.parametrize(
    ("row", "column", "advice"),
    [
        (",text,,,,", "title", "is empty; say in one line what it is about"),
        (f"{'x' * 201},,,,,", "title", "has 201 characters, 200 are allowed; shorten it"),
        ('"a\nb",,,,,', "title", "spans lines, or holds control characters; write it in one plain line"),
        ("a\x1b[2J,,,,,", "title", "spans lines, or holds control characters; write it in one plain line"),
        (f"a,{'x' * 200_000},,,,", "message", "has 200,000 characters, 20,000 are allowed; shorten it"),
        (
            "a,b\0c,,,,",
            "message",
            "holds characters that are no text (NUL or half a pair); delete them",
        ),
        ("a,,ann at example,,,", "reporter_email", "is no e-mail address; write name@example.com, or leave it empty"),
        ("a,,,chaos,,", "category", "chaos is not declared here; there are: bug"),
        ("a,,,,all,", "audience", "is neither general nor people; write one of them, or leave it empty"),
        ("a,,,,,a b", "source", "is no word of letters, digits, - and _ that begins with a letter"),
        ("a,b", "", "the row has 2 cells, the header 6; quote cells that hold the delimiter"),
        ("a,,,,,,", "", "the row has 7 cells, the header 6; quote cells that hold the delimiter"),
    ],
)
def test_what_is_wrong_with_a_row_names_line_column_and_what_to_do(row: str, column: str, advice: str) -> None:
    text = f"title,message,reporter_email,category,audience,source\nfine,,,,,\n{row}\nfine too,,,,,\n"

    found = problems(text)

    assert found == [(3, column, advice)]
    assert [good.values["title"] for good in read(text).good] == ["fine", "fine too"]


def test_rows_that_say_the_same_are_left_out_and_a_reference_names_one_ticket() -> None:
    text = "title,message,external_reference\na,b,1\na,b,1\na,other,1\nc,,\n"

    table = read(text)

    assert [row.line for row in table.good] == [2, 5]
    assert [(row.line, row.same_as_line) for row in table.repeated] == [(3, 2)]
    assert problems(text) == [
        (4, "external_reference", "line 2 has this reference too, with other text; keep one of them")
    ]


def test_keys_name_what_a_row_says_wherever_it_stands() -> None:
    one = read("title,message\na,b\n").good[0]
    same = read("message;title\n;first\nb;a\n").good[1]
    other = read("title,message\na,c\n").good[0]

    assert one.key == same.key
    assert one.key != other.key
    assert 16 <= len(one.key) <= 255


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The file is empty. Its first line names the columns: title,message"),
        ("\n \n", "The file is empty. Its first line names the columns: title,message"),
        ("title,message\n", "The file has a header and no row below it."),
        ("title,message\n,\n", "The file has a header and no row below it."),
        (
            "Subject,Body\na,b\n",
            (
                "The first line has no column title and no column message. It has: Subject, Body. "
                "Name the one that you mean: --map THEIRS=title"
            ),
        ),
        ("title,message,Title\na,b,c\n", "Two columns are title. Rename one, or map the right one with --map"),
        (
            'title,message\na,b\nc,"d\n',
            (
                "Line 3: a quote does not end, or has text behind it (unexpected end of data). Write a quote within a "
                'quoted cell twice, as in "say ""yes"""'
            ),
        ),
    ],
)
def test_a_file_that_is_no_list_of_tickets_says_what_to_do(text: str, said: str) -> None:
    with pytest.raises(FileUnusable) as refused:
        read(text)

    assert str(refused.value) == said


def test_columns_of_another_system_are_mapped() -> None:
    table = read("Subject\tBody\tAssignee\na\tb\tc\n", {"subject": "title", "Body": "Message"})

    assert [row.ticket() for row in table.good] == [{"title": "a", "description": "b", "source": "csv"}]
    assert table.unused == ("Assignee",)
    with pytest.raises(FileUnusable, match="There is no column owner to map to"):
        read("Subject,Body\na,b\n", {"Subject": "owner"})


@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        (
            "title,message\na,b\nz\u00fcrich,c\n".encode("windows-1252"),
            "utf-8",
            (
                "The file is not utf-8: line 3 holds other bytes. Save it as UTF-8 (in Excel: CSV UTF-8), or name its "
                "encoding, such as --encoding windows-1252"
            ),
        ),
        ("title,message\n".encode("utf-16"), "utf-8", "The file is UTF-16, not UTF-8. Say so: --encoding utf-16"),
        (b"title", "klingon", "klingon is no encoding. Examples: utf-8, utf-16, windows-1252"),
        (b"title", "base64", "The file cannot be read as base64. Examples: utf-8, utf-16, windows-1252"),
    ],
)
def test_an_encoding_that_does_not_fit_is_named(data: bytes, encoding: str, said: str) -> None:
    with pytest.raises(FileUnusable) as refused:
        ticket_csv.decode(data, encoding)

    assert str(refused.value) == said


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16", "utf-8", "UTF8", "utf-8-sig"])
def test_a_named_encoding_is_used(encoding: str) -> None:
    assert ticket_csv.decode("title,message\nz\u00fcrich,x\n".encode(encoding), encoding).endswith("z\u00fcrich,x\n")


def test_a_fixed_report_can_be_imported_as_it_is() -> None:
    text = 'title;message;owner;error\nfine;x;me;\n;"no; title\nat all";me;old news\nshort;row\n'
    table = read(text)

    written = ticket_csv.report(table, {row.line: str(row.problems[0]) for row in table.bad})

    assert written.split("\r\n") == [
        "title;message;owner;error",
        ';"no; title\nat all";me;"title: is empty; say in one line what it is about"',
        'short;row;;"the row has 2 cells, the header 4; quote cells that hold the delimiter"',
        "",
    ]
    fixed = read(written.replace(';"no', 'now with one;"no'))
    assert [row.values["title"] for row in fixed.good] == ["now with one", "short"]
    assert fixed.unused == ("owner",)
