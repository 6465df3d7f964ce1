"""Headers are found from the lines themselves, whoever wrote them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from logs_service.patterns.header import HeaderDetector
from logs_service.patterns.reader import LineReader
from logs_service.patterns.record import ParsedRecord, Severity

_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_MESSAGES = (
    "Connected to 10.0.0.1:5432 in 12 ms",
    "User alice logged in",
    "cache miss for key user:42",
    "Request GET /api/v1/items took 35ms",
    "worker 3 done",
    "Starting up",
    "shutting down: signal 15",
    "Retry 2 of 5: connection refused",
)


def parse(lines: list[str], offset_hours: int = 0, sample_records: int = 200) -> list[ParsedRecord]:
    """The parsed records of some lines."""
    zone = timezone(timedelta(hours=offset_hours))
    reader, detector = LineReader(), HeaderDetector(now=_NOW, timezone=zone, sample_records=sample_records)
    records = reader.feed(("\n".join(lines) + "\n").encode()) + reader.close()
    return detector.feed(records) + detector.close()


def nanoseconds(text: str) -> int:
    """An ISO time as nanoseconds."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000


_TIME = "2024-01-02T03:04:05+00:00"
_MILLIS = "2024-01-02T03:04:05.123000+00:00"
# name, one line per level with {m} for the message and {n} for a number, time, severities, service
_FORMATS = (
    ("python", ("2024-01-02 03:04:05,123 - app.db - INFO - {m}", "2024-01-02 03:04:05,123 - app - ERROR - {m}"),
     _MILLIS, (Severity.INFO, Severity.ERROR), ("app.db", "app")),
    ("basic", ("INFO:root:{m}", "ERROR:app.db:{m}"), None, (Severity.INFO, Severity.ERROR), ("root", "app.db")),
    ("uvicorn", ("INFO:     {m}", "WARNING:  {m}"), None, (Severity.INFO, Severity.WARN), (None, None)),
    ("loguru", ("2024-01-02 03:04:05.123 | INFO     | app.main:run:{n} - {m}",
                "2024-01-02 03:04:05.123 | CRITICAL | app.main:run:{n} - {m}"),
     _MILLIS, (Severity.INFO, Severity.FATAL), ("app.main", "app.main")),
    ("spring", ("2024-01-02T03:04:05.123Z  INFO {n} --- [nio-exec-{n}] c.e.demo.App : {m}",
                "2024-01-02T03:04:05.123Z  WARN {n} --- [main] c.e.demo.Service : {m}"),
     _MILLIS, (Severity.INFO, Severity.WARN), ("c.e.demo.App", "c.e.demo.Service")),
    ("log4j", ("2024-01-02 03:04:05,123 INFO [main] org.example.A$B: {m}",
               "2024-01-02 03:04:05,123 FATAL [pool {n}] org.example.C: {m}"),
     _MILLIS, (Severity.INFO, Severity.FATAL), ("org.example.A$B", "org.example.C")),
    ("dashes", ("2024-01-02 03:04:05,123 - INFO  [Peer[id=1]/0:0:0:2181:Vote@{n}] - {m}",
                "2024-01-02 03:04:05,123 - WARN  [Sender:18897:Queue$Sender@{n}] - {m}"),
     _MILLIS, (Severity.INFO, Severity.WARN), (None, None)),
    ("short year", ("24/01/02 03:04:05 INFO storage.Manager: {m}", "24/01/02 03:04:05 ERROR exec.Runner: {m}"),
     _TIME, (Severity.INFO, Severity.ERROR), ("storage.Manager", "exec.Runner")),
    ("digits", ("240102 030405 {n} INFO dfs.Node$Part: {m}", "240102 030405 {n} WARN dfs.Name: {m}"),
     _TIME, (Severity.INFO, Severity.WARN), ("dfs.Node$Part", "dfs.Name")),
    ("request", ("api.log.2024-01-02_13:53:08 2024-01-02 03:04:05.123 {n} INFO nova.api [req-{n}ab 1d 5a - - -] {m}",
                 "api.log.2024-01-02_13:53:08 2024-01-02 03:04:05.123 {n} ERROR nova.net [-] {m}"),
     _MILLIS, (Severity.INFO, Severity.ERROR), ("nova.api", "nova.net")),
    ("cluster", ("- 1704164645 2024.01.02 dn{n} Jan 2 03:04:05 dn{n}/dn{n} crond(pam_unix)[{n}]: {m}",
                 "- 1704164645 2024.01.02 an{n} Jan 2 03:04:05 an{n} kernel: {m}"),
     _TIME, (Severity.UNSPECIFIED, Severity.UNSPECIFIED), ("crond(pam_unix)", "kernel")),
    ("blades", ("- 1704164645 2024.01.02 R{n}-M1 2024-01-02-03.04.05.123456 R{n}-M1 RAS KERNEL INFO {m}",
                "ALERT 1704164645 2024.01.02 R{n}-M0 2024-01-02-03.04.05.123456 R{n}-M0 RAS APP FATAL {m}"),
     _TIME, (Severity.INFO, Severity.FATAL), (None, None)),
    ("nodes", ("{n} node-{n} unix.hw state_change.down 1704164645 1 {m}", "{n} gige{n} node status 1704164645 1 {m}"),
     _TIME, (Severity.UNSPECIFIED, Severity.UNSPECIFIED), (None, None)),
    ("logcat", ("01-02 03:04:05.123  {n}  {n} D PowerManager: {m}", "01-02 03:04:05.123  {n}  {n} E Window: {m}"),
     "2026-01-02T03:04:05.123000+00:00", (Severity.DEBUG, Severity.ERROR), ("PowerManager", "Window")),
    ("pipes", ("20240102-3:4:5:123|Step_A|3000{n}|{m}", "20240102-3:4:5:123|Step_B|3000{n}|{m}"), _MILLIS,
     (Severity.UNSPECIFIED, Severity.UNSPECIFIED), (None, None)),
    ("program", ("[01.02 03:04:05] chrome.exe - {m}", "[01.02 03:04:05] chrome.exe *64 - {m}"),
     "2026-01-02T03:04:05+00:00", (Severity.UNSPECIFIED, Severity.UNSPECIFIED), ("chrome.exe", "chrome.exe *64")),
    ("padded", ("2024-01-02 03:04:05, Info                  CBS    {m}",
                "2024-01-02 03:04:05, Error                 CSI    {m}"),
     _TIME, (Severity.INFO, Severity.ERROR), (None, None)),
    ("apache", ("[Tue Jan 02 03:04:05 2024] [notice] {m}", "[Tue Jan 02 03:04:05 2024] [error] {m}"), _TIME,
     (Severity.INFO, Severity.ERROR), (None, None)),
    ("apache 2.4", ("[Tue Jan 02 03:04:05.123 2024] [core:info] [pid {n}:tid {n}] {m}",
                    "[Tue Jan 02 03:04:05.123 2024] [ssl:error] [pid {n}:tid {n}] {m}"),
     _MILLIS, (Severity.INFO, Severity.ERROR), (None, None)),
    ("nginx", ("2024/01/02 03:04:05 [info] {n}#{n}: {m}", "2024/01/02 03:04:05 [emerg] {n}#{n}: {m}"), _TIME,
     (Severity.INFO, Severity.FATAL), (None, None)),
    ("klog", ("I0102 03:04:05.123000   {n} server.go:{n}] {m}", "E0102 03:04:05.123000   {n} sync.go:{n}] {m}"),
     "2026-01-02T03:04:05.123000+00:00", (Severity.INFO, Severity.ERROR), (None, None)),
    ("bracketed", ("[2024-01-02T03:04:05Z INFO  my_crate::a] {m}", "[2024-01-02T03:04:05Z ERROR my_crate::b] {m}"),
     _TIME, (Severity.INFO, Severity.ERROR), (None, None)),
    ("tabs", ("2024-01-02T03:04:05.123Z\tINFO\tapp/main.go:{n}\t{m}",
              "2024-01-02T03:04:05.123Z\tERROR\tapp/db.go:{n}\t{m}"),
     _MILLIS, (Severity.INFO, Severity.ERROR), (None, None)),
    ("postgres", ("2024-01-02 03:04:05.123 UTC [{n}] LOG:  {m}", "2024-01-02 03:04:05.123 UTC [{n}] FATAL:  {m}"),
     _MILLIS, (Severity.INFO, Severity.FATAL), (None, None)),
    ("compose", ("web-1  | 2024-01-02 03:04:05 INFO {m}", "db-1   | 2024-01-02 03:04:05 ERROR {m}"), _TIME,
     (Severity.INFO, Severity.ERROR), (None, None)),
    ("cri", ("2024-01-02T09:09:09.1Z stdout F 2024-01-02 03:04:05 INFO {m}",
             "2024-01-02T09:09:09.1Z stderr F 2024-01-02 03:04:05 ERROR {m}"),
     _TIME, (Severity.INFO, Severity.ERROR), (None, None)),
    ("syslog 5424", ("<14>1 2024-01-02T03:04:05.123Z h{n} app {n} ID1 - {m}",
                     '<11>1 2024-01-02T03:04:05.123Z h{n} cron {n} - [a@1 b="c]"] {m}'),
     _MILLIS, (Severity.INFO, Severity.ERROR), ("app", "cron")),
    ("syslog 3164", ("<14>Jan  2 03:04:05 h{n} app[{n}]: {m}", "<11>Jan  2 03:04:05 h{n} cron[{n}]: {m}"),
     "2026-01-02T03:04:05+00:00", (Severity.INFO, Severity.ERROR), ("app", "cron")),
    ("twelve hours", ("1/2/2024 3:04:05 AM Information {m}", "1/2/2024 3:04:05 AM Error {m}"), _TIME,
     (Severity.INFO, Severity.ERROR), (None, None)),
    ("european", ("02.01.2024 03:04:05 INFO {m}", "02.01.2024 03:04:05 WARN {m}"), _TIME,
     (Severity.INFO, Severity.WARN), (None, None)),
    ("plain", ("{m}", "{m}"), None, (Severity.UNSPECIFIED, Severity.UNSPECIFIED), (None, None)),
)  # fmt: skip


