"""What people see in the terminal: tables, the cited summary, and plain text when the output is piped."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

SEVERITY_STYLE = {
    "FATAL": "bold red",
    "ERROR": "red",
    "WARN": "yellow",
    "INFO": "green",
    "DEBUG": "dim",
    "TRACE": "dim",
}
STATE_STYLE = {"SUMMARIZED": "green", "RECEIVED": "yellow", "FAILED": "red"}
SPARK = "▁▂▃▄▅▆▇█"
PIPED_WIDTH = 160
TABLE_WIDTH = 125
"""Columns from which there is room for templates beside their numbers, and for names beside ids."""
COURSE_WIDTH = 96
NARROW_WIDTH = 67
"""Columns from which both ends of a pattern fit on one line."""
COURSE_COLUMNS = 30
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys in place of showing them: escapes, and those that turn the reading direction."""


def inert(text: str) -> str:
    """Text of somebody else that no terminal takes for orders: each such character is replaced by a mark."""
    return _COMMANDS.sub("\ufffd", text)


def console_for(*, stderr: bool = False) -> Console:
    """A console that wraps at the terminal's width, and at a fixed one when the output is piped."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)
    return console


def many(count: int, one: str, more: str = "") -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def sparkline(counts: Sequence[int]) -> str:
    """Counts over time as one line of blocks; a bucket with nothing stays blank."""
    top = max(counts, default=0)
    return "".join(" " if count == 0 else SPARK[min(7, count * 8 // (top + 1))] for count in counts)


def severity(name: str | None) -> Text:
    """A severity in its colour; nothing for lines that do not say."""
    return Text("" if name in {None, "UNSPECIFIED"} else str(name), style=SEVERITY_STYLE.get(name or "", ""))


def clock(timestamp: str | None) -> str:
    """An ISO 8601 time, to the second, in UTC."""
    return (timestamp or "").replace("T", " ")[:19]


def template(text: str) -> Text:
    """A pattern's template with its parameters set apart."""
    shown = Text(inert(text), overflow="fold")
    shown.highlight_regex(r"<\*>", style="cyan")
    return shown


def logs_list(nodes: Iterable[Mapping[str, Any]], width: int) -> RenderableType:
    """Logs of the graph in their order; a narrow terminal gets each on two lines."""
    if width < TABLE_WIDTH:
        return Group(*(line for log in nodes for line in _narrow_log(log)))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "name", "service", "state", "status", "worst", "records", "arrived"):
        table.add_column(
            column, justify="right" if column == "records" else "left", no_wrap=column in {"id", "arrived"}
        )
    for log in nodes:
        table.add_row(
            log["id"],
            Text(inert(log["name"])),
            Text(inert(log["service"] or "")),
            Text(log["state"].lower(), style=STATE_STYLE[log["state"]]),
            log["status"].lower(),
            severity(log["severity"]),
            f"{log['recordCount']:,}",
            clock(log["createdAt"]),
        )
    return table


def _narrow_log(log: Mapping[str, Any]) -> Iterable[Text]:
    yield Text(f"{log['id']}  {clock(log['createdAt'])}  {many(log['recordCount'], 'record')}")
    service = f" of {inert(log['service'])}" if log["service"] else ""
    state = (log["state"].lower(), STATE_STYLE[log["state"]])
    worst = severity(log["severity"])
    named = Text.assemble("    ", (inert(log["name"]), "bold"), service, ": ", state, f", {log['status'].lower()}")
    yield Text.assemble(named, ", worst ", worst) if worst else named


