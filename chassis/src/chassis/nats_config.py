"""What each service may do on NATS, worked out from the registry of events: one user per service, each thing by name.

A user may publish the subjects that the registry gives it, manage its own two streams, run its own named consumers and
hear its own inbox. Nobody else's. The same text configures an embedded server and documents a production one.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chassis.events import dead_letter_stream, dead_letter_subject, stream


@dataclass(frozen=True)
class Reaction:
    """A consumer of an event: the service and its durable name."""

    service: str
    durable: str


@dataclass(frozen=True)
class RegisteredEvent:
    """One subject of the registry."""

    subject: str
    message: str
    producer: str
    aggregate: str
    consumers: tuple[Reaction, ...]
    live: tuple[str, ...]
    """Who hears it as it happens, without a durable consumer: may miss it, never replays it."""
    example: str


def read_registry(path: Path) -> tuple[RegisteredEvent, ...]:
    """The events that a registry file (`proto/events.yaml`) lists."""
    events: Mapping[str, Mapping[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["events"]
    return tuple(
        RegisteredEvent(
            subject=subject,
            message=event["message"],
            producer=event["producer"],
            aggregate=event["aggregate"],
            consumers=tuple(Reaction(**consumer) for consumer in event.get("consumers", ())),
            live=tuple(event.get("live", ())),
            example=event["example"],
        )
        for subject, event in events.items()
    )


def users(registry: Iterable[RegisteredEvent]) -> tuple[str, ...]:
    """Every service that the registry gives something to do."""
    named = {name for event in registry for name in (event.producer, *event.live)}
    return tuple(sorted(named | {consumer.service for event in registry for consumer in event.consumers}))


def permissions(registry: Iterable[RegisteredEvent], user: str) -> dict[str, list[str]]:
    """The subjects that a service's user may publish and subscribe to."""
    publish: list[str] = []
    subscribe = [f"_INBOX_{user}.>"]
    durables: set[str] = set()
    for event in registry:
        if event.producer == user:
            publish.append(event.subject)
        if user in event.live:
            subscribe.append(event.subject)
        for durable in (consumer.durable for consumer in event.consumers if consumer.service == user):
            durables.add(durable)
            publish += [
                f"$JS.API.CONSUMER.CREATE.{stream(event.producer)}.{durable}.{event.subject}",
                f"$JS.API.CONSUMER.INFO.{stream(event.producer)}.{durable}",
                f"$JS.API.CONSUMER.MSG.NEXT.{stream(event.producer)}.{durable}",
                f"$JS.ACK.{stream(event.producer)}.{durable}.>",
            ]
    publish += [dead_letter_subject(user, durable) for durable in sorted(durables)]
    if publish:
        own_streams = (stream(user), dead_letter_stream(user))
        publish += [f"$JS.API.STREAM.{verb}.{name}" for name in own_streams for verb in ("CREATE", "UPDATE")]
    return {"publish": publish, "subscribe": subscribe}


def nats_config(
    registry: Path | Iterable[RegisteredEvent], passwords: Mapping[str, str], *, operator_password: str = ""
) -> str:
    """The `authorization` block of a server's configuration: one user for each service of `passwords`.

    With an operator's password there is also a user `operator` who may do everything: for redriving and for tests.
    """
    events = read_registry(registry) if isinstance(registry, Path) else tuple(registry)
    entries = [_user(name, password, permissions(events, name)) for name, password in sorted(passwords.items())]
    if operator_password:
        entries.append(_user("operator", operator_password, {"publish": [">"], "subscribe": [">"]}))
    return "\n".join(("authorization {", "  users: [", *entries, "  ]", "}", ""))


def nats_tls(ca: Path, certificate: Path, key: Path) -> str:
    """The `tls` block of a server's configuration: who has no certificate of the CA is not even told who we are."""
    files = {"ca_file": ca, "cert_file": certificate, "key_file": key}
    lines = [f"  {name}: {json.dumps(str(file))}" for name, file in files.items()]
    return "\n".join(("tls {", *lines, "  verify: true", "  handshake_first: true", '  min_version: "1.2"', "}", ""))


def _user(name: str, password: str, allowed: Mapping[str, list[str]]) -> str:
    rules = ", ".join(f"{verb}: {{ allow: {json.dumps(allowed[verb] or ['_nothing_'])} }}" for verb in sorted(allowed))
    return f"    {{ user: {json.dumps(name)}, password: {json.dumps(password)}, permissions: {{ {rules} }} }}"
