"""What leaves tickets by way of histories: no word of a ticket's hidden time, and no sign of an internal comment."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from services.tickets.tests.factories import ADMIN, KEY, NOBODY, OPS, Call, Create

from aiops.common.v1.page_pb2 import PageRequest
from aiops.history.v1 import history_service_pb2 as history_pb
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceStub
from aiops.tickets.v1 import ticket_pb2
from aiops.tickets.v1 import tickets_service_pb2 as pb
from chassis.history import History
from chassis.history.recorder import Recorder
from chassis.rpc.client import Client
from chassis.testing.harness import Installation, RunningService

HIDDEN = {"hidden": True}
FILED, TAKEN_OUT, RELEASED, LATER = "The filedword printer", "A takenword matter", "A printer", "A laterword printer"
Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def history(client: Client) -> Ask:
    async def ask(method: str, id_: str, **fields: Any) -> Any:
        request = getattr(history_pb, f"{method}Request")(kind="ticket", id=id_, **fields)
        return await client.call(getattr(HistoryServiceStub(client.channel), method), request)

    return ask


@dataclass
class Released:
    """A general ticket that hr took over, rewrote and released, and that was rewritten once more since."""

    id: str
    hidden_from: int
    released_at: int


@pytest_asyncio.fixture
async def released(ask: Call, create: Create, installation: Installation) -> Released:
    changes: list[int] = []

    async def change(method: str, ticket: Any, **fields: Any) -> Any:
        key = f"{KEY}-{len(changes)}"
        changes.append(1)
        request = getattr(pb, f"{method}Request")(
            idempotency_key=key, ticket_id=ticket.id, expected_version=ticket.version, **fields
        )
        return (await ask(method, request)).ticket

    with installation.as_viewer(None, viewer_id=UUID(NOBODY.id)):
        ticket = await create(FILED, message=FILED, service="filedword")
    with installation.as_viewer("admin"):
        hidden = await change("UpdateTicketAudience", ticket, audience=ticket_pb2.TICKET_AUDIENCE_PEOPLE)
        hidden_from = hidden.version
        now = await change("UpdateTicket", hidden, title=TAKEN_OUT, description=TAKEN_OUT)
        now = await change("UpdateTicket", now, title=RELEASED, description=RELEASED, service="printing")
        now = await change("UpdateTicketAudience", now, audience=ticket_pb2.TICKET_AUDIENCE_GENERAL)
        released_at = now.version
        now = await change("UpdateTicket", now, title=LATER)
        await change("AddTicketComment", now, body="Between us.", internal=True)
    return Released(ticket.id, hidden_from, released_at)


async def told(history: Ask, ticket: Released) -> str:
    """All that a history says, in one text."""
    answers = [
        await history("ListChanges", ticket.id, page=PageRequest(first=2)),
        await history("ListChanges", ticket.id, page=PageRequest(first=2, after="2")),
        await history("ListChanges", ticket.id, page=PageRequest(first=100)),
    ]
    for version in range(1, ticket.released_at + 2):
        answers.append(await history("GetState", ticket.id, version=version))
        answers += [
            await history("CompareVersions", ticket.id, from_version=one, to_version=other)
            for one, other in ((version, ticket.released_at + 1), (ticket.released_at, version))
        ]
    return str(answers)


async def test_the_words_of_a_hidden_time_are_not_told_after_it(
    history: Ask, released: Released, installation: Installation
) -> None:
    with installation.as_viewer("ops", viewer_id=UUID(OPS.id)):
        text = await told(history, released)
        rows = (await history("ListChanges", released.id, page=PageRequest(first=100))).changes
        last = json.loads((await history("GetState", released.id, version=released.released_at - 1)).state_json)
        now = json.loads((await history("GetState", released.id, version=released.released_at)).state_json)

    assert ("filedword" in text, "takenword" in text, RELEASED in text, "laterword" in text) == (
        False,
        False,
        True,
        True,
    )
    assert {name for name, value in last.items() if value == HIDDEN} == {
        "title", "description", "service", "category", "team", "triage", "suggestion",
    }  # fmt: skip
    assert (now["title"], now["description"], now["service"]) == (RELEASED, RELEASED, "printing")
    later = next(row for row in rows if row.version == released.released_at + 1)
    assert [(op.path, op.value_json, op.previous_json) for op in later.operations if op.path == "/title"] == [
        ("/title", json.dumps(LATER), json.dumps(RELEASED))
    ]
    assert [row.version for row in rows] == list(range(1, released.released_at + 3))


@pytest.mark.parametrize(
    ("role", "viewer"), [("admin", ADMIN.id), (None, NOBODY.id)], ids=["admin", "his own reporter"]
)
async def test_whoever_saw_it_while_it_was_hidden_reads_on(
    history: Ask, released: Released, installation: Installation, role: str | None, viewer: str
) -> None:
    with installation.as_viewer(role, viewer_id=UUID(viewer)):
        text = await told(history, released)

    assert ("filedword" in text, "takenword" in text, '"hidden"' in text) == (True, True, False)


async def test_without_the_veil_the_words_are_told(
    history: Ask, released: Released, installation: Installation, recorder_of: Recorder
) -> None:
    """The control of the test above: it finds what the veil keeps back."""
    recorder_of.histories["ticket"] = unveiled(recorder_of.histories["ticket"])

    with installation.as_viewer("ops", viewer_id=UUID(OPS.id)):
        text = await told(history, released)

    assert ("filedword" in text, "takenword" in text) == (True, True)


def unveiled(history: History) -> History:
    return replace(history, veil=None, told={})


@pytest.fixture
def recorder_of(running: RunningService) -> Recorder:
    recorder = running.process._runtime.recorder
    assert recorder is not None
    return recorder


async def test_a_reporter_without_role_hears_of_no_internal_comment(
    history: Ask, released: Released, installation: Installation, recorder_of: Recorder
) -> None:
    async def versions(first: int, after: str = "") -> list[int]:
        with installation.as_viewer(None, viewer_id=UUID(NOBODY.id)):
            answer = await history("ListChanges", released.id, page=PageRequest(first=first, after=after))
        return [row.version for row in answer.changes]

    end = released.released_at + 1
    whole, page = await versions(100), await versions(1, str(end))
    with installation.as_viewer("ops", viewer_id=UUID(OPS.id)):
        worked = (await history("ListChanges", released.id, page=PageRequest(first=100))).changes
    recorder_of.histories["ticket"] = unveiled(recorder_of.histories["ticket"])
    without = await versions(100)

    assert (whole, page) == (list(range(1, end + 1)), [])
    assert [row.version for row in worked] == without == [*whole, end + 1]
