"""Every way in which a text comes into the product: what takes it is filled with canaries, one request each.

A door is made once, with what it needs, and then told one line after the other.
"""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from tests.e2e.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tests.e2e.canaries import Canary

MARKER = "a-plain-word-to-be-found"
REASON = "to call them back soon"


@dataclass
class World:
    """Who speaks, and what there is to speak of."""

    url: str
    admin: Client
    machine: Client
    log_ids: list[str] = field(default_factory=list)
    """Logs that were stored, and will be summarised."""

    @property
    def stranger(self) -> Client:
        return Client(self.url)

    def ticket(self, **values: object) -> dict[str, Any]:
        return self.made("createTicket", "ticket { id version }", **{"title": MARKER, **values})["ticket"]  # type: ignore[no-any-return]

    def made(self, mutation: str, wanted: str, **values: object) -> dict[str, Any]:
        """What a mutation makes; a line that is too long for it is refused, and nothing else."""
        member = self.admin.mutate(mutation, wanted, **values)
        assert is_taken(member) or member["__typename"] == "ValidationError", (mutation, member)
        return member

    def changed(self, kind: str, id_: str, mutation: str, wanted: str, **values: object) -> dict[str, Any]:
        """The thing after a change of whatever version it has now: triage and summaries change it meanwhile."""
        for _ in range(20):
            now = self.admin.data(f"query Q($id: ID!) {{ {kind}(id: $id) {{ version }} }}", {"id": id_})[kind]
            given = {f"{kind}Id": id_, "expectedVersion": now["version"], **values}
            member = self.admin.mutate(mutation, wanted, **given)
            if member["__typename"] != "VersionConflict":
                break
        assert is_taken(member) or member["__typename"] == "ValidationError", (mutation, member)
        return member


def is_taken(answer: object) -> bool:
    """Whether a mutation did what it was asked for."""
    return isinstance(answer, dict) and str(answer.get("__typename")).endswith("Success")


Teller: TypeAlias = "Callable[[str], object]"


def _creates(mutation: str, wanted: str, place: str, /, **fixed: object) -> Callable[[World], Teller]:
    """A door that makes something new of each line: it stands at `place`, where `{}` makes a list of it."""

    def door(world: World) -> Teller:
        def tell(text: str) -> object:
            values = {name: value() if callable(value) else value for name, value in fixed.items()}
            name, _, inner = place.partition(".")
            given: object = {**values.get(name, {}), inner: text} if inner else text  # type: ignore[dict-item]
            return world.made(mutation, wanted, **{**values, name: given})

        return tell

    return door


def _commits(place: str) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        def tell(text: str) -> object:
            commit = {"sha": secrets.token_hex(20), "message": "fix: it", place: text}
            return world.made("pushCommits", "newCommitCount", repository="shop", commits=[commit])

        return tell

    return door


def _paths(world: World) -> Teller:
    def tell(text: str) -> object:
        commit = {"sha": secrets.token_hex(20), "message": "fix: it", "paths": [text]}
        return world.made("pushCommits", "newCommitCount", repository="shop", commits=[commit], services=[text])

    return tell


def _log(mutation: str, place: str, **fixed: object) -> Callable[[World], Teller]:
    """A door that changes one log again and again."""

    def door(world: World) -> Teller:
        log = world.made("summarizeLog", "log { id version }", name=MARKER, text=MARKER)["log"]
        world.log_ids.append(log["id"])
        world.admin.summarized(log["id"])
        statuses = iter(["ACKNOWLEDGED", "RESOLVED", "OPEN"] * 1000)

        def tell(text: str) -> object:
            values = {"status": next(statuses)} if place == "reason" else fixed
            given = {**values, place: [text] if place == "tags" else text}
            return world.changed("log", log["id"], mutation, "log { version }", **given)

        return tell

    return door


def _ticket(place: str) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        ticket = world.ticket()["id"]

        def tell(text: str) -> object:
            return world.changed("ticket", ticket, "updateTicket", "ticket { version }", **{place: text})

        return tell

    return door


def _comment(*, internal: bool) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        ticket = world.ticket()["id"]

        def tell(text: str) -> object:
            given = {"body": text, "internal": internal}
            return world.changed("ticket", ticket, "addTicketComment", "comment { body }", **given)

        return tell

    return door


def _reveal(world: World) -> Teller:
    ticket = world.ticket()
    return lambda text: world.made("revealTicket", "revealed { id }", ticketId=ticket["id"], reason=f"{REASON}: {text}")


