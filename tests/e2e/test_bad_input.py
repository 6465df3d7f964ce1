"""Files and texts that are no good, or only look so: refused by name and nothing left, or read for what they are."""

import gzip
import json
import random
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.client import Census, Client, logged, pieces
from tests.e2e.conftest import ONE_PROCESS, RunningStack

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)

LINE = b"2026-11-20T10:00:00Z INFO shop: order 17 paid in 5 ms\n"
SECRET = "sk-proj-9fKq2mZx81LhTn04VbYw7RcE5uJd3GsP"
SIXTY_MEGABYTES = 60_000_000
GZIP = {"Content-Encoding": "gzip"}
RECORDS = """
query Records($id: ID!) {
  log(id: $id) { records(first: 5) { nodes { lineNumber truncated severity body time } } }
}
"""


def noise(size_bytes: int) -> bytes:
    return random.Random(5).randbytes(size_bytes)  # noqa: S311 - the same noise in each run


def bomb(unfolded_bytes: int) -> Iterator[bytes]:
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in pieces(b"0" * 1_000_000, unfolded_bytes):
        yield packing.compress(piece)
    yield packing.flush()


def cut_short() -> bytes:
    return gzip.compress(LINE * 20_000)[:-100]


def flipped() -> bytes:
    packed = bytearray(gzip.compress(b"".join(b"%d paid order %d\n" % (i, i * 7) for i in range(100_000))))
    packed[len(packed) // 2] ^= 0xFF
    return bytes(packed)


REFUSED_FILES: dict[str, tuple[Any, dict[str, str], int, str, str]] = {
    "empty": (b"", {}, 400, "LOG_EMPTY", "send at least one"),
    "blank lines alone": (b"\n\n  \r\n\t\n", {}, 400, "LOG_EMPTY", "send at least one"),
    "zero bytes": (bytes(5_000), {}, 415, "LOG_NOT_TEXT", "send the log as plain text, unpacked"),
    "noise": (noise(100_000), {}, 415, "LOG_NOT_TEXT", "send the log as plain text, unpacked"),
    "a program": (b"\x7fELF\x02\x01\x01" + noise(9_000), {}, 415, "LOG_NOT_TEXT", "send the log as plain text"),
    "an archive": (b"PK\x03\x04" + noise(9_000), {}, 415, "LOG_NOT_TEXT", "send the log as plain text, unpacked"),
    "gzip that does not say so": (gzip.compress(LINE * 9), {}, 415, "LOG_NOT_TEXT", "send the log as plain text"),
    "no gzip that says it is": (LINE * 9, GZIP, 400, "LOG_ENCODING_INVALID", "compress the file anew"),
    "gzip cut short": (cut_short(), GZIP, 400, "LOG_ENCODING_INVALID", "compress the file anew"),
    "gzip with a flipped byte": (flipped(), GZIP, 400, "LOG_ENCODING_INVALID", "compress the file anew"),
    "another packing": (LINE, {"Content-Encoding": "br"}, 415, "CONTENT_UNSUPPORTED", "gzip or nothing"),
    "a form": (
        LINE,
        {"Content-Type": "multipart/form-data; boundary=x"},
        415,
        "CONTENT_UNSUPPORTED",
        "curl --data-binary @FILE",
    ),
}


@pytest.mark.parametrize("name", REFUSED_FILES)
def test_file_that_is_no_log_is_refused_and_leaves_nothing(admin: Client, census: Census, name: str) -> None:
    body, headers, status, code, advice = REFUSED_FILES[name]
    before = census.take()

    answer = admin.upload(body, headers=headers)

    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert advice in problem["detail"]
    assert problem["trace_id"] == answer.headers["x-aiops-trace-id"]
    assert census.take() == before


def refuse_as_too_large(admin: Client, body: Iterator[bytes], headers: dict[str, str]) -> None:
    answer = admin.upload(body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "LOG_TOO_LARGE")
    assert answer.json()["detail"] == "the body may have at most 52,428,800 bytes, decompressed; split it"


def test_60_megabytes_are_refused_by_their_announced_length_before_a_byte_is_sent(
    stack: RunningStack, admin: Client, census: Census
) -> None:
    before = census.take()
    connection = HTTPConnection("127.0.0.1", 8080 + stack.offset, timeout=10)

    connection.putrequest("POST", "/v1/logs/upload?name=large.log")
    connection.putheader("Authorization", f"Bearer {admin.token}")
    connection.putheader("Content-Length", str(SIXTY_MEGABYTES))
    connection.endheaders()
    answer = connection.getresponse()

    assert (answer.status, json.load(answer)["code"]) == (413, "LOG_TOO_LARGE")
    assert census.take() == before
    connection.close()


def test_60_megabytes_in_chunks_are_refused_and_what_was_copied_is_gone(admin: Client, census: Census) -> None:
    line = b"2026-11-20T10:00:00Z INFO shop: " + b"order 17 paid " * 2_000 + b"\n"
    before = census.take()

    refuse_as_too_large(admin, pieces(line * 8, SIXTY_MEGABYTES), {})

    assert census.take() == before


def test_sender_who_goes_away_leaves_nothing_behind(stack: RunningStack, admin: Client, census: Census) -> None:
    before = census.take()
    connection = HTTPConnection("127.0.0.1", 8080 + stack.offset, timeout=10)
    connection.putrequest("POST", "/v1/logs/upload?name=broken-off.log")
    connection.putheader("Authorization", f"Bearer {admin.token}")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for piece in pieces(LINE * 5_000, 3_000_000):
        connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))

    connection.close()

    # A log that is stored after all would be there when the next one, behind it, is.
    admin.summarized(admin.stored(LINE * 5_000))
    after = census.take()
    assert after["logs.logs"] == before["logs.logs"] + 1
    assert after["logs.log_records"] == before["logs.log_records"] + 5_000
    assert named(admin, "broken-off.log") == 0


