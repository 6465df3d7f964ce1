"""Bytes to records: every ending, every encoding, bounded lines, whole stack traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs_service.patterns.reader import LineReader, looks_binary

if TYPE_CHECKING:
    from logs_service.patterns.record import RawRecord


def read(data: bytes, chunk_bytes: int = 1 << 20, limit: int = 65536) -> list[RawRecord]:
    """All records of an input that comes in chunks."""
    reader = LineReader(limit)
    records = []
    for start in range(0, len(data), chunk_bytes):
        records += reader.feed(data[start : start + chunk_bytes])
    return records + reader.close()


_PARTS = (b"a", b"\n", b"\r\n", b"\r", b"\xc3\xa4", b"\xff", b"  at x", b"2024-01-01 00:00:00 m")


@given(st.lists(st.sampled_from(_PARTS)), st.integers(1, 7))
def test_the_size_of_the_chunks_makes_no_difference(parts: list[bytes], chunk_bytes: int) -> None:
    data = b"".join(parts)

    assert read(data, chunk_bytes) == read(data)


def test_line_endings_byte_order_mark_colours_and_invalid_bytes() -> None:
    reader = LineReader()

    records = reader.feed(b"\xef\xbb\xbfone\r\n\x1b[31mtwo\x1b[0m\n\n  \nth\xffree\nnul\x00l") + reader.close()

    assert [record.text for record in records] == ["one", "two", "th\ufffdree", "nul\ufffdl"]
    assert [record.line_number for record in records] == [1, 2, 5, 6]
    assert reader.empty_lines == 2
    assert reader.line_count == 6


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("chunk_bytes", [1, 3, 4096])
def test_utf_16_with_its_mark_is_text_too(encoding: str, chunk_bytes: int) -> None:
    data = "\ufeffeins ä\r\nzwei\r\n".encode(encoding)

    assert [record.text for record in read(data, chunk_bytes)] == ["eins ä", "zwei"]


def test_an_input_of_one_byte_is_a_record() -> None:
    assert [record.text for record in read(b"x")] == ["x"]


def test_a_line_of_five_megabytes_is_cut_and_marked() -> None:
    records = read(b"a" * 5_000_000 + b"\nnext\n", chunk_bytes=65536, limit=1000)

    assert [(len(record.text), record.truncated) for record in records] == [(1000, True), (4, False)]


def test_a_long_line_never_fills_memory() -> None:
    reader = LineReader(1000)

    for _ in range(100):
        reader.feed(b"x" * 100_000)

    assert len(reader._tail) == 1000


_TRACES = (
    (
        "2024-01-01 10:00:00 ERROR Failed",
        "java.lang.IllegalStateException: no",
        "\tat a.B.c(B.java:1)",
        "Caused by: java.io.IOException: x",
        "\t... 12 more",
    ),
    ("Traceback (most recent call last):", '  File "a.py", line 1, in f', "    g()", "KeyError: 'a'"),
    ("ERROR app: failed", "Traceback (most recent call last):", '  File "a.py", line 1, in f', "ValueError: bad"),
    (
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        "KeyError: 1",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "a.py", line 3, in f',
        "app.errors.Refused: no",
    ),
    (
        "panic: runtime error: index out of range [5]",
        "",
        "goroutine 1 [running]:",
        "main.f(0x1, 0x2)",
        "\t/src/a.go:1 +0x1d",
        "exit status 2",
    ),
    (
        "TypeError: x is not a function",
        "    at f (/app/a.js:1:2)",
        "    at process.g (node:internal:1:1)",
    ),
    (
        "Unhandled exception. System.Exception: boom",
        "   at A.B() in /src/a.cs:line 3",
        "   --- End of inner exception stack trace ---",
        "   at A.C()",
    ),
    ("2024-01-01 10:00:00 INFO config", "  key: 1", "  other: 2"),
)


@pytest.mark.parametrize("trace", _TRACES)
def test_a_stack_trace_is_one_record(trace: tuple[str, ...]) -> None:
    records = read("\n".join((*trace, "2024-01-01 10:00:01 INFO next", "")).encode())

    joined = [line for line in trace if line]
    assert [record.text for record in records] == ["\n".join(joined), "2024-01-01 10:00:01 INFO next"]
    assert records[0].line_count == len(joined)


@pytest.mark.parametrize(
    "lines",
    [
        ["first message", " second message"],
        ["2024-01-01 10:00:00 a", "  2024-01-01 10:00:01 b"],
        ["2024-01-01 10:00:00 a", "plain text"],
        ["2024-01-01 10:00:00 a", "Error loading module"],
        ["one: two", "three: four"],
        ["Error loading a module", " second message"],
    ],
)
def test_lines_that_are_no_continuation_stay_records(lines: list[str]) -> None:
    assert [record.text for record in read("\n".join(lines).encode())] == lines


def test_an_endless_trace_is_bounded_and_marked() -> None:
    trace = "2024-01-01 10:00:00 ERROR x\n" + "\tat a.B.c(B.java:1)\n" * 10_000

    records = read(trace.encode())

    assert len(records) == 1
    assert records[0].truncated
    assert records[0].line_count == 10_001
    assert len(records[0].text) < 65_536


@pytest.mark.parametrize(
    ("sample", "binary"),
    [
        (b"", False),
        (b"2024-01-01 plain text\n", False),
        ("größe ändern 日本語\n".encode(), False),
        ("größe ändern, sonst nichts\n".encode("latin-1"), False),
        (b"\x1b[31mred\x1b[0m\n", False),
        (b"one \x00 nul in a long enough line of text\n", False),
        (b"\x1f\x8b\x08\x00rest", True),
        (b"\x89PNG\r\n\x1a\n", True),
        (bytes(range(256)) * 8, True),
        (b"\xfd\xfe\xfd\xfc" * 100, True),
        ("größe ändern\n".encode("utf-16"), False),
    ],
)
def test_binary_input_is_told_from_text(sample: bytes, binary: bool) -> None:  # noqa: FBT001 - a table of answers
    assert looks_binary(sample) is binary
