"""Where canaries are looked for: every store of a running stack, and every answer that it gives."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from psycopg import sql
from tests.e2e import canary_queries
from tests.e2e.canaries import Search, canaries, json_web_token, random_text
from tests.e2e.canary_doors import MARKER, World, bulk, tell
from tests.e2e.client import Client, admin_of, database_of, person
from tests.e2e.scripted_model import Reply, ScriptedModel
from tests.e2e.test_dead_letters import published

from aiops.events.v1.envelope_pb2 import Envelope
from aiops.tickets.v1.events_pb2 import TicketCreated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.e2e.conftest import RunningStack

UNASKED = {"DOCUMENT_TOO_LARGE", "GRAPHQL_VALIDATION_FAILED", "COST_LIMIT_EXCEEDED", "RATE_LIMITED"}
SPANS_QUIET_SECONDS = 6.0
"""A process sends its spans every five seconds."""


@dataclass
class Told:
    """What was told to the stack, and must not be told on."""

    stack: RunningStack
    model: ScriptedModel
    origins: dict[str, str]
    """Each secret and the way in which it came."""
    email: str
    """The address of somebody who has an account."""
    people: dict[str, Client]
    """Somebody of each role, a machine, and nobody."""
    doors: dict[str, int]
    """How many lines each door was told."""
    taken: set[str]
    """Doors that took one of them."""
    search: Search = field(init=False)

    def __post_init__(self) -> None:
        self.search = Search(self.origins)

    def leaks(self, *texts: bytes) -> dict[str, str]:
        """Secrets in the texts, and how each of them came."""
        return {secret: self.origins[secret] for secret in sorted(self.search.found_in(*texts))}


def tell_all(stack: RunningStack, model: ScriptedModel, *, count: int, doors_each: int | None) -> Told:
    """Let so many canaries in by every door, and wait until all that follows of them is over."""
    model.answer = lambda _: Reply(401, b"{}")
    admin, every = admin_of(stack), canaries(count)
    colleague, email, password = person(stack, admin, "OPS")
    made = admin.mutate("createApiToken", "token", serviceAccountName="canary", scopes=["logs:write", "tickets:write"])
    people = {
        "admin": admin, "ops": colleague, "hr": person(stack, admin, "HR")[0], "no role": person(stack, admin, None)[0],
        "machine": Client(stack.url, made["token"]), "nobody": Client(stack.url),
    }  # fmt: skip
    origins = {canary.secret: canary.line for canary in every}
    origins |= {password: "password of an account", made["token"]: "token of a machine"}
    origins |= {who.token: f"access token of {name}" for name, who in people.items() if who.token}
    world = World(stack.url, admin, people["machine"])
    bulk(world, every)
    doors, taken = tell(world, every, doors_each=doors_each)
    origins |= bare(world)
    _dead_letter(stack)
    for log_id in world.log_ids:
        admin.summarized(log_id, seconds=120)
    _until_triaged(admin)
    _until_quiet(model)
    return Told(stack, model, origins, email, people, doors, taken)


def bare(world: World) -> dict[str, str]:
    """Secrets that no word announces, at places where nothing else stands: credentials, keys and ids."""
    password, typed, token, refresh, key, ident = (random_text(20 + n) for n in range(6))
    stranger = world.stranger
    stranger.mutate("logIn", email=f"{ident.lower()}@example.org", password=password)
    stranger.mutate("logIn", email=typed, password="x")
    stranger.mutate("signUp", email="someone@example.org", password=password, setupToken=token)
    stranger.mutate("refresh", refreshToken=refresh)
    foreign = json_web_token()
    Client(world.url, foreign).ask("{ me { id } }")
    Client(world.url, "aiops_" + token).ask("{ me { id } }")
    world.admin.mutate("summarizeLog", name="keyed", text=MARKER, idempotencyKey=key)
    world.admin.mutate("summarizeLog", name="other", text=MARKER, idempotencyKey=key)
    world.admin.ask("query($id: ID!) { log(id: $id) { id } }", {"id": ident})
    world.admin.ask("mutation($i: LogInInput!) { logIn(input: $i) { __typename } }", {"i": {"pasword": password}})
    world.admin.ask(f'mutation {{ logIn(input: {{email: "a", pasword: "{token}"}}) {{ __typename }} }}')
    return {
        password: "password of a bad log-in", typed: "password typed as e-mail", token: "set-up token",
        refresh: "refresh token", key: "idempotency key", ident: "id in a variable", foreign: "foreign token",
        f"{ident.lower()}@example.org": "address of a bad log-in",
    }  # fmt: skip


def rows_of(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, as a dump would have it, with the name of its table."""
    with database_of(stack) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            statement = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(schema, table))
            with connection.cursor().copy(statement) as rows:
                yield f"{schema}.{table}", b"".join(map(bytes, rows))


