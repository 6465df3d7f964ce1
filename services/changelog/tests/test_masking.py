"""What leaves changelog by ways round the table: histories and replayed answers, masked for whoever looks now."""

import json
from typing import Any

import pytest
from services.changelog.tests.conftest import calls
from services.changelog.tests.factories import KEY, Changes, commit_input, commit_of, generate

from aiops.changelog.v1 import changelog_service_pb2 as pb
from aiops.common.v1.page_pb2 import PageRequest
from aiops.history.v1 import history_service_pb2 as history_pb
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceStub
from changelog_service import usecases
from changelog_service.domain import Highlight, Highlights
from changelog_service.policy import VEILED
from chassis.db import UnitOfWork
from chassis.errors import RemoteError
from chassis.ids import uuid7
from chassis.testing.harness import Installation, RunningService

SUGGESTIONS = {"highlight_suggestions"}
SECRET = "Worded but never shown."
WORDED = Highlights((Highlight(SECRET, ("c1",), "openai"),), "openai", "m-1", "run", "", 0)


async def asked(running: RunningService, method: str, **fields: Any) -> Any:
    client = running.client()
    request = getattr(history_pb, f"{method}Request")(kind="changelog", **fields)
    return await client.call(getattr(HistoryServiceStub(client.channel), method), request)


async def test_people_of_hr_see_no_history_of_drafts_and_no_suggestion_in_any(
    changes: Changes, uow: UnitOfWork, running: RunningService, installation: Installation
) -> None:
    draft = await changes.generate((commit_of("a"),))
    out = await changes.publish(await changes.generate((commit_of("b"),)))
    async with uow.begin() as tx:
        await usecases.store_highlights(out.id, WORDED, tx, read_version=1)

    seen: dict[str, Any] = {}
    for role in ("ops", "hr"):
        with installation.as_viewer(role):
            listed = await asked(running, "ListChanges", id=str(out.id), page=PageRequest(first=10))
            state = json.loads((await asked(running, "GetState", id=str(out.id), version=3)).state_json)
            seen[role] = ([change.event for change in listed.changes], SECRET in str(listed), set(state))
    with installation.as_viewer("hr"), pytest.raises(RemoteError) as refused:
        await asked(running, "GetState", id=str(draft.id), version=1)

    events = ["ChangelogGenerated", "ChangelogReleased", "ChangelogHighlightsSuggested"]
    assert seen["ops"][:2] == (events, True)
    assert seen["hr"][:2] == (events, False)
    assert seen["ops"][2] - seen["hr"][2] == {"highlight_suggestions"}
    assert refused.value.reason == "HISTORY_NOT_FOUND"


async def test_what_a_changelog_said_as_a_draft_is_not_told_to_people_of_hr(
    changes: Changes, running: RunningService, installation: Installation
) -> None:
    out = await changes.publish(await changes.generate((commit_of("b"),)))

    seen: dict[str, Any] = {}
    for role in ("ops", "hr"):
        with installation.as_viewer(role):
            rows = (await asked(running, "ListChanges", id=str(out.id), page=PageRequest(first=10))).changes
            states = [
                json.loads((await asked(running, "GetState", id=str(out.id), version=version)).state_json)
                for version in (1, 2)
            ]
            compared = await asked(running, "CompareVersions", id=str(out.id), from_version=1, to_version=2)
        first = {operation.path[1:]: json.loads(operation.value_json) for operation in rows[0].operations}
        seen[role] = (first, *states, {each.path: each.previous_json for each in compared.operations})

    assert {str(value) for name, value in seen["hr"][0].items() if name in VEILED} == {str({"hidden": True})}
    assert {name for name, value in seen["hr"][1].items() if value == {"hidden": True}} == VEILED - SUGGESTIONS
    assert {name: value for name, value in seen["ops"][1].items() if name not in VEILED} == {
        name: value for name, value in seen["hr"][1].items() if name not in VEILED
    }
    assert seen["hr"][2] == {name: value for name, value in seen["ops"][2].items() if name not in SUGGESTIONS}
    assert seen["hr"][3]["/state"] == seen["ops"][3]["/state"] == '"DRAFT"'
    assert seen["hr"][3]["/entries"] == '{"hidden": true}'
    assert '{"hidden": true}' not in seen["ops"][3].values()


async def test_a_key_of_an_admin_opens_nothing_for_others(running: RunningService, installation: Installation) -> None:
    """Idempotency keys belong to whoever used them: for another person the same key is a new request, or none."""
    ask = calls(running)
    request = generate([commit_input("a")])
    with installation.as_viewer("admin"):
        first = (await ask("GenerateChangelog", request)).changelog

    with installation.as_viewer("hr"), pytest.raises(RemoteError) as refused:
        await ask("GenerateChangelog", request)
    with installation.as_viewer("ops"):
        other = (await ask("GenerateChangelog", request)).changelog

    assert refused.value.reason == "FORBIDDEN"
    assert first.id not in (str(refused.value.metadata), other.id)


async def test_a_replay_asks_again_what_its_owner_may(
    changes: Changes, running: RunningService, installation: Installation
) -> None:
    draft = await changes.generate((commit_of("a"),))
    owner = uuid7()
    request = pb.PublishChangelogRequest(idempotency_key=KEY, changelog_id=str(draft.id), expected_version=1)
    with installation.as_viewer("admin", viewer_id=owner):
        first = await calls(running)("PublishChangelog", request)
        again = await calls(running)("PublishChangelog", request)

    with installation.as_viewer("hr", viewer_id=owner), pytest.raises(RemoteError) as refused:
        await calls(running)("PublishChangelog", request)

    assert again == first
    assert (refused.value.reason, refused.value.metadata) == ("FORBIDDEN", {"operation": "PublishChangelog"})
