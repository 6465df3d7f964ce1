"""Tickets out of a CSV file, each row checked before the first is sent. Pure: it knows no server and no terminal.

Columns are found by name, regardless of case and order. What is wrong with a row is said with its line, its column and
what to do, and never stops the other rows; what is wrong with the file as a whole stops all.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

REQUIRED = ("title", "message")
OPTIONAL = (
    "reporter_name",
    "reporter_email",
    "service",
    "category",
    "priority",
    "team",
    "audience",
    "external_reference",
    "source",
)
COLUMNS = (*REQUIRED, *OPTIONAL)
ERROR_COLUMN = "error"
"""In a report of bad rows; a fixed report can be imported as it is, so this column says nothing here."""
DELIMITERS = (",", ";", "\t")
MAX_FILE_BYTES = 100_000_000
MAX_CHARACTERS = {
    "title": 200,
    "message": 20_000,
    "reporter_name": 200,
    "reporter_email": 320,
    "service": 200,
    "external_reference": 200,
    "source": 50,
}
ONE_LINE = frozenset(COLUMNS) - {"message"}
SOURCE = re.compile(r"[a-z][a-z0-9_-]{0,49}")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SURROGATE = re.compile("[\ud800-\udfff]")
EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
OPTION_COLUMNS = ("category", "priority", "team")


class FileUnusable(Exception):
    """Nothing of the file can be imported; the message says why and what to do."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row, where, and what to do."""

    column: str
    advice: str

    def __str__(self) -> str:
        return f"{self.column}: {self.advice}" if self.column else self.advice


@dataclass(frozen=True)
class Row:
    """One row of the file."""

    line: int
    """Line of the file that it begins at, 1 for the header."""
    cells: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    """By our names of the columns; empty cells are absent."""
    problems: tuple[Problem, ...] = ()
    same_as_line: int | None = None
    """Line of an earlier row that says exactly the same."""

    @property
    def key(self) -> str:
        """Names what the row says: an import that is run again makes no second ticket of it."""
        return "csv-" + sha256(json.dumps(dict(self.values), sort_keys=True).encode()).hexdigest()

    def ticket(self) -> dict[str, object]:
        """The row as the input of `createTicket`."""
        values = self.values
        given: dict[str, object] = {
            "title": values["title"],
            "description": values.get("message", ""),
            "source": values.get("source", "csv"),
        }
        given |= {name: values[name] for name in ("service", *OPTION_COLUMNS) if name in values}
        if "external_reference" in values:
            given["externalReference"] = values["external_reference"]
        if "audience" in values:
            given["audience"] = values["audience"].upper()
        if "reporter_name" in values or "reporter_email" in values:
            given["reporter"] = {
                "externalName": values.get("reporter_name"),
                "externalEmail": values.get("reporter_email"),
            }
        return given


@dataclass(frozen=True)
class Table:
    """A file that was read and checked."""

    delimiter: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    unused: tuple[str, ...]
    """Columns that no ticket has."""

    @property
    def good(self) -> list[Row]:
        """The rows to send."""
        return [row for row in self.rows if not row.problems and row.same_as_line is None]

    @property
    def bad(self) -> list[Row]:
        """The rows with problems."""
        return [row for row in self.rows if row.problems]

    @property
    def repeated(self) -> list[Row]:
        """The rows that say what an earlier row said."""
        return [row for row in self.rows if row.same_as_line is not None and not row.problems]


def decode(data: bytes, encoding: str = "utf-8") -> str:
    """The text of a file, without a byte order mark.

    Raises:
        FileUnusable: it is not in this encoding, or there is no such encoding.
    """
    try:
        known = codecs.lookup(encoding).name
    except LookupError as error:
        raise FileUnusable(f"{encoding} is no encoding. Examples: utf-8, utf-16, windows-1252") from error
    if known in {"utf-8", "utf-8-sig"} and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileUnusable("The file is UTF-16, not UTF-8. Say so: --encoding utf-16")
    try:
        return data.decode("utf-8-sig" if known == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        advice = (
            "Save it as UTF-8 (in Excel: CSV UTF-8), or name its encoding, such as --encoding windows-1252"
            if known in {"utf-8", "utf-8-sig"}
            else "Name another encoding with --encoding"
        )
        raise FileUnusable(f"The file is not {encoding}: line {line} holds other bytes. {advice}") from error
    except (LookupError, UnicodeError) as error:  # codecs that turn no bytes into text
        raise FileUnusable(f"The file cannot be read as {encoding}. Examples: utf-8, utf-16, windows-1252") from error


def read(text: str, mapping: Mapping[str, str], options: Mapping[str, Mapping[str, str]] | None = None) -> Table:
    """Read and check a file. `mapping` has our column names by theirs; `options` the keys by lower-case key or name.

    Raises:
        FileUnusable: it has no header with the columns that a ticket needs, or its quotes do not end.
    """
    names = {theirs.strip().casefold(): ours.strip().casefold() for theirs, ours in mapping.items()}
    unknown = sorted(set(names.values()) - set(COLUMNS))
    if unknown:
        raise FileUnusable(f"There is no column {', '.join(unknown)} to map to. Columns: {', '.join(COLUMNS)}")
    # The module's limit holds for all readers; what is too long for a ticket is said of its row, not of the file.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    delimiter = max(DELIMITERS, key=lambda each: _fit(text, each, names))
    records = _records(text, delimiter)
    _, header = next(records, (0, []))
    if not header:
        raise FileUnusable(f"The file is empty. Its first line names the columns: {','.join(REQUIRED)}")
    columns = _columns(header, names)
    rows = tuple(_checked(records, columns, options))
    if not rows:
        raise FileUnusable("The file has a header and no row below it.")
    return Table(
        delimiter=delimiter,
        header=tuple(header),
        rows=rows,
        unused=tuple(
            theirs for theirs, ours in zip(header, columns, strict=True) if not ours and not _is_error(theirs)
        ),
    )


def report(table: Table, errors: Mapping[int, str]) -> str:
    """The rows at these lines as a CSV file with what is wrong in a last column: fix it, and import it again."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=table.delimiter, lineterminator="\r\n")  # RFC 4180
    kept = [place for place, name in enumerate(table.header) if not _is_error(name)]
    writer.writerow([*(table.header[place] for place in kept), ERROR_COLUMN])
    for row in table.rows:
        if row.line in errors:
            cells = [row.cells[place] if place < len(row.cells) else "" for place in kept]
            writer.writerow([*cells, *row.cells[len(table.header) :], errors[row.line]])
    return written.getvalue()


def _is_error(name: str) -> bool:
    return name.strip().casefold() == ERROR_COLUMN


def _ours(name: str, names: Mapping[str, str]) -> str:
    """Our name of a column; nothing for one that no ticket has."""
    plain = name.strip().casefold()
    known = names.get(plain, plain.replace(" ", "_").replace("-", "_"))
    return known if known in COLUMNS else ""


def _fit(text: str, delimiter: str, names: Mapping[str, str]) -> tuple[int, int]:
    """How well a delimiter explains the first line: by columns that we know, then by columns."""
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return (0, 0)
    return (sum(1 for name in header if _ours(name, names)), len(header))


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it begins at; quoted cells may span lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileUnusable(
                f"Line {line}: a quote does not end, or has text behind it ({error}). "
                'Write a quote within a quoted cell twice, as in "say ""yes"""'
            ) from error
        if any(cell.strip() for cell in record):
            yield line, record


