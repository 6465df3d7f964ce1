"""Each kind of refusal as the client reads it: a member of the result union, or a masked top-level error."""

import logging
from typing import Any

import pytest

from aiops.common.v1.actor_pb2 import ACTOR_KIND_USER, Actor
from aiops.logs.v1 import log_pb2, logs_service_pb2
from chassis.errors import (
    Conflict,
    DeadlineExceeded,
    DomainError,
    Exhausted,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Internal,
    InvalidArgument,
    NotFound,
    Overloaded,
    Unavailable,
    VersionConflict,
)
from gateway.testing.stack import Script, Stack

UPDATE = {"logId": "0198c0de-0000-7000-8000-000000000001", "expectedVersion": 3, "status": "ACKNOWLEDGED"}


class LogNotFound(NotFound):
    reason = "LOG_NOT_FOUND"


class TransitionInvalid(Conflict):
    reason = "LOG_STATUS_TRANSITION_INVALID"


class TooManyAttempts(Exhausted):
    reason = "TOO_MANY_ATTEMPTS"


class LogTooLarge(Exhausted):
    reason = "LOG_TOO_LARGE"


REFUSALS: list[tuple[DomainError, dict[str, Any]]] = [
    (
        InvalidArgument("must be at least 1", field="expected_version"),
        {
            "__typename": "ValidationError",
            "code": "INVALID_ARGUMENT",
            "message": "must be at least 1",
            "fields": [{"path": "expectedVersion", "message": "must be at least 1"}],
        },
    ),
    (
        LogTooLarge("too large"),
        {"__typename": "ValidationError", "code": "LOG_TOO_LARGE", "message": "too large", "fields": []},
    ),
    (
        LogNotFound("no such log"),
        {"__typename": "NotFoundError", "code": "LOG_NOT_FOUND", "message": "no such log", "fields": []},
    ),
    (
        LogNotFound("no such log", field="log_ids.0"),
        {
            "__typename": "NotFoundError",
            "code": "LOG_NOT_FOUND",
            "message": "no such log",
            "fields": [{"path": "logIds.0", "message": "no such log"}],
        },
    ),
    (
        TransitionInvalid("cannot move"),
        {
            "__typename": "ConflictError",
            "code": "LOG_STATUS_TRANSITION_INVALID",
            "message": "cannot move",
            "fields": [],
        },
    ),
    (
        IdempotencyKeyReused("used before"),
        {"__typename": "IdempotencyKeyReused", "code": "IDEMPOTENCY_KEY_REUSED", "message": "used before"},
    ),
    (
        IdempotencyInProgress("still running", retry_after_seconds="2"),
        {
            "__typename": "IdempotencyInProgress",
            "code": "IDEMPOTENCY_IN_PROGRESS",
            "message": "still running",
            "retryAfterSeconds": 2,
        },
    ),
    (
        IdempotencyInProgress("still running"),
        {
            "__typename": "IdempotencyInProgress",
            "code": "IDEMPOTENCY_IN_PROGRESS",
            "message": "still running",
            "retryAfterSeconds": 1,
        },
    ),
    (Forbidden("not you"), {"__typename": "ForbiddenError", "code": "FORBIDDEN", "message": "not you"}),
]


@pytest.mark.parametrize(("refusal", "member"), REFUSALS, ids=lambda value: getattr(value, "reason", ""))
async def test_refusal_becomes_the_union_member_of_its_kind(
    script: Script, refusal: DomainError, member: dict[str, Any]
) -> None:
    script.logs.answers["UpdateLogStatus"] = refusal

    assert await script.gateway.mutate("updateLogStatus", "log { id }", token=script.token(), **UPDATE) == member


async def test_stale_version_tells_both_versions(script: Script) -> None:
    script.logs.answers["UpdateLogStatus"] = VersionConflict(expected=3, actual=4)

    result = await script.gateway.mutate("updateLogStatus", "log { id }", token=script.token(), **UPDATE)

    assert (result["__typename"], result["code"]) == ("VersionConflict", "VERSION_CONFLICT")
    assert (result["expected"], result["actual"]) == (3, 4)


async def test_too_many_attempts_tell_how_long_to_wait(script: Script) -> None:
    script.auth.answers["LogIn"] = TooManyAttempts("wait", retry_after_seconds="30")

    result = await script.gateway.mutate("logIn", "user { id }", email="a", password="b")

    assert result == {
        "__typename": "RateLimitedError",
        "code": "TOO_MANY_ATTEMPTS",
        "message": "wait",
        "retryAfterSeconds": 30,
    }


TOP_LEVEL: list[tuple[Exception, str, str]] = [
    (
        Unavailable("the table users is away", dependency="postgres"),
        "UNAVAILABLE",
        "a part of the system cannot be reached just now; try again in a moment",
    ),
    (
        DeadlineExceeded("in postgres"),
        "DEADLINE_EXCEEDED",
        "a part of the system took too long to answer; try again",
    ),
    (Internal("disk /dev/sda"), "INTERNAL", Internal().message),
    (RuntimeError("password=hunter2"), "INTERNAL", Internal().message),
    (
        Overloaded(retry_after_seconds=1),
        "OVERLOADED",
        "too much work just now; try again in 1 s",
    ),
]