def stream_files(stack: RunningStack) -> list[bytes]:
    """What JetStream keeps on its disk."""
    return [path.read_bytes() for path in (stack.folder / "nats" / "jetstream").rglob("*") if path.is_file()]


def process_logs(stack: RunningStack) -> dict[str, bytes]:
    """What every process wrote, Postgres and NATS included."""
    files = [*(stack.folder / "logs").iterdir(), *stack.folder.glob("*.log"), *(stack.folder / "nats").glob("*.log")]
    return {path.name: path.read_bytes() for path in files}


def metrics(stack: RunningStack) -> dict[int, bytes]:
    """What every process tells a monitoring system."""
    ports = [8180 + stack.offset, *(port + stack.offset for port in range(8201, 8206))]
    return {port: httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=20).content for port in ports}


def span_names(spans: Iterable[bytes]) -> set[str]:
    """The names of all spans, which shows that they were read as what they are."""
    requests = [ExportTraceServiceRequest.FromString(body) for body in spans]
    return {
        span.name
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }


@dataclass
class Answers:
    """What somebody was told, all of it."""

    asked: int = 0
    told: int = 0
    """Answers that held data."""
    leaks: dict[str, str] = field(default_factory=dict)
    """The first place at which a secret was told."""
    marked: int = 0
    """Answers with the plain word in them: the search reads what was stored."""


def ask_everything(told: Told, role: str, *, pages: int) -> Answers:
    """Every question of the schema, by somebody of this role."""
    given = canary_queries.ids_of(told.people["admin"])
    who, found = told.people[role], Answers()

    def note(place: str, content: bytes, *, data: bool) -> None:
        found.asked += 1
        found.told += data
        found.marked += MARKER.encode() in content
        for secret, origin in told.leaks(content).items():
            found.leaks.setdefault(secret, f"{place}: {origin}")

    for question in canary_queries.questions(given):
        nested = question.document.count("first:") + question.document.count("{") > 6
        for content, body in canary_queries.answers(who, question, first=20 if nested else 100, pages=pages):
            codes = {error.get("extensions", {}).get("code") for error in body.get("errors", ())}
            assert not codes & UNASKED, (question, body)
            note(question.place, content, data=any((body.get("data") or {}).values()))
    for document, variables in canary_queries.entities(given):
        response = who.post(document, variables)
        note("_entities", response.content, data=any((response.json().get("data") or {}).get("_entities", ())))
    return found


def _dead_letter(stack: RunningStack) -> None:
    """An event about a ticket that is not there, which its consumer gives up."""
    nobody = str(uuid4())
    envelope = Envelope(
        id=str(uuid4()), type="aiops.tickets.v1.TicketCreated", aggregate_type="ticket", aggregate_id=nobody,
        aggregate_version=1, payload=TicketCreated(ticket_id=nobody).SerializeToString(),
    )  # fmt: skip
    published(stack, envelope.SerializeToString())


def _until_triaged(admin: Client, *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    waiting = (
        "{ tickets(filter: {triageStates: [PENDING]}, first: 1) { edges { node { id } } }"
        " deadLetters(service: TICKETS) { nodes { id } } }"
    )
    while time.monotonic() < deadline:
        data = admin.data(waiting)
        if not data["tickets"]["edges"] and data["deadLetters"]["nodes"]:
            return
        time.sleep(0.5)
    raise AssertionError(f"triage is not over after {seconds:.0f} s")


def _until_quiet(model: ScriptedModel) -> None:
    """Spans of the last request are sent some seconds later; background work goes on sending some for ever."""
    time.sleep(SPANS_QUIET_SECONDS)
    assert model.spans, "no span came, so a search of them proves nothing"