def named(admin: Client, name: str) -> int:
    document = "query($text: String) { logs(filter: {text: $text}) { nodes { name } } }"
    return len(admin.data(document, {"text": name})["logs"]["nodes"])


def test_gzip_bomb_is_refused_at_the_limit_of_what_it_unfolds_to(admin: Client, census: Census) -> None:
    before = census.take()

    refuse_as_too_large(admin, bomb(300_000_000), GZIP)

    assert census.take() == before


REFUSED_PASTES: dict[str, tuple[dict[str, object], str, str, list[str]]] = {
    "empty": ({"text": ""}, "LOG_EMPTY", "send at least one", []),
    "zero characters": ({"text": "\0" * 3_000}, "LOG_NOT_TEXT", "send the log as plain text, unpacked", []),
    "over 1 MB": ({"text": "x" * 1_000_001}, "LOG_TOO_LARGE", "upload it as a file", []),
    "over 1 MB in UTF-8": ({"text": "é" * 500_001}, "LOG_TOO_LARGE", "upload it as a file", []),
    "no name": ({"name": "  "}, "INVALID_ARGUMENT", "1 to 200 characters", ["name"]),
    "a long name": ({"name": "n" * 201}, "INVALID_ARGUMENT", "1 to 200 characters", ["name"]),
    "a name with a control character": ({"name": "a\x1b[2Jb"}, "INVALID_ARGUMENT", "one line", ["name"]),
    "no such zone": ({"timezone": "Mars/Olympus"}, "INVALID_ARGUMENT", "such as Europe/Berlin", ["timezone"]),
    "a path as zone": ({"timezone": "../../etc/passwd"}, "INVALID_ARGUMENT", "such as Europe/Berlin", ["timezone"]),
    "a short key": ({"idempotencyKey": "k"}, "IDEMPOTENCY_KEY_INVALID", "16 to 255", ["idempotencyKey"]),
}


@pytest.mark.parametrize("name", REFUSED_PASTES)
def test_paste_that_is_no_log_is_refused_and_leaves_nothing(
    stack: RunningStack, admin: Client, census: Census, name: str
) -> None:
    given, code, advice, fields = REFUSED_PASTES[name]
    before = census.take()

    member = admin.mutate("summarizeLog", "log { id }", **{"name": "paste", "text": f"key {SECRET}\n", **given})

    assert (member["__typename"], member["code"]) == ("ValidationError", code)
    assert advice in member["message"]
    assert [field["path"] for field in member["fields"]] == fields
    assert census.take() == before
    assert logged(stack, SECRET) == []


def test_body_over_the_limit_of_graphql_is_refused(admin: Client, census: Census) -> None:
    before = census.take()

    answer = admin.post(
        "mutation($input: SummarizeLogInput!) { summarizeLog(input: $input) { __typename } }",
        {"input": {"name": "paste", "text": "x" * 1_600_000}},
    )

    assert answer.status_code == 413
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "BODY_TOO_LARGE"
    assert "1,500,000 bytes" in error["message"]
    assert census.take() == before


def test_command_says_why_a_file_was_refused(stack: RunningStack, census: Census, tmp_path: Path) -> None:
    admin = json.loads((stack.folder / "admin.json").read_text())
    arguments = ("login", "--email", admin["email"], "--password-stdin")
    assert stack.aiops(*arguments, stdin=admin["password"] + "\n").returncode == 0
    (tmp_path / "empty.log").write_bytes(b"")
    (tmp_path / "cut.log.gz").write_bytes(cut_short())
    before = census.take()

    refusals = {file: stack.aiops("logs", "push", str(tmp_path / file)) for file in ("empty.log", "cut.log.gz")}
    as_json = stack.aiops("logs", "push", str(tmp_path / "empty.log"), "--json")
    missing = stack.aiops("logs", "push", str(tmp_path / "nothing.log"))

    assert {file: refused.returncode for file, refused in refusals.items()} == dict.fromkeys(refusals, 1)
    assert "aiops: the log holds no line with text; send at least one (trace " in refusals["empty.log"].stderr
    assert "compress the file anew and send it again" in refusals["cut.log.gz"].stderr
    assert json.loads(as_json.stdout)["error"]["code"] == "LOG_EMPTY"
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    assert census.take() == before


