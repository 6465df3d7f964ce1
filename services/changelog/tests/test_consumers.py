"""What happens to a generated changelog, on real NATS: once, again, out of order, and when it cannot work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from nats.aio.client import Client as Nats
from services.changelog.tests.conftest import calls
from services.changelog.tests.factories import KEY, Call, Published, ScriptedAi, commit_input, generate, openai_answer
from sqlalchemy import text

from aiops.ai.v1.highlight_pb2 import HighlightSentence
from aiops.changelog.v1 import changelog_service_pb2 as pb
from aiops.changelog.v1.changelog_pb2 import Changelog, HighlightState
from aiops.changelog.v1.events_pb2 import ChangelogGenerated
from aiops.events.v1.envelope_pb2 import Envelope
from changelog_service.domain import PUBLISHED_EARLY
from chassis.db import Database
from chassis.errors import Internal, InvalidArgument, Unavailable
from chassis.ids import uuid7
from chassis.inbox import inbox
from chassis.testing.harness import Installation, RunningService
from chassis.testing.plugin import TestNats

SUBJECT = "aiops.changelog.changelog.generated.v1"
READY, FAILED = HighlightState.HIGHLIGHT_STATE_READY, HighlightState.HIGHLIGHT_STATE_FAILED
COMMITS = [
    commit_input(1, "feat!: drop logins by password (#12)"),
    commit_input(2, "fix: price of 2 items"),
    commit_input(3, "wip"),
]
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
Draft = Callable[..., Awaitable[Changelog]]
Settled = Callable[..., Awaitable[Changelog]]


@pytest_asyncio.fixture
async def nats(nats_server: TestNats) -> AsyncIterator[Nats]:
    """A user who may do everything; the streams are empty at the start."""
    client = Nats()
    await client.connect(nats_server.url, user="operator", password=nats_server.operator_password)
    for stream in await client.jetstream().streams_info():
        await client.jetstream().delete_stream(str(stream.config.name))
    yield client
    await client.close()


@pytest.fixture
def eventually() -> Eventually:
    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while not await condition():  # noqa: ASYNC110 - what is waited for happens in the database
                await asyncio.sleep(0.05)

    return wait


@pytest.fixture
def call(nats: Nats, working: RunningService, installation: Installation) -> Call:
    """Calls an RPC for a person of ops."""
    ask = calls(working)

    async def call_(method: str, request: object) -> object:
        with installation.as_viewer("ops"):
            return await ask(method, request)

    return call_


@pytest.fixture
def draft(call: Call) -> Draft:
    """A new draft."""

    async def draft_(key: str = KEY) -> Changelog:
        changelog: Changelog = (await call("GenerateChangelog", generate(COMMITS, key=key))).changelog
        return changelog

    return draft_


@pytest.fixture
def settled(call: Call, eventually: Eventually) -> Settled:
    """Waits until the highlights of a changelog are in a state, and gives it."""

    async def read(changelog_id: str) -> Changelog:
        (changelog,) = (await call("BatchGetChangelogs", pb.BatchGetChangelogsRequest(ids=[changelog_id]))).changelogs
        assert isinstance(changelog, Changelog)
        return changelog

    async def settled_(changelog_id: str, state: int) -> Changelog:
        async def is_there() -> bool:
            return (await read(changelog_id)).highlight_state == state

        await eventually(is_there)
        return await read(changelog_id)

    return settled_


async def test_a_generated_changelog_gets_highlights_of_its_entries(
    draft: Draft, settled: Settled, ai: ScriptedAi, database: Database, published: Published
) -> None:
    made = await draft()

    changelog = await settled(made.id, READY)

    assert (changelog.version, changelog.highlights.engine, changelog.highlight_failure) == (2, "builtin", "")
    (request,) = ai.requests
    keys = {entry.commit_shas[0]: entry.key for entry in made.entries}
    offered = [keys[COMMITS[0].sha], keys[COMMITS[1].sha]]
    assert [entry.key for entry in request.entries] == offered
    assert [list(each.entry_keys) for each in changelog.highlights.highlights] == [[key] for key in offered]
    assert (changelog.markdown, changelog.json) == (made.markdown, made.json)
    told = [(subject, envelope.aggregate_version) for subject, envelope in await published(database)]
    assert told[1:] == [(SUBJECT, 1), ("aiops.changelog.changelog.highlighted.v1", 2)]


async def test_a_redelivered_event_has_no_second_effect(
    draft: Draft, settled: Settled, nats: Nats, ai: ScriptedAi, database: Database, published: Published,
    eventually: Eventually,
) -> None:  # fmt: skip
    changelog = await settled((await draft()).id, READY)
    envelope = (await published(database))[1][1]
    stream = nats.jetstream()

    again = await stream.publish(SUBJECT, envelope.SerializeToString(), headers={"Nats-Msg-Id": "again"})

    async def is_acknowledged() -> bool:
        info = await stream.consumer_info("CHANGELOG", "changelog-highlight")
        return info.ack_floor is not None and info.ack_floor.stream_seq >= again.seq

    await eventually(is_acknowledged)
    assert await settled(changelog.id, READY) == changelog
    assert len(ai.requests) == 1
    assert len(await published(database)) == 3


async def test_an_older_event_that_comes_late_changes_nothing(
    draft: Draft, settled: Settled, nats: Nats, ai: ScriptedAi, database: Database, eventually: Eventually,
    published: Published,
) -> None:  # fmt: skip
    changelog = await settled((await draft()).id, READY)
    late = generated(changelog.id)

    await nats.jetstream().publish(SUBJECT, late.SerializeToString())

    async def is_handled() -> bool:
        async with database.read() as tx:
            return await tx.fetch_one(inbox.select().where(inbox.c.event_id == UUID(late.id))) is not None

    await eventually(is_handled)
    assert await settled(changelog.id, READY) == changelog
    assert len(ai.requests) == 1
    assert len(await published(database)) == 3


async def test_poison_becomes_a_dead_letter_and_the_stream_moves_on(
    draft: Draft, settled: Settled, nats: Nats, database: Database, eventually: Eventually
) -> None:
    poison = generated("0198c0de-0000-7000-8000-000000000001")

    await nats.jetstream().publish(SUBJECT, poison.SerializeToString())
    await nats.jetstream().publish(SUBJECT, b"no envelope")
    changelog = await settled((await draft()).id, READY)

    async def are_buried() -> bool:
        async with database.read() as tx:
            rows = await tx.fetch_all(text("SELECT error_class FROM dead_letters ORDER BY error_class"))
        return [row.error_class for row in rows] == ["ChangelogNotFound", "Unreadable"]

    await eventually(are_buried)
    assert changelog.version == 2


def generated(changelog_id: str) -> Envelope:
    return Envelope(
        id=str(uuid7()), type="aiops.changelog.v1.ChangelogGenerated", schema_version=1, aggregate_type="changelog",
        aggregate_id=changelog_id, aggregate_version=1,
        payload=ChangelogGenerated(changelog_id=changelog_id).SerializeToString(),
    )  # fmt: skip


async def test_an_ai_that_is_away_leaves_the_changelog_whole_and_says_why(
    draft: Draft, settled: Settled, ai: ScriptedAi, database: Database, published: Published
) -> None:
    ai.errors = [Unavailable(dependency="model")]
    made = await draft()

    failed = await settled(made.id, FAILED)
    again = await settled((await draft(KEY + "again")).id, READY)

    assert failed.highlight_failure == (
        "The ai service could not be reached; generate the changelog again once it is back."
    )
    assert (failed.version, failed.HasField("highlights"), failed.markdown) == (2, False, made.markdown)
    assert again.markdown == made.markdown
    subjects = [subject.rpartition(".changelog.")[2] for subject, _ in await published(database)]
    assert subjects[1:] == ["generated.v1", "highlighted.v1", "generated.v1", "highlighted.v1"]


async def test_an_ai_that_fails_is_asked_again(draft: Draft, settled: Settled, ai: ScriptedAi) -> None:
    ai.errors = [Internal()]

    changelog = await settled((await draft()).id, READY)

    assert changelog.version == 2
    first, second = ai.requests
    assert first == second


async def test_a_refusal_of_ai_fails_the_highlights_at_once(draft: Draft, settled: Settled, ai: ScriptedAi) -> None:
    ai.errors = [InvalidArgument("no entry", field="entries")]

    changelog = await settled((await draft()).id, FAILED)

    assert "INVALID_ARGUMENT" in changelog.highlight_failure
    assert len(ai.requests) == 1


async def test_sentences_that_say_more_are_replaced_and_counted(draft: Draft, settled: Settled, ai: ScriptedAi) -> None:
    ai.answer = openai_answer(
        HighlightSentence(text="Logins by password are gone.", entry_keys=["{1}"]),
        HighlightSentence(text="The price of 2000000 items is fixed.", entry_keys=["{2}"]),
        HighlightSentence(text="Everything is faster, see #99.", entry_keys=["{2}"]),
        HighlightSentence(text="Invented out of thin air.", entry_keys=["c99"]),
    )
    answer = ai.answer

    def with_keys(request: object) -> object:
        filled = answer(request)  # type: ignore[arg-type]
        for sentence in filled.highlights:
            keys = [entry.key for entry in request.entries]  # type: ignore[attr-defined]
            sentence.entry_keys[0] = sentence.entry_keys[0].replace("{1}", keys[0]).replace("{2}", keys[1])
        return filled

    ai.answer = with_keys  # type: ignore[assignment]

    changelog = await settled((await draft()).id, READY)

    worded = changelog.highlights
    assert (worded.engine, worded.model, worded.replaced_count) == ("openai", "m-1", 3)
    first, second = worded.highlights
    assert (first.text, first.engine) == ("Logins by password are gone.", "openai")
    assert second.engine == "builtin"
    assert "price of 2 items" in second.text.lower()


async def test_highlights_of_a_changelog_that_is_published_first_are_kept_as_a_suggestion(
    draft: Draft, settled: Settled, call: Call, ai: ScriptedAi, eventually: Eventually, database: Database
) -> None:
    ai.may_answer.clear()
    made = await draft()
    async with asyncio.timeout(20):
        await ai.asked.wait()

    publish = pb.PublishChangelogRequest(idempotency_key=KEY, changelog_id=made.id, expected_version=1)
    out = (await call("PublishChangelog", publish)).changelog
    ai.may_answer.set()

    async def is_handled() -> bool:
        async with database.read() as tx:
            return len(await tx.fetch_all(inbox.select())) == 1

    await eventually(is_handled)
    assert (out.version, out.highlight_state, out.highlight_failure) == (2, FAILED, PUBLISHED_EARLY)
    after = await settled(made.id, FAILED)
    (suggestion,) = after.highlight_suggestions
    assert (after.version, after.HasField("highlights"), after.published_at) == (3, False, out.published_at)
    assert (suggestion.read_version, suggestion.highlights.engine) == (1, "builtin")
    assert len(suggestion.highlights.highlights) == 2

    values: dict[str, Any] = {"changelog_id": made.id, "expected_version": 3, "suggestion_id": suggestion.id}
    accept = pb.AcceptChangelogSuggestionRequest(idempotency_key=KEY, **values)
    accepted = (await call("AcceptChangelogSuggestion", accept)).changelog
    assert (accepted.version, accepted.highlights, accepted.markdown) == (4, suggestion.highlights, out.markdown)
    assert (accepted.highlight_state, accepted.highlight_failure) == (READY, "")
    assert not accepted.highlight_suggestions