@pytest.mark.parametrize(("failure", "code", "message"), TOP_LEVEL, ids=lambda value: type(value).__name__)
async def test_what_no_client_can_put_right_is_a_top_level_error_without_our_insides(
    script: Script, failure: Exception, code: str, message: str
) -> None:
    script.logs.answers["UpdateLogStatus"] = failure
    document = "mutation M($input: UpdateLogStatusInput!) { updateLogStatus(input: $input) { __typename } }"

    response = await script.gateway.post(document, {"input": UPDATE}, token=script.token())

    (error,) = response.json()["errors"]
    assert (error["message"], error["path"]) == (message, ["updateLogStatus"])
    assert error["extensions"]["code"] == code
    assert error["extensions"]["traceId"] == response.headers["x-aiops-trace-id"]
    assert response.json()["data"] is None
    for inside in ("postgres", "hunter2", "/dev/sda", "secret-of-the-service"):
        assert inside not in response.text


@pytest.mark.parametrize(
    ("field", "path"),
    [("filter.assignee_id", "filter.assigneeId"), ("repository_name", "repository"), ("first", "first")],
)
async def test_refusal_of_a_read_names_the_argument_as_the_graph_does(script: Script, field: str, path: str) -> None:
    script.logs.answers["ListLogs"] = InvalidArgument("no id", field=field)

    body = await script.gateway.ask("{ logs { nodes { id } } }", token=script.token())

    (error,) = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["logs"], "INVALID_ARGUMENT")
    assert error["extensions"]["metadata"] == {"field": path}


async def test_defect_of_the_gateway_is_logged_once_with_the_trace_id_and_masked(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    # A page with fewer cursors than rows is more than any resolver expects.
    script.logs.answers["ListLogs"] = logs_service_pb2.ListLogsResponse(logs=[log_pb2.Log(id="1")])

    with caplog.at_level(logging.ERROR, "gateway"):
        body = await script.gateway.ask("{ logs { nodes { id } } }", token=script.token())

    (error,) = body["errors"]
    assert (body["data"], error["path"], error["extensions"]["code"]) == ({"logs": None}, ["logs"], "INTERNAL")
    assert error["message"] == Internal().message
    assert [record.name for record in caplog.records if record.name.startswith("gateway")] == ["gateway.masking"]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ('{ logs(first: "hunter2") { nodes { id } } }', {}),
        ("{ logs(filter: {states: [hunter2]}) { nodes { id } } }", {}),
        ('{ logRecords(filter: {startTime: "hunter2"}) { nodes { id } } }', {}),
        ('mutation { logIn(input: {email: "a", passwrd: "hunter2"}) { __typename } }', {}),
        ("mutation($i: LogInInput!) { logIn(input: $i) { __typename } }", {"i": {"email": "a", "pass": "hunter2"}}),
        (
            "mutation($i: LogInInput!) { logIn(input: $i) { __typename } }",
            {"i": {"email": "a", "password": ["hunter2"]}},
        ),
        ("mutation($i: LogInInput!) { logIn(input: $i) { __typename } }", {"i": "hunter2"}),
        ("query($i: LogFilter) { logs(filter: $i) { nodes { id } } }", {"i": {"states": ["hunter2"]}}),
        ('mutation { logIn(input: {email: "a", password: "hunter2"}) { __typename "hunter2" } }', {}),
    ],
)
async def test_mistake_in_the_request_is_explained_without_repeating_values(
    script: Script, document: str, variables: dict[str, Any]
) -> None:
    response = await script.gateway.post(document, variables, token=script.token())

    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes <= {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"}
    assert "hunter2" not in response.text
    assert script.gateway.rpcs() == {}


async def test_dead_service_costs_its_fields_alone(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        await gateway.mutate("summarizeLog", "log { id }", token=admin.token, name="a.log", text="INFO started")
        await stack.auth.process.stop()

        body = await gateway.ask(
            "{ logs { nodes { name createdBy { email } } } users { nodes { id } } }", token=admin.token
        )

        assert body["data"] == {"logs": {"nodes": [{"name": "a.log", "createdBy": None}]}, "users": None}
        assert {(tuple(error["path"]), error["extensions"]["code"]) for error in body["errors"]} == {
            (("logs", "nodes", 0, "createdBy"), "UNAVAILABLE"),
            (("users",), "UNAVAILABLE"),
        }


async def test_slow_service_costs_its_fields_alone(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.operations.ANSWER_SECONDS", 1.5)
    log = log_pb2.Log(
        id="1",
        name="a.log",
        source=log_pb2.LOG_SOURCE_PASTE,
        state=log_pb2.LOG_STATE_RECEIVED,
        status=log_pb2.LOG_STATUS_OPEN,
        created_by=Actor(kind=ACTOR_KIND_USER, id="0198c0de-0000-7000-8000-000000000001"),
    )
    script.logs.answers["ListLogs"] = logs_service_pb2.ListLogsResponse(logs=[log], cursors=["c"])
    script.auth.delay_seconds = 5

    body = await script.gateway.ask("{ logs { nodes { name createdBy { email } } } }", token=script.token())

    assert body["data"] == {"logs": {"nodes": [{"name": "a.log", "createdBy": None}]}}
    (error,) = body["errors"]
    assert error["path"] == ["logs", "nodes", 0, "createdBy"]
    assert error["extensions"]["code"] == "DEADLINE_EXCEEDED"