def _columns(header: Sequence[str], names: Mapping[str, str]) -> list[str]:
    columns = [_ours(name, names) for name in header]
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        found = ", ".join(name.strip()[:60] or "(no name)" for name in header[:20])
        raise FileUnusable(
            f"The first line has no column {' and no column '.join(missing)}. It has: {found}. "
            f"Name the one that you mean: --map THEIRS={missing[0]}"
        )
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise FileUnusable(f"Two columns are {', '.join(twice)}. Rename one, or map the right one with --map")
    return columns


def _checked(
    records: Iterable[tuple[int, list[str]]], columns: Sequence[str], options: Mapping[str, Mapping[str, str]] | None
) -> Iterator[Row]:
    seen: dict[str, int] = {}
    references: dict[tuple[str, str], int] = {}
    for line, cells in records:
        values = {
            name: cell if name == "message" else cell.strip()
            for name, cell in zip(columns, cells, strict=False)
            if name and cell.strip()
        }
        problems = [*_shape(cells, columns), *_problems(values)]
        problems += _resolve_options(values, options or {})
        row = Row(line, tuple(cells), values, tuple(problems))
        if not problems:
            row = _against_earlier(row, seen, references)
        yield row


def _against_earlier(row: Row, seen: dict[str, int], references: dict[tuple[str, str], int]) -> Row:
    earlier = seen.setdefault(row.key, row.line)
    if earlier != row.line:
        return Row(row.line, row.cells, row.values, same_as_line=earlier)
    if "external_reference" in row.values:
        reference = (row.values.get("source", "csv"), row.values["external_reference"])
        earlier = references.setdefault(reference, row.line)
        if earlier != row.line:
            advice = f"line {earlier} has this reference too, with other text; keep one of them"
            return Row(row.line, row.cells, row.values, (Problem("external_reference", advice),))
    return row


def _shape(cells: Sequence[str], columns: Sequence[str]) -> Iterator[Problem]:
    if len(cells) != len(columns):
        advice = f"the row has {len(cells)} cells, the header {len(columns)}; quote cells that hold the delimiter"
        yield Problem("", advice)


def _problems(values: dict[str, str]) -> Iterator[Problem]:
    if "title" not in values:
        yield Problem("title", "is empty; say in one line what it is about")
    for name, value in values.items():
        limit = MAX_CHARACTERS.get(name)
        if limit and len(value) > limit:
            yield Problem(name, f"has {len(value):,} characters, {limit:,} are allowed; shorten it")
        if name in ONE_LINE and CONTROL.search(value):
            yield Problem(name, "spans lines, or holds control characters; write it in one plain line")
        elif "\0" in value or SURROGATE.search(value):
            yield Problem(name, "holds characters that are no text (NUL or half a pair); delete them")
    yield from _forms(values)


def _forms(values: dict[str, str]) -> Iterator[Problem]:
    """Problems of cells that have to be of a form; words that have no case are put into lower case."""
    if "reporter_email" in values and not EMAIL.fullmatch(values["reporter_email"]):
        yield Problem("reporter_email", "is no e-mail address; write name@example.com, or leave it empty")
    if "audience" in values:
        values["audience"] = values["audience"].casefold()
        if values["audience"] not in {"general", "people"}:
            yield Problem("audience", "is neither general nor people; write one of them, or leave it empty")
    if "source" in values:
        values["source"] = values["source"].casefold()
        if not SOURCE.fullmatch(values["source"]):
            yield Problem("source", "is no word of letters, digits, - and _ that begins with a letter")


def _resolve_options(values: dict[str, str], options: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """Put keys in place of names; a name that nobody declared is a problem."""
    problems = []
    for name in OPTION_COLUMNS:
        if name not in values or name not in options:
            continue
        key = options[name].get(values[name].casefold())
        if key is None:
            offered = ", ".join(sorted(set(options[name].values()))[:12])
            problems.append(Problem(name, f"{values[name][:60]} is not declared here; there are: {offered}"))
        else:
            values[name] = key
    return problems
