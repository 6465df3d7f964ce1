from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from chassis.testing.plugin import ServiceDatabase

ROW = (
    "INSERT INTO runs VALUES (gen_random_uuid(), 'summarize_evidence', %(engine)s, '', 0, %(digest)s, 0, 0,"
    " %(latency)s, 0, %(fallback)s, now())"
)
GOOD: dict[str, Any] = {"engine": "builtin", "digest": "ab" * 32, "latency": 1, "fallback": None}


@pytest.fixture
def kept(make_database: Callable[[str, str], ServiceDatabase]) -> ServiceDatabase:
    schema = make_database("ai", "ai_service")
    with psycopg.connect(schema.app_url) as connection:
        connection.execute(ROW, GOOD)
    return schema


@pytest.mark.parametrize(
    "statement", ["UPDATE runs SET model = 'x'", "DELETE FROM runs", "TRUNCATE runs", "DROP TABLE runs"]
)
def test_the_service_cannot_change_what_it_recorded(kept: ServiceDatabase, statement: str) -> None:
    with psycopg.connect(kept.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)

    with psycopg.connect(kept.app_url) as connection:
        assert connection.execute("SELECT count(*) FROM runs WHERE model = ''").fetchone() == (1,)


@pytest.mark.parametrize(
    "wrong",
    [{"engine": "other"}, {"digest": "xyz"}, {"latency": -1}, {"engine": "openai", "fallback": "timeout"}],
)
def test_rows_that_make_no_sense_are_refused(kept: ServiceDatabase, wrong: dict[str, Any]) -> None:
    with psycopg.connect(kept.app_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(ROW, {**GOOD, **wrong})
