"""Requests that name what is not there, ask for too much, come twice or too late, or carry code in their names."""

from typing import Any
from uuid import uuid4

import pytest
from tests.e2e.client import LOGS, Census, Client, person
from tests.e2e.conftest import ONE_PROCESS, RunningStack

from chassis.paging import encode_cursor

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)

LINE = b"2026-11-20T10:00:00Z INFO shop: order 17 paid in 5 ms\n"
UNKNOWN = "0198c0de-0000-7000-8000-000000000001"
LOG = "query($id: ID!) { log(id: $id) { id } }"
CODE_IN_NAME = "<script>alert(1)</script>'; DROP TABLE logs.logs; --"
WRITES: dict[str, tuple[str, dict[str, object], str]] = {
    "updateLogStatus": ("logId", {"expectedVersion": 1, "status": "ACKNOWLEDGED"}, "LOG_NOT_FOUND"),
    "updateLog": ("logId", {"expectedVersion": 1, "notes": "seen"}, "LOG_NOT_FOUND"),
    "resummarizeLog": ("logId", {"expectedVersion": 1}, "LOG_NOT_FOUND"),
    "setUserRole": ("userId", {"expectedVersion": 1, "role": "HR"}, "USER_NOT_FOUND"),
    "deactivateUser": ("userId", {"expectedVersion": 1}, "USER_NOT_FOUND"),
    "revokeApiToken": ("apiTokenId", {"expectedVersion": 1}, "API_TOKEN_NOT_FOUND"),
}


@pytest.mark.parametrize("mutation", WRITES)
def test_unknown_id_is_not_found_and_malformed_id_is_explained(admin: Client, census: Census, mutation: str) -> None:
    field, given, code = WRITES[mutation]
    before = census.take()

    unknown = admin.mutate(mutation, **{field: UNKNOWN, **given})
    malformed = [admin.mutate(mutation, **{field: text, **given}) for text in ("7", "", f"{{{UNKNOWN}}}", "' OR 1=1")]

    assert (unknown["__typename"], unknown["code"]) == ("NotFoundError", code)
    for member in malformed:
        assert (member["__typename"], member["code"]) == ("ValidationError", "INVALID_ARGUMENT")
        assert "copy it from an answer" in member["message"]
        assert [invalid["path"] for invalid in member["fields"]] == [field]
    assert census.take() == before


def test_reading_an_unknown_log_is_null_and_a_malformed_id_is_explained(admin: Client) -> None:
    malformed = admin.ask(LOG, {"id": "7"})

    assert admin.data(LOG, {"id": UNKNOWN}) == {"log": None}
    assert malformed["data"] == {"log": None}
    assert malformed["errors"][0]["extensions"]["code"] == "INVALID_ARGUMENT"
    assert "copy it from an answer" in malformed["errors"][0]["message"]


def test_command_says_that_a_log_is_not_there(stack: RunningStack, admin: Client) -> None:
    stack.environment["AIOPS_TOKEN"] = admin.token
    try:
        unknown, malformed = stack.aiops("logs", "show", UNKNOWN), stack.aiops("logs", "show", "7")
    finally:
        del stack.environment["AIOPS_TOKEN"]

    assert (unknown.returncode, malformed.returncode) == (1, 1)
    assert "aiops logs list" in unknown.stderr
    assert "copy it from an answer" in malformed.stderr


