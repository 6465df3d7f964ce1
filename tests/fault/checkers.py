"""What must be true after every fault, as pure functions: each returns the violations that it found, in words.

They see the history that clients kept, what is readable afterwards, and the facts that each service's schema holds.
Numbers in brackets are those of the invariants in docs/fault-suite.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from tests.fault.history import History


@dataclass(frozen=True)
class Seen:
    """Something that a reader found by a marker."""

    id: str
    version: int


@dataclass
class Readable:
    """What the gateway shows when all is over."""

    by_marker: dict[tuple[str, str], list[Seen]] = field(default_factory=dict)
    """(kind, marker) of each thing that was made."""
    versions: dict[str, int] = field(default_factory=dict)
    """Id of each thing that has a version."""
    current: dict[str, str] = field(default_factory=dict)
    """Id of a thing, and the words that its last update left in it."""


@dataclass(frozen=True)
class Fact:
    """A row of an outbox."""

    event_id: UUID
    aggregate_type: str
    aggregate_id: UUID
    version: int
    subject: str
    published: bool
    cause: str
    """Id of the event that it reacts to; empty when a person or machine caused it."""


@dataclass(frozen=True)
class Change:
    """A row of a history."""

    kind: str
    id: UUID
    version: int
    event: str


@dataclass
class Facts:
    """What one service's schema holds."""

    service: str
    outbox: list[Fact] = field(default_factory=list)
    inbox: list[tuple[str, UUID]] = field(default_factory=list)
    """Consumer and event; a list, so that a repeat can be seen."""
    dead: list[tuple[str, UUID]] = field(default_factory=list)
    versions: dict[tuple[str, UUID], int] = field(default_factory=dict)
    """Versions of the rows, by aggregate type and id."""
    histories: frozenset[str] = frozenset()
    """Aggregate types that have a history."""
    changes: list[Change] = field(default_factory=list)


UNTOLD = frozenset({"Genesis", "Resumed", "Erased"})
"""Changes that tell no fact: they begin a history, or take a person's words out of it."""


UPDATES = frozenset({"updateTicket", "updateLog"})
"""What leaves its marker in a field that shows the last update alone."""


def lost(history: History, readable: Readable) -> list[str]:
    """[1] What was acknowledged and is not there, or is there in an older version."""
    return list(_lost(history, readable))


def _lost(history: History, readable: Readable) -> Iterator[str]:
    for op in history.of("ok"):
        if op.creates or op.kind == "comment":
            found = readable.by_marker.get((op.kind, op.marker), [])
            if not found:
                yield f"{op.action} {op.marker} was acknowledged and is nowhere"
            elif op.creates and op.target and found[0].id != op.target:
                yield f"{op.action} {op.marker} was acknowledged as {op.target} and is {found[0].id}"
        if op.target and op.version and op.kind not in {"deployment", "commit"}:
            now = readable.versions.get(op.target)
            if now is None or now < op.version:
                yield f"{op.action} {op.marker} was acknowledged as version {op.version} of {op.target}, now {now}"
            elif now == op.version and op.action in UPDATES and op.marker not in readable.current[op.target]:
                yield f"{op.target} has version {now} of {op.action} {op.marker}, but other words"


def doubled(history: History, readable: Readable) -> list[str]:
    """[2, 9] What stands there twice, or although it was refused."""
    found = []
    for op in history.ops:
        if not op.creates and op.kind != "comment":
            continue
        times = len(readable.by_marker.get((op.kind, op.marker), []))
        if times > 1:
            found.append(f"{op.action} {op.marker} ({op.outcome}, {op.attempts} attempts) is there {times} times")
        if times and op.outcome == "fail":
            found.append(f"{op.action} {op.marker} was refused with {op.code} and is there")
    return found


def unequal_replies(history: History) -> list[str]:
    """[9] Answers to one key that differ."""
    return [f"{op.action} {op.marker} was answered {op.replies}" for op in history.ops if len(set(op.replies)) > 1]