def patterns_list(rows: Iterable[Mapping[str, Any]], title: str, width: int) -> RenderableType:
    """Patterns, most frequent first: count, share, severity, first and last seen, course over time, template.

    A terminal that is too narrow for a table gets each template on a line of its own, and at last no course.
    """
    if width < TABLE_WIDTH:
        return Group(Text(inert(title)), *_narrow_patterns(rows, width))
    table = Table(title=Text(inert(title)), title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("count", justify="right")
    table.add_column("%", justify="right")
    table.add_column("level")
    table.add_column("first seen", no_wrap=True)
    table.add_column("last seen", no_wrap=True)
    table.add_column("over time", no_wrap=True)
    table.add_column("pattern", ratio=1, overflow="fold")
    for row in rows:
        table.add_row(
            f"{row['count']:,}",
            f"{row['share'] * 100:.1f}",
            severity(row["severity"]),
            clock(row["first"]),
            clock(row["last"]),
            sparkline(row["course"]),
            template(row["template"]),
        )
    return table


def _narrow_patterns(rows: Iterable[Mapping[str, Any]], width: int) -> Iterable[RenderableType]:
    course = width >= COURSE_WIDTH
    between = "  " if width >= NARROW_WIDTH else "\n" + " " * 25
    over_time = "  over time" if course else ""
    yield Text(f"{'count':>9}  {'%':>5}  level  {'first seen':<19}{between}{'last seen':<19}{over_time}", style="dim")
    for row in rows:
        level = severity(row["severity"])
        level.pad_right(5 - len(level))
        share = f"{row['share'] * 100:.1f}"
        line = Text(f"{row['count']:>9,}  {share:>5}  ") + level
        line.append(f"  {clock(row['first']):<19}{between}{clock(row['last']):<19}")
        yield line.append(f"  {sparkline(row['course'])}") if course else line
        yield Padding(template(row["template"]), (0, 0, 0, 4))


def pattern_rows(nodes: Sequence[Mapping[str, Any]], record_count: int) -> list[dict[str, Any]]:
    """Rows for `patterns_list` from LogPatternCount nodes of the graph, their courses side by side in time."""
    courses = _courses([node["buckets"] for node in nodes], max((node["bucketSeconds"] for node in nodes), default=1))
    return [
        {
            "count": node["count"],
            "share": node["count"] / max(1, record_count),
            "severity": max(node["severityCounts"], key=lambda pair: pair["count"])["severity"],
            "first": node["firstTime"],
            "last": node["lastTime"],
            "course": course,
            "template": node["pattern"]["template"],
        }
        for node, course in zip(nodes, courses, strict=True)
    ]


def _courses(listed: Sequence[Sequence[Mapping[str, Any]]], bucket_seconds: int) -> list[list[int]]:
    """Counts over time on one axis for all: the graph leaves empty buckets out."""
    counts = [[(datetime.fromisoformat(b["startTime"]).timestamp(), b["count"]) for b in buckets] for buckets in listed]
    moments = [moment for course in counts for moment, _ in course]
    start, end = min(moments, default=0.0), max(moments, default=0.0)
    column = max(bucket_seconds, 1, (end - start) / COURSE_COLUMNS)
    courses = []
    for course in counts:
        columns = [0] * (int((end - start) / column) + 1) if course else []
        for moment, count in course:
            columns[int((moment - start) / column)] += count
        courses.append(columns)
    return courses


def stored_summary(written: Mapping[str, Any]) -> Iterable[Text]:
    """A LogSummary of the graph, with the lines behind each sentence."""
    note = f", since the model failed: {written['fallbackReason']}" if written["fallbackReason"] else ""
    sentences = [
        {
            "text": sentence["text"],
            "lines": [{"line_number": line["lineNumber"], "body": line["body"]} for line in sentence["records"]],
        }
        for sentence in written["sentences"]
    ]
    return summary(sentences, engine=written["engine"], note=note)


def summary(sentences: Sequence[Mapping[str, Any]], *, engine: str, note: str = "") -> Iterable[Text]:
    """The summary: each sentence with its number, below it the lines that it rests on."""
    yield Text.assemble(("Summary", "bold"), (f"  written by the {engine} engine{note}", "dim"))
    for number, sentence in enumerate(sentences, start=1):
        yield Text.assemble((f"{number:>2}. ", "dim"), inert(sentence["text"]))
        for line in sentence["lines"]:
            where = f"line {line['line_number']}"
            yield Text.assemble(
                ("    └ ", "dim"),
                (f"{where:<12}", "dim"),
                (inert(line["body"].split("\n", 1)[0][:200]), "dim"),
                overflow="ellipsis",
            )