@pytest.mark.parametrize("first", [0, -1, 101, 1_000])
def test_page_size_outside_1_to_100_is_refused_on_every_list(admin: Client, first: int) -> None:
    log_id = admin.stored(LINE)
    documents = {
        "logs": "query($n: Int!) { logs(first: $n) { nodes { id } } }",
        "logRecords": "query($n: Int!) { logRecords(first: $n) { nodes { id } } }",
        "users": "query($n: Int!) { users(first: $n) { nodes { id } } }",
        "apiTokens": "query($n: Int!) { apiTokens(first: $n) { nodes { id } } }",
        "records": "query($n: Int!, $id: ID!) { log(id: $id) { id records(first: $n) { nodes { id } } } }",
        "patterns": "query($n: Int!, $id: ID!) { log(id: $id) { id patterns(first: $n) { nodes { count } } } }",
    }

    bodies = {
        field: admin.ask(document, {"n": first, **({"id": log_id} if "$id" in document else {})})
        for field, document in documents.items()
    }

    for field, body in bodies.items():
        (error,) = body["errors"]
        assert (field, error["extensions"]["code"]) == (field, "PAGE_SIZE_OUT_OF_RANGE")
        assert error["message"] == f"a page has 1 to 100 items; {first} were asked for"
        assert error["path"][-1] == field
        found = body["data"]["log"] if "log" in body["data"] else body["data"]
        assert found[field] is None
    assert bodies["records"]["data"]["log"]["id"] == log_id  # what was asked for rightly is answered


def test_cursor_of_nowhere_is_refused(admin: Client) -> None:
    log_id = admin.stored(LINE)
    patterns = "query($id: ID!, $after: String) { log(id: $id) { patterns(after: $after) { nodes { count } } } }"
    users = "query($after: String) { users(after: $after) { nodes { id } } }"
    cursors = ("zzz", "' OR 1=1", encode_cursor("a"), encode_cursor("a\x00b"), encode_cursor(2**70, log_id))
    for cursor in cursors:
        bodies = [
            admin.ask(LOGS, {"first": 1, "after": cursor}),
            admin.ask(patterns, {"id": log_id, "after": cursor}),
            *([admin.ask(users, {"after": cursor})] if cursor != encode_cursor("a") else []),
        ]

        for body in bodies:
            (error,) = body["errors"]
            assert (cursor, error["extensions"]["code"]) == (cursor, "CURSOR_INVALID")
            assert "pass the end cursor of the page before" in error["message"]


@pytest.mark.parametrize("field", ["text", "service", "tag"])
def test_filter_with_a_nul_character_is_refused(admin: Client, field: str) -> None:
    document = "query($filter: LogFilter) { logs(filter: $filter) { nodes { id } } }"

    body = admin.ask(document, {"filter": {field: "a\x00b"}})

    (error,) = body["errors"]
    assert error["extensions"]["code"] == "INVALID_ARGUMENT"
    assert error["extensions"]["metadata"]["field"] == f"filter.{field}"
    assert "NUL" in error["message"]


def test_bounds_of_time_beyond_all_records_find_them_all(admin: Client) -> None:
    log_id = admin.stored(LINE)
    document = (
        "query($id: ID!, $filter: LogRecordFilter) { log(id: $id) { records(filter: $filter) { nodes { id } } } }"
    )
    ever = {"startTime": "0001-01-01T00:00:00Z", "endTime": "9999-12-31T23:59:59Z"}

    assert len(admin.data(document, {"id": log_id, "filter": ever})["log"]["records"]["nodes"]) == 1


def test_key_that_came_with_another_text_is_refused_and_repeats_its_own_answer(admin: Client, census: Census) -> None:
    paste = {"idempotencyKey": str(uuid4()), "name": "paste", "text": "one line"}
    first = admin.mutate("summarizeLog", "log { id state }", **paste)
    admin.summarized(first["log"]["id"])
    before = census.take()

    again = admin.mutate("summarizeLog", "log { id state }", **paste)
    others = [admin.mutate("summarizeLog", **{**paste, **other}) for other in ({"text": "another"}, {"name": "other"})]

    assert again == first
    for member in others:
        assert (member["__typename"], member["code"]) == ("IdempotencyKeyReused", "IDEMPOTENCY_KEY_REUSED")
        assert "send a new key for a new request" in member["message"]
    assert census.take() == before