def lost_updates(history: History) -> list[str]:
    """[10] Updates of one thing that both succeeded on the same version, or made another version than the next."""
    found, taken = [], defaultdict[tuple[str, int], list[str]](list)
    for op in history.of("ok"):
        if op.creates or not op.target:
            continue
        taken[op.target, op.expected_version].append(op.marker)
        if op.version != op.expected_version + 1:
            found.append(f"{op.action} {op.marker} expected version {op.expected_version} and made {op.version}")
    for (target, version), markers in taken.items():
        if len(markers) > 1:
            found.append(f"{', '.join(markers)} all succeeded on version {version} of {target}")
    return found


def effects(facts: Facts) -> list[str]:
    """[3] Events that a consumer took to itself more or less than once, or that had more or less than one effect."""
    found = [
        f"{consumer} has event {event} {times} times in its inbox"
        for (consumer, event), times in Counter(facts.inbox).items()
        if times > 1
    ]
    told = Counter(fact.cause for fact in facts.outbox if fact.cause)
    for consumer, event in set(facts.inbox):
        if told[str(event)] != 1:
            found.append(f"{consumer} handled event {event}, which had {told[str(event)]} effects")
    handled = {str(event) for _, event in facts.inbox}
    found += [f"event {cause} had an effect, and no inbox knows of it" for cause in told if cause not in handled]
    return found


def untold(facts: Facts) -> list[str]:
    """[4] Changes without their fact, and facts without their change, of the kinds with a history."""
    changed = {(change.kind, change.id, change.version) for change in facts.changes if change.event not in UNTOLD}
    told = {
        (fact.aggregate_type, fact.aggregate_id, fact.version)
        for fact in facts.outbox
        if fact.aggregate_type in facts.histories
    }
    return [f"{kind} {id_} changed to version {version} and told nobody" for kind, id_, version in changed - told] + [
        f"{kind} {id_} told of version {version} and has no such change" for kind, id_, version in told - changed
    ]


def waiting(facts: Facts) -> list[str]:
    """[5] Facts that are still not published."""
    return [f"{fact.subject} {fact.event_id} waits in the outbox" for fact in facts.outbox if not fact.published]


def gaps(facts: Facts) -> list[str]:
    """[6, 10] Aggregates whose facts are not versions 1 to n, or whose row is at another version than the last."""
    versions = defaultdict[tuple[str, UUID], list[int]](list)
    for fact in facts.outbox:
        versions[fact.aggregate_type, fact.aggregate_id].append(fact.version)
    found = []
    for (kind, id_), told in versions.items():
        ordered = sorted(told)
        if ordered[0] != 1 or any(after != before + 1 for before, after in pairwise(ordered)):
            found.append(f"{kind} {id_} told of versions {ordered}")
        if facts.versions.get((kind, id_), ordered[-1]) != ordered[-1]:
            found.append(f"{kind} {id_} has version {facts.versions[kind, id_]} and told of {ordered[-1]}")
    found += [f"{kind} {id_} has a row and told nothing" for kind, id_ in facts.versions if (kind, id_) not in versions]
    return found


def vanished(producers: Iterable[Facts], consumer: Facts, subscriptions: Mapping[str, str]) -> list[str]:
    """[7] Published events that neither a consumer's inbox nor its dead letters hold; all is delivered by now.

    `subscriptions` gives the subject of each durable consumer of the service.
    """
    published = defaultdict[str, set[UUID]](set)
    for producer in producers:
        for fact in producer.outbox:
            if fact.published:
                published[fact.subject].add(fact.event_id)
    kept = {*consumer.inbox, *consumer.dead}
    return [
        f"event {event} of {subject} never reached {durable}"
        for durable, subject in subscriptions.items()
        for event in published[subject]
        if (durable, event) not in kept
    ]


def everything(
    history: History, readable: Readable, facts: Sequence[Facts], subscriptions: Mapping[str, Mapping[str, str]]
) -> dict[str, list[str]]:
    """All violations by the name of what found them; `subscriptions` by service."""
    return {
        "lost": lost(history, readable),
        "doubled": doubled(history, readable),
        "unequal replies": unequal_replies(history),
        "lost updates": lost_updates(history),
        "effects": [each for of_one in facts for each in effects(of_one)],
        "untold": [each for of_one in facts for each in untold(of_one)],
        "waiting": [each for of_one in facts for each in waiting(of_one)],
        "gaps": [each for of_one in facts for each in gaps(of_one)],
        "vanished": [
            each for of_one in facts for each in vanished(facts, of_one, subscriptions.get(of_one.service, {}))
        ],
    }