def test_one_line_of_5_megabytes_is_cut_and_the_next_line_is_whole(admin: Client) -> None:
    body = [b"2026-11-20T10:00:00Z ERROR shop: ", *pieces(b"broken " * 100_000, 5_000_000), b"\nthe next line\n"]

    log = admin.summarized(admin.stored(iter(body)))

    assert (log["state"], log["recordCount"], log["lineCount"]) == ("SUMMARIZED", 2, 2)
    first, second = admin.data(RECORDS, {"id": log["id"]})["log"]["records"]["nodes"]
    assert (first["truncated"], first["severity"], second["truncated"]) == (True, "ERROR", False)
    assert 60_000 < len(first["body"]) <= 65_536
    assert (second["lineNumber"], second["body"]) == (2, "the next line")


def test_invalid_utf_8_is_read_with_a_mark_where_it_was(admin: Client) -> None:
    body = b"\n".join(b"2026-11-20T10:00:%02dZ ERROR caf\xe9 \xff\xfe failed %d" % (i, i) for i in range(40))

    log = admin.summarized(admin.stored(body))

    assert (log["state"], log["recordCount"], log["patternCount"]) == ("SUMMARIZED", 40, 1)
    bodies = [record["body"] for record in admin.data(RECORDS, {"id": log["id"]})["log"]["records"]["nodes"]]
    assert bodies == [f"caf\ufffd \ufffd\ufffd failed {i}" for i in range(5)]


def test_10_000_patterns_are_stored_and_summarized(admin: Client) -> None:
    words = random.Random(3)  # noqa: S311 - the same lines in each run
    known = ["".join(words.choices("abcdefghijklmnopqrstuvwxyz", k=words.randint(4, 9))) for _ in range(4_000)]
    lines = dict.fromkeys(" ".join(words.choices(known, k=words.randint(3, 9))) for _ in range(10_000))

    log = admin.summarized(admin.stored("\n".join(lines).encode()))

    assert (log["state"], log["recordCount"]) == ("SUMMARIZED", 10_000)
    assert 9_000 <= log["patternCount"] <= 10_000
    assert 1 <= len(log["summary"]["sentences"]) <= 20
    assert all(sentence["records"] for sentence in log["summary"]["sentences"])


def test_clock_that_runs_backwards_gives_the_span_and_keeps_the_order(admin: Client) -> None:
    body = b"\n".join(
        b"2026-11-20T10:%02d:%02dZ INFO shop: order %d paid" % (59 - i // 60, 59 - i % 60, i) for i in range(3_000)
    )

    log = admin.summarized(admin.stored(body))

    assert (log["state"], log["recordCount"]) == ("SUMMARIZED", 3_000)
    assert (log["firstRecordTime"], log["lastRecordTime"]) == ("2026-11-20T10:10:00Z", "2026-11-20T10:59:59Z")
    records = admin.data(RECORDS, {"id": log["id"]})["log"]["records"]["nodes"]
    assert [record["lineNumber"] for record in records] == [1, 2, 3, 4, 5]
    assert records[0]["time"] > records[4]["time"]


def test_file_of_2005_keeps_its_times(admin: Client) -> None:
    body = b"\n".join(b"2005-06-09 06:07:%02d ERROR kernel: disk %d failed" % (i % 60, i) for i in range(100))

    log = admin.summarized(admin.stored(body))

    assert (log["state"], log["recordCount"]) == ("SUMMARIZED", 100)
    assert (log["firstRecordTime"], log["lastRecordTime"]) == ("2005-06-09T06:07:00Z", "2005-06-09T06:07:59Z")
    assert any("2005-06-09" in sentence["text"] for sentence in log["summary"]["sentences"])


def test_times_that_no_column_holds_are_no_times_and_spoil_no_others(admin: Client) -> None:
    times = ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1600-01-01T00:00:00Z", "2026-02-30T10:00:00Z")
    body = b"".join(LINE * 3 + f"{time} ERROR shop: order 9 failed\n".encode() for time in times)

    log = admin.summarized(admin.stored(body))

    assert (log["state"], log["recordCount"]) == ("SUMMARIZED", 16)
    assert (log["firstRecordTime"], log["lastRecordTime"]) == ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z")
