"""A client that shows answers as they are: status, body and union member, where the product's own client translates."""

from __future__ import annotations

import json
import re
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.e2e.conftest import RunningStack

ME = "{ me { id email role version } }"
LOGS = "query Logs($first: Int!, $after: String) { logs(first: $first, after: $after) { nodes { id name version } } }"
SUMMARY = """
query Summary($id: ID!) {
  log(id: $id) {
    id version name state failure recordCount lineCount patternCount firstRecordTime lastRecordTime
    summary {
      engine model fallbackReason replacedSentenceCount
      sentences { text engine entryKeys recordIds records { id body } }
      run { attemptCount }
    }
  }
}
"""
SCHEMA = Path(__file__).resolve().parents[2] / "gateway" / "src" / "gateway" / "schema.graphql"
DETAILS = {
    "ValidationError": "fields { path message }",
    "NotFoundError": "fields { path message }",
    "VersionConflict": "expected actual",
    "RateLimitedError": "retryAfterSeconds",
    "IdempotencyInProgress": "retryAfterSeconds",
}


@cache
def refusals(mutation: str) -> str:
    """All that the refusals of a mutation say; a fragment on a type that its union does not hold is a mistake."""
    union = re.search(rf"^union {mutation}Result = (.+)$", SCHEMA.read_text(), re.MULTILINE | re.IGNORECASE)
    assert union is not None, mutation
    held = [f"... on {member} {{ {DETAILS[member]} }}" for member in union[1].split(" | ") if member in DETAILS]
    return " ".join(["... on UserError { code message }", *held])


class Client:
    """One person, machine or stranger in front of a gateway."""

    def __init__(self, url: str, token: str = "") -> None:
        self.token = token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60)

    def post(self, document: str, variables: Mapping[str, object] | None = None) -> httpx.Response:
        return self.http.post("/graphql", json={"query": document, "variables": dict(variables or {})})

    def ask(self, document: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The whole body of an answer, errors included."""
        body: dict[str, Any] = self.post(document, variables).json()
        return body

    def data(self, document: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        body = self.ask(document, variables)
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def mutate(self, mutation: str, wanted: str = "", /, **values: object) -> dict[str, Any]:
        """The member of the result union that a mutation ends in."""
        title = mutation[0].upper() + mutation[1:]
        success = f"... on {title}Success {{ {wanted} }}" if wanted else ""
        document = (
            f"mutation M($input: {title}Input!) "
            f"{{ {mutation}(input: $input) {{ __typename {success} {refusals(mutation)} }} }}"
        )
        given = {"idempotencyKey": str(uuid4()), **values}
        member: dict[str, Any] = self.data(document, {"input": given})[mutation]
        return member

    def upload(
        self, body: bytes | Iterable[bytes], *, name: str = "bad.log", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self.http.post("/v1/logs/upload", params={"name": name}, content=body, headers=dict(headers or {}))

    def stored(self, body: bytes | Iterable[bytes], **options: Any) -> str:
        """The id of a log that the door takes."""
        answer = self.upload(body, **options)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["log"]["id"])

    def summarized(self, log_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """The log once its machine part is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            log: dict[str, Any] = self.data(SUMMARY, {"id": log_id})["log"]
            if log["state"] != "RECEIVED":
                return log
            time.sleep(0.1)
        raise AssertionError(f"the log {log_id} has no summary after {seconds:.0f} s")


def session_of(stack: RunningStack, email: str, password: str) -> dict[str, Any]:
    """A new session of somebody, tokens included."""
    member = Client(stack.url).mutate(
        "logIn", "session { accessToken refreshToken } user { id role version }", email=email, password=password
    )
    assert member["__typename"] == "LogInSuccess", member
    return member


def admin_of(stack: RunningStack) -> Client:
    admin = json.loads((stack.folder / "admin.json").read_text())
    return Client(stack.url, session_of(stack, admin["email"], admin["password"])["session"]["accessToken"])


def person(stack: RunningStack, admin: Client, role: str | None, *, name: str = "") -> tuple[Client, str, str]:
    """Somebody new with this role: his client, e-mail address and password."""
    email, password = f"{uuid4().hex[:12]}@example.com", f"a long enough password {uuid4().hex[:8]}"
    invited = admin.mutate("inviteUser", "invitationToken", email=email, role=role)
    assert invited["__typename"] == "InviteUserSuccess", invited
    signed_up = Client(stack.url).mutate(
        "signUp",
        "user { id }",
        email=email,
        password=password,
        displayName=name or None,
        invitationToken=invited["invitationToken"],
    )
    assert signed_up["__typename"] == "SignUpSuccess", signed_up
    return Client(stack.url, session_of(stack, email, password)["session"]["accessToken"]), email, password


def database_of(stack: RunningStack) -> psycopg.Connection[tuple[Any, ...]]:
    """The stack's database, as its superuser."""
    password = json.loads((stack.folder / "secrets.json").read_text())["postgres_admin"]
    return psycopg.connect(
        host="127.0.0.1", port=8432 + stack.offset, user="postgres", password=password, dbname="aiops", autocommit=True
    )


def logged(stack: RunningStack, *secrets: str) -> list[str]:
    """Which of the secrets stand in the log of any process of the stack, Postgres and NATS included."""
    files = [*(stack.folder / "logs").iterdir(), *stack.folder.glob("*.log"), *(stack.folder / "nats").glob("*.log")]
    texts = [path.read_bytes() for path in files]
    assert any(b"trace_id" in text for text in texts), "nothing was logged, so this proves nothing"
    return [secret for secret in secrets if any(secret.encode() in text for text in texts)]


class Census:
    """How many rows every table of a schema holds: what was refused may not change it."""

    # What the system does by itself at its own time; words of tickets are counted some seconds after they came.
    UPKEEP = frozenset(
        {
            "inbox",
            "inbox_versions",
            "service_instances",
            "consumer_holds",
            "history_anchors",
            "migration_versions",
            "throttles",
            "audit_events",
            "audit_trail",
            "ticket_words_uncounted",
            "ticket_word_counts",
        }
    )

    def __init__(self, stack: RunningStack, *schemas: str) -> None:
        self._connection = database_of(stack)
        names = self._connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) AND tablename !~ '_20[0-9]{6}$'",
            [list(schemas)],
        ).fetchall()
        self._tables = [f"{schema}.{table}" for schema, table in sorted(names) if table not in self.UPKEEP]

    def take(self) -> dict[str, int]:
        query = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in self._tables)  # noqa: S608 - names from the catalogue
        return {str(table): int(count) for table, count in self._connection.execute(query)}

    def close(self) -> None:
        self._connection.close()


def pieces(piece: bytes, total_bytes: int) -> Iterator[bytes]:
    """The piece again and again, so that a large body exists nowhere as a whole."""
    for _ in range(total_bytes // len(piece)):
        yield piece
    yield piece[: total_bytes % len(piece)]
