"""The registry of events against everything that it speaks of: protos, examples, and the code that tells and reacts."""

import ast
import contextlib
import dataclasses
import importlib
import inspect
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any, Self, get_type_hints

import pytest
from google.protobuf import json_format, symbol_database
from google.protobuf.message import Message
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, ResolutionFailed

from chassis.consumer import Subscription
from chassis.events import Event, stream
from chassis.nats_config import RegisteredEvent, permissions, read_registry, users

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
SERVICES = ("auth", "logs", "tickets", "changelog", "ai")
SUBJECT = re.compile(r"aiops\.[a-z]+\.[a-z_]+\.[a-z_]+\.v[0-9]+")
REGISTRY = {event.subject: event for event in read_registry(PROTO / "events.yaml")}
EVENTS = [pytest.param(event, id=subject) for subject, event in REGISTRY.items()]


@cache
def message_class(full_name: str) -> type[Message]:
    package, _, _ = full_name.rpartition(".")
    for path in (PROTO / package.replace(".", "/")).glob("*.proto"):
        importlib.import_module(f"{package}.{path.stem}_pb2")
    messages: type[Message] = symbol_database.Default().GetSymbol(full_name)
    return messages


@cache
def told(service: str) -> dict[str, type[Message]]:
    """Every subject that a service's `fact_to_event` makes of some fact of its own, with the payload's class."""
    convert = importlib.import_module(f"{service}_service.convert")
    found: dict[str, type[Message]] = {}

    def becomes_event(value: object) -> bool:
        try:
            event = convert.fact_to_event(value)
        except TypeError:
            return False
        assert isinstance(event, Event)
        found[event.subject] = type(event.payload)
        return True

    seen = [
        value for value in vars(convert).values() if getattr(value, "__name__", "").startswith(f"{service}_service.")
    ]
    candidates = {value for holder in (convert, *seen) for value in vars(holder).values() if inspect.isclass(value)}
    facts = {c for c in candidates if dataclasses.is_dataclass(c) and service in c.__module__}
    for fact in facts:
        st.register_type_strategy(fact, made_of_its_hints)
    quick = settings(max_examples=5, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    for fact in facts:
        with contextlib.suppress(NoSuchExample, ResolutionFailed):  # a fact that is missed is missing below
            find(st.from_type(fact), becomes_event, settings=quick)
    return found


def made_of_its_hints(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Instances of a dataclass; the names that its module imports for the type checker alone are imported here."""
    module = sys.modules[cls.__module__]
    names = dict(vars(module))
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            exec(compile(ast.Module(node.body, []), "<imports>", "exec"), names)  # noqa: S102 - our own imports
    hints = get_type_hints(cls, names)
    fields = {field.name: st.from_type(hints[field.name]) for field in dataclasses.fields(cls) if field.init}
    return st.builds(cls, **fields)


@pytest.mark.parametrize("event", EVENTS)
def test_the_names_of_an_event_agree(event: RegisteredEvent) -> None:
    _, producer, aggregate, past_tense, _ = event.subject.split(".")
    package, _, message = event.message.rpartition(".")

    assert (producer, aggregate) == (event.producer, event.aggregate)
    assert package == f"aiops.{producer}.v1"
    words = "".join(word.capitalize() for word in (*aggregate.split("_"), *past_tense.split("_")))
    assert message == words
    assert message_class(event.message).DESCRIPTOR.full_name == event.message


@pytest.mark.parametrize("event", EVENTS)
def test_the_proto_names_the_subject(event: RegisteredEvent) -> None:
    _, producer, *_ = event.subject.split(".")
    text = (PROTO / f"aiops/{producer}/v1/events.proto").read_text()

    comment = re.search(rf"((?://.*\n)+)message {event.message.rpartition('.')[2]} ", text)

    assert comment is not None
    assert f"Subject {event.subject}." in comment[1]


def test_every_event_message_of_the_protos_is_registered() -> None:
    declared = {
        subject
        for path in PROTO.glob("aiops/*/v1/events.proto")
        for subject in re.findall(r"Subject (aiops\S+\.v[0-9]+)\.", path.read_text())
    }
    messages = sum(
        len(re.findall(r"^message ", path.read_text(), re.MULTILINE)) for path in PROTO.glob("aiops/*/v1/events.proto")
    )

    assert declared == set(REGISTRY)
    assert messages == len(REGISTRY)


@pytest.mark.parametrize("event", EVENTS)
def test_the_example_is_a_full_payload(event: RegisteredEvent) -> None:
    example = json.loads((PROTO / event.example).read_text())

    message = json_format.ParseDict(example, message_class(event.message)())

    assert event.example == f"examples/{event.subject}.json"
    assert json_format.MessageToDict(message) == example
    assert {field.json_name for field in message.DESCRIPTOR.fields} == set(example)
    assert type(message).FromString(message.SerializeToString()) == message


def test_no_example_is_left_over() -> None:
    assert {path.name for path in (PROTO / "examples").iterdir()} == {f"{subject}.json" for subject in REGISTRY}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_tells_exactly_what_the_registry_gives_it(service: str) -> None:
    registered = {e.subject: message_class(e.message) for e in REGISTRY.values() if e.producer == service}

    assert told(service) == registered


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reacts_to_exactly_what_the_registry_gives_it(service: str) -> None:
    registered = {
        (stream(event.producer), event.subject, consumer.durable, message_class(event.message))
        for event in REGISTRY.values()
        for consumer in event.consumers
        if consumer.service == service
    }

    assert {(s.stream, s.subject, s.durable, s.message) for s in reactions(service)} == registered


def reactions(service: str) -> tuple[Subscription, ...]:
    """A service's subscriptions, whether they are a constant or are made from what the handlers need."""
    consumers = importlib.import_module(f"{service}_service.consumers")
    if hasattr(consumers, "SUBSCRIPTIONS"):
        return tuple(consumers.SUBSCRIPTIONS)
    if not hasattr(consumers, "subscriptions"):
        return ()
    arguments = [Anything() for _ in inspect.signature(consumers.subscriptions).parameters]
    return tuple(consumers.subscriptions(*arguments))


class Anything:
    """Stands where handlers are made from their needs: names are read here, nothing is called."""

    def __getattr__(self, name: str) -> Self:
        return self


def test_who_looks_on_is_named_for_each_subject() -> None:
    """The gateway hears what its code names, and nothing else is opened to it."""
    named = {subject for path in (ROOT / "gateway/src").rglob("*.py") for subject in SUBJECT.findall(path.read_text())}

    assert named <= {event.subject for event in REGISTRY.values() if "gateway" in event.live}


def test_durables_are_named_after_their_service_and_reaction() -> None:
    for event in REGISTRY.values():
        for consumer in event.consumers:
            assert re.fullmatch(rf"{consumer.service}-[a-z-]+", consumer.durable)
            assert len(consumer.durable) < 32


def test_no_permission_is_a_wildcard_over_other_services() -> None:
    for user in users(REGISTRY.values()):
        allowed = permissions(REGISTRY.values(), user)
        wide = [subject for verb in allowed.values() for subject in verb if "*" in subject or subject.endswith(">")]

        for subject in wide:
            assert subject == f"_INBOX_{user}.>" or re.fullmatch(rf"\$JS\.ACK\.[A-Z]+\.{user}-[a-z-]+\.>", subject)