def _option(place: str) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        def tell(text: str) -> object:
            values = {"name": "Night", "description": "at night", place: text}
            key = f"n{uuid4().hex[:12]}"
            option = {"kind": "TEAM", "key": key, "position": 9, "expectedVersion": 0, **values}
            member = world.made("saveTicketOption", "option { key version }", **option)
            if is_taken(member):  # else triage would read hundreds of teams
                archived = {**option, "archived": True, "expectedVersion": 1}
                world.made("saveTicketOption", "option { key }", **archived)
            return member

        return tell

    return door


def _uploaded(name: str) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        return lambda text: world.admin.http.post("/v1/logs/upload", params={"name": "x", name: text}, content=MARKER)

    return door


def _header(name: str) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        body = {"query": "{ me { id } }"}
        return lambda text: world.admin.http.post("/graphql", json=body, headers={name: text})

    return door


def _asked(document: str) -> Callable[[World], Teller]:
    """A door for what is refused, or finds nothing: the line is a variable, or stands in the document itself."""

    def door(world: World) -> Teller:
        if "@@" in document:
            return lambda text: world.admin.ask(document.replace("@@", json.dumps(text)[1:-1]))
        return lambda text: world.admin.ask(document, {"x": text})

    return door


def _session(mutation: str, place: str, **fixed: object) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        def tell(text: str) -> object:
            return world.stranger.mutate(mutation, "", **{**fixed, place: text})

        return tell

    return door


def _session_door(path: str, place: str) -> Callable[[World], Teller]:
    def door(world: World) -> Teller:
        known = {"email": "a@example.org", "password": "x"}
        return lambda text: world.stranger.http.post(path, json={**known, place: text})

    return door


TOLD: dict[str, Callable[[World], Teller]] = {
    "summarizeLog text": _creates("summarizeLog", "log { id }", "text", name=MARKER),
    "summarizeLog name": _creates("summarizeLog", "log { id }", "name", text=MARKER),
    "summarizeLog service": _creates("summarizeLog", "log { id }", "service", name=MARKER, text=MARKER),
    "updateLog notes": _log("updateLog", "notes"),
    "updateLog tags": _log("updateLog", "tags"),
    "updateLogStatus reason": _log("updateLogStatus", "reason"),
    "createTicket title": _creates("createTicket", "ticket { id }", "title"),
    "createTicket description": _creates("createTicket", "ticket { id }", "description", title=MARKER),
    "createTicket service": _creates("createTicket", "ticket { id }", "service", title=MARKER),
    "createTicket reporter": _creates("createTicket", "ticket { id }", "reporter.externalName", title=MARKER,
                                      reporter={}),
    "createTicket reference": _creates("createTicket", "ticket { id }", "externalReference", title=MARKER,
                                       source=lambda: f"s{uuid4().hex[:16]}"),
    "createTicket for people": _creates("createTicket", "ticket { id }", "title", audience="PEOPLE"),
    "updateTicket title": _ticket("title"),
    "updateTicket description": _ticket("description"),
    "updateTicket service": _ticket("service"),
    "addTicketComment": _comment(internal=False),
    "addTicketComment internal": _comment(internal=True),
    "revealTicket reason": _reveal,
    "saveTicketOption name": _option("name"),
    "saveTicketOption description": _option("description"),
    "pushCommits message": _commits("message"),
    "pushCommits authorName": _commits("authorName"),
    "pushCommits paths": _paths,
    "pushCommits repository": _creates("pushCommits", "newCommitCount", "repository",
                                       commits=lambda: [{"sha": secrets.token_hex(20), "message": "fix: it"}]),
    "generateChangelog commits": lambda world: lambda text: world.made(
        "generateChangelog", "changelog { id }", repository="shop",
        commits=[{"sha": secrets.token_hex(20), "message": f"fix: {text}", "authorName": text}]),
    "recordDeployment service": _creates("recordDeployment", "deployment { id }", "service", version="1"),
    "recordDeployment version": _creates("recordDeployment", "deployment { id }", "version", service="shop"),
}  # fmt: skip
"""Doors that take any line of at most 200 characters."""

