"""Each user of NATS against every subject: what proto/events.yaml gives it passes, the server refuses all the rest."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.errors import NoServersError

from chassis.events import dead_letter_stream, dead_letter_subject, stream
from chassis.nats_config import read_registry, users
from chassis.testing.plugin import NatsServers, TestNats

REGISTRY = read_registry(Path(__file__).resolve().parents[2] / "proto" / "events.yaml")
USERS = users(REGISTRY)
STREAMS = [name for user in USERS for name in (stream(user), dead_letter_stream(user))]
DURABLES = sorted(
    {(each.service, each.durable, stream(event.producer)) for event in REGISTRY for each in event.consumers}
)
LAST = "the.last.of.all"
VIOLATION = re.compile(r"permissions violation for (publish|subscription) to \"([^\"]+)\"", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """Something that could be done on NATS, and who may do it."""

    verb: str
    subject: str
    allowed: frozenset[str]


def cell(verb: str, subject: str, *allowed: str) -> Cell:
    return Cell(verb, subject, frozenset(allowed))


def every_cell() -> Iterator[Cell]:
    yield from facts()
    yield from streams()
    yield from consumers()
    for user in USERS:
        yield cell("subscription", f"_INBOX_{user}.reply", user)
        yield cell("publish", f"_INBOX_{user}.reply")
    for subject in (
        "aiops.made.up.happened.v1",
        "anything",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$SYS.REQ.USER.INFO",
    ):
        yield cell("publish", subject)
    for subject in (
        ">",
        "aiops.>",
        "aiops.*.*.*.v1",
        "_INBOX.>",
        "*.reply",
        "$JS.>",
        "$JS.ACK.>",
        "$JS.EVENT.>",
        "$SYS.>",
    ):
        yield cell("subscription", subject)


def facts() -> Iterator[Cell]:
    """A fact is told by its producer, and heard as it happens by whoever the registry names."""
    for event in REGISTRY:
        yield cell("publish", event.subject, event.producer)
        yield cell("subscription", event.subject, *event.live)
    for service, durable, _ in DURABLES:
        yield cell("publish", dead_letter_subject(service, durable), service)
        yield cell("subscription", dead_letter_subject(service, durable))
    for user in USERS:
        yield cell("publish", dead_letter_subject(user, f"{user}-made-up"))
        yield cell("subscription", f"aiops.{user}.>")
        yield cell("publish", f"aiops.{user}.made.up.v1")


def streams() -> Iterator[Cell]:
    """Whoever tells or takes facts makes his own two streams; nobody reads, empties or removes one."""
    works = {event.producer for event in REGISTRY} | {service for service, _, _ in DURABLES}
    for user in USERS:
        for name, verb in product((stream(user), dead_letter_stream(user)), ("CREATE", "UPDATE")):
            yield cell("publish", f"$JS.API.STREAM.{verb}.{name}", *({user} & works))
    for name in STREAMS:
        for verb in ("INFO", "DELETE", "PURGE", "MSG.GET", "MSG.DELETE", "SNAPSHOT", "RESTORE", "LEADER.STEPDOWN"):
            yield cell("publish", f"$JS.API.STREAM.{verb}.{name}")
        yield cell("publish", f"$JS.API.DIRECT.GET.{name}")
        yield cell("publish", f"$JS.API.CONSUMER.LIST.{name}")
        yield cell("publish", f"$JS.API.CONSUMER.CREATE.{name}")  # an ephemeral one, over all subjects


def consumers() -> Iterator[Cell]:
    """A consumer belongs to its service, on the stream of the producer, filtered to its facts."""
    for service, durable, _ in DURABLES:
        for event in REGISTRY:
            its_own = any((each.service, each.durable) == (service, durable) for each in event.consumers)
            subject = f"$JS.API.CONSUMER.CREATE.{stream(event.producer)}.{durable}.{event.subject}"
            yield cell("publish", subject, *([service] if its_own else []))
        for name in STREAMS:
            mine = [service] if name in {s for _, d, s in DURABLES if d == durable} else []
            yield cell("publish", f"$JS.API.CONSUMER.INFO.{name}.{durable}", *mine)
            yield cell("publish", f"$JS.API.CONSUMER.MSG.NEXT.{name}.{durable}", *mine)
            yield cell("publish", f"$JS.ACK.{name}.{durable}.1.1.1.1.1", *mine)
            yield cell("publish", f"$JS.API.CONSUMER.CREATE.{name}.{durable}")  # over all subjects
            for verb in ("DELETE", "DURABLE.CREATE", "PAUSE", "UNPIN"):
                yield cell("publish", f"$JS.API.CONSUMER.{verb}.{name}.{durable}")


CELLS = sorted(set(every_cell()), key=lambda each: (each.verb, each.subject))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestNats]:
    """One that no other test hears of what is said here."""
    servers = NatsServers(tmp_path_factory)
    yield servers.get(REGISTRY)
    servers.stop()


async def refused(server: TestNats, user: str, cells: list[Cell]) -> set[tuple[str, str]]:
    """What the server refuses of all that, to this user."""
    said: list[str] = []
    heard_the_last = asyncio.Event()

    async def hear(error: Exception) -> None:
        if LAST in str(error):
            heard_the_last.set()
        else:
            said.append(str(error))

    client = Client()
    await client.connect(server.url, user=user, password=server.passwords[user], error_cb=hear, allow_reconnect=False)
    for each in cells:
        if each.verb == "publish":
            await client.publish(each.subject, b"")
        else:
            await client.subscribe(each.subject)
    await client.publish(LAST, b"")  # nobody may; and whatever was refused is said before
    async with asyncio.timeout(20):
        await heard_the_last.wait()
    await client.close()
    found = [VIOLATION.search(text) for text in said]
    assert None not in found, said
    return {(match[1].lower(), match[2]) for match in found if match}


@pytest.mark.parametrize("user", USERS)
async def test_a_user_does_what_the_registry_gives_it_and_nothing_else(server: TestNats, user: str) -> None:
    expected = {(each.verb, each.subject.lower()) for each in CELLS if user not in each.allowed}

    found = await refused(server, user, CELLS)

    assert {(verb, subject.lower()) for verb, subject in found} == expected
    assert len(CELLS) > 800


def test_the_users_are_the_processes_of_the_installation() -> None:
    assert set(USERS) == {"auth", "logs", "tickets", "changelog", "ai", "gateway"}


def test_what_a_model_could_reach_through_ai_is_its_own_runs() -> None:
    """Ai tells of its runs, keeps its streams, and hears at most whose access ended; it takes no facts."""
    given = {(each.verb, each.subject) for each in CELLS if "ai" in each.allowed}

    told = {subject for verb, subject in given if verb == "publish" and not subject.startswith("$JS.API.STREAM.")}
    heard = {subject for verb, subject in given if verb == "subscription" and not subject.startswith("_INBOX_ai.")}
    assert told == {"aiops.ai.run.completed.v1"}
    assert all(subject.startswith("aiops.auth.") for subject in heard)


def test_the_gateway_tells_nothing() -> None:
    assert [each for each in CELLS if each.verb == "publish" and "gateway" in each.allowed] == []


@pytest.mark.parametrize("given", [{}, {"user": "logs"}, {"user": "logs", "password": "made-up"}, {"user": "nobody"}])
async def test_nobody_comes_in_without_a_password(server: TestNats, given: dict[str, str]) -> None:
    with pytest.raises((nats.errors.Error, NoServersError)):
        await nats.connect(server.url, allow_reconnect=False, max_reconnect_attempts=0, connect_timeout=3, **given)
