"""Five hundred secrets, personal values and user names go in by every door; then nothing of the stack holds one."""

import json

import pytest
from tests.e2e.canary_doors import MARKER, REFUSED, TOLD
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
from tests.e2e.client import logged
from tests.e2e.conftest import RunningStack
from tests.e2e.scripted_model import ScriptedModel

pytestmark = pytest.mark.timeout(300)
CANARIES = 500


@pytest.fixture(scope="module")
def told(model_stack: tuple[RunningStack, ScriptedModel]) -> Told:
    """The stack after every canary went in with the logs, and by one door more."""
    return tell_all(*model_stack, count=CANARIES, doors_each=1)


def test_every_door_was_told_some(told: Told) -> None:
    assert len(told.origins) > CANARIES
    assert told.doors.keys() == TOLD.keys() | REFUSED.keys()
    assert min(told.doors.values()) >= 5
    assert TOLD.keys() - told.taken <= {"updateLog tags", "saveTicketOption name"}, "these take short lines alone"


def test_no_table_holds_a_secret(told: Told) -> None:
    tables = dict(rows_of(told.stack))

    assert MARKER.encode() in tables["logs.log_records"]
    assert len(tables["tickets.dead_letters"]) > 0
    assert {table: found for table, rows in tables.items() if (found := told.leaks(rows))} == {}


def test_no_stream_holds_a_secret(told: Told) -> None:
    files = stream_files(told.stack)

    assert any(b"aiops.logs.log.received.v1" in text for text in files)
    assert told.leaks(*files) == {}


def test_no_process_logs_a_secret(told: Told) -> None:
    texts = process_logs(told.stack)

    assert any(b"trace_id" in text for text in texts.values())
    assert {name: found for name, text in texts.items() if (found := told.leaks(text))} == {}


def test_no_process_logs_what_the_stack_itself_keeps_secret(told: Told) -> None:
    kept = list(json.loads((told.stack.folder / "secrets.json").read_text()).values())
    kept += [path.read_text() for path in (told.stack.folder / "keys").iterdir()]

    assert logged(told.stack, *kept) == []


def test_no_metric_holds_a_secret(told: Told) -> None:
    texts = metrics(told.stack)

    assert all(b"aiops_" in text for text in texts.values())
    assert told.leaks(*texts.values()) == {}


def test_no_span_holds_a_secret(told: Told) -> None:
    names = span_names(told.model.spans)

    assert any("CreateTicket" in name for name in names), names
    assert told.leaks(*told.model.spans) == {}


def test_no_prompt_holds_a_secret(told: Told) -> None:
    assert any(MARKER.encode() in prompt for prompt in told.model.prompts)
    assert told.leaks(*told.model.prompts) == {}


def test_no_answer_holds_a_secret(told: Told) -> None:
    found = ask_everything(told, "ops", pages=1)

    assert found.asked > 400
    assert (found.told > 200, found.marked > 20) == (True, True)
    assert found.leaks == {}


def test_address_of_an_account_is_in_the_table_of_accounts_alone(told: Told) -> None:
    holders = [table for table, rows in rows_of(told.stack) if told.email.encode() in rows]

    assert holders == ["auth.users"]
    assert logged(told.stack, told.email) == []