REFUSED: dict[str, Callable[[World], Teller]] = {
    "createTicket source": lambda world: lambda text: world.admin.mutate("createTicket", title=MARKER, source=text),
    "createTicket category": lambda world: lambda text: world.admin.mutate("createTicket", title=MARKER, category=text),
    "pushCommits tags": lambda world: lambda text: world.admin.mutate(
        "pushCommits", repository="shop", commits=[{"sha": "a" * 40, "message": "x", "tags": [text]}]),
    "generateChangelog version": lambda world: lambda text: world.admin.mutate(
        "generateChangelog", repository="shop", previousVersion=text, commits=[]),
    "generateChangelog range": lambda world: lambda text: world.admin.mutate(
        "generateChangelog", repository="shop", range={"toRef": text}),
    "recordDeployment environment": lambda world: lambda text: world.admin.mutate(
        "recordDeployment", service="shop", version="1", environment=text),
    "recordDeployment reference": lambda world: lambda text: world.admin.mutate(
        "recordDeployment", service="shop", version="1", externalReference=text),
    "recordDeployment url": lambda world: lambda text: world.admin.mutate(
        "recordDeployment", service="shop", version="1", url=f"https://ci.example.com/{text}"),
    "logIn email": _session("logIn", "email", password="x"),
    "logIn password": _session("logIn", "password", email="nobody@example.org"),
    "signUp password": _session("signUp", "password", email="nobody@example.org"),
    "signUp token": _session("signUp", "setupToken", email="nobody@example.org", password="a long enough one"),
    "refresh token": _session("refresh", "refreshToken"),
    "session door email": _session_door("/v1/session", "email"),
    "session door password": _session_door("/v1/session", "password"),
    "upload name": _uploaded("name"),
    "upload timezone": _uploaded("timezone"),
    "upload service": _uploaded("service"),
    "machine's upload": lambda world: lambda text: world.machine.upload(text.encode(), name=MARKER),
    "machine's ticket": lambda world: lambda text: world.machine.mutate("createTicket", title=text, source="alert"),
    "path": lambda world: lambda text: world.admin.http.get(f"/v1/{text}"),
    "header user-agent": _header("User-Agent"),
    "header idempotency-key": _header("Idempotency-Key"),
    "header traceparent": _header("Traceparent"),
    "header tracestate": _header("Tracestate"),
    "header baggage": _header("Baggage"),
    "header cookie": _header("Cookie"),
    "header referer": _header("Referer"),
    "header x-forwarded-for": _header("X-Forwarded-For"),
    "header x-request-id": _header("X-Request-Id"),
    "header authorization": _header("Authorization"),
    "variable id": _asked("query($x: ID!) { log(id: $x) { id } }"),
    "variable filter": _asked("query($x: String!) { tickets(filter: {text: $x}) { edges { node { id } } } }"),
    "variable service": _asked("query($x: String!) { logs(filter: {service: $x}) { nodes { id } } }"),
    "variable cursor": _asked("query($x: String!) { tickets(after: $x) { edges { node { id } } } }"),
    "variable unknown": _asked("query($x: Nothing!) { log(id: $x) { id } }"),
    "literal filter": _asked('{ commits(text: "@@") { nodes { id } } }'),
    "literal unknown field": _asked('{ logs(filter: {nothing: "@@"}) { nodes { id } } }'),
    "literal syntax": _asked('{ logs(filter: "@@'),
}  # fmt: skip
"""Doors that refuse most lines, or keep none: where programs like to print what they were given."""


def bulk(world: World, every: Sequence[Canary]) -> None:
    """All lines at once, in the forms in which logs come."""
    lines = [f"2026-11-20T10:00:00Z ERROR shop: {canary.line}" for canary in every]
    log = "\n".join([*lines, f"2026-11-20T10:00:01Z ERROR shop: {MARKER}"]).encode()
    as_json = "\n".join(json.dumps({"level": "error", "message": canary.line}) for canary in every).encode()
    world.log_ids += [
        world.admin.stored(log),
        world.admin.stored(gzip.compress(log), headers={"Content-Encoding": "gzip"}),
        world.admin.stored(as_json),
        world.made("summarizeLog", "log { id }", name="paste", text=log.decode())["log"]["id"],
    ]
    world.admin.upload(log, name="n" * 201)
    world.admin.upload(b"\x7fELF" + log)
    world.admin.mutate("createTicket", title=MARKER, description=log.decode()[:20_000].rpartition("\n")[0])


def tell(world: World, every: Iterable[Canary], *, doors_each: int | None) -> tuple[dict[str, int], set[str]]:
    """Push each canary through so many doors in turn, or through all.

    How many lines each door was told, and which of the doors took one.
    """
    tellers = {name: door(world) for name, door in (TOLD | REFUSED).items()}
    names = list(tellers)
    turns = _turns(names, doors_each)
    told, taken = dict.fromkeys(names, 0), set()
    for canary in every:
        for name in next(turns):
            if name.startswith("header") and not (canary.line.isascii() and canary.line.isprintable()):
                continue
            if is_taken(tellers[name](canary.line)):
                taken.add(name)
            told[name] += 1
    return told, taken


def _turns(names: Sequence[str], doors_each: int | None) -> Iterator[Sequence[str]]:
    at = 0
    while True:
        count = doors_each or len(names)
        yield [names[(at + step) % len(names)] for step in range(count)]
        at += count
