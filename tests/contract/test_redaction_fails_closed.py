"""A redactor that fails lets nothing through: each place that calls it refuses, and says nothing of the text."""

import io
import json
import logging
from collections.abc import Callable

import pytest
from services.ai.tests.factories import engine_at, evidence, failure, running_endpoint
from services.changelog.tests.factories import commit_of

from aiops.tickets.v1.events_pb2 import TicketCreated
from changelog_service import usecases as changelog
from chassis import dead_letters
from chassis.errors import Internal
from chassis.logging import JsonFormatter
from chassis.redaction import RedactionFailed, Redactor
from logs_service import usecases as logs
from logs_service.ingest.lines import Cleaner
from tickets_service import usecases as tickets

SECRET = "password=hunter2"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """A redactor whose detectors died."""
    redactor = Redactor(b"0123456789abcdef")

    def die(_: bytes) -> list[int]:
        raise MemoryError(SECRET)

    monkeypatch.setattr(redactor._triggers, "fired", die)
    return redactor


DOORS: dict[str, Callable[[Redactor], object]] = {
    "a log's notes, reason and tags": lambda redactor: logs._redacted(SECRET, redactor),
    "a log's lines": lambda redactor: Cleaner(redactor).text(SECRET),
    "a ticket's texts": lambda redactor: tickets._redacted(SECRET, redactor),
    "a commit's message": lambda redactor: changelog._redacted([commit_of("a", message=SECRET)], redactor),
    "a dead letter": lambda redactor: dead_letters._redacted(SECRET.encode(), TicketCreated, redactor),
    "prose": lambda redactor: redactor.for_prose().redact(SECRET),
    "attributes": lambda redactor: redactor.redact_mapping({"note": SECRET}),
}


@pytest.mark.parametrize("door", DOORS)
def test_each_door_refuses_the_text(broken: Redactor, door: str) -> None:
    with pytest.raises((Internal, RedactionFailed)) as refused:
        DOORS[door](broken)

    assert "hunter2" not in str(refused.value)


def test_a_line_of_the_own_log_is_replaced(broken: Redactor) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("logs", broken))

    handler.emit(logging.LogRecord("x", logging.INFO, "x.py", 1, "it said %s", (SECRET,), None))

    assert isinstance(json.loads(stream.getvalue()), dict)
    assert "hunter2" not in stream.getvalue()


async def test_a_model_is_not_asked(broken: Redactor) -> None:
    async with running_endpoint() as endpoint, engine_at(endpoint, redact=broken.redact) as engine:
        refused = await failure(engine, about=evidence())

    assert refused.reason.value == "refused"
    assert endpoint.requests == []