@pytest.mark.parametrize("size", [200, 24])
@pytest.mark.parametrize(
    ("lines", "time", "severities", "services"), [f[1:] for f in _FORMATS], ids=[f[0] for f in _FORMATS]
)
def test_the_header_is_told_from_the_message(
    lines: tuple[str, str],
    time: str | None,
    severities: tuple[Severity, Severity],
    services: tuple[str | None, str | None],
    size: int,
) -> None:
    kinds = [(i * 7 + i // 3) % 2 for i in range(size)]
    log = [
        lines[kind].replace("{n}", str(100 + i * 37 % 17)).replace("{m}", _MESSAGES[i % len(_MESSAGES)])
        for i, kind in enumerate(kinds)
    ]

    records = parse(log)

    assert [record.body for record in records] == [_MESSAGES[i % len(_MESSAGES)] for i in range(size)]
    assert {record.time for record in records} == {None if time is None else nanoseconds(time)}
    assert [record.severity for record in records] == [severities[kind] for kind in kinds]
    assert [record.service for record in records] == [services[kind] for kind in kinds]


@pytest.mark.parametrize(
    "body",
    [
        "connection from 10.0.0.1 at Fri Jun 17 20:55:06 2005",
        "1273543299 alignment exceptions",
        "Warning: no such attribute.",
        "[instance: 1] VM started",
        "error: Received disconnect: bye",
        "Node card: state: up",
        "12:00",
    ],
)
def test_a_message_without_a_header_is_kept_whole(body: str) -> None:
    lines = [body, "other words here", "pam_unix(sshd:auth): check pass", "generating core.123"] * 20

    records = parse(lines)

    assert [record.body for record in records] == lines
    assert {record.header for record in records} == {""}


def test_json_lines_are_read_by_their_message_field() -> None:
    line = (
        '{"timestamp":"2024-01-02T03:04:05.123Z","severity":"ERROR","service":"auth","message":"no key 7",'
        '"trace_id":"ab","span_id":"c","logger":"x","extra":{"a":1,"b":[1,2]}}'
    )

    (record,) = parse([line])

    assert record.body == "no key 7"
    assert record.time == nanoseconds(_MILLIS)
    assert (record.severity, record.severity_text, record.service) == (Severity.ERROR, "ERROR", "auth")
    expected = {"trace_id": "ab", "span_id": "c", "logger": "x", "extra.a": "1", "extra.b": "[1, 2]"}
    assert record.attributes == expected


@pytest.mark.parametrize(
    ("line", "body", "severity"),
    [
        ('{"level":50,"time":1704164645123,"pid":1,"msg":"boom"}', "boom", Severity.ERROR),
        ('{"log":"hello\\n","stream":"stderr","time":"2024-01-02T03:04:05.123Z"}', "hello", Severity.UNSPECIFIED),
        ('ts=2024-01-02T03:04:05.123Z level=warn msg="slow \\"disk\\"" n=1', 'slow "disk"', Severity.WARN),
        ('{"@timestamp":"2024-01-02T03:04:05.123Z","log.level":"INFO","message":"up"}', "up", Severity.INFO),
    ],
)
def test_structured_lines_of_other_loggers(line: str, body: str, severity: Severity) -> None:
    (record,) = parse([line])

    assert (record.body, record.severity, record.time) == (body, severity, nanoseconds(_MILLIS))


@pytest.mark.parametrize("line", ["{not json}", '{"a":1}', "{}", "[1]", "a=b c=d", '{"message":{"a":1}}'])
def test_what_only_looks_structured_is_a_plain_line(line: str) -> None:
    (record,) = parse([line])

    assert record.body == line


def test_deep_json_does_no_harm() -> None:
    line = '{"message":' + "[" * 20_000 + "]" * 20_000 + "}"

    (record,) = parse([line])

    assert record.body == line


def test_a_file_of_two_programs_has_two_layouts() -> None:
    first = [f"2024-01-02 03:04:05,123 INFO [main] a.B: took {i}" for i in range(300)]
    second = [f"Jan  2 03:04:05 host{i % 3} cron[{i}]: ran {i}" for i in range(300)]

    records = parse(first + second)

    bodies = [f"took {i}" for i in range(300)] + [f"ran {i}" for i in range(300)]
    assert [record.body for record in records] == bodies


def test_a_number_inside_the_message_is_not_of_the_header_even_when_it_repeats() -> None:
    lines = [f"2024-01-02T03:04:05Z INFO order {i} paid in {i % 90} ms" for i in range(300)]

    records = parse(lines)

    assert [record.body for record in records] == [f"order {i} paid in {i % 90} ms" for i in range(300)]


def test_layouts_are_learned_again_when_the_lines_change_later() -> None:
    reader, detector = LineReader(), HeaderDetector(now=_NOW, sample_records=50)
    lines = [f"2024-01-02 03:04:05,123 INFO [main] a.B: took {i}" for i in range(100)]
    later = [f"Jan  2 03:04:05 host{i % 3} cron[{i}]: ran {i}" for i in range(200)]

    parsed = []
    for line in lines + later:
        parsed += detector.feed(reader.feed(f"{line}\n".encode()))
    parsed += detector.feed(reader.close()) + detector.close()

    assert len(parsed) == 300
    assert parsed[-1].body == "ran 199"
    assert parsed[-1].service == "cron"


def test_a_clock_that_runs_backwards_is_kept_as_it_is() -> None:
    records = parse(["2024-01-02 03:04:06 INFO b", "2024-01-02 03:04:05 INFO a"])

    assert [record.time for record in records] == [nanoseconds("2024-01-02T03:04:06+00:00"), nanoseconds(_TIME)]


def test_a_missing_zone_is_the_given_one_and_a_stated_one_wins() -> None:
    records = parse(["2024-01-02 03:04:05 INFO a", "2024-01-02T03:04:05Z INFO b"], offset_hours=2)

    assert [record.time for record in records] == [nanoseconds("2024-01-02T01:04:05+00:00"), nanoseconds(_TIME)]
