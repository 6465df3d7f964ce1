"""The servers of the gateway's benchmark still start and still answer alike; how fast is no test's business."""

from pathlib import Path

import orjson
import pytest
from tests.bench.gateway import MEASURED, contest
from tests.bench.gateway_page import page


@pytest.mark.timeout(300)  # may have to install the packages
async def test_all_three_answer_the_same_page_with_three_calls_each(tmp_path: Path) -> None:
    async with contest(tmp_path) as prepared:
        with prepared.running(*MEASURED) as servers:
            answers = {server.what: await server.answer() for server in servers}

        calls = {name: dict(service.calls) for name, service in prepared.services.items()}

    by_hand = page.by_hand(page.tickets(), page.people(), page.logs())
    assert {what: answer.get("errors") for what, answer in answers.items()} == dict.fromkeys(MEASURED)
    assert [orjson.dumps(answers[what]["data"]) for what in ("floor", "gateway")] == [orjson.dumps(by_hand)] * 2
    assert answers["yoga"]["data"] == by_hand
    assert calls == {"tickets": {"ListTickets": 3}, "auth": {"BatchGetUsers": 3}, "logs": {"BatchGetLogs": 3}}
