"""Canaries by many doors, and all that anybody of any role can ask afterwards, page by page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.canary_search import (
    Told,
    ask_everything,
    metrics,
    process_logs,
    rows_of,
    span_names,
    stream_files,
    tell_all,
)
from tests.e2e.conftest import start, watched_by
from tests.e2e.scripted_model import ScriptedModel

pytestmark = [pytest.mark.attack, pytest.mark.timeout(1800)]
DOORS_EACH = 8
ROLES = ("admin", "ops", "hr", "no role", "machine", "nobody")


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with ScriptedModel() as model:
        running = start(tmp_path, extra=watched_by(model))
        yield tell_all(running, model, count=500, doors_each=DOORS_EACH)
        running.command("reset")


def test_no_store_and_no_answer_of_any_role_holds_a_canary(told: Told) -> None:
    stores = {
        **dict(rows_of(told.stack)),
        **process_logs(told.stack),
        **{f"metrics {port}": text for port, text in metrics(told.stack).items()},
        "streams": b"".join(stream_files(told.stack)),
        "spans": b"".join(told.model.spans),
        "prompts": b"".join(told.model.prompts),
    }
    found = {role: ask_everything(told, role, pages=20) for role in ROLES}

    assert {store: leaks for store, text in stores.items() if (leaks := told.leaks(text))} == {}
    assert any("CreateTicket" in name for name in span_names(told.model.spans))
    assert {role: answers.leaks for role, answers in found.items() if answers.leaks} == {}
    assert all(answers.asked > 400 for answers in found.values())
    assert all(found[role].told > 200 for role in ("admin", "ops", "hr"))
