"""`aiops patterns`: a log's patterns and its cited summary, with no server at all.

The same code as on a stack: logs' reader, header detection, miner, evidence and check, the chassis' redaction, and the
built-in engine of ai. Nothing leaves the machine and nothing is stored.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.text import Text

from ai_service.domain import Evidence as WordedEvidence
from ai_service.engines import builtin
from aiops_cli import render
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.source import open_source
from chassis.redaction import Redactor
from logs_service import evidence
from logs_service.patterns.analysis import LogAnalysis, PatternStats
from logs_service.patterns.reader import looks_binary
from logs_service.patterns.record import Severity

CHUNK_BYTES = 64 * 1024
BUCKETS = 120
NANOSECONDS = 1_000_000_000


def patterns(
    file: Annotated[str, typer.Argument(help="A file, plain or .gz, or - for standard input.")] = "-",
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many patterns to print.")] = 20,
    timezone: Annotated[str, typer.Option(help="IANA zone of times that do not say theirs.")] = "UTC",
    *,
    redact: Annotated[bool, typer.Option(help="Hide e-mail addresses, user names, keys and the like.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the patterns of a log, and a summary whose every sentence cites its lines. Needs no server.

    Example: kubectl logs my-pod | aiops patterns -
    """
    zone = _zone(timezone)
    console = render.console_for()
    name = "standard input" if file == "-" else Path(file).name
    with open_source(file, "kubectl logs my-pod | aiops patterns -") as stream:
        analysis = _analyse(stream, name, zone, redact=redact)
    found = analysis.patterns()
    width = _bucket_seconds(found)
    stats = [_stats(each, width) for each in found]
    summary = evidence.build_evidence(evidence.LogStats(name, "", analysis.total, width, stats))
    sentences = _sentences(summary)
    if as_json:
        typer.echo(json.dumps(_document(name, analysis.total, stats[:top], len(stats), sentences), indent=2))
        return
    start = min((each.first_time for each in found if each.first_time is not None), default=0)
    title = f"{render.many(len(stats), 'pattern')} of {render.many(analysis.total, 'record')} in {name}"
    rows = [_row(each, analysis.total, width, start) for each in stats[:top]]
    console.print(render.patterns_list(rows, title, console.width))
    if len(stats) > top:
        console.print(
            Text(f"{render.many(len(stats) - top, 'more pattern')}: --top {min(1000, len(stats))}", style="dim")
        )
    console.print()
    for line in render.summary(sentences, engine="built-in"):
        console.print(line)


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Failure(f"{name} is no IANA time zone. Examples: UTC, Europe/Berlin.", ExitCode.USAGE) from error


def _analyse(stream: BinaryIO, name: str, zone: tzinfo, *, redact: bool) -> LogAnalysis:
    """Read it all, with the count so far on the terminal."""
    analysis = LogAnalysis(
        now=datetime.now(UTC),
        timezone=zone,
        redact=Redactor().redact if redact else None,
        bucket_seconds=1,
        max_exemplars=5,
    )
    with render.console_for(stderr=True).status(Text(render.inert(f"Reading {name}"))) as status:
        for count, _ in enumerate(analysis.records(_chunks(stream, name)), start=1):
            if count % 5000 == 0:
                status.update(Text(render.inert(f"Reading {name}: {count:,} records")))
    if analysis.total == 0:
        raise Failure(f"{name} holds no line with text.", reason="LOG_EMPTY")
    return analysis


def _chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    first = True
    while chunk := stream.read1(CHUNK_BYTES) if hasattr(stream, "read1") else stream.read(CHUNK_BYTES):
        if first and looks_binary(chunk):
            message = f"{name} is not text. Unpack archives first; .gz files are unpacked by themselves."
            raise Failure(message, reason="LOG_NOT_TEXT")
        first = False
        yield chunk


def _bucket_seconds(found: list[PatternStats]) -> int:
    """A width that gives about 120 buckets over the whole log: bursts and growth drown in wider ones."""
    firsts = [each.first_time for each in found if each.first_time is not None]
    lasts = [each.last_time for each in found if each.last_time is not None]
    if not firsts or not lasts:
        return 1
    return max(1, -(-(max(lasts) - min(firsts)) // (NANOSECONDS * BUCKETS)))


def _stats(found: PatternStats, width: int) -> evidence.PatternStats:
    """The numbers of a pattern as the evidence takes them; a record's id is its line."""
    buckets: dict[int, int] = {}
    for second, count in found.buckets.items():
        buckets[second // width * width] = buckets.get(second // width * width, 0) + count
    return evidence.PatternStats(
        pattern_id=str(found.pattern_id),
        template=found.template,
        count=found.count,
        severities={int(severity): count for severity, count in found.severities.items()},
        first_time=found.first_time,
        last_time=found.last_time,
        buckets=buckets,
        exemplars=[
            evidence.Exemplar(record_id=str(key), time=time, body=body, line_number=int(str(key)))
            for key, time, body in found.exemplars
        ],
    )


def _sentences(summary: evidence.Evidence) -> list[dict[str, Any]]:
    """What the built-in engine says, through the same check as on a stack, with the lines behind each sentence."""
    worded = WordedEvidence.from_mapping(dataclasses.asdict(summary))
    said = [evidence.Sentence(s.text, s.entry_keys, s.record_ids) for s in builtin.word_entries(worded)]
    checked = evidence.check_sentences(summary, said[: builtin.MAX_SENTENCES], said)
    bodies = {record.record_id: record.body for entry in summary.entries for record in entry.exemplars}
    return [
        {
            "text": sentence.text,
            "lines": [{"line_number": int(key), "body": bodies[key]} for key in sentence.record_ids],
        }
        for sentence in checked.sentences
    ]


def _moment(nanoseconds: int | None) -> str | None:
    return None if nanoseconds is None else datetime.fromtimestamp(nanoseconds / NANOSECONDS, UTC).isoformat()


def _severity(found: evidence.PatternStats) -> str:
    return Severity(max(found.severities, key=lambda number: found.severities[number])).name


def _row(found: evidence.PatternStats, total: int, width: int, start: int) -> dict[str, Any]:
    column = width * BUCKETS // render.COURSE_COLUMNS
    course = [0] * (render.COURSE_COLUMNS + 1) if found.buckets else []
    for second, count in found.buckets.items():
        course[min(render.COURSE_COLUMNS, max(0, second - start // NANOSECONDS) // column)] += count
    return {
        "count": found.count,
        "share": found.count / total,
        "severity": _severity(found),
        "first": _moment(found.first_time),
        "last": _moment(found.last_time),
        "course": course,
        "template": found.template,
    }


def _document(
    name: str,
    total: int,
    stats: list[evidence.PatternStats],
    pattern_count: int,
    sentences: list[dict[str, Any]],
) -> Mapping[str, Any]:
    """The form that --json prints; names as in the GraphQL schema, in snake case."""
    return {
        "name": name,
        "record_count": total,
        "pattern_count": pattern_count,
        "patterns": [
            {
                "template": each.template,
                "count": each.count,
                "severity": _severity(each),
                "first_time": _moment(each.first_time),
                "last_time": _moment(each.last_time),
                "lines": [record.line_number for record in each.exemplars],
            }
            for each in stats
        ],
        "summary": {"engine": "builtin", "sentences": sentences},
    }