def test_key_that_came_with_another_file_is_refused_and_repeats_its_own_answer(admin: Client, census: Census) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = admin.upload(LINE * 10, headers=key)
    admin.summarized(first.json()["log"]["id"])
    before = census.take()

    again = admin.upload(LINE * 10, headers=key)
    refusals = [
        admin.upload(LINE * 11, headers=key),
        admin.upload(LINE * 10, headers=key, name="another.log"),
        admin.upload(b"", headers=key),
    ]

    assert (again.status_code, again.json()["log"]) == (202, first.json()["log"])
    for refused in refusals:
        assert (refused.status_code, refused.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert "send a new key for a new request" in refused.json()["detail"]
    assert census.take() == before


def test_key_of_one_person_is_free_for_another(stack: RunningStack, admin: Client) -> None:
    colleague, _, _ = person(stack, admin, "OPS")
    paste = {"idempotencyKey": str(uuid4()), "name": "paste", "text": "a line of mine"}
    mine = admin.mutate("summarizeLog", "log { id }", **paste)

    theirs = colleague.mutate("summarizeLog", "log { id name }", **{**paste, "name": "theirs"})

    assert theirs["__typename"] == "SummarizeLogSuccess"
    assert theirs["log"]["id"] != mine["log"]["id"]


def test_stale_version_tells_both_versions_and_changes_nothing(admin: Client, census: Census) -> None:
    log = admin.summarized(admin.stored(LINE * 3))
    seen = {"logId": log["id"], "expectedVersion": log["version"]}
    moved = admin.mutate("updateLogStatus", "log { version status notes }", status="ACKNOWLEDGED", **seen)
    before = census.take()

    stale = [
        admin.mutate("updateLogStatus", status="OPEN", **seen),
        admin.mutate("updateLog", notes="mine", **seen),
        admin.mutate("resummarizeLog", **seen),
    ]
    never = admin.mutate("updateLog", notes="mine", **{**seen, "expectedVersion": 0})

    assert moved["log"] == {"version": log["version"] + 1, "status": "ACKNOWLEDGED", "notes": ""}
    for member in stale:
        assert (member["__typename"], member["code"]) == ("VersionConflict", "VERSION_CONFLICT")
        assert (member["expected"], member["actual"]) == (log["version"], log["version"] + 1)
        assert "read it again" in member["message"]
    assert (never["__typename"], never["fields"][0]["path"]) == ("ValidationError", "expectedVersion")
    assert census.take() == before
    now = admin.data("query($id: ID!) { log(id: $id) { version status notes } }", {"id": log["id"]})["log"]
    assert now == moved["log"]


def named(admin: Client, text: str) -> list[dict[str, Any]]:
    document = "query($text: String) { logs(filter: {text: $text}, first: 100) { nodes { name service } } }"
    nodes: list[dict[str, Any]] = admin.data(document, {"text": text})["logs"]["nodes"]
    return nodes


def test_code_in_names_is_text_in_every_way(stack: RunningStack, admin: Client) -> None:
    text = f"2026-11-20T10:00:00Z ERROR shop: {CODE_IN_NAME}"

    stored = admin.mutate("summarizeLog", "log { id name }", name=CODE_IN_NAME, text=text, service=CODE_IN_NAME)
    colleague, _, _ = person(stack, admin, "OPS", name=CODE_IN_NAME)
    log = admin.summarized(stored["log"]["id"])

    assert stored["log"]["name"] == CODE_IN_NAME
    assert colleague.data("{ me { displayName } }") == {"me": {"displayName": CODE_IN_NAME}}
    assert named(admin, CODE_IN_NAME) == [{"name": CODE_IN_NAME, "service": CODE_IN_NAME}]
    assert all("<script" not in sentence["text"].lower() for sentence in log["summary"]["sentences"])
    assert log["summary"]["sentences"]


def test_wildcards_of_sql_stand_for_themselves(admin: Client) -> None:
    admin.mutate("summarizeLog", name="wildcards", text="a line", service="wildcards")

    assert named(admin, "wildc_rds") == []
    assert named(admin, "wild%") == []
    assert named(admin, "%' OR '1'='1") == []
    assert named(admin, "WILDC")[0]["name"] == "wildcards"
