import pytest

from logs_service.evidence.failure import reports_failure, says_failure, says_recovery


@pytest.mark.parametrize(
    "text",
    [
        "connection refused to db-7:5432",
        "Failed password for invalid user <USER:1a2b> from <IP:3c4d> port 22 ssh2",
        "log-in failed for <EMAIL:ab12cd34> from <IP:ab12cd34>",
        "NATS connection lost",
        "NATS connection lost, reconnected after 10 s",
        "upstream timed out (110) while reading",
        "java.io.IOException: Broken pipe",
        "ValueError: no such column",
        "kernel: Out of memory: Killed process 4121",
        "panic: runtime error: index out of range",
        "authentication failure; logname= uid=0",
        "connect ECONNREFUSED 10.0.0.1:443",
        "permission denied",
        "host unreachable",
        "NATS is away; reconnecting",
        "worker fell over; starting it again",
        "could not resolve host",
    ],
)
def test_clear_words_report_a_failure(text: str) -> None:
    assert says_failure(text, strictly=True)


@pytest.mark.parametrize(
    "text", ["invalid user admin", "an error on page 3", "service unavailable", "retrying in 3 s", "not ready yet"]
)
def test_weaker_words_report_a_failure_where_the_level_does_not_speak(text: str) -> None:
    assert says_failure(text)
    assert not says_failure(text, strictly=True)


@pytest.mark.parametrize(
    "text",
    [
        "finished with 0 errors",
        "no errors found",
        "errors=0 warnings=0",
        "done: failed=0 passed=12",
        '{"error": null, "status": 200}',
        "error_count: 0",
        "error handler registered",
        "timeout=30s retries=5",
        "timeout: 5000 ms",
        "served GET /v1/logs 200",
        "completed without errors",
        "failover complete",
        "session opened for user <USER:1a2b>",
        "the terror of the deep",
    ],
)
def test_healthy_lines_report_no_failure(text: str) -> None:
    assert not says_failure(text)


def test_ten_errors_are_not_taken_for_none() -> None:
    assert says_failure("finished with 10 errors")


@pytest.mark.parametrize(
    "text",
    [
        "NATS reconnected after 10.2 s",
        "NATS is back",
        "publishing again",
        "service recovered",
        "connection re-established",
    ],
)
def test_recovery(text: str) -> None:
    assert says_recovery(text)


@pytest.mark.parametrize("text", ["reconnecting to NATS in 2 s", "trying again", "back-end is there"])
def test_trying_to_recover_is_no_recovery(text: str) -> None:
    assert not says_recovery(text)


@pytest.mark.parametrize(
    ("severity", "text", "expected"),
    [
        (17, "served <*>", True),
        (21, "served <*>", True),
        (13, "retrying in <*> s", True),
        (0, "retrying in <*> s", True),
        (9, "retrying in <*> s", False),
        (9, "connection refused to <*>", True),
        (13, "disk is filling up", False),
        (5, "connection refused to <*>", False),
    ],
)
def test_level_and_words_decide_together(severity: int, text: str, expected: bool) -> None:  # noqa: FBT001
    assert reports_failure(severity, text, [text]) is expected


def test_a_value_can_be_the_word_that_tells() -> None:
    bodies = ["job backup ended: failed", "job restore ended: failed"]

    assert reports_failure(0, "job <*> ended: <*>", bodies)
    assert not reports_failure(0, "job <*> ended: <*>", [*bodies, "job sync ended: done"])
